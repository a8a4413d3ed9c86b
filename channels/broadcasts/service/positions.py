"""Moves broadcasts off a user who is deleted: a broadcast stores the last user whom it has seen.

That may be for long: one that was stopped keeps its position until it is resumed, or deleted.
"""

from dataclasses import dataclass

from channels.broadcasts.service.publishing import broadcast_lock
from channels.broadcasts.store.broadcasts import BroadcastKey, BroadcastStore
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.service.access.membership_reader import MembershipReader


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastPositions:
    """The positions of broadcasts among the subscribers."""

    database: Database
    store: BroadcastStore
    memberships: MembershipReader

    async def step_back(self, channel_id: GroupId, broadcast_id: str, user_id: UserId) -> None:
        """Put the position at the member before this user, who has left. Repeating it changes nothing.

        Whom the broadcast has seen is the same before and after: between the two nobody is a member. A step that was
        read before sends nothing, and the broadcast goes on from here once its lease ends.
        """
        key = BroadcastKey(channel_id, broadcast_id)

        async def work(tx: Tx) -> None:
            broadcast = await self.store.find(key, tx)
            if broadcast is None or broadcast.after != user_id:
                return
            before = await self.memberships.find_before(channel_id, user_id, tx)
            self.store.put(broadcast.model_copy(update={"after": before or ""}), tx)

        await self.database.run(work, broadcast_lock(broadcast_id))
