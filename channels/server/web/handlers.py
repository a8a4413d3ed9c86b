"""Makes the handler of an endpoint: authenticate, parse by the endpoint's types, call it, render the response.

All endpoints share one handler, so authentication, rates and the refusal of unknown fields are the same everywhere.
`web.server` turns what a handler raises into a problem.
"""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, get_args

from aiohttp import HttpVersion11, hdrs, web
from pydantic import BaseModel, TypeAdapter, ValidationError

from channels.limits import Limits
from channels.server.auth import Authenticator
from channels.server.identity.errors import KeyMissing
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.concurrency import ConcurrencyLimit, Place
from channels.server.limits.load_shedding import LoadShedder, Slot
from channels.server.limits.rate_limit import UserRates
from channels.server.tokens import Claims
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.problems import BodyTooLarge, UnsupportedMediaType, validation_problem
from channels.server.web.request import Request
from channels.server.web.responses import (
    COMMON_HEADERS,
    JSON,
    common_headers,
    csv_response,
    json_response,
    rate_headers,
)
from channels.server.web.router import Handler, Parameters
from channels.server.web.streams.event_stream import LAST_EVENT_ID_HEADER, serve_event_stream
from channels.server.web.streams.ndjson import serve_stream
from channels.server.web.streams.uploads import (
    PAUSE_SECONDS,
    TOO_SLOW,
    refuse_encoded,
    serve_download,
    upload_of,
)
from groups.kernel.byte_cache import ByteCache
from groups.kernel.endpoint import (
    Download,
    Endpoint,
    EventStream,
    IdempotencyKey,
    LastEventId,
    Rendered,
    Reply,
    Table,
)
from groups.kernel.errors import InvalidRequest
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.text.bounded import LIMITS
from groups.routes.responses.fields import ItemError

_KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)
_LAST_EVENT_ID: Final[TypeAdapter[str | None]] = TypeAdapter(LastEventId)
KEPT_QUERIES_BYTES: Final = 2**20  # about 500 queries: clients use few different ones
_QUERY_BYTES: Final = 1_500  # memory of one parsed query
KEPT_QUERY_LENGTH: Final = 128
"""Characters: longer queries are searches and cursors, which hardly repeat."""


