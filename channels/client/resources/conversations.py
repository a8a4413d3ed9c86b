"""One user's view: conversations, unread counts, read cursors, one-to-one messages, and the inbox of a channel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from typing_extensions import Unpack

from channels.client.models import (
    Conversation,
    ConversationMissing,
    DialogueMessage,
    DialoguePage,
    FoundMessage,
    InboxTag,
    InboxUnread,
    MessageSearchPage,
    NewMessage,
    Page,
    Press,
    ReadMark,
    Sync,
    Tally,
    Thread,
    ThreadMessage,
    ThreadPage,
    ThreadRead,
    ThreadTags,
    TimelinePost,
    Unread,
    UpdateConversation,
    WriteMessage,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, with_kind


class Conversations(Resource):
    """`client.conversations`. An id is `group_<id>` of a group or channel, or `c2c_<id>` of a user or channel."""

    def list(
        self,
        *,
        conversation_group: str | None = None,
        type: Literal["group", "c2c"] | None = None,
        unread: bool | None = None,
        include_hidden: bool | None = None,
        limit: int | None = None,
    ) -> Paged[Conversation, Page[Conversation]]:
        """The conversations: pinned ones first, then by their last message."""
        return self._list(
            *(Page[Conversation], "conversations"),
            conversation_group=conversation_group,
            type=type,
            unread=unread,
            include_hidden=include_hidden,
            limit=limit,
        )

    async def get(self, conversation_id: str) -> Conversation:
        return await self._get(Conversation, "conversations", conversation_id)

    async def find(self, ids: Sequence[str]) -> Sequence[Conversation | ConversationMissing]:
        """Up to 50 conversations, in this order; one that is not there has an `error`."""
        model = Page[Conversation | ConversationMissing]
        return (await self._get(model, "conversations", ids=ids)).items

    def search(
        self,
        q: str,
        *,
        conversation_id: str | None = None,
        kind: str | None = None,
        sender_id: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
    ) -> Paged[FoundMessage, MessageSearchPage]:
        """Messages that match, of all conversations or of one, newest first. A page may be empty before the last."""
        times: dict[str, Any] = {"from": since, "to": until}
        return self._paged(
            *(MessageSearchPage, FoundMessage, "search", "messages"),
            q=q,
            conversation_id=conversation_id,
            kind=kind,
            sender_id=sender_id,
            **times,
            limit=limit,
        )

    async def update(
        self, conversation_id: str, **changes: Unpack[UpdateConversation]
    ) -> Conversation:
        """Mute, pin or hide it, or store a draft or data of the app."""
        return await self._call(
            "PATCH", Conversation, "conversations", conversation_id, body=changes
        )

    async def remove(self, conversation_id: str) -> None:
        """Delete it from the user's list."""
        await self._do("DELETE", "conversations", conversation_id)

    async def mark_read(self, conversation_id: str, seq: int | None = None) -> ReadMark:
        """Mark it as read up to a seq, or all of it. A cursor never moves back."""
        body = {} if seq is None else {"seq": seq}
        return await self._call(
            "POST", ReadMark, "conversations", conversation_id, "read", body=body
        )

    async def mark_all_read(self, scope: str = "all") -> Unread:
        """Mark all as read: `all`, `group`, `c2c`, `channels`, `chats`, or a conversation group."""
        return await self._call("POST", Unread, "read", body={"scope": scope})

    async def unread(self, *, include_muted: bool | None = None) -> Unread:
        """The totals."""
        return await self._get(Unread, "unread", include_muted=include_muted)

    async def sync(
        self, since: str | None = None, *, cursor: str | None = None, limit: int | None = None
    ) -> Sync:
        """A page of what an app needs to start, or of what changed since a `sync_token`.

        Raises: Expired, when the token is older than 30 days.
        """
        return await self._get(Sync, "sync", since=since, cursor=cursor, limit=limit)

    # --- one-to-one messages ------------------------------------------------------------------------------------------

    def messages(
        self,
        conversation_id: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        changed_since: int | None = None,
        around_seq: int | None = None,
        around: Literal["unread"] | None = None,
        with_posts: bool | None = None,
        limit: int | None = None,
    ) -> Paged[DialogueMessage | TimelinePost, DialoguePage]:
        """The messages of a one-to-one conversation, newest first; `with_posts`: the channel's posts between them."""
        item: type[DialogueMessage | TimelinePost] = DialogueMessage
        return self._paged(
            *(DialoguePage, item, "conversations", conversation_id, "messages"),
            before_seq=before_seq,
            after_seq=after_seq,
            changed_since=changed_since,
            around_seq=around_seq,
            around=around,
            with_posts=with_posts,
            limit=limit,
        )

    async def send(
        self,
        conversation_id: str,
        *,
        idempotency_key: str | None = None,
        **content: Unpack[NewMessage],
    ) -> DialogueMessage:
        """Send a one-to-one message: `send("c2c_leo", text="Hello")`."""
        return await self._call(
            *("POST", DialogueMessage, "conversations", conversation_id, "messages"),
            body=with_kind(content),
            idempotency_key=idempotency_key,
        )

    async def edit(
        self, conversation_id: str, seq: int, **content: Unpack[WriteMessage]
    ) -> DialogueMessage:
        return await self._call(
            *("PATCH", DialogueMessage, "conversations", conversation_id, "messages", seq),
            body=with_kind(content),
        )

    async def delete(self, conversation_id: str, seq: int) -> None:
        await self._do("DELETE", "conversations", conversation_id, "messages", seq)

    async def react(self, conversation_id: str, seq: int, emoji: str) -> Tally:
        path = ("conversations", conversation_id, "messages", seq, "reactions", emoji)
        return await self._call("PUT", Tally, *path)

    async def unreact(self, conversation_id: str, seq: int, emoji: str) -> Tally:
        path = ("conversations", conversation_id, "messages", seq, "reactions", emoji)
        return await self._call("DELETE", Tally, *path)

    async def press(
        self, conversation_id: str, seq: int, button: int, *, text: str | None = None
    ) -> Press:
        """As `posts.press`, for a message that a channel wrote to the user."""
        path = ("conversations", conversation_id, "messages", seq, "buttons", button, "press")
        return await self._call("PUT", Press, *path, query={"text": text})


