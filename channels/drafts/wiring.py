"""Builds drafts on group chat: the store stays inside, the services come out, and listeners are connected."""

from dataclasses import dataclass

from channels.drafts.service.admin_log import DraftTelling
from channels.drafts.service.cleanup import DraftCleanup
from channels.drafts.service.drafts import DraftService, HoldChannel
from channels.drafts.service.publishing import DraftPublishing
from channels.drafts.service.scheduler import Scheduler
from channels.drafts.store import DraftStore
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
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
    publishing: DraftPublishing
    scheduler: Scheduler


def build_cleanup(database: Database, draft_content: DraftContent) -> DraftCleanup:
    """Build what group chat calls when a channel's stream has ended."""
    return DraftCleanup(drafts=DraftStore(database), content=draft_content)


def assemble(
    database: Database,
    chat: GroupChat,
    bus: EventBus,
    extras: ProfileCache,
    hold_channel: HoldChannel,
    limits: ChannelLimits,
    clock: Clock,
) -> Drafting:
    """Drafts on this group chat; the scheduler is not started."""
    store = DraftStore(database)
    telling = DraftTelling(chat.admin_log, chat.guard)
    drafts = DraftService(
        database,
        store,
        hold_channel,
        extras,
        chat.draft_content,
        chat.forwards,
        chat.messages,
        telling,
        limits,
        clock,
    )
    publishing = DraftPublishing(store, extras, chat.messages, telling)
    scheduler = Scheduler(publishing, store, clock)
    bus.listen(scheduler.on_events)
    bus.on_resync(scheduler.wake)
    return Drafting(drafts, publishing, scheduler)
