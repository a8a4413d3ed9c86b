"""What happened to reactions, once it is committed."""

from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId


class ReactionsChanged(Event):
    """The counts of a message, as one transaction left them: one event for all whom it served, and never a name."""

    type: Literal["reactions.changed"] = "reactions.changed"
    stream_id: StreamId
    group_id: GroupId
    seq: int
    counts: dict[str, int]
    total: int
