"""The errors of forms."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Detail, InvalidInput, LimitReached, NotFound


class FormNotFound(NotFound):
    """The channel has no form of this name. It may have been deleted meanwhile."""

    code: ClassVar[str] = "form_not_found"
    summary: ClassVar[str] = "No such form"
    remedy: ClassVar[str] = "Close the form, and say that the channel does not offer it any more."


class FormLimitReached(LimitReached):
    """The channel already has `limit` forms."""

    code: ClassVar[str] = "form_limit_reached"
    summary: ClassVar[str] = "The channel has as many forms as it may have"
    remedy: ClassVar[str] = "Delete a form first, or change one."


class BadFormAnswer(InvalidInput):
    """One value of the answer does not fit its field; nothing was sent."""

    code: ClassVar[str] = "bad_form_answer"
    summary: ClassVar[str] = "A value does not fit its field"
    remedy: ClassVar[str] = (
        "Show `reason` at `field`, and let the user correct it. `unknown_field`: read the form again, it changed."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "field": Detail(str, "The name of the field."),
        "reason": Detail(
            str,
            "`missing`, `unknown_field`, `bad_type`, `too_long`, `control_character`, `not_a_number`, `not_an_option`,"
            " `bad_date`, `bad_phone` or `bad_email`.",
        ),
    }

    def __init__(self, field: str, reason: str) -> None:
        shown = field[:100]
        super().__init__(
            f"The value of {shown!r} does not fit: {reason}", field=shown, reason=reason
        )
