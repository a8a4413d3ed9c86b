"""A channel's posts and one's private messages with it, interleaved by time.

Both are read in the order of their own seqs and merged: the newer one first, and at the same instant the message. A
page ends at one place in each of the two, which is what its cursor says. So the pages together hold each of them once,
also where instants are equal or clocks of several servers differ; what comes in between is newer than the first page.
"""

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
    """A page, newest first: posts as plain messages, and what was said in private.

    `access` is None where the reader may not see the channel any more: there are no posts for him.
    """

    items: Sequence[Message | DialogueMessage]
    access: AccessContext | None
    tallies: Tallies
    said_tallies: Tallies
    next_cursor: str | None


class TimelineService:
    """Pages of posts and private messages."""

    def __init__(
        self,
        extras: ProfileCache,
        messages: MessageService,
        streams: StreamService,
        dialogues: DialogueService,
        reactions: DialogueReactions,
    ) -> None:
        self._extras = extras
        self._messages = messages
        self._streams = streams
        self._dialogues = dialogues
        self._reactions = reactions

    async def page(
        self,
        actor: Actor,
        dialogue: Dialogue,
        channel_id: GroupId,
        *,
        limit: int,
        cursor: str | None,
    ) -> Timeline:
        """A page of both; of private messages alone to who talked with a channel that he may no longer see.

        Raises: ConversationNotFound; PermissionRefused, Banned where the posts are not the actor's to read; BadCursor.
        """
        key = decode_cursor("timeline", cursor, int, int)
        below_post, below_said = (int(key[0]), int(key[1])) if key else (None, None)
        await self._dialogues.check_there(actor, dialogue)
        try:
            await self._extras.get(channel_id)
            history: MessagePage | None = await self._messages.list_messages(
                actor, channel_id, limit=limit + 1, before_seq=below_post
            )
        except (ChannelNotFound, GroupNotFound):
            history = None
        posts = history.messages if history else []
        said = await self._streams.newest(dialogue.stream_id, below=below_said, limit=limit + 1)
        merged = merge(posts, said)
        page, has_more = cut_page(merged, limit, json_size)
        next_cursor = None
        if has_more:
            next_cursor = encode_cursor(
                "timeline", _end_of(posts, page, below_post), _end_of(said, page, below_said)
            )
        said_seqs = [each.seq for each in page if each.stream_id == dialogue.stream_id]
        said_tallies = await self._reactions.tallies(dialogue, said_seqs)
        items = [
            DialogueMessage(dialogue, m) if m.stream_id == dialogue.stream_id else m for m in page
        ]
        access, tallies = (history.access, history.tallies) if history else (None, Tallies())
        return Timeline(items, access, tallies, said_tallies, next_cursor)


def merge(posts: Sequence[Message], said: Sequence[Message]) -> list[Message]:
    """Both, newest first, each in its own order."""
    merged: list[Message] = []
    post = other = 0
    while post < len(posts) or other < len(said):
        takes_post = other == len(said) or (
            post < len(posts) and posts[post].created_at > said[other].created_at
        )
        if takes_post:
            merged.append(posts[post])
            post += 1
        else:
            merged.append(said[other])
            other += 1
    return merged


def _end_of(read: Sequence[Message], page: Sequence[Message], below: int | None) -> int:
    """Below which seq the next page goes on in this one of the two."""
    if not read:
        return below or 1  # nothing is there: what comes now is newer than this page
    shown = [message.seq for message in page if message.stream_id == read[0].stream_id]
    return min(shown, default=read[0].seq + 1)
