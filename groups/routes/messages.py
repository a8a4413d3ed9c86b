"""Calls on messages: write, read, edit, delete for everyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from groups import policy
from groups.errors import (
    REVIEW_ERRORS,
    AcknowledgementNotAllowed,
    Banned,
    BusinessAccount,
    ButtonsNotAllowed,
    ChannelSuspended,
    ForwardingNotAllowed,
    GroupNotFound,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    PollClosed,
    PollFixed,
    PostingNotAllowed,
    RecallTooLate,
    StorageQuotaReached,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import IdempotencyKey, Rendered, delete, get, patch, post
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import GroupIdText, UserId
from groups.kernel.paging import PageQuery
from groups.models import AccessContext, Message, Tally, User
from groups.routes.rendering import MessageRendering
from groups.routes.responses.messages import (
    GroupMessagePage,
    MessageResponse,
    message_response,
    poll_seen_by,
)
from groups.routes.responses.polls import PollResponse
from groups.routes.responses.writing import NewChatMessage, WriteMessage
from groups.service.hooks import TallyReader
from groups.service.messages.edits import EditService
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.pages import WantedPage
from groups.service.messages.service import MessageService, VisibleMessage
from groups.service.users import UserService

Seq = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]

FORWARDING_ERRORS: Final = (
    MessageNotFound,
    MessageRecalled,
    PollClosed,
    PermissionRefused,
    ForwardingNotAllowed,
)
"""The errors of a forward beyond those of a message; they are about the message to copy."""


class HistoryQuery(PageQuery):
    """The messages to read: the newest, or those at one place; `cursor` goes on where a page ended."""

    before_seq: Annotated[int | None, Field(ge=1, lt=2**53, description="Those before it.")] = None
    after_seq: Annotated[
        int | None, Field(ge=0, lt=2**53, description="The ones right after it: repairs a gap.")
    ] = None
    changed_since: Annotated[
        int | None,
        Field(
            ge=0,
            lt=2**53,
            description="Those that were edited, deleted, pinned or frozen since this `version`, as they are now, in"
            " the order of their changes.",
        ),
    ] = None
    around_seq: Annotated[
        int | None,
        Field(ge=1, lt=2**53, description="Those on both sides of it: half of the page is newer."),
    ] = None
    around: Annotated[
        Literal["unread"] | None, Field(description="Those around the first unread one.")
    ] = None

    @property
    def wanted(self) -> WantedPage:
        """The page that the service reads."""
        return WantedPage(
            limit=self.limit,
            before_seq=self.before_seq,
            after_seq=self.after_seq,
            changed_since=self.changed_since,
            around_seq=self.around_seq,
            around_unread=self.around is not None,
            cursor=self.cursor,
        )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        has_bound = self.before_seq is not None or self.after_seq is not None
        places = (self.changed_since, self.around_seq, self.around)
        if has_bound + sum(place is not None for place in places) > 1:
            raise PydanticCustomError(
                "one_place",
                "changed_since, around_seq, around, and before_seq or after_seq exclude each other: send one of them",
            )
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRoutes:
    """Messages of groups; in a channel the same ones are its posts."""

    tag = "Messages"

    messages: MessageService
    edits: EditService
    forwards: ForwardService
    tallies: TallyReader
    users: UserService
    clock: Clock
    _rendering: MessageRendering = field(
        init=False, default_factory=lambda: MessageRendering(_without_poll)
    )

    async def _senders(
        self, access: AccessContext, messages: Sequence[Message]
    ) -> Mapping[UserId, User]:
        """The profiles of the senders, where the reader may know who they are."""
        if not policy.may_see_sender(access.group, access.effective_role):
            return {}
        return await self.users.find_users({message.sender_id for message in messages})

    async def _one(self, posted: VisibleMessage, tally: Tally | None) -> MessageResponse:
        senders = await self._senders(posted.access, [posted.message])
        message, access = posted.message, posted.access
        poll = poll_seen_by(access, message, tally, self.clock.now())
        return _response(message, access, tally, senders.get(message.sender_id), poll)

    @post(
        "/v1/groups/{group_id}/messages",
        status=201,
        errors=[
            UserRestricted,
            ChannelSuspended,
            GroupNotFound,
            FieldTooLong,
            PostingNotAllowed,
            AcknowledgementNotAllowed,
            BusinessAccount,
            Muted,
            Banned,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            StorageQuotaReached,
            RateLimited,
            ButtonsNotAllowed,
            *REVIEW_ERRORS,
            *FORWARDING_ERRORS,
        ],
    )
    async def write(
        self, actor: Actor, group_id: GroupIdText, body: NewChatMessage, key: IdempotencyKey
    ) -> MessageResponse:
        """Write a message, or forward one; with an `Idempotency-Key`, repeating it writes nothing.

        With `quoted_seq`, it answers an earlier message of the group that you may read, and that is not deleted.

        A forward is a copy with `forwarded_from`, which names the channel or group and never the author; a private
        one is not named.
        """
        silent = body.silent
        if body.forward is None:
            content = body.to_content()
            posted = await self.messages.post(
                actor, group_id, content, key=key, silent=silent, quoted_seq=body.quoted_seq
            )
        else:
            source = body.forward.source
            posted = await self.forwards.forward(actor, group_id, source, key=key, silent=silent)
        return await self._one(posted, None)

    @get(
        "/v1/groups/{group_id}/messages",
        errors=[GroupNotFound, PermissionRefused, Banned, BadCursor],
    )
    async def history(
        self, actor: Actor, group_id: GroupIdText, query: HistoryQuery
    ) -> Rendered[GroupMessagePage]:
        """A page of messages, newest first: the newest, or those before, after or around a seq or the first unread one.

        With `changed_since`: the messages that changed since a version, the earliest change first.
        """
        history = await self.messages.read_page(actor, group_id, query.wanted)
        senders = await self._senders(history.access, history.messages)
        return Rendered(self._rendering.page(history, senders, now=self.clock.now()))

    @get(
        "/v1/groups/{group_id}/messages/{seq}",
        errors=[GroupNotFound, MessageNotFound, PermissionRefused, Banned],
    )
    async def get_message(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> MessageResponse:
        """One message."""
        return await self._with_tally(actor, await self.messages.get(actor, group_id, seq))

    @patch(
        "/v1/groups/{group_id}/messages/{seq}",
        errors=[
            UserRestricted,
            ChannelSuspended,
            GroupNotFound,
            MessageNotFound,
            MessageRecalled,
            FieldTooLong,
            PermissionRefused,
            PostingNotAllowed,
            BusinessAccount,
            Muted,
            Banned,
            MediaNotFound,
            WrongMediaKind,
            StorageQuotaReached,
            PollFixed,
            PollClosed,
            ButtonsNotAllowed,
            *REVIEW_ERRORS,
        ],
    )
    async def edit(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, body: WriteMessage
    ) -> MessageResponse:
        """Edit a message (its sender; in a channel also owner and admins)."""
        edited = await self.edits.edit(actor, group_id, seq, body.to_content())
        return await self._with_tally(actor, edited)

    @delete(
        "/v1/groups/{group_id}/messages/{seq}",
        status=204,
        errors=[GroupNotFound, MessageNotFound, PermissionRefused, RecallTooLate, Banned],
    )
    async def recall(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> None:
        """Delete a message for everyone: its seq stays (owner, admins; its sender for two minutes)."""
        await self.edits.recall(actor, group_id, seq)

    async def _with_tally(self, actor: Actor, posted: VisibleMessage) -> MessageResponse:
        message = posted.message
        tallies = await self.tallies.tallies_of(actor.user_id, message.stream_id, [message.seq])
        return await self._one(posted, tallies.get(message.seq))


def _without_poll(
    message: Message, access: AccessContext, tally: Tally, sender: User | None
) -> MessageResponse:
    return _response(message, access, tally, sender, None)


def _response(
    message: Message,
    access: AccessContext,
    tally: Tally | None,
    sender: User | None,
    poll: PollResponse | None,
) -> MessageResponse:
    with_sender = policy.may_see_sender(access.group, access.effective_role)
    return message_response(
        message, access.group.group_id, tally, sender, with_sender=with_sender, poll=poll
    )
