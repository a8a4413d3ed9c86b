"""Builds automatic messages on channels and the event log, and the hook that deletes them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from channels.limits import Limits
from channels.self_service.automatic_messages.delivery.consumer import AutomaticMessageConsumer
from channels.self_service.automatic_messages.delivery.worker import AutomaticMessageWorker
from channels.self_service.automatic_messages.service import (
    AutomaticMessageCleanup,
    AutomaticMessageService,
)
from channels.self_service.automatic_messages.store.delivery import DeliveryStore
from channels.self_service.automatic_messages.store.rules import AutomaticMessageStore
from channels.service.guard import ChannelGuard
from conversations.service.dialogues import DialogueService
from groups.kernel.clock import Clock
from groups.kernel.event_log.log import EventLog
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Index, Tx
from groups.wiring import GroupChat

AUTOMATIC_MESSAGE_INDEXES: Final[tuple[Index, ...]] = (
    *AutomaticMessageStore.INDEXES,
    *DeliveryStore.INDEXES,
)


@dataclass(frozen=True, slots=True)
class AutomaticMessages:
    """The services of automatic messages on one database. The event log starts the consumer."""

    messages: AutomaticMessageService
    consumer: AutomaticMessageConsumer
    worker: AutomaticMessageWorker


def build_cleanup(database: Database) -> AutomaticMessageCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return AutomaticMessageCleanup(AutomaticMessageStore(database), DeliveryStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    log: EventLog,
    channel: ChannelGuard,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    dialogues: DialogueService,
    limits: Limits,
    clock: Clock,
) -> AutomaticMessages:
    """Build automatic messages; nothing is started."""
    rules, delivery = AutomaticMessageStore(database), DeliveryStore(database)
    worker = AutomaticMessageWorker(
        database=database, rules=rules, delivery=delivery, dialogues=dialogues, clock=clock
    )
    consumer = AutomaticMessageConsumer(
        log=log,
        rules=rules,
        delivery=delivery,
        clock=clock,
        on_turn=worker.look,
        on_jobs=worker.expect,
    )
    messages = AutomaticMessageService(
        database=database,
        rules=rules,
        activate=consumer.activate,
        deactivate=consumer.deactivate,
        touch_channel=touch_channel,
        channel=channel,
        guard=chat.guard,
        admin_log=chat.admin_log,
        limits=limits,
        clock=clock,
    )
    return AutomaticMessages(messages, consumer, worker)
