"""How a channel fares, for those who run it: its days, its hours, its posts, and who has muted it.

Everything is read from counts that were kept on the way (`days`); nothing is counted when somebody asks.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta
from typing import Final

from channels.analytics.models import HOURS, MUTED_PLACES, Day, Hour, Insights, Muted, PostReach
from channels.analytics.store.days import DayStore
from channels.errors import channel_errors
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId
from groups.models import AccessContext, Grant, Message
from groups.service.access.guard import AccessGuard
from groups.service.messages.service import MessageService

DEFAULT_DAYS: Final = 30
_SUMS: Final = ("joined", "left", "removed", "posts", "views", "reactions")


class InsightService:
    """Insights into channels."""

    def __init__(
        self,
        days: DayStore,
        extras: ProfileCache,
        guard: AccessGuard,
        messages: MessageService,
        limits: ChannelLimits,
        clock: Clock,
    ) -> None:
        self._days = days
        self._extras = extras
        self._guard = guard
        self._messages = messages
        self._limits = limits
        self._clock = clock

    async def get(
        self, actor: Actor, channel_id: GroupId, first: date | None, last: date | None
    ) -> Insights:
        """The days from `first` to `last` (UTC, both included), their hours, and the muted share as it is now.

        Without `last` they end today, and so they do where it is later; without `first` there are 30. At most
        `insight_range_days`. Raises: ChannelNotFound; PermissionRefused; InvalidRequest.
        """
        access = await self._may_see(actor, channel_id)
        today = self._clock.now().astimezone(UTC).date()
        last = min(last or today, today)
        if first is None:
            days = min(DEFAULT_DAYS, self._limits.insight_range_days)
            first = date.fromordinal(max(1, last.toordinal() - days + 1))
        length = (last - first).days + 1
        if length < 1:
            raise _bad("from", "must not be after `to`, nor in the future")
        if length > self._limits.insight_range_days:
            raise _bad("from", f"at most {self._limits.insight_range_days} days at once")
        sums: dict[date, Counter[str]] = {}
        ends: dict[date, int] = {}
        views, reactions = Counter[int](), Counter[int]()
        for row in await self._days.list_days(channel_id, first, last):
            day = row["day"]
            sums.setdefault(day, Counter()).update({name: row.get(name, 0) for name in _SUMS})
            if "subscribers" in row:
                ends[day] = row["subscribers"]
            # A document counts one thing alone, and its hours are that thing's.
            hours = views if "views" in row else reactions
            hours.update({int(hour): number for hour, number in row.get("hours", {}).items()})
        before = await self._subscribers_before(access, first)
        known_from = self._known_from(access, today)
        members = access.group.member_count
        # Read a moment apart: somebody may have muted it, or left, in between.
        muted = min(max(0, await self._days.count_muted(channel_id, MUTED_PLACES)), members)
        return Insights(
            first=first,
            last=last,
            days=_in_order(first, length, sums, ends, before, known_from),
            hours=[Hour(hour, views[hour], reactions[hour]) for hour in range(HOURS)],
            muted=Muted(muted, members),
        )

    async def posts(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[PostReach], str | None]:
        """A page of posts, newest first, with how far each came; recalled ones are left out.

        Raises: ChannelNotFound; PermissionRefused; BadCursor.
        """
        await self._may_see(actor, channel_id)
        with channel_errors():
            history = await self._messages.list_messages(
                actor, channel_id, limit=limit, cursor=cursor
            )
        shown = [message for message in history.messages if message.recalled_at is None]
        totals = {seq: tally.total for seq, tally in history.tallies.shared.items()}
        return [_reach_of(message, totals) for message in shown], history.next_cursor

    async def _may_see(self, actor: Actor, channel_id: GroupId) -> AccessContext:
        await self._extras.get(channel_id)
        with channel_errors():
            access = await self._guard.access_of(actor, channel_id)
        refusal = policy.grant_refusal(access, Grant.SEE_INSIGHTS)
        if refusal is not None:
            raise refusal
        return access

    async def _subscribers_before(self, access: AccessContext, first: date) -> int:
        """How many subscribers there were when the day began."""
        channel_id = access.group.group_id
        row = await self._days.find_members_before(channel_id, first)
        if row is not None:
            return int(row["subscribers"])
        row = await self._days.find_members_from(channel_id, first)
        if row is None:  # nobody came or went since counting began
            return access.group.member_count
        net = row.get("joined", 0) - row.get("left", 0) - row.get("removed", 0)
        return int(row["subscribers"] - net)

    def _known_from(self, access: AccessContext, today: date) -> date:
        """The first day of which the number of subscribers is known."""
        kept = today - timedelta(days=self._limits.insight_days)
        return max(kept, access.group.created_at.astimezone(UTC).date())


def _in_order(
    first: date,
    length: int,
    sums: dict[date, Counter[str]],
    ends: dict[date, int],
    before: int,
    known_from: date,
) -> Sequence[Day]:
    days: list[Day] = []
    subscribers = before
    for day in _days(first, length):
        subscribers = ends.get(day, subscribers)
        counted = sums.get(day, Counter())
        known = subscribers if day >= known_from else None
        days.append(Day(day, known, **{name: counted[name] for name in _SUMS}))
    return days


def _days(first: date, length: int) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range(length))


def _reach_of(message: Message, totals: dict[int, int]) -> PostReach:
    preview = message.content.preview if message.content else ""
    return PostReach(
        message.seq, message.created_at, preview, message.views, totals.get(message.seq, 0)
    )


def _bad(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(reason, errors=[{"field": field, "reason": reason}])
