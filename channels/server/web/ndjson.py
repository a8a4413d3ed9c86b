"""Bodies and answers of any size, a line of JSON an object (NDJSON), both at once on one request.

Promises:
    Bounded: the body is read only as fast as it is asked for, down to the sender's connection, and of a line only so
    much is kept as it may hold. The answer waits for its reader, which `unsent` cuts off when it does not read:
    a client that sends everything before it reads would stand still with us for ever.
    Told: what goes wrong after the status was sent is the answer's last line, {"error": {code, detail}}.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from channels.server.web.problems import InternalError, UnsupportedMediaType
from groups.kernel.endpoint import LINE_BYTES, Endpoint, NdjsonBody, NdjsonStream
from groups.kernel.errors import DomainError, InvalidRequest, Unavailable
from groups.kernel.mongo import is_outage

NDJSON: Final = "application/x-ndjson"
_ACCEPTED: Final = frozenset(
    {NDJSON, "application/jsonl", "application/json", "application/octet-stream"}
)
PAUSE_SECONDS: Final = 1.0  # without a byte until the lines that came so far are passed on
READ_BYTES: Final = 16 * 1024  # read at a time: a few hundred lines, whose reading holds nobody up

log = structlog.get_logger("channels.http")


async def serve_stream(
    endpoint: Endpoint,
    request: web.BaseRequest,
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
    check: Callable[[], None] | None = None,
) -> web.StreamResponse:
    """Call the endpoint and send its `NdjsonStream`, under these headers; its `lines`, if any, are the request's body.

    `check` raises once the caller's token holds no more; it is asked before each part of the body is passed on.

    Raises: UnsupportedMediaType and what the call itself raises, with nothing sent yet.
    """
    given = dict(arguments)
    if endpoint.line is not None:
        if request.content_type not in _ACCEPTED:
            raise UnsupportedMediaType(
                f"The body must be {NDJSON}", content_type=request.content_type[:100]
            )
        # One that is sent in chunks begins before its end is known: without a line it adds nothing.
        if not request.body_exists:
            raise InvalidRequest(errors=[{"field": "body", "reason": "holds no line"}])
        given["lines"] = NdjsonBody(_checked(_chunks(request), check))
    answer: NdjsonStream[Any] = await endpoint.handler(**given)
    response = web.StreamResponse(status=endpoint.spec.status, headers=headers)
    response.content_type = NDJSON
    async with aclosing(answer.items) as items:
        await response.prepare(request)
        try:
            async for item in items:
                await response.write(item.__pydantic_serializer__.to_json(item) + b"\n")
        except (asyncio.CancelledError, ConnectionError):
            raise
        # The status is sent: whatever it is, the last line can still tell.
        except Exception as error:
            refusal = _refusal_of(error)
            told = {"error": {"code": refusal.code, "detail": refusal.detail}}
            await response.write(orjson.dumps(told) + b"\n")
    await response.write_eof()
    return response


def _refusal_of(error: Exception) -> DomainError:
    if isinstance(error, DomainError):
        return error
    if is_outage(error):
        return Unavailable()
    log.error("defect", exc_info=error)
    return InternalError()


async def _checked(
    chunks: AsyncGenerator[list[bytes | None], None], check: Callable[[], None] | None
) -> AsyncGenerator[list[bytes | None], None]:
    async with aclosing(chunks):
        async for lines in chunks:
            if check is not None:
                check()
            yield lines


async def _chunks(request: web.BaseRequest) -> AsyncGenerator[list[bytes | None], None]:
    """The body's lines, as `endpoint.NdjsonBody` says."""
    rest = b""
    is_too_long = False
    while True:
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                data = await request.content.read(READ_BYTES)
        except TimeoutError:
            yield []
            continue
        except web.RequestPayloadError:
            reason = "cannot be read as its headers say"
            raise InvalidRequest(errors=[{"field": "body", "reason": reason}]) from None
        lines: list[bytes | None] = [*(rest + data).split(b"\n")]
        if data:
            last = lines.pop() or b""
        else:
            last = b""  # the end: what is left is a line, ended or not
            if not rest and not is_too_long:
                return
        if is_too_long and lines:
            lines[0] = None
            is_too_long = False
        rest = last
        if len(rest) > LINE_BYTES:
            is_too_long, rest = True, b""
        if lines:
            yield [None if line is None or len(line) > LINE_BYTES else line for line in lines]
        if not data:
            return
        # What is buffered is read without waiting: others get their turn here.
        await asyncio.sleep(0)
