"""Posts on their way into a stream: what a caller hands in, and one batch's seqs, posting rate and bytes of uploads."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from groups.errors import StorageQuotaReached
from groups.kernel.actor import Actor
from groups.kernel.errors import FieldTooLong, InvalidRequest
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import Content, Media, Message, Origin, Stream
from groups.service.media.service import describe_media
from groups.service.messages.stream_rates import StreamRate
from groups.store.messages import KeyedMessage
from groups.store.streams import StreamRow


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a message will hold, its uploads described. `are_uploads_counted`: as used, by whoever kept them for it."""

    content: Content
    silent: bool = False
    origin: Origin | None = None
    are_uploads_counted: bool = False


ContentLoader = Callable[[Tx], Awaitable[Prepared]]
"""Fetches what to post from where it is, inside the transaction that posts it, or refuses with a DomainError.

It is asked last, once nothing else stands in the way, and is not asked again when the message is there already: so what
it takes out of its place is posted, and once.
"""


@dataclass(frozen=True, slots=True)
class PendingPost:
    """One message on its way: `key` is the caller's, or made here; `digest` tells other content under the same key.

    `voice`: in whose name the actor writes, where it is not his own.
    """

    actor: Actor
    content: Content | ContentLoader
    key: str
    is_callers_key: bool
    digest: str
    silent: bool = False
    voice: UserId | None = None

    @property
    def sender_id(self) -> UserId:
        """Whom the message is from."""
        return self.voice or self.actor.user_id


async def prepared(post: PendingPost, known: Mapping[str, Media], tx: Tx) -> Prepared:
    """What the message will hold; of the uploads that it names, these are `known`.

    Raises: MediaNotFound; WrongMediaKind; and what a `ContentLoader` raises.
    """
    if isinstance(post.content, Content):
        return Prepared(describe_media(post.actor, post.content, known), post.silent)
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
        limits: GroupLimits,
        stream_id: StreamId,
        *,
        media_limit: int = 0,
    ) -> None:
        self.now = now
        self.added: list[KeyedMessage] = []
        self.uploads: list[str] = []
        """Those that the messages use and nobody has counted yet, each as often as they do."""
        row = row or StreamRow(Stream(stream_id=stream_id), None)
        self._stream = row.stream
        self.rate = StreamRate(row.left, now, limits)
        self.media_bytes = 0
        """What the messages of the batch carry."""
        self._media_before = row.media_bytes
        self._media_limit = media_limit

    def check_media(self, content: Content) -> None:
        """Refuse a message whose uploads the stream has no room for.

        Raises: StorageQuotaReached.
        """
        used = self._media_before + self.media_bytes
        check_media_quota(used, content.media_bytes, self._media_limit)

    def add(self, post: PendingPost, prepared: Prepared, signature: str = "") -> KeyedMessage:
        """The message with the next seq; the rate was checked."""
        self.rate.take(prepared.content)
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
