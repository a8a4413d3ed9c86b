"""One authenticated socket.

It has one reader, `channels.server.realtime.socket`. Writers hand whole frames to the transport and wait for nothing.

A client that reads slower than it is written to loses detail first: events of whole conversations are left out while
`DETAIL_BYTES` wait for it, and once it has read those, one `behind` frame a conversation tells it to read on over REST.
Where that does not help either, the session is closed with `SLOW`.
"""

import asyncio
import time
from datetime import datetime
from typing import Any, Final

import orjson
from aiohttp import WSCloseCode, web

from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode
from channels.server.realtime.delivery import Detail
from channels.server.realtime.frames import text_frame
from channels.server.tokens import Claims
from groups.kernel.ids import StreamId, mint_id

UNREAD_BYTES: Final = 1024 * 1024
"""Bytes that may wait in this process for one client, beyond what its connection takes: several thousand posts."""
DETAIL_BYTES: Final = 256 * 1024
"""Bytes that may wait before events of conversations are left out."""
CAUGHT_UP_BYTES: Final = 64 * 1024  # with so few waiting, they are written again
LOOK_SECONDS: Final = 0.1  # between two looks whether a client has caught up
BEHIND_SECONDS: Final = 30.0  # within which it has to
BEHIND_CONVERSATIONS: Final = 100  # with more, comparing everything costs the client less
_LONGEST_TIMER: Final = 2.0**22  # seconds: 48 days; the event loop knows no years


class SocketSession:
    """One authenticated socket: its user, what it hears, and the way to its connection.

    Frames go to the transport at once, past the library's writer, which would need a task and a queue a socket; each
    write is of whole frames, so they do not mix with the library's own (pings, the close frame).
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        claims: Claims,
        metrics: Metrics,
    ) -> None:
        self.user_id = claims.actor.user_id
        self.claims = claims
        self.opened_at = time.monotonic()
        self._expiry: asyncio.TimerHandle | None = None
        self.streams: set[StreamId] = set()
        self.watched: set[StreamId] = set()
        self._socket = socket
        self._transport = transport
        self._metrics = metrics
        self._closing: asyncio.Task[None] | None = None
        self._is_ready = False
        self._missed: dict[str, int | None] = {}
        self._behind_until = 0.0
        self._look: asyncio.TimerHandle | None = None

    def push(self, frames: bytes, detail: Detail | None = None) -> None:
        """Write whole frames; a client that lets `UNREAD_BYTES` pile up has the session closed instead.

        With a `detail`, they are left out while too much waits already. Before `ready` nothing is written: what happens
        until then, the client reads when it begins.
        """
        transport = self._transport
        if not self._is_ready or self._closing is not None or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting > UNREAD_BYTES:
            self._close_as_slow()
        elif detail is not None and (
            self._missed or (waiting and waiting + len(frames) > DETAIL_BYTES)
        ):
            self._leave_out(detail)
        else:
            transport.write(frames)

    def _leave_out(self, detail: Detail) -> None:
        loop = asyncio.get_running_loop()
        if not self._missed:
            self._behind_until = loop.time() + BEHIND_SECONDS
            self._look = loop.call_later(LOOK_SECONDS, self._catch_up)
        conversation_id, head_seq = detail
        if head_seq is None:
            head_seq = self._missed.get(conversation_id)
        self._missed[conversation_id] = head_seq
        if len(self._missed) > BEHIND_CONVERSATIONS:
            self._close_as_slow()

    def _catch_up(self) -> None:
        transport, loop = self._transport, asyncio.get_running_loop()
        if self._closing is not None or transport.is_closing():
            return
        if transport.get_write_buffer_size() <= CAUGHT_UP_BYTES:
            missed, self._missed = self._missed, {}
            for conversation_id, head_seq in missed.items():
                self.tell("behind", conversation_id=conversation_id, head_seq=head_seq)
        elif loop.time() > self._behind_until:
            self._close_as_slow()
        else:
            self._look = loop.call_later(LOOK_SECONDS, self._catch_up)

    def _close_as_slow(self) -> None:
        self._metrics.slow_sockets.inc()
        self.close_soon(CloseCode.SLOW)

    def renew(self, claims: Claims, seconds_left: float) -> None:
        """Go on with this token of the same user, until its time is over."""
        self.claims = claims
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(
            min(seconds_left, _LONGEST_TIMER), self.close_soon, CloseCode.TOKEN_EXPIRED
        )

    def end_if_revoked(self, revoked_at: datetime) -> None:
        """Close the session if a revocation of that instant covers its token."""
        if self.claims.is_revoked(revoked_at):
            self.close_soon(CloseCode.BAD_TOKEN)

    def begin(self) -> None:
        """Say `ready`, and write frames from now on."""
        self._is_ready = True
        self.tell("ready", user_id=self.user_id, session_id=mint_id())

    def tell(self, kind: str, **fields: Any) -> None:
        """Write a frame for this session alone."""
        self.push(text_frame(orjson.dumps({"type": kind, **fields})))

    def close_soon(self, code: CloseCode | WSCloseCode) -> None:
        """Close in the background, once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code), name="socket-close")

    async def _close(self, code: CloseCode | WSCloseCode) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                # The client need not answer: it may be the one that does not read.
                await self._socket.close(code=code, message=code.name.lower().encode(), drain=False)
        except (TimeoutError, ConnectionError):
            # It does not even read its close frame: the connection goes without.
            self._transport.abort()

    async def end(self) -> None:
        """Forget the timers, and wait for the close under way."""
        if self._look is not None:
            self._look.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        if self._closing is not None:
            await asyncio.gather(self._closing, return_exceptions=True)
