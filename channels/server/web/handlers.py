"""Serves one endpoint of the API: authenticates, parses by the endpoint's types, calls it, renders the answer.

One handler shape for every call, so that what holds for one holds for all: who is asked for a token, how often he may
ask, that an unknown field is refused. What it raises becomes a problem in `channels.server.web.server`.
"""

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import Any, Final, get_args

from aiohttp import HttpVersion11, hdrs, web
from pydantic import BaseModel, TypeAdapter, ValidationError

from channels.limits import Limits
from channels.server.auth import Authenticator
from channels.server.limits.by_address import AddressLimits
from channels.server.limits.concurrency import ConcurrencyLimit
from channels.server.limits.load_shedding import LoadShedder, Work
from channels.server.limits.rate_limit import UserRates
from channels.server.limits.user_turns import UserTurns
from channels.server.tokens import Claims
from channels.server.web.ndjson import serve_stream
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.problems import BodyTooLarge, UnsupportedMediaType, refusal_of
from channels.server.web.request import Request
from channels.server.web.responses import (
    JSON,
    headers_of,
    json_answer,
    rate_headers,
    table_answer,
)
from channels.server.web.router import Handler, Parameters
from channels.server.web.uploads import (
    PAUSE_SECONDS,
    TOO_SLOW,
    refuse_encoded,
    serve_download,
    upload_of,
)
from groups.kernel.byte_cache import ByteCache
from groups.kernel.endpoint import Download, Endpoint, IdempotencyKey, Rendered, Reply, Table
from groups.kernel.errors import InvalidRequest
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.text import LIMITS
from groups.routes.responses.fields import ItemError

_KEY: Final[TypeAdapter[str | None]] = TypeAdapter(IdempotencyKey)
KEPT_QUERIES_BYTES: Final = 2**20  # some 500 queries: clients ask for few different pages
_QUERY_BYTES: Final = 1_500  # what the model of one takes
KEPT_QUERY_LENGTH: Final = (
    128  # characters; longer ones are searches and cursors, which hardly come again
)


