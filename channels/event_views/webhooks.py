"""Events of webhooks."""

from collections.abc import Iterable
from typing import Any, Final

from channels.event_views.view import (
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    payload_of,
)
from channels.webhooks.events import ChannelWebhookDisabled
from groups.models import stream_of


def _payload(event: ChannelWebhookDisabled) -> dict[str, Any]:
    return payload_of(
        event.type,
        event,
        stream_of(event.channel_id),
        channel_id=event.channel_id,
        webhook_id=event.webhook_id,
        reason=event.reason.value,
    )


def _disabled(event: ChannelWebhookDisabled) -> Iterable[EventView]:
    yield EventView(_payload(event), stream_of(event.channel_id), event.staff)


WEBHOOK_EVENTS: Final[Rendering] = {ChannelWebhookDisabled: _disabled}
PUBLIC_WEBHOOK_EVENTS: Final[PublicRendering] = {
    ChannelWebhookDisabled: PublicViews(("webhook.disabled",), lambda event: (_payload(event),))
}
