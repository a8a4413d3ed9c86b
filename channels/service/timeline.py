"""A channel's posts and a user's private messages with it, merged by time.

Posts and messages are each read in the order of their own seqs and merged: the newer one first, and the message when
both have the same time. The cursor holds where the page ended in each. So all pages together hold each post and message
once, also where times are equal or the clocks of several servers differ. Anything written meanwhile is newer than the
first page.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from channels.errors import ChannelNotFound
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.profiles import ProfileCache
from conversations.models import Dialogue, DialogueMessage
from conversations.service.dialogues import DialogueService
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AccessContext, Message, Tallies
from groups.service.messages.service import MessagePage, MessageService
from groups.service.messages.stream import StreamService


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page, newest first: posts as plain messages, and private messages.

    `access` is None, and there are no posts, when the reader may no longer see the channel.
    """

    items: Sequence[Message | DialogueMessage]
    access: AccessContext | None
    tallies: Tallies
    message_tallies: Tallies
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineService:
    """Pages of posts and private messages."""

    profiles: ProfileCache
    messages: MessageService
    streams: StreamService
    dialogues: DialogueService
    reactions: DialogueReactions

    async def page(
        self,
        actor: Actor,
        dialogue: Dialogue,
        channel_id: GroupId,
        *,
        limit: int,
        cursor: str | None,
    ) -> Timeline:
        """A page of posts and private messages, or of private messages only when the actor may not see the channel."""
        key = decode_cursor("timeline", cursor, int, int)
        before_post, before_private = (int(key[0]), int(key[1])) if key else (None, None)
        await self.dialogues.check_there(actor, dialogue)
        try:
            await self.profiles.get(channel_id)
            history: MessagePage | None = await self.messages.list_messages(
                actor, channel_id, limit=limit + 1, before_seq=before_post
            )
        except (ChannelNotFound, GroupNotFound):
            history = None
        posts = history.messages if history else []
        private = await self.streams.newest(
            dialogue.stream_id, below=before_private, limit=limit + 1
        )
        # The one that is newer first, of both heads; the private message when both have the same time.
        merged = heapq.merge(private, posts, key=lambda message: message.created_at, reverse=True)
        page, has_more = cut_page(list(merged), limit, json_size)
        next_cursor = None
        if has_more:
            next_cursor = encode_cursor(
                "timeline",
                _end_of(posts, page, before_post),
                _end_of(private, page, before_private),
            )
        seqs = [each.seq for each in page if each.stream_id == dialogue.stream_id]
        message_tallies = await self.reactions.tallies(dialogue, seqs)
        items = [
            DialogueMessage(dialogue, m) if m.stream_id == dialogue.stream_id else m for m in page
        ]
        access, tallies = (history.access, history.tallies) if history else (None, Tallies())
        return Timeline(items, access, tallies, message_tallies, next_cursor)


def _end_of(read: Sequence[Message], page: Sequence[Message], before_seq: int | None) -> int:
    """The seq before which the next page continues in this list."""
    if not read:
        return before_seq or 1  # the list has ended: later messages are newer than this page
    shown = [message.seq for message in page if message.stream_id == read[0].stream_id]
    return min(shown, default=read[0].seq + 1)
