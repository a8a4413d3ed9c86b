"""The views of every type of event."""

from collections.abc import Iterable
from typing import Final

from channels.default_channels.events import DefaultChannelsChanged
from channels.event_views.acknowledgements import (
    ACKNOWLEDGEMENT_EVENTS,
    PUBLIC_ACKNOWLEDGEMENT_EVENTS,
)
from channels.event_views.broadcasts import BROADCAST_EVENTS, PUBLIC_BROADCAST_EVENTS
from channels.event_views.buttons import BUTTON_EVENTS, PUBLIC_BUTTON_EVENTS
from channels.event_views.comments import COMMENT_EVENTS, PUBLIC_COMMENT_EVENTS
from channels.event_views.conversations import CONVERSATION_EVENTS, PUBLIC_CONVERSATION_EVENTS
from channels.event_views.groups import GROUP_EVENTS, PUBLIC_GROUP_EVENTS
from channels.event_views.moderation import MODERATION_EVENTS, PUBLIC_MODERATION_EVENTS
from channels.event_views.self_service import PUBLIC_SELF_SERVICE_EVENTS, SELF_SERVICE_EVENTS
from channels.event_views.view import EventView, PublicRendering, Rendering
from channels.event_views.webhooks import PUBLIC_WEBHOOK_EVENTS, WEBHOOK_EVENTS
from channels.events import DraftScheduled, RatesSpent
from channels.user_data.events import UserDeletionBegan
from groups.events import AccountKindChanged, StrangerBanned
from groups.kernel.events import Event

_VIEWS: Final[Rendering] = {
    **GROUP_EVENTS,
    **ACKNOWLEDGEMENT_EVENTS,
    **BUTTON_EVENTS,
    **COMMENT_EVENTS,
    **CONVERSATION_EVENTS,
    **SELF_SERVICE_EVENTS,
    **BROADCAST_EVENTS,
    DraftScheduled: lambda _: (),  # only schedulers of drafts listen
    StrangerBanned: lambda _: (),  # only hubs listen
    AccountKindChanged: lambda _: (),  # only the processes themselves listen
    DefaultChannelsChanged: lambda _: (),  # only the processes themselves listen
    UserDeletionBegan: lambda _: (),  # only the processes themselves listen
    RatesSpent: lambda _: (),  # only the rate limits of other processes listen
    **MODERATION_EVENTS,
    **WEBHOOK_EVENTS,
}

PUBLIC_VIEWS: Final[PublicRendering] = {
    **PUBLIC_GROUP_EVENTS,
    **PUBLIC_ACKNOWLEDGEMENT_EVENTS,
    **PUBLIC_BUTTON_EVENTS,
    **PUBLIC_COMMENT_EVENTS,
    **PUBLIC_CONVERSATION_EVENTS,
    **PUBLIC_SELF_SERVICE_EVENTS,
    **PUBLIC_BROADCAST_EVENTS,
    **PUBLIC_MODERATION_EVENTS,
    **PUBLIC_WEBHOOK_EVENTS,
}
"""What back ends receive of each type of committed event; nothing of those that are not in it."""


def views_of(event: Event) -> Iterable[EventView]:
    """The views of the event, in the order in which they are sent."""
    return _VIEWS[type(event)](event)


def has_views(event: type[Event]) -> bool:
    """Whether this type of event has its entry here, maybe one without views."""
    return event in _VIEWS
