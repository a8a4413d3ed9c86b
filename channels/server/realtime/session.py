"""One authenticated socket.

Only `realtime.socket` reads from it. Writers hand whole frames to the transport and never wait.

A client that reads too slowly first loses events: while `SKIP_BYTES` wait for it, events of whole conversations are
skipped. Once it has caught up, one `behind` frame for each of those conversations asks it to read them over REST. If it
does not catch up, the session closes with `SLOW`.
"""

import asyncio
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import orjson
from aiohttp import WSCloseCode, web

from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode
from channels.server.realtime.delivery import Skippable
from channels.server.realtime.frames import text_frame
from channels.server.tokens import Claims
from groups.kernel.ids import StreamId, mint_id

UNREAD_BYTES: Final = 1024 * 1024
"""Bytes that may wait in this process for one client: several thousand posts."""
SKIP_BYTES: Final = 256 * 1024
"""Bytes that may wait before events of conversations are skipped."""
CAUGHT_UP_BYTES: Final = 64 * 1024  # with no more than these waiting, a client has caught up
LOOK_SECONDS: Final = 0.1  # between two checks whether a client has caught up
BEHIND_SECONDS: Final = 30.0  # that a client has for it
BEHIND_CONVERSATIONS: Final = 100  # beyond them a reconnect is cheaper for the client
_LONGEST_TIMER: Final = 2.0**22  # seconds, 48 days: the event loop refuses timers of years


class SocketSession:
    """One authenticated socket: its user, the streams it receives, and its connection.

    Frames bypass the library's writer, which needs a task and a queue for each socket. Every write holds whole frames,
    so they do not mix with the library's own (pings, the close frame).
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
        self.skipped: dict[str, int | None] = {}
        self._catch_up_until = 0.0
        self._catch_up_timer: asyncio.TimerHandle | None = None

    @property
    def unread_bytes(self) -> int:
        """The bytes that wait in this process for the client."""
        return self._transport.get_write_buffer_size()

    def push(self, frames: bytes, skippable: Skippable | None = None) -> None:
        """Write whole frames, or close the session when more than `UNREAD_BYTES` wait already.

        Frames with a `skippable` are skipped while too much waits. Nothing is written before `ready`: the client reads
        the state over REST then.
        """
        transport = self._transport
        if not self._is_ready or self._closing is not None or transport.is_closing():
            return
        waiting = self.unread_bytes
        if waiting > UNREAD_BYTES:
            self._close_as_slow()
        elif skippable is not None and (
            self.skipped or (waiting and waiting + len(frames) > SKIP_BYTES)
        ):
            self.skip(skippable)
        else:
            transport.write(frames)

    def skip(self, skippable: Skippable) -> None:
        """Note that events of a conversation were skipped, and report it when the client has caught up."""
        loop = asyncio.get_running_loop()
        if not self.skipped:
            self._catch_up_until = loop.time() + BEHIND_SECONDS
            self._catch_up_timer = loop.call_later(LOOK_SECONDS, self.catch_up)
        conversation_id, head_seq = skippable
        if head_seq is None:
            head_seq = self.skipped.get(conversation_id)
        self.skipped[conversation_id] = head_seq
        if len(self.skipped) > BEHIND_CONVERSATIONS:
            self._close_as_slow()

    def catch_up(self) -> None:
        """Send the `behind` frames if the client has caught up; close the session if it took too long."""
        transport, loop = self._transport, asyncio.get_running_loop()
        if self._closing is not None or transport.is_closing():
            return
        if self.unread_bytes <= CAUGHT_UP_BYTES:
            skipped, self.skipped = self.skipped, {}
            for conversation_id, head_seq in skipped.items():
                self.send("behind", conversation_id=conversation_id, head_seq=head_seq)
        elif loop.time() > self._catch_up_until:
            self._close_as_slow()
        else:
            self._catch_up_timer = loop.call_later(LOOK_SECONDS, self.catch_up)

    def _close_as_slow(self) -> None:
        self._metrics.slow_sockets.inc()
        self.close_soon(CloseCode.SLOW)

    @property
    def expires_in(self) -> float:
        """Seconds until the session closes for its token, at most `_LONGEST_TIMER`."""
        assert self._expiry is not None, "no token yet"
        return self._expiry.when() - asyncio.get_running_loop().time()

    def renew(self, claims: Claims, seconds_left: float) -> None:
        """Continue with this token of the same user until it expires."""
        self.claims = claims
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(
            min(seconds_left, _LONGEST_TIMER), self.close_soon, CloseCode.TOKEN_EXPIRED
        )

    def end_if_revoked(self, revoked_at: datetime) -> None:
        if self.claims.is_revoked(revoked_at):
            self.close_soon(CloseCode.BAD_TOKEN)

    def end_if_other_kind(self, *, is_business: bool) -> None:
        if self.claims.actor.is_business is not is_business:
            self.close_soon(CloseCode.BAD_TOKEN)

    def end_if_withdrawn(self, keys: Collection[str]) -> None:
        if self.claims.key in keys:
            self.close_soon(CloseCode.BAD_TOKEN)

    def begin(self, frame_id: str | int | None = None) -> None:
        """Send `ready`, the answer to the frame with this id, and write frames from now on."""
        self._is_ready = True
        self.answer(frame_id, "ready", user_id=self.user_id, session_id=mint_id())

    def answer(self, frame_id: str | int | None, frame_type: str, **fields: Any) -> None:
        """Send a frame that answers one of the client's."""
        if frame_id is None:
            self.send(frame_type, **fields)
        else:
            self.send(frame_type, id=frame_id, **fields)

    def send(self, frame_type: str, **fields: Any) -> None:
        self.push(text_frame(orjson.dumps({"type": frame_type, **fields})))

    def close_soon(self, code: CloseCode | WSCloseCode) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code), name="socket-close")

    async def _close(self, code: CloseCode | WSCloseCode) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                # Does not wait for an answer: the client may have stopped reading.
                await self._socket.close(code=code, message=code.name.lower().encode(), drain=False)
        except (TimeoutError, ConnectionError):
            # The client does not read its close frame, so the connection ends without it.
            self._transport.abort()

    async def end(self) -> None:
        """Cancel the timers, and wait for a close under way."""
        if self._catch_up_timer is not None:
            self._catch_up_timer.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        if self._closing is not None:
            await asyncio.gather(self._closing, return_exceptions=True)
