"""The event of reactions."""

from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId


class ReactionsChanged(Event):
    """The counts of a message after a transaction: one event for all commands of a batch, without names of users."""

    type: Literal["reactions.changed"] = "reactions.changed"
    stream_id: StreamId
    group_id: GroupId
    seq: int
    counts: dict[str, int]
    total: int
