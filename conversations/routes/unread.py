"""Endpoints of unread totals: get them, and mark many conversations as read."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from conversations.errors import ConversationGroupNotFound
from conversations.routes.responses import ReadScopeBody, UnreadResponse, unread_response
from conversations.service.conversation_list import ConversationListService
from conversations.service.read_cursors import ReadCursorService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, get, post


class UnreadQuery(Query):
    """Which conversations count."""

    include_muted: Annotated[bool, Field(description="Count muted conversations too.")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadRoutes:
    """Unread totals."""

    tag = "Conversations"

    conversation_list: ConversationListService
    read_cursors: ReadCursorService

    @get("/v1/unread")
    async def unread(self, actor: Actor, query: UnreadQuery) -> UnreadResponse:
        """Get my unread totals: in channels, in chats, and in each of my conversation groups."""
        return unread_response(
            await self.conversation_list.unread_totals(actor, include_muted=query.include_muted)
        )

    @post("/v1/read", errors=[ConversationGroupNotFound])
    async def read_all(self, actor: Actor, body: ReadScopeBody) -> UnreadResponse:
        """Mark all conversations, or all of a conversation group, as read; returns the unread totals after it."""
        return unread_response(await self.read_cursors.mark_all_read(actor, body.scope))
