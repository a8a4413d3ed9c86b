"""Deletes the tags of subscriptions that ended: a consumer of the event log, and the hook of deleted channels.

The consumer is active from the first tag of the deployment on. What it writes is committed with its position, so each
departure is handled once. Until then the rows have no meaning: they name the time of a subscription that is gone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from channels.subscriber_tags.models import TagRow
from channels.subscriber_tags.store import SubscriberTagStore
from conversations.models import ConversationId, group_of
from groups.events import MembersLeft
from groups.kernel.event_log.models import LogEntry
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.service.access.membership_reader import MembershipReader

NAME: Final = "subscriber-tags"
CLEANUP_STEP: Final = 1_000  # documents a transaction


def wants(event_type: str, _: Sequence[str]) -> bool:
    """Whether the consumer needs events of this type."""
    return event_type == "members.left"


@dataclass(frozen=True, kw_only=True, slots=True)
class DepartureCleanup:
    """Deletes rows, and counts their tags no more."""

    store: SubscriberTagStore
    memberships: MembershipReader

    async def handle(self, entries: Sequence[LogEntry], tx: Tx) -> None:
        """Delete what the users of these events left."""
        left: dict[GroupId, set[UserId]] = {}
        for entry in entries:
            event = entry.event
            if isinstance(event, MembersLeft) and event.is_channel:
                left.setdefault(event.group_id, set()).update(event.user_ids)
        for channel_id, user_ids in left.items():
            await self.delete_stale(channel_id, user_ids, tx)

    async def delete_stale(
        self, channel_id: GroupId, user_ids: set[UserId], tx: Tx
    ) -> list[TagRow]:
        """Delete those rows of the users that are of no present subscription; returns them."""
        rows = await self.store.find_rows(channel_id, user_ids, tx)
        if not rows:
            return []
        # They may have come back, and have been given tags again.
        pairs = [(channel_id, user_id) for user_id in rows]
        members = await self.memberships.find_memberships(pairs, tx)
        stale = [
            row
            for user_id, row in rows.items()
            if (member := members.get((channel_id, user_id))) is None
            or member.joined_ms != row.joined_ms
        ]
        if stale:
            counts = Counter(await self.store.find_counts(channel_id, tx))
            for row in stale:
                counts.subtract(row.tags)
            await self.store.put_counts(channel_id, +counts, tx)
            self.store.put_rows(channel_id, [TagRow(row.user_id, (), 0) for row in stale], tx)
        return stale


@dataclass(frozen=True, slots=True)
class SubscriberTagCleanup:
    """Deletes the tags of a channel whose stream has ended (a hook of `groups`)."""

    store: SubscriberTagStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`."""
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        return await self.store.delete_some(channel_id, CLEANUP_STEP, tx)
