"""Builds the events of broadcasts."""

from datetime import datetime

from channels.broadcasts.events import BroadcastEvent
from channels.broadcasts.models import Broadcast
from groups.kernel.ids import UserId


def broadcast_event(
    kind: type[BroadcastEvent], broadcast: Broadcast, staff: tuple[UserId, ...], at: datetime
) -> BroadcastEvent:
    """The event that tells the staff how the broadcast is now."""
    return kind(
        at=at,
        channel_id=broadcast.channel_id,
        staff=staff,
        broadcast_id=broadcast.broadcast_id,
        state=broadcast.state,
        segment=broadcast.segment,
        silent=broadcast.silent,
        rate=broadcast.rate,
        total=broadcast.total,
        sent=broadcast.sent,
        not_reached=broadcast.not_reached,
        created_by=broadcast.created_by,
        created_at=broadcast.created_at,
        start_at=broadcast.start_at,
        started_at=broadcast.started_at,
        ended_at=broadcast.ended_at,
        failure=broadcast.failure,
    )


def broadcast_lock(broadcast_id: str) -> str:
    """The key of the document that every step of a broadcast writes, and its stop too."""
    return f"broadcast {broadcast_id}"
