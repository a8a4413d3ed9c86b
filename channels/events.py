"""What happened between a user and a channel, or two users, that no package below knows of, once it is committed."""

from typing import Literal

from conversations.models import Dialogue
from groups.kernel.events import Event
from groups.kernel.ids import UserId


class DialogueReacted(Event):
    """The reactions to a one-to-one message, as one transaction left them, and what each of the two sides holds.

    Both sides hear it, told which are their own; where the other side is a channel, its `staff` hears it.
    """

    type: Literal["dialogue.reacted"] = "dialogue.reacted"
    user_id: UserId
    peer_id: str
    staff: tuple[UserId, ...] = ()
    seq: int
    counts: dict[str, int]
    total: int
    user_holds: tuple[str, ...]
    peer_holds: tuple[str, ...]

    @property
    def dialogue(self) -> Dialogue:
        """Between whom."""
        return Dialogue(self.user_id, self.peer_id)
