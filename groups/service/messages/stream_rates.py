"""Limits how many messages, and how many bytes of them, one stream sends its listeners in a second.

Each limit is a token bucket in the stream's document, so it is exact across processes. Posts, edits (also pins and
frozen reactions, which send the message again) and deletions have a bucket each: a flood of one does not stop the
others.

Bytes are those of the content as JSON, which is how listeners get it. One message may overdraw them: it is accepted
while any bytes are left, and the next one waits until the overdraft has refilled.
"""

from datetime import datetime
from typing import Final

from groups.kernel.errors import RateLimit, RateLimited
from groups.limits import GroupLimits
from groups.models import Content
from groups.store.streams import Allowance

BURST_SECONDS: Final = 8  # of bytes that may come at once: 40 of the largest messages
WINDOW_SECONDS: Final = 1.0  # how far ahead another process's clock may be


class StreamRate:
    """One bucket at an instant; `left` None: it is full."""

    def __init__(self, left: Allowance | None, now: datetime, limits: GroupLimits) -> None:
        self._now = now
        self._messages_rate = limits.posts_per_second
        self._bytes_rate = limits.stream_bytes_per_second
        most_bytes = float(self._bytes_rate * BURST_SECONDS)
        messages, size = float(self._messages_rate), most_bytes
        passed = (now - left.at).total_seconds() if left is not None else 0.0
        # A bucket of the future was stored by a process whose clock was wrong. It counts as full, and the
        # next message stores an instant that is right.
        if left is not None and passed >= -WINDOW_SECONDS:
            passed = max(0.0, passed)
            if left.messages is not None:
                messages = min(messages, left.messages + passed * self._messages_rate)
            if left.bytes is not None:
                size = min(most_bytes, left.bytes + passed * self._bytes_rate)
        self._messages, self._bytes = messages, size

    @property
    def left(self) -> Allowance | None:
        """The tokens that are left; None where there is no limit."""
        if not (self._messages_rate or self._bytes_rate):
            return None
        return Allowance(
            self._messages if self._messages_rate else None,
            self._bytes if self._bytes_rate else None,
            self._now,
        )

    def check(self) -> None:
        """Refuse a message when no tokens are left for it."""
        if self._messages_rate and self._messages < 1:
            raise RateLimited(
                f"At most {self._messages_rate} messages a second in one stream",
                retry_after_seconds=(1 - self._messages) / self._messages_rate,
                rate_limit=RateLimit("messages", self._messages_rate),
            )
        if self._bytes_rate and self._bytes < 1:
            raise RateLimited(
                f"At most {self._bytes_rate} bytes of messages a second in one stream",
                retry_after_seconds=(1 - self._bytes) / self._bytes_rate,
                rate_limit=RateLimit("bytes", self._bytes_rate),
            )

    def take(self, content: Content | None) -> None:
        """Count one message, after `check`."""
        self._messages -= 1
        if content is not None and self._bytes_rate:
            self._bytes -= len(content.model_dump_json().encode())
