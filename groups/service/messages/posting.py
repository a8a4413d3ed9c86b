"""Posts on their way into a stream: content, key, the batch that numbers them, and the decisions of a front door."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from groups import policy
from groups.errors import (
    AcknowledgementNotAllowed,
    ButtonsNotAllowed,
    NotReviewed,
    PollNotAllowed,
    StorageQuotaReached,
)
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, FieldTooLong, InvalidRequest
from groups.kernel.events import Event
from groups.kernel.ids import StreamId, UserId, join_key, mint_id
from groups.kernel.mongo import BatchedQuery, Tx
from groups.limits import GroupLimits
from groups.models import Content, LastMessage, Media, Message, Origin, Stream, message_key
from groups.service.media.service import media_ids_of
from groups.service.messages.stream_rates import StreamRate
from groups.store.messages import KeyedMessage, KnownKey
from groups.store.streams import StreamState


@dataclass(frozen=True, slots=True)
class LoadedContent:
    """The content of a message to be, its uploads described.

    `are_uploads_counted`: they count as used already, since somebody kept them for the message.
    """

    content: Content
    silent: bool = False
    origin: Origin | None = None
    are_uploads_counted: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What the hook `before_post` was shown, and what it wants to be stored."""

    shown: Content
    wanted: Content

    def applied_to(self, loaded: LoadedContent) -> LoadedContent:
        """The content to store. Raises: NotReviewed, where another content is loaded than the hook was shown."""
        if loaded.content != self.shown:
            raise NotReviewed
        if self.wanted == self.shown:
            return loaded
        # A forward that was changed is no copy any more, as after an edit.
        return replace(loaded, content=self.wanted, origin=None)


ContentLoader = Callable[[Tx], Awaitable[LoadedContent]]
"""Fetches what to post, inside the transaction that posts it, or refuses with a DomainError.

It is called last, when nothing else refuses the post, and not at all when the message exists already. So a draft that
it deletes is posted, and posted once.
"""


def loaded_once(load: ContentLoader) -> ContentLoader:
    """A loader for several messages of one attempt of a transaction, which loads the content for the first."""
    found: list[LoadedContent] = []

    async def loaded(tx: Tx) -> LoadedContent:
        if not found:
            found.append(await load(tx))
        return found[0]

    return loaded


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


def fingerprint_of(content: Content, *, silent: bool, quoted_seq: int | None = None) -> str:
    """The text that differs where two posts do."""
    quoted = "" if quoted_seq is None else f"quoted {quoted_seq}"
    # What older versions did not know is left out where it is not used: they made the digests of known keys.
    plain = content.model_dump_json(exclude=_unused_in(content))
    return plain + ("silent" if silent else "") + quoted


def _unused_in(content: Content) -> dict[str, Any]:
    """The fields of previews that no link of the content has, and those of the content that it does not use."""
    unused = {
        name
        for name, empty in (("description", ""), ("image", None))
        if all(getattr(link, name) == empty for link in content.links)
    }
    of_links = {"links": {"__all__": unused}} if unused and content.links else {}
    return {**dict.fromkeys(content.unused_fields, True), **of_links}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPost:
    """One message on its way into a stream."""

    actor: Actor
    content: Content | ContentLoader
    key: PostKey
    silent: bool = False
    quoted_seq: int | None = None
    """The earlier message of the stream that it answers."""
    spoken_for: UserId | None = None
    """The sender, where the actor writes in the name of another one."""
    automatic: bool = False
    """The server writes it by a rule; the actor is none, and the message has no author."""
    broadcast_id: str | None = None
    """The broadcast that sends it to many users at once; None: it is written for this stream."""
    peek: ContentLoader | None = None
    """As `content`, and changes nothing: what the hook `before_post` is shown. None: `content` changes nothing."""
    review: Review | None = None
    """The answer of the hook `before_post`; None where there is no hook, or the message is known to be stored."""

    @property
    def sender_id(self) -> UserId:
        return self.spoken_for or self.actor.user_id


