"""The errors of pressing buttons."""

from typing import ClassVar

from groups.kernel.errors import Conflict, NotFound


class ButtonNotFound(NotFound):
    """The message has no button with this index."""

    code: ClassVar[str] = "button_not_found"
    summary: ClassVar[str] = "This message has no such button"
    remedy: ClassVar[str] = "Read the message again, and show its `buttons`."


class NothingToPress(Conflict):
    """The button opens a link or a form, which the app does by itself."""

    code: ClassVar[str] = "nothing_to_press"
    summary: ClassVar[str] = "This button opens a link or a form: there is nothing to press"
    remedy: ClassVar[str] = "Open its `url`, or the form that it names. Send no press."


class ButtonChanged(Conflict):
    """The button is not the one that the user saw, or the message's buttons were changed too often."""

    code: ClassVar[str] = "button_changed"
    summary: ClassVar[str] = "This button was changed: look at the message again"
    remedy: ClassVar[str] = "Read the message again, show its `buttons`, and let the user choose."
