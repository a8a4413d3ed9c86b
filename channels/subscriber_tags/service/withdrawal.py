"""Deletes the tags of a user who is deleted, without waiting for the consumer of departures."""

from dataclasses import dataclass

from channels.subscriber_tags.service.departures import DepartureCleanup
from channels.subscriber_tags.service.tags import tags_lock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of


@dataclass(frozen=True, kw_only=True, slots=True)
class TagWithdrawal:
    """Tags of deleted users."""

    database: Database
    departures: DepartureCleanup

    async def withdraw(self, channel_id: GroupId, user_id: UserId) -> None:
        """Delete and no longer count the user's tags, once they have left. Repeating it changes nothing."""
        stream_id = stream_of(channel_id)

        async def work(tx: Tx) -> None:
            memberships = self.departures.memberships
            # The counts end with the channel. Those that are written after that would stay.
            if await memberships.find_heads([stream_id], tx, with_hidden=True):
                await self.departures.delete_stale(channel_id, {user_id}, tx)

        await self.database.run(work, tags_lock(channel_id))
