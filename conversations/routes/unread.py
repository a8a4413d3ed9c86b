"""Calls on everything unread: the totals, and reading much at once."""

from typing import Annotated

from pydantic import Field

from conversations.errors import ConversationGroupNotFound
from conversations.routes.responses import ReadScopeBody, UnreadResponse, unread_response
from conversations.service.conversation_list import ConversationListService
from conversations.service.read_cursors import ReadCursorService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, get, post


class UnreadQuery(Query):
    """What counts."""

    include_muted: Annotated[bool, Field(description="Count muted conversations too.")] = False


class UnreadRoutes:
    """Unread totals."""

    tag = "Conversations"

    def __init__(self, inbox: ConversationListService, cursors: ReadCursorService) -> None:
        self._inbox = inbox
        self._cursors = cursors

    @get("/v1/unread")
    async def unread(self, actor: Actor, query: UnreadQuery) -> UnreadResponse:
        """My unread totals: in channels, in chats, and in each of my conversation groups."""
        return unread_response(await self._inbox.unread(actor, include_muted=query.include_muted))

    @post("/v1/read", errors=[ConversationGroupNotFound])
    async def read_all(self, actor: Actor, body: ReadScopeBody) -> UnreadResponse:
        """Mark all conversations read, or all in a conversation group; answers what is still unread."""
        return unread_response(await self._cursors.read_all(actor, body.scope))
