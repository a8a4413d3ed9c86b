"""The event of reactions."""

from typing import Literal, NamedTuple

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId


class OwnReactions(NamedTuple):
    """Users whose reactions a transaction changed, and the emoji that each of them holds after it."""

    mine: tuple[str, ...]
    user_ids: tuple[UserId, ...]


class ReactionsChanged(Event):
    """The counts of a message after a transaction: one event for all commands of a batch.

    `own` is for the users' own devices alone: a hub sends each of them their own emoji, and nobody the names of others.
    It is bounded by the batch. Users who hold the same share an entry, because a hot post has few emoji.
    """

    type: Literal["reactions.changed"] = "reactions.changed"
    stream_id: StreamId
    group_id: GroupId
    is_channel: bool = False
    seq: int
    counts: dict[str, int]
    total: int
    own: tuple[OwnReactions, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, *(user_id for one in self.own for user_id in one.user_ids))
