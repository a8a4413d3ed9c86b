"""Sends what waits. Every process has a dispatcher, and each queue is sent by one of them at a time.

A queue is what waits for one webhook in one stream. A process takes a queue by a lease in the database, sends its
deliveries one after the other, and gives it back when it is empty or when a delivery failed. After a kill another
process takes the queue when its lease has ended. The delivery that was under way may then be sent again, with the same
id.

A webhook gets some requests at once, one that fails gets one. All that are slow or fail share places of their own, so
that they take none from the others, however many they are.

It looks when deliveries were added by this process, when a request ended, when the next delivery is due, and otherwise
every `LOOK_SECONDS`, for what other processes added or left behind.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from channels.webhooks.limits import ATTEMPTS_KEPT, WebhookLimits
from channels.webhooks.models import Attempt, Delivery, DeliveryStatus, DisabledReason, Webhook
from channels.webhooks.service.access import WEBHOOKS_LOCK
from channels.webhooks.service.disabling import WebhookDisabler
from channels.webhooks.service.sending import (
    GONE,
    ReceiverAnswer,
    Send,
    headers_of,
    next_attempt_at,
)
from channels.webhooks.store.deliveries import DeliveryStore
from channels.webhooks.store.queues import Claim, DueQueue, QueueStore
from channels.webhooks.store.webhooks import WebhookStore
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Tx, is_outage

LEASE_SECONDS: Final = 15.0
"""How long another process waits for one that was killed. A living one renews its leases, also during a request."""
RENEW_SECONDS: Final = 4.0
"""Between two renewals, which are one command for all queues."""
LOOK_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 5.0
"""Between two looks while nothing waits for any webhook."""
ADDED_SECONDS: Final = (0.02, 0.1, 0.5)
"""After deliveries were handed to the transaction that adds them: when it may be committed."""
FAILED_SECONDS: Final = 1.0  # after a failure of the database
DISABLED_SECONDS: Final = 5.0
"""Between two looks at a disabled webhook for which something waits."""
MEASURE_SECONDS: Final = 15.0
FAST_AT_ONCE: Final = 64
"""Requests of one process that are neither slow nor to a webhook that fails."""
SLOW_AT_ONCE: Final = 192
"""The others."""
SLOW_SECONDS: Final = 2.0
"""A request that lasts longer is slow."""
IN_A_ROW: Final = 100
"""Deliveries after which a queue is given back, so that other streams of the webhook have their turn."""
READ_AT_ONCE: Final = 10
"""Deliveries of a queue that are in memory: each has a body."""
KNOWN_SECONDS: Final = 0.5
"""How long a webhook that was read is sent to as it was: then it is read again."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Work:
    """A queue that this process works on."""

    claim: Claim
    sending_since: float
    leased_at: float
    """When its lease was renewed last."""

    @property
    def webhook_id(self) -> str:
        return self.claim.webhook_id


