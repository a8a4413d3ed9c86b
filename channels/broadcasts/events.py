"""The events of broadcasts. The staff who read the inbox receive them; progress is published now and then only."""

from datetime import datetime
from typing import Literal

from channels.broadcasts.models import Failure, Reason, State
from channels.subscriber_tags.models import Segment
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId


class BroadcastEvent(Event):
    """The base of these events: the broadcast after the transaction, without its content."""

    type: str = "broadcast.event"
    channel_id: GroupId
    staff: tuple[UserId, ...]
    broadcast_id: str
    state: State
    segment: Segment
    silent: bool
    rate: int | None
    total: int | None
    sent: int
    not_reached: dict[Reason, int]
    created_by: UserId
    created_at: datetime
    start_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    failure: Failure | None

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff


class BroadcastStarted(BroadcastEvent):
    """A broadcast begins to send."""

    type: Literal["broadcast.started"] = "broadcast.started"


class BroadcastChanged(BroadcastEvent):
    """A broadcast was created, stopped or resumed, or has come some way."""

    type: Literal["broadcast.changed"] = "broadcast.changed"


class BroadcastEnded(BroadcastEvent):
    """A broadcast is done, or failed."""

    type: Literal["broadcast.ended"] = "broadcast.ended"
