"""Builds views and insights on channels: the stores stay inside, the services come out, and the hooks are tied."""

from dataclasses import dataclass
from typing import Final

from channels.analytics.service.days import DayCounter
from channels.analytics.service.insights import InsightService
from channels.analytics.service.rollup import Rollup
from channels.analytics.service.views import ViewService
from channels.analytics.store.days import DayStore
from channels.analytics.store.views import ViewStore
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
from conversations.wiring import Conversations
from groups.kernel.clock import Clock
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat
from reactions.service.reactions import ReactionService

REACH_INDEXES: Final[tuple[Index, ...]] = (*ViewStore.INDEXES, *DayStore.INDEXES)


@dataclass(frozen=True, slots=True)
class Analytics:
    """The services of reach on one database."""

    views: ViewService
    insights: InsightService
    folding: Rollup

    async def close(self) -> None:
        """Let every submitted report end, and stop the background work."""
        await self.views.close()
        await self.folding.stop()


def assemble(
    database: Database,
    chat: GroupChat,
    talks: Conversations,
    reactions: ReactionService,
    extras: ProfileCache,
    limits: ChannelLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> Analytics:
    """Reach of the channels on this group chat; `on_batch` hears of every group-commit batch."""
    views, days = ViewStore(database), DayStore(database)
    counter = DayCounter(days, limits)
    service = ViewService(
        database,
        views,
        days,
        counter,
        extras,
        chat.lookup,
        chat.messages,
        chat.views,
        limits,
        clock,
        on_batch=on_batch,
    )
    chat.hooks.members_counted.append(counter.members_counted)
    chat.hooks.messages_counted.append(counter.messages_counted)
    chat.hooks.stream_ended.append(service.stream_ended)
    reactions.hooks.reacted.append(counter.reacted)
    talks.hooks.muted.append(counter.muted)
    insights = InsightService(days, extras, chat.guard, chat.messages, limits, clock)
    return Analytics(views=service, insights=insights, folding=Rollup(database, days, clock))
