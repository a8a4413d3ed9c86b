"""Counts a channel's days in the transactions of the batches that it counts (hooks of the packages below).

Each batch writes one small document. Members, posts and views have their own document a day, and batches of one of
these kinds already exclude each other by another document, so counting adds no waiting. Batches of reactions to
different posts run at the same time, so each post has its own document for the day. (With eight documents for all
posts, reactions to ten popular posts took twice the CPU, since their batches conflicted.) The rollup merges them after
the day.

A crash undoes a batch together with its count. An interrupted rollup continues at its next run.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zlib import crc32

from channels.analytics.models import MUTED_SHARES, Part
from channels.analytics.store import DayStore, ViewStore
from channels.limits import ChannelLimits
from conversations.models import ConversationId, group_of
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group, MemberCountChange

CLEANUP_STEP: Final = 1_000  # documents a transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class DayCounter:
    """The hooks that count."""

    days: DayStore
    limits: ChannelLimits

    async def members_counted(self, group: Group, count_change: MemberCountChange, tx: Tx) -> None:
        if not group.is_channel:
            return
        sums = {
            "joined": count_change.joined,
            "left": count_change.left,
            "removed": count_change.removed,
        }
        await self._add(
            group.group_id,
            count_change.at,
            Part.MEMBERS,
            {name: number for name, number in sums.items() if number},
            tx,
            subscribers=count_change.member_count,
        )

    async def messages_counted(self, group: Group, number: int, at: datetime, tx: Tx) -> None:
        if group.is_channel:
            await self._add(group.group_id, at, Part.POSTS, {"posts": number}, tx)

    async def reacted(self, group: Group, seq: int, number: int, at: datetime, tx: Tx) -> None:
        if group.is_channel:
            sums = {"reactions": number, f"hours.{at.hour}": number}
            await self._add(group.group_id, at, Part.REACTIONS, sums, tx, seq=seq)

    async def viewed(self, channel_id: GroupId, number: int, at: datetime, tx: Tx) -> None:
        sums = {"views": number, f"hours.{at.hour}": number}
        await self._add(channel_id, at, Part.VIEWS, sums, tx)

    async def muted(
        self, conversation_id: ConversationId, user_id: UserId, more: int, tx: Tx
    ) -> None:
        """Count members who mute or unmute a group; also a chat group, since it may become a channel."""
        group_id = group_of(conversation_id)
        if group_id is not None:
            share = crc32(user_id.encode()) % MUTED_SHARES
            await self.days.add_muted(group_id, share, more, tx)

    async def _add(
        self,
        channel_id: GroupId,
        at: datetime,
        part: Part,
        sums: dict[str, int],
        tx: Tx,
        *,
        seq: int = 0,
        subscribers: int | None = None,
    ) -> None:
        day = at.astimezone(UTC).date()
        await self.days.add(
            channel_id,
            day,
            part,
            seq,
            sums,
            tx,
            expires_at=self._end_of(day),
            subscribers=subscribers,
        )

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), UTC) + timedelta(days=self.limits.insight_days + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalyticsCleanup:
    """Deletes the views, then the days of a channel whose stream has ended (hooks of `groups`).

    In this order, since a batch that counts views on a day has also written one of the views.
    """

    views: ViewStore
    days: DayStore

    async def delete_views(self, stream_id: StreamId, tx: Tx) -> int:
        return await self.views.delete_some(stream_id, CLEANUP_STEP, tx)

    async def delete_days(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        return await self.days.delete_some(channel_id, CLEANUP_STEP, tx)
