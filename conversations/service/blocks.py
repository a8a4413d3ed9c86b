"""Blocking: who is blocked cannot write to the user any more, and is not told that this is why.

What was said stays with both. The limit is exact under races: who blocks writes his guard in the transaction that
counted.
"""

from datetime import datetime
from functools import partial

from conversations.errors import BlockLimitReached, CannotBlock
from conversations.events import BlockChanged
from conversations.limits import ConversationLimits
from conversations.store.blocks import BlockStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.service.write_locks import user_lock

Block = tuple[str, datetime]
"""Who is blocked, and since when."""


class BlockService:
    """Whom users block: other users, and channels."""

    def __init__(
        self, database: Database, blocks: BlockStore, limits: ConversationLimits, clock: Clock
    ) -> None:
        self._database = database
        self._blocks = blocks
        self._limits = limits
        self._clock = clock

    async def block(self, actor: Actor, peer_id: str) -> Block:
        """Block a user or a channel, known or not; blocking twice changes nothing and publishes nothing.

        Publishes: BlockChanged. Raises: CannotBlock; BlockLimitReached.
        """
        if peer_id == actor.user_id:
            raise CannotBlock
        limit = self._limits.blocks_per_user

        async def work(tx: Tx) -> Block:
            held = dict(
                await self._blocks.list_of_user(actor.user_id, after="", limit=limit + 1, tx=tx)
            )
            if peer_id in held:
                return peer_id, held[peer_id]
            if len(held) >= limit:
                raise BlockLimitReached(limit=limit)
            now = self._clock.now()
            await self._blocks.insert(actor.user_id, peer_id, now, tx)
            tx.publish(
                BlockChanged(at=now, user_id=actor.user_id, peer_id=peer_id, is_blocked=True)
            )
            return peer_id, now

        return await self._database.run(work, user_lock(actor.user_id))

    async def unblock(self, actor: Actor, peer_id: str) -> None:
        """Lift a block; lifting none changes nothing. Publishes: BlockChanged."""

        async def work(tx: Tx) -> None:
            if await self._blocks.delete(actor.user_id, peer_id, tx):
                tx.publish(
                    BlockChanged(
                        at=self._clock.now(),
                        user_id=actor.user_id,
                        peer_id=peer_id,
                        is_blocked=False,
                    )
                )

        await self._database.run(work, user_lock(actor.user_id))

    async def list_blocks(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[Block], str | None]:
        """A page of whom the actor blocks, by id. Raises: BadCursor."""
        read = partial(self._blocks.list_of_user, actor.user_id)
        return await page_by_text("blocks", cursor, limit, read, lambda block: block[0])
