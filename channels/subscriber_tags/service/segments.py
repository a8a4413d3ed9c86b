"""Walks over the subscribers of a segment, by user id, in steps that a caller may remember and go on from.

A step reads a bounded number of rows, whatever the segment. A segment that names a tag walks over the rows of one tag,
or of all tagged subscribers; any other over all subscribers. Nothing is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from channels.subscriber_tags.models import Segment, TagRow
from channels.subscriber_tags.store import SubscriberTagStore
from groups.kernel.ids import GroupId, UserId
from groups.service.access.membership_reader import MembershipReader


class SegmentStep(NamedTuple):
    """The users of the segment among those of one step; `after` is None at the end of the walk."""

    user_ids: list[UserId]
    after: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentReader:
    """Finds the subscribers of segments."""

    store: SubscriberTagStore
    memberships: MembershipReader

    async def step(
        self, channel_id: GroupId, segment: Segment, *, after: str, rows: int
    ) -> SegmentStep:
        """The next subscribers of the segment behind `after`; `rows` of the database are looked at."""
        if segment.needs_tags:
            found = await self._tagged(channel_id, segment, after=after, rows=rows)
            end = found[-1].user_id if len(found) == rows else None
            wanted = [row for row in found if segment.has(row.tags)]
            return SegmentStep(await self._present(channel_id, wanted), end)
        joined = await self.memberships.list_joined(channel_id, after=after, limit=rows)
        user_ids = [user_id for user_id, _ in joined]
        end = user_ids[-1] if len(user_ids) == rows else None
        if segment.none and user_ids:
            found_rows = (await self.store.find_rows(channel_id, user_ids)).values()
            unwanted = [row for row in found_rows if not segment.has(row.tags)]
            out = set(await self._present(channel_id, unwanted))
            user_ids = [user_id for user_id in user_ids if user_id not in out]
        return SegmentStep(user_ids, end)

    async def _tagged(
        self, channel_id: GroupId, segment: Segment, *, after: str, rows: int
    ) -> list[TagRow]:
        """Rows by user id, among which are all of the segment."""
        if not segment.all and len(segment.any) > 1:
            return await self.store.list_all(channel_id, after=after, limit=rows)
        tag = segment.any[0] if not segment.all else segment.all[0]
        if len(segment.all) > 1:
            # The rarest one: the walk is as long as its rows are many.
            counts = await self.store.find_counts(channel_id)
            tag = min(segment.all, key=lambda one: counts.get(one, 0))
        return await self.store.list_with(channel_id, tag, after=after, limit=rows)

    async def _present(self, channel_id: GroupId, rows: Sequence[TagRow]) -> list[UserId]:
        """Those of the rows whose subscription has not ended, or ended and begun anew."""
        if not rows:
            return []
        members = await self.memberships.find_memberships(
            [(channel_id, row.user_id) for row in rows]
        )
        return [
            row.user_id
            for row in rows
            if (member := members.get((channel_id, row.user_id))) is not None
            and member.joined_ms == row.joined_ms
        ]
