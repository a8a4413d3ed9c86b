"""Who may manage webhooks, and what the channel's admin log keeps of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from channels.service.guard import ChannelGuard
from channels.webhooks.models import Webhook
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction, Grant, Group
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog

WEBHOOKS_LOCK: Final = "webhooks"
"""The document that every change of a webhook writes."""
_NOTHING: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookAccess:
    """The application's webhooks are for app admins, a channel's for its owner and admins with the grant."""

    channel: ChannelGuard
    guard: AccessGuard
    admin_log: AdminLog

    @asynccontextmanager
    async def errors_of(self, channel_id: GroupId | None) -> AsyncIterator[None]:
        """The block in which a channel's webhooks are read and changed. Raises: ChannelNotFound."""
        if channel_id is None:
            yield
            return
        async with self.channel(channel_id):
            yield

    async def check(
        self, actor: Actor, channel_id: GroupId | None, tx: Tx | None = None
    ) -> Group | None:
        """The channel's group; None for the application. Raises: PermissionRefused; GroupNotFound."""
        if channel_id is None:
            policy.check(policy.application_refusal(actor))
            return None
        access = await self.guard.access_of(actor, channel_id, tx)
        policy.check(policy.grant_refusal(access, Grant.MANAGE_WEBHOOKS))
        return access.group

    async def may_read_inbox(self, actor: Actor, channel_id: GroupId | None, tx: Tx) -> bool:
        """Whether the actor may read what such a webhook could send of inboxes."""
        if channel_id is None:
            return True
        return (await self.guard.access_of(actor, channel_id, tx)).holds(Grant.READ_INBOX)

    async def record(
        self,
        tx: Tx,
        group: Group | None,
        actor: Actor,
        action: AdminAction,
        webhook: Webhook,
        *,
        before: Mapping[str, object] = _NOTHING,
        after: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Record the act in the channel's admin log; nothing for a webhook of the application."""
        if group is not None:
            act = AdminAct(actor, action, webhook.webhook_id, before, after)
            await self.admin_log.record(tx, group, act)