class EndpointHandlers:
    """Makes handlers, which share authentication and limits."""

    def __init__(
        self,
        authenticator: Authenticator,
        addresses: AddressLimits,
        rates: UserRates,
        limits: Limits,
        load_shedder: LoadShedder,
        not_found_delay: NotFoundDelay,
    ) -> None:
        self._authenticator = authenticator
        self._addresses = addresses
        self._bodies = ConcurrencyLimit(
            limits.transfers_per_user, "requests of one user still being sent"
        )
        self.user_requests = ConcurrencyLimit(
            limits.requests_at_work_per_user,
            "requests of one user",
            most_waiting=limits.waiting_requests_per_user,
        )
        self.back_end_requests = ConcurrencyLimit(
            limits.requests_at_work_per_back_end,
            "requests of one back end",
            most_waiting=limits.waiting_requests_per_back_end,
        )
        self._rates = rates
        self._load_shedder = load_shedder
        self._limits = limits
        self._not_found_delay = not_found_delay
        self._context = {LIMITS: limits}
        self._queries: ByteCache[tuple[type[BaseModel], str], BaseModel] = ByteCache(
            "queries", KEPT_QUERIES_BYTES, lambda key, _: _QUERY_BYTES + 8 * len(key[1])
        )

    def handler(self, endpoint: Endpoint) -> Handler:
        call, status = endpoint.handler, endpoint.spec.status
        path = [(name, kind.validator) for name, kind in endpoint.path.items()]
        may_refuse_items = endpoint.answer is not None and _mentions(endpoint.answer, ItemError)
        is_not_found = _refuses_an_item if may_refuse_items else lambda _: False

        async def handle(request: Request, parameters: Parameters) -> web.StreamResponse:
            arguments: dict[str, Any] = {}
            claims: Claims | None = None
            if endpoint.may_have_actor:
                arguments["actor"] = None
            if endpoint.needs_actor or (
                endpoint.may_have_actor and hdrs.AUTHORIZATION in request.headers
            ):
                try:
                    claims = self._authenticator.by_header(request)
                except KeyMissing as missing:
                    claims = await self._authenticator.by_new_key(request, missing)
                actor = claims.actor
                request.user_id = actor.user_id
                rate = self._rates.take(actor)
                if rate is not None:
                    quota, left = rate
                    request.rate = rate_headers(quota, left, 1)
                arguments["actor"] = actor
            with self._load_shedder.enter() as slot:
                if claims is not None and claims.actor.is_business:
                    await self._authenticator.register(claims.actor)
                refuse_encoded(request)
                # The body is read last, so that refused callers do not make the server read one.
                for name, validator in path:
                    arguments[name] = self._parsed(validator, parameters[name], name)
                if endpoint.query is not None:
                    arguments["query"] = self._query(endpoint.query, request)
                elif "?" in request.raw_path and request.query_string:
                    raise InvalidRequest(
                        errors=[{"field": "query", "reason": "takes no parameters"}]
                    )
                if endpoint.takes_key:
                    key = request.headers.get("Idempotency-Key")
                    arguments["key"] = self._parsed(_KEY.validator, key, "Idempotency-Key")
                if endpoint.takes_accept:
                    arguments["accept"] = request.headers.get(hdrs.ACCEPT, "")
                if endpoint.takes_last_event_id:
                    last = request.headers.get(LAST_EVENT_ID_HEADER)
                    arguments["last_event_id"] = self._parsed(
                        _LAST_EVENT_ID.validator, last, LAST_EVENT_ID_HEADER
                    )
                raw = None
                if endpoint.body is not None:
                    raw = await self._body(request, claims, slot)
                if endpoint.is_stream:
                    slot.leave()
                    await self._send_continue(request)
                    check = partial(self._authenticator.check, claims) if claims else lambda: None
                    headers = common_headers(request)
                    return await self._not_found_delay.apply(
                        serve_stream(endpoint, request, arguments, headers, check)
                    )
                if endpoint.takes_upload:
                    slot.leave()
                    await self._send_continue(request)
                    arguments["upload"] = await upload_of(request)
                    answer = await self._not_found_delay.apply(call(**arguments), slot.leave)
                else:
                    answer = await call_endpoint(request, arguments, claims, slot, raw)
                if isinstance(answer, Download):
                    slot.leave()
                    with self._addresses.acquire_download(request):
                        acquire_chunk = partial(self._addresses.acquire_chunk, request)
                        return await serve_download(
                            request, answer, common_headers(request), acquire_chunk
                        )
                if isinstance(answer, EventStream):
                    slot.leave()
                    check = partial(self._authenticator.check, claims) if claims else lambda: None
                    return await serve_event_stream(
                        request, answer, common_headers(request) | COMMON_HEADERS, check
                    )
                if isinstance(answer, Table):
                    return csv_response(request, answer)
                if isinstance(answer, Reply):
                    return json_response(request, answer.status, _json_of(answer.body))
                return json_response(request, status, None if answer is None else _json_of(answer))

        async def call_endpoint(
            request: Request,
            arguments: dict[str, Any],
            claims: Claims | None,
            slot: Slot,
            raw: bytes | None,
        ) -> object:
            REQUEST_SLOT.set(slot)
            if claims is None:
                limit, key = self._addresses.requests, self._addresses.address_of(request)
            else:
                key = claims.actor.user_id
                limit = self.back_end_requests if claims.actor.is_app_admin else self.user_requests
            place = limit.try_acquire(key)
            has_waited = raw is not None or place is None
            if place is None:
                slot.leave()
                try:
                    place = await limit.acquire(key, len(raw or b""))
                finally:
                    slot.come_back()
            with place:

                def before_delay() -> None:
                    slot.leave()
                    place.release()

                if endpoint.spec.waits:
                    REQUEST_SLOT.set(_WaitingSlot(request, slot, place))

                if has_waited and claims is not None:
                    # The token may have been revoked while the request waited.
                    self._authenticator.check(claims)
                if raw is not None:
                    arguments["body"] = self._parsed_body(endpoint, request, raw)
                answer = await self._not_found_delay.apply(
                    call(**arguments), before_delay, is_not_found=is_not_found
                )
                if endpoint.spec.waits and claims is not None:
                    self._authenticator.check(claims)
                return answer

        return handle

    def _parsed(self, validator: Any, value: object, name: str) -> Any:
        try:
            return validator.validate_python(value, context=self._context)
        except ValidationError as error:
            raise validation_problem(error, name) from None

    def _query(self, model: type[BaseModel], request: web.BaseRequest) -> BaseModel:
        # Parsed queries can be cached: they are frozen, and depend on the text alone.
        text = request.raw_path.partition("?")[2]
        found = self._queries.get((model, text))
        if found is None:
            found = self._parsed_query(model, request)
            if len(text) <= KEPT_QUERY_LENGTH:
                self._queries.put((model, text), found)
        return found

    def _parsed_query(self, model: type[BaseModel], request: web.BaseRequest) -> BaseModel:
        query = request.query if "?" in request.raw_path else {}
        # `len` counts every pair, a set each name once.
        if len(query) > len(set(query)):
            raise InvalidRequest(errors=[{"field": "query", "reason": "names a parameter twice"}])
        try:
            return model.model_validate(dict(query), context=self._context)
        except ValidationError as error:
            raise validation_problem(error, "query", model) from None

    async def _body(self, request: web.BaseRequest, claims: Claims | None, slot: Slot) -> bytes:
        await self._send_continue(request)
        # One user's unfinished bodies must not be all that the process waits for.
        is_bound = claims is not None and not claims.actor.is_app_admin
        user_id = claims.actor.user_id if claims is not None else ""
        try:
            if request.content.is_eof():
                return await request.read()
            with self._bodies.acquire_now(user_id) if is_bound else nullcontext():
                slot.leave()
                async with asyncio.timeout(PAUSE_SECONDS):
                    raw = await request.read()
                slot.come_back()
                return raw
        except TimeoutError:
            raise InvalidRequest(errors=[{"field": "body", "reason": TOO_SLOW}]) from None
        except web.HTTPRequestEntityTooLarge:
            raise BodyTooLarge(limit_bytes=self._limits.request_body_bytes) from None
        except web.RequestPayloadError:
            reason = "cannot be read as its headers say"
            raise InvalidRequest(errors=[{"field": "body", "reason": reason}]) from None

    def _parsed_body(
        self, endpoint: Endpoint, request: web.BaseRequest, raw: bytes
    ) -> BaseModel | None:
        if not raw and endpoint.body_is_optional:
            return None
        if raw and request.content_type not in {JSON, "application/octet-stream"}:
            raise UnsupportedMediaType(
                f"The body must be {JSON}", content_type=request.content_type[:100]
            )
        assert endpoint.body is not None, "else no body is read"
        try:
            return endpoint.body.model_validate_json(raw, context=self._context, strict=True)
        except ValidationError as error:
            raise validation_problem(error, "body", endpoint.body) from None

    async def _send_continue(self, request: web.BaseRequest) -> None:
        """Tell a client that sent `Expect: 100-continue` to send its body."""
        if request.version == HttpVersion11 and request.headers.get(hdrs.EXPECT):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


