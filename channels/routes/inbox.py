"""Routes of a channel's inbox, for its admins: threads with users, their messages, the shared read cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from channels.errors import ChannelNotFound
from channels.routes.dialogue_responses import (
    ThreadMessageResponse,
    ThreadPage,
    thread_message_response,
)
from channels.routes.responses import ChannelIdText
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.guard import InboxGuard
from channels.service.inbox_batches import InboxBatches
from conversations.errors import (
    ConversationNotFound,
    DailyThreadLimitReached,
    InboxTagLimitReached,
    MessagesNotAccepted,
)
from conversations.limits import CHANNEL_MESSAGES_PER_CALL, TAG_CHARACTERS, TAGS_PER_THREAD
from conversations.models import DialogueMessage
from conversations.routes.responses import ReadUpTo
from conversations.service.dialogue_edits import DialogueEdits
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_threads import ListedThread, ThreadService
from conversations.service.thread_tags import ThreadTagService
from groups.errors import (
    REVIEW_ERRORS,
    AcknowledgementNotAllowed,
    Banned,
    ChannelSuspended,
    GroupNotFound,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    NotAPerson,
    PollFixed,
    PollNotAllowed,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, IdempotencyKey, Response, delete, get, patch, post, put
from groups.kernel.errors import (
    BadCursor,
    DomainError,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import AnyUserIdText, GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import NotBlank
from groups.models import Source, Tally, User
from groups.routes.messages import FORWARDING_ERRORS, HistoryQuery, Seq
from groups.routes.responses.fields import Instant, ItemProblem, StreamVersion
from groups.routes.responses.messages import NewestMessage, history_fields, newest_fields
from groups.routes.responses.writing import NewChatMessage, NewMessage, WriteMessage
from groups.service.users import UserService


class ThreadLastMessageResponse(NewestMessage):
    """The newest message of a thread."""

    from_channel: bool


class ThreadResponse(Response):
    """A thread with a user. All admins who read the inbox share `read_seq`, `unread_count` and `tags`."""

    channel_id: GroupId
    user_id: UserId
    name: str
    face_url: str
    head_seq: int
    version: StreamVersion
    read_seq: int
    unread_count: int
    tags: tuple[str, ...]
    last_message: ThreadLastMessageResponse | None


class InboxUnreadResponse(Response):
    """The unread messages of the inbox, the same for all admins who read it."""

    channel_id: GroupId
    unread_count: Annotated[int, Field(description="Unread messages in all threads.")]
    unread_threads: Annotated[int, Field(description="Threads with unread messages.")]


ThreadTag = Annotated[NotBlank, Field(min_length=1, max_length=TAG_CHARACTERS)]


class InboxQuery(PageQuery):
    """The threads to list."""

    tag: Annotated[ThreadTag | None, Field(description="Those that have this tag.")] = None


class PutThreadTags(Body):
    """All tags of the thread, in the order in which they are shown; none takes all away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["order", "urgent"]}]})

    tags: Annotated[tuple[ThreadTag, ...], Field(max_length=TAGS_PER_THREAD)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.tags)) < len(self.tags):
            raise PydanticCustomError("twice", "tags must not name a tag twice")
        return self


class ThreadTagsResponse(Response):
    """The tags of a thread."""

    channel_id: GroupId
    user_id: UserId
    tags: tuple[str, ...]


class InboxTagResponse(Response):
    """A tag that at least one thread of the inbox has."""

    tag: str


class NewMessageToMany(NewMessage):
    """The message, as to one user, and the users."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_ids": ["ada", "bob"], "kind": "text", "text": "We open at nine"}]
        }
    )
    beside_forward = NewMessage.beside_forward | {"user_ids"}

    user_ids: Annotated[
        tuple[UserIdText, ...], Field(min_length=1, max_length=CHANNEL_MESSAGES_PER_CALL)
    ]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.user_ids)) < len(self.user_ids):
            raise PydanticCustomError("twice", "user_ids must not name a user twice")
        return self


class SentToUserResponse(Response):
    """The result for one user: the message's place in the thread with them, or `error`."""

    user_id: UserId
    message_id: str | None
    seq: int | None
    created_at: Instant | None
    error: ItemProblem | None


class SentToManyResponse(Response):
    """The result for each user, in the order of `user_ids`."""

    results: list[SentToUserResponse]


def _sent_response(user_id: UserId, result: DialogueMessage | DomainError) -> SentToUserResponse:
    # Without the content, which is the same in all of them and known to the caller.
    if isinstance(result, DomainError):
        return SentToUserResponse.model_construct(
            user_id=user_id,
            message_id=None,
            seq=None,
            created_at=None,
            error=ItemProblem.of(result),
        )
    return SentToUserResponse.model_construct(
        user_id=user_id,
        message_id=f"{result.dialogue.conversation_id}:{result.message.seq}",
        seq=result.message.seq,
        created_at=result.message.created_at,
        error=None,
    )


