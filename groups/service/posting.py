"""Posts on their way into a stream: what a caller hands in, and one batch's seqs, posting rate and bytes of uploads."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from groups.errors import StorageQuotaReached
from groups.kernel.actor import Actor
from groups.kernel.errors import FieldTooLong, InvalidRequest, Quota, RateLimited
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import Content, Media, Message, Origin, Stream
from groups.service.media import attached
from groups.store.messages import KeyedMessage
from groups.store.streams import StreamRow

WINDOW_SECONDS: Final = 1.0
"""In so long an empty bucket is full."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a message will hold, its uploads described. `are_uploads_counted`: as used, by whoever kept them for it."""

    content: Content
    silent: bool = False
    origin: Origin | None = None
    are_uploads_counted: bool = False


Take = Callable[[Tx], Awaitable[Prepared]]
"""Fetches what to post from where it is, inside the transaction that posts it, or refuses with a DomainError.

It is asked last, once nothing else stands in the way, and is not asked again when the message is there already: so what
it takes out of its place is posted, and once.
"""


@dataclass(frozen=True, slots=True)
class Post:
    """One message on its way: `key` is the caller's, or made here; `digest` tells other content under the same key.

    `voice`: in whose name the actor writes, where it is not his own.
    """

    actor: Actor
    content: Content | Take
    key: str
    is_callers_key: bool
    digest: str
    silent: bool = False
    voice: UserId | None = None

    @property
    def sender_id(self) -> UserId:
        """Whom the message is from."""
        return self.voice or self.actor.user_id


async def prepared(post: Post, known: Mapping[str, Media], tx: Tx) -> Prepared:
    """What the message will hold; of the uploads that it names, these are `known`.

    Raises: MediaNotFound; WrongMediaKind; and what a `Take` raises.
    """
    if isinstance(post.content, Content):
        return Prepared(attached(post.actor, post.content, known), post.silent)
    return await post.content(tx)


def check_bounds(content: Content, limits: GroupLimits) -> None:
    """Refuse what no message may hold.

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
    """Refuse messages that would carry more than a stream's limit; 0: there is none.

    Raises: StorageQuotaReached.
    """
    if more and limit and used + more > limit:
        raise StorageQuotaReached("channel", limit_bytes=limit, used_bytes=used)


class PostBatch:
    """The seqs and the rate of one batch of posts; `row` None: they begin the stream."""

    def __init__(
        self,
        row: StreamRow | None,
        now: datetime,
        rate: int,
        stream_id: StreamId,
        *,
        media_limit: int = 0,
    ) -> None:
        self.now = now
        self.added: list[KeyedMessage] = []
        self.uploads: list[str] = []
        """Those that the messages use and nobody has counted yet, each as often as they do."""
        self.tokens: float | None = None
        row = row or StreamRow(Stream(stream_id=stream_id), None, None)
        self._stream = row.stream
        self._rate = rate
        self.media_bytes = 0
        """What the messages of the batch carry."""
        self._media_before = row.media_bytes
        self._media_limit = media_limit
        if rate:
            # A bucket of one second's worth: full at first, refilled by the time that passed.
            self.tokens = float(rate)
            if row.tokens is not None and row.tokens_at is not None:
                passed = (now - row.tokens_at).total_seconds()
                if passed >= -WINDOW_SECONDS:
                    self.tokens = min(float(rate), row.tokens + max(0.0, passed) * rate)
                # Else a process stored it whose clock was wrong. As full as it is without one, it refuses nobody for
                # longer than the window, and the next post stores an instant that is right.

    def check_rate(self) -> None:
        """Refuse one message more.

        Raises: RateLimited.
        """
        if self.tokens is not None and self.tokens < 1:
            raise RateLimited(
                f"At most {self._rate} messages a second in one stream",
                retry_after_seconds=(1 - self.tokens) / self._rate,
                quota=Quota("messages", self._rate),
            )

    def check_media(self, content: Content) -> None:
        """Refuse a message whose uploads the stream has no room for.

        Raises: StorageQuotaReached.
        """
        used = self._media_before + self.media_bytes
        check_media_quota(used, content.media_bytes, self._media_limit)

    def add(self, post: Post, prepared: Prepared, signature: str = "") -> KeyedMessage:
        """The message with the next seq; the rate was checked."""
        if self.tokens is not None:
            self.tokens -= 1
        message = Message(
            stream_id=self._stream.stream_id,
            seq=self._stream.head_seq + len(self.added) + 1,
            sender_id=post.sender_id,
            content=prepared.content,
            created_at=self.now,
            silent=prepared.silent,
            signature=signature,
            origin=prepared.origin,
            author_id=post.actor.user_id if post.voice else None,
        )
        self.media_bytes += prepared.content.media_bytes
        if not prepared.are_uploads_counted:
            self.uploads += [attachment.media_id for attachment in prepared.content.media]
        keyed = KeyedMessage(message, post.key, post.digest)
        self.added.append(keyed)
        return keyed
