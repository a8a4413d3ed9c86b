"""Events of acknowledgements as clients and back ends see them."""

from collections.abc import Iterable
from typing import Any, Final

from channels.acknowledgements.events import AcknowledgementReminded, AcknowledgementsChanged
from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    group_payload,
)


def _changed(event: AcknowledgementsChanged) -> Iterable[EventView]:
    count: dict[str, Any] = {"seq": event.seq, "count": event.count}
    name = event.type
    # First the one for watchers, as hubs expect; then one for those who acknowledged, each of them alone.
    yield EventView(group_payload(name, name, event, **count), event.stream_id)
    for (user_ids,) in event.own:
        payload = group_payload(name, name, event, part="own", **count, mine=True)
        yield EventView(payload, event.stream_id, user_ids)


def _reminded(event: AcknowledgementReminded) -> Iterable[EventView]:
    # The reminders of a process leave out those who acknowledged (`channels.server.realtime.reminders`).
    yield EventView(group_payload(event.type, event.type, event, seq=event.seq), event.stream_id)


ACKNOWLEDGEMENT_EVENTS: Final[Rendering] = {
    AcknowledgementsChanged: _changed,
    AcknowledgementReminded: _reminded,
}

PUBLIC_ACKNOWLEDGEMENT_EVENTS: Final[PublicRendering] = {
    AcknowledgementsChanged: PublicViews(
        ("acknowledgements.changed",), lambda event: (next(iter(_changed(event))).payload,)
    ),
    AcknowledgementReminded: PublicViews(
        ("acknowledgement.reminder",), lambda event: (next(iter(_reminded(event))).payload,)
    ),
}
