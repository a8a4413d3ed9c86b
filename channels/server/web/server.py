"""Every request passes here: its id, the limit on how many run at once, its errors, its metrics and its log line.

`HttpServer.serve` finds the handler (`router`), runs it, and turns what it raises into a problem (`problems`).
The handlers of the API are made by `handlers`.
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
from channels.server.limits.load_shedding import LoadShedder, RetryState
from channels.server.metrics import Metrics
from channels.server.web.cors import CorsPolicy
from channels.server.web.handlers import EndpointHandlers
from channels.server.web.hints import hint_for
from channels.server.web.pages.not_found import NotFoundPage
from channels.server.web.problems import (
    CODE,
    InternalError,
    RouteNotFound,
    domain_error_of,
    problem_response,
)
from channels.server.web.protocol import Connection
from channels.server.web.request import Request
from channels.server.web.responses import REQUEST_ID_HEADER, common_headers
from channels.server.web.router import Match, Router
from groups.kernel.endpoint import Endpoint
from groups.kernel.errors import DomainError, RateLimited, Unavailable
from groups.kernel.ids import mint_id
from groups.kernel.mongo import is_outage

SLOW_SECONDS: Final = 1.0
LOG_SECONDS: Final = 5.0  # between two log lines about requests that were refused immediately
RETRY_STATES: Final = 8_192  # clients whose next allowed retry is remembered
_CROWDED: Final = frozenset({429, 503, 507})
OPERATIONS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Monitoring needs these above all while the server is overloaded."""
SOCKET_PATH: Final = "/v1/socket"
UNROUTED: Final = "other"
"""The route of unknown paths in metrics and logs."""

log = structlog.get_logger("channels.http")
_LEVELS: Final = logging.getLogger("channels.http")


