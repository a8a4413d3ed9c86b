"""Which event is told how."""

from collections.abc import Iterable
from typing import Final

from channels.drafts.events import DraftScheduled
from channels.server.limits.rate_sharing import RatesSpent
from channels.server.wire.frame import Frame, Renderers
from channels.server.wire.rooms import OF_ROOMS
from channels.server.wire.talks import OF_TALKS
from groups.events import StrangerBanned
from groups.kernel.events import Event

_RENDER: Final[Renderers] = {
    **OF_ROOMS,
    **OF_TALKS,
    DraftScheduled: lambda _: (),  # for the schedulers only
    StrangerBanned: lambda _: (),  # for the hubs only
    RatesSpent: lambda _: (),  # for the rates only
}


RENDERED: Final = (
    "message.posted",
    "message.edited",
    "message.recalled",
    "reactions.changed",
    "channel.subscribed",
    "channel.unsubscribed",
    "channel.updated",
    "channel.deleted",
    "channel.invited",
    "channel.invitation_ended",
    "group.joined",
    "group.left",
    "group.updated",
    "group.disbanded",
    "member.changed",
    "join.requested",
    "join.refused",
    "conversation.read",
    "conversation.updated",
    "conversation_group.created",
    "conversation_group.renamed",
    "conversation_group.deleted",
    "conversation_group.changed",
    "conversation.ended",
    "inbox.read",
    "inbox.unread",
    "block.changed",
)
"""Every type of event that the socket tells."""


def frames_of(event: Event) -> Iterable[Frame]:
    """The frames that tell the event, in the order to send them."""
    return _RENDER[type(event)](event)


def is_told(event: type[Event]) -> bool:
    """Whether the socket knows how to tell such an event (a test asks it of all)."""
    return event in _RENDER
