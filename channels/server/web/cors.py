"""Which web pages of other origins may call: CORS for REST, the `Origin` header for the socket.

A token in a header, never a cookie, says who is calling, so no page can act for a user whose token it does not have.
The allowed origins are a second fence, and what a browser needs to let an app of yours on another origin read answers.
Without any: pages of other origins cannot read REST answers, and may open sockets with a token.
"""

from collections.abc import Iterable
from typing import ClassVar, Final

from aiohttp import hdrs, web

from channels.server.web.request import Request
from channels.server.web.responses import REQUEST_ID_HEADER
from channels.server.web.uploads import FILE_NAME_HEADER
from groups.kernel.errors import PermissionDenied

_METHODS: Final = "GET, POST, PUT, PATCH, DELETE"
_HEADERS: Final = ", ".join(
    (hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, "Idempotency-Key", FILE_NAME_HEADER, REQUEST_ID_HEADER)
)
_PREFLIGHT_SECONDS: Final = (
    7_200  # how long a browser remembers it; more than that Chromium does not
)


class OriginNotAllowed(PermissionDenied):
    """The page's origin is not one of those that may open sockets."""

    code: ClassVar[str] = "origin_not_allowed"
    summary: ClassVar[str] = "Pages of this origin may not call here"


class CorsPolicy:
    """The origins whose pages may call, besides our own; `*` is every origin."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._all = "*" in self._allowed

    def admit(self, request: Request) -> web.Response | None:
        """Mark a request whose page may read its answer; the answer itself where it is a browser asking beforehand."""
        if not self._allowed:
            return None
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self._is_allowed(origin):
            return None
        request.origin = origin
        if request.method != hdrs.METH_OPTIONS:
            return None
        if hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return None
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(_PREFLIGHT_SECONDS),
        }
        return web.Response(status=204, headers=headers)

    def check_socket(self, request: web.BaseRequest) -> None:
        """A browser says which page opens a socket; programs say nothing. Raises: OriginNotAllowed."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._allowed or origin is None or self._is_allowed(origin):
            return
        if origin.partition("://")[2] != request.headers.get(hdrs.HOST):
            raise OriginNotAllowed

    def _is_allowed(self, origin: str) -> bool:
        # A line break cannot be in a header that was read, so it may be written back as it is.
        return self._all or origin in self._allowed
