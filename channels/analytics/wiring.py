"""Builds views and insights of channels, and registers their hooks."""

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

ANALYTICS_INDEXES: Final[tuple[Index, ...]] = (*ViewStore.INDEXES, *DayStore.INDEXES)


@dataclass(frozen=True, slots=True)
class Analytics:
    """The services of analytics on one database."""

    views: ViewService
    insights: InsightService
    rollup: Rollup

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused, and stop the background work."""
        await self.views.close()
        await self.rollup.stop()


def assemble(
    database: Database,
    chat: GroupChat,
    conversations: Conversations,
    reactions: ReactionService,
    profiles: ProfileCache,
    limits: ChannelLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> Analytics:
    """Build analytics of the channels on this group chat; `on_batch` is called with every group-commit batch."""
    views, days = ViewStore(database), DayStore(database)
    counter = DayCounter(days=days, limits=limits)
    service = ViewService(
        database=database,
        views=views,
        days=days,
        counter=counter,
        profiles=profiles,
        bulk_access=chat.lookup,
        messages=chat.messages,
        view_counts=chat.views,
        limits=limits,
        clock=clock,
        on_batch=on_batch,
    )
    chat.hooks.members_counted.append(counter.members_counted)
    chat.hooks.messages_counted.append(counter.messages_counted)
    chat.hooks.stream_ended.append(service.stream_ended)
    reactions.hooks.reacted.append(counter.reacted)
    conversations.hooks.muted.append(counter.muted)
    insights = InsightService(
        days=days,
        profiles=profiles,
        guard=chat.guard,
        messages=chat.messages,
        limits=limits,
        clock=clock,
    )
    return Analytics(
        views=service,
        insights=insights,
        rollup=Rollup(database=database, days=days, clock=clock),
    )
