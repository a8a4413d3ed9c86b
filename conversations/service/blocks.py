"""Blocking: a blocked user, channel or group cannot write to the user, invite or add them, and does not learn why.

Earlier messages stay. The limit is exact under races: blocking writes the user's guard document in the transaction that
counted. A channel's message that is under way conflicts with blocking it, so none comes after the answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from conversations.errors import BlockLimitReached, CannotBlock
from conversations.events import BlockChanged
from conversations.limits import ConversationLimits
from conversations.models import CHANNEL_SIGN
from conversations.store.blocks import BlockStore
from conversations.store.threads import ThreadStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.service.write_locks import user_lock

Block = tuple[str, datetime]
"""The blocked user or channel, and since when."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockService:
    """The users, channels and groups that a user blocks."""

    database: Database
    blocks: BlockStore
    threads: ThreadStore
    limits: ConversationLimits
    clock: Clock

    async def block(self, actor: Actor, peer_id: str) -> Block:
        """Block a user, channel or group, which need not exist. Publishes: BlockChanged, unless it was blocked."""
        if peer_id == actor.user_id:
            raise CannotBlock
        limit = self.limits.blocks_per_user

        async def work(tx: Tx) -> Block:
            held = dict(
                await self.blocks.list_blocks(actor.user_id, after="", limit=limit + 1, tx=tx)
            )
            if peer_id in held:
                return peer_id, held[peer_id]
            if len(held) >= limit:
                raise BlockLimitReached(limit=limit)
            now = self.clock.now()
            if peer_id.startswith(CHANNEL_SIGN):
                await self.threads.touch_thread(GroupId(peer_id), actor.user_id, tx)
            await self.blocks.insert(actor.user_id, peer_id, now, tx)
            tx.publish(
                BlockChanged(at=now, user_id=actor.user_id, peer_id=peer_id, is_blocked=True)
            )
            return peer_id, now

        return await self.database.run(work, user_lock(actor.user_id))

    async def unblock(self, actor: Actor, peer_id: str) -> None:
        """Remove the block, if there is one. Publishes: BlockChanged."""

        async def work(tx: Tx) -> None:
            if await self.blocks.delete(actor.user_id, peer_id, tx):
                tx.publish(
                    BlockChanged(
                        at=self.clock.now(),
                        user_id=actor.user_id,
                        peer_id=peer_id,
                        is_blocked=False,
                    )
                )

        await self.database.run(work, user_lock(actor.user_id))

    async def find_blocked(self, actor: Actor, ids: Collection[str]) -> set[str]:
        """Those of the users and groups that the actor blocks."""
        pairs = [(actor.user_id, peer_id) for peer_id in ids]
        return {peer_id for _, peer_id in await self.blocks.find_blocks(pairs)}

    async def list_blocks(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Block], str | None]:
        read = partial(self.blocks.list_blocks, actor.user_id)
        return await page_by_text("blocks", cursor, limit, read, lambda block: block[0])
