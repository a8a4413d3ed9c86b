"""Sends requests: the token, retries, and errors from answers.

Promises:
    Once: a POST carries an `Idempotency-Key`, the same in each attempt, so a request whose answer was lost happens
    once. What may have happened is repeated only where a repetition changes nothing.
    Bounded: each attempt has a timeout, and all of them the bounds of `Retries`.
    Private: the token is sent to the server's own address only; redirects are not followed.

Depends on aiohttp, and nothing else of ours.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Final
from urllib.parse import quote, urlencode
from uuid import uuid4

import aiohttp
from pydantic import ValidationError
from pydantic_core import to_json

from channels.client.errors import (
    ApiError,
    BadAnswer,
    NoAnswer,
    Unauthenticated,
    Unavailable,
    family_of,
)
from channels.client.models import Problem
from channels.client.retries import Retries
from channels.client.tokens import Tokens

log = logging.getLogger("channels.client")

Query = Mapping[str, object]
JSON: Final = "application/json"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_NOT_CONNECTED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""No byte was sent."""
_LOST: Final = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
"""The request may have arrived."""


@dataclass(slots=True)
class _Attempt:
    """Counts the connections that one request took."""

    connections: int = 0


def new_session() -> aiohttp.ClientSession:
    """A session that counts the connections of each request.

    aiohttp itself repeats a GET, PUT or DELETE when a kept connection ends before the answer, so a DELETE may have
    happened although it was sent once.
    """
    tracing = aiohttp.TraceConfig()

    async def count(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        if isinstance(context.trace_request_ctx, _Attempt):
            context.trace_request_ctx.connections += 1

    tracing.on_connection_reuseconn.append(count)
    tracing.on_connection_create_end.append(count)
    return aiohttp.ClientSession(trace_configs=[tracing])


@dataclass(frozen=True, slots=True)
class Answered:
    """A successful answer."""

    status: int
    content_type: str
    body: bytes


def path_of(*parts: object) -> str:
    """The path of a call; each part is encoded as one segment."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def query_of(query: Query) -> str:
    """The query: None is left out, a list is joined by commas, an instant is RFC 3339."""
    sent = {name: _text(value) for name, value in query.items() if value is not None}
    return f"?{urlencode(sent)}" if sent else ""


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(map(str, value))
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


class Transport:
    """Sends requests of one user to one server."""

    def __init__(
        self,
        base_url: str,
        tokens: Tokens,
        http: aiohttp.ClientSession,
        *,
        retries: Retries,
        timeout_seconds: float,
    ) -> None:
        self.base_url = base_url
        self.tokens = tokens
        self.http = http
        self.retries = retries
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        is_repeatable: bool = True,
        timeout_seconds: float | None = None,
    ) -> Answered:
        """Send a request until it is answered for good. `body` is sent as JSON, `data` as it is.

        `is_repeatable=False`: a second time would do something else, so an attempt whose end is not known is the last.
        Raises: ApiError by the family of the answer; NoAnswer.
        """
        sent = dict(headers or {})
        if body is not None:
            data, sent["Content-Type"] = to_json(body), JSON
        if method == "POST":
            sent[IDEMPOTENCY_KEY] = idempotency_key or uuid4().hex
        url = self._url(path, query)
        timeout = self._timeout
        if timeout_seconds is not None:
            timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        started, failures, was_renewed, may_have_run = time.monotonic(), 0, False, False
        while True:
            token = await self.tokens.current()
            attempt = _Attempt()
            error: ApiError | NoAnswer
            try:
                answered = await self._once(method, url, data, sent, token, timeout, attempt)
            except _NOT_CONNECTED as reason:
                error, repeat = NoAnswer(f"{method} {path}: {reason}"), True
            except _LOST as reason:
                error = NoAnswer(f"{method} {path}: {str(reason) or 'no answer in time'}")
                repeat, may_have_run = is_repeatable, True
            except Unauthenticated:
                if was_renewed or not self.tokens.can_renew:
                    raise
                was_renewed = True
                await self.tokens.renewed(instead_of=token)
                continue
            except ApiError as refusal:
                may_have_run = may_have_run or attempt.connections > 1
                if refusal.status == 404 and method == "DELETE" and may_have_run:
                    return Answered(204, "", b"")  # an earlier attempt deleted it
                error = refusal
                if isinstance(refusal, Unavailable):
                    # A commit whose end is not known answers 503 too.
                    repeat, may_have_run = is_repeatable, True
                else:
                    repeat = refusal.status == 429
            else:
                return answered
            failures += 1
            wait = getattr(error, "retry_after_seconds", None)
            pause = self.retries.next_pause(failures, time.monotonic() - started, wait)
            if not repeat or pause is None:
                raise error
            log.debug("%s; again in %.1f s", error, pause)
            await asyncio.sleep(pause)

    async def _once(
        self,
        method: str,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str],
        token: str,
        bounds: aiohttp.ClientTimeout,
        attempt: _Attempt,
    ) -> Answered:
        async with self.http.request(
            method,
            url,
            data=data,
            headers={**headers, "Authorization": f"Bearer {token}"},
            timeout=bounds,
            allow_redirects=False,
            trace_request_ctx=attempt,
        ) as response:
            body = await response.read()
            if response.status >= 300:
                raise error_of(response.status, response.headers, body)
            return Answered(response.status, response.content_type, body)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """The body of an answer as it comes, of a request whose body may be one that can be read once only.

        It is tried once, and has no limit of time. Raises: ApiError; NoAnswer.
        """
        token = await self.tokens.current()
        try:
            async with self.http.request(
                method,
                self._url(path, query),
                data=data,
                headers={**(headers or {}), "Authorization": f"Bearer {token}"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
                allow_redirects=False,
            ) as response:
                if response.status >= 300:
                    raise error_of(response.status, response.headers, await response.read())
                yield response.content
        except _LOST as reason:
            raise NoAnswer(f"{method} {path}: {reason}") from reason

    def _url(self, path: str, query: Query | None) -> str:
        return self.base_url + path + query_of(query or {})


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError | BadAnswer:
    """The error of an answer. An answer that is no problem is of a proxy, or of another server."""
    family = family_of(status)
    wait = headers.get("Retry-After", "")
    retry_after = float(wait) if wait.isdecimal() else None
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        if status < 500 and status != 429:
            return BadAnswer(f"The server answered {status}, and not as a channel server does")
        text = body[:200].decode(errors="replace")
        return family(status, "unknown", text, retry_after_seconds=retry_after)
    return family(
        status,
        problem.code,
        problem.detail,
        details=problem.details,
        request_id=problem.request_id,
        retry_after_seconds=retry_after,
    )
