"""Endpoints of conversations: list, get, update, remove, mark as read, unread totals."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from conversations.errors import (
    AcceptNotForThis,
    AmbiguousConversationId,
    BadMutedUntil,
    ConversationGroupNotFound,
    ConversationNotFound,
    DialogueLimitReached,
)
from conversations.limits import CONVERSATION_GROUP_NAME_BYTES
from conversations.models import (
    ConversationId,
    ConversationType,
    ListedConversation,
    dialogue_of,
)
from conversations.routes.rendering import ConversationRendering
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
from conversations.service.dialogues import DialogueService
from conversations.service.read_cursors import ReadCursorService
from conversations.service.settings import ConversationChanges, SettingsService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, Rendered, delete, get, patch, post
from groups.kernel.errors import BadCursor
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery, page_of_ids
from groups.kernel.text.bounded import MaxBytes
from groups.limits import IDS_PER_CALL
from groups.routes.responses.fields import ItemError, split_ids

_NONE_SUCH: Final = (ConversationNotFound, AmbiguousConversationId)
"""What a call is answered that names a conversation which the user does not have."""


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
    dialogues: DialogueService
    rendering: ConversationRendering

    @get("/v1/conversations", errors=[ConversationGroupNotFound, BadCursor])
    async def list_conversations(
        self, actor: Actor, query: ConversationQuery
    ) -> Rendered[Page[ConversationResponse | ConversationMissing]]:
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
            return _rendered(items, next_cursor)
        wanted = ListFilter(
            conversation_group=query.conversation_group,
            type=query.type,
            only_unread=query.unread,
            include_hidden=query.include_hidden,
        )
        listed, next_cursor = await self.conversation_list.list_conversations(
            actor, wanted, limit=query.limit, cursor=query.cursor
        )
        return Rendered(self.rendering.page(listed, next_cursor))

    @get("/v1/conversations/{conversation_id}", errors=_NONE_SUCH)
    async def get_conversation(
        self, actor: Actor, conversation_id: AnyIdText
    ) -> ConversationResponse:
        """Get one conversation, hidden or not."""
        key = ConversationId(conversation_id)
        async with self._found(actor, key):
            listed = await self.conversation_list.get_conversation(actor, key)
        return conversation_response(listed)

    @patch(
        "/v1/conversations/{conversation_id}",
        errors=[*_NONE_SUCH, BadMutedUntil, AcceptNotForThis, DialogueLimitReached],
    )
    async def update(
        self, actor: Actor, conversation_id: AnyIdText, body: UpdateConversation
    ) -> ConversationResponse:
        """Mute, pin or hide a conversation, or store a draft or custom data; your other devices are notified.

        With `accept` false the channel of a one-to-one conversation may not write to you any more, while you may still
        write to it. Your own message does not switch it on.
        """
        changes = ConversationChanges(**body.model_dump(exclude_unset=True))
        key = ConversationId(conversation_id)
        async with self._found(actor, key):
            listed = await self.settings.update_settings(actor, key, changes)
        return conversation_response(listed)

    @delete("/v1/conversations/{conversation_id}", status=204, errors=_NONE_SUCH)
    async def remove(self, actor: Actor, conversation_id: AnyIdText) -> None:
        """Remove a conversation from the list until its next message.

        It is hidden and marked as read, and its draft and pin are cleared. You stay a member, and it stays in its
        conversation groups.
        """
        key = ConversationId(conversation_id)
        async with self._found(actor, key):
            await self.settings.remove_from_list(actor, key)

    @post("/v1/conversations/{conversation_id}/read", errors=_NONE_SUCH)
    async def read(
        self, actor: Actor, conversation_id: AnyIdText, body: ReadUpTo | None
    ) -> ReadMarkResponse:
        """Mark a conversation as read, up to a message or completely. A read cursor never moves back."""
        key, seq = ConversationId(conversation_id), body.seq if body else None
        async with self._found(actor, key):
            mark = await self.read_cursors.mark_read(actor, key, seq=seq)
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

    @asynccontextmanager
    async def _found(self, actor: Actor, key: ConversationId) -> AsyncIterator[None]:
        """Say in place of ConversationNotFound that the id of a user is the short id of a channel, if it is."""
        try:
            yield
        except ConversationNotFound:
            dialogue = dialogue_of(actor.user_id, key)
            if dialogue is not None:
                await self.dialogues.check_meant(actor, dialogue)
            raise


_ConversationPage = Page[ConversationResponse | ConversationMissing]


def _rendered(
    items: list[ConversationResponse | ConversationMissing], next_cursor: str | None
) -> Rendered[_ConversationPage]:
    page = _ConversationPage.model_construct(items=items, next_cursor=next_cursor)
    is_missing = any(isinstance(item, ConversationMissing) for item in items)
    return Rendered(page.__pydantic_serializer__.to_json(page), is_missing)


def _item(
    conversation_id: ConversationId, item: ListedConversation | ConversationNotFound
) -> ConversationResponse | ConversationMissing:
    if isinstance(item, ConversationNotFound):
        return ConversationMissing(conversation_id=conversation_id, error=ItemError.of(item))
    return conversation_response(item)
