"""What all message streams have in common, whoever may write to them: bounds, seqs, pages, edits, recalls, their end.

`MessageService` guards the streams of groups with it, `conversations` those of one-to-one messages. It asks nobody's
rights: whoever calls has done so, in the same transaction where it is one. A stream begins with `begin`, or with its
group; its messages get dense seqs (P2), since head and messages change together.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import StreamId, UserId, join_key, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.limits import GroupLimits
from groups.models import Content, LastMessage, Media, Message, Stream
from groups.service.hooks import DeleteOfStream
from groups.service.media.service import attached, kept_as_own, media_ids_of
from groups.service.messages.batch import (
    ContentLoader,
    PendingPost,
    PostBatch,
    check_bounds,
    check_media_quota,
)
from groups.service.messages.stream_rates import StreamRates
from groups.store.media import MediaStore
from groups.store.messages import KeyedMessage, MessageStore
from groups.store.streams import StreamStore

STEP: Final = 1_000  # messages a transaction: short enough not to hold others up

Known = dict[tuple[UserId, str], KeyedMessage]
"""Messages by their sender and idempotency key."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream as a batch finds it: where it goes on, what was posted under the batch's keys, the uploads it names."""

    batch: PostBatch
    is_new: bool
    known: Known
    media: Mapping[str, Media]


