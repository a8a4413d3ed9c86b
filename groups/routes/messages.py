"""Calls on messages: write, read both ways, edit, recall."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from pydantic import Field

from groups import policy
from groups.errors import (
    Banned,
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    PostingNotAllowed,
    RecallTooLate,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, Rendered, delete, get, patch, post
from groups.kernel.errors import (
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import GroupIdText, StreamId
from groups.kernel.paging import Page, PageQuery
from groups.models import Tally
from groups.routes.rendering import MessageRendering
from groups.routes.views import MessageView, WriteMessage, message_view
from groups.service import MessageService, Posted

Seq = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]


class HistoryQuery(PageQuery):
    """Which messages: the newest without a bound; `cursor` goes on where a page ended."""

    before_seq: Annotated[int | None, Field(ge=1, lt=2**53, description="Those before it.")] = None
    after_seq: Annotated[
        int | None, Field(ge=0, lt=2**53, description="The ones right after it: repairs a gap.")
    ] = None


class TallyReader(Protocol):
    """Who knows the reactions to messages; `reactions` does, and the composition root hands it in."""

    async def tallies(
        self, actor: Actor, stream_id: StreamId, seqs: Sequence[int]
    ) -> Mapping[int, Tally]:
        """The tally of each of the messages that has one."""
        ...


class MessageRoutes:
    """Messages of groups; `channels` speaks of the same ones as posts."""

    tag = "Messages"

    def __init__(self, messages: MessageService, tallies: TallyReader) -> None:
        self._messages = messages
        self._tallies = tallies
        self._rendering = MessageRendering(
            lambda message, standing, tally: self._view(Posted(message, standing), tally)
        )

    def _view(self, posted: Posted, tally: Tally | None) -> MessageView:
        standing = posted.standing
        group = standing.group
        with_sender = policy.may_see_sender(group, standing.rank)
        return message_view(posted.message, group.group_id, tally, with_sender=with_sender)

    @post(
        "/v1/groups/{group_id}/messages",
        status=201,
        errors=[
            GroupNotFound,
            FieldTooLong,
            PostingNotAllowed,
            Muted,
            Banned,
            IdempotencyConflict,
            RateLimited,
        ],
    )
    async def write(
        self, actor: Actor, group_id: GroupIdText, body: WriteMessage, key: IdempotencyKey
    ) -> MessageView:
        """Write a message; with an `Idempotency-Key`, repeating it writes nothing and answers the same."""
        posted = await self._messages.post(actor, group_id, body.to_content(), key=key)
        return self._view(posted, None)

    @get("/v1/groups/{group_id}/messages", errors=[GroupNotFound, PermissionRefused, Banned])
    async def history(
        self, actor: Actor, group_id: GroupIdText, query: HistoryQuery
    ) -> Rendered[Page[MessageView]]:
        """A page of messages, newest first: the newest, those before a seq, or the ones right after a seq."""
        history = await self._messages.list_messages(
            actor,
            group_id,
            limit=query.limit,
            before_seq=query.before_seq,
            after_seq=query.after_seq,
            cursor=query.cursor,
        )
        seqs = [message.seq for message in history.messages]
        stream_id = history.standing.group.stream_id
        tallies = await self._tallies.tallies(actor, stream_id, seqs)
        return Rendered(
            self._rendering.page(history.messages, history.standing, tallies, history.next_cursor)
        )

    @get(
        "/v1/groups/{group_id}/messages/{seq}",
        errors=[GroupNotFound, MessageNotFound, PermissionRefused, Banned],
    )
    async def get_message(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> MessageView:
        """One message."""
        return await self._with_tally(actor, await self._messages.get(actor, group_id, seq))

    @patch(
        "/v1/groups/{group_id}/messages/{seq}",
        errors=[
            GroupNotFound,
            MessageNotFound,
            MessageRecalled,
            FieldTooLong,
            PermissionRefused,
            PostingNotAllowed,
            Muted,
            Banned,
        ],
    )
    async def edit(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, body: WriteMessage
    ) -> MessageView:
        """Replace a message's content (its sender; in a channel also owner and admins)."""
        edited = await self._messages.edit(actor, group_id, seq, body.to_content())
        return await self._with_tally(actor, edited)

    @delete(
        "/v1/groups/{group_id}/messages/{seq}",
        status=204,
        errors=[GroupNotFound, MessageNotFound, PermissionRefused, RecallTooLate, Banned],
    )
    async def recall(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> None:
        """Take a message back: its content goes, its seq stays (owner, admin; the sender for two minutes)."""
        await self._messages.recall(actor, group_id, seq)

    async def _with_tally(self, actor: Actor, posted: Posted) -> MessageView:
        message = posted.message
        tallies = await self._tallies.tallies(actor, message.stream_id, [message.seq])
        return self._view(posted, tallies.get(message.seq))
