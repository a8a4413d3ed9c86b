"""The life of webhooks: create, list, change, rotate the secret, delete.

The application's webhooks are for app admins. Those of a channel are for its owner, and for admins with the grant
`manage_webhooks`; each change of one is in the channel's admin log.

A secret is stored as it is, since the server signs with it. It is shown to the caller who creates or replaces it, and
never again; it is neither in the admin log nor in the log of the server.
"""

import base64
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.errors import ChannelNotFound
from channels.event_views.public import CHANNEL_EVENT_TYPES, PUBLIC_EVENT_TYPES
from channels.outbound.addresses import Network
from channels.webhooks import policy
from channels.webhooks.errors import WebhookLimitReached, WebhookNotFound
from channels.webhooks.limits import OLD_SECRET_SECONDS, OLD_SECRETS, SECRET_BYTES, WebhookLimits
from channels.webhooks.models import NewWebhook, OldSecret, Webhook
from channels.webhooks.service.access import WEBHOOKS_LOCK, WebhookAccess
from channels.webhooks.service.consumer import WebhookConsumer
from channels.webhooks.store.webhooks import WebhookStore
from groups import policy as group_policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import AdminAction
from groups.service.idempotency import Idempotency, keyed_call

TouchChannel = Callable[[GroupId, Tx], Awaitable[bool]]
"""Writes the channel's document without a visible change, so that deleting it conflicts. False: there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookService:
    """Webhooks of the application (`channel_id` None) and of channels."""

    database: Database
    webhooks: WebhookStore
    consumer: WebhookConsumer
    access: WebhookAccess
    touch_channel: TouchChannel
    idempotency: Idempotency
    limits: WebhookLimits
    allowed_networks: Sequence[Network]
    clock: Clock
    on_changed: Callable[[], None]
    """Called after a change that the dispatcher should see at once."""
    on_deleted: Callable[[], None]
    """Called after a webhook was deleted, so that its deliveries are cleared away soon."""

    async def create(
        self, actor: Actor, channel_id: GroupId | None, new: NewWebhook, *, key: str | None
    ) -> Webhook:
        """Create a webhook, which receives every event committed afterwards. With a `key`, repeating returns the same.

        Raises: BadWebhookUrl; UnknownEventType; WebhookLimitReached; IdempotencyConflict.
        """
        self._check(channel_id, new.url, new.event_types)
        call = keyed_call(actor, f"webhook {channel_id or ''}", key, new.model_dump_json())

        async def work(tx: Tx) -> Webhook:
            group = await self.access.check(actor, channel_id, tx)
            first_id = await self.idempotency.find_first(call, tx)
            if first_id is not None:
                return await self._find(channel_id, first_id, tx)
            if channel_id is not None and not await self.touch_channel(channel_id, tx):
                raise ChannelNotFound
            await self._check_limit(channel_id, tx)
            now = self.clock.now()
            webhook = Webhook(
                webhook_id=_mint_id(round(now.timestamp() * 1000)),
                channel_id=channel_id,
                url=new.url,
                event_types=new.event_types,
                description=new.description,
                receives_inbox=await self.access.may_read_inbox(actor, channel_id, tx),
                given_by=_giver(actor, channel_id),
                enabled=new.enabled,
                secret=new.secret or _mint_secret(),
                created_by=actor.user_id,
                created_at=now,
                updated_at=now,
            )
            await self.webhooks.touch(tx, added=1)
            await self.consumer.activate(tx)
            await self.webhooks.insert(webhook, tx)
            await self.idempotency.remember(call, webhook.webhook_id, tx)
            shown = shown_in_log(webhook)
            await self.access.record(
                tx, group, actor, AdminAction.WEBHOOK_CREATED, webhook, after=shown
            )
            return webhook

        async with self.access.errors_of(channel_id):
            return await self.database.run(work, WEBHOOKS_LOCK)

    async def list_webhooks(
        self, actor: Actor, channel_id: GroupId | None, *, limit: int, cursor: str | None
    ) -> tuple[list[Webhook], str | None]:
        """A page of the webhooks, by creation."""
        async with self.access.errors_of(channel_id):
            await self.access.check(actor, channel_id)

        async def read(*, after: str, limit: int) -> list[Webhook]:
            return await self.webhooks.list_webhooks(channel_id, after=after, limit=limit)

        return await page_by_text("webhooks", cursor, limit, read, lambda each: each.webhook_id)

    async def get(self, actor: Actor, channel_id: GroupId | None, webhook_id: str) -> Webhook:
        async with self.access.errors_of(channel_id):
            await self.access.check(actor, channel_id)
        return await self._find(channel_id, webhook_id)

    async def change(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, changes: dict[str, Any]
    ) -> Webhook:
        """Change `url`, `event_types`, `description` or `enabled`. What waits is sent by the new settings.

        An address that is new or enabled again receives the channel's inbox if the actor may read that.

        Enabling forgets why the webhook was disabled. What it did not receive while it was disabled is not sent.
        Raises: WebhookNotFound; BadWebhookUrl; UnknownEventType.
        """
        self._check(channel_id, changes.get("url"), changes.get("event_types", ()))

        async def work(tx: Tx) -> Webhook:
            group = await self.access.check(actor, channel_id, tx)
            before = await self._find(channel_id, webhook_id, tx)
            now = self.clock.now()
            changed = {
                name: value for name, value in changes.items() if getattr(before, name) != value
            }
            if not changed:
                return before
            if "url" in changed or changed.get("enabled"):
                # A user who may not read the inbox must not have it sent to an address of theirs.
                may_read = await self.access.may_read_inbox(actor, channel_id, tx)
                changed |= {"receives_inbox": may_read, "given_by": _giver(actor, channel_id)}
            if "enabled" in changed:
                changed["disabled_reason"] = changed["disabled_at"] = None
            after = before.model_copy(update={**changed, "updated_at": now})
            await self.webhooks.touch(tx)
            await self.webhooks.replace(after, tx)
            was, became = shown_in_log(before), shown_in_log(after)
            names = [name for name in was if was[name] != became[name]]
            await self.access.record(
                tx,
                group,
                actor,
                AdminAction.WEBHOOK_CHANGED,
                before,
                before={name: was[name] for name in names},
                after={name: became[name] for name in names},
            )
            return after

        async with self.access.errors_of(channel_id):
            changed = await self.database.run(work, WEBHOOKS_LOCK)
        self.on_changed()
        return changed

    async def rotate_secret(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, secret: str | None
    ) -> Webhook:
        """Replace the secret; the one before signs too, for `OLD_SECRET_SECONDS`. Raises: WebhookNotFound."""

        async def work(tx: Tx) -> Webhook:
            group = await self.access.check(actor, channel_id, tx)
            before = await self._find(channel_id, webhook_id, tx)
            now = self.clock.now()
            old = OldSecret(
                secret=before.secret, valid_until=now + timedelta(seconds=OLD_SECRET_SECONDS)
            )
            still_valid = [each for each in before.old_secrets if each.valid_until > now]
            after = before.model_copy(
                update={
                    "secret": secret or _mint_secret(),
                    "old_secrets": (old, *still_valid)[:OLD_SECRETS],
                    "updated_at": now,
                }
            )
            await self.webhooks.touch(tx)
            await self.webhooks.replace(after, tx)
            await self.access.record(tx, group, actor, AdminAction.WEBHOOK_SECRET_ROTATED, before)
            return after

        async with self.access.errors_of(channel_id):
            return await self.database.run(work, WEBHOOKS_LOCK)

    async def delete(self, actor: Actor, channel_id: GroupId | None, webhook_id: str) -> None:
        """Delete the webhook; nothing is sent to it any more, and its log is deleted in the background.

        Raises: WebhookNotFound.
        """

        async def work(tx: Tx) -> None:
            group = await self.access.check(actor, channel_id, tx)
            webhook = await self._find(channel_id, webhook_id, tx)
            now = self.clock.now()
            ended = webhook.model_copy(update={"enabled": False, "closed_at": now, "ends_at": now})
            await self.webhooks.touch(tx)
            await self.webhooks.replace(ended, tx)
            shown = shown_in_log(webhook)
            await self.access.record(
                tx, group, actor, AdminAction.WEBHOOK_DELETED, webhook, before=shown
            )

        async with self.access.errors_of(channel_id):
            await self.database.run(work, WEBHOOKS_LOCK)
        # A crash before this line leaves the clearing to the next look of any process.
        self.on_deleted()

    async def _find(
        self, channel_id: GroupId | None, webhook_id: str, tx: Tx | None = None
    ) -> Webhook:
        webhook = await self.webhooks.find_webhook(channel_id, webhook_id, tx)
        if webhook is None:
            raise WebhookNotFound
        return webhook

    def _check(
        self, channel_id: GroupId | None, url: str | None, event_types: Sequence[str]
    ) -> None:
        if url is not None:
            group_policy.check(policy.url_refusal(url, self.allowed_networks))
        allowed = PUBLIC_EVENT_TYPES if channel_id is None else CHANNEL_EVENT_TYPES
        group_policy.check(policy.types_refusal(event_types, allowed))

    async def _check_limit(self, channel_id: GroupId | None, tx: Tx) -> None:
        limit = self.limits.webhooks if channel_id is None else self.limits.webhooks_per_channel
        found = await self.webhooks.list_webhooks(channel_id, after="", limit=limit, tx=tx)
        if len(found) >= limit:
            raise WebhookLimitReached(limit=limit)


def shown_in_log(webhook: Webhook) -> dict[str, object]:
    """The part of a webhook that the admin log keeps: no secret."""
    return {
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "description": webhook.description,
        "receives_inbox": webhook.receives_inbox,
        "enabled": webhook.enabled,
    }


def _giver(actor: Actor, channel_id: GroupId | None) -> UserId | None:
    return None if channel_id is None or actor.is_app_admin else actor.user_id


def _mint_secret() -> str:
    return policy.SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _mint_id(at_milliseconds: int) -> str:
    """A new id; ids grow with the time, so that lists are in the order of creation."""
    return f"{at_milliseconds:011x}{secrets.token_hex(5)}"
