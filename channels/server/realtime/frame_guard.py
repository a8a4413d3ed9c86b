"""Counts the frames of a client before they are parsed, so a flood costs no more than its first frames.

The library parses everything that one read of the connection brought (256 KiB, up to 40,000 empty pings) and answers
each ping in one turn of the event loop. The guard stands between the connection and that parser, and only walks over
the headers of frames.

Promises:
    Frames of every kind count (text, binary, fragments, ping, pong, close), before and after authentication.
    More than `FRAMES_PER_SECOND` are parsed, so that each of them can be refused (`FrameAllowance`). A client that goes
    on and is `REFUSED_FRAMES` ahead of that rate ends the reading: no later frame is parsed or answered.
    A frame without a mask ends it too (RFC 6455, section 5.1).
    A connection whose reading ended, here or in the parser, is aborted after `CLOSE_SECONDS`.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import WSCloseCode

from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode

FRAMES_PER_SECOND: Final = 20  # of one client; as many may come at once
REFUSED_FRAMES: Final = 20  # beyond them that one client may send before its socket closes
_BURST: Final = FRAMES_PER_SECOND + REFUSED_FRAMES
_DISCARDED_BYTES: Final = 256 * 1024
"""Read and dropped while the client may still read its close frame."""
_LONGEST_HEAD: Final = 10  # bytes of a header without its mask
_MASK_BYTES: Final = 4
_ROUNDING: Final = 1e-6  # seconds: the error of floats
_NO_MORE: Final = (False, b"")


class Parser(Protocol):
    """The library's parser."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Parse. Returns whether parsing has ended, and the bytes that are left."""

    def feed_eof(self) -> None: ...


class FrameGuard:
    """Limits the frames of one connection. Calls `on_refused` once, with the close code."""

    def __init__(
        self,
        parser: Parser,
        transport: asyncio.Transport,
        on_refused: Callable[[CloseCode | WSCloseCode], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parser = parser
        self._transport = transport
        self._on_refused = on_refused
        self._clock = clock
        self._tokens, self._since = float(_BURST), clock()
        self._head = b""  # the part of a header that has arrived
        self._skip = 0  # bytes until the next header
        self._is_over = False
        self._discarded = 0

    def feed_eof(self) -> None:
        self._parser.feed_eof()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Parse the frames that are within the limit."""
        if self._is_over:
            self._discard(data)
            return _NO_MORE
        end, refusal = self._check(data)
        answer = self._parser.feed_data(data[:end])
        if refusal is not None:
            self._on_refused(refusal)
        if refusal is not None or answer[0]:
            self._is_over = True
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
        return answer

    def _check(self, data: bytes) -> tuple[int, CloseCode | WSCloseCode | None]:
        """How many of the bytes to parse, and the close code when the rest is refused."""
        now = self._clock()
        self._tokens = min(_BURST, self._tokens + (now - self._since) * FRAMES_PER_SECOND)
        self._since = now
        place, size = 0, len(data)
        while self._skip < size - place:
            place += self._skip
            head = self._head + data[place : place + _LONGEST_HEAD - len(self._head)]
            length = _length_of(head)
            if length is None:
                self._skip, self._head = 0, head
                return size, None
            self._tokens -= 1
            if self._tokens < 0:
                return place, CloseCode.FLOOD
            if not head[1] & 0x80:
                return place, WSCloseCode.PROTOCOL_ERROR
            head_bytes, payload_bytes = length
            place -= len(self._head)  # where the header began, maybe in the read before
            self._head = b""
            self._skip = head_bytes + _MASK_BYTES + payload_bytes
        self._skip -= size - place
        return size, None

    def _discard(self, data: bytes) -> None:
        # Closing with unread bytes resets the connection, and the client would not see the close code.
        self._discarded += len(data)
        if self._discarded > _DISCARDED_BYTES and not self._transport.is_closing():
            self._transport.pause_reading()


class FrameAllowance:
    """The frames of one client that are answered: `FRAMES_PER_SECOND`, and as many at once.

    A refused frame takes nothing, so a client that sends too fast is answered at the rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at = clock()

    def take(self) -> float:
        """Count one frame. Returns 0, or the seconds until the same frame would be answered."""
        now = self._clock()
        waiting = max(0.0, self._full_at - now) + (1 - FRAMES_PER_SECOND) / FRAMES_PER_SECOND
        if waiting > _ROUNDING:
            return waiting
        self._full_at = max(now, self._full_at) + 1 / FRAMES_PER_SECOND
        return 0.0


def _length_of(head: bytes) -> tuple[int, int] | None:
    """The bytes of a header and of its payload; None while the header is incomplete."""
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length < 126:
        return 2, length
    width = 2 if length == 126 else 8
    if len(head) < 2 + width:
        return None
    return 2 + width, int.from_bytes(head[2 : 2 + width])
