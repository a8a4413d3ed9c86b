"""Endpoints of blocks."""

from dataclasses import dataclass

from conversations.errors import BlockLimitReached, CannotBlock
from conversations.service.blocks import BlockService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, delete, get, put
from groups.kernel.errors import BadCursor
from groups.kernel.ids import GroupIdText, PeerIdText
from groups.kernel.paging import Page, PageQuery
from groups.routes.responses.fields import Instant


class BlockResponse(Response):
    """A user, a channel or a chat group that you block; a channel by its full id."""

    user_id: str
    blocked_at: Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockRoutes:
    """Blocks."""

    tag = "One-to-one messages"

    blocks: BlockService

    @get("/v1/blocks", errors=[BadCursor])
    async def list_blocks(self, actor: Actor, query: PageQuery) -> Page[BlockResponse]:
        """List the users, channels and chat groups that you block, by id."""
        blocks, next_cursor = await self.blocks.list_blocks(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [BlockResponse(user_id=peer_id, blocked_at=at) for peer_id, at in blocks]
        return Page(items=items, next_cursor=next_cursor)

    @put("/v1/blocks/{user_id}", errors=[CannotBlock, BlockLimitReached])
    async def block(self, actor: Actor, user_id: PeerIdText) -> BlockResponse:
        """Block a user, or a channel or chat group by its full id: no one-to-one messages, no invitations, no adding.

        A blocked channel is left out of your directory. The other side is not notified; earlier messages stay, and so
        do memberships.
        """
        peer_id, at = await self.blocks.block(actor, user_id)
        return BlockResponse(user_id=peer_id, blocked_at=at)

    @delete("/v1/blocks/{user_id}", status=204)
    async def unblock(self, actor: Actor, user_id: GroupIdText) -> None:
        """Remove a block, if there is one."""
        await self.blocks.unblock(actor, user_id)