def check_bounds(content: Content, limits: GroupLimits) -> None:
    """Refuse content that is too large for a message."""
    if content.poll is not None and len(content.poll.options) > limits.poll_options:
        reason = f"at most {limits.poll_options} options a poll"
        raise InvalidRequest(reason, errors=[{"field": "poll.options", "reason": reason}])
    _check_buttons(content, limits)
    if len(content.links) > limits.links_per_message:
        reason = f"at most {limits.links_per_message} links a message"
        raise InvalidRequest(reason, errors=[{"field": "links", "reason": reason}])
    if len(content.own_media) - (content.poster is not None) > limits.images_per_message:
        reason = f"at most {limits.images_per_message} images a message"
        raise InvalidRequest(reason, errors=[{"field": "images", "reason": reason}])
    limit = limits.message_body_bytes
    if content.size_bytes > limit:
        too_long = "text" if len(content.text.encode()) > limit else "body"
        raise FieldTooLong(too_long, limit)


def _check_buttons(content: Content, limits: GroupLimits) -> None:
    reason = None
    if len(content.buttons) > limits.button_rows:
        reason = f"at most {limits.button_rows} rows of buttons a message"
    elif any(len(row) > limits.buttons_per_row for row in content.buttons):
        reason = f"at most {limits.buttons_per_row} buttons a row"
    if reason is not None:
        raise InvalidRequest(reason, errors=[{"field": "buttons", "reason": reason}])


def check_media_quota(used: int, more: int, limit: int) -> None:
    """Refuse messages with which a stream would carry more bytes of uploads than its limit; 0: there is none."""
    if more and limit and used + more > limit:
        raise StorageQuotaReached("channel", limit_bytes=limit, used_bytes=used)


def kept_days(retention_days: int | None, limits: GroupLimits) -> int | None:
    """How many days messages are kept, by the setting of their group and of the deployment; None: for ever."""
    if retention_days is None:
        return None
    set_days = [days for days in (retention_days, limits.retention_days) if days]
    return min(set_days) if set_days else None


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
        member_count: int | None,
        takes_polls: bool,
        takes_buttons: bool,
        retention_days: int | None,
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
        self.author_id: UserId | None = None
        """Who has read the newest message, as the stream is to tell (`groups.models.Head`)."""
        self.before: Final = state.stream
        """The stream before the batch."""
        self._head_seq = state.stream.head_seq
        self._media_bytes_before = state.media_bytes
        self._media_limit = media_limit
        self._takes_polls = takes_polls
        self._takes_buttons = takes_buttons
        self._kept_days = kept_days(retention_days, limits)
        self._member_count = member_count

    def add(self, post: PendingPost, loaded: LoadedContent, signature: str) -> KeyedMessage:
        """The message with the next seq, its rate having been checked."""
        content = loaded.content
        if content.poll is not None:
            if not self._takes_polls:
                raise PollNotAllowed
            policy.check(policy.closing_time_refusal(content.poll, self.now))
        # What is loaded is a draft of a channel, or a forward, which carries links alone.
        is_written = isinstance(post.content, Content)
        if content.buttons and is_written and not (self._takes_buttons or post.spoken_for):
            raise ButtonsNotAllowed
        if content.acknowledge and not self._takes_polls:
            raise AcknowledgementNotAllowed
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
            quoted_seq=post.quoted_seq,
            author_id=post.actor.user_id if post.spoken_for and not post.automatic else None,
            automatic=post.automatic,
            broadcast_id=post.broadcast_id,
            member_count=self._member_count,
        )
        self.media_bytes += content.media_bytes
        if not loaded.are_uploads_counted:
            self.uncounted_uploads += media_ids_of(content)
        days = self._kept_days
        ends_at = None if days is None else self.now + timedelta(days=days)
        keyed = KeyedMessage(message, post.key.stored, post.key.digest, ends_at)
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
            kind=newest.content.kind if newest.content else None,
        )

    @property
    def newest_seqs(self) -> dict[UserId, int]:
        """The seq of each sender's newest message in the batch."""
        return {added.message.sender_id: added.message.seq for added in self.added}


