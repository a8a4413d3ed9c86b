"""One event as clients see it, and its receivers.

Promises:
    `event_id`: the same event has the same id on the socket, in the feed and in webhooks, and at every repetition. A
        committed event has several views where it concerns several kinds of receivers. What one receiver may get of one
        committed event has different ids, so that they can leave out what they have already.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from channels.acknowledgements.events import AcknowledgementReminded, AcknowledgementsChanged
from groups.events import GroupEvent
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import StreamId, UserId
from groups.models import stream_of
from reactions.events import ReactionsChanged
from reactions.polls.events import PollChanged

INBOX_PREFIX: Final = "inbox_"
"""How the stream ids of one-to-one conversations with channels begin, where they are not those of a user's list."""
NOT_IN_EVENTS: Final = {
    *("reactions", "views", "channel_name", "sender_name", "sender_face_url"),
    *("comment_count", "comments_open", "quote", "sender_blocked"),
}
"""Fields of a message that no event carries.

A new message has no reactions, views or comments. Clients ask for the sender's name when they show it: it may have
changed. Whether comments are open depends on a setting, and what a reader blocks is theirs.
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
        return orjson.dumps({"type": "event", "event": self.payload}, default=encode_part)


def encode_part(value: object) -> object:
    """A part of a payload that orjson does not know: a named tuple. Raises: TypeError."""
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value)} in an event")


Rendering = dict[type[Event], Callable[[Any], Iterable[EventView]]]
"""The function that makes the views of each type of event; its argument is an event of that type."""


class PublicViews(NamedTuple):
    """What back ends receive of a type of committed events: the public types, and the function that makes them."""

    types: tuple[str, ...]
    """Every type of which a payload may be."""
    payloads: Callable[[Any], Iterable[dict[str, Any]]]


PublicRendering = Mapping[type[Event], PublicViews]


def event_id_of(event: Event, part: str = "") -> str:
    """The id of what receivers get of a committed event. `part` tells several of one committed event apart."""
    return f"{event.event_id}_{part}" if part else event.event_id


def payload_of(
    event_type: str, event: Event, stream_id: StreamId, *, part: str = "", **fields: Any
) -> dict[str, Any]:
    """A payload about a conversation: its ids, the instant, and `fields`. `part`: see `event_id_of`."""
    return {
        "event_id": event_id_of(event, part),
        "type": event_type,
        "stream_id": stream_id,
        "conversation_id": stream_id,
        "at": rfc3339(event.at),
        **fields,
    }


def group_payload(
    group_type: str,
    channel_type: str,
    event: GroupEvent
    | ReactionsChanged
    | PollChanged
    | AcknowledgementsChanged
    | AcknowledgementReminded,
    *,
    part: str = "",
    **fields: Any,
) -> dict[str, Any]:
    """A payload about a group (`group_type`, `group_id`) or a channel (`channel_type`, `channel_id`)."""
    stream_id = stream_of(event.group_id)
    if event.is_channel:
        fields = {"channel_id": event.group_id, **fields}
        return payload_of(channel_type, event, stream_id, part=part, **fields)
    return payload_of(group_type, event, stream_id, part=part, group_id=event.group_id, **fields)
