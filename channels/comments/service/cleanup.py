"""The end of comments: with their post, and with the channel.

Deleting a post ends its stream of comments in the same transaction, at a cost that does not depend on their number.
What is left (comments, uploads, reactions) is deleted in steps afterwards. Any process goes on after a crash: the
document in `comment_streams` is deleted last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from channels.comments.models import PostPlace
from channels.comments.store import CommentStreamStore
from conversations.models import ConversationId, group_of
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Tx
from groups.models import Message
from groups.service.hooks import DeleteOfStream
from groups.service.messages.stream import STEP, StreamService

LOOK_SECONDS: Final = 10.0
"""Between two looks for comments of deleted posts."""
STREAMS_A_LOOK: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentCleanup:
    """Ends streams of comments, and deletes what they leave. `delete_of_stream` are the reactions."""

    database: Database
    streams: StreamService
    store: CommentStreamStore
    delete_of_stream: Sequence[DeleteOfStream]

    async def on_recalled(self, message: Message, tx: Tx) -> None:
        """End the comments on a deleted post (a hook of `groups`). A message without comments costs nothing."""
        channel_id = group_of(ConversationId(message.stream_id))
        if message.comments is None or channel_id is None:
            return
        place = PostPlace(channel_id, message.seq)
        # A comment writes the post, so one under way conflicts with the transaction that deletes it.
        await self.streams.end(place.stream_id, tx)
        await self.store.mark_ended(place, tx)

    async def clear_ended(self) -> None:
        """Delete the remains of comments on deleted posts; idempotent, also in several processes at once."""
        while ended := await self.store.list_ended(STREAMS_A_LOOK):
            for stream in ended:
                await self.clear(stream.place)

    async def clear(self, place: PostPlace) -> None:
        """Delete the remains of these ended comments."""
        while await self.database.run(partial(self._clear_some, place)):
            pass

    async def _clear_some(self, place: PostPlace, tx: Tx) -> bool:
        # Written in the same transaction: if another process has finished, and a new channel has the same post, this
        # conflicts or finds nothing, and what belongs to the new channel stays.
        return await self.store.touch_ended(place, tx) and await self._delete_some(place, tx)

    async def _delete_some(self, place: PostPlace, tx: Tx) -> bool:
        """Delete up to `STEP` documents of one kind; the document of the stream last. False: that is done too."""
        # The comments first: what adds the first reaction to a comment writes the comment.
        if await self.streams.clear_some(place.stream_id, tx):
            return True
        for delete_some in self.delete_of_stream:
            if await delete_some(place.stream_id, tx):
                return True
        await self.store.delete(place, tx)
        return False

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """Delete some of what the comments of a deleted channel leave, whose posts are gone (a hook of `groups`)."""
        channel_id = group_of(ConversationId(stream_id))
        stream = await self.store.find_one_of(channel_id, tx) if channel_id is not None else None
        if stream is None:
            return 0
        await self.streams.end(stream.place.stream_id, tx)
        return STEP if await self._delete_some(stream.place, tx) else 1
