"""Threads: a channel's side of its dialogues, shared by all who read the channel's inbox.

The caller checks the actor's rights (`channels.service.inbox`). A deleted channel loses its threads: they cannot be
found from the transaction that deletes the channel on, and are deleted in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.errors import ConversationNotFound
from conversations.events import ConversationEnded, ThreadRead
from conversations.models import Dialogue, InboxUnread, Thread
from conversations.service.inbox_rules import channel_exists
from conversations.service.write_permission import WritePermission
from conversations.store.inbox_tags import InboxTagStore
from conversations.store.inbox_totals import InboxTotalStore, share_of
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.clock import Clock
from groups.kernel.ids import PAIR_SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import INBOX_PREFIX, Group, Stream, stream_of
from groups.service.hooks import DeleteOfStream
from groups.service.membership.sync import DepartureLog
from groups.service.messages.stream import StreamService

_CLEARED_AT_ONCE: Final = 100  # threads read at a time
_GROUP_PREFIX: Final = stream_of(GroupId(""))


def inbox_locks(stream_id: str) -> tuple[str, ...]:
    """Return the lock of the totals that count the thread of this stream; none if it is between users.

    Threads of one channel share the documents of its inbox's totals. Without locks their transactions would conflict in
    the database and run again, which is correct but slow: with 128 users who wrote to one channel at the same time on a
    busy machine, some gave up.
    """
    if not stream_id.startswith(INBOX_PREFIX):
        return ()
    channel_id, _, user_id = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    return (f"inbox {share_of(UserId(user_id))} {channel_id}",)


def opening_lock(stream_id: str) -> tuple[str, ...]:
    """Return the lock of the count of threads that the stream's channel began today; none if it is between users."""
    if not stream_id.startswith(INBOX_PREFIX):
        return ()
    channel_id, _, _ = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    return (f"opened {channel_id}",)