class Inbox(Resource):
    """`client.inbox`: the one-to-one conversations of a channel, for its owner and the admins who may read them."""

    def threads(
        self, channel_id: str, *, tag: str | None = None, limit: int | None = None
    ) -> Paged[Thread, Page[Thread]]:
        """The threads of the inbox; with `tag`, those that have it."""
        return self._list(Page[Thread], "channels", channel_id, "inbox", tag=tag, limit=limit)

    def tags(self, channel_id: str, *, limit: int | None = None) -> Paged[InboxTag, Page[InboxTag]]:
        """The tags that at least one thread has."""
        return self._list(Page[InboxTag], "channels", channel_id, "inbox", "tags", limit=limit)

    async def put_tags(self, channel_id: str, user_id: str, tags: Sequence[str]) -> ThreadTags:
        """Give a thread these tags, in place of those before."""
        return await self._call(
            *("PUT", ThreadTags, "channels", channel_id, "inbox", user_id, "tags"),
            body={"tags": list(tags)},
        )

    async def unread(self, channel_id: str) -> InboxUnread:
        return await self._get(InboxUnread, "channels", channel_id, "inbox", "unread")

    def messages(
        self,
        channel_id: str,
        user_id: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        changed_since: int | None = None,
        limit: int | None = None,
    ) -> Paged[ThreadMessage, ThreadPage]:
        return self._paged(
            *(ThreadPage, ThreadMessage, "channels", channel_id, "inbox", user_id, "messages"),
            before_seq=before_seq,
            after_seq=after_seq,
            changed_since=changed_since,
            limit=limit,
        )

    async def answer(
        self,
        channel_id: str,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        **content: Unpack[NewMessage],
    ) -> ThreadMessage:
        """Write to a user as the channel."""
        return await self._call(
            *("POST", ThreadMessage, "channels", channel_id, "inbox", user_id, "messages"),
            body=with_kind(content),
            idempotency_key=idempotency_key,
        )

    async def edit(
        self, channel_id: str, user_id: str, seq: int, **content: Unpack[WriteMessage]
    ) -> ThreadMessage:
        return await self._call(
            *("PATCH", ThreadMessage, "channels", channel_id, "inbox", user_id, "messages", seq),
            body=with_kind(content),
        )

    async def delete(self, channel_id: str, user_id: str, seq: int) -> None:
        await self._do("DELETE", "channels", channel_id, "inbox", user_id, "messages", seq)

    async def mark_read(self, channel_id: str, user_id: str, seq: int | None = None) -> ThreadRead:
        """Mark a thread as read, for all admins."""
        body = {} if seq is None else {"seq": seq}
        return await self._call(
            "POST", ThreadRead, "channels", channel_id, "inbox", user_id, "read", body=body
        )
