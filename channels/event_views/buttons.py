"""Events of buttons: the counts for those who see the message, and each press for the channel's staff and back end."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from channels.buttons.events import ButtonPressed, ButtonsChanged, DialoguePressed
from channels.event_views.conversations import thread_stream_id
from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    event_id_of,
    payload_of,
)
from groups.kernel.clock import rfc3339
from groups.kernel.ids import StreamId

_NAME: Final = "buttons.changed"
_IN_INBOX: Final = "inbox"
_USER_BYTES: Final = 8  # as in `event_views.groups`


def _changed(event: ButtonsChanged) -> Iterable[EventView]:
    fields: dict[str, Any] = {
        "channel_id": event.group_id,
        "seq": event.seq,
        "presses": list(event.presses),
    }
    # First the one for watchers, as hubs expect; then one for all users who pressed the same, each of them alone.
    yield EventView(payload_of(_NAME, event, event.stream_id, **fields), event.stream_id)
    for mine, user_ids in event.own:
        payload = payload_of(
            _NAME, event, event.stream_id, part="own", **fields, pressed=list(mine)
        )
        yield EventView(payload, event.stream_id, user_ids)


def _in_inbox(event: DialoguePressed) -> dict[str, Any]:
    return {
        "event_id": event_id_of(event, _IN_INBOX),
        "type": _NAME,
        "stream_id": thread_stream_id(event.peer_id, event.user_id),
        "at": rfc3339(event.at),
        "channel_id": event.peer_id,
        "user_id": event.user_id,
        "seq": event.seq,
        "presses": list(event.presses),
    }


def _in_dialogue(event: DialoguePressed) -> Iterable[EventView]:
    fields: dict[str, Any] = {"seq": event.seq, "presses": list(event.presses)}
    stream_id = StreamId(event.dialogue.conversation_id)
    payload = payload_of(_NAME, event, stream_id, **fields, pressed=list(event.user_holds))
    yield EventView(payload, stream_id, (event.user_id,))
    if event.staff:
        yield EventView(_in_inbox(event), StreamId(""), event.staff)


def _pressed(event: ButtonPressed) -> Iterable[dict[str, Any]]:
    for press in event.presses:
        of_user = hashlib.blake2b(press.user_id.encode(), digest_size=_USER_BYTES).hexdigest()
        yield {
            "event_id": event_id_of(event, f"{of_user}_{press.button}"),
            "type": event.type,
            # That of the user's thread, so that a back end receives presses and messages of a user in their order.
            "stream_id": thread_stream_id(event.channel_id, press.user_id),
            "at": rfc3339(event.at),
            "channel_id": event.channel_id,
            "user_id": press.user_id,
            "place": event.place,
            "seq": event.seq,
            "button": press.button,
            "text": press.text,
            "data": press.data,
        }


def _pressed_views(event: ButtonPressed) -> Iterable[EventView]:
    if event.staff:
        for payload in _pressed(event):
            yield EventView(payload, StreamId(""), event.staff)


BUTTON_EVENTS: Final[Rendering] = {
    ButtonsChanged: _changed,
    DialoguePressed: _in_dialogue,
    ButtonPressed: _pressed_views,
}


PUBLIC_BUTTON_EVENTS: Final[PublicRendering] = {
    ButtonsChanged: PublicViews((_NAME,), lambda event: (next(iter(_changed(event))).payload,)),
    DialoguePressed: PublicViews((_NAME,), lambda event: (_in_inbox(event),)),
    ButtonPressed: PublicViews(("button.pressed",), _pressed),
}
