"""The errors of polls, beside those of their content (`groups.errors`)."""

from typing import ClassVar

from groups.kernel.errors import Conflict


class NotAPoll(Conflict):
    """The message is no poll."""

    code: ClassVar[str] = "not_a_poll"
    summary: ClassVar[str] = "This message is not a poll"
    remedy: ClassVar[str] = "Offer votes only where a message has a `poll`."
