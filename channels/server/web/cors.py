"""Cross-origin access: CORS for REST, the `Origin` header for the socket.

Callers authenticate by a token in a header, never by a cookie, so no page can act for a user whose token it lacks.
The allowed origins are a second barrier, and let browsers show responses to an app on another origin.
Without any, pages of other origins cannot read REST responses, but may open sockets with a token. A preflight of an
origin that may not call is refused with the name of the setting, since a browser shows no more than that it failed.
"""

from collections.abc import Iterable
from typing import ClassVar, Final

from aiohttp import hdrs, web

from channels.server.web.request import Request
from channels.server.web.responses import REQUEST_ID_HEADER
from channels.server.web.streams.event_stream import LAST_EVENT_ID_HEADER
from channels.server.web.streams.uploads import FILE_NAME_HEADER
from groups.kernel.errors import PermissionDenied

_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_HEADERS: Final = ", ".join(
    (
        *(hdrs.AUTHORIZATION, hdrs.CONTENT_TYPE, "Idempotency-Key", FILE_NAME_HEADER),
        *(LAST_EVENT_ID_HEADER, REQUEST_ID_HEADER),
    )
)
_PREFLIGHT_SECONDS: Final = 7_200  # that browsers cache it; the most in Chromium

_NONE_LISTED: Final = (
    "Pages of other origins may not call this server: `CHANNELS_ALLOWED_ORIGINS` is not set"
)
_NOT_LISTED: Final = (
    "Pages of this origin may not call this server: `CHANNELS_ALLOWED_ORIGINS` does not name it"
)


class OriginNotAllowed(PermissionDenied):
    """Pages of this origin may not call: a preflight, or a socket."""

    code: ClassVar[str] = "origin_not_allowed"
    summary: ClassVar[str] = "Pages of this origin may not call this server"
    remedy: ClassVar[str] = (
        "Ask the operator to add the page's origin to `CHANNELS_ALLOWED_ORIGINS`."
    )


class CorsPolicy:
    """The origins whose pages may call, besides the server's own; `*`: all."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._all = "*" in self._allowed

    def admit(self, request: Request) -> web.Response | None:
        """Note the origin if its page may read the response. Returns the response to a preflight request.

        Raises: OriginNotAllowed for a preflight of an origin that may not call.
        """
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return None
        is_options = request.method == hdrs.METH_OPTIONS
        is_preflight = is_options and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if not self._is_allowed(origin):
            if is_preflight:
                raise OriginNotAllowed(_NOT_LISTED if self._allowed else _NONE_LISTED)
            return None
        request.origin = origin
        if not is_preflight:
            return None
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(_PREFLIGHT_SECONDS),
        }
        return web.Response(status=204, headers=headers)

    def check_socket(self, request: web.BaseRequest) -> None:
        """Refuse sockets of pages that may not call; programs send no origin. Raises: OriginNotAllowed."""
        origin = request.headers.get(hdrs.ORIGIN)
        if not self._allowed or origin is None or self._is_allowed(origin):
            return
        if origin.partition("://")[2] != request.headers.get(hdrs.HOST):
            raise OriginNotAllowed

    def _is_allowed(self, origin: str) -> bool:
        # A parsed header has no line break, so it may be written back as it is.
        return self._all or origin in self._allowed
