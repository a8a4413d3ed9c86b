"""Builds drafts on group chat: the store stays inside, and hooks and listeners are tied."""

from dataclasses import dataclass

from channels.drafts.service.admin_log import DraftTelling
from channels.drafts.service.drafts import DraftService, HoldChannel
from channels.drafts.service.publishing import DraftPublishing
from channels.drafts.service.scheduler import Scheduler
from channels.drafts.store import DraftStore
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.mongo import Database
from groups.wiring import GroupChat

DRAFT_INDEXES = DraftStore.INDEXES


@dataclass(frozen=True, slots=True)
class Drafting:
    """The services of drafts on one database."""

    drafts: DraftService
    publishing: DraftPublishing
    scheduler: Scheduler


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
        chat.keeping,
        chat.forwards,
        chat.messages,
        telling,
        limits,
        clock,
    )
    publishing = DraftPublishing(store, extras, chat.messages, telling)
    scheduler = Scheduler(publishing, store, clock)
    chat.hooks.stream_ended.append(drafts.stream_ended)
    bus.listen(scheduler.on_events)
    bus.on_resync(scheduler.wake)
    return Drafting(drafts, publishing, scheduler)
