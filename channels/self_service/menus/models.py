"""The model of a menu: entries, each with an action or with entries of its own."""

from datetime import datetime

from groups.kernel.ids import GroupId, UserId
from groups.models import Action, Model


class MenuEntry(Model):
    """An entry; one without an action opens the `entries` below it."""

    text: str
    action: Action | None = None
    entries: "tuple[MenuEntry, ...]" = ()


class Menu(Model):
    """The menu of a channel. `version` grows with each change, also over a menu that was deleted in between."""

    channel_id: GroupId
    version: int
    entries: tuple[MenuEntry, ...]
    changed_at: datetime
    changed_by: UserId

    def entry_at(self, path: str) -> MenuEntry | None:
        """The entry at a path such as `2.1`: the first one below the second; None where there is none."""
        entries, found = self.entries, None
        for place in path.split("."):
            number = int(place)
            if not 1 <= number <= len(entries):
                return None
            found = entries[number - 1]
            entries = found.entries
        return found

    @property
    def texts(self) -> list[str]:
        """The texts of all entries, for the admin log."""
        return [
            text
            for entry in self.entries
            for text in (entry.text, *(e.text for e in entry.entries))
        ]