class ThreadReadResponse(Response):
    """The shared read cursor of a thread."""

    channel_id: GroupId
    user_id: UserId
    read_seq: int
    unread_count: int


def _thread_response(shown: ListedThread, user: User | None) -> ThreadResponse:
    thread, last = shown.thread, shown.stream.last
    return ThreadResponse.model_construct(
        channel_id=thread.channel_id,
        user_id=thread.user_id,
        name=user.name if user else "",
        face_url=user.face_url if user else "",
        head_seq=shown.stream.head_seq,
        version=shown.stream.version,
        read_seq=thread.read_seq,
        unread_count=shown.unread_count,
        tags=thread.tags,
        last_message=ThreadLastMessageResponse.model_construct(
            from_channel=last.sender_id != thread.user_id, **newest_fields(last)
        )
        if last
        else None,
    )


@dataclass(kw_only=True, slots=True)
class InboxRoutes:
    """A channel's inbox (owner, and admins with the right to read it)."""

    tag = "Channel inbox"

    inbox: InboxGuard
    threads: ThreadService
    tags: ThreadTagService
    dialogues: DialogueService
    batches: InboxBatches
    edits: DialogueEdits
    reactions: DialogueReactions
    users: UserService

    @get("/v1/channels/{channel_id}/inbox", errors=[ChannelNotFound, PermissionRefused, BadCursor])
    async def list_threads(
        self, actor: Actor, channel_id: ChannelIdText, query: InboxQuery
    ) -> Page[ThreadResponse]:
        """The threads with users who wrote to the channel, the most recently active first; with `tag`, some of them."""
        await self.inbox.check(actor, channel_id)
        threads, next_cursor = await self.threads.list_threads(
            channel_id, limit=query.limit, cursor=query.cursor, tag=query.tag
        )
        users = await self.users.find_users(shown.thread.user_id for shown in threads)
        items = [_thread_response(shown, users.get(shown.thread.user_id)) for shown in threads]
        return Page(items=items, next_cursor=next_cursor)

    @get(
        "/v1/channels/{channel_id}/inbox/tags",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_tags(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[InboxTagResponse]:
        """The tags in use: those that at least one thread has, in the order of their characters."""
        await self.inbox.check(actor, channel_id)
        tags, next_cursor = await self.tags.list_tags(
            channel_id, limit=query.limit, cursor=query.cursor
        )
        items = [InboxTagResponse.model_construct(tag=tag) for tag in tags]
        return Page(items=items, next_cursor=next_cursor)

    @put(
        "/v1/channels/{channel_id}/inbox/{user_id}/tags",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, InboxTagLimitReached],
    )
    async def put_tags(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: PutThreadTags
    ) -> ThreadTagsResponse:
        """Give a thread these tags, in place of those before, for all admins who read the inbox.

        The user does not see them. A tag exists as long as a thread has it.
        """
        thread = await self.inbox.thread(actor, channel_id, user_id)
        await self.tags.put(thread, body.tags)
        return ThreadTagsResponse.model_construct(
            channel_id=channel_id, user_id=user_id, tags=body.tags
        )

    @get("/v1/channels/{channel_id}/inbox/unread", errors=[ChannelNotFound, PermissionRefused])
    async def unread(self, actor: Actor, channel_id: ChannelIdText) -> InboxUnreadResponse:
        """How many messages of the inbox no admin has read, and in how many threads."""
        await self.inbox.check(actor, channel_id)
        unread = await self.threads.unread_totals(channel_id)
        return InboxUnreadResponse.model_construct(
            channel_id=channel_id, unread_count=unread.messages, unread_threads=unread.threads
        )

    @get(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, BadCursor],
    )
    async def history(
        self, actor: Actor, channel_id: ChannelIdText, user_id: AnyUserIdText, query: HistoryQuery
    ) -> ThreadPage:
        """A page of a thread, newest first: the newest, or those before, after or around a seq or the first unread one.

        With `changed_since`: the messages that changed since a version, the earliest change first. `around=unread` goes
        by the cursor that all readers of the inbox share.
        """
        thread = await self.inbox.thread(actor, channel_id, user_id)
        page = await self.dialogues.page(actor, thread, query.wanted, for_channel=True)
        return ThreadPage.model_construct(
            items=await self._responses([DialogueMessage(thread, each) for each in page.messages]),
            **history_fields(page),
        )

    @post(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages",
        status=201,
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            ConversationNotFound,
            MessagesNotAccepted,
            DailyThreadLimitReached,
            NotAPerson,
            FieldTooLong,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            RateLimited,
            GroupNotFound,
            Banned,
            *REVIEW_ERRORS,
            *FORWARDING_ERRORS,
            PollNotAllowed,
            AcknowledgementNotAllowed,
        ],
    )
    async def answer(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        body: NewChatMessage,
        key: IdempotencyKey,
    ) -> ThreadMessageResponse:
        """Write to a user as the channel, or forward a message you may read; with an `Idempotency-Key`, once.

        To a subscriber, the first message begins the thread; a channel may begin only so many threads a day. To others
        it writes only if they wrote to it, whatever its setting `accept_messages` is. It is told as `reason` if the
        user is not subscribed, blocks the channel, or has switched off its messages.
        """
        new = body.forward.source if body.forward else body.to_content()
        thread = await self.inbox.thread(actor, channel_id, user_id)
        if isinstance(new, Source):
            sent = await self.dialogues.forward(
                actor, thread, new, key=key, silent=body.silent, for_channel=True
            )
        else:
            sent = await self.dialogues.post(
                actor,
                thread,
                new,
                key=key,
                silent=body.silent,
                for_channel=True,
                quoted_seq=body.quoted_seq,
            )
        return await self._response(sent)

    @post(
        "/v1/channels/{channel_id}/inbox/messages",
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            FieldTooLong,
        ],
    )
    async def answer_many(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        body: NewMessageToMany,
        key: IdempotencyKey,
    ) -> SentToManyResponse:
        """Write the same to up to 500 users as the channel; each gets it in a thread of their own. Back end only.

        It answers with a result for each user, in the order of `user_ids`: the message, or the error that writing to
        this user alone would get. With an `Idempotency-Key`, a repeat writes to those whom the first call did not
        reach, and to nobody twice.
        """
        new = body.forward.source if body.forward else body.to_content()
        await self.inbox.check(actor, channel_id)
        if not actor.is_app_admin:
            raise PermissionRefused("Only the application writes to several users at once")
        results = await self.batches.send(
            actor, channel_id, body.user_ids, new, key=key, silent=body.silent
        )
        return SentToManyResponse.model_construct(
            results=[
                _sent_response(user_id, result)
                for user_id, result in zip(body.user_ids, results, strict=True)
            ]
        )

    @get(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, MessageNotFound],
    )
    async def get_message(
        self, actor: Actor, channel_id: ChannelIdText, user_id: AnyUserIdText, seq: Seq
    ) -> ThreadMessageResponse:
        """One message of a thread."""
        thread = await self.inbox.thread(actor, channel_id, user_id)
        return await self._response(await self.dialogues.get(actor, thread, seq, for_channel=True))

    @patch(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            ConversationNotFound,
            MessageNotFound,
            MessageRecalled,
            MessagesNotAccepted,
            NotAPerson,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
            PollFixed,
            *REVIEW_ERRORS,
        ],
    )
    async def edit(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        seq: Seq,
        body: WriteMessage,
    ) -> ThreadMessageResponse:
        """Replace a message of the channel, whichever admin wrote it. Messages of the user cannot be edited."""
        content = body.to_content()
        thread = await self.inbox.thread(actor, channel_id, user_id)
        return await self._response(
            await self.edits.edit(actor, thread, seq, content, for_channel=True)
        )

    @delete(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, MessageNotFound],
    )
    async def recall(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, seq: Seq
    ) -> None:
        """Delete a message of the channel for everyone, at any time. Messages of the user cannot be deleted."""
        thread = await self.inbox.thread(actor, channel_id, user_id)
        await self.edits.recall(actor, thread, seq, for_channel=True)

    @post(
        "/v1/channels/{channel_id}/inbox/{user_id}/read",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound],
    )
    async def read(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: ReadUpTo | None
    ) -> ThreadReadResponse:
        """Mark a thread read for all admins who read the inbox, up to a message or completely; never backwards."""
        thread = await self.inbox.thread(actor, channel_id, user_id)
        read_seq, unread = await self.threads.mark_read(thread, seq=body.seq if body else None)
        return ThreadReadResponse.model_construct(
            channel_id=channel_id, user_id=user_id, read_seq=read_seq, unread_count=unread
        )

    async def _response(self, sent: DialogueMessage) -> ThreadMessageResponse:
        if sent.is_new:
            return thread_message_response(sent, Tally())
        [response] = await self._responses([sent])
        return response

    async def _responses(self, page: Sequence[DialogueMessage]) -> list[ThreadMessageResponse]:
        if not page:
            return []
        tallies = await self.reactions.tallies(
            page[0].dialogue, [each.message.seq for each in page], for_channel=True
        )
        return [
            thread_message_response(each, tallies.get(each.message.seq, Tally())) for each in page
        ]
