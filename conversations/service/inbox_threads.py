"""Threads: a channel's side of its dialogues, which all who read its inbox share.

It asks for no actor's rights; who calls it has (`channels.service.inbox`). A channel that ends takes its threads along:
from the transaction that disbands it nobody finds them any more, and they are cleared away in the background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.errors import ConversationNotFound
from conversations.events import ConversationEnded, ThreadRead
from conversations.models import Dialogue, InboxUnread, Thread
from conversations.service.inbox_locks import inbox_locks
from conversations.service.write_permission import WritePermission
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import Group, Stream, stream_of
from groups.service.hooks import DeleteOfStream
from groups.service.messages.stream import StreamService

_CLEARED_AT_ONCE: Final = 100
_GROUP_PREFIX: Final = stream_of(GroupId(""))


@dataclass(frozen=True, slots=True)
class ShownThread:
    """A thread with its stream's head and last message."""

    thread: Thread
    stream: Stream

    @property
    def unread_count(self) -> int:
        """How many messages nobody of the channel has read."""
        return max(0, self.stream.head_seq - self.thread.read_seq)


class ThreadService:
    """The inboxes of channels."""

    def __init__(
        self,
        database: Database,
        streams: StreamService,
        threads: ThreadStore,
        totals: InboxTotalStore,
        overlays: ConversationSettingsStore,
        admission: WritePermission,
        clock: Clock,
        *,
        delete_of_stream: Sequence[DeleteOfStream] = (),
    ) -> None:
        """`delete_of_stream`: what packages above keep about the messages of a thread, deleted with it."""
        self._database = database
        self._streams = streams
        self._threads = threads
        self._totals = totals
        self._overlays = overlays
        self._admission = admission
        self._clock = clock
        self._delete_of_stream = delete_of_stream

    async def list_threads(
        self, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[ShownThread], str | None]:
        """A page of the channel's threads, by last activity, and the cursor to the next: two queries.

        The cursor is the place of the last one shown, so others may move meanwhile without hiding or repeating any that
        did not. Raises: BadCursor.
        """
        key = decode_cursor("inbox", cursor, int, str)
        after = (int(key[0]), str(key[1])) if key else None
        threads = await self._threads.list_of_channel(channel_id, after=after, limit=limit + 1)
        threads, has_more = cut_page(threads, limit)
        streams = await self._streams.heads([thread.dialogue.stream_id for thread in threads])
        shown = [
            ShownThread(thread, stream)
            for thread in threads
            if (stream := streams.get(thread.dialogue.stream_id)) is not None
        ]
        if not has_more:
            return shown, None
        return shown, encode_cursor("inbox", threads[-1].active_ms, threads[-1].user_id)

    async def unread(self, channel_id: GroupId) -> InboxUnread:
        """The totals over all the channel's threads: one query, however many there are."""
        return await self._totals.read(channel_id)

    async def read(self, dialogue: Dialogue, *, seq: int | None) -> tuple[int, int]:
        """Move the shared cursor to `seq`, or to the head; backwards or again it stays and nothing is published.

        Answers where it is, and how many are unread. Publishes: ThreadRead. Raises: ConversationNotFound.
        """
        channel_id = GroupId(dialogue.peer_id)
        own = stream_of(channel_id)

        async def work(tx: Tx) -> tuple[int, int]:
            thread = await self._threads.find(channel_id, dialogue.user_id, tx)
            streams = await self._streams.heads([dialogue.stream_id, own], tx)
            stream = streams.get(dialogue.stream_id)
            if thread is None or stream is None or own not in streams:
                raise ConversationNotFound
            head = stream.head_seq
            target = head if seq is None else min(seq, head)
            if target <= thread.read_seq:
                return thread.read_seq, head - thread.read_seq
            await self._threads.read(channel_id, dialogue.user_id, target, tx)
            before, after = head - thread.read_seq, head - target
            await self._totals.add(channel_id, dialogue.user_id, before, after, tx)
            tx.publish(
                ThreadRead(
                    at=self._clock.now(),
                    channel_id=channel_id,
                    user_id=dialogue.user_id,
                    staff=await self._admission.inbox_rules.staff(channel_id, tx),
                    read_seq=target,
                    unread_count=head - target,
                )
            )
            return target, head - target

        return await self._database.run(work, *inbox_locks(dialogue.stream_id))

    # --- the channel's end ----------------------------------------------------------------------------------------

    async def on_disbanded(self, group: Group, tx: Tx) -> None:
        """Let no thread begin in a channel that is just ending (a hook of `groups`)."""
        if group.is_channel:
            await self._threads.touch_guards(group.group_id, tx)

    async def on_stream_ended(self, stream_id: StreamId) -> None:
        """Clear away the threads of a disbanded channel (a hook of `groups`); again changes nothing more.

        Publishes: ConversationEnded, for each.
        """
        channel_id = GroupId(stream_id.removeprefix(_GROUP_PREFIX))
        while threads := await self._threads.list_of_channel(
            channel_id, after=None, limit=_CLEARED_AT_ONCE
        ):
            for thread in threads:
                if not await self._clear(thread):
                    return
        await self._database.run(lambda tx: self._forget(channel_id, tx))

    async def _clear(self, thread: Thread) -> bool:
        """Clear one thread away; False where its channel lives, since another process finished and the id was taken."""
        dialogue = thread.dialogue
        stream_id, own = dialogue.stream_id, stream_of(thread.channel_id)

        async def end(tx: Tx) -> bool:
            if own in await self._streams.heads([own], tx):
                return False
            # Whoever writes into it, or sets something on it, meanwhile conflicts with this.
            is_first = stream_id in await self._streams.heads([stream_id], tx)
            await self._streams.end(stream_id, tx)
            users, conversation_id = [dialogue.user_id], dialogue.conversation_id
            await self._overlays.delete_of_members(conversation_id, users, tx)
            if is_first:  # else it was told before a crash, or by another process that clears too
                now = self._clock.now()
                tx.publish(
                    ConversationEnded(
                        at=now, user_id=dialogue.user_id, conversation_id=conversation_id
                    )
                )
            return True

        async def step(tx: Tx) -> bool:
            if own in await self._streams.heads([own], tx):
                return False
            return await self._streams.clear_some(stream_id, tx)

        async def forget(tx: Tx) -> None:
            if own not in await self._streams.heads([own], tx):
                await self._threads.delete(thread.channel_id, thread.user_id, tx)

        if not await self._database.run(end):
            return False
        while await self._database.run(step):
            pass
        # After the messages: who adds something to one writes it too, so none is added from now on.
        for delete_some in self._delete_of_stream:
            await self._streams.delete_remains(stream_id, delete_some)
        # Last: a crash before this line leaves the thread, by which the next one who clears finds what is left.
        await self._database.run(forget)
        return True

    async def _forget(self, channel_id: GroupId, tx: Tx) -> None:
        own = stream_of(channel_id)
        if own not in await self._streams.heads([own], tx):
            await self._threads.delete_guards(channel_id, tx)
            await self._totals.delete(channel_id, tx)