@dataclass(kw_only=True, slots=True)
class Dispatcher:
    """The dispatcher of this process."""

    database: Database
    webhooks: WebhookStore
    deliveries: DeliveryStore
    queues: QueueStore
    disabler: WebhookDisabler
    send: Send
    limits: WebhookLimits
    clock: Clock
    on_attempt: Callable[[str], None]
    """Called with the result of each attempt, for the metrics: `succeeded`, `failed` or `gone`."""
    overdue_seconds: float = field(default=0.0, init=False)
    """How long the delivery that has been due the longest waits, of webhooks that are enabled."""
    streams_waiting: int = field(default=0, init=False)
    """Streams of webhooks in which deliveries wait, those of disabled webhooks included, as last measured."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _at_work: dict[asyncio.Task[None], _Work] = field(default_factory=dict, init=False)
    _failing: set[str] = field(default_factory=set, init=False)
    """Webhooks whose last attempt by this process failed."""
    _disabled_until: dict[str, float] = field(default_factory=dict, init=False)
    _measured_at: float = field(default=0.0, init=False)
    _renewed_at: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Send in the background. On mongomock there is no log, and nothing to send."""
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name="webhooks")

    async def stop(self) -> None:
        """Stop at once. Requests under way are cancelled, and their deliveries sent again by another process."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None
        await cancel(*self._at_work)

    def wake(self) -> None:
        """Look now, at webhooks that were disabled too."""
        self._disabled_until.clear()
        self._woken.set()

    def wake_after_commit(self) -> None:
        """Look soon, when the transaction that adds deliveries may be committed."""
        loop = asyncio.get_running_loop()
        for seconds in ADDED_SECONDS:
            loop.call_later(seconds, self._woken.set)

    async def _repeat(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._renew_all()
                pause = await self._look()
            # Any error: what waits keeps waiting, and the next look may succeed.
            except Exception as error:
                if not is_outage(error):
                    log.exception("webhooks cannot be sent")
                pause = FAILED_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _look(self) -> float:
        """Begin to send what is due, as far as there are places; returns in how many seconds to look again."""
        now = self.clock.now()
        waiting = await self.queues.list_first_due()
        await self._measure(waiting)
        awake = self._awake(waiting)
        due = sorted((each for each in awake if each.next_at <= now), key=lambda each: each.next_at)
        webhooks = await self.webhooks.find_by_ids([each.webhook_id for each in due]) if due else {}
        overdue = 0.0
        for each in due:
            webhook = webhooks.get(each.webhook_id)
            if webhook is None:
                # It was cleared away while the consumer added deliveries for it. They expire.
                await self.queues.delete_orphans(each.webhook_id)
            elif not _is_sent_to(webhook, now):
                self._disabled_until[each.webhook_id] = time.monotonic() + DISABLED_SECONDS
            else:
                overdue = max(overdue, (now - each.next_at).total_seconds())
                await self._begin(webhook, now)
        self.overdue_seconds = overdue
        if not waiting:
            return IDLE_SECONDS
        later = [(each.next_at - now).total_seconds() for each in awake if each.next_at > now]
        return min(LOOK_SECONDS, *later) if later else LOOK_SECONDS

    def _awake(self, waiting: Sequence[DueQueue]) -> list[DueQueue]:
        """Those of webhooks that were not found disabled a moment ago."""
        now = time.monotonic()
        self._disabled_until = {
            webhook_id: until for webhook_id, until in self._disabled_until.items() if until > now
        }
        return [each for each in waiting if each.webhook_id not in self._disabled_until]

    async def _measure(self, waiting: Sequence[DueQueue]) -> None:
        now = time.monotonic()
        if not waiting:
            self.streams_waiting = 0
        elif now - self._measured_at > MEASURE_SECONDS:
            self.streams_waiting = await self.queues.estimate_size()
            self._measured_at = now

    async def _begin(self, webhook: Webhook, now: datetime) -> None:
        """Take due queues of the webhook, as many as there are places for, and send them in the background."""
        places = self._places(webhook.webhook_id)
        if places <= 0:
            return
        for queue in await self.queues.list_due(webhook.webhook_id, now, places):
            claim = await self.queues.claim(
                webhook.webhook_id,
                queue,
                holder=self._holder,
                now=now,
                database_now=self.database.clock.now(),
                look_at=self._look_at(),
                leased_until=self._leased_until(),
            )
            if claim is not None:
                began = time.monotonic()
                work = _Work(claim, began, began)
                task = asyncio.create_task(self._run(work), name="webhook")
                self._at_work[task] = work
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._at_work[task]
        self._woken.set()

    def _places(self, webhook_id: str) -> int:
        """How many more queues of the webhook this process may send at once."""
        now, works = time.monotonic(), self._at_work.values()
        own = sum(work.webhook_id == webhook_id for work in works)
        is_failing = webhook_id in self._failing
        most = 1 if is_failing else self.limits.webhook_streams_at_once
        slow = sum(
            work.webhook_id in self._failing or now - work.sending_since > SLOW_SECONDS
            for work in works
        )
        if is_failing:
            return min(most - own, SLOW_AT_ONCE - slow)
        return min(most - own, FAST_AT_ONCE - (len(works) - min(slow, SLOW_AT_ONCE)))

    @property
    def _holder(self) -> str:
        return self.database.turns.process_id

    def _leased_until(self) -> datetime:
        # Processes compare leases by the database's clock, whatever the clock of the schedule says.
        return self.database.clock.now() + timedelta(seconds=LEASE_SECONDS)

    def _look_at(self) -> datetime:
        return self.clock.now() + timedelta(seconds=LEASE_SECONDS)

    async def _run(self, work: _Work) -> None:
        """Send the deliveries of a queue, and give it back."""
        claim = work.claim
        try:
            next_at = await self._send_all(claim, work)
        except asyncio.CancelledError:
            # Shielded: another process would wait for the end of the lease.
            now = self.clock.now()
            await asyncio.shield(self.queues.release(claim, self._holder, now, now))
            raise
        # Any failure may be temporary: the queue is tried again after a while.
        except Exception as error:
            if not is_outage(error):
                log.exception("a webhook's deliveries cannot be sent")
            next_at = self.clock.now() + timedelta(seconds=FAILED_SECONDS)
        if next_at is not None:
            # Where this fails, the queue is taken again when its lease has ended.
            with suppress(Exception):
                await self.queues.release(claim, self._holder, next_at, self.clock.now())

    async def _send_all(self, claim: Claim, work: _Work) -> datetime | None:
        """Send in order until something fails or nothing is left; returns when the queue is due again.

        None: the queue is deleted, or belongs to another process now.
        """
        left, webhook, read_at = IN_A_ROW, None, 0.0
        while left > 0:
            batch = await self.deliveries.list_next(
                claim.webhook_id, claim.queue, min(READ_AT_ONCE, left)
            )
            if not batch:
                is_deleted = await self.queues.release_empty(claim, self._holder)
                return None if is_deleted else self.clock.now()
            for delivery, body in batch:
                if webhook is None or time.monotonic() - read_at > KNOWN_SECONDS:
                    found = await self.webhooks.find_by_ids([claim.webhook_id])
                    webhook, read_at = found.get(claim.webhook_id), time.monotonic()
                now = self.clock.now()
                if webhook is None or not _is_sent_to(webhook, now):
                    return now
                if delivery.next_attempt_at is not None and delivery.next_attempt_at > now:
                    return delivery.next_attempt_at
                if not await self._is_ours(work):
                    return None
                again_at = await self._attempt(webhook, delivery, body, work)
                if again_at is not None:
                    return again_at
            left -= len(batch)
        return self.clock.now()

    async def _renew_all(self) -> None:
        """Renew the leases of all queues at work, unless they are new."""
        began = time.monotonic()
        if not self._at_work or began - self._renewed_at < RENEW_SECONDS:
            return
        works = list(self._at_work.values())
        claims = [work.claim for work in works]
        kept = await self.queues.renew(claims, self._holder, self._look_at(), self._leased_until())
        self._renewed_at = began
        for work in works:
            # Where some were given back or taken meanwhile, each one asks for itself.
            work.leased_at = began if kept == len(works) else 0.0

    async def _is_ours(self, work: _Work) -> bool:
        """Whether no other process can have taken the queue: its lease is renewed, or is renewed now."""
        began = time.monotonic()
        if began - work.leased_at < LEASE_SECONDS / 2:
            return True
        # The database was away, or this process stood still.
        is_ours = await self.queues.renew(
            [work.claim], self._holder, self._look_at(), self._leased_until()
        )
        work.leased_at = began
        return bool(is_ours)

    async def _attempt(
        self, webhook: Webhook, delivery: Delivery, body: bytes, work: _Work
    ) -> datetime | None:
        """Send the delivery once, and write down what came of it.

        Returns None where it was accepted, else when its queue is due again. A crash before the result is written
        leaves the delivery as it was: it is sent again.
        """
        sent_at = self.clock.now()
        work.sending_since = began = time.monotonic()
        headers = headers_of(webhook, delivery.event_id, body, sent_at)
        answer = await self.send(webhook.url, headers, body)
        attempt = _attempt_of(answer, sent_at, time.monotonic() - began)
        work.sending_since = time.monotonic()
        if answer.is_success:
            self._failing.discard(webhook.webhook_id)
            await self._settle(delivery, attempt, DeliveryStatus.SUCCEEDED, None)
            self.on_attempt("succeeded")
            return None
        self._failing.add(webhook.webhook_id)
        is_gone = answer.status == GONE
        again_at = None if is_gone else next_attempt_at(delivery.tries, answer, self.clock.now())
        if again_at is not None:
            await self._settle(delivery, attempt, DeliveryStatus.WAITING, again_at)
        else:
            reason = DisabledReason.GONE if is_gone else DisabledReason.FAILING
            await self._give_up(webhook, delivery, attempt, reason)
        self.on_attempt("gone" if is_gone else "failed")
        return again_at or self.clock.now()

    async def _settle(
        self,
        delivery: Delivery,
        attempt: Attempt,
        status: DeliveryStatus,
        again_at: datetime | None,
        tx: Tx | None = None,
    ) -> None:
        await self.deliveries.settle(
            delivery, attempt, status=status, next_attempt_at=again_at, kept=ATTEMPTS_KEPT, tx=tx
        )

    async def _give_up(
        self, webhook: Webhook, delivery: Delivery, attempt: Attempt, reason: DisabledReason
    ) -> None:
        """Let the delivery fail for good, and disable its webhook."""

        async def work(tx: Tx) -> Webhook | None:
            await self._settle(delivery, attempt, DeliveryStatus.FAILED, None, tx)
            return await self.disabler.disable(webhook.webhook_id, reason, tx)

        self.disabler.notify(await self.database.run(work, WEBHOOKS_LOCK))


def _is_sent_to(webhook: Webhook, now: datetime) -> bool:
    return webhook.enabled and (webhook.ends_at is None or webhook.ends_at > now)


def _attempt_of(answer: ReceiverAnswer, sent_at: datetime, seconds: float) -> Attempt:
    return Attempt(
        at=sent_at,
        latency_ms=round(seconds * 1000),
        response_status=answer.status,
        response_body=answer.body,
        error=answer.error,
    )
