"""Builds views and insights of channels, and registers their hooks."""

from dataclasses import dataclass
from typing import Final

from channels.analytics.events import DayCounted
from channels.analytics.service.days import AnalyticsCleanup, DayCounter, DayTotals
from channels.analytics.service.insights import ClicksOf, InsightService
from channels.analytics.service.rollup import Rollup
from channels.analytics.service.views import ViewService
from channels.analytics.store import DayStore, ViewStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups.kernel.background import PeriodicTask
from groups.kernel.background_counter import BackgroundCounter
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat

ANALYTICS_INDEXES: Final[tuple[Index, ...]] = (*ViewStore.INDEXES, *DayStore.INDEXES)
ROLLUP_SECONDS: Final = 3_600.0  # between two rollups of one process


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalyticsCore:
    """The objects behind the hooks of the packages below, and the stores that they write."""

    view_store: ViewStore
    day_store: DayStore
    counter: DayCounter
    counting: BackgroundCounter
    cleanup: AnalyticsCleanup


@dataclass(frozen=True, slots=True)
class Analytics:
    """The services of analytics on one database."""

    views: ViewService
    insights: InsightService
    counting: BackgroundCounter
    rollup: Rollup
    rollup_task: PeriodicTask

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused, and stop the rollup.

        `counting` is closed by itself, after all that other packages count.
        """
        await self.views.close()
        await self.rollup_task.stop()


def build_core(database: Database, limits: ChannelLimits) -> AnalyticsCore:
    """Build the objects behind the hooks of the packages below."""
    views, days = ViewStore(database), DayStore(database)
    counting = build_counter(database, limits)
    return AnalyticsCore(
        view_store=views,
        day_store=days,
        counter=DayCounter(days=days),
        counting=counting,
        cleanup=AnalyticsCleanup(views=views, days=days, counting=counting),
    )


def build_counter(database: Database, limits: ChannelLimits) -> BackgroundCounter:
    """Build what adds up the counts of all processes."""
    totals = DayTotals(days=DayStore(database), limits=limits)
    return BackgroundCounter(database, {DayCounted: totals.add_up})


def assemble(
    database: Database,
    core: AnalyticsCore,
    chat: GroupChat,
    channel: ChannelGuard,
    limits: ChannelLimits,
    clock: Clock,
    clicks_of: ClicksOf,
    *,
    on_batch: OnBatch | None = None,
) -> Analytics:
    """Build the services of analytics. `on_batch` is called with every group-commit batch."""
    views = ViewService(
        database=database,
        views=core.view_store,
        counter=core.counter,
        channel=channel,
        bulk_access=chat.bulk_access,
        view_counts=chat.view_counts,
        limits=limits,
        clock=clock,
        on_batch=on_batch,
    )
    insights = InsightService(
        days=core.day_store,
        counting=core.counting,
        channel=channel,
        guard=chat.guard,
        messages=chat.messages,
        clicks_of=clicks_of,
        limits=limits,
        clock=clock,
    )
    rollup = Rollup(database=database, days=core.day_store, clock=clock)
    rollup_task = PeriodicTask(rollup.roll_up, ROLLUP_SECONDS, name="rollup")
    return Analytics(views, insights, core.counting, rollup, rollup_task)
