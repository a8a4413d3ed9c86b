"""Builds webhooks on channels and the event log."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from channels.outbound.addresses import Network
from channels.outbound.client import OutboundClient
from channels.service.guard import ChannelGuard
from channels.webhooks.limits import ANSWER_BYTES, TIMEOUT_SECONDS, WebhookLimits
from channels.webhooks.service.access import WebhookAccess
from channels.webhooks.service.cleanup import ChannelWebhooksEnd, WebhookCleanup
from channels.webhooks.service.consumer import WebhookConsumer
from channels.webhooks.service.deliveries import DeliveryService
from channels.webhooks.service.disabling import WebhookDisabler
from channels.webhooks.service.dispatcher import Dispatcher
from channels.webhooks.service.endpoints import TouchChannel, WebhookService
from channels.webhooks.service.sending import ReceiverClient
from channels.webhooks.store.deliveries import DeliveryStore
from channels.webhooks.store.queues import QueueStore
from channels.webhooks.store.webhooks import WebhookStore
from groups.kernel.clock import Clock
from groups.kernel.event_log.log import EventLog
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat

WEBHOOK_INDEXES: Final[tuple[Index, ...]] = (
    *WebhookStore.INDEXES,
    *DeliveryStore.INDEXES,
    *QueueStore.INDEXES,
)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The services of webhooks on one database."""

    webhooks: WebhookService
    deliveries: DeliveryService
    consumer: WebhookConsumer
    dispatcher: Dispatcher
    cleanup: WebhookCleanup
    http: OutboundClient

    def start(self) -> None:
        """Send and clear away in the background. The event log starts the consumer."""
        self.dispatcher.start()
        self.cleanup.start()

    async def stop(self) -> None:
        """Stop at once; other processes and the next start go on."""
        await self.cleanup.stop()
        await self.dispatcher.stop()
        await self.http.close()


def build_end(database: Database, clock: Clock) -> ChannelWebhooksEnd:
    """Build the hook that group chat calls when a channel is deleted."""
    return ChannelWebhooksEnd(webhooks=WebhookStore(database), clock=clock)


def client_of(allowed_networks: Collection[Network]) -> OutboundClient:
    """The client for receivers. The dispatcher bounds the requests at once."""
    return OutboundClient(
        networks=allowed_networks, timeout_seconds=TIMEOUT_SECONDS, response_bytes=ANSWER_BYTES
    )


def assemble(
    database: Database,
    chat: GroupChat,
    log: EventLog,
    channel: ChannelGuard,
    touch_channel: TouchChannel,
    limits: WebhookLimits,
    clock: Clock,
    allowed_networks: Sequence[Network],
    *,
    on_attempt: Callable[[str], None],
    on_disabled: Callable[[str], None],
) -> Webhooks:
    """Build webhooks that are sent to public addresses and `allowed_networks`; nothing is started."""
    webhooks, deliveries, queues = (
        WebhookStore(database),
        DeliveryStore(database),
        QueueStore(database),
    )
    access = WebhookAccess(channel=channel, guard=chat.guard, admin_log=chat.admin_log)
    disabler = WebhookDisabler(
        webhooks=webhooks,
        guard=chat.guard,
        bulk_access=chat.bulk_access,
        admin_log=chat.admin_log,
        clock=clock,
        on_disabled=on_disabled,
    )
    http = client_of(allowed_networks)
    dispatcher = Dispatcher(
        database=database,
        webhooks=webhooks,
        deliveries=deliveries,
        queues=queues,
        disabler=disabler,
        send=ReceiverClient(http),
        limits=limits,
        clock=clock,
        on_attempt=on_attempt,
    )
    consumer = WebhookConsumer(
        log=log,
        webhooks=webhooks,
        deliveries=deliveries,
        queues=queues,
        disabler=disabler,
        bulk_access=disabler.bulk_access,
        limits=limits,
        clock=clock,
        on_written=dispatcher.wake_after_commit,
    )
    cleanup = WebhookCleanup(
        database=database,
        webhooks=webhooks,
        deliveries=deliveries,
        queues=queues,
        clock=clock,
        deactivate=consumer.deactivate,
    )
    return Webhooks(
        webhooks=WebhookService(
            database=database,
            webhooks=webhooks,
            consumer=consumer,
            access=access,
            touch_channel=touch_channel,
            idempotency=chat.idempotency,
            limits=limits,
            allowed_networks=allowed_networks,
            clock=clock,
            on_changed=dispatcher.wake,
            on_deleted=cleanup.wake,
        ),
        deliveries=DeliveryService(
            database=database,
            webhooks=webhooks,
            deliveries=deliveries,
            queues=queues,
            access=access,
            log=log,
            limits=limits,
            clock=clock,
            on_added=dispatcher.wake,
        ),
        consumer=consumer,
        dispatcher=dispatcher,
        cleanup=cleanup,
        http=http,
    )
