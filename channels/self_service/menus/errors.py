"""The errors of menus."""

from typing import ClassVar

from groups.kernel.errors import Conflict, NotFound


class MenuEntryNotFound(NotFound):
    """The menu has no such entry, or the channel has no menu."""

    code: ClassVar[str] = "menu_entry_not_found"
    summary: ClassVar[str] = "The channel's menu has no such entry"
    remedy: ClassVar[str] = "Read the menu again, and let the user choose."


class MenuChanged(Conflict):
    """The menu is not the one that the user saw."""

    code: ClassVar[str] = "menu_changed"
    summary: ClassVar[str] = "The menu was changed: look at it again"
    remedy: ClassVar[str] = "Read the menu again, and let the user choose."


class NothingToSelect(Conflict):
    """The entry has entries of its own, or opens a link or a form, which the app does by itself."""

    code: ClassVar[str] = "nothing_to_select"
    summary: ClassVar[str] = "This entry opens something: there is nothing to select"
    remedy: ClassVar[str] = (
        "Show its `entries`, or open its `url` or the form that it names. Send no selection."
    )