P = TypeVar("P", bound=PendingPost)
P_contra = TypeVar("P_contra", bound=PendingPost, contravariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StreamsQuery:
    """The streams of a transaction, the messages that its keys posted before, and the uploads that it names."""

    of_states: BatchedQuery[dict[StreamId, StreamState]]
    of_known: BatchedQuery[dict[KnownKey, KeyedMessage]] | None
    of_media: BatchedQuery[dict[str, Media]] | None
    of_quoted: BatchedQuery[dict[str, Message]] | None = None

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries that a front door sends together with its own."""
        optional = self.of_known, self.of_media, self.of_quoted
        return [self.of_states, *(query for query in optional if query is not None)]

    @property
    def states(self) -> Mapping[StreamId, StreamState]:
        """The streams that exist."""
        return self.of_states.result

    @property
    def known(self) -> dict[KnownKey, KeyedMessage]:
        return self.of_known.result if self.of_known is not None else {}

    def quoted_by(self, stream_id: StreamId, post: PendingPost) -> Message | None:
        """The message that the post quotes, if it exists."""
        if self.of_quoted is None or post.quoted_seq is None:
            return None
        return self.of_quoted.result.get(message_key(stream_id, post.quoted_seq))

    @property
    def media(self) -> Mapping[str, Media]:
        return self.of_media.result if self.of_media is not None else {}


class PostTarget(Protocol[P_contra, R_co]):
    """One stream in a transaction: decides who may post, from what was looked up."""

    @property
    def media_limit(self) -> int:
        """The bytes of uploads that the stream may carry; 0: there is no limit."""

    @property
    def takes_polls(self) -> bool:
        """Whether its messages may be polls."""

    @property
    def takes_buttons(self) -> bool:
        """Whether all its messages may have buttons. What is written for another sender, a channel, always may."""

    @property
    def retention_days(self) -> int | None:
        """After how many days the messages end; 0: as the deployment has it; None: with what they belong to."""

    @property
    def member_count(self) -> int | None:
        """The members whom the message is for, as it is to store their number; None: it stores none."""

    def refusal(self, post: P_contra, now: datetime, *, is_repeated: bool) -> DomainError | None:
        """The reason why this post is refused; None: it is allowed. `is_repeated`: its message is there already."""

    def quoting_refusal(self, post: P_contra, quoted: Message | None) -> DomainError | None:
        """The reason why the post may not quote this message, None being one that does not exist; None: it may."""

    def signature_of(self, post: P_contra) -> str:
        """The name that the message is signed with; empty: none."""

    def result(self, post: P_contra, message: Message, *, is_new: bool) -> R_co:
        """The answer to this post; `is_new`: this transaction adds the message."""

    def event_of(self, message: Message, now: datetime) -> Event:
        """The event that adding this message publishes, as the hook `before_post` is shown it."""


class PostTargets(Protocol[P_contra, R_co]):
    """All streams of a transaction, which share its commands."""

    def target_of(self, stream_id: StreamId) -> PostTarget[P_contra, R_co] | type[DomainError]:
        """The stream; the class of the error for all posts to it where it does not exist."""

    async def record(self, batches: Sequence[PostBatch], tx: Tx) -> None:
        """Write what changes along with the streams and their messages, and publish the messages.

        `batches` are those of the streams that get messages. Their streams and messages are not written yet.
        """


OpenStreams = Callable[
    [Mapping[StreamId, Sequence[P]], StreamsQuery, Tx], Awaitable[PostTargets[P, R]]
]
"""Opens the streams of a transaction: sends the given queries, best with all that it must know in one command."""
