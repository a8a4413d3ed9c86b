"""Around every request: its number, how many run at once, what its refusal looks like, what metrics and logs say of it.

Every request arrives at `HttpServer.serve`, which finds the handler (`router`), runs it, and turns whatever it raises
into a problem (`refusals`). The handlers of the API are made by `calls`.
"""

import asyncio
import itertools
import logging
import math
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

import structlog
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from cachetools import LRUCache

from channels.limits import Limits
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.load_shedding import LoadShedder, Returning
from channels.server.metrics import Metrics
from channels.server.web.cors import CorsPolicy
from channels.server.web.handlers import EndpointHandlers
from channels.server.web.problem_responses import CODE, domain_error_of, problem_answer
from channels.server.web.problems import InternalError
from channels.server.web.protocol import Connection
from channels.server.web.request import Request
from channels.server.web.responses import REQUEST_ID_HEADER, headers_of
from channels.server.web.router import Match, Router
from groups.kernel.endpoint import Endpoint
from groups.kernel.errors import DomainError, RateLimited, Unavailable
from groups.kernel.ids import mint_id
from groups.kernel.mongo import is_outage

SLOW_SECONDS: Final = 1.0
TELL_SECONDS: Final = 5.0  # between two lines of the log about requests that were refused at once
RETURNING: Final = 8_192  # clients of which it is known when they may ask again
_CROWDED: Final = frozenset({429, 503, 507})
ALWAYS_ANSWERED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Whoever watches the server asks these, above all when it has much to do."""
SOCKET_PATH: Final = "/v1/socket"
UNROUTED: Final = "other"
"""The route that metrics and logs name for a path that has none."""

log = structlog.get_logger("channels.http")
_LEVELS: Final = logging.getLogger("channels.http")


class HttpServer:
    """What all requests pass: the routes, the bounds, the counters."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        origins: CorsPolicy,
        admission: LoadShedder,
        visitors: AddressLimits,
    ) -> None:
        self._origins = origins
        self.router = Router()
        self._limits = limits
        self._admission = admission
        self._visitors = visitors
        self._metrics = metrics
        self._returning: LRUCache[tuple[str | None, str], Returning] = LRUCache(RETURNING)
        self._under_way = 0
        self._refused: Counter[int] = Counter()
        # Unique without asking the machine for random bytes at every request.
        self._process = mint_id(5)
        self._numbers = itertools.count(1)

    def mount(self, endpoints: Iterable[Endpoint], calls: EndpointHandlers) -> None:
        """Serve the endpoints."""
        for endpoint in endpoints:
            spec = endpoint.spec
            handler = calls.handler(endpoint)
            self.router.add(spec.method, spec.path, handler, is_counted=not endpoint.needs_actor)

    # --- around every request -------------------------------------------------------------------------------------

    def request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> Request:
        """A request, whose body is bounded."""
        request = Request(
            message,
            payload,
            protocol,
            writer,
            task,
            task.get_loop(),
            client_max_size=self._limits.request_body_bytes,
        )
        assert isinstance(protocol, Connection), "as `connections.Listener` makes them"
        protocol.request = request
        return request

    async def serve_crowded(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer on a connection that has no place, and close it: operators as ever, everyone else with a refusal."""
        assert isinstance(request, Request), "as `request` makes them"
        if _path_of(request) in ALWAYS_ANSWERED:
            response = await self.serve(request)
        else:
            request.request_id = f"{self._process}{next(self._numbers):x}"
            error = self._admission.refusal()
            self._metrics.refusal(error.code)
            self._count_refused(503)
            response = problem_answer(request, error)
            if not response.prepared:
                response.headers.update(headers_of(request))
        response.force_close()
        return response

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Number the request, bound how many run at once, turn errors into problems, count and log."""
        assert isinstance(request, Request), "as `request` makes them"
        given = request.headers.get(REQUEST_ID_HEADER, "")
        is_usable = given and given.isascii() and given.isalnum() and len(given) <= 64
        request_id = given if is_usable else f"{self._process}{next(self._numbers):x}"
        request.request_id = request_id
        started = time.perf_counter()
        route, weight = UNROUTED, 1
        too_often: RateLimited | None = None
        self._under_way += 1
        try:
            answered = self._origins.admit(request)
            if answered is not None:
                answered.headers.update(headers_of(request))
                return answered
            found, parameters = self._found(request)
            route = found.path
            if route == SOCKET_PATH:
                # It is open for hours and mostly idle: it takes no request's place.
                self._under_way -= 1
                weight = 0
            if route not in ALWAYS_ANSWERED:
                if self._under_way > self._limits.concurrent_requests:
                    raise Unavailable("The server has as many requests as it takes at once")
                if self._admission.is_full:
                    await self._find_place(request)
            if found.is_counted:
                self._visitors.take(request)
            response = await found.handler(request, parameters)
        except DomainError as error:
            response = problem_answer(request, error)
            if isinstance(error, RateLimited):
                too_often = error
        except web.HTTPException as error:
            response = problem_answer(request, domain_error_of(error))
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        # The last line: an outage is the database's, and passes; for all else the caller gets an opaque 500 and the
        # log gets everything.
        except Exception as error:
            refusal: DomainError = Unavailable()
            if not is_outage(error):
                log.exception(
                    "defect", request_id=request_id, method=request.method, path=request.path
                )
                refusal = InternalError()
            response = problem_answer(request, refusal)
        finally:
            self._under_way -= weight
        if too_often is not None:
            await self._hold_refusal(request, too_often)
        if request.user_id is None and route not in ALWAYS_ANSWERED:
            await self._visitors.pace(request)
        if not response.prepared:
            response.headers.update(headers_of(request))
        self._observe(request, response, route, time.perf_counter() - started)
        return response

    async def _find_place(self, request: web.BaseRequest) -> None:
        connection = request.protocol
        assert isinstance(connection, Connection), "as `connections.Listener` makes them"
        # Held, it is not under way: or those who are held would have others refused.
        self._under_way -= 1
        try:
            await self._admission.find_place(connection)
        finally:
            self._under_way += 1

    async def _hold_refusal(self, request: Request, error: RateLimited) -> None:
        # Not by connection: a flood may open a new one for each request.
        key = request.user_id, self._visitors.address_of(request) if not request.user_id else ""
        client = self._returning.get(key)
        if client is None:
            client = self._returning[key] = Returning()
        # As the header tells it, in whole seconds: a bucket has room again in milliseconds, but for one request.
        await self._admission.hold_refusal(client, max(1, math.ceil(error.retry_after_seconds)))

    def _found(self, request: web.BaseRequest) -> Match:
        try:
            return self.router.find(request.method, _path_of(request))
        except DomainError:
            self._visitors.take(request)
            raise

    def _observe(
        self, request: Request, response: web.StreamResponse, route: str, seconds: float
    ) -> None:
        if route == SOCKET_PATH and isinstance(response, web.WebSocketResponse):
            # Its seconds are how long the client stayed, not how long it waited for us.
            user_id, code = request.user_id, response.close_code
            log.debug("socket", request_id=request.request_id, user_id=user_id, close_code=code)
            return
        status = response.status
        self._metrics.request(request.method, route, status, seconds)
        if status >= 400 and (code := response.get(CODE)) is not None:
            self._metrics.refusal(code)
        level = logging.DEBUG
        is_slow = seconds >= SLOW_SECONDS and status != 429  # whose client was made to wait
        is_stranger_s = request.user_id is None and 400 <= status < 500
        if (status in _CROWDED or is_stranger_s) and not is_slow:
            # A line each would be a second flood, on the disk.
            self._count_refused(status)
        elif seconds >= SLOW_SECONDS or status >= 500:
            level = logging.WARNING
        elif status >= 400:
            level = logging.INFO
        # Asked first: thousands of answers a second are told at debug, and nobody listens.
        if not _LEVELS.isEnabledFor(level):
            return
        log.log(
            level,
            "request",
            request_id=request.request_id,
            method=request.method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            user_id=request.user_id,
        )

    def _count_refused(self, status: int) -> None:
        if not self._refused:
            asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell_refused)
        self._refused[status] += 1

    def _tell_refused(self) -> None:
        statuses = {str(status): count for status, count in self._refused.items()}
        log.warning("refused", requests=self._refused.total(), statuses=statuses)
        self._refused.clear()


def _path_of(request: web.BaseRequest) -> str:
    path = request.raw_path
    if not path.startswith("/"):  # a whole address, as to a proxy
        path = request.rel_url.raw_path
    return path.partition("#")[0].partition("?")[0]
