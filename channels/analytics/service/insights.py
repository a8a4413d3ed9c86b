"""Insights for owner and admins: a channel's counts by day and hour, its posts, and its muted share.

All numbers are read from stored counts (`days`), after those that wait are added up.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final

from channels.analytics.models import HOURS, MUTED_SHARES, Day, Hour, Insights, Muted, PostInsights
from channels.analytics.store import DayStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.background_counter import BackgroundCounter
from groups.kernel.clock import Clock
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId
from groups.models import AccessContext, Grant, Message
from groups.service.access.guard import AccessGuard
from groups.service.messages.service import MessageService

ClicksOf = Callable[[Sequence[Message]], Awaitable[Mapping[int, int]]]
"""Finds the clicks on the links of messages of one stream, by seq; messages without links are absent."""

DEFAULT_DAYS: Final = 30
_SUMS: Final = ("joined", "left", "removed", "posts", "views", "reactions", "clicks")


@dataclass(frozen=True, kw_only=True, slots=True)
class InsightService:
    """Reads the insights of channels."""

    days: DayStore
    counting: BackgroundCounter
    channel: ChannelGuard
    guard: AccessGuard
    messages: MessageService
    clicks_of: ClicksOf
    limits: ChannelLimits
    clock: Clock

    async def get(
        self, actor: Actor, channel_id: GroupId, first: date | None, last: date | None
    ) -> Insights:
        """Return the counts from `first` to `last` (UTC, both included), and the current muted share.

        `last` defaults to today, as does a later day; `first` defaults to a range of 30 days.
        """
        async with self.channel(channel_id):
            access = await self._check_may_see(actor, channel_id)
        today = self.clock.now().astimezone(UTC).date()
        last = min(last or today, today)
        if first is None:
            days = min(DEFAULT_DAYS, self.limits.insight_range_days)
            first = date.fromordinal(max(1, last.toordinal() - days + 1))
        length = (last - first).days + 1
        if length < 1:
            raise _invalid("from", "must not be after `to`, nor in the future")
        if length > self.limits.insight_range_days:
            raise _invalid("from", f"at most {self.limits.insight_range_days} days at once")
        # The counts show what was done before the call, by any process.
        await self.counting.catch_up()
        sums: dict[date, Counter[str]] = {}
        ends: dict[date, int] = {}
        views, reactions = Counter[int](), Counter[int]()
        for row in await self.days.list_days(channel_id, first, last):
            day = row["day"]
            sums.setdefault(day, Counter()).update({name: row.get(name, 0) for name in _SUMS})
            if "subscribers" in row:
                ends[day] = row["subscribers"]
            # A document counts only one kind, and its hours belong to that kind.
            hours = views if "views" in row else reactions
            hours.update({int(hour): number for hour, number in row.get("hours", {}).items()})
        before = await self._subscribers_before(access, first)
        known_from = self._known_from(access, today)
        members = access.group.member_count
        # The two numbers are read at different moments, so the counts are bounded.
        muted = min(max(0, await self.days.count_muted(channel_id, MUTED_SHARES)), members)
        return Insights(
            first=first,
            last=last,
            days=_days_in_order(first, length, sums, ends, before, known_from),
            hours=[Hour(hour, views[hour], reactions[hour]) for hour in range(HOURS)],
            muted=Muted(muted, members),
        )

    async def posts(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[PostInsights], str | None]:
        """Return a page of posts, newest first, with views, reactions and clicks, without deleted posts."""
        async with self.channel(channel_id):
            await self._check_may_see(actor, channel_id)
            history = await self.messages.list_messages(
                actor, channel_id, limit=limit, cursor=cursor
            )
        shown = [message for message in history.messages if message.recalled_at is None]
        totals = {seq: tally.total for seq, tally in history.tallies.shared.items()}
        clicks = await self.clicks_of(shown)
        found = [_insights_of(message, totals, clicks) for message in shown]
        return found, history.next_cursor

    async def _check_may_see(self, actor: Actor, channel_id: GroupId) -> AccessContext:
        access = await self.guard.access_of(actor, channel_id)
        refusal = policy.grant_refusal(access, Grant.SEE_INSIGHTS)
        if refusal is not None:
            raise refusal
        return access

    async def _subscribers_before(self, access: AccessContext, first: date) -> int:
        channel_id = access.group.group_id
        row = await self.days.find_members_before(channel_id, first)
        if row is not None:
            return int(row["subscribers"])
        row = await self.days.find_members_from(channel_id, first)
        if row is None:  # no subscriber joined or left since counting began
            return access.group.member_count
        net = row.get("joined", 0) - row.get("left", 0) - row.get("removed", 0)
        return int(row["subscribers"] - net)

    def _known_from(self, access: AccessContext, today: date) -> date:
        kept = today - timedelta(days=self.limits.insight_days)
        return max(kept, access.group.created_at.astimezone(UTC).date())


def _days_in_order(
    first: date,
    length: int,
    sums: dict[date, Counter[str]],
    ends: dict[date, int],
    subscribers: int,
    known_from: date,
) -> Sequence[Day]:
    days: list[Day] = []
    for day in (first + timedelta(days=number) for number in range(length)):
        subscribers = ends.get(day, subscribers)
        counted = sums.get(day, Counter())
        known = subscribers if day >= known_from else None
        days.append(Day(day, known, **{name: counted[name] for name in _SUMS}))
    return days


def _insights_of(
    message: Message, totals: Mapping[int, int], clicks: Mapping[int, int]
) -> PostInsights:
    seq = message.seq
    return PostInsights(
        seq=seq,
        created_at=message.created_at,
        preview=message.content.preview if message.content else "",
        views=message.views,
        reactions=totals.get(seq, 0),
        clicks=clicks.get(seq, 0),
    )


def _invalid(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(reason, errors=[{"field": field, "reason": reason}])
