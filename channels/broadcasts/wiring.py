"""Builds broadcasts on one-to-one messages and tags: the services, the worker, and the hooks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from channels.broadcasts.events import BroadcastChanged
from channels.broadcasts.service.broadcasts import BroadcastService
from channels.broadcasts.service.cleanup import BroadcastCleanup
from channels.broadcasts.service.opt_outs import OptOutService, WordsOfUsers
from channels.broadcasts.service.positions import BroadcastPositions
from channels.broadcasts.service.worker import BroadcastWorker
from channels.broadcasts.store.broadcasts import BroadcastStore
from channels.broadcasts.store.not_reached import NotReachedStore
from channels.broadcasts.store.opt_outs import OptOutStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from channels.subscriber_tags.service.segments import SegmentReader
from conversations.service.dialogues import DialogueService
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Index, Tx
from groups.wiring import GroupChat, GroupCore

BROADCAST_INDEXES: Final[tuple[Index, ...]] = (
    *BroadcastStore.INDEXES,
    *NotReachedStore.INDEXES,
    *OptOutStore.INDEXES,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastCore:
    """The stores, and the objects behind the hooks of the packages below."""

    store: BroadcastStore
    not_reached: NotReachedStore
    opt_outs: OptOutStore
    cleanup: BroadcastCleanup
    words: WordsOfUsers


@dataclass(frozen=True, kw_only=True, slots=True)
class Broadcasts:
    """The services of broadcasts on one database."""

    broadcasts: BroadcastService
    opt_outs: OptOutService
    positions: BroadcastPositions
    worker: BroadcastWorker


def build_core(groups: GroupCore) -> BroadcastCore:
    """Build the objects behind the hooks."""
    database = groups.database
    store, not_reached = BroadcastStore(database), NotReachedStore(database)
    opt_outs = OptOutStore(database)
    return BroadcastCore(
        store=store,
        not_reached=not_reached,
        opt_outs=opt_outs,
        cleanup=BroadcastCleanup(
            database=database,
            store=store,
            not_reached=not_reached,
            opt_outs=opt_outs,
            content=groups.draft_content,
            clock=groups.clock,
        ),
        words=WordsOfUsers(opt_outs),
    )


def assemble(
    database: Database,
    core: BroadcastCore,
    chat: GroupChat,
    dialogues: DialogueService,
    segments: SegmentReader,
    bus: EventBus,
    channel: ChannelGuard,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    staff: Callable[[GroupId, Tx], Awaitable[tuple[UserId, ...]]],
    limits: ChannelLimits,
    clock: Clock,
) -> Broadcasts:
    """Build broadcasts; the worker is not started."""
    worker = BroadcastWorker(
        database=database,
        store=core.store,
        not_reached=core.not_reached,
        opt_outs=core.opt_outs,
        segments=segments,
        dialogues=dialogues,
        memberships=chat.membership_reader,
        bulk_access=chat.bulk_access,
        cleanup=core.cleanup,
        staff=staff,
        limits=limits,
        clock=clock,
    )
    bus.listen(worker.on_events, BroadcastChanged)
    bus.on_resync(worker.wake)
    return Broadcasts(
        broadcasts=BroadcastService(
            database=database,
            store=core.store,
            not_reached=core.not_reached,
            segments=segments,
            touch_channel=touch_channel,
            staff=staff,
            channel=channel,
            guard=chat.guard,
            draft_content=chat.draft_content,
            idempotency=chat.idempotency,
            admin_log=chat.admin_log,
            limits=limits,
            clock=clock,
        ),
        opt_outs=OptOutService(
            database=database, store=core.opt_outs, channel=channel, guard=chat.guard
        ),
        positions=BroadcastPositions(
            database=database, store=core.store, memberships=chat.membership_reader
        ),
        worker=worker,
    )
