"""Connections, apart from the requests on them: how many there are, and the deadline of each phase.

Promises:
    A request's head must be complete within `HEAD_SECONDS`. The deadline runs only while a head is awaited, never
    during a request, whatever arrives together with its head.
    A client that does not read what it is sent is cut off (`unsent`).
    One address holds at most `per_address` connections, and never more than half of all; beyond that its oldest idle
    one makes room for the next. Before the process runs out of files, idle connections make room too. Where none is
    idle, a new connection is answered once, by `serve_crowded`: so database, health checks and metrics always find a
    file.
    What is not HTTP is refused like everything else. aiohttp would log it and send it back, and that may hold a token.

An authenticated socket no longer counts for its address: its user has a limit of their own.
"""

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import structlog
from aiohttp import WSCloseCode, hdrs, web
from aiohttp.http_websocket import WebSocketReader
from aiohttp.web_protocol import RequestHandler

from channels.server.limits.by_address import AddressLimits
from channels.server.limits.unsent_bytes import Reader, UnsentBytes
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.frame_guard import FrameGuard
from channels.server.web.problem_responses import problem_response
from channels.server.web.request import Request
from channels.server.web.responses import SERVER
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import mint_id

HEAD_SECONDS: Final = 20.0
"""From a connection's opening, or from a later request's first byte, until the head is complete."""
CROWDED: Final = 32
"""Connections beyond the capacity that are still answered, one refusal or health check each; more are aborted."""
KEPT_HEAD_BYTES: Final = 16 * 1024
"""A connection ends with the answer to a larger head: while it is idle, its last head stays in memory."""
_LOOKED_AT: Final = 64  # connections at once, in the search for an idle one

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
MakeRequest = Callable[..., web.BaseRequest]

_InOrder = OrderedDict["Connection", None]

log = structlog.get_logger("channels.http")


class ConnectionLimits:
    """The connections of this process.

    `capacity` is how many it may hold, None: any number. `per_address` is how many one address may hold; 0: half of the
    capacity. Trusted proxies speak for many addresses and are bounded by the capacity alone.
    """

    def __init__(
        self,
        visitors: AddressLimits,
        per_address: int,
        serve_crowded: Serve,
        *,
        capacity: int | None,
    ) -> None:
        self.serve_crowded = serve_crowded
        self.visitors = visitors
        self._capacity = math.inf if capacity is None else capacity
        self._per_address = min(per_address or math.inf, max(1, self._capacity / 2))
        self._counted: set[Connection] = set()
        # Without the sockets of known users.
        self._open: _InOrder = OrderedDict()
        self._of_address: dict[str, _InOrder] = {}
        self._crowded: _InOrder = OrderedDict()

    def enter(self, connection: "Connection", peer: str) -> bool:
        """Count a new connection from this address. Returns whether it has a place; else it is answered and closed."""
        address = self.visitors.address_of_peer(peer)
        own = self._of_address.get(address) if address is not None else None
        has_place = own is None or len(own) < self._per_address or self._close_idle(own)
        if has_place and len(self._counted) >= self._capacity:
            has_place = self._close_idle(self._open)
        if not has_place:
            self._crowded[connection] = None
            if len(self._crowded) > CROWDED:
                # Those who mean to ask have asked by now.
                self._crowded.popitem(last=False)[0].abort()
            return False
        connection.address = address
        self._counted.add(connection)
        self._open[connection] = None
        if address is not None:
            self._of_address.setdefault(address, OrderedDict())[connection] = None
        return True

    def become_socket(self, connection: "Connection") -> None:
        """Count the connection for its user from now on, not for its address; again changes nothing."""
        if connection not in self._open:
            return
        del self._open[connection]
        address = connection.address
        if address is not None:
            own = self._of_address[address]
            del own[connection]
            if not own:
                del self._of_address[address]

    def leave(self, connection: "Connection") -> None:
        """Forget a connection; again changes nothing."""
        self._crowded.pop(connection, None)
        self._counted.discard(connection)
        self.become_socket(connection)

    def _close_idle(self, connections: "_InOrder") -> bool:
        """Close one that waits for a request; whether there was one among those looked at, the oldest first."""
        for _ in range(min(_LOOKED_AT, len(connections))):
            connection = next(iter(connections))
            if connection.is_idle:
                self.leave(connection)
                connection.force_close()
                return True
            connections.move_to_end(connection)
        return False


