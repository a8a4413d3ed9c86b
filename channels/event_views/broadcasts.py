"""Events of broadcasts. The staff who read the inbox receive them, and back ends."""

from collections.abc import Iterable
from typing import Any, Final

from channels.broadcasts.events import (
    BroadcastChanged,
    BroadcastEnded,
    BroadcastEvent,
    BroadcastStarted,
)
from channels.broadcasts.routes.responses import counts_response, failure_response
from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    payload_of,
)
from groups.kernel.clock import rfc3339
from groups.models import stream_of


def _payload(event: BroadcastEvent) -> dict[str, Any]:
    failure = failure_response(event.failure)
    return payload_of(
        event.type,
        event,
        stream_of(event.channel_id),
        channel_id=event.channel_id,
        broadcast_id=event.broadcast_id,
        state=event.state.value,
        segment=event.segment.model_dump(mode="json"),
        silent=event.silent,
        rate=event.rate,
        total=event.total,
        sent=event.sent,
        not_reached=counts_response(event.not_reached).model_dump(),
        created_by=event.created_by,
        created_at=rfc3339(event.created_at),
        start_at=rfc3339(event.start_at) if event.start_at else None,
        started_at=rfc3339(event.started_at) if event.started_at else None,
        ended_at=rfc3339(event.ended_at) if event.ended_at else None,
        failure=failure.model_dump() if failure else None,
    )


def _view(event: BroadcastEvent) -> Iterable[EventView]:
    yield EventView(_payload(event), stream_of(event.channel_id), event.staff)


_KINDS: Final[tuple[type[BroadcastEvent], ...]] = (
    BroadcastStarted,
    BroadcastChanged,
    BroadcastEnded,
)
BROADCAST_EVENTS: Final[Rendering] = dict.fromkeys(_KINDS, _view)
PUBLIC_BROADCAST_EVENTS: Final[PublicRendering] = {
    kind: PublicViews((kind.model_fields["type"].default,), lambda event: (_payload(event),))
    for kind in _KINDS
}
