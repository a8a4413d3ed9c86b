"""Serves endpoints over HTTP: authenticates, parses by the endpoint's types, calls it, renders the answer.

One handler shape for every call, so that what holds for one holds for all: who is asked for a token, how often he may
ask, that an unknown field is refused, how an error looks.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel, TypeAdapter, ValidationError

from channels.limits import Limits
from channels.server.metrics import Metrics
from channels.server.problems import (
    BodyTooLarge,
    InternalError,
    RouteNotFound,
    UnsupportedMediaType,
    WrongMethod,
    problem_of,
    refusal_of,
    status_of,
)
from channels.server.rates import UserRates
from channels.server.tokens import BadToken, TokenVerifier
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Endpoint, IdempotencyKey, Reply
from groups.kernel.errors import DomainError, InvalidRequest, TooMany, Unavailable, Unready
from groups.kernel.ids import mint_id
from groups.kernel.mongo import is_outage
from groups.kernel.text import LIMITS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
ROUTE: Final = web.RequestKey("route", str)
USER_ID: Final = web.RequestKey("user_id", str)

_HEADER: Final = "X-Request-Id"
_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)
SLOW_SECONDS: Final = 1.0
SOCKET_PATH: Final = "/v1/socket"

log = structlog.get_logger("channels.http")
_LEVELS: Final = logging.getLogger("channels.http")


class HttpServer:
    """What all handlers share: the verifier, the limits, the counters."""

    def __init__(
        self, verifier: TokenVerifier, limits: Limits, rates: UserRates, metrics: Metrics
    ) -> None:
        self._verifier = verifier
        self._limits = limits
        self._rates = rates
        self._metrics = metrics
        self._context = {LIMITS: limits}
        self._under_way = 0
        # Unique without asking the machine for random bytes at every request.
        self._process = mint_id(5)
        self._numbers = itertools.count(1)

    def mount(self, app: web.Application, endpoints: Iterable[Endpoint]) -> None:
        """Serve the endpoints."""
        for endpoint in endpoints:
            handler = self._handler(endpoint)
            app.router.add_route(endpoint.spec.method, endpoint.spec.path, handler)

    def actor_of(self, request: web.Request) -> Actor:
        """Who is asking, by the `Authorization` header.

        Raises: BadToken.
        """
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("Send `Authorization: Bearer <token>`")
        claims = self._verifier.verify(token.strip())
        return Actor(claims.user_id, claims.is_admin)

    def _handler(self, endpoint: Endpoint) -> Handler:
        spec, call = endpoint.spec, endpoint.handler

        async def handle(request: web.Request) -> web.StreamResponse:
            request[ROUTE] = spec.path
            arguments: dict[str, Any] = {}
            if endpoint.needs_actor:
                actor = self.actor_of(request)
                request[USER_ID] = actor.user_id
                self._rates.check(actor)
                arguments["actor"] = actor
            # What reads the body comes last: nobody unknown or too eager makes us read one.
            for name, kind in endpoint.path.items():
                arguments[name] = self._parsed(kind, request.match_info[name], name)
            if endpoint.query is not None:
                arguments["query"] = self._query(endpoint.query, request)
            elif request.query_string:
                raise InvalidRequest(errors=[{"field": "query", "reason": "takes no parameters"}])
            if endpoint.takes_key:
                arguments["key"] = self._parsed(
                    _KEY, request.headers.get("Idempotency-Key"), "Idempotency-Key"
                )
            if endpoint.body is not None:
                arguments["body"] = await self._body(endpoint, request)
            answer = await call(**arguments)
            status = spec.status
            if isinstance(answer, Reply):
                answer, status = answer.body, answer.status
            if answer is None:
                return web.Response(status=status)
            return web.Response(
                body=answer.__pydantic_serializer__.to_json(answer),
                status=status,
                content_type=_JSON,
            )

        return handle

    def _parsed(self, kind: TypeAdapter[Any], value: object, name: str) -> Any:
        try:
            return kind.validate_python(value, context=self._context)
        except ValidationError as error:
            raise refusal_of(error, name) from None

    def _query(self, model: type[BaseModel], request: web.Request) -> BaseModel:
        # Its length counts every pair, also where iterating tells each name once.
        if len(request.query) > len(set(request.query)):
            raise InvalidRequest(errors=[{"field": "query", "reason": "names a parameter twice"}])
        try:
            return model.model_validate(dict(request.query), context=self._context)
        except ValidationError as error:
            raise refusal_of(error, "query") from None

    async def _body(self, endpoint: Endpoint, request: web.Request) -> BaseModel | None:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise BodyTooLarge(limit_bytes=self._limits.request_body_bytes) from None
        except web.RequestPayloadError:
            reason = "cannot be read as its headers say"
            raise InvalidRequest(errors=[{"field": "body", "reason": reason}]) from None
        if not raw and endpoint.body_is_optional:
            return None
        if raw and request.content_type not in {_JSON, "application/octet-stream"}:
            raise UnsupportedMediaType(content_type=request.content_type[:100])
        if endpoint.body is None:
            return None
        try:
            return endpoint.body.model_validate_json(raw, context=self._context)
        except ValidationError as error:
            raise refusal_of(error, "body") from None

    # --- around every request -------------------------------------------------------------------------------------

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Number the request, bound how many run at once, turn errors into problems, count and log."""
        given = request.headers.get(_HEADER, "")
        is_usable = given.isascii() and given.isalnum() and len(given) <= 64
        request_id = given if is_usable else f"{self._process}{next(self._numbers):x}"
        request[REQUEST_ID] = request_id
        started = time.perf_counter()
        # A socket is open for hours and mostly idle: it takes no request's place.
        weight = 0 if request.path == SOCKET_PATH else 1
        self._under_way += weight
        try:
            if self._under_way > self._limits.concurrent_requests:
                raise Unavailable("The server has as many requests as it takes at once")
            response = await handler(request)
        except DomainError as error:
            response = problem_response(error, request_id)
        except web.HTTPException as error:
            response = problem_response(_as_domain_error(error), request_id)
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
            response = problem_response(refusal, request_id)
        finally:
            self._under_way -= weight
        seconds = time.perf_counter() - started
        if not response.prepared:
            response.headers[_HEADER] = request_id
        self._observe(request, response, seconds, request_id)
        return response

    def _observe(
        self, request: web.Request, response: web.StreamResponse, seconds: float, request_id: str
    ) -> None:
        if isinstance(response, web.WebSocketResponse):
            # Its seconds are how long the client stayed, not how long it waited for us.
            user_id, code = request.get(USER_ID), response.close_code
            log.debug("socket", request_id=request_id, user_id=user_id, close_code=code)
            return
        route = request.get(ROUTE, "other")
        self._metrics.request(request.method, route, response.status, seconds)
        level = logging.DEBUG
        if seconds >= SLOW_SECONDS or response.status >= 500:
            level = logging.WARNING
        elif response.status >= 400:
            level = logging.INFO
        # Asked first: thousands of answers a second are told at debug, and nobody listens.
        if not _LEVELS.isEnabledFor(level):
            return
        log.log(
            level,
            "request",
            request_id=request_id,
            method=request.method,
            route=route,
            status=response.status,
            milliseconds=round(seconds * 1000, 1),
            user_id=request.get(USER_ID),
        )


def _as_domain_error(error: web.HTTPException) -> DomainError:
    match error:
        case web.HTTPMethodNotAllowed():
            return WrongMethod(allowed=sorted(error.allowed_methods))
        case web.HTTPRequestEntityTooLarge():
            return BodyTooLarge()
        case web.HTTPNotFound():
            return RouteNotFound()
        case _ if error.status < 500:
            return InvalidRequest(error.reason, errors=[])
        case _:
            return InternalError()


def problem_response(error: DomainError, request_id: str) -> web.Response:
    """The error as a response."""
    problem = problem_of(error, request_id)
    response = web.Response(
        body=problem.__pydantic_serializer__.to_json(problem),
        status=status_of(type(error)),
        content_type=_PROBLEM,
    )
    if isinstance(error, TooMany | Unready):
        response.headers[hdrs.RETRY_AFTER] = str(max(1, round(error.retry_after_seconds)))
    if isinstance(error, BadToken):
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if isinstance(error, WrongMethod):
        response.headers[hdrs.ALLOW] = ", ".join(error.details["allowed"])
    return response
