"""Message streams: posting, edits, deletions, pages, their end, which all kinds of streams share.

`MessageService` and `EditService` stand on it for the streams of groups, `conversations` for those of one-to-one
messages. It checks nobody's rights: its callers do, in the same transaction where there is one. A front door decides
who may post, and what changes along with the messages (`posting.PostTargets`); the queue does the rest.

Promises:
    Dense seqs (P2): posts to one stream share transactions, and head and messages change in one of them.
    Once (P6): a post whose key is known answers the message of the first time.
    Flat cost (P8): a batch costs the same few database commands for any number of posts and of readers. The posting
    rate is a token bucket in the stream's document, which every post writes anyway, so it holds across processes.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from groups import policy
from groups.errors import ButtonsNotAllowed, MessageRecalled, NotReviewed
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, LocksOf, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, IdempotencyConflict
from groups.kernel.events import Event
from groups.kernel.ids import StreamId
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.kernel.paging import json_size
from groups.limits import GroupLimits
from groups.models import Content, Media, Message, Stream, message_key
from groups.service.hooks import (
    BeforePostHook,
    DeleteOfStream,
    Proposal,
    ReactionsClosedHook,
    RecalledHook,
)
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
    OpenStreams,
    P,
    PendingPost,
    PostBatch,
    PostTarget,
    R,
    Review,
    StreamsQuery,
    check_bounds,
    check_media_quota,
)
from groups.service.messages.stream_changes import StreamChanges
from groups.service.write_locks import message_change_locks, stream_lock
from groups.store.media import MediaStore
from groups.store.messages import KnownKey, MessageStore
from groups.store.streams import Advance, StreamState, StreamStore

REVIEWS: Final = 3
"""How often a message is reviewed if it changes each time meanwhile."""
STEP: Final = 1_000  # messages a transaction: short enough not to hold others up


class ChangeTarget(Protocol):
    """One message as a transaction finds it that may change it."""

    @property
    def message(self) -> Message:
        """The message before the change."""

    @property
    def takes_buttons(self) -> bool:
        """Whether an edit may give it buttons."""

    async def record(self, changed: Message, now: datetime, tx: Tx) -> None:
        """Log and publish the change: `changed` is edited, or recalled."""

    def event_of(self, changed: Message, now: datetime) -> Event:
        """The event that the edit publishes, as the hook `before_post` is shown it."""


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
    recalled: Sequence[RecalledHook] = ()
    before_post: BeforePostHook | None = None
    """Reviews every message, and every edit, before it is stored. None costs nothing."""

    def post_queue(
        self,
        open_streams: OpenStreams[P, R],
        *,
        name: str,
        on_batch: OnBatch | None = None,
        locks_of: LocksOf = lambda stream_id: (stream_lock(StreamId(stream_id)),),
    ) -> "PostQueue[P, R]":
        """The queue of a front door; `name` is what metrics call it."""
        return PostQueue(self, open_streams, name=name, on_batch=on_batch, locks_of=locks_of)

    async def post_all(
        self, posts: Mapping[StreamId, Sequence[P]], open_streams: OpenStreams[P, R], tx: Tx
    ) -> dict[StreamId, list[R | DomainError]]:
        """Add messages to these streams, in the caller's transaction; a refusal is one post's own.

        It costs the same few commands for any number of streams. The caller has called `check_bounds`.
        """
        query = self._query(posts, tx)
        targets = await open_streams(posts, query, tx)
        needs_review = self.before_post is not None
        media, now = query.media, self.clock.now()
        outcomes: dict[StreamId, list[R | DomainError]] = {}
        batches: list[PostBatch] = []
        for stream_id, of_stream in posts.items():
            target = targets.target_of(stream_id)
            if isinstance(target, type):
                outcomes[stream_id] = [target() for _ in of_stream]
                continue
            batch = self._batch_of(stream_id, target, query.states.get(stream_id), now)
            outcomes[stream_id] = [
                await _decide(post, target, batch, query, tx, needs_review=needs_review)
                for post in of_stream
            ]
            if batch.added:
                batches.append(batch)
        if batches:
            await targets.record(batches, tx)
            self.streams.advance(
                [
                    Advance(
                        stream_id=b.stream_id,
                        is_new=b.is_new_stream,
                        last=b.last,
                        left=b.rate.left,
                        media_bytes=b.media_bytes,
                        author_id=b.author_id,
                    )
                    for b in batches
                ],
                tx,
            )
            self.messages.insert_messages((added for b in batches for added in b.added), tx)
            await self._use([i for b in batches for i in b.uncounted_uploads], media, tx)
        return outcomes

    async def preview(self, stream_id: StreamId, post: P, open_streams: OpenStreams[P, R]) -> R:
        """The answer that the post would get, under the next seq; nothing is stored, and no rate applies."""

        async def work(tx: Tx) -> R:
            query = self._query({stream_id: [post]}, tx)
            target = (await open_streams({stream_id: [post]}, query, tx)).target_of(stream_id)
            if isinstance(target, type):
                raise target
            now = self.clock.now()
            batch = self._batch_of(stream_id, target, query.states.get(stream_id), now)
            policy.check(target.refusal(post, now, is_repeated=False))
            _check_quote(post, target, query, stream_id)
            loaded = await _load(post, query.media, tx)
            added = batch.add(post, loaded, target.signature_of(post))
            return target.result(post, added.message, is_new=True)

        return await self.database.run(work)

    def _batch_of(
        self,
        stream_id: StreamId,
        target: PostTarget[P, R],
        state: StreamState | None,
        now: datetime,
    ) -> PostBatch:
        return PostBatch(
            stream_id,
            state,
            now,
            self.limits,
            media_limit=target.media_limit,
            member_count=target.member_count,
            takes_polls=target.takes_polls,
            takes_buttons=target.takes_buttons,
            retention_days=target.retention_days,
        )

    async def reviewed(self, stream_id: StreamId, post: P, open_streams: OpenStreams[P, R]) -> P:
        """The post with the answer of the hook `before_post`; as it is, if its message is stored already.

        Raises: what refuses the post; MessageRefused; ReviewUnavailable.
        """
        [outcome] = (await self._proposals({stream_id: [post]}, open_streams)).values()
        if isinstance(outcome, DomainError):
            raise outcome
        return post if outcome is None else replace(post, review=await self._ask(outcome))

    async def review_of_any(
        self, posts: Mapping[StreamId, Sequence[P]], open_streams: OpenStreams[P, R]
    ) -> Review | None:
        """The answer of the hook about one message that goes to many streams, shown as it is in the first of them.

        None where none of them gets a new message. Raises: MessageRefused; ReviewUnavailable.
        """
        for outcome in (await self._proposals(posts, open_streams)).values():
            if isinstance(outcome, Proposal):
                return await self._ask(outcome)
        return None

    async def _proposals(
        self, posts: Mapping[StreamId, Sequence[P]], open_streams: OpenStreams[P, R]
    ) -> dict[StreamId, Proposal | DomainError | None]:
        """What the one post to each stream would store; its refusal; None if its message is stored already."""

        async def work(tx: Tx) -> dict[StreamId, Proposal | DomainError | None]:
            query = self._query(posts, tx)
            targets, now = await open_streams(posts, query, tx), self.clock.now()
            outcomes: dict[StreamId, Proposal | DomainError | None] = {}
            for stream_id, [post] in posts.items():
                target = targets.target_of(stream_id)
                if isinstance(target, type):
                    outcomes[stream_id] = target()
                    continue
                batch = self._batch_of(stream_id, target, query.states.get(stream_id), now)
                known_as = KnownKey(stream_id, post.sender_id, post.key.stored)
                is_known = known_as in query.known
                try:
                    policy.check(target.refusal(post, now, is_repeated=is_known))
                    if is_known:
                        outcomes[stream_id] = None
                        continue
                    batch.rate.check()
                    _check_quote(post, target, query, stream_id)
                    shown = post if post.peek is None else replace(post, content=post.peek)
                    loaded = await _load(shown, query.media, tx)
                    message = batch.add(post, loaded, target.signature_of(post)).message
                    event = target.event_of(message, now)
                    outcomes[stream_id] = Proposal(post.actor, event, message)
                except DomainError as error:
                    outcomes[stream_id] = error
            return outcomes

        return await self.database.run(work)

    async def _ask(self, proposal: Proposal) -> Review:
        assert self.before_post is not None, "its callers look first"
        shown = proposal.message.content
        assert shown is not None, "it is not deleted"
        # The place of the request is for others meanwhile: the hook is another machine's work.
        slot = REQUEST_SLOT.get()
        if slot is not None:
            slot.leave()
        try:
            wanted = await self.before_post(proposal)
        finally:
            if slot is not None:
                slot.come_back()
        check_bounds(wanted, self.limits)
        return Review(shown, wanted)

    def _query(self, posts: Mapping[StreamId, Sequence[P]], tx: Tx) -> StreamsQuery:
        keys, uploads, quoted = list[KnownKey](), set[str](), set[str]()
        for stream_id, of_stream in posts.items():
            for post in of_stream:
                if post.key.is_callers or tx.is_retry:
                    keys.append(KnownKey(stream_id, post.sender_id, post.key.stored))
                if isinstance(post.content, Content) and post.content.media:
                    uploads.update(media_ids_of(post.content))
                if post.quoted_seq is not None:
                    quoted.add(message_key(stream_id, post.quoted_seq))
        return StreamsQuery(
            self.streams.query_states(posts),
            self.messages.query_by_keys(keys) if keys else None,
            self.media.query_media(uploads) if uploads else None,
            self.messages.query_by_ids(quoted) if quoted else None,
        )

    async def _use(self, media_ids: Sequence[str], known: Mapping[str, Media], tx: Tx) -> None:
        """Count the uses of uploads; a forward's are not among the known ones."""
        if all(media_id in known for media_id in media_ids):
            self.media.use_known(media_ids, known, tx)
        else:
            await self.media.use(media_ids, tx)

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
        if self.before_post is not None:
            content = await self._reviewed_edit(actor, content, open_message)

        async def work(tx: Tx) -> tuple[Message, T]:
            target = await open_message(tx)
            message = target.message
            if message.recalled_at is not None:
                raise MessageRecalled
            new = await self._described(actor, message, content, tx)
            if message.content == new:
                return message, target
            now = self.clock.now()
            _check_poll(message, new, now)
            if new.buttons and not target.takes_buttons:
                raise ButtonsNotAllowed
            # An edited forward is no copy any more, so it must not name where it came from.
            edited = message.model_copy(update={"content": new, "edited_at": now, "origin": None})
            edited = await self._replace(message, edited, now, tx, media_limit=media_limit)
            await target.record(edited, now, tx)
            return edited, target

        return await self.database.run(work, *message_change_locks(stream_id, seq))

    async def close_poll(self, message: Message, now: datetime, tx: Tx) -> Message:
        """Close the poll of this message at this instant; returns the message as stored. It does not count as edited.

        The caller announces it, and has votes that do not see it conflict with the transaction.
        """
        content = message.content
        assert content is not None, "its caller looks first"
        assert content.poll is not None, "its caller looks first"
        poll = content.poll.model_copy(update={"closes_at": now})
        closed = message.model_copy(update={"content": content.model_copy(update={"poll": poll})})
        closed = await self.changes.record(message, closed, now, tx)
        await self.messages.set_content(closed, content, tx, is_announced=True)
        return closed

    async def list_closing_polls(self, limit: int) -> list[tuple[StreamId, int]]:
        """The streams and seqs of polls whose closing time has come and is not announced, the earliest first."""
        return await self.messages.list_closing(self.clock.now(), limit)

    async def find_next_closing(self) -> datetime | None:
        """The closing time of the next poll, or of one that is not announced yet; None where there is none."""
        return await self.messages.find_next_closing()

    async def take_closed_poll(
        self, stream_id: StreamId, seq: int, now: datetime, tx: Tx
    ) -> Message | None:
        """The message whose poll has closed, for `tx` to announce; None where another transaction did."""
        return await self.messages.take_closing(stream_id, seq, now, tx)

    async def _reviewed_edit(
        self, actor: Actor, content: Content, open_message: OpenMessage[T]
    ) -> Content:
        """The content that the hook `before_post` wants for the edited message."""

        async def work(tx: Tx) -> Proposal | None:
            target = await open_message(tx)
            message = target.message
            if message.recalled_at is not None:
                raise MessageRecalled
            new = await self._described(actor, message, content, tx)
            if message.content == new:
                return None
            now = self.clock.now()
            _check_poll(message, new, now)
            if new.buttons and not target.takes_buttons:
                raise ButtonsNotAllowed
            edited = message.model_copy(update={"content": new, "edited_at": now, "origin": None})
            return Proposal(actor, target.event_of(edited, now), edited, is_edit=True)

        proposal = await self.database.run(work)
        # The content is the caller's, so what is stored afterwards is what was shown.
        return content if proposal is None else (await self._ask(proposal)).wanted

    async def recall(
        self, stream_id: StreamId, seq: int, open_message: OpenMessage[T], *more_locks: str
    ) -> None:
        """Delete a message for everyone: its content goes, its seq stays. Doing it again changes nothing.

        `more_locks` are of messages that the target writes too.
        """
        await self.database.run(
            lambda tx: self.recall_in(stream_id, seq, open_message, tx),
            *message_change_locks(stream_id, seq),
            *more_locks,
        )

    async def recall_in(
        self, stream_id: StreamId, seq: int, open_message: OpenMessage[T], tx: Tx
    ) -> None:
        """As `recall`, in the caller's transaction, which holds the locks."""
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
        for on_recalled in self.recalled:
            await on_recalled(message, tx)
        await target.record(recalled, now, tx)

    async def _described(self, actor: Actor, message: Message, content: Content, tx: Tx) -> Content:
        """The new content with its uploads described: the editor's own, or those that the message has already.

        Whether it asks to be acknowledged stays as it was posted.
        """
        asks = message.content is not None and message.content.acknowledge
        if content.acknowledge != asks:
            content = content.model_copy(update={"acknowledge": asks})
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
        await self.messages.set_content(changed, old, tx)
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

    def add_comments(self, more: Mapping[str, int], tx: Tx) -> None:
        """Add to the number of comments under these messages, or subtract (`MessageStore.add_comments`)."""
        self.messages.add_comments(more, tx)

    async def recount_comments(
        self, stream_id: StreamId, seq: int, comments_id: StreamId, tx: Tx
    ) -> tuple[int, int]:
        """Count the comments under a message again, which are in the other stream; the counts before and after."""
        return await self.messages.recount_comments(stream_id, seq, comments_id, tx)

    def query_messages(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, Message]]:
        """The messages of any streams with these keys, by key, as a query to send together with others."""
        return self.messages.query_by_ids(message_ids)

    async def heads(
        self, stream_ids: Sequence[StreamId], tx: Tx | None = None
    ) -> Mapping[StreamId, Stream]:
        """The streams that exist among these, with their last messages; a hidden channel has none."""
        if not stream_ids:
            return {}
        return await self.streams.find_many(stream_ids, tx, with_hidden=False)

    def query_streams(self, stream_ids: Sequence[StreamId]) -> BatchedQuery[dict[StreamId, Stream]]:
        """As `heads`, as a query to send together with others."""
        return self.streams.query_streams(stream_ids)

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
    """Posts of one front door; those that wait at the same time share transactions, whatever their streams."""

    def __init__(
        self,
        streams: StreamService,
        open_streams: OpenStreams[P, R],
        *,
        name: str,
        on_batch: OnBatch | None,
        locks_of: LocksOf,
    ) -> None:
        self._streams = streams
        self._open_streams = open_streams
        self._commits: GroupCommit[P, R] = GroupCommit(
            streams.database, self._apply, name=name, on_batch=on_batch, locks_of=locks_of
        )

    async def submit(self, stream_id: StreamId, post: P) -> R:
        """Add a message to the stream; a post with a key that was used before answers the first message."""
        if isinstance(post.content, Content):
            check_bounds(post.content, self._streams.limits)
        if self._streams.before_post is not None:
            return await self._submit_reviewed(stream_id, post)
        return await self._commits.submit(stream_id, post)

    async def _submit_reviewed(self, stream_id: StreamId, post: P) -> R:
        for _ in range(REVIEWS - 1):
            reviewed = await self._streams.reviewed(stream_id, post, self._open_streams)
            # A draft or a message to forward may have been edited during the review: then it is reviewed again.
            with suppress(NotReviewed):
                return await self._commits.submit(stream_id, reviewed)
        reviewed = await self._streams.reviewed(stream_id, post, self._open_streams)
        return await self._commits.submit(stream_id, reviewed)

    async def preview(self, stream_id: StreamId, post: P) -> R:
        """The answer that the post would get; nothing is stored."""
        if isinstance(post.content, Content):
            check_bounds(post.content, self._streams.limits)
        return await self._streams.preview(stream_id, post, self._open_streams)

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[P]]
    ) -> Mapping[str, Sequence[R | DomainError]]:
        posts = {StreamId(key): of_stream for key, of_stream in batch.items()}
        outcomes = await self._streams.post_all(posts, self._open_streams, tx)
        return {str(stream_id): of_stream for stream_id, of_stream in outcomes.items()}

    async def close(self) -> None:
        await self._commits.close()


