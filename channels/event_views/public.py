"""Events as back ends see them: what the feed and webhooks deliver, one event for each fact.

The socket sends a view of an event to each kind of receiver. A back end receives one, which tells everything that any
of the receivers may know. `event_id` is the same on the socket, in the feed and in webhooks. The shapes are those of
`channels.event_views.shapes`, where the few fields that only back ends receive are marked.

Each user who joins or leaves is an event. A one-to-one message is one too: between users as its receiver sees it, with
a channel as the channel's inbox shows it. What only the devices of one user receive has that user as its `user_id`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from channels.event_views.catalogue import EVENT_TYPES
from channels.event_views.registry import PUBLIC_VIEWS
from channels.event_views.view import INBOX_PREFIX, encode_part
from groups.kernel.events import Event
from groups.kernel.ids import GroupId
from groups.models import InvitationEnd, Role

_COMMITTED_TYPES: Final[Mapping[str, frozenset[str]]] = {
    kind.model_fields["type"].default: frozenset(views.types)
    for kind, views in PUBLIC_VIEWS.items()
}
"""The public types of each type of committed event."""

PUBLIC_EVENT_TYPES: Final[tuple[str, ...]] = tuple(
    name for name in EVENT_TYPES if any(name in types for types in _COMMITTED_TYPES.values())
)
"""The types that back ends may receive, in the order of the guide: all but totals, which are no facts of their own."""

CHANNEL_EVENT_TYPES: Final[tuple[str, ...]] = (
    "message.posted",
    "message.edited",
    "message.recalled",
    "reactions.changed",
    "poll.changed",
    "buttons.changed",
    "button.pressed",
    "acknowledgements.changed",
    "acknowledgement.reminder",
    "form.answered",
    "menu.selected",
    "comment.posted",
    "comment.edited",
    "comment.recalled",
    "comment.reacted",
    "channel.subscribed",
    "channel.unsubscribed",
    "channel.updated",
    "channel.suspended",
    "channel.reinstated",
    "channel.deleted",
    "channel.invited",
    "channel.invitation_ended",
    "member.changed",
    "join.requested",
    "join.answered",
    "join.refused",
    "invite_link.used",
    "inbox.read",
    "inbox.tagged",
    "broadcast.started",
    "broadcast.changed",
    "broadcast.ended",
)
"""The types that a channel's own webhooks and feed may receive, of events whose `PublicEvent.channel_id` it is."""


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
        """Events of one stream have an order among each other. No two streams have the same id."""
        stream_id: str | None = self.payload["stream_id"]
        return stream_id

    @property
    def channel_id(self) -> GroupId | None:
        """The channel whose admins may read it; None where it belongs to no channel, or its admins may not know it.

        That a user declined to subscribe is known to the user and to the application only.
        """
        channel_id: GroupId | None = self.payload.get("channel_id")
        return None if self._is_declined else channel_id

    @property
    def is_of_inbox(self) -> bool:
        """Whether it is of the inbox of `channel_id`: of the admins, only those who may read the inbox may know it."""
        return self.channel_id is not None and (self.stream_id or "").startswith(INBOX_PREFIX)

    @property
    def _is_declined(self) -> bool:
        payload = self.payload
        if payload["type"] != "channel.invitation_ended":
            return False
        return (payload["reason"], payload["role"]) == (InvitationEnd.DECLINED, Role.MEMBER)

    def json(self) -> bytes:
        """What a webhook sends as its body, and the feed as an item."""
        return orjson.dumps(self.payload, default=encode_part)


def public_events_of(event: Event) -> Iterable[PublicEvent]:
    """The events that back ends receive of a committed event, in order; none of a type without public views."""
    views = PUBLIC_VIEWS.get(type(event))
    return map(PublicEvent, views.payloads(event)) if views is not None else ()


def wants_types(public_types: Collection[str]) -> frozenset[str]:
    """The types of committed events (`Event.type`) of which one of these types of public events may come.

    Exact: each of them has events that make one of these, and no other type has. Unknown types add none.
    """
    wanted = frozenset(public_types)
    return frozenset(name for name, types in _COMMITTED_TYPES.items() if types & wanted)
