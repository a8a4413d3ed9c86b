"""Calls on a channel's inbox, for its admins: threads with users, what is said in them, the shared read cursor."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from channels.errors import ChannelNotFound
from channels.routes.dialogue_responses import ThreadMessageResponse, thread_message_response
from channels.routes.responses import ChannelIdText
from channels.service.inbox import ChannelInbox
from conversations.errors import ConversationNotFound, MessagesNotAccepted
from conversations.models import DialogueMessage
from conversations.routes.responses import ReadUpTo
from conversations.service.inbox_threads import ShownThread
from groups.errors import (
    Banned,
    GroupNotFound,
    MediaNotFound,
    MessageNotFound,
    MessageRecalled,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, Response, delete, get, patch, post
from groups.kernel.errors import (
    BadCursor,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import AnyUserIdText, GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import Tally, User
from groups.routes.messages import FORWARDING_ERRORS, HistoryQuery, Seq
from groups.routes.responses.fields import Instant
from groups.routes.responses.writing import NewMessage, WriteMessage
from groups.service.users import UserService


class ThreadLastMessageResponse(Response):
    """The newest message of a thread."""

    seq: int
    from_channel: bool
    preview: str
    at: Instant


class ThreadResponse(Response):
    """A thread with a user; `read_seq` and `unread_count` are the same for all who read the inbox."""

    channel_id: GroupId
    user_id: UserId
    name: str
    face_url: str
    head_seq: int
    read_seq: int
    unread_count: int
    last_message: ThreadLastMessageResponse | None


class InboxUnreadResponse(Response):
    """What is unread in the inbox, the same for all who read it."""

    channel_id: GroupId
    unread_count: Annotated[int, Field(description="Messages, in all threads.")]
    unread_threads: Annotated[int, Field(description="Threads with any of them.")]


class ThreadReadResponse(Response):
    """How far the thread is read now, for all who read the inbox."""

    channel_id: GroupId
    user_id: UserId
    read_seq: int
    unread_count: int


def thread_response(shown: ShownThread, user: User | None) -> ThreadResponse:
    """The thread as answered."""
    thread, last = shown.thread, shown.stream.last
    return ThreadResponse.model_construct(
        channel_id=thread.channel_id,
        user_id=thread.user_id,
        name=user.name if user else "",
        face_url=user.face_url if user else "",
        head_seq=shown.stream.head_seq,
        read_seq=thread.read_seq,
        unread_count=shown.unread_count,
        last_message=ThreadLastMessageResponse.model_construct(
            seq=last.seq,
            from_channel=last.sender_id != thread.user_id,
            preview=last.preview,
            at=last.at,
        )
        if last
        else None,
    )


class InboxRoutes:
    """A channel's inbox (owner, and admins with the right to read it)."""

    tag = "Channel inbox"

    def __init__(self, inbox: ChannelInbox, users: UserService) -> None:
        self._inbox = inbox
        self._users = users

    @get("/v1/channels/{channel_id}/inbox", errors=[ChannelNotFound, PermissionRefused, BadCursor])
    async def list_threads(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[ThreadResponse]:
        """The threads with users who wrote to the channel, the latest active first."""
        threads, next_cursor = await self._inbox.list_threads(
            actor, GroupId(channel_id), limit=query.limit, cursor=query.cursor
        )
        users = await self._users.find_users(shown.thread.user_id for shown in threads)
        items = [thread_response(shown, users.get(shown.thread.user_id)) for shown in threads]
        return Page(items=items, next_cursor=next_cursor)

    @get("/v1/channels/{channel_id}/inbox/unread", errors=[ChannelNotFound, PermissionRefused])
    async def unread(self, actor: Actor, channel_id: ChannelIdText) -> InboxUnreadResponse:
        """How many messages of the inbox nobody of the channel has read, and in how many threads."""
        unread = await self._inbox.unread(actor, GroupId(channel_id))
        return InboxUnreadResponse.model_construct(
            channel_id=GroupId(channel_id),
            unread_count=unread.messages,
            unread_threads=unread.threads,
        )

    @get(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, BadCursor],
    )
    async def history(
        self, actor: Actor, channel_id: ChannelIdText, user_id: AnyUserIdText, query: HistoryQuery
    ) -> Page[ThreadMessageResponse]:
        """A page of a thread, newest first: the newest, those before a seq, or the ones right after a seq."""
        page, next_cursor = await self._inbox.list_messages(
            actor,
            GroupId(channel_id),
            user_id,
            limit=query.limit,
            before_seq=query.before_seq,
            after_seq=query.after_seq,
            cursor=query.cursor,
        )
        return Page(items=await self._shown(page), next_cursor=next_cursor)

    @post(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages",
        status=201,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            ConversationNotFound,
            MessagesNotAccepted,
            FieldTooLong,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            RateLimited,
            GroupNotFound,
            Banned,
            *FORWARDING_ERRORS,
        ],
    )
    async def answer(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        body: NewMessage,
        key: IdempotencyKey,
    ) -> ThreadMessageResponse:
        """Answer as the channel, or forward what I may read; with an `Idempotency-Key`, repeating it answers once.

        A thread begins with the user's first message, and can be answered whatever the channel accepts now.
        """
        group_id, silent = GroupId(channel_id), body.silent
        if body.forward is None:
            content = body.to_content()
            said = await self._inbox.answer(
                actor, group_id, user_id, content, key=key, silent=silent
            )
        else:
            source = body.forward.source
            said = await self._inbox.forward(
                actor, group_id, user_id, source, key=key, silent=silent
            )
        return await self._one(said)

    @get(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, MessageNotFound],
    )
    async def get_message(
        self, actor: Actor, channel_id: ChannelIdText, user_id: AnyUserIdText, seq: Seq
    ) -> ThreadMessageResponse:
        """One message of a thread."""
        return await self._one(await self._inbox.get(actor, GroupId(channel_id), user_id, seq))

    @patch(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        errors=[
            ChannelNotFound,
            PermissionRefused,
            ConversationNotFound,
            MessageNotFound,
            MessageRecalled,
            MessagesNotAccepted,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
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
        """Replace what the channel said, whichever admin wrote it; not what the user said."""
        said = await self._inbox.edit(actor, GroupId(channel_id), user_id, seq, body.to_content())
        return await self._one(said)

    @delete(
        "/v1/channels/{channel_id}/inbox/{user_id}/messages/{seq}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound, MessageNotFound],
    )
    async def recall(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, seq: Seq
    ) -> None:
        """Take back what the channel said, at any time; not what the user said."""
        await self._inbox.recall(actor, GroupId(channel_id), user_id, seq)

    @post(
        "/v1/channels/{channel_id}/inbox/{user_id}/read",
        errors=[ChannelNotFound, PermissionRefused, ConversationNotFound],
    )
    async def read(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: ReadUpTo | None
    ) -> ThreadReadResponse:
        """Mark a thread read for all who read the inbox, up to a message or altogether; never back."""
        seq = body.seq if body else None
        read_seq, unread = await self._inbox.read(actor, GroupId(channel_id), user_id, seq=seq)
        return ThreadReadResponse.model_construct(
            channel_id=GroupId(channel_id), user_id=user_id, read_seq=read_seq, unread_count=unread
        )

    async def _one(self, said: DialogueMessage) -> ThreadMessageResponse:
        [view] = await self._shown([said])
        return view

    async def _shown(self, page: Sequence[DialogueMessage]) -> list[ThreadMessageResponse]:
        """Messages of one thread as answered."""
        if not page:
            return []
        dialogue, seqs = page[0].dialogue, [said.message.seq for said in page]
        tallies = await self._inbox.tallies(GroupId(dialogue.peer_id), dialogue.user_id, seqs)
        return [
            thread_message_response(said, tallies.get(said.message.seq, Tally())) for said in page
        ]
