"""One event as clients see it, and its receivers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from groups.events import GroupEvent
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import StreamId, UserId
from groups.models import stream_of
from reactions.events import ReactionsChanged

NOT_IN_EVENTS: Final = {"reactions", "views", "channel_name", "sender_name", "sender_face_url"}
"""Fields of a message that no event carries.

A new message has no reactions and no views. Clients ask for the sender's name when they show it: it may have changed.
"""


@dataclass(frozen=True, slots=True)
class EventView:
    """The payload, and its receivers: `users`, or all of the stream when None, without `except_users`."""

    payload: dict[str, Any]
    stream_id: StreamId
    users: tuple[UserId, ...] | None = None
    except_users: frozenset[UserId] = frozenset()

    def json(self) -> bytes:
        """The message of the socket that carries it, the same bytes for every receiver."""
        return orjson.dumps({"type": "event", "event": self.payload}, default=_encode)


def _encode(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value)} in an event")


Rendering = dict[type[Event], Callable[[Any], Iterable[EventView]]]
"""The function that makes the views of each type of event; its argument is an event of that type."""


def payload_of(event_type: str, event: Event, stream_id: StreamId, **fields: Any) -> dict[str, Any]:
    """A payload about a conversation: its ids, the instant, and `fields`."""
    return {
        "type": event_type,
        "stream_id": stream_id,
        "conversation_id": stream_id,
        "at": rfc3339(event.at),
        **fields,
    }


def group_payload(
    group_type: str, channel_type: str, event: GroupEvent | ReactionsChanged, **fields: Any
) -> dict[str, Any]:
    """A payload about a group (`group_type`, `group_id`) or a channel (`channel_type`, `channel_id`)."""
    stream_id = stream_of(event.group_id)
    if event.is_channel:
        return payload_of(channel_type, event, stream_id, channel_id=event.group_id, **fields)
    return payload_of(group_type, event, stream_id, group_id=event.group_id, **fields)
