"""Endpoints of conversations: list, get, update, remove, mark as read, unread totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from conversations.errors import (
    AcceptNotForThis,
    BadMutedUntil,
    ConversationGroupNotFound,
    ConversationNotFound,
    DialogueLimitReached,
)
from conversations.limits import CONVERSATION_GROUP_NAME_BYTES
from conversations.models import ConversationId, ConversationType, ListedConversation
from conversations.routes.responses import (
    ConversationMissing,
    ConversationResponse,
    ReadMarkResponse,
    ReadScopeBody,
    ReadUpTo,
    UnreadResponse,
    UpdateConversation,
    conversation_response,
)
from conversations.service.conversation_list import ConversationListService, ListFilter
from conversations.service.read_cursors import ReadCursorService
from conversations.service.settings import ConversationChanges, SettingsService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, delete, get, patch, post
from groups.kernel.errors import BadCursor
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery, page_of_ids
from groups.kernel.text import MaxBytes
from groups.limits import IDS_PER_CALL
from groups.routes.responses.fields import ItemError, split_ids


class ConversationQuery(PageQuery):
    """Which conversations."""

    ids: Annotated[
        str | None,
        Field(
            max_length=8192,
            description=f"Up to {IDS_PER_CALL} conversation ids, separated by commas; ask for an id that contains a"
            " comma alone.",
        ),
    ] = None
    conversation_group: Annotated[
        Annotated[str, MaxBytes("conversation_group_name_bytes", CONVERSATION_GROUP_NAME_BYTES)]
        | None,
        Field(
            description="Only those in this conversation group, also `channels` or `chats`; empty: in none of your own."
        ),
    ] = None
    type: Annotated[
        ConversationType | None, Field(description="Only conversations of this type.")
    ] = None
    unread: Annotated[bool, Field(description="Only those with unread messages.")] = False
    include_hidden: Annotated[bool, Field(description="Also hidden conversations.")] = False


class UnreadQuery(Query):
    """Which conversations count."""

    include_muted: Annotated[bool, Field(description="Count muted conversations too.")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationRoutes:
    """Conversations and unread totals."""

    tag = "Conversations"

    conversation_list: ConversationListService
    read_cursors: ReadCursorService
    settings: SettingsService

    @get("/v1/conversations", errors=[ConversationGroupNotFound, BadCursor])
    async def list_conversations(
        self, actor: Actor, query: ConversationQuery
    ) -> Page[ConversationResponse | ConversationMissing]:
        """List your conversations: pinned ones first, the latest pinned on top, then by last activity.

        With `ids` all other filters are ignored: it returns each of these conversations, hidden or not, in this order,
        or its own error if you have no such conversation, for example with a user you never wrote to.
        """
        if query.ids is not None:
            named = [ConversationId(text) for text in split_ids(query.ids)]

            async def read(
                ids: Sequence[ConversationId],
            ) -> list[ConversationResponse | ConversationMissing]:
                found = await self.conversation_list.get_conversations(actor, ids)
                return [_item(i, item) for i, item in zip(ids, found, strict=True)]

            items, next_cursor = await page_of_ids(named, query.cursor, read)
            return Page(items=items, next_cursor=next_cursor)
        wanted = ListFilter(
            conversation_group=query.conversation_group,
            type=query.type,
            only_unread=query.unread,
            include_hidden=query.include_hidden,
        )
        listed, next_cursor = await self.conversation_list.list_conversations(
            actor, wanted, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[conversation_response(item) for item in listed], next_cursor=next_cursor)

    @get("/v1/conversations/{conversation_id}", errors=[ConversationNotFound])
    async def get_conversation(
        self, actor: Actor, conversation_id: AnyIdText
    ) -> ConversationResponse:
        """Get one conversation, hidden or not."""
        listed = await self.conversation_list.get_conversation(
            actor, ConversationId(conversation_id)
        )
        return conversation_response(listed)

    @patch(
        "/v1/conversations/{conversation_id}",
        errors=[ConversationNotFound, BadMutedUntil, AcceptNotForThis, DialogueLimitReached],
    )
    async def update(
        self, actor: Actor, conversation_id: AnyIdText, body: UpdateConversation
    ) -> ConversationResponse:
        """Mute, pin or hide a conversation, or store a draft or custom data; your other devices are notified.

        With `accept` false the channel of a one-to-one conversation may not write to you any more, while you may still
        write to it. Your own message does not switch it on.
        """
        changes = ConversationChanges(**body.model_dump(exclude_unset=True))
        listed = await self.settings.update_settings(
            actor, ConversationId(conversation_id), changes
        )
        return conversation_response(listed)

    @delete("/v1/conversations/{conversation_id}", status=204, errors=[ConversationNotFound])
    async def remove(self, actor: Actor, conversation_id: AnyIdText) -> None:
        """Remove a conversation from the list until its next message.

        It is hidden and marked as read, and its draft and pin are cleared. You stay a member, and it stays in its
        conversation groups.
        """
        await self.settings.remove_from_list(actor, ConversationId(conversation_id))

    @post("/v1/conversations/{conversation_id}/read", errors=[ConversationNotFound])
    async def read(
        self, actor: Actor, conversation_id: AnyIdText, body: ReadUpTo | None
    ) -> ReadMarkResponse:
        """Mark a conversation as read, up to a message or completely. A read cursor never moves back."""
        seq = body.seq if body else None
        mark = await self.read_cursors.mark_read(actor, ConversationId(conversation_id), seq=seq)
        return ReadMarkResponse.model_construct(**dict(mark))

    @get("/v1/unread")
    async def unread(self, actor: Actor, query: UnreadQuery) -> UnreadResponse:
        """Get your unread totals: in channels, in chats, and in each of your conversation groups."""
        totals = await self.conversation_list.unread_totals(
            actor, include_muted=query.include_muted
        )
        return UnreadResponse.model_construct(**totals._asdict())

    @post("/v1/read", errors=[ConversationGroupNotFound])
    async def read_all(self, actor: Actor, body: ReadScopeBody) -> UnreadResponse:
        """Mark all conversations, or all of a conversation group, as read; returns the unread totals after it."""
        totals = await self.read_cursors.mark_all_read(actor, body.scope)
        return UnreadResponse.model_construct(**totals._asdict())


def _item(
    conversation_id: ConversationId, item: ListedConversation | ConversationNotFound
) -> ConversationResponse | ConversationMissing:
    if isinstance(item, ConversationNotFound):
        return ConversationMissing(conversation_id=conversation_id, error=ItemError.of(item))
    return conversation_response(item)
