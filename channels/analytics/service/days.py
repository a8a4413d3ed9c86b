"""Counts a channel's days: hooks of the packages below publish the sums of each batch, which are added up later.

A batch publishes a `DayCounted` with its other events, which costs it no command and no conflict
(`groups.kernel.background_counter`). `DayTotals` adds up what all processes counted in a second: one document for each
channel, day and kind, whatever the number of batches. The number of subscribers after a batch replaces the one before,
since the events of a channel come in the order of their commits.

A crash undoes a batch together with its count, and what is not added up yet waits for the next process.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zlib import crc32

from channels.analytics.events import DayCounted
from channels.analytics.models import MUTED_SHARES, Part
from channels.analytics.store import DayStore, DaySums, ViewStore
from channels.limits import ChannelLimits
from conversations.models import ConversationId, group_of
from groups.kernel.background_counter import BackgroundCounter
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group, MemberCountChange, message_key

CLEANUP_STEP: Final = 1_000  # documents a transaction
_WITH_HOURS: Final = frozenset({Part.VIEWS, Part.REACTIONS})


@dataclass(frozen=True, kw_only=True, slots=True)
class DayCounter:
    """The hooks that count."""

    days: DayStore

    async def members_counted(self, group: Group, count_change: MemberCountChange, tx: Tx) -> None:
        if not group.is_channel:
            return
        sums = {
            "joined": count_change.joined,
            "left": count_change.left,
            "removed": count_change.removed,
        }
        tx.publish(
            DayCounted(
                at=count_change.at,
                channel_id=group.group_id,
                part=Part.MEMBERS,
                sums={name: number for name, number in sums.items() if number},
                subscribers=count_change.member_count,
            )
        )

    async def messages_counted(self, group: Group, number: int, at: datetime, tx: Tx) -> None:
        if group.is_channel:
            _count(group.group_id, at, Part.POSTS, number, tx)

    async def reacted(self, group: Group, seq: int, number: int, at: datetime, tx: Tx) -> None:
        if group.is_channel:
            _count(group.group_id, at, Part.REACTIONS, number, tx)

    async def viewed(self, channel_id: GroupId, number: int, at: datetime, tx: Tx) -> None:
        _count(channel_id, at, Part.VIEWS, number, tx)

    def clicked(self, channel_id: GroupId, number: int, at: datetime, tx: Tx) -> None:
        """Count clicks on links of posts."""
        _count(channel_id, at, Part.CLICKS, number, tx)

    async def muted(
        self, conversation_id: ConversationId, user_id: UserId, more: int, tx: Tx
    ) -> None:
        """Count members who mute or unmute a group; also a chat group, since it may become a channel.

        In the transaction itself: it happens seldom, and the count belongs to no day.
        """
        group_id = group_of(conversation_id)
        if group_id is not None:
            share = crc32(user_id.encode()) % MUTED_SHARES
            await self.days.add_muted(group_id, share, more, tx)


def _count(channel_id: GroupId, at: datetime, part: Part, number: int, tx: Tx) -> None:
    tx.publish(DayCounted(at=at, channel_id=channel_id, part=part, sums={part.value: number}))


@dataclass(frozen=True, kw_only=True, slots=True)
class DayTotals:
    """Adds up what the hooks counted."""

    days: DayStore
    limits: ChannelLimits

    async def add_up(self, counted: Sequence[DayCounted], tx: Tx) -> None:
        """Add the sums to their days; `counted` is in the order of commits."""
        totals: dict[tuple[GroupId, date, Part], DaySums] = {}
        for one in counted:
            at = one.at.astimezone(UTC)
            key = one.channel_id, at.date(), one.part
            total = totals.get(key)
            if total is None:
                total = totals[key] = DaySums(*key, expires_at=self._end_of(at.date()))
            total.sums.update(one.sums)
            if one.part in _WITH_HOURS:
                total.sums[f"hours.{at.hour}"] += one.sums[one.part.value]
            if one.subscribers is not None:
                total.subscribers = one.subscribers
        await self.days.add_many(list(totals.values()), tx)

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), UTC) + timedelta(days=self.limits.insight_days + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalyticsCleanup:
    """Deletes the views, then the days of a channel whose stream has ended (hooks of `groups`).

    In this order, since a batch that counts views on a day has also written one of the views. Then nothing more is
    counted for the channel, and what waits to be added up is deleted with its days. So it never adds a day to a channel
    that is gone, or to a new one of the same id.
    """

    views: ViewStore
    days: DayStore
    counting: BackgroundCounter

    async def delete_views(self, stream_id: StreamId, tx: Tx) -> int:
        return await self.views.delete_some(stream_id, CLEANUP_STEP, tx)

    async def messages_ended(self, stream_id: StreamId, seqs: Sequence[int], tx: Tx) -> None:
        """Delete their views; the days keep their sums. As `groups.service.hooks.MessagesEndedHook`."""
        await self.views.delete_of([message_key(stream_id, seq) for seq in seqs], tx)

    async def delete_days(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        waiting = await self.counting.discard(
            DayCounted, tx, limit=CLEANUP_STEP, channel_id=channel_id
        )
        return waiting + await self.days.delete_some(channel_id, CLEANUP_STEP, tx)
