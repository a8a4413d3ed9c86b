"""The log of a webhook's deliveries: read it, send deliveries again, try an endpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from channels.webhooks.errors import (
    DeliveryNotFound,
    WebhookBacklogReached,
    WebhookDisabled,
    WebhookNotFound,
)
from channels.webhooks.limits import REPLAYED_AT_ONCE, WebhookLimits
from channels.webhooks.models import TEST_TYPE, Delivery, DeliveryStatus, Replayed, Webhook
from channels.webhooks.service.access import WebhookAccess
from channels.webhooks.store.deliveries import DeliveryPosition, DeliveryStore
from channels.webhooks.store.queues import QueueStore
from channels.webhooks.store.webhooks import WebhookStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339, to_milliseconds
from groups.kernel.event_log.log import EventLog
from groups.kernel.ids import GroupId, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AdminAction, Group

STEP: Final = 500
"""Deliveries that one transaction of a replay changes."""
_LIST: Final = "deliveries"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryService:
    """The deliveries of webhooks. The arguments are as in `WebhookService`."""

    database: Database
    webhooks: WebhookStore
    deliveries: DeliveryStore
    queues: QueueStore
    access: WebhookAccess
    log: EventLog
    limits: WebhookLimits
    clock: Clock
    on_added: Callable[[], None]
    """Called when something new is due."""

    async def list_deliveries(
        self,
        actor: Actor,
        channel_id: GroupId | None,
        webhook_id: str,
        *,
        status: DeliveryStatus | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Delivery], str | None]:
        """A page of the log, newest events first, all or those with this status. Raises: WebhookNotFound."""
        await self._check(actor, channel_id, webhook_id)
        key = decode_cursor(_LIST, cursor, int, str)
        before = DeliveryPosition(_instant_of(int(key[0])), str(key[1])) if key else None
        statuses = list(DeliveryStatus) if status is None else [status]
        found = await self.deliveries.list_deliveries(
            webhook_id, statuses, before=before, limit=limit + 1
        )
        page, has_more = cut_page(found, limit, json_size)
        if not has_more:
            return page, None
        last = page[-1]
        return page, encode_cursor(_LIST, round(last.at.timestamp() * 1000), last.delivery_id)

    async def get(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, delivery_id: str
    ) -> Delivery:
        """Raises: WebhookNotFound; DeliveryNotFound."""
        await self._check(actor, channel_id, webhook_id)
        return await self._find(webhook_id, delivery_id)

    async def replay(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, delivery_id: str
    ) -> Delivery:
        """Send the delivery again, by a new schedule and with the same id; one that waits is due now.

        Raises: WebhookNotFound; WebhookDisabled; DeliveryNotFound; WebhookBacklogReached.
        """

        async def work(tx: Tx) -> Delivery:
            group, webhook = await self._enabled(actor, channel_id, webhook_id, tx)
            delivery = await self._find(webhook_id, delivery_id, tx)
            if delivery.status is not DeliveryStatus.WAITING:
                await self._check_room(webhook_id, tx)
            await self._wait_again(webhook, [delivery], tx)
            await self._record_replay(tx, group, actor, webhook, {"delivery_id": delivery_id})
            return await self._find(webhook_id, delivery_id, tx)

        async with self.access.errors_of(channel_id):
            replayed = await self.database.run(work, _lock(webhook_id))
        self.on_added()
        return replayed

    async def replay_since(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, since: datetime
    ) -> Replayed:
        """Send all ended deliveries of events since this instant again, in order, `REPLAYED_AT_ONCE` in a call.

        A crash in the middle leaves the later ones as they were; repeating the call replays all of them again.
        Raises: as `replay`.
        """
        replayed, position = 0, DeliveryPosition(since, "")

        async def work(tx: Tx) -> list[Delivery]:
            group, webhook = await self._enabled(actor, channel_id, webhook_id, tx)
            room = await self._check_room(webhook_id, tx)
            found = await self.deliveries.list_ended_since(
                webhook_id, position, min(STEP, room), tx
            )
            await self._wait_again(webhook, found, tx)
            if replayed == 0:
                await self._record_replay(tx, group, actor, webhook, {"since": rfc3339(since)})
            return found

        while True:
            async with self.access.errors_of(channel_id):
                found = await self.database.run(work, _lock(webhook_id))
            self.on_added()
            replayed += len(found)
            if len(found) < STEP:
                return Replayed(replayed, None)
            position = DeliveryPosition(found[-1].at, found[-1].delivery_id)
            if replayed >= REPLAYED_AT_ONCE:
                return Replayed(replayed, position.at)

    async def send_test(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str
    ) -> Delivery:
        """Send an event of the type `webhook.test`. Raises: WebhookNotFound; WebhookDisabled; WebhookBacklogReached."""

        async def work(tx: Tx) -> Delivery:
            _, webhook = await self._enabled(actor, channel_id, webhook_id, tx)
            await self._check_room(webhook_id, tx)
            now = self.clock.now()
            event_id = f"test_{mint_id()}"
            delivery = Delivery(
                # Behind what is in the log now.
                delivery_id=f"{self.log.head.position:013x}{'f' * 6}{mint_id()}",
                webhook_id=webhook_id,
                event_id=event_id,
                event_type=TEST_TYPE,
                stream_id=None,
                at=now,
                next_attempt_at=now,
                created_at=now,
            )
            payload: dict[str, object] = {
                "event_id": event_id,
                "type": TEST_TYPE,
                "stream_id": None,
                "at": rfc3339(now),
                "webhook_id": webhook_id,
            }
            if channel_id is not None:
                payload["channel_id"] = channel_id
            self.deliveries.insert(delivery, orjson.dumps(payload), self._expires_at(now), tx)
            self.queues.add(webhook.webhook_id, [delivery.queue_key], now, tx)
            return delivery

        async with self.access.errors_of(channel_id):
            delivery = await self.database.run(work, _lock(webhook_id))
        self.on_added()
        return delivery

    async def _check(self, actor: Actor, channel_id: GroupId | None, webhook_id: str) -> None:
        async with self.access.errors_of(channel_id):
            await self.access.check(actor, channel_id)
        if await self.webhooks.find_webhook(channel_id, webhook_id) is None:
            raise WebhookNotFound

    async def _enabled(
        self, actor: Actor, channel_id: GroupId | None, webhook_id: str, tx: Tx
    ) -> tuple[Group | None, Webhook]:
        group = await self.access.check(actor, channel_id, tx)
        webhook = await self.webhooks.find_webhook(channel_id, webhook_id, tx)
        if webhook is None:
            raise WebhookNotFound
        if not webhook.enabled:
            raise WebhookDisabled
        return group, webhook

    async def _find(self, webhook_id: str, delivery_id: str, tx: Tx | None = None) -> Delivery:
        delivery = await self.deliveries.find_delivery(webhook_id, delivery_id, tx)
        if delivery is None:
            raise DeliveryNotFound
        return delivery

    async def _check_room(self, webhook_id: str, tx: Tx) -> int:
        """How many more deliveries may wait. Raises: WebhookBacklogReached where it is none."""
        limit = self.limits.webhook_deliveries_waiting
        room = limit - await self.deliveries.count_waiting(webhook_id, limit, tx)
        if room <= 0:
            raise WebhookBacklogReached(limit=limit)
        return room

    async def _wait_again(self, webhook: Webhook, found: Sequence[Delivery], tx: Tx) -> None:
        now = self.clock.now()
        ids = [delivery.delivery_id for delivery in found]
        await self.deliveries.wait_again(webhook.webhook_id, ids, now, self._expires_at(now), tx)
        queues = {delivery.queue_key for delivery in found}
        self.queues.hasten(webhook.webhook_id, queues, now, tx)

    async def _record_replay(
        self, tx: Tx, group: Group | None, actor: Actor, webhook: Webhook, what: dict[str, object]
    ) -> None:
        await self.access.record(
            tx, group, actor, AdminAction.WEBHOOK_REPLAYED, webhook, after=what
        )

    def _expires_at(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.limits.webhook_log_seconds)


def _lock(webhook_id: str) -> str:
    return f"webhook {webhook_id}"


def _instant_of(milliseconds: int) -> datetime:
    # A forged cursor may have any number. It must not cause an error.
    bounded = min(max(milliseconds, 0), 253_402_300_799_000)
    return to_milliseconds(datetime.fromtimestamp(bounded / 1000, UTC))
