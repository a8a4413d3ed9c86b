"""Counts a channel's days, in the transactions of the batches that change something (hooks of the packages below).

One write a batch, of a small document that no other source writes: changes of members have one a day, posts have one,
views have one, and each of these batches has written a document before that only one of its kind can write at a time.
So counting makes nobody wait who did not wait already. Batches of reactions to different posts run side by side, so
each post has a document of its own on its day (with eight documents for all posts, reactions to ten hot ones took twice
the CPU: their batches collided). When the day is over these are folded into one.

What a crash undoes, it undoes with its count; what it interrupts of folding, the next folding goes on with.
"""

from datetime import UTC, date, datetime, time, timedelta
from zlib import crc32

from channels.analytics.models import MUTED_PLACES, Part
from channels.analytics.store.days import DayStore
from channels.limits import ChannelLimits
from conversations.models import ConversationId, group_of
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group, MemberCountChange


class DayCounter:
    """The hooks."""

    def __init__(self, days: DayStore, limits: ChannelLimits) -> None:
        self._days = days
        self._limits = limits

    async def members_counted(self, group: Group, count_change: MemberCountChange, tx: Tx) -> None:
        """Subscribers came or went."""
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
        """Posts were published."""
        if group.is_channel:
            await self._add(group.group_id, at, Part.POSTS, {"posts": number}, tx)

    async def reacted(self, group: Group, seq: int, number: int, at: datetime, tx: Tx) -> None:
        """Reactions were given."""
        if group.is_channel:
            sums = {"reactions": number, f"hours.{at.hour}": number}
            await self._add(group.group_id, at, Part.REACTIONS, sums, tx, seq=seq)

    async def viewed(self, channel_id: GroupId, number: int, at: datetime, tx: Tx) -> None:
        """Posts have more viewers than before."""
        sums = {"views": number, f"hours.{at.hour}": number}
        await self._add(channel_id, at, Part.VIEWS, sums, tx)

    async def muted(
        self, conversation_id: ConversationId, user_id: UserId, more: int, tx: Tx
    ) -> None:
        """Members muted a group, or do so no longer: also of chat groups, since one may become a channel."""
        group_id = group_of(conversation_id)
        if group_id is not None:
            place = crc32(user_id.encode()) % MUTED_PLACES
            await self._days.add_muted(group_id, place, more, tx)

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
        await self._days.add(
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
        return datetime.combine(day, time(), UTC) + timedelta(days=self._limits.insight_days + 1)
