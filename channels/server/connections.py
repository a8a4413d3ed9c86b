"""Connections before there is a request: what is no HTTP is refused like everything else, and a head has a deadline.

aiohttp would log and send back what it could not read, and that may hold a token; and it waits for the rest of a
request's head for as long as the connection lives.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from channels.server.answers import SERVER
from channels.server.refusals import problem_response
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import mint_id

HEAD_SECONDS: Final = 20.0
"""From a connection's opening, or from a later request's first byte, until the head is complete."""

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
MakeRequest = Callable[..., web.BaseRequest]

log = structlog.get_logger("channels.http")


class Connection(RequestHandler):
    """One client's connection."""

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._head: asyncio.TimerHandle | None = None
        self.may_return_at = -math.inf  # for `admission`

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head(transport)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; with the first ones of a request its deadline begins."""
        count = self._request_count
        super().data_received(data)
        if self._request_count > count:
            self._forget_head()
        elif self._current_request is None and self._head is None and self.transport is not None:
            self._await_head(self.transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait for nothing any more."""
        self._forget_head()
        super().connection_lost(exc)

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
        """What could not be read is told as such, without a word of what it was, here and in the log."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.log(logging.INFO, "malformed", reason=type(exc).__name__)
        refusal = InvalidRequest("This is not HTTP as it should be", errors=[])
        response = problem_response(refusal, mint_id())
        response.headers[hdrs.SERVER] = SERVER
        response.force_close()
        return response


class Listener(web.Server):
    """Makes a `Connection` of every one that comes."""

    def __init__(self, serve: Serve, *, request_factory: MakeRequest, **options: Any) -> None:
        super().__init__(serve, request_factory=request_factory, **options)
        self._options = options

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)
