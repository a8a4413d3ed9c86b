"""One frame: its fields, and who hears it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from channels.server.realtime.frames import text_frame
from groups.events import GroupEvent
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import StreamId, UserId
from groups.models import stream_of

NOT_IN_FRAMES: Final = {"reactions", "views", "channel_name", "sender_name", "sender_face_url"}
"""Fields of a message that no frame tells: a new one has none of them, and its sender's name is asked for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and who hears it: these users, or everyone in the stream (`users` None), but for `besides`."""

    payload: dict[str, Any]
    stream_id: StreamId
    users: tuple[UserId, ...] | None = None
    besides: frozenset[UserId] = frozenset()

    def encode(self) -> bytes:
        """The frame as it goes over the wire, the same bytes for every session."""
        return text_frame(orjson.dumps({"type": "event", "event": self.payload}, default=_encode))


def _encode(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value)} in a frame")


Renderers = dict[type[Event], Callable[[Any], Iterable[Frame]]]
"""How each type of event is told; the argument is an event of that type."""


def payload_of(kind: str, event: Event, stream_id: StreamId, **fields: Any) -> dict[str, Any]:
    """What a frame of this kind holds: the stream, the instant, and its own fields."""
    return {
        "type": kind,
        "stream_id": stream_id,
        "conversation_id": stream_id,
        "at": rfc3339(event.at),
        **fields,
    }


def of_group(
    group_word: str, channel_word: str, event: GroupEvent, **fields: Any
) -> dict[str, Any]:
    """`payload_of` for a group, or in a channel's words where it is one."""
    stream_id = stream_of(event.group_id)
    if event.is_channel:
        return payload_of(channel_word, event, stream_id, channel_id=event.group_id, **fields)
    return payload_of(group_word, event, stream_id, group_id=event.group_id, **fields)