class HttpServer:
    """The routes, the limits and the counters that all requests pass."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        cors: CorsPolicy,
        load_shedder: LoadShedder,
        addresses: AddressLimits,
    ) -> None:
        self._cors = cors
        self._not_found_page = NotFoundPage()
        self.router = Router()
        self._limits = limits
        self._load_shedder = load_shedder
        self._addresses = addresses
        self._metrics = metrics
        self._retry_states: LRUCache[tuple[str | None, str], RetryState] = LRUCache(RETRY_STATES)
        self._under_way = 0
        self._refused: Counter[int] = Counter()
        # Unique without random bytes for every request.
        self._process = mint_id(5)
        self._numbers = itertools.count(1)

    def mount(self, endpoints: Iterable[Endpoint], calls: EndpointHandlers) -> None:
        for endpoint in endpoints:
            spec = endpoint.spec
            handler = calls.handler(endpoint)
            self.router.add(
                spec.method,
                spec.path,
                handler,
                is_counted=not endpoint.needs_actor,
                waits=spec.waits,
            )

    def request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> Request:
        """Make a request, whose body is bounded."""
        request = Request(
            message,
            payload,
            protocol,
            writer,
            task,
            task.get_loop(),
            client_max_size=self._limits.request_body_bytes,
        )
        assert isinstance(protocol, Connection), "made by `protocol.Listener`"
        protocol.request = request
        return request

    async def serve_crowded(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request on a connection beyond the capacity, and close it: operations pages, else a refusal."""
        assert isinstance(request, Request), "made by `HttpServer.request`"
        if _path_of(request) in OPERATIONS:
            response = await self.serve(request)
        else:
            request.request_id = f"{self._process}{next(self._numbers):x}"
            error = self._load_shedder.refusal()
            self._metrics.refusal(error.code)
            self._count_refused(503)
            response = problem_response(request, error)
            if not response.prepared:
                response.headers.update(common_headers(request))
        response.force_close()
        return response

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Run one request: its id, the limits, the handler, errors as problems, metrics and log."""
        assert isinstance(request, Request), "made by `HttpServer.request`"
        given = request.headers.get(REQUEST_ID_HEADER, "")
        is_usable = given and given.isascii() and given.isalnum() and len(given) <= 64
        request_id = given if is_usable else f"{self._process}{next(self._numbers):x}"
        request.request_id = request_id
        started = time.perf_counter()
        route, weight = UNROUTED, 1
        too_often: RateLimited | None = None
        self._under_way += 1
        try:
            answered = self._admitted(request)
            if answered is not None:
                answered.headers.update(common_headers(request))
                return answered
            found, parameters = self._found(request)
            route = found.path
            if route == SOCKET_PATH or found.waits:
                # It is open for hours and mostly idle, so it does not count as a request.
                self._under_way -= 1
                weight = 0
            if route not in OPERATIONS:
                if self._under_way > self._limits.concurrent_requests:
                    raise Unavailable("The server has too many requests at once; try again")
                if self._load_shedder.is_full:
                    await self._admit_request(request)
            if found.is_counted:
                self._addresses.take(request)
            response = await found.handler(request, parameters)
        except DomainError as error:
            hint = hint_for(error, self.router, request.method, request.raw_path)
            response = self._error_response(request, error, hint)
            if isinstance(error, RateLimited):
                too_often = error
        except web.HTTPException as error:
            response = self._error_response(request, domain_error_of(error))
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        # Outages of the database are 503. Other errors are defects: the client gets an opaque 500, the log the rest.
        except Exception as error:
            refusal: DomainError = Unavailable()
            if not is_outage(error):
                log.exception(
                    "defect", request_id=request_id, method=request.method, path=request.path
                )
                refusal = InternalError()
            response = problem_response(request, refusal)
        finally:
            self._under_way -= weight
        if too_often is not None:
            await self._delay_refusal(request, too_often)
        if request.user_id is None and route not in OPERATIONS:
            await self._addresses.pace(request)
        if not response.prepared:
            response.headers.update(common_headers(request))
        worked = time.perf_counter() - started - request.waited_seconds
        self._observe(request, response, route, worked)
        return response

    def _error_response(
        self, request: Request, error: DomainError, hint: str | None = None
    ) -> web.StreamResponse:
        """A problem, or a page where a browser opens an address without a route."""
        if isinstance(error, RouteNotFound) and self._not_found_page.is_for(request):
            return self._not_found_page.response(request)
        return problem_response(request, error, hint)

    async def _admit_request(self, request: web.BaseRequest) -> None:
        connection = request.protocol
        assert isinstance(connection, Connection), "made by `protocol.Listener`"
        # A delayed request is not under way: otherwise delayed clients would cause refusals for others.
        self._under_way -= 1
        try:
            await self._load_shedder.admit_request(connection)
        finally:
            self._under_way += 1

    async def _delay_refusal(self, request: Request, error: RateLimited) -> None:
        # Not by connection, since a flood may open a new one for each request.
        key = request.user_id, self._addresses.address_of(request) if not request.user_id else ""
        client = self._retry_states.get(key)
        if client is None:
            client = self._retry_states[key] = RetryState()
        # In whole seconds, as in the header. A bucket has room for one request within milliseconds.
        await self._load_shedder.delay_refusal(client, max(1, math.ceil(error.retry_after_seconds)))

    def _admitted(self, request: Request) -> web.Response | None:
        try:
            return self._cors.admit(request)
        except DomainError:
            self._addresses.take(request)
            raise

    def _found(self, request: web.BaseRequest) -> Match:
        try:
            return self.router.find(request.method, _path_of(request))
        except DomainError:
            self._addresses.take(request)
            raise

    def _observe(
        self, request: Request, response: web.StreamResponse, route: str, seconds: float
    ) -> None:
        if route == SOCKET_PATH and isinstance(response, web.WebSocketResponse):
            # Its duration is how long the client stayed, which is no latency.
            user_id, code = request.user_id, response.close_code
            log.debug("socket", request_id=request.request_id, user_id=user_id, close_code=code)
            return
        status = response.status
        self._metrics.request(request.method, route, status, seconds)
        if status >= 400 and (code := response.get(CODE)) is not None:
            self._metrics.refusal(code)
        level = logging.DEBUG
        is_slow = seconds >= SLOW_SECONDS and status != 429  # such clients are delayed on purpose
        is_anonymous = request.user_id is None and 400 <= status < 500
        if (status in _CROWDED or is_anonymous) and not is_slow:
            # One log line for each would be a second flood, on the disk.
            self._count_refused(status)
        elif seconds >= SLOW_SECONDS or status >= 500:
            level = logging.WARNING
        elif status >= 400:
            level = logging.INFO
        # Checked first: thousands of lines a second are at debug level, which is usually off.
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
            asyncio.get_running_loop().call_later(LOG_SECONDS, self._log_refused)
        self._refused[status] += 1

    def _log_refused(self) -> None:
        statuses = {str(status): count for status, count in self._refused.items()}
        log.warning("refused", requests=self._refused.total(), statuses=statuses)
        self._refused.clear()


def _path_of(request: web.BaseRequest) -> str:
    path = request.raw_path
    if not path.startswith("/"):  # an absolute URL, as sent to a proxy
        path = request.rel_url.raw_path
    return path.partition("#")[0].partition("?")[0]