@dataclass(slots=True, eq=False)
class _WaitingSlot:
    """What a request that waits for something to happen gives back: its slot, and its place among its user's.

    The place is not taken again, since the call itself bounds how many requests of a user wait.
    """

    _request: Request
    _slot: Slot
    _place: Place
    _since: float = 0.0

    def leave(self) -> None:
        self._slot.leave()
        self._place.release()
        self._since = time.perf_counter()

    def come_back(self) -> None:
        """Take the slot again. Raises: ConnectionResetError if the client is gone."""
        self._slot.come_back()
        self._request.waited_seconds += time.perf_counter() - self._since
        if self._request.is_abandoned:
            raise ConnectionResetError


def _mentions(kind: Any, wanted: type[BaseModel]) -> bool:
    """Whether a response of this type may contain the wanted type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model_mentions(kind, wanted)
    return any(_mentions(part, wanted) for part in get_args(kind))


@cache
def _model_mentions(kind: type[BaseModel], wanted: type[BaseModel]) -> bool:
    # Cached: a hundred endpoints answer with the same few models.
    fields = kind.model_fields.values()
    return kind is wanted or any(_mentions(field.annotation, wanted) for field in fields)


def _refuses_an_item(answer: Any) -> bool:
    """Whether an item of a batch response holds an error."""
    view = answer.body if isinstance(answer, Reply) else answer
    if isinstance(view, Rendered):
        return view.refuses_an_item
    lists = (value for value in vars(view).values() if isinstance(value, list))
    return any(getattr(item, "error", None) is not None for items in lists for item in items)


def _json_of(answer: Any) -> bytes:
    if isinstance(answer, Rendered):
        return answer.json
    json: bytes = answer.__pydantic_serializer__.to_json(answer)
    return json
