"""Posting to any stream: the queue, the batch and the storing, which all kinds of streams share.

A front door decides who may post, and what changes along with the messages (`PostTarget`); the rest happens here. There
are two: `MessageService` for groups, and in a higher package `DialogueService` for one-to-one messages.

Promises:
    Dense seqs (P2): posts to one stream share transactions, and head and messages change in one of them.
    Once (P6): a post whose key is known answers the message of the first time.
    Flat cost (P8): a batch costs the same few database commands for any number of posts and of readers. The posting
    rate is a token bucket in the stream's document, which every post writes anyway, so it holds across processes.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from groups.errors import StorageQuotaReached
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, FieldTooLong, IdempotencyConflict, InvalidRequest
from groups.kernel.group_commit import GroupCommit, LocksOf, OnBatch
from groups.kernel.ids import StreamId, UserId, join_key, mint_id
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.limits import GroupLimits
from groups.models import Content, LastMessage, Media, Message, Origin, Stream
from groups.service.media.service import attached, media_ids_of
from groups.service.messages.stream_rates import StreamRate
from groups.store.media import MediaStore
from groups.store.messages import KeyedMessage, MessageStore
from groups.store.streams import StreamState, StreamStore

# --- posts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadedContent:
    """What a message will hold, its uploads described.

    `are_uploads_counted`: they count as used already, since somebody kept them for the message.
    """

    content: Content
    silent: bool = False
    origin: Origin | None = None
    are_uploads_counted: bool = False


ContentLoader = Callable[[Tx], Awaitable[LoadedContent]]
"""Fetches what to post, inside the transaction that posts it, or refuses with a DomainError.

