"""Endpoints of the webhooks of one channel."""

from dataclasses import dataclass

from channels.errors import ChannelNotFound, UnknownEventType
from channels.routes.responses import ChannelIdText
from channels.webhooks.errors import (
    BadWebhookUrl,
    DeliveryNotFound,
    WebhookBacklogReached,
    WebhookDisabled,
    WebhookLimitReached,
    WebhookNotFound,
)
from channels.webhooks.routes.responses import (
    ChangeWebhook,
    CreateWebhook,
    DeliveryQuery,
    DeliveryResponse,
    ReplayedResponse,
    ReplaySince,
    RotateSecret,
    WebhookResponse,
    WebhookWithSecret,
    delivery_response,
    webhook_response,
    webhook_with_secret,
)
from channels.webhooks.service.deliveries import DeliveryService
from channels.webhooks.service.endpoints import WebhookService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import BadCursor, FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelWebhookRoutes:
    """The webhooks of one channel, which receive its events."""

    tag = "Channel webhooks"

    webhooks: WebhookService
    deliveries: DeliveryService

    @post(
        "/v1/channels/{channel_id}/webhooks",
        status=201,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            BadWebhookUrl,
            UnknownEventType,
            FieldTooLong,
            WebhookLimitReached,
            WebhookNotFound,
            IdempotencyConflict,
        ],
    )
    async def create(
        self, actor: Actor, channel_id: ChannelIdText, body: CreateWebhook, key: IdempotencyKey
    ) -> WebhookWithSecret:
        """Create a webhook of a channel (owner, admin). The answer shows the secret, which is not shown again.

        It receives the events that are committed afterwards, and perhaps some of a moment before.
        """
        return webhook_with_secret(
            await self.webhooks.create(actor, channel_id, body.to_new(), key=key)
        )

    @get(
        "/v1/channels/{channel_id}/webhooks", errors=[ChannelNotFound, PermissionRefused, BadCursor]
    )
    async def list_webhooks(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[WebhookResponse]:
        """The webhooks of a channel, by creation (owner, admin)."""
        found, next_cursor = await self.webhooks.list_webhooks(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[webhook_response(each) for each in found], next_cursor=next_cursor)

    @get(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}",
        errors=[ChannelNotFound, PermissionRefused, WebhookNotFound],
    )
    async def get_webhook(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText
    ) -> WebhookResponse:
        """One webhook of a channel (owner, admin)."""
        return webhook_response(await self.webhooks.get(actor, channel_id, webhook_id))

    @patch(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}",
        errors=[
            ChannelNotFound,
            PermissionRefused,
            WebhookNotFound,
            BadWebhookUrl,
            UnknownEventType,
            FieldTooLong,
        ],
    )
    async def change(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText, body: ChangeWebhook
    ) -> WebhookResponse:
        """Change a webhook of a channel, enable or disable it (owner, admin).

        What waits is sent when it is enabled again; what happened while it was disabled is not.
        """
        return webhook_response(
            await self.webhooks.change(actor, channel_id, webhook_id, body.to_changes())
        )

    @delete(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, WebhookNotFound],
    )
    async def delete_webhook(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText
    ) -> None:
        """Delete a webhook of a channel and its log of deliveries (owner, admin)."""
        await self.webhooks.delete(actor, channel_id, webhook_id)

    @post(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/rotate-secret",
        errors=[ChannelNotFound, PermissionRefused, WebhookNotFound],
    )
    async def rotate_secret(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        webhook_id: AnyIdText,
        body: RotateSecret | None,
    ) -> WebhookWithSecret:
        """Replace the secret of a webhook of a channel (owner, admin). The old one signs too for 24 hours.

        The answer shows the new secret, which is not shown again.
        """
        secret = body.secret if body is not None else None
        return webhook_with_secret(
            await self.webhooks.rotate_secret(actor, channel_id, webhook_id, secret)
        )

    @post(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/test",
        status=202,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            WebhookNotFound,
            WebhookDisabled,
            WebhookBacklogReached,
        ],
    )
    async def send_test(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText
    ) -> DeliveryResponse:
        """Send an event of the type `webhook.test` to a webhook of a channel (owner, admin).

        Read the delivery to see the answer.
        """
        return delivery_response(await self.deliveries.send_test(actor, channel_id, webhook_id))

    @get(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/deliveries",
        errors=[ChannelNotFound, PermissionRefused, WebhookNotFound, BadCursor],
    )
    async def list_deliveries(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText, query: DeliveryQuery
    ) -> Page[DeliveryResponse]:
        """What was and is to be sent to a webhook of a channel, newest events first (owner, admin)."""
        found, next_cursor = await self.deliveries.list_deliveries(
            actor,
            channel_id,
            webhook_id,
            status=query.status,
            limit=query.limit,
            cursor=query.cursor,
        )
        return Page(items=[delivery_response(each) for each in found], next_cursor=next_cursor)

    @get(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/deliveries/{delivery_id}",
        errors=[ChannelNotFound, PermissionRefused, WebhookNotFound, DeliveryNotFound],
    )
    async def get_delivery(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText, delivery_id: AnyIdText
    ) -> DeliveryResponse:
        """One delivery to a webhook of a channel, with its attempts (owner, admin)."""
        return delivery_response(
            await self.deliveries.get(actor, channel_id, webhook_id, delivery_id)
        )

    @post(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
        status=202,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            WebhookNotFound,
            DeliveryNotFound,
            WebhookDisabled,
            WebhookBacklogReached,
        ],
    )
    async def replay(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText, delivery_id: AnyIdText
    ) -> DeliveryResponse:
        """Send a delivery to a webhook of a channel again (owner, admin).

        It has the same `webhook-id`. One that waits is sent now.
        """
        return delivery_response(
            await self.deliveries.replay(actor, channel_id, webhook_id, delivery_id)
        )

    @post(
        "/v1/channels/{channel_id}/webhooks/{webhook_id}/replay",
        status=202,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            WebhookNotFound,
            WebhookDisabled,
            WebhookBacklogReached,
        ],
    )
    async def replay_since(
        self, actor: Actor, channel_id: ChannelIdText, webhook_id: AnyIdText, body: ReplaySince
    ) -> ReplayedResponse:
        """Send what happened since an instant to a webhook of a channel again, accepted or not (owner, admin)."""
        replayed = await self.deliveries.replay_since(actor, channel_id, webhook_id, body.since)
        return ReplayedResponse(replayed=replayed.deliveries, next_since=replayed.next_since)
