"""Events that no package below knows: scheduled posts, reactions in one-to-one conversations, rates of processes."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from conversations.models import Dialogue
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId


class DraftScheduled(Event):
    """A draft is to be published at this time. Only schedulers receive it: nobody sees a draft before."""

    type: Literal["draft.scheduled"] = "draft.scheduled"
    channel_id: GroupId
    due_at: datetime

    @property
    def routes(self) -> tuple[str, ...]:
        return ()


class DialogueReacted(Event):
    """The reactions to a one-to-one message after a transaction, and those of each side.

    Both sides receive it with their own reactions marked. For a channel, its `staff` receives it.
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
        return Dialogue(self.user_id, self.peer_id)

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id, self.peer_id, *self.staff)


class Spent(BaseModel):
    """How many requests one key took of one quota."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quota: str
    key: str
    requests: int


class RatesSpent(Event):
    """The requests that one process granted since its last report; only the other processes receive it."""

    type: Literal["rates.spent"] = "rates.spent"
    process_id: str
    spent: tuple[Spent, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return ()
