"""Events of what channels do by themselves: selections in menus, for the channel's staff and back end."""

from collections.abc import Iterable
from typing import Any, Final

from channels.event_views.conversations import thread_stream_id
from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    event_id_of,
)
from channels.self_service.menus.events import MenuSelected
from groups.kernel.clock import rfc3339
from groups.kernel.ids import StreamId


def _selected(event: MenuSelected) -> dict[str, Any]:
    return {
        "event_id": event_id_of(event),
        "type": event.type,
        # That of the user's thread, so that a back end receives selections and messages of a user in their order.
        "stream_id": thread_stream_id(event.channel_id, event.user_id),
        "at": rfc3339(event.at),
        "channel_id": event.channel_id,
        "user_id": event.user_id,
        "entry": event.entry,
        "text": event.text,
        "data": event.data,
    }


def _selected_views(event: MenuSelected) -> Iterable[EventView]:
    if event.staff:
        yield EventView(_selected(event), StreamId(""), event.staff)


SELF_SERVICE_EVENTS: Final[Rendering] = {MenuSelected: _selected_views}


PUBLIC_SELF_SERVICE_EVENTS: Final[PublicRendering] = {
    MenuSelected: PublicViews(("menu.selected",), lambda event: (_selected(event),)),
}
