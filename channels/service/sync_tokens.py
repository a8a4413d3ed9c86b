"""Readings of changes, page by page, and the tokens with which a device asks for the next ones.

A reading begins at an instant of the server's clock. The next one asks from `OVERLAP` before it, for the reasons in
`groups.service.membership.sync`, so it finds again what changed in that time. The token holds the marks of what was
already sent, so that it is sent once. There is room for `MARKS` of them.

A token grants nothing: whatever it says, a reading is of the actor's own conversations.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from channels.errors import SyncTokenExpired
from groups.kernel.errors import BadCursor
from groups.service.membership.sync import MARK_BYTES, OVERLAP

MARKS: Final = 64  # in a token or cursor, which keeps them below 1,000 characters
_OVERLAP_MS: Final = round(OVERLAP.total_seconds() * 1000)


@dataclass(slots=True)
class Reading:
    """A reading of changes: when it began, and the marks of what the next one would find again.

    `is_partial`: some marks had no room, or what changed was not all read.
    """

    started_ms: int
    marks: list[bytes] = field(default_factory=list)
    is_partial: bool = False

    @property
    def next_since_ms(self) -> int:
        """The start of the time that the next reading covers."""
        return self.started_ms - _OVERLAP_MS

    @property
    def next_since(self) -> datetime:
        """The same as an instant. Raises: BadCursor, where a forged cursor says when the reading began."""
        return instant_of(self.next_since_ms)

    def known_until_ms(self, now: datetime) -> int:
        """As in `Since`, for a token that is made now."""
        return milliseconds(now) + _OVERLAP_MS if self.is_partial else 0

    def remember(self, mark: bytes, at_ms: int) -> None:
        """Keep the mark of a change of that time, if the next reading would find it again."""
        if at_ms < self.next_since_ms:
            return
        if len(self.marks) < MARKS:
            self.marks.append(mark)
        else:
            self.is_partial = True


@dataclass(frozen=True, slots=True)
class Since:
    """What a device knows: the changes before `since_ms`, and of those after it the ones with these marks.

    It may know others too that happened before `known_until_ms`; 0: it knows no others.
    """

    since_ms: int
    marks: frozenset[bytes]
    known_until_ms: int = 0

    @property
    def instant(self) -> datetime:
        return instant_of(self.since_ms)

    def may_repeat(self, at_ms: int) -> bool:
        """Whether the device may have a change of that time already, though it has no mark of it."""
        return at_ms < self.known_until_ms

    def check_age(self, now_ms: int, kept_seconds: float) -> None:
        """Raises: SyncTokenExpired, when departures of that time may have been deleted."""
        if self.since_ms + _OVERLAP_MS < now_ms - kept_seconds * 1000:
            raise SyncTokenExpired


def encode_marks(marks: Iterable[bytes]) -> str:
    """The marks as one text."""
    return base64.urlsafe_b64encode(b"".join(marks)).decode()


def decode_marks(text: str) -> list[bytes]:
    """The marks in the text. Raises: BadCursor."""
    try:
        joined = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadCursor from None
    return [joined[i : i + MARK_BYTES] for i in range(0, len(joined), MARK_BYTES)]


def milliseconds(instant: datetime) -> int:
    """The instant in milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def before_overlap(instant: datetime) -> int:
    """The start of the time to cover for a device that knows everything until this instant."""
    return milliseconds(instant) - _OVERLAP_MS


def instant_of(milliseconds: int) -> datetime:
    """The instant. Raises: BadCursor, for a number that no cursor of ours holds."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadCursor from None