@dataclass(frozen=True, slots=True)
class ListedThread:
    """A thread with the head and the last message of its stream."""

    thread: Thread
    stream: Stream

    @property
    def unread_count(self) -> int:
        """How many messages no reader of the inbox has read."""
        return max(0, self.stream.head_seq - self.thread.read_seq)


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadService:
    """Reads the inboxes of channels and deletes their threads."""

    database: Database
    streams: StreamService
    threads: ThreadStore
    totals: InboxTotalStore
    tags: InboxTagStore
    settings: ConversationSettingsStore
    write_permission: WritePermission
    departures: DepartureLog
    clock: Clock
    delete_of_stream: Sequence[DeleteOfStream] = ()
    """Delete the data that packages above keep about the messages of a thread, when the thread is deleted."""

    async def list_threads(
        self, channel_id: GroupId, *, limit: int, cursor: str | None, tag: str | None = None
    ) -> tuple[list[ListedThread], str | None]:
        """Return a page of the channel's threads, or of those with this tag, by last activity, with two queries.

        The cursor is the position of the last one on the page. Threads that do not move between two pages are neither
        skipped nor repeated, even if others move.
        """
        key = decode_cursor("inbox", cursor, int, str)
        after = (int(key[0]), str(key[1])) if key else None
        threads = await self.threads.list_threads(channel_id, after=after, limit=limit + 1, tag=tag)
        threads, has_more = cut_page(threads, limit)
        streams = await self.streams.heads([thread.dialogue.stream_id for thread in threads])
        listed = [
            ListedThread(thread, stream)
            for thread in threads
            if (stream := streams.get(thread.dialogue.stream_id)) is not None
        ]
        if not has_more:
            return listed, None
        return listed, encode_cursor("inbox", threads[-1].active_ms, threads[-1].user_id)

    async def unread_totals(self, channel_id: GroupId) -> InboxUnread:
        """Return the totals over all threads of the channel, with one query."""
        return await self.totals.find_totals(channel_id)

    async def find_read_seq(self, channel_id: GroupId, user_id: UserId) -> int:
        """How far those who read the channel's inbox have read the user's thread; 0 where there is none."""
        thread = await self.threads.find_thread(channel_id, user_id)
        return thread.read_seq if thread is not None else 0

    async def mark_read(self, dialogue: Dialogue, *, seq: int | None) -> tuple[int, int]:
        """Move the shared cursor forward to `seq`, or to the head. Returns the cursor and the unread count.

        Publishes: ThreadRead, if the cursor moves.
        """
        channel_id = GroupId(dialogue.peer_id)
        own = stream_of(channel_id)

        async def work(tx: Tx) -> tuple[int, int]:
            thread = await self.threads.find_thread(channel_id, dialogue.user_id, tx)
            streams = await self.streams.heads([dialogue.stream_id, own], tx)
            stream = streams.get(dialogue.stream_id)
            if thread is None or stream is None or own not in streams:
                raise ConversationNotFound
            head = stream.head_seq
            target = head if seq is None else min(seq, head)
            if target <= thread.read_seq:
                return thread.read_seq, head - thread.read_seq
            await self.threads.advance_read_cursor(channel_id, dialogue.user_id, target, tx)
            unread_count = head - target
            was_unread = head - thread.read_seq
            await self.totals.add(channel_id, dialogue.user_id, was_unread, unread_count, tx)
            tx.publish(
                ThreadRead(
                    at=self.clock.now(),
                    channel_id=channel_id,
                    user_id=dialogue.user_id,
                    staff=await self.write_permission.staff(dialogue, tx),
                    read_seq=target,
                    unread_count=unread_count,
                )
            )
            return target, unread_count

        return await self.database.run(work, *inbox_locks(dialogue.stream_id))

    async def on_disbanded(self, group: Group, tx: Tx) -> None:
        """Conflict with new threads of a channel that is being deleted (a hook of `groups`)."""
        if group.is_channel:
            await self.threads.touch_guards(group.group_id, tx)

    async def on_stream_ended(self, stream_id: StreamId) -> None:
        """Delete the threads of a deleted channel (a hook of `groups`). Repeating it changes nothing.

        Publishes: ConversationEnded, for each thread.
        """
        channel_id = GroupId(stream_id.removeprefix(_GROUP_PREFIX))
        while threads := await self.threads.list_threads(
            channel_id, after=None, limit=_CLEARED_AT_ONCE
        ):
            for thread in threads:
                if not await self._clear(thread):
                    return
        await self.database.run(lambda tx: self._forget(channel_id, tx))

    async def _clear(self, thread: Thread) -> bool:
        """Delete one thread. Returns False if its channel exists: another process finished, and the id was reused."""
        dialogue, channel_id = thread.dialogue, thread.channel_id
        stream_id = dialogue.stream_id

        async def end(tx: Tx) -> bool:
            if await channel_exists(self.streams, channel_id, tx):
                return False
            # Concurrent messages in it, and changes of its settings, conflict with this.
            is_first = stream_id in await self.streams.heads([stream_id], tx)
            await self.streams.end(stream_id, tx)
            users, conversation_id = [dialogue.user_id], dialogue.conversation_id
            await self.settings.delete_settings(conversation_id, users, tx)
            await self.departures.record_ended_dialogue(
                channel_id, dialogue.user_id, self.clock.now(), tx
            )
            if is_first:  # else it was published before a crash, or by another process
                now, user_id = self.clock.now(), dialogue.user_id
                tx.publish(
                    ConversationEnded(at=now, user_id=user_id, conversation_id=conversation_id)
                )
            return True

        async def step(tx: Tx) -> bool:
            if await channel_exists(self.streams, channel_id, tx):
                return False
            return await self.streams.clear_some(stream_id, tx)

        async def forget(tx: Tx) -> None:
            if not await channel_exists(self.streams, channel_id, tx):
                await self.threads.delete_thread(channel_id, thread.user_id, tx)

        if not await self.database.run(end):
            return False
        while await self.database.run(step):
            pass
        # After the messages: the first reaction to a message writes the message too, so none can be added from now on.
        # The packages above see to further ones.
        for delete_some in self.delete_of_stream:
            await self.streams.delete_remains(stream_id, delete_some)
        # Last: after a crash before this line, the remaining thread leads the next cleanup to what is left.
        await self.database.run(forget)
        return True

    async def _forget(self, channel_id: GroupId, tx: Tx) -> None:
        if not await channel_exists(self.streams, channel_id, tx):
            await self.threads.delete_guards(channel_id, tx)
            await self.totals.delete(channel_id, tx)
            await self.tags.delete(channel_id, tx)
