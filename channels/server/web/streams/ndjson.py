"""Bodies and responses of any size, with one JSON object on each line (NDJSON), both at once on one request.

Promises:
    Bounded: the body is read only as fast as it is consumed, and at most `LINE_BYTES` of a line are kept. Writing the
    response waits for its reader; `limits.unsent_bytes` disconnects clients that do not read, for example one that
    sends everything first.
    Reported: an error after the status was sent is the last line of the response, {"error": {code, detail}}.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import orjson
import structlog
from aiohttp import hdrs, web

from channels.server.web.problems import InternalError, UnsupportedMediaType
from groups.kernel.endpoint import LINE_BYTES, Endpoint, NdjsonBody, NdjsonStream
from groups.kernel.errors import DomainError, InvalidRequest, Unavailable
from groups.kernel.mongo import is_outage

NDJSON: Final = "application/x-ndjson"
BYTES: Final = "application/octet-stream"
_ACCEPTED: Final = frozenset({NDJSON, "application/jsonl", "application/json", BYTES})
PAUSE_SECONDS: Final = 1.0  # without a byte, until the lines so far are passed on
READ_BYTES: Final = 16 * 1024  # read at once: a few hundred lines

log = structlog.get_logger("channels.http")


async def serve_stream(
    endpoint: Endpoint,
    request: web.BaseRequest,
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
    check: Callable[[], None] = lambda: None,
) -> web.StreamResponse:
    """Call the endpoint and send its `NdjsonStream` under these headers. Its `lines` are the body of the request.

    `check` raises when the caller's token is no longer valid. It is called before each part of the body.
    """
    given = dict(arguments)
    if endpoint.line is not None:
        if request.content_type not in _ACCEPTED:
            raise UnsupportedMediaType(
                f"The body must be {NDJSON}", content_type=request.content_type[:100]
            )
        # A chunked body may still turn out to be empty, which is valid and adds nothing.
        if not request.body_exists:
            raise InvalidRequest(errors=[{"field": "body", "reason": "holds no line"}])
        given["lines"] = NdjsonBody(_chunks(request, check))
    answer: NdjsonStream[Any] = await endpoint.handler(**given)
    response = web.StreamResponse(status=endpoint.spec.status, headers=headers)
    # A client that calls its lines bytes is one that knows no NDJSON, so it understands the answer's lines as bytes.
    is_bytes = endpoint.line is not None and request.content_type == BYTES
    response.content_type = BYTES if is_bytes else NDJSON
    async with aclosing(answer.items) as items:
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            # Nothing is read for it, and aiohttp would send a line that is written.
            await response.write_eof()
            return response
        try:
            async for item in items:
                await response.write(item.__pydantic_serializer__.to_json(item) + b"\n")
        except (asyncio.CancelledError, ConnectionError):
            raise
        # The status was sent, so the last line reports the error.
        except Exception as error:
            problem = error_of(error)
            line = {"error": {"code": problem.code, "detail": problem.detail}}
            await response.write(orjson.dumps(line) + b"\n")
    await response.write_eof()
    return response


def error_of(error: Exception) -> DomainError:
    """The error that a client is told of: a defect is logged and stays opaque."""
    if isinstance(error, DomainError):
        return error
    if is_outage(error):
        return Unavailable()
    log.error("defect", exc_info=error)
    return InternalError()


async def _chunks(
    request: web.BaseRequest, check: Callable[[], None]
) -> AsyncGenerator[list[bytes | None], None]:
    """The lines of the body, as `endpoint.NdjsonBody` defines them."""
    rest = b""
    is_too_long = False
    while True:
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                data = await request.content.read(READ_BYTES)
        except TimeoutError:
            check()
            yield []
            continue
        except web.RequestPayloadError:
            reason = "does not match its headers"
            raise InvalidRequest(errors=[{"field": "body", "reason": reason}]) from None
        lines: list[bytes | None] = [*(rest + data).split(b"\n")]
        if data:
            last = lines.pop() or b""
        else:
            last = b""  # the end: the rest is a line, even without a newline
            if not rest and not is_too_long:
                return
        if is_too_long and lines:
            lines[0] = None
            is_too_long = False
        rest = last
        if len(rest) > LINE_BYTES:
            is_too_long, rest = True, b""
        if lines:
            check()
            yield [None if line is None or len(line) > LINE_BYTES else line for line in lines]
        if not data:
            return
        # Buffered bytes are read without waiting, so other tasks run here.
        await asyncio.sleep(0)
