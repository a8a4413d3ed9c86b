"""Serves endpoints over HTTP: authenticates, parses by the endpoint's types, calls it, renders the answer.

One handler shape for every call, so that what holds for one holds for all: who is asked for a token, how often he may
ask, that an unknown field is refused, how an error looks. Every request arrives at `HttpServer.serve`, which finds the
handler (`router`), runs it, and turns whatever it raises into a problem.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import HttpVersion11, StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from pydantic import BaseModel, TypeAdapter, ValidationError

from channels.limits import Limits
from channels.server.answers import (
    JSON,
    PROBLEM,
    REQUEST_ID,
    REQUEST_ID_HEADER,
    headers_of,
    json_answer,
    table_answer,
)
from channels.server.metrics import Metrics
from channels.server.ndjson import serve_stream
from channels.server.origins import Origins
from channels.server.problems import (
    BodyTooLarge,
    InternalError,
    RangeNotSatisfiable,
    RouteNotFound,
    UnsupportedMediaType,
    WrongMethod,
    problem_of,
    refusal_of,
    status_of,
)
from channels.server.rates import UserRates
from channels.server.router import Handler, Parameters, Router
from channels.server.tokens import BadToken, Claims, TokenVerifier
from channels.server.transfers import PAUSE_SECONDS, TOO_SLOW, serve_download, upload_of
from groups.kernel.endpoint import Download, Endpoint, IdempotencyKey, Rendered, Reply, Table
from groups.kernel.errors import DomainError, InvalidRequest, TooMany, Unavailable, Unready
from groups.kernel.ids import mint_id
from groups.kernel.mongo import is_outage
from groups.kernel.text import LIMITS

USER_ID: Final = web.RequestKey("user_id", str)

_KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)
KEPT_QUERIES: Final = 256  # of each call: clients ask for few different pages
KEPT_QUERY_LENGTH: Final = (
    128  # characters; longer ones are searches and cursors, which hardly come again
)
SLOW_SECONDS: Final = 1.0
SOCKET_PATH: Final = "/v1/socket"
UNROUTED: Final = "other"
"""The route that metrics and logs name for a path that has none."""

log = structlog.get_logger("channels.http")
_LEVELS: Final = logging.getLogger("channels.http")


class HttpServer:
    """What all handlers share: the routes, the verifier, the limits, the counters."""

    def __init__(
        self,
        verifier: TokenVerifier,
        limits: Limits,
        rates: UserRates,
        metrics: Metrics,
        origins: Origins,
    ) -> None:
        self._origins = origins
        self.router = Router()
        self._verifier = verifier
        self._limits = limits
        self._rates = rates
        self._metrics = metrics
        self._context = {LIMITS: limits}
        self._under_way = 0
        # Unique without asking the machine for random bytes at every request.
        self._process = mint_id(5)
        self._numbers = itertools.count(1)

    def mount(self, endpoints: Iterable[Endpoint]) -> None:
        """Serve the endpoints."""
        for endpoint in endpoints:
            spec = endpoint.spec
            self.router.add(spec.method, spec.path, self._handler(endpoint))

    def claims_of(self, request: web.BaseRequest) -> Claims:
        """What the caller's token says, by the `Authorization` header.

        Raises: BadToken.
        """
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise BadToken("Send `Authorization: Bearer <token>`")
        return self._verifier.verify(token.strip())

    def _handler(self, endpoint: Endpoint) -> Handler:
        call, status = endpoint.handler, endpoint.spec.status
        path = [(name, kind.validator) for name, kind in endpoint.path.items()]
        queries: dict[str, BaseModel] = {}

        async def handle(request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
            arguments: dict[str, Any] = {}
            claims: Claims | None = None
            if endpoint.needs_actor:
                claims = self.claims_of(request)
                actor = claims.actor
                request[USER_ID] = actor.user_id
                self._rates.check(actor)
                arguments["actor"] = actor
            # What reads the body comes last: nobody unknown or too eager makes us read one.
            for name, validator in path:
                arguments[name] = self._parsed(validator, parameters[name], name)
            if endpoint.query is not None:
                arguments["query"] = self._query(endpoint.query, request, queries)
            elif "?" in request.raw_path and request.query_string:
                raise InvalidRequest(errors=[{"field": "query", "reason": "takes no parameters"}])
            if endpoint.takes_key:
                key = request.headers.get("Idempotency-Key")
                arguments["key"] = self._parsed(_KEY.validator, key, "Idempotency-Key")
            if endpoint.takes_accept:
                arguments["accept"] = request.headers.get(hdrs.ACCEPT, "")
            if endpoint.body is not None:
                arguments["body"] = await self._body(endpoint, request)
                # A body may take its time, and the token may have been revoked meanwhile.
                if claims is not None:
                    self._verifier.check(claims)
            if endpoint.is_stream:
                await self._invite(request)
                check = None if claims is None else partial(self._verifier.check, claims)
                headers = headers_of(request)
                return await serve_stream(endpoint, request, arguments, headers, check)
            if endpoint.takes_upload:
                await self._invite(request)
                arguments["upload"] = await upload_of(request)
            answer = await call(**arguments)
            if isinstance(answer, Download):
                return await serve_download(request, answer, headers_of(request))
            if isinstance(answer, Table):
                return table_answer(request, answer)
            if isinstance(answer, Reply):
                return json_answer(request, answer.status, _json_of(answer.body))
            return json_answer(request, status, None if answer is None else _json_of(answer))

        return handle

    def _parsed(self, validator: Any, value: object, name: str) -> Any:
        try:
            return validator.validate_python(value, context=self._context)
        except ValidationError as error:
            raise refusal_of(error, name) from None

    def _query(
        self, model: type[BaseModel], request: web.BaseRequest, known: dict[str, BaseModel]
    ) -> BaseModel:
        # What was understood before is the same again: a model of a query is frozen, and made of nothing but its text.
        text = request.raw_path.partition("?")[2]
        found = known.get(text)
        if found is None:
            found = self._parsed_query(model, request)
            if len(text) <= KEPT_QUERY_LENGTH:
                if len(known) >= KEPT_QUERIES:
                    known.clear()
                known[text] = found
        return found

    def _parsed_query(self, model: type[BaseModel], request: web.BaseRequest) -> BaseModel:
        query = request.query if "?" in request.raw_path else {}
        # Its length counts every pair, also where iterating tells each name once.
        if len(query) > len(set(query)):
            raise InvalidRequest(errors=[{"field": "query", "reason": "names a parameter twice"}])
        try:
            return model.model_validate(dict(query), context=self._context)
        except ValidationError as error:
            raise refusal_of(error, "query") from None

    async def _body(self, endpoint: Endpoint, request: web.BaseRequest) -> BaseModel | None:
        await self._invite(request)
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                raw = await request.read()
        except TimeoutError:
            raise InvalidRequest(errors=[{"field": "body", "reason": TOO_SLOW}]) from None
        except web.HTTPRequestEntityTooLarge:
            raise BodyTooLarge(limit_bytes=self._limits.request_body_bytes) from None
        except web.RequestPayloadError:
            reason = "cannot be read as its headers say"
            raise InvalidRequest(errors=[{"field": "body", "reason": reason}]) from None
        if not raw and endpoint.body_is_optional:
            return None
        if raw and request.content_type not in {JSON, "application/octet-stream"}:
            raise UnsupportedMediaType(content_type=request.content_type[:100])
        if endpoint.body is None:
            return None
        try:
            return endpoint.body.model_validate_json(raw, context=self._context, strict=True)
        except ValidationError as error:
            raise refusal_of(error, "body") from None

    async def _invite(self, request: web.BaseRequest) -> None:
        """Have a client that asks first (`Expect: 100-continue`) send its body."""
        if request.version == HttpVersion11 and request.headers.get(hdrs.EXPECT):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # --- around every request -------------------------------------------------------------------------------------

    def request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        """A request, whose body is bounded."""
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            task.get_loop(),
            client_max_size=self._limits.request_body_bytes,
        )

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Number the request, bound how many run at once, turn errors into problems, count and log."""
        given = request.headers.get(REQUEST_ID_HEADER, "")
        is_usable = given and given.isascii() and given.isalnum() and len(given) <= 64
        request_id = given if is_usable else f"{self._process}{next(self._numbers):x}"
        request[REQUEST_ID] = request_id
        started = time.perf_counter()
        route, weight = UNROUTED, 1
        self._under_way += 1
        try:
            answered = self._origins.admit(request)
            if answered is not None:
                answered.headers.update(headers_of(request))
                return answered
            found, parameters = self.router.find(request.method, _path_of(request))
            route = found.path
            if route == SOCKET_PATH:
                # It is open for hours and mostly idle: it takes no request's place.
                self._under_way -= 1
                weight = 0
            if self._under_way > self._limits.concurrent_requests:
                raise Unavailable("The server has as many requests as it takes at once")
            response = await found.handler(request, parameters)
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
        if not response.prepared:
            response.headers.update(headers_of(request))
        self._observe(request, response, route, time.perf_counter() - started)
        return response

    def _observe(
        self, request: web.BaseRequest, response: web.StreamResponse, route: str, seconds: float
    ) -> None:
        if isinstance(response, web.WebSocketResponse):
            # Its seconds are how long the client stayed, not how long it waited for us.
            user_id, code = request.get(USER_ID), response.close_code
            log.debug("socket", request_id=request[REQUEST_ID], user_id=user_id, close_code=code)
            return
        status = response.status
        self._metrics.request(request.method, route, status, seconds)
        level = logging.DEBUG
        if seconds >= SLOW_SECONDS or status >= 500:
            level = logging.WARNING
        elif status >= 400:
            level = logging.INFO
        # Asked first: thousands of answers a second are told at debug, and nobody listens.
        if not _LEVELS.isEnabledFor(level):
            return
        log.log(
            level,
            "request",
            request_id=request[REQUEST_ID],
            method=request.method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            user_id=request.get(USER_ID),
        )


def _json_of(answer: Any) -> bytes:
    if isinstance(answer, Rendered):
        return answer.json
    json: bytes = answer.__pydantic_serializer__.to_json(answer)
    return json


def _path_of(request: web.BaseRequest) -> str:
    path = request.raw_path
    if not path.startswith("/"):  # a whole address, as to a proxy
        path = request.rel_url.raw_path
    return path.partition("#")[0].partition("?")[0]


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
        content_type=PROBLEM,
    )
    if isinstance(error, TooMany | Unready):
        response.headers[hdrs.RETRY_AFTER] = str(max(1, round(error.retry_after_seconds)))
    if isinstance(error, BadToken):
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{error.details['size_bytes']}"
    if isinstance(error, WrongMethod):
        response.headers[hdrs.ALLOW] = ", ".join(error.details["allowed"])
    return response
