"""Builds drafts on group chat, and registers their hooks and listeners."""

from dataclasses import dataclass

from channels.drafts.service.drafts import DraftCleanup, DraftService, TouchChannel
from channels.drafts.service.scheduler import Scheduler
from channels.drafts.store import DraftStore
from channels.events import DraftScheduled
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.mongo import Database
from groups.service.messages.draft_content import DraftContent
from groups.wiring import GroupChat

DRAFT_INDEXES = DraftStore.INDEXES


@dataclass(frozen=True, slots=True)
class Drafting:
    """The services of drafts on one database."""

    drafts: DraftService
    scheduler: Scheduler


def build_cleanup(database: Database, draft_content: DraftContent) -> DraftCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return DraftCleanup(drafts=DraftStore(database), content=draft_content)


def assemble(
    database: Database,
    chat: GroupChat,
    bus: EventBus,
    channel: ChannelGuard,
    touch_channel: TouchChannel,
    limits: ChannelLimits,
    clock: Clock,
) -> Drafting:
    """Build drafts on this group chat. The scheduler is not started."""
    store = DraftStore(database)
    drafts = DraftService(
        database=database,
        drafts=store,
        touch_channel=touch_channel,
        channel=channel,
        draft_content=chat.draft_content,
        forwards=chat.forwards,
        messages=chat.messages,
        admin_log=chat.admin_log,
        guard=chat.guard,
        limits=limits,
        clock=clock,
    )
    scheduler = Scheduler(drafts=drafts, store=store, clock=clock)
    bus.listen(scheduler.on_events, DraftScheduled)
    bus.on_resync(scheduler.wake)
    return Drafting(drafts, scheduler)
