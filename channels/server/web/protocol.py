"""The connections of clients: how many there are, and the deadline of each phase.

Promises:
    The head of a request must arrive within `HEAD_SECONDS`. The deadline runs only while a head is awaited, never
    during a request.
    A client that does not read its responses is disconnected (`limits.unsent_bytes`).
    One address holds at most `per_address` connections, and never more than half of all. Beyond that its oldest idle
    connection is closed for the next one. Idle connections are also closed before the process runs out of open files.
    When none is idle, a new connection is served once, by `serve_crowded`, so that the database, health checks and
    metrics always get a file.
    Bytes that are not HTTP get an ordinary error. aiohttp would log and return them, and they may hold a token.

An authenticated socket counts for its user, no longer for its address.
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
from channels.server.limits.unsent_bytes import Client, UnsentBytes
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.frame_guard import FrameGuard
from channels.server.web.problems import general_problem_response
from channels.server.web.request import Request
from channels.server.web.responses import SERVER
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import mint_id

HEAD_SECONDS: Final = 20.0
"""From the opening of a connection, or the first byte of a later request, to the end of the head."""
CROWDED: Final = 32
"""Connections beyond the capacity that are still served once. More are aborted."""
KEPT_HEAD_BYTES: Final = 16 * 1024
"""A connection with a larger head is closed after its response, since aiohttp keeps the last head in memory."""
_LOOKED_AT: Final = 64  # connections, in one search for an idle one

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_InOrder = OrderedDict["Connection", None]

log = structlog.get_logger("channels.http")


class ConnectionLimits:
    """The connections of this process.

    `capacity` is the most that it may hold; None: no limit. `per_address` is the most for one address; 0: half of the
    capacity. Trusted proxies act for many addresses, so only the capacity bounds them.
    """

    def __init__(
        self,
        addresses: AddressLimits,
        per_address: int,
        serve_crowded: Serve,
        *,
        capacity: int | None,
    ) -> None:
        self.serve_crowded = serve_crowded
        self.addresses = addresses
        self._capacity = math.inf if capacity is None else capacity
        self._per_address = min(per_address or math.inf, max(1, self._capacity / 2))
        self._counted: set[Connection] = set()
        # Without authenticated sockets.
        self._open: _InOrder = OrderedDict()
        self._of_address: dict[str, _InOrder] = {}
        self._crowded: _InOrder = OrderedDict()

    def enter(self, connection: "Connection", peer: str) -> bool:
        """Count a new connection from this address. Returns whether it has a place."""
        address = self.addresses.address_of_peer(peer)
        own = self._of_address.get(address) if address is not None else None
        has_place = own is None or len(own) < self._per_address or self._close_idle(own)
        if has_place and len(self._counted) >= self._capacity:
            has_place = self._close_idle(self._open)
        if not has_place:
            self._crowded[connection] = None
            if len(self._crowded) > CROWDED:
                # It had time to send its request.
                self._crowded.popitem(last=False)[0].abort()
            return False
        connection.address = address
        self._counted.add(connection)
        self._open[connection] = None
        if address is not None:
            self._of_address.setdefault(address, OrderedDict())[connection] = None
        return True

    def become_socket(self, connection: "Connection") -> None:
        """Count the connection for its user from now on, not for its address. Idempotent."""
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
        """Remove a connection. Idempotent."""
        self._crowded.pop(connection, None)
        self._counted.discard(connection)
        self.become_socket(connection)

    def _close_idle(self, connections: "_InOrder") -> bool:
        """Close an idle connection, the oldest first. Returns whether it found one."""
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
        """The address that it counts for, if any."""
        self.request: Request | None = None
        """The last request."""
        self.may_retry_at = -math.inf  # for `load_shedder`
        self.on_frame_refused: Callable[[CloseCode | WSCloseCode], None] = lambda _: None
        self._limits = limits
        self._unsent = unsent
        self._is_socket = False
        self._head: asyncio.TimerHandle | None = None
        # aiohttp drops its reference to the transport before everything is sent.
        self._stalled: asyncio.Transport | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is neither a request under way nor an authenticated socket."""
        return self._awaits_request() or (self._payload_parser is not None and not self._is_socket)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Any byte that the kernel does not take at once calls `pause_writing`: the client does not read it.
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=0)
        self._start_head_deadline(transport)
        peer = transport.get_extra_info("peername")
        if not self._limits.enter(self, peer[0] if peer else ""):
            self._request_handler = self._limits.serve_crowded

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the response, and drop its body: aiohttp keeps the last request and response of an idle connection."""
        if _head_bytes(request) > KEPT_HEAD_BYTES:
            resp.force_close()
        answered, is_reset = await super().finish_response(request, resp, start_time)
        if isinstance(answered, web.Response):
            answered.body = None
        return answered, is_reset

    def become_socket(self) -> None:
        """From now on the user's session limits the bytes that they do not read."""
        self._is_socket = True
        self._forget_unsent()
        if self.transport is not None:
            self.transport.set_write_buffer_limits()
        self._limits.become_socket(self)

    def abort(self) -> None:
        """Close the connection at once, without sending what waits."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Receive bytes. The deadline of a head starts with its first byte and ends with its last."""
        count = self._request_count
        super().data_received(data)
        if self._request_count > count:
            self._stop_head_deadline()
        elif self._head is None and self._awaits_request() and self.transport is not None:
            self._start_head_deadline(self.transport)

    def _awaits_request(self) -> bool:
        # At any other time, arriving bytes belong to the body of the current request.
        return self._waiter is not None and not self._waiter.done()

    def pause_writing(self) -> None:
        super().pause_writing()
        transport, request = self.transport, self.request
        if transport is None or self._is_socket:
            return
        if request is not None and request.user_id is not None:
            reader = Client("user", request.user_id)
        elif request is not None:
            reader = Client("address", self._limits.addresses.address_of(request))
        else:
            reader = Client("address", self.address or "")
        self._stalled = transport
        self._unsent.add(transport, reader)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_unsent()

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        """After the upgrade to a socket: count its frames before they are parsed."""
        if self.transport is not None:
            guard = FrameGuard(parser, self.transport, self.on_frame_refused)
            parser = cast(WebSocketReader, guard)
        super().set_parser(parser, data_received_cb)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_head_deadline()
        self._forget_unsent()
        self._limits.leave(self)
        self.request = None
        waiter = self._drain_waiter
        if waiter is not None and not waiter.done():
            # An exception instead would make a reference cycle through its traceback, around a response of any size.
            # The next write raises anyway.
            waiter.set_result(None)
        super().connection_lost(exc)

    def _forget_unsent(self) -> None:
        if self._stalled is not None:
            self._unsent.remove(self._stalled)
            self._stalled = None

    def _start_head_deadline(self, transport: asyncio.BaseTransport) -> None:
        loop = asyncio.get_running_loop()
        self._head = loop.call_later(HEAD_SECONDS, transport.close)

    def _stop_head_deadline(self) -> None:
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
        """Refuse a request that could not be parsed. Neither the response nor the log quotes it."""
        if isinstance(exc, ConnectionError):
            # The client disconnected. That is no defect, and may happen any number of times.
            self.force_close()
            return web.Response(status=status)
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.log(logging.INFO, "malformed", reason=type(exc).__name__)
        refusal = InvalidRequest("The request is not valid HTTP", errors=[])
        response = general_problem_response(refusal, mint_id())
        response.headers[hdrs.SERVER] = SERVER
        response.force_close()
        return response


def _head_bytes(request: web.BaseRequest) -> int:
    message = request._message
    return len(message.path) + sum(len(name) + len(value) for name, value in message.raw_headers)


class Listener(web.Server):
    """Makes the `Connection` of every new client."""

    def __init__(
        self,
        serve: Serve,
        limits: ConnectionLimits,
        unsent: UnsentBytes,
        *,
        request_factory: Callable[..., web.BaseRequest],
        **options: Any,
    ) -> None:
        super().__init__(serve, request_factory=request_factory, **options)
        self._limits = limits
        self._unsent = unsent
        self._options = options

    def __call__(self) -> RequestHandler:
        loop = asyncio.get_running_loop()
        return Connection(self, self._limits, self._unsent, loop=loop, **self._options)