class Connection(RequestHandler):
    """One client's connection."""

    def __init__(
        self, manager: web.Server, limits: ConnectionLimits, unsent: UnsentBytes, **options: Any
    ) -> None:
        super().__init__(manager, **options)
        self.address: str | None = None
        """The address it counts for; None: for none."""
        self.request: Request | None = None
        """The last one that came."""
        self.may_return_at = -math.inf  # for `admission`
        self.on_frame_refused: Callable[[CloseCode | WSCloseCode], None] = lambda _: None
        self._limits = limits
        self._unsent = unsent
        self._is_socket = False
        self._head: asyncio.TimerHandle | None = None
        # Kept here, since aiohttp forgets the transport before everything is sent.
        self._stalled: asyncio.Transport | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way, and no socket whose user is known."""
        return self._awaits_request() or (self._payload_parser is not None and not self._is_socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        # Any byte that the kernel does not take at once is one that the client does not read: `pause_writing` tells.
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=0)
        self._await_head(transport)
        peer = transport.get_extra_info("peername")
        if not self._limits.enter(self, peer[0] if peer else ""):
            self._request_handler = self._limits.serve_crowded

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send it, and keep nothing of it: aiohttp holds the last request and answer of an idle connection."""
        if _head_bytes(request) > KEPT_HEAD_BYTES:
            resp.force_close()
        answered, is_reset = await super().finish_response(request, resp, start_time)
        if isinstance(answered, web.Response):
            answered.body = None
        return answered, is_reset

    def become_socket(self) -> None:
        """Know that an authenticated user listens here, whose session looks after what they do not read."""
        self._is_socket = True
        self._forget_unsent()
        if self.transport is not None:
            self.transport.set_write_buffer_limits()
        self._limits.become_socket(self)

    def abort(self) -> None:
        """End it at once, whatever still waits to be sent."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in bytes; the deadline of a head begins with its first ones and ends with its last."""
        count = self._request_count
        super().data_received(data)
        if self._request_count > count:
            self._forget_head()
        elif self._head is None and self._awaits_request() and self.transport is not None:
            self._await_head(self.transport)

    def _awaits_request(self) -> bool:
        # While a request is read, worked on or answered, or its unwanted body is read away, what comes is its body.
        return self._waiter is not None and not self._waiter.done()

    def pause_writing(self) -> None:
        """Bytes wait for the client."""
        super().pause_writing()
        transport, request = self.transport, self.request
        if transport is None or self._is_socket:
            return
        if request is not None and request.user_id is not None:
            reader = Reader("user", request.user_id)
        elif request is not None:
            reader = Reader("address", self._limits.visitors.address_of(request))
        else:
            reader = Reader("address", self.address or "")
        self._stalled = transport
        self._unsent.add(transport, reader)

    def resume_writing(self) -> None:
        """None wait any more."""
        super().resume_writing()
        self._forget_unsent()

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        """From the upgrade to a socket on: have its frames counted before they are parsed."""
        if self.transport is not None:
            guard = FrameGuard(parser, self.transport, self.on_frame_refused)
            parser = cast(WebSocketReader, guard)
        super().set_parser(parser, data_received_cb)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait for nothing any more."""
        self._forget_head()
        self._forget_unsent()
        self._limits.leave(self)
        self.request = None
        waiter = self._drain_waiter
        if waiter is not None and not waiter.done():
            # With an exception instead, its traceback would hold the frame that holds the future that holds it: a cycle
            # around an answer of any size. Writing on raises all the same.
            waiter.set_result(None)
        super().connection_lost(exc)

    def _forget_unsent(self) -> None:
        if self._stalled is not None:
            self._unsent.remove(self._stalled)
            self._stalled = None

    def _await_head(self, transport: asyncio.BaseTransport) -> None:
        loop = asyncio.get_running_loop()
        self._head = loop.call_later(HEAD_SECONDS, transport.close)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what could not be read, without a word of what it was, here and in the log."""
        if isinstance(exc, ConnectionError):
            # The client went away in the middle. That is no defect, and anybody can do it as often as they like.
            self.force_close()
            return web.Response(status=status)
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.log(logging.INFO, "malformed", reason=type(exc).__name__)
        refusal = InvalidRequest("This is not HTTP as it should be", errors=[])
        response = problem_response(refusal, mint_id())
        response.headers[hdrs.SERVER] = SERVER
        response.force_close()
        return response


def _head_bytes(request: web.BaseRequest) -> int:
    message = request._message
    return len(message.path) + sum(len(name) + len(value) for name, value in message.raw_headers)


class Listener(web.Server):
    """Makes a `Connection` of every one that comes."""

    def __init__(
        self,
        serve: Serve,
        limits: ConnectionLimits,
        unsent: UnsentBytes,
        *,
        request_factory: MakeRequest,
        **options: Any,
    ) -> None:
        super().__init__(serve, request_factory=request_factory, **options)
        self._limits = limits
        self._unsent = unsent
        self._options = options

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        loop = asyncio.get_running_loop()
        return Connection(self, self._limits, self._unsent, loop=loop, **self._options)
