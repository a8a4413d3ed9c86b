"""The consumer of the event log: writes down what is to be sent to which webhook.

Promises:
    Exactly once: deliveries are committed together with the consumer's position.
    Exact: the webhooks are read in that transaction. So is what `wants` knows of them, before any event is left out,
    once the version of all webhooks has changed.
    Cheap: one query finds the webhooks of a page, whatever its channels, and one the rights behind them. An event that
    no webhook wants is not decoded.
    Entitled: a webhook of a channel ends with the right of the user who gave its address, and so does the inbox in it.
    Bounded: a webhook for which more waits than the limit is disabled, and gets what fits.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from channels.event_views.public import (
    CHANNEL_EVENT_TYPES,
    PUBLIC_EVENT_TYPES,
    PublicEvent,
    public_events_of,
    wants_types,
)
from channels.webhooks.limits import WebhookLimits
from channels.webhooks.models import Delivery, DisabledReason, Webhook
from channels.webhooks.service.disabling import WebhookDisabler
from channels.webhooks.store.deliveries import DeliveryStore
from channels.webhooks.store.queues import QueueStore
from channels.webhooks.store.webhooks import Wanting, WebhookStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.event_log.consumer import LEASE_SECONDS, Consumer
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import LogEntry, LogPosition
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import Grant, stream_of
from groups.service.access.bulk import BulkAccess

NAME: Final = "webhooks"
STREAM_IS_ROUTE: Final = frozenset(
    {
        *("message.posted", "message.edited", "message.recalled"),
        *("reactions.changed", "poll.changed", "buttons.changed"),
    }
)
"""Types of committed events whose routes always have the stream of their group: the frequent ones."""
_COUNTED_FOR_SECONDS: Final = LEASE_SECONDS / 2
"""How long this process is certain that no other one adds deliveries: less than the lease of the consumer."""


class _Wanted(NamedTuple):
    """Types of committed events that the webhooks of the application want, and those that webhooks of channels want.

    `streams` are those of the latter's channels.
    """

    by_app: frozenset[str]
    by_channels: frozenset[str]
    streams: frozenset[str]


class _Found(NamedTuple):
    """A public event of a page; its body is made once for all webhooks."""

    position: LogPosition
    number: int
    at: datetime
    event: PublicEvent

    @property
    def delivery_id(self) -> str:
        return delivery_id_of(self.position, self.number)


def delivery_id_of(position: LogPosition, number: int) -> str:
    """The id of the delivery of this public event; ids grow in the order of the log."""
    return f"{position.number:013x}{position.place:06x}{number:05x}"


@dataclass(kw_only=True, slots=True)
class WebhookConsumer:
    """What one process knows of the wishes of all webhooks, and what it does with events."""

    log: EventLog
    webhooks: WebhookStore
    deliveries: DeliveryStore
    queues: QueueStore
    disabler: WebhookDisabler
    bulk_access: BulkAccess
    limits: WebhookLimits
    clock: Clock
    on_written: Callable[[], None]
    """Called when deliveries are about to be committed."""
    _consumer: Consumer = field(init=False)
    _version: int = field(default=-1, init=False)
    _wanted: _Wanted = field(default=_Wanted(frozenset(), frozenset(), frozenset()), init=False)
    _room: dict[str, int] = field(default_factory=dict, init=False)
    """How many deliveries may be added for a webhook for certain, before those that wait are counted again."""
    _prepared_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._consumer = self.log.consumer(NAME, self.handle, self.wants, prepare=self.prepare)

    async def activate(self, tx: Tx) -> None:
        """Consume what is committed after `tx`; changes nothing where there is a webhook already."""
        await self._consumer.activate(tx)

    async def deactivate(self, tx: Tx) -> None:
        """Consume nothing any more: the last webhook is gone."""
        await self._consumer.deactivate(tx)

    async def catch_up(self) -> None:
        """Write down all that has a position now (tests)."""
        await self._consumer.catch_up()

    async def prepare(self, tx: Tx) -> None:
        """Learn what the webhooks want as `tx` sees them, unless it is known already."""
        now = time.monotonic()
        if now - self._prepared_at > _COUNTED_FOR_SECONDS:
            self._room.clear()
        self._prepared_at = now
        version = (await self.webhooks.find_guard(tx)).version
        if version != self._version:
            self._wanted = _wanted_by(await self.webhooks.list_wanting(tx))
            self._version = version

    def wants(self, event_type: str, routes: Sequence[str]) -> bool:
        """Whether a webhook may want an event of this committed type; `prepare` is called before."""
        wanted = self._wanted
        if event_type in wanted.by_app:
            return True
        if event_type not in wanted.by_channels:
            return False
        return event_type not in STREAM_IS_ROUTE or not wanted.streams.isdisjoint(routes)

    async def handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        """Add the deliveries of these events."""
        found = [
            _Found(entry.position, number, entry.event.at, event)
            for entry in entries
            for number, event in enumerate(public_events_of(entry.event))
        ]
        channel_ids = {one.event.channel_id for one in found if one.event.channel_id is not None}
        webhooks = await self.webhooks.list_enabled(channel_ids, tx)
        now = self.clock.now()
        bodies: dict[str, bytes] = {}
        for webhook in await self._entitled(webhooks, tx):
            matching = [one for one in found if _receives(webhook, one, now)]
            if matching:
                await self._add(webhook, matching, bodies, now, tx)
        self.on_written()

    async def _entitled(self, webhooks: Sequence[Webhook], tx: Tx) -> list[Webhook]:
        """Those that may receive events now, each with the right to the inbox that it has; the others are disabled."""
        givers: dict[GroupId, set[UserId]] = defaultdict(set)
        for webhook in webhooks:
            if webhook.channel_id is not None and webhook.given_by is not None:
                givers[webhook.channel_id].add(webhook.given_by)
        if not givers:
            return list(webhooks)
        rights = await self.bulk_access.find(givers, tx)
        entitled: list[Webhook] = []
        for webhook in webhooks:
            channel_id, given_by = webhook.channel_id, webhook.given_by
            # The channel's end is still to be sent.
            if channel_id is None or given_by is None or channel_id not in rights.of_groups.result:
                entitled.append(webhook)
                continue
            actor = Actor(given_by)
            access = rights.accesses_of([actor], channel_id).get(actor)
            if access is None or not access.holds(Grant.MANAGE_WEBHOOKS):
                reason = DisabledReason.RIGHT_WITHDRAWN
                self.disabler.notify(await self.disabler.disable(webhook.webhook_id, reason, tx))
                continue
            reads = webhook.receives_inbox and access.holds(Grant.READ_INBOX)
            entitled.append(webhook.model_copy(update={"receives_inbox": reads}))
        return entitled

    async def _add(
        self,
        webhook: Webhook,
        found: Sequence[_Found],
        bodies: dict[str, bytes],
        now: datetime,
        tx: Tx,
    ) -> None:
        room = await self._room_of(webhook.webhook_id, len(found), tx)
        queues: set[str] = set()
        for one in found[:room]:
            event = one.event
            body = bodies.get(one.delivery_id)
            if body is None:
                body = bodies[one.delivery_id] = event.json()
            delivery = Delivery(
                delivery_id=one.delivery_id,
                webhook_id=webhook.webhook_id,
                event_id=event.event_id,
                event_type=event.type,
                stream_id=event.stream_id,
                at=one.at,
                next_attempt_at=now,
                created_at=now,
            )
            expires_at = now + timedelta(seconds=self.limits.webhook_log_seconds)
            self.deliveries.insert(delivery, body, expires_at, tx)
            queues.add(delivery.queue_key)
        self.queues.add(webhook.webhook_id, queues, now, tx)
        self._room[webhook.webhook_id] = room - min(room, len(found))
        if room < len(found):
            reason = DisabledReason.TOO_MANY_WAITING
            self.disabler.notify(await self.disabler.disable(webhook.webhook_id, reason, tx))

    async def _room_of(self, webhook_id: str, needed: int, tx: Tx) -> int:
        """How many more deliveries may wait; at least `needed`, or exactly."""
        room = self._room.get(webhook_id)
        if room is None or room < needed:
            limit = self.limits.webhook_deliveries_waiting
            room = limit - await self.deliveries.count_waiting(webhook_id, limit, tx)
        return room


def _receives(webhook: Webhook, found: _Found, now: datetime) -> bool:
    event = found.event
    if webhook.channel_id is not None and (
        event.channel_id != webhook.channel_id or event.type not in CHANNEL_EVENT_TYPES
    ):
        return False
    if event.is_of_inbox and webhook.channel_id is not None and not webhook.receives_inbox:
        return False
    # A later channel may have the id of one that was deleted.
    if webhook.closed_at is not None and found.at > webhook.closed_at:
        return False
    if webhook.ends_at is not None and webhook.ends_at <= now:
        return False
    return webhook.wants(event.type)


def _wanted_by(wishes: Sequence[Wanting]) -> _Wanted:
    types: dict[bool, set[str]] = defaultdict(set)
    streams: set[str] = set()
    for wish in wishes:
        is_app = wish.channel_id is None
        every = PUBLIC_EVENT_TYPES if is_app else CHANNEL_EVENT_TYPES
        types[is_app].update(wish.event_types or every)
        if wish.channel_id is not None:
            streams.add(stream_of(wish.channel_id))
    return _Wanted(
        wants_types(frozenset(types[True])),
        wants_types(frozenset(types[False])),
        frozenset(streams),
    )