async def _decide(
    post: P,
    target: PostTarget[P, R],
    batch: PostBatch,
    query: StreamsQuery,
    tx: Tx,
    *,
    needs_review: bool,
) -> R | DomainError:
    """Number the post's message and note it as known, or find the one that it repeats; the answer, or the refusal."""
    known = query.known
    known_as = KnownKey(batch.stream_id, post.sender_id, post.key.stored)
    has_deleted_draft = False
    try:
        first = known.get(known_as)
        is_new = first is None
        policy.check(target.refusal(post, batch.now, is_repeated=not is_new))
        if first is None:
            batch.rate.check()
            _check_quote(post, target, query, batch.stream_id)
            loaded = await _load(post, query.media, tx)
            has_deleted_draft = loaded.are_uploads_counted
            if needs_review:
                # However a message came here, without a review it is not stored.
                if post.review is None:
                    raise NotReviewed
                loaded = post.review.applied_to(loaded)
            first = known[known_as] = batch.add(post, loaded, target.signature_of(post))
        elif first.digest != post.key.digest:
            raise IdempotencyConflict
        return target.result(post, first.message, is_new=is_new)
    except DomainError as error:
        if has_deleted_draft:
            # The transaction is rolled back, so that the draft that was deleted for this post comes back.
            raise
        return error


def _check_quote(
    post: P, target: PostTarget[P, R], query: StreamsQuery, stream_id: StreamId
) -> None:
    if post.quoted_seq is not None:
        policy.check(target.quoting_refusal(post, query.quoted_by(stream_id, post)))


def _check_poll(message: Message, new: Content, now: datetime) -> None:
    before = message.content.poll if message.content is not None else None
    policy.check(policy.poll_editing_refusal(before, new.poll, now))


async def _load(post: PendingPost, media: Mapping[str, Media], tx: Tx) -> LoadedContent:
    if isinstance(post.content, Content):
        return LoadedContent(describe_media(post.actor, post.content, media), post.silent)
    return await post.content(tx)
