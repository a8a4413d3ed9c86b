"""Message streams: posting, edits, deletions, pages, their end, which all kinds of streams share.

`MessageService` and `EditService` stand on it for the streams of groups, `conversations` for those of one-to-one
messages. It checks nobody's rights: its callers do, in the same transaction where there is one. A front door decides
who may post, and what changes along with the messages (`posting.PostTarget`); the queue does the rest.

Promises:
    Dense seqs (P2): posts to one stream share transactions, and head and messages change in one of them.
    Once (P6): a post whose key is known answers the message of the first time.
    Flat cost (P8): a batch costs the same few database commands for any number of posts and of readers. The posting
    rate is a token bucket in the stream's document, which every post writes anyway, so it holds across processes.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from groups import policy
from groups.errors import MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, IdempotencyConflict
from groups.kernel.group_commit import GroupCommit, LocksOf, OnBatch, each_key
from groups.kernel.ids import StreamId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.kernel.paging import json_size
from groups.limits import GroupLimits
from groups.models import Content, Media, Message, Stream
from groups.service.hooks import DeleteOfStream, ReactionsClosedHook
from groups.service.media.service import describe_media, media_ids_of, own_kept_media
from groups.service.messages.pages import (
    StreamPage,
    WantedPage,
    bounds_around,
    cut_around,
    cut_changes,
    cut_messages,
)
from groups.service.messages.posting import (
    LoadedContent,
    ManyPostsTarget,
    OpenPostTarget,
    P,
    PendingPost,
    PostBatch,
    PostTarget,
    R,
    StreamQuery,
    check_bounds,
    check_media_quota,
)
from groups.service.messages.stream_changes import StreamChanges
from groups.service.write_locks import message_change_locks, stream_lock
from groups.store.media import MediaStore
from groups.store.messages import MessageStore
from groups.store.streams import Advance, StreamState, StreamStore

STEP: Final = 1_000  # messages a transaction: short enough not to hold others up


class ChangeTarget(Protocol):
    """One message as a transaction finds it that may change it."""

    @property
    def message(self) -> Message:
        """The message before the change."""

    async def record(self, changed: Message, now: datetime, tx: Tx) -> None:
        """Log and publish the change: `changed` is edited, or recalled."""


OpenManyPostsTarget = Callable[
    [Mapping[StreamId, P], Mapping[StreamId, StreamState], Tx], Awaitable[ManyPostsTarget[P, R]]
]
"""Opens several streams, those of which that exist being known."""

T = TypeVar("T", bound=ChangeTarget)

OpenMessage = Callable[[Tx], Awaitable[T]]
"""Finds the message that the actor wants to change; raises the refusal where they may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamService:
    """The message streams of one database."""

    database: Database
    streams: StreamStore
    messages: MessageStore
    media: MediaStore
    changes: StreamChanges
    limits: GroupLimits
    clock: Clock
    reactions_closed: Sequence[ReactionsClosedHook] = ()

    def post_queue(
        self,
        open_target: OpenPostTarget[P, R],
        *,
        name: str,
        on_batch: OnBatch | None = None,
        locks_of: LocksOf = lambda stream_id: (stream_lock(StreamId(stream_id)),),
    ) -> "PostQueue[P, R]":
        """The queue of a front door; `name` is what metrics call it."""
        return PostQueue(self, open_target, name=name, on_batch=on_batch, locks_of=locks_of)

    async def begin(self, stream_id: StreamId, tx: Tx) -> None:
        """Begin a stream that is known not to exist; of two transactions that begin it at once, one runs again."""
        await self.streams.insert(Stream(stream_id=stream_id), tx)

    async def begin_all(self, stream_ids: Sequence[StreamId], tx: Tx) -> None:
        """Begin streams as `begin` does, with one command."""
        await self.streams.insert_streams([Stream(stream_id=each) for each in stream_ids], tx)

    async def post_each(
        self,
        posts: Mapping[StreamId, P],
        open_target: OpenManyPostsTarget[P, R],
        tx: Tx,
    ) -> dict[StreamId, R | DomainError]:
        """Add one message to each of these streams, in the caller's transaction; a refusal is one stream's own.

        It costs the same few commands for any number of streams. The caller has called `check_bounds`.
        """
        states = await self.streams.find_states(posts, tx)
        keyed = {
            stream_id: (post.sender_id, post.key.stored)
            for stream_id, post in posts.items()
            if stream_id in states and (post.key.is_callers or tx.is_retry)
        }
        known = await self.messages.find_by_keys(keyed, tx)
        contents = [post.content for post in posts.values()]
        uploads = {i for c in contents if isinstance(c, Content) for i in media_ids_of(c)}
        media = await self.media.find_uploads(uploads, tx) if uploads else {}
        target = await open_target(posts, states, tx)
        now = self.clock.now()
        outcomes: dict[StreamId, R | DomainError] = {}
        batches: list[PostBatch] = []
        for stream_id, post in posts.items():
            batch = PostBatch(stream_id, states.get(stream_id), now, self.limits, media_limit=0)
            try:
                first = known.get(stream_id)
                policy.check(target.refusal(post, is_repeated=first is not None))
                if first is None:
                    batch.rate.check()
                    first = batch.add(post, await _load(post, media, tx), "")
                    batches.append(batch)
                elif first.digest != post.key.digest:
                    raise IdempotencyConflict
                outcomes[stream_id] = target.result(post, first.message)
            except DomainError as error:
                outcomes[stream_id] = error
        if batches:
            await target.before_append(batches, tx)
            await self.streams.advance_streams(
                [Advance(b.stream_id, b.last, b.rate.left, b.media_bytes) for b in batches], tx
            )
            added = [message for batch in batches for message in batch.added]
            await self.messages.insert_messages(added, tx)
            await self.media.use([i for b in batches for i in b.uncounted_uploads], tx)
            await target.after_append(batches, tx)
        return outcomes

    async def edit(
        self,
        actor: Actor,
        stream_id: StreamId,
        seq: int,
        content: Content,
        open_message: OpenMessage[T],
        *,
        media_limit: int = 0,
    ) -> tuple[Message, T]:
        """Replace a message's content; the same content again changes nothing and records nothing.

        Returns the message after the edit, and the target that `open_message` found. `media_limit` bounds the bytes of
        uploads that the stream carries; 0: no limit.
        """
        check_bounds(content, self.limits)

        async def work(tx: Tx) -> tuple[Message, T]:
            target = await open_message(tx)
            message = target.message
            if message.recalled_at is not None:
                raise MessageRecalled
            new = await self._described(actor, message, content, tx)
            if message.content == new:
                return message, target
            now = self.clock.now()
            # An edited forward is no copy any more, so it must not name where it came from.
            edited = message.model_copy(update={"content": new, "edited_at": now, "origin": None})
            edited = await self._replace(message, edited, now, tx, media_limit=media_limit)
            await target.record(edited, now, tx)
            return edited, target

        return await self.database.run(work, *message_change_locks(stream_id, seq))

    async def recall(self, stream_id: StreamId, seq: int, open_message: OpenMessage[T]) -> None:
        """Delete a message for everyone: its content goes, its seq stays. Doing it again changes nothing."""

        async def work(tx: Tx) -> None:
            target = await open_message(tx)
            message = target.message
            if message.recalled_at is not None:
                return
            now = self.clock.now()
            gone = {"content": None, "recalled_at": now, "pinned_at": None}
            recalled = message.model_copy(update=gone)
            recalled = await self._replace(message, recalled, now, tx)
            for hook in self.reactions_closed:
                await hook(stream_id, seq, tx)
            await target.record(recalled, now, tx)

        await self.database.run(work, *message_change_locks(stream_id, seq))

    async def _described(self, actor: Actor, message: Message, content: Content, tx: Tx) -> Content:
        """The new content with its uploads described: the editor's own, or those that the message has already."""
        if not content.media:
            return content
        found = await self.media.find_uploads(media_ids_of(content), tx)
        return describe_media(
            actor, content, own_kept_media(actor, found, media_ids_of(message.content))
        )

    async def _replace(
        self, message: Message, changed: Message, now: datetime, tx: Tx, *, media_limit: int = 0
    ) -> Message:
        """Store the message, what its stream shows of it, and its uploads; returns it with its version."""
        changed = await self.changes.record(message, changed, now, tx)
        new, old = changed.content, message.content
        more = (new.media_bytes if new else 0) - (old.media_bytes if old else 0)
        if more:
            before = await self.streams.add_media_bytes(message.stream_id, more, tx)
            if more > 0:
                check_media_quota(before, more, media_limit)
        await self.messages.set_content(changed, tx)
        if message.pinned_at != changed.pinned_at:
            await self.messages.set_marks(changed, tx)
        await self.media.use(media_ids_of(new), tx)
        await self.media.release(media_ids_of(old), now, tx)
        return changed

    async def count_all_media_bytes(self) -> None:
        """Count the bytes of uploads that each stream carries, for an older database; nobody may post meanwhile."""
        await self.streams.count_all_media_bytes()

    async def page(
        self,
        stream_id: StreamId,
        wanted: WantedPage,
        *,
        floor: int = 0,
        first_unread_seq: int | None = None,
    ) -> StreamPage:
        """The wanted page of the messages above the `floor`, with one query. Raises: BadCursor.

        `first_unread_seq`: the seq after the last one that the reader has read, maybe beyond the head. None: they have
        no cursor here, and get the newest messages instead of those around it.
        """
        wanted, limit = wanted.resolved(), wanted.limit
        if wanted.changed_since is not None:
            since = wanted.changed_since
            changed = await self.messages.read_changed(stream_id, since=since, limit=limit + 1)
            return cut_changes(changed, since=since, floor=floor, limit=limit)
        seq = first_unread_seq if wanted.around_unread else wanted.around_seq
        if seq is not None:
            seq = max(seq, floor + 1)
            below, number = bounds_around(seq, limit)
            read = await self.messages.read_messages(
                stream_id, above=floor, below=below, limit=number, oldest_first=False
            )
            page = cut_around(read or (), seq=seq, floor=floor, limit=limit)
            is_unread = wanted.around_unread and any(each.seq == seq for each in page.messages)
            return replace(page, first_unread_seq=seq) if is_unread else page
        is_forward = wanted.after_seq is not None
        read = await self.messages.read_messages(
            stream_id,
            above=max(floor, wanted.after_seq or 0),
            below=wanted.before_seq,
            limit=limit + 1,
            oldest_first=is_forward,
        )
        messages, next_cursor = cut_messages(
            read or (), floor=floor, limit=limit, is_forward=is_forward, size_of=json_size
        )
        return StreamPage(messages=messages, next_cursor=next_cursor)

    async def newest(
        self, stream_id: StreamId, *, below: int | None, limit: int
    ) -> Sequence[Message]:
        """The newest messages before a seq, newest first; the list may be shared with other readers."""
        found = await self.messages.read_messages(
            stream_id, above=0, below=below, limit=limit, oldest_first=False
        )
        return found or ()

    async def find(self, stream_id: StreamId, seq: int, tx: Tx | None = None) -> Message | None:
        return await self.messages.find(stream_id, seq, tx)

    async def touch_message(self, stream_id: StreamId, seq: int, tx: Tx) -> Message | None:
        """The message with this seq, to which the caller's transaction adds something.

        The message is written, so that deleting it or clearing its stream away conflicts with the transaction.
        """
        return await self.messages.touch(stream_id, seq, tx)

    def touch_messages(self, message_ids: Iterable[str], tx: Tx) -> None:
        """Do as `touch_message` does to these messages, with the other writes of the transaction."""
        self.messages.touch_many(message_ids, tx)

    def query_messages(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, Message]]:
        """The messages of any streams with these keys, by key, as a query to send together with others."""
        return self.messages.query_by_ids(message_ids)

    async def heads(
        self, stream_ids: Sequence[StreamId], tx: Tx | None = None
    ) -> Mapping[StreamId, Stream]:
        """The streams that exist among these, with their last messages."""
        return await self.streams.find_many(stream_ids, tx) if stream_ids else {}

    async def end(self, stream_id: StreamId, tx: Tx) -> None:
        """End the stream; `clear_some` then deletes its messages. Ending it twice changes nothing."""
        await self.streams.delete(stream_id, tx)

    async def clear_some(self, stream_id: StreamId, tx: Tx) -> bool:
        """Delete up to `STEP` messages of an ended stream and release their uploads; returns whether there were any."""
        deleted, used = await self.messages.delete_some(stream_id, STEP, tx)
        await self.media.release(used, self.clock.now(), tx)
        return deleted > 0

    async def exists(self, stream_id: StreamId, tx: Tx) -> bool:
        """Whether the stream exists: until its group is disbanded, or its conversation ends."""
        return await self.streams.find(stream_id, tx) is not None

    async def delete_remains(self, stream_id: StreamId, delete_some: DeleteOfStream) -> None:
        """Delete in steps what another package keeps about the messages of an ended stream; idempotent."""

        async def step(tx: Tx) -> int:
            # A stream that exists is the stream of a new group of the same id: another process has finished here, and
            # what is there now must stay. One snapshot shows both.
            return 0 if await self.exists(stream_id, tx) else await delete_some(stream_id, tx)

        while await self.database.run(step):
            pass


