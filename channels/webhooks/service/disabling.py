"""Disables webhooks that do not work, and notifies those who run them.

For a channel: an entry in its admin log, and the event `webhook.disabled` to its owner and the admins who manage
webhooks. For the application: a line of the log at the level of errors, and a metric. Both find `disabled_reason`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from channels.webhooks.events import ChannelWebhookDisabled
from channels.webhooks.models import DisabledReason, Webhook
from channels.webhooks.store.webhooks import WebhookStore
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction, Grant
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog

SYSTEM: Final = Actor(UserId("channels-webhooks"), is_app_admin=True)
"""The name in the admin log under which the server itself disables."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookDisabler:
    """Disables webhooks inside of transactions."""

    webhooks: WebhookStore
    guard: AccessGuard
    bulk_access: BulkAccess
    admin_log: AdminLog
    clock: Clock
    on_disabled: Callable[[str], None]
    """Called with each reason, for the metrics."""

    async def disable(self, webhook_id: str, reason: DisabledReason, tx: Tx) -> Webhook | None:
        """Disable the webhook; returns it, or None where it was disabled or deleted already.

        The caller passes the result to `notify` after the commit. Publishes: ChannelWebhookDisabled.
        """
        webhook = (await self.webhooks.find_by_ids([webhook_id], tx)).get(webhook_id)
        if webhook is None or not webhook.enabled or webhook.ends_at is not None:
            return None
        now = self.clock.now()
        disabled = webhook.model_copy(
            update={"enabled": False, "disabled_reason": reason, "disabled_at": now}
        )
        await self.webhooks.touch(tx)
        await self.webhooks.replace(disabled, tx)
        if webhook.channel_id is not None:
            await self._tell_channel(webhook, webhook.channel_id, reason, tx)
        return disabled

    def notify(self, webhook: Webhook | None) -> None:
        """Log and count what `disable` did, once it is committed."""
        if webhook is None or webhook.disabled_reason is None:
            return
        self.on_disabled(webhook.disabled_reason.value)
        level = logging.ERROR if webhook.channel_id is None else logging.WARNING
        log.log(
            level,
            "webhook %s of %s is disabled: %s",
            webhook.webhook_id,
            webhook.channel_id or "the application",
            webhook.disabled_reason.value,
        )

    async def _tell_channel(
        self, webhook: Webhook, channel_id: GroupId, reason: DisabledReason, tx: Tx
    ) -> None:
        try:
            access = await self.guard.access_of(SYSTEM, channel_id, tx)
        except GroupNotFound:
            return  # the channel was deleted meanwhile
        act = AdminAct(
            SYSTEM,
            AdminAction.WEBHOOK_DISABLED,
            webhook.webhook_id,
            {"enabled": True},
            {"enabled": False, "disabled_reason": reason.value},
        )
        await self.admin_log.record(tx, access.group, act)
        staff = [
            each.member.user_id
            for each in await self.bulk_access.staff(channel_id, tx)
            if each.member is not None and each.holds(Grant.MANAGE_WEBHOOKS)
        ]
        tx.publish(
            ChannelWebhookDisabled(
                at=self.clock.now(),
                channel_id=channel_id,
                webhook_id=webhook.webhook_id,
                reason=reason,
                staff=tuple(staff),
            )
        )
