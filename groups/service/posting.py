"""Posts on their way into a stream: what a caller hands in, and one batch's seqs and posting rate."""

from dataclasses import dataclass
from datetime import datetime

from groups.kernel.actor import Actor
from groups.kernel.errors import RateLimited
from groups.models import Content, Message
from groups.store.messages import KeyedMessage, StreamRow


@dataclass(frozen=True, slots=True)
class Post:
    """One message on its way: `key` is the caller's, or made here; `digest` tells other content under the same key."""

    actor: Actor
    content: Content
    key: str
    is_callers_key: bool
    digest: str


class PostBatch:
    """The seqs and the rate of one batch of posts."""

    def __init__(self, row: StreamRow, now: datetime, rate: int) -> None:
        self.now = now
        self.added: list[KeyedMessage] = []
        self.tokens: float | None = None
        self._stream = row.stream
        self._rate = rate
        if rate:
            # A bucket of one second's worth: full at first, refilled by the time that passed.
            self.tokens = float(rate)
            if row.tokens is not None and row.tokens_at is not None:
                passed = max(0.0, (now - row.tokens_at).total_seconds())
                self.tokens = min(float(rate), row.tokens + passed * rate)

    def add(self, post: Post) -> KeyedMessage:
        """The message with the next seq.

        Raises: RateLimited.
        """
        if self.tokens is not None:
            if self.tokens < 1:
                raise RateLimited(
                    f"At most {self._rate} messages a second in one group",
                    retry_after_seconds=(1 - self.tokens) / self._rate,
                )
            self.tokens -= 1
        message = Message(
            stream_id=self._stream.stream_id,
            seq=self._stream.head_seq + len(self.added) + 1,
            sender_id=post.actor.user_id,
            content=post.content,
            created_at=self.now,
        )
        keyed = KeyedMessage(message, post.key, post.digest)
        self.added.append(keyed)
        return keyed