class StreamService:
    """Message streams of one database."""

    def __init__(
        self,
        database: Database,
        streams: StreamStore,
        messages: MessageStore,
        media: MediaStore,
        rates: StreamRates,
        limits: GroupLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._streams = streams
        self._messages = messages
        self._media = media
        self._rates = rates
        self._limits = limits
        self._clock = clock

    # --- write ----------------------------------------------------------------------------------------------------

    def entry(
        self,
        actor: Actor,
        content: Content,
        key: str | None,
        *,
        silent: bool = False,
        voice: UserId | None = None,
    ) -> PendingPost:
        """What the actor wants to add; `voice`: in whose name, where it is not his own.

        Raises: FieldTooLong; InvalidRequest.
        """
        self.check_bounds(content)
        said = content.model_dump_json() + ("silent" if silent else "")
        return self.entry_of(actor, content, said, key, silent=silent, voice=voice)

    @staticmethod
    def entry_of(
        actor: Actor,
        content: Content | ContentLoader,
        said: str,
        key: str | None,
        *,
        silent: bool = False,
        voice: UserId | None = None,
    ) -> PendingPost:
        """As `entry`, also of what a `ContentLoader` will fetch; `said` tells other things under the same key."""
        # A key of our own when the caller has none: a batch whose outcome is unknown runs again, and must find itself.
        stored = f"c:{key}" if key else f"s:{mint_id()}"
        if key and voice is not None:
            stored = join_key(stored, actor.user_id)  # several may speak with one voice
        return PendingPost(actor, content, stored, bool(key), digest_of(said), silent, voice)

    def check_bounds(self, content: Content) -> None:
        """Refuse what no message may hold.

        Raises: FieldTooLong; InvalidRequest.
        """
        check_bounds(content, self._limits)

    async def open(self, stream_id: StreamId, posts: Sequence[PendingPost], tx: Tx) -> Opened:
        """The stream as these posts find it, begun or not: one command."""
        keys = [(p.sender_id, p.key) for p in posts if p.is_callers_key or tx.attempt]
        named = {
            i for p in posts if isinstance(p.content, Content) for i in media_ids_of(p.content)
        }
        of_row = self._streams.lookup(stream_id)
        of_known = self._messages.lookup_by_keys(stream_id, keys)
        await self._database.look_up(tx, of_row, of_known)
        row = of_row.found
        media = await self._media.find_many(named, tx) if named else {}
        batch = PostBatch(row, self._clock.now(), self._limits, stream_id)
        return Opened(batch, row is None, of_known.found, media)

    async def begin(self, stream_id: StreamId, tx: Tx) -> None:
        """Begin a stream that is known not to be there; two who begin it at once conflict, and one goes on with it."""
        await self._streams.insert(Stream(stream_id=stream_id), tx)

    async def append(self, batch: PostBatch, tx: Tx) -> None:
        """Store what was added to the batch: head, messages, and that they use their uploads."""
        newest = batch.added[-1].message
        await self._streams.advance(
            newest.stream_id, _last(newest), batch.rate.left, batch.media_bytes, tx
        )
        await self._messages.insert_messages(batch.added, tx)
        await self._media.use(batch.uploads, tx)

    async def described(self, actor: Actor, message: Message, content: Content, tx: Tx) -> Content:
        """The new content with its uploads described: the editor's own, or those that the message has already.

        Raises: MediaNotFound; WrongMediaKind.
        """
        if not content.media:
            return content
        found = await self._media.find_many(media_ids_of(content), tx)
        return attached(actor, content, kept_as_own(actor, found, media_ids_of(message.content)))

    async def replace(
        self,
        message: Message,
        changed: Message,
        now: datetime,
        tx: Tx,
        *,
        media_limit: int = 0,
    ) -> None:
        """Store an edited or recalled message, the line that lists show of it, and which uploads it uses now.

        Raises: RateLimited; StorageQuotaReached, for an edit after which the stream would carry more than the limit.
        """
        await self._rates.take(changed, now, tx)
        new, old = changed.content, message.content
        more = (new.media_bytes if new else 0) - (old.media_bytes if old else 0)
        if more:
            before = await self._streams.add_media_bytes(message.stream_id, more, tx)
            if more > 0:
                check_media_quota(before, more, media_limit)
        await self._messages.set_content(changed, tx)
        if message.pinned_at != changed.pinned_at:
            await self._streams.set_pin(changed, tx)
            await self._messages.set_marks(changed, tx)
        await self._streams.replace_preview(changed, new.preview if new else "", tx)
        await self._media.use(media_ids_of(new), tx)
        await self._media.release(media_ids_of(message.content), now, tx)

    async def count_all_media_bytes(self) -> None:
        """Count the bytes of uploads that each stream carries, while nobody posts; for an older database."""
        await self._streams.count_all_media_bytes()

    # --- read -----------------------------------------------------------------------------------------------------

    async def page(
        self,
        stream_id: StreamId,
        *,
        floor: int = 0,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        cursor: str | None = None,
    ) -> tuple[list[Message], str | None]:
        """A page of messages behind the `floor`, newest first, and the cursor to the next.

        The newest, those before a seq, or the ones right after a seq; the cursor goes on in the same direction. At most
        `limit`, and as many as fit into a page. Raises: BadCursor.
        """
        before_seq, after_seq = self.place(cursor, before_seq, after_seq)
        is_forward = after_seq is not None
        read = await self._messages.read_messages(
            stream_id,
            above=max(floor, after_seq or 0),
            below=before_seq,
            limit=limit + 1,
            oldest_first=is_forward,
        )
        return self.cut(
            read or (), floor=floor, limit=limit, is_forward=is_forward, size_of=json_size
        )

    @staticmethod
    def place(
        cursor: str | None, before_seq: int | None, after_seq: int | None
    ) -> tuple[int | None, int | None]:
        """Before which seq, or after which, a page is: where a cursor says so, that counts.

        Raises: BadCursor.
        """
        key = decode_cursor("messages", cursor, str, int)
        if key is None:
            return before_seq, after_seq
        direction, seq = key
        return (before_seq, int(seq)) if direction == "after" else (int(seq), after_seq)

    @staticmethod
    def cut(
        read: Sequence[Message],
        *,
        floor: int,
        limit: int,
        is_forward: bool = False,
        size_of: Callable[[Message], int] | None = None,
    ) -> tuple[list[Message], str | None]:
        """The page, newest first, of the first `limit + 1` messages in its direction, and the cursor to the next.

        What is not above the floor is left out: newest first it comes last, so the page is as if asked for above it.
        Without `size_of`, the page may have more bytes than a page should, and whoever renders it cuts it.
        """
        visible = [message for message in read if message.seq > floor] if floor else read
        messages, has_more = cut_page(visible, limit, size_of)
        next_cursor = None
        if has_more:
            seq = messages[-1].seq
            next_cursor = (
                encode_cursor("messages", "after", seq) if is_forward else cursor_before(seq)
            )
        if is_forward:
            messages.reverse()
        return messages, next_cursor

    async def newest(
        self, stream_id: StreamId, *, below: int | None, limit: int
    ) -> Sequence[Message]:
        """The newest messages before a seq, newest first; a list that others may hold too."""
        found = await self._messages.read_messages(
            stream_id, above=0, below=below, limit=limit, oldest_first=False
        )
        return found or ()

    async def find(self, stream_id: StreamId, seq: int, tx: Tx | None = None) -> Message | None:
        """The message with this seq."""
        return await self._messages.find(stream_id, seq, tx)

    async def hold(self, stream_id: StreamId, seq: int, tx: Tx) -> Message | None:
        """A message to which the caller's transaction adds something.

        The message is written, so that recalling it or clearing its stream away conflicts with the transaction.
        """
        return await self._messages.touch(stream_id, seq, tx)

    async def heads(
        self, stream_ids: Sequence[StreamId], tx: Tx | None = None
    ) -> Mapping[StreamId, Stream]:
        """Those of the streams that exist, with their last messages."""
        return await self._streams.find_many(stream_ids, tx) if stream_ids else {}

    # --- end ------------------------------------------------------------------------------------------------------

    async def end(self, stream_id: StreamId, tx: Tx) -> None:
        """End the stream; its messages are to be cleared away (`clear_some`). Ending it twice changes nothing."""
        await self._streams.delete(stream_id, tx)

    async def clear_some(self, stream_id: StreamId, tx: Tx) -> bool:
        """Delete up to `STEP` messages of an ended stream and release their uploads; whether there were any."""
        deleted, used = await self._messages.delete_some(stream_id, STEP, tx)
        await self._media.release(used, self._clock.now(), tx)
        return deleted > 0

    async def exists(self, stream_id: StreamId, tx: Tx) -> bool:
        """Whether the stream exists: until its group is disbanded, or its conversation ends."""
        return await self._streams.find(stream_id, tx) is not None

    async def delete_remains(self, stream_id: StreamId, delete_some: DeleteOfStream) -> None:
        """Delete in steps what another package keeps about the messages of an ended stream.

        Repeating it changes nothing. Raises: Unavailable.
        """

        async def step(tx: Tx) -> int:
            # A stream that exists is the stream of a new group of the same id: another process has finished here, and
            # what is there now must stay. One snapshot shows both.
            return 0 if await self.exists(stream_id, tx) else await delete_some(stream_id, tx)

        while await self._database.run(step):
            pass


def cursor_before(seq: int) -> str:
    """The cursor to the messages before this one."""
    return encode_cursor("messages", "before", seq)


def digest_of(said: str) -> str:
    """What tells other content under the same idempotency key."""
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _last(message: Message) -> LastMessage:
    return LastMessage(
        seq=message.seq,
        sender_id=message.sender_id,
        preview=message.content.preview if message.content else "",
        at=message.created_at,
    )