It is called last, when nothing else refuses the post, and not at all when the message exists already. So a draft that
it deletes is posted, and posted once.
"""


@dataclass(frozen=True, slots=True)
class PostKey:
    """Tells a repeated post from a new one."""

    stored: str
    """The key that is stored with the message."""
    digest: str
    """Of the content: other content under the same key is a conflict."""
    is_callers: bool = True
    """Whether a caller may have used it before; one that we made is known only to a transaction that runs again."""


def post_key(key: str | None, fingerprint: str, *, shared_by: UserId | None = None) -> PostKey:
    """The key for a caller's idempotency key, or one of our own where there is none.

    `fingerprint` differs where the content does. `shared_by`: the author, where several write under one sender.
    """
    # Our own: a batch whose outcome is unknown runs again, and must find what it stored.
    stored = f"c:{key}" if key else f"s:{mint_id()}"
    if key and shared_by is not None:
        stored = join_key(stored, shared_by)
    return PostKey(stored, digest_of(fingerprint), is_callers=bool(key))


def digest_of(text: str) -> str:
    """A short digest, by which content under one idempotency key is compared."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint_of(content: Content, *, silent: bool) -> str:
    """The text that differs where two posts do."""
    return content.model_dump_json() + ("silent" if silent else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPost:
    """One message on its way into a stream."""

    actor: Actor
    content: Content | ContentLoader
    key: PostKey
    silent: bool = False
    spoken_for: UserId | None = None
    """The sender, where the actor writes in the name of another one."""

    @property
    def sender_id(self) -> UserId:
        """The sender that the message shows."""
        return self.spoken_for or self.actor.user_id


def check_bounds(content: Content, limits: GroupLimits) -> None:
    """Refuse content that is too large for a message.

    Raises: InvalidRequest; FieldTooLong.
    """
    if len(content.links) > limits.links_per_message:
        reason = f"at most {limits.links_per_message} links a message"
        raise InvalidRequest(reason, errors=[{"field": "links", "reason": reason}])
    if len(content.media) > limits.images_per_message:
        reason = f"at most {limits.images_per_message} images a message"
        raise InvalidRequest(reason, errors=[{"field": "images", "reason": reason}])
    limit = limits.message_body_bytes
    if content.size_bytes > limit:
        too_long = "text" if len(content.text.encode()) > limit else "body"
        raise FieldTooLong(too_long, limit)


def check_media_quota(used: int, more: int, limit: int) -> None:
    """Refuse messages with which a stream would carry more bytes of uploads than its limit; 0: there is none.

    Raises: StorageQuotaReached.
    """
    if more and limit and used + more > limit:
        raise StorageQuotaReached("channel", limit_bytes=limit, used_bytes=used)


class PostBatch:
    """The posts of one transaction: their seqs, and the rest of the stream's rate and quota."""

    def __init__(
        self,
        stream_id: StreamId,
        state: StreamState | None,
        now: datetime,
        limits: GroupLimits,
        *,
        media_limit: int,
    ) -> None:
        self.stream_id = stream_id
        self.now = now
        self.is_new_stream = state is None
        state = state or StreamState(Stream(stream_id=stream_id), None)
        self.rate = StreamRate(state.left, now, limits)
        self.added: list[KeyedMessage] = []
        self.uncounted_uploads: list[str] = []
        """The uploads that nobody has counted yet, each as often as the messages use it."""
        self.media_bytes = 0
        """The bytes of uploads that the messages of the batch carry."""
        self._head_seq = state.stream.head_seq
        self._media_bytes_before = state.media_bytes
        self._media_limit = media_limit

    def add(self, post: PendingPost, loaded: LoadedContent, signature: str) -> KeyedMessage:
        """The message with the next seq, its rate having been checked.

        Raises: StorageQuotaReached.
        """
        content = loaded.content
        used = self._media_bytes_before + self.media_bytes
        check_media_quota(used, content.media_bytes, self._media_limit)
        self.rate.take(content)
        message = Message(
            stream_id=self.stream_id,
            seq=self._head_seq + len(self.added) + 1,
            sender_id=post.sender_id,
            content=content,
            created_at=self.now,
            silent=loaded.silent,
            signature=signature,
            origin=loaded.origin,
            author_id=post.actor.user_id if post.spoken_for else None,
        )
        self.media_bytes += content.media_bytes
        if not loaded.are_uploads_counted:
            self.uncounted_uploads += media_ids_of(content)
        keyed = KeyedMessage(message, post.key.stored, post.key.digest)
        self.added.append(keyed)
        return keyed

    @property
    def last(self) -> LastMessage:
        """The newest message, as lists show it."""
        newest = self.added[-1].message
        return LastMessage(
            seq=newest.seq,
            sender_id=newest.sender_id,
            preview=newest.content.preview if newest.content else "",
            at=newest.created_at,
        )

    @property
    def newest_seqs(self) -> dict[UserId, int]:
        """The seq of each sender's newest message in the batch."""
        return {added.message.sender_id: added.message.seq for added in self.added}


# --- streams ------------------------------------------------------------------------------------------------------

P = TypeVar("P", bound=PendingPost)
P_contra = TypeVar("P_contra", bound=PendingPost, contravariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """The stream of a batch, the messages that its keys posted before, and the uploads that it names."""

    of_state: BatchedQuery[StreamState | None]
    of_known: BatchedQuery[dict[tuple[UserId, str], KeyedMessage]]
    of_media: BatchedQuery[dict[str, Media]] | None

    @property
    def lookups(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to look up, behind the query for the group: where that finds nothing, neither do these."""
        found = self.of_state, self.of_known
        return found if self.of_media is None else (*found, self.of_media)

    @property
    def media(self) -> Mapping[str, Media]:
        """The uploads that were found."""
        return self.of_media.found if self.of_media is not None else {}


class PostTarget(Protocol[P_contra, R_co]):
    """One stream in a transaction: decides who may post, and writes what changes along with the messages."""

    @property
    def media_limit(self) -> int:
        """The bytes of uploads that the stream may carry; 0: there is no limit."""
        ...

    def refusal(self, post: P_contra, now: datetime, *, is_repeated: bool) -> DomainError | None:
        """The reason why this post is refused; None: it is allowed. `is_repeated`: its message is there already."""
        ...

    def signature_of(self, post: P_contra) -> str:
        """The name that the message is signed with; empty: none."""
        ...

    def result(self, post: P_contra, message: Message) -> R_co:
        """The answer to this post."""
        ...

    async def before_append(self, batch: PostBatch, tx: Tx) -> None:
        """Write the changes that must come before the messages."""
        ...

    async def after_append(self, batch: PostBatch, tx: Tx) -> None:
        """Write the changes that depend on the messages, and publish the messages."""
        ...


OpenPostTarget = Callable[
    [Sequence[P], StreamQuery, Tx], Awaitable[PostTarget[P, R] | type[DomainError]]
]
"""Opens the stream of a batch of posts, and looks up the given query.

Returns the class of the error for all posts where the stream does not exist.
"""


class PostQueue(Generic[P, R]):
    """Posts of one front door; those to one stream share transactions."""

    def __init__(
        self,
        database: Database,
        streams: StreamStore,
        messages: MessageStore,
        media: MediaStore,
        limits: GroupLimits,
        clock: Clock,
        open_target: OpenPostTarget[P, R],
        *,
        name: str,
        on_batch: OnBatch | None,
        locks_of: LocksOf,
    ) -> None:
        self._database = database
        self._streams = streams
        self._messages = messages
        self._media = media
        self._limits = limits
        self._clock = clock
        self._open_target = open_target
        self._commits: GroupCommit[P, R] = GroupCommit(
            database, self._apply, name=name, on_batch=on_batch, locks_of=locks_of
        )

    async def submit(self, stream_id: StreamId, post: P) -> R:
        """Add a message to the stream; a post with a key that was used before answers the first message.

        Raises: the target's refusals; FieldTooLong, InvalidRequest; MediaNotFound, WrongMediaKind; what a
        `ContentLoader` raises; RateLimited; StorageQuotaReached; IdempotencyConflict.
        """
        if isinstance(post.content, Content):
            check_bounds(post.content, self._limits)
        return await self._commits.submit(stream_id, post)

    async def preview(self, stream_id: StreamId, post: P) -> R:
        """The answer that the post would get, under the next seq; nothing is stored.

        Raises: as `submit`, but for the rate.
        """
        if isinstance(post.content, Content):
            check_bounds(post.content, self._limits)

        async def work(tx: Tx) -> R:
            query = self._query(stream_id, [post], tx)
            target = await self._open_target([post], query, tx)
            if isinstance(target, type):
                raise target
            batch = self._begin(stream_id, query, target)
            refusal = target.refusal(post, batch.now, is_repeated=False)
            if refusal is not None:
                raise refusal
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
        batch, known = self._begin(stream_id, query, target), query.of_known.found
        outcomes: list[R | DomainError] = []
        for post in posts:
            has_deleted_draft = False
            try:
                first = known.get((post.sender_id, post.key.stored))
                refusal = target.refusal(post, batch.now, is_repeated=first is not None)
                if refusal is not None:
                    raise refusal
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
        keys = [(p.sender_id, p.key.stored) for p in posts if p.key.is_callers or tx.attempt]
        uploads = {
            i for p in posts if isinstance(p.content, Content) for i in media_ids_of(p.content)
        }
        return StreamQuery(
            self._streams.lookup(stream_id),
            self._messages.lookup_by_keys(stream_id, keys),
            self._media.lookup_many(uploads) if uploads else None,
        )

    def _begin(
        self, stream_id: StreamId, query: StreamQuery, target: PostTarget[P, R]
    ) -> PostBatch:
        state, now = query.of_state.found, self._clock.now()
        return PostBatch(stream_id, state, now, self._limits, media_limit=target.media_limit)

    async def close(self) -> None:
        """Wait until every submitted post is committed or refused."""
        await self._commits.close()


async def _load(post: PendingPost, media: Mapping[str, Media], tx: Tx) -> LoadedContent:
    if isinstance(post.content, Content):
        return LoadedContent(attached(post.actor, post.content, media), post.silent)
    return await post.content(tx)