class PostQueue(Generic[P, R]):
    """Posts of one front door; those to one stream share transactions."""

    def __init__(
        self,
        streams: StreamService,
        open_target: OpenPostTarget[P, R],
        *,
        name: str,
        on_batch: OnBatch | None,
        locks_of: LocksOf,
    ) -> None:
        self._database = streams.database
        self._streams = streams.streams
        self._messages = streams.messages
        self._media = streams.media
        self._limits = streams.limits
        self._clock = streams.clock
        self._open_target = open_target
        self._commits: GroupCommit[P, R] = GroupCommit(
            streams.database, each_key(self._apply), name=name, on_batch=on_batch, locks_of=locks_of
        )

    async def submit(self, stream_id: StreamId, post: P) -> R:
        """Add a message to the stream; a post with a key that was used before answers the first message."""
        if isinstance(post.content, Content):
            check_bounds(post.content, self._limits)
        return await self._commits.submit(stream_id, post)

    async def preview(self, stream_id: StreamId, post: P) -> R:
        """The answer that the post would get, under the next seq; nothing is stored, and no rate applies."""
        if isinstance(post.content, Content):
            check_bounds(post.content, self._limits)

        async def work(tx: Tx) -> R:
            query = self._query(stream_id, [post], tx)
            target = await self._open_target([post], query, tx)
            if isinstance(target, type):
                raise target
            batch = self._begin(stream_id, query, target)
            policy.check(target.refusal(post, batch.now, is_repeated=False))
            loaded = await _load(post, query.media, tx)
            added = batch.add(post, loaded, target.signature_of(post))
            return target.result(post, added.message)

        return await self._database.run(work)

    async def _apply(self, tx: Tx, key: str, posts: Sequence[P]) -> Sequence[R | DomainError]:
        stream_id = StreamId(key)
        query = self._query(stream_id, posts, tx)
        target = await self._open_target(posts, query, tx)
        if isinstance(target, type):
            return [target() for _ in posts]
        batch, known = self._begin(stream_id, query, target), query.of_known.result
        outcomes: list[R | DomainError] = []
        for post in posts:
            has_deleted_draft = False
            try:
                first = known.get((post.sender_id, post.key.stored))
                policy.check(target.refusal(post, batch.now, is_repeated=first is not None))
                if first is None:
                    batch.rate.check()
                    loaded = await _load(post, query.media, tx)
                    has_deleted_draft = loaded.are_uploads_counted
                    first = batch.add(post, loaded, target.signature_of(post))
                    known[post.sender_id, post.key.stored] = first
                elif first.digest != post.key.digest:
                    raise IdempotencyConflict
                outcomes.append(target.result(post, first.message))
            except DomainError as error:
                if has_deleted_draft:
                    # The transaction is rolled back, so that the draft that was deleted for this post comes back.
                    raise
                outcomes.append(error)
        if batch.added:
            await target.before_append(batch, tx)
            left = batch.rate.left
            await self._streams.advance(stream_id, batch.last, left, batch.media_bytes, tx)
            await self._messages.insert_messages(batch.added, tx)
            await self._media.use(batch.uncounted_uploads, tx)
            await target.after_append(batch, tx)
        return outcomes

    def _query(self, stream_id: StreamId, posts: Sequence[P], tx: Tx) -> StreamQuery:
        keys = [(p.sender_id, p.key.stored) for p in posts if p.key.is_callers or tx.is_retry]
        uploads = {
            i for p in posts if isinstance(p.content, Content) for i in media_ids_of(p.content)
        }
        return StreamQuery(
            self._streams.query_stream(stream_id),
            self._messages.query_by_keys(stream_id, keys),
            self._media.query_media(uploads) if uploads else None,
        )

    def _begin(
        self, stream_id: StreamId, query: StreamQuery, target: PostTarget[P, R]
    ) -> PostBatch:
        state, now = query.of_state.result, self._clock.now()
        return PostBatch(stream_id, state, now, self._limits, media_limit=target.media_limit)

    async def close(self) -> None:
        await self._commits.close()


async def _load(post: PendingPost, media: Mapping[str, Media], tx: Tx) -> LoadedContent:
    if isinstance(post.content, Content):
        return LoadedContent(describe_media(post.actor, post.content, media), post.silent)
    return await post.content(tx)
