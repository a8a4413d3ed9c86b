"""Ends webhooks: those of a deleted channel, what a deleted webhook leaves, and secrets that are not valid any more.

Every process looks once a minute, and at once for what it deleted itself. All steps may be repeated, and two processes
may do the same step; a crash leaves the rest to the next look.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from channels.webhooks.service.access import WEBHOOKS_LOCK
from channels.webhooks.store.deliveries import DeliveryStore
from channels.webhooks.store.queues import QueueStore
from channels.webhooks.store.webhooks import WebhookStore
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Tx, is_outage
from groups.models import Group

LAST_EVENTS_SECONDS: Final = 24 * 3600
"""How long a deleted channel's last events are tried, `channel.deleted` among them."""
LOOK_SECONDS: Final = 60.0
STEP: Final = 500  # deliveries a transaction
AT_ONCE: Final = 100  # webhooks a look

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelWebhooksEnd:
    """Ends the webhooks of a channel in the transaction that deletes it (a hook of groups)."""

    webhooks: WebhookStore
    clock: Clock

    async def on_disbanded(self, group: Group, tx: Tx) -> None:
        if group.is_channel:
            now = self.clock.now()
            ends_at = now + timedelta(seconds=LAST_EVENTS_SECONDS)
            await self.webhooks.close_channel(group.group_id, now, ends_at, tx)


@dataclass(kw_only=True, slots=True)
class WebhookCleanup:
    """The background task of this process."""

    database: Database
    webhooks: WebhookStore
    deliveries: DeliveryStore
    queues: QueueStore
    clock: Clock
    deactivate: Callable[[Tx], Awaitable[None]]
    """Called in the transaction that deletes the last webhook."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def start(self) -> None:
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name="webhook-cleanup")

    async def stop(self) -> None:
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def sweep(self) -> None:
        """Clear away all that has ended."""
        while webhook_ids := await self.webhooks.list_ended(self.clock.now(), AT_ONCE):
            for webhook_id in webhook_ids:
                await self._clear(webhook_id)
        while webhook_ids := await self.webhooks.list_with_expired_secrets(
            self.clock.now(), AT_ONCE
        ):
            for webhook_id in webhook_ids:
                await self._drop_secrets(webhook_id)

    async def _repeat(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self.sweep()
            # Any error: the next look goes on.
            except Exception as error:
                if not is_outage(error):
                    log.exception("webhooks cannot be cleared away")

    async def _clear(self, webhook_id: str) -> None:
        async def step(tx: Tx) -> int:
            deleted = await self.deliveries.delete_some(webhook_id, STEP, tx)
            return deleted + await self.queues.delete_some(webhook_id, STEP, tx)

        async def finish(tx: Tx) -> None:
            if not await self.webhooks.delete(webhook_id, tx):
                return
            guard = await self.webhooks.touch(tx, added=-1)
            if guard.webhooks == 0:
                await self.deactivate(tx)

        while await self.database.run(step, f"webhook {webhook_id}"):
            pass
        # Last, so that a crash before it is noticed. What the consumer may add meanwhile expires.
        await self.database.run(finish, WEBHOOKS_LOCK)

    async def _drop_secrets(self, webhook_id: str) -> None:
        async def work(tx: Tx) -> None:
            webhook = (await self.webhooks.find_by_ids([webhook_id], tx)).get(webhook_id)
            if webhook is None:
                return
            now = self.clock.now()
            valid = tuple(old for old in webhook.old_secrets if old.valid_until > now)
            await self.webhooks.touch(tx)
            await self.webhooks.replace(webhook.model_copy(update={"old_secrets": valid}), tx)

        await self.database.run(work, WEBHOOKS_LOCK)
