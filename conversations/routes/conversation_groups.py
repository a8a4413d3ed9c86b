"""Calls on conversation groups: list, make, fill, rename, delete."""

from conversations.errors import (
    BuiltInConversationGroup,
    ConversationGroupLimitReached,
    ConversationGroupNotFound,
    ConversationGroupTaken,
)
from conversations.models import ConversationId
from conversations.routes.responses import (
    ChangeConversationGroup,
    ConversationGroupName,
    ConversationGroupResponse,
    FileConversations,
    FiledResponse,
    RenameConversationGroup,
    conversation_group_response,
    filed_response,
)
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.conversation_list import ConversationListService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Reply, delete, get, patch, post, put
from groups.kernel.paging import Page


class ConversationGroupRoutes:
    """Conversation groups: the tabs of my conversation list."""

    tag = "Conversation groups"

    def __init__(self, groups: ConversationGroupService, inbox: ConversationListService) -> None:
        self._groups = groups
        self._inbox = inbox

    @get("/v1/conversation-groups")
    async def list_groups(self, actor: Actor) -> Page[ConversationGroupResponse]:
        """All my conversation groups with their unread totals: the built-in ones, then my own in the order made."""
        totals = await self._inbox.list_groups(actor)
        return Page(items=[conversation_group_response(total) for total in totals])

    @put(
        "/v1/conversation-groups/{name}",
        also=[201],
        errors=[BuiltInConversationGroup, ConversationGroupLimitReached],
    )
    async def put_group(
        self, actor: Actor, name: ConversationGroupName, body: FileConversations | None
    ) -> Reply[FiledResponse]:
        """Make a conversation group with these conversations in it, or add them to the one there is.

        201 when the call made it. Each conversation has its own result: one that is not mine, or beyond what the
        conversation group holds, is not added, and the others are.
        """
        ids = [ConversationId(key) for key in body.conversation_ids] if body else []
        filed = await self._groups.put(actor, name, ids)
        return Reply(filed_response(filed), 201 if filed.is_new else 200)

    @patch(
        "/v1/conversation-groups/{name}",
        errors=[BuiltInConversationGroup, ConversationGroupNotFound, ConversationGroupTaken],
    )
    async def rename(
        self, actor: Actor, name: ConversationGroupName, body: RenameConversationGroup
    ) -> ConversationGroupResponse:
        """Rename a conversation group."""
        return conversation_group_response(await self._groups.rename(actor, name, body.name))

    @delete(
        "/v1/conversation-groups/{name}",
        status=204,
        errors=[BuiltInConversationGroup, ConversationGroupNotFound],
    )
    async def delete_group(self, actor: Actor, name: ConversationGroupName) -> None:
        """Delete a conversation group; its conversations stay."""
        await self._groups.delete(actor, name)

    @post(
        "/v1/conversation-groups/{name}/conversations",
        errors=[BuiltInConversationGroup, ConversationGroupNotFound],
    )
    async def change(
        self, actor: Actor, name: ConversationGroupName, body: ChangeConversationGroup
    ) -> FiledResponse:
        """Put conversations into a conversation group, and take others out; each has its own result."""
        filed = await self._groups.change(
            actor,
            name,
            add=[ConversationId(key) for key in body.add],
            remove=[ConversationId(key) for key in body.remove],
        )
        return filed_response(filed)
