"""Endpoints of conversation groups: list, create, fill, rename, delete."""

from dataclasses import dataclass

from conversations.errors import (
    BuiltInConversationGroup,
    ConversationGroupLimitReached,
    ConversationGroupNotFound,
    ConversationGroupTaken,
)
from conversations.models import ConversationId
from conversations.routes.responses import (
    AddConversations,
    ChangeConversationGroup,
    ChangedConversationGroupResponse,
    ConversationGroupName,
    ConversationGroupResponse,
    RenameConversationGroup,
    changed_conversation_group_response,
)
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.conversation_list import ConversationListService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Reply, delete, get, patch, post, put
from groups.kernel.paging import Page


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationGroupRoutes:
    """Conversation groups: the tabs of your conversation list."""

    tag = "Conversation groups"

    groups: ConversationGroupService
    conversation_list: ConversationListService

    @get("/v1/conversation-groups")
    async def list_groups(self, actor: Actor) -> Page[ConversationGroupResponse]:
        """List your conversation groups with their unread totals: the built-in ones, then your own by creation."""
        totals = await self.conversation_list.list_groups(actor)
        return Page(
            items=[ConversationGroupResponse.model_construct(**t._asdict()) for t in totals]
        )

    @put(
        "/v1/conversation-groups/{name}",
        also=[201],
        errors=[BuiltInConversationGroup, ConversationGroupLimitReached],
    )
    async def put_group(
        self, actor: Actor, name: ConversationGroupName, body: AddConversations | None
    ) -> Reply[ChangedConversationGroupResponse]:
        """Create a conversation group with these conversations, or add them to the existing one.

        201 if the call created it. Each conversation has its own result: one that is not yours, or for which the group
        has no room, is not added; the others are.
        """
        ids = [ConversationId(key) for key in body.conversation_ids] if body else []
        changed = await self.groups.put(actor, name, ids)
        return Reply(changed_conversation_group_response(changed), 201 if changed.is_new else 200)

    @patch(
        "/v1/conversation-groups/{name}",
        errors=[BuiltInConversationGroup, ConversationGroupNotFound, ConversationGroupTaken],
    )
    async def rename(
        self, actor: Actor, name: ConversationGroupName, body: RenameConversationGroup
    ) -> ConversationGroupResponse:
        """Rename a conversation group."""
        total = await self.groups.rename(actor, name, body.name)
        return ConversationGroupResponse.model_construct(**total._asdict())

    @delete(
        "/v1/conversation-groups/{name}",
        status=204,
        errors=[BuiltInConversationGroup, ConversationGroupNotFound],
    )
    async def delete_group(self, actor: Actor, name: ConversationGroupName) -> None:
        """Delete a conversation group; its conversations stay."""
        await self.groups.delete(actor, name)

    @post(
        "/v1/conversation-groups/{name}/conversations",
        errors=[BuiltInConversationGroup, ConversationGroupNotFound],
    )
    async def change(
        self, actor: Actor, name: ConversationGroupName, body: ChangeConversationGroup
    ) -> ChangedConversationGroupResponse:
        """Add conversations to a conversation group and remove others; each has its own result."""
        changed = await self.groups.change(
            actor,
            name,
            add=[ConversationId(key) for key in body.add],
            remove=[ConversationId(key) for key in body.remove],
        )
        return changed_conversation_group_response(changed)
