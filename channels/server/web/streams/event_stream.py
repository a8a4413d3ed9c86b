"""Answers of any length as server-sent events (`text/event-stream`, WHATWG HTML 9.2).

Promises:
    Alive: a comment is sent after `HEARTBEAT_SECONDS` without an event, so that proxies and clients see the connection.
    Ended: when the token expires or is revoked, the client goes away, the answer ends, or the server stops. The last
        event is then `closed`, with the `code` and `detail` of the error if there was one.
    Bounded: what waits for a slow client is one chunk. `limits.unsent_bytes` disconnects clients that do not read.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Final

import orjson
from aiohttp import hdrs, web

from channels.server.web.request import Request
from channels.server.web.streams.ndjson import error_of
from groups.kernel.endpoint import EventStream

EVENT_STREAM: Final = "text/event-stream"
LAST_EVENT_ID_HEADER: Final = "Last-Event-ID"
HEARTBEAT_SECONDS: Final = 15.0
"""As the standard advises: some proxies end a connection after less than a minute without a byte."""
_HEARTBEAT: Final = b":\n\n"


async def serve_event_stream(
    request: Request,
    answer: EventStream,
    headers: Mapping[str, str],
    check: Callable[[], None],
) -> web.StreamResponse:
    """Send the answer under these headers until it ends. `check` raises when the caller's token is no longer valid."""
    began = time.perf_counter()
    response = web.StreamResponse(headers=headers)
    response.content_type = EVENT_STREAM
    # Otherwise nginx would collect events for its buffer.
    response.headers["X-Accel-Buffering"] = "no"
    try:
        async with aclosing(answer.chunks) as chunks:
            await response.prepare(request)
            if request.method == hdrs.METH_HEAD:
                return response
            written_at = time.monotonic()
            try:
                async for chunk in chunks:
                    check()
                    if request.is_abandoned:
                        raise ConnectionResetError
                    now = time.monotonic()
                    if chunk or now - written_at >= HEARTBEAT_SECONDS:
                        await response.write(chunk or _HEARTBEAT)
                        written_at = now
            except (asyncio.CancelledError, ConnectionError):
                raise
            # The status was sent, so the last event reports the error.
            except Exception as error:
                await response.write(_closed(error))
        await response.write_eof()
    finally:
        answer.close()
        request.waited_seconds += time.perf_counter() - began
    return response


def _closed(error: Exception) -> bytes:
    problem = error_of(error)
    data = {"code": problem.code, "detail": problem.detail, "details": problem.details}
    return b"event: closed\ndata: " + orjson.dumps(data) + b"\n\n"
