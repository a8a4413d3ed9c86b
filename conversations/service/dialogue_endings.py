"""Ends the one-to-one conversations of a user who is deleted: for both sides, with all messages.

A conversation is of two, and its messages are found by the ids of both. So it ends as a whole, as the threads of a
deleted channel do (`conversations.service.inbox_threads`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.events import ConversationEnded
from conversations.models import C2C_PREFIX, Dialogue, Thread
from conversations.service.inbox_threads import inbox_locks
from conversations.store.inbox_tags import InboxTagStore
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.clock import Clock
from groups.kernel.ids import PAIR_SEPARATOR, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import INBOX_PREFIX, Stream
from groups.service.hooks import DeleteOfStream
from groups.service.messages.stream import StreamService

_NO_STREAM: Final = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DialogueEndings:
    """Ends conversations one by one."""

    database: Database
    streams: StreamService
    threads: ThreadStore
    totals: InboxTotalStore
    tags: InboxTagStore
    settings: ConversationSettingsStore
    clock: Clock
    delete_of_stream: Sequence[DeleteOfStream] = ()
    """Delete the data that packages above keep about the messages of a conversation."""

    async def end(self, stream_id: StreamId, user_id: UserId) -> None:
        """End the conversation with this stream, whose one side is the user. Repeating it changes nothing.

        The first transaction ends it for everybody; a crash after it leaves messages that nobody can find, and the
        repetition deletes them. Publishes: ConversationEnded, for the other user; a channel's staff receives none.
        """
        dialogue = dialogue_of(stream_id, user_id)
        if dialogue is None:
            return
        await self.database.run(lambda tx: self._end(dialogue, tx), *inbox_locks(stream_id))

        async def step(tx: Tx) -> bool:
            # Another conversation of the same two, which began meanwhile, stays.
            if await self.streams.exists(stream_id, tx):
                return False
            return await self.streams.clear_some(stream_id, tx)

        while await self.database.run(step):
            pass
        for delete_some in self.delete_of_stream:
            await self.streams.delete_remains(stream_id, delete_some)

    async def _end(self, dialogue: Dialogue, tx: Tx) -> None:
        stream_id = dialogue.stream_id
        stream = (await self.streams.heads([stream_id], tx)).get(stream_id)
        channel_id = dialogue.channel_id
        if channel_id is not None:
            thread = await self.threads.find_thread(channel_id, dialogue.user_id, tx)
            if thread is not None:
                await self._end_thread(thread, stream, tx)
        for side in dialogue.sides:
            await self.settings.delete_settings(side.conversation_id, [side.user_id], tx)
            is_peer = side.user_id != dialogue.user_id
            if is_peer and stream is not None:
                tx.publish(
                    ConversationEnded(
                        at=self.clock.now(),
                        user_id=side.user_id,
                        conversation_id=side.conversation_id,
                    )
                )
        await self.streams.end(stream_id, tx)

    async def _end_thread(self, thread: Thread, stream: Stream | None, tx: Tx) -> None:
        """Delete the channel's side, and count neither its unread messages nor its tags any more."""
        channel_id, user_id = thread.channel_id, thread.user_id
        head = stream.head_seq if stream is not None else _NO_STREAM
        unread = max(0, head - thread.read_seq)
        await self.totals.add(channel_id, user_id, unread, 0, tx)
        unused = {
            tag
            for tag in thread.tags
            if not await self.threads.has_other(channel_id, user_id, tag, tx)
        }
        if unused:
            known = await self.tags.find(channel_id, tx)
            await self.tags.put(channel_id, set(known) - unused, tx)
        await self.threads.delete_thread(channel_id, user_id, tx)


def dialogue_of(stream_id: str, user_id: UserId) -> Dialogue | None:
    """The one-to-one conversation with this stream, as the user sees it; None where it is none of theirs."""
    for prefix in (C2C_PREFIX, INBOX_PREFIX):
        if not stream_id.startswith(prefix):
            continue
        first, _, second = stream_id.removeprefix(prefix).partition(PAIR_SEPARATOR)
        if user_id not in (first, second):
            return None
        return Dialogue(user_id, first if second == user_id else second)
    return None
