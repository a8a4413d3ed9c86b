"""Builds delivery on the log: the consumer, the worker and who is online."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from channels.outbound.addresses import Network
from channels.outbound.client import OutboundClient
from channels.push.delivery.service.audience import (
    AcknowledgedAmong,
    Audience,
    InboxReaders,
    InboxReadSeq,
)
from channels.push.delivery.service.consumer import NAME, Announcer, wants
from channels.push.delivery.service.presence import Presence
from channels.push.delivery.service.unused import UnusedDelivery, unused_task
from channels.push.delivery.service.worker import OnOutcomes, PostFigures, PushWorker
from channels.push.delivery.store.jobs import JobStore
from channels.push.delivery.store.presence import PresenceStore
from channels.push.limits import PushLimits
from channels.push.models import PushInfo
from channels.push.options import PushOptions
from channels.push.senders import gateway, web_push
from channels.push.senders.gateway import GatewaySender
from channels.push.senders.models import Sender
from channels.push.senders.pace import Pace
from channels.push.senders.vapid import VapidKey
from channels.push.senders.web_push import WebPushSender
from channels.push.wiring import PushCore
from conversations.service.notification_settings import NotificationSettings
from groups.kernel.background import PeriodicTask
from groups.kernel.clock import Clock
from groups.kernel.event_log.consumer import Consumer
from groups.kernel.event_log.log import EventLog
from groups.kernel.mongo import Database, Index, Tx
from groups.wiring import GroupChat

DELIVERY_INDEXES: Final[tuple[Index, ...]] = (*JobStore.INDEXES, *PresenceStore.INDEXES)


@dataclass(frozen=True, kw_only=True, slots=True)
class PushDelivery:
    """Delivery on one database. Where nothing can be delivered, nothing of it runs."""

    database: Database
    core: PushCore
    consumer: Consumer
    worker: PushWorker
    presence: Presence
    unused: UnusedDelivery
    unused_task: PeriodicTask
    info: PushInfo

    async def activate(self, tx: Tx) -> None:
        """Announce messages from now on, since a device is registered in this transaction. Idempotent."""
        if self.worker.senders:
            await self.consumer.activate(tx)
            self.presence.look_soon()

    async def start(self) -> None:
        """Begin, also for devices that were registered before this deployment could deliver."""
        if not self.worker.senders or not self.database.transactional:
            return
        if await self.core.device_store.list_users(after="", limit=1):
            await self.database.run(self.consumer.activate)
        self.presence.start()
        self.worker.start()
        self.unused_task.start()

    async def close(self) -> None:
        """Finish what is being sent, and leave the rest to other processes or the next start."""
        await self.unused_task.stop()
        await self.worker.close()
        await self.presence.close()


def build(
    database: Database,
    log: EventLog,
    core: PushCore,
    chat: GroupChat,
    settings: NotificationSettings,
    figures: PostFigures,
    options: PushOptions,
    networks: Collection[Network],
    limits: PushLimits,
    clock: Clock,
    *,
    acknowledged_among: AcknowledgedAmong,
    inbox_readers: InboxReaders,
    inbox_read_seq: InboxReadSeq,
    on_outcomes: OnOutcomes,
) -> PushDelivery:
    """Build delivery. `networks` are those inside that Web Push may reach."""
    senders, public_key = _senders_of(options, networks, limits, clock)
    jobs = JobStore(database)
    presence = Presence(database=database, store=PresenceStore(database), devices=core.device_store)
    worker = PushWorker(
        database=database,
        jobs=jobs,
        audience=Audience(
            devices=core.device_store,
            memberships=chat.membership_reader,
            settings=settings,
            streams=chat.streams,
            users=chat.users,
            presence=presence,
            acknowledged_among=acknowledged_among,
            inbox_readers=inbox_readers,
            inbox_read_seq=inbox_read_seq,
            clock=clock,
            ttl_seconds=options.ttl_seconds,
            with_content=options.with_content,
        ),
        registry=core.registry,
        presence=presence,
        senders=senders,
        figures=figures,
        clock=clock,
        on_outcomes=on_outcomes,
    )
    announcer = Announcer(jobs=jobs, clock=clock, on_jobs=worker.wake)
    consumer = log.consumer(NAME, announcer.handle, wants)
    unused = UnusedDelivery(database=database, devices=core.device_store, consumer=consumer)
    return PushDelivery(
        database=database,
        core=core,
        consumer=consumer,
        worker=worker,
        presence=presence,
        unused=unused,
        unused_task=unused_task(unused),
        info=PushInfo(vapid_public_key=public_key, gateway="gateway" in senders),
    )


def _senders_of(
    options: PushOptions, networks: Collection[Network], limits: PushLimits, clock: Clock
) -> tuple[dict[str, Sender], str | None]:
    """The ways out by the platforms of devices, and the public key of Web Push."""
    pace = Pace(limits.pushes_per_second)
    senders: dict[str, Sender] = {}
    public_key: str | None = None
    if options.vapid_private_key is not None:
        key = VapidKey.from_text(options.vapid_private_key, options.vapid_subject)
        public_key = key.public_key
        at_once = limits.concurrent_pushes
        client = OutboundClient(
            networks=networks,
            timeout_seconds=web_push.TIMEOUT_SECONDS,
            response_bytes=web_push.RESPONSE_BYTES,
            connections=at_once,
            connections_per_host=max(1, at_once // 2),
            idle_seconds=web_push.IDLE_SECONDS,
        )
        senders["web"] = WebPushSender(client, key, pace, clock, at_once)
    if options.gateway_url is not None:
        # The operator's own choice, so it may be inside.
        anywhere = OutboundClient(
            networks=None,
            timeout_seconds=gateway.TIMEOUT_SECONDS,
            response_bytes=gateway.RESPONSE_BYTES,
            connections=gateway.CONCURRENT,
            idle_seconds=gateway.IDLE_SECONDS,
        )
        senders["gateway"] = GatewaySender(
            anywhere, options.gateway_url, options.gateway_secret, pace
        )
    return senders, public_key