class EndpointHandlers:
    """What the handlers of all calls share: who is calling, the rates, the limits."""

    def __init__(
        self,
        callers: Authenticator,
        visitors: AddressLimits,
        rates: UserRates,
        limits: Limits,
        admission: LoadShedder,
        veil: NotFoundDelay,
    ) -> None:
        self._callers = callers
        self._visitors = visitors
        self._transfers = ConcurrencyLimit(
            limits.transfers_per_user, "requests of one user still being sent"
        )
        self.user_turns = UserTurns(
            limits.requests_at_work_per_user, limits.waiting_requests_per_user
        )
        self.back_end_turns = UserTurns(
            limits.requests_at_work_per_back_end, limits.waiting_requests_per_back_end
        )
        self._rates = rates
        self._admission = admission
        self._limits = limits
        self._veil = veil
        self._context = {LIMITS: limits}
        self._queries: ByteCache[tuple[type[BaseModel], str], BaseModel] = ByteCache(
            "queries", KEPT_QUERIES_BYTES, lambda key, _: _QUERY_BYTES + 8 * len(key[1])
        )

    def handler(self, endpoint: Endpoint) -> Handler:
        call, status = endpoint.handler, endpoint.spec.status
        path = [(name, kind.validator) for name, kind in endpoint.path.items()]
        may_refuse_items = endpoint.answer is not None and _mentions(endpoint.answer, ItemError)
        is_held = _refuses_an_item if may_refuse_items else _refuses_nothing

        async def handle(request: Request, parameters: Parameters) -> web.StreamResponse:
            arguments: dict[str, Any] = {}
            claims: Claims | None = None
            if endpoint.needs_actor:
                claims = self._callers.by_header(request)
                actor = claims.actor
                request.user_id = actor.user_id
                rate = self._rates.take(actor)
                if rate is not None:
                    quota, left = rate
                    request.rate = rate_headers(quota, left, 1)
                arguments["actor"] = actor
            work = self._admission.enter()
            try:
                return await serve(request, parameters, arguments, claims, work)
            finally:
                work.end()

        async def serve(
            request: Request,
            parameters: Parameters,
            arguments: dict[str, Any],
            claims: Claims | None,
            work: Work,
        ) -> web.StreamResponse:
            refuse_encoded(request)
            # What reads the body comes last: nobody unknown or too eager makes us read one.
            for name, validator in path:
                arguments[name] = self._parsed(validator, parameters[name], name)
            if endpoint.query is not None:
                arguments["query"] = self._query(endpoint.query, request)
            elif "?" in request.raw_path and request.query_string:
                raise InvalidRequest(errors=[{"field": "query", "reason": "takes no parameters"}])
            if endpoint.takes_key:
                key = request.headers.get("Idempotency-Key")
                arguments["key"] = self._parsed(_KEY.validator, key, "Idempotency-Key")
            if endpoint.takes_accept:
                arguments["accept"] = request.headers.get(hdrs.ACCEPT, "")
            raw = None
            if endpoint.body is not None:
                raw = await self._body(request, claims, work)
            if endpoint.is_stream:
                work.leave()
                await self._invite(request)
                check = None if claims is None else partial(self._callers.check, claims)
                headers = headers_of(request)
                return await self._veil.over(
                    serve_stream(endpoint, request, arguments, headers, check)
                )
            if endpoint.takes_upload:
                work.leave()
                await self._invite(request)
                arguments["upload"] = await upload_of(request)
                answer = await self._veil.over(call(**arguments), work.leave)
            else:
                answer = await answer_of(request, arguments, claims, work, raw)
            if isinstance(answer, Download):
                work.leave()
                with self._visitors.transfer_of(request):
                    turn_of = partial(self._visitors.piece_of, request)
                    return await serve_download(request, answer, headers_of(request), turn_of)
            if isinstance(answer, Table):
                return table_answer(request, answer)
            if isinstance(answer, Reply):
                return json_answer(request, answer.status, _json_of(answer.body))
            return json_answer(request, status, None if answer is None else _json_of(answer))

        async def answer_of(
            request: Request,
            arguments: dict[str, Any],
            claims: Claims | None,
            work: Work,
            raw: bytes | None,
        ) -> object:
            REQUEST_SLOT.set(work)
            if claims is None:
                if raw is not None:
                    arguments["body"] = self._parsed_body(endpoint, request, raw)
                return await anonymous_answer_of(request, arguments, work)
            actor = claims.actor
            turns = self.back_end_turns if actor.is_app_admin else self.user_turns
            has_waited = raw is not None
            if not turns.take(actor.user_id):
                has_waited = True
                work.leave()
                try:
                    await turns.wait(actor.user_id, len(raw or b""))
                finally:
                    work.come_back()
            has_turn = True

            def on_held() -> None:
                nonlocal has_turn
                work.leave()
                has_turn = False
                turns.give_back(actor.user_id)

            try:
                if has_waited:
                    # For the body, or for its turn: the token may have been revoked meanwhile.
                    self._callers.check(claims)
                if raw is not None:
                    arguments["body"] = self._parsed_body(endpoint, request, raw)
                return await self._veil.over(call(**arguments), on_held, is_held=is_held)
            finally:
                if has_turn:
                    turns.give_back(actor.user_id)

        async def anonymous_answer_of(
            request: Request, arguments: dict[str, Any], work: Work
        ) -> object:
            work.leave()
            turn = await self._visitors.turn_of(request)
            work.come_back()

            def on_held() -> None:
                work.leave()
                turn.end()

            try:
                return await self._veil.over(call(**arguments), on_held, is_held=is_held)
            finally:
                turn.end()

        return handle

    def _parsed(self, validator: Any, value: object, name: str) -> Any:
        try:
            return validator.validate_python(value, context=self._context)
        except ValidationError as error:
            raise refusal_of(error, name) from None

    def _query(self, model: type[BaseModel], request: web.BaseRequest) -> BaseModel:
        # What was understood before is the same again: a model of a query is frozen, and made of nothing but its text.
        text = request.raw_path.partition("?")[2]
        found = self._queries.get((model, text))
        if found is None:
            found = self._parsed_query(model, request)
            if len(text) <= KEPT_QUERY_LENGTH:
                self._queries.put((model, text), found)
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

    async def _read(self, request: web.BaseRequest, claims: Claims | None, work: Work) -> bytes:
        if request.content.is_eof():
            return await request.read()
        # One user's unfinished bodies must not be all that the process waits for.
        is_bound = claims is not None and not claims.actor.is_app_admin
        whose = claims.actor.user_id if claims is not None else ""
        with self._transfers.one_of(whose) if is_bound else nullcontext():
            work.leave()
            async with asyncio.timeout(PAUSE_SECONDS):
                raw = await request.read()
            work.come_back()
            return raw

    async def _body(self, request: web.BaseRequest, claims: Claims | None, work: Work) -> bytes:
        await self._invite(request)
        try:
            return await self._read(request, claims, work)
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


def _mentions(kind: Any, wanted: type[BaseModel]) -> bool:
    """Whether an answer of this type may hold one of the wanted type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = kind.model_fields.values()
        return kind is wanted or any(_mentions(field.annotation, wanted) for field in fields)
    return any(_mentions(part, wanted) for part in get_args(kind))


def _refuses_an_item(answer: Any) -> bool:
    """Whether a batch says of one of its items why there is nothing to show."""
    view = answer.body if isinstance(answer, Reply) else answer
    lists = (value for value in vars(view).values() if isinstance(value, list))
    return any(getattr(item, "error", None) is not None for items in lists for item in items)


def _refuses_nothing(answer: Any) -> bool:
    return False


def _json_of(answer: Any) -> bytes:
    if isinstance(answer, Rendered):
        return answer.json
    json: bytes = answer.__pydantic_serializer__.to_json(answer)
    return json
