"""Deletes broadcasts: those of deleted channels, and those that ended long ago."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from channels.broadcasts.models import KEPT_DAYS
from channels.broadcasts.service.publishing import broadcast_lock
from channels.broadcasts.store.broadcasts import BroadcastKey, BroadcastStore
from channels.broadcasts.store.not_reached import NotReachedStore
from channels.broadcasts.store.opt_outs import OptOutStore
from conversations.models import ConversationId, group_of
from groups.kernel.clock import Clock
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Tx
from groups.service.messages.draft_content import DraftContent

CLEANUP_STEP: Final = 1_000  # documents a transaction
_BROADCASTS_A_STEP: Final = 50  # they may hold large texts


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastCleanup:
    """Ends broadcasts with their channel (a hook of `groups`), and with their time."""

    database: Database
    store: BroadcastStore
    not_reached: NotReachedStore
    opt_outs: OptOutStore
    content: DraftContent
    clock: Clock

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`. The broadcasts first: then no worker adds any more."""
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        broadcasts = await self.store.take_some(channel_id, _BROADCASTS_A_STEP, tx)
        for broadcast in broadcasts:
            await self.content.release(broadcast.content, tx)
        if broadcasts:
            return len(broadcasts)
        deleted = await self.not_reached.delete_some(channel_id, CLEANUP_STEP, tx)
        return deleted + await self.opt_outs.delete_some(channel_id, CLEANUP_STEP, tx)

    async def delete_old(self) -> None:
        """Delete broadcasts that ended more than `KEPT_DAYS` ago; a crash leaves the rest to the next call."""
        before = self.clock.now() - timedelta(days=KEPT_DAYS)
        for key in await self.store.list_ended(before, CLEANUP_STEP):
            await self._delete_old(key)

    async def _delete_old(self, key: BroadcastKey) -> None:
        async def work(tx: Tx) -> None:
            broadcast = await self.store.find(key, tx)
            if broadcast is not None and broadcast.ended_at is not None:  # not resumed meanwhile
                await self.store.take(key, tx)
                await self.content.release(broadcast.content, tx)

        await self.database.run(work, broadcast_lock(key.broadcast_id))
