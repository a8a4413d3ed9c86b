"""Events as back ends see them: what the feed and webhooks deliver, one event for each fact.

The socket sends a view of an event to each kind of receiver. A back end receives one, which tells everything that any
of the receivers may know. `event_id` is the same on the socket, in the feed and in webhooks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from channels.event_views.registry import views_of
from groups.kernel.events import Event
from groups.kernel.ids import GroupId


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """The payload: `event_id`, `type`, `at`, the ids, and the data in the shapes of the resources."""

    payload: dict[str, Any]

    @property
    def event_id(self) -> str:
        event_id: str = self.payload["event_id"]
        return event_id

    @property
    def type(self) -> str:
        name: str = self.payload["type"]
        return name

    @property
    def stream_id(self) -> str | None:
        """Events of one stream have an order among each other."""
        stream_id: str | None = self.payload["stream_id"]
        return stream_id

    @property
    def channel_id(self) -> GroupId | None:
        """The channel whose admins may read it; None where it belongs to no channel."""
        channel_id: GroupId | None = self.payload.get("channel_id")
        return channel_id

    def json(self) -> bytes:
        """What a webhook sends as its body, and the feed as an item."""
        return orjson.dumps(self.payload)


def public_events_of(event: Event) -> Iterable[PublicEvent]:
    """The events that back ends receive of a committed event, in order."""
    for index, view in enumerate(views_of(event)):
        if view.users is None and not view.except_users:
            event_id = event.event_id if index == 0 else f"{event.event_id}_{index}"
            yield PublicEvent({"event_id": event_id, **view.payload})


def wants_types(_: Sequence[str]) -> frozenset[str]:
    """The types of committed events (`Event.type`) of which one of these types of public events may come."""
    return frozenset(Event.known)
