"""The errors of the client, one class for each family.

`ApiError` is an answer of the server: catch a family (`NotFound`, `Conflict`), and look at `code` where it matters.
A code that this version does not know still has the family of its status. `NoAnswer` means that nothing is known:
the request may have happened. `SocketClosed` ends a socket that must not reconnect by itself.
"""

from collections.abc import Mapping
from typing import Any, Final


class ChannelsError(Exception):
    """The base of all errors of this client."""


class ApiError(ChannelsError):
    """The server refused a request.

    `code` is stable, `detail` a sentence for people, `details` what the error says besides. `retry_after_seconds` is
    set where waiting helps.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.details: Mapping[str, Any] = details or {}
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds


class InvalidInput(ApiError):
    """400: the request is not valid; `details` says where."""


class Unauthenticated(ApiError):
    """401: the token is missing, expired, revoked or wrong."""


class PermissionDenied(ApiError):
    """403: the user may not do this."""


class NotFound(ApiError):
    """404: there is no such thing, or the user may not know of it."""


class Conflict(ApiError):
    """409: it conflicts with what is there, or a limit is reached."""


class Expired(ApiError):
    """410: it was there and is no more, such as an old sync token."""


class TooLarge(ApiError):
    """413: the body is too large."""


class UnsupportedMedia(ApiError):
    """415: the body is of a type that the call does not take."""


class RateLimited(ApiError):
    """429: too many requests, also after the client's own retries."""


class Unavailable(ApiError):
    """502, 503 or 504: the server or its database cannot answer now, also after the client's own retries."""


class ServerError(ApiError):
    """Any other 5xx: a defect of the server, or a full disk."""


class NoAnswer(ChannelsError):
    """No answer came, also after the client's own retries. What was asked may have happened, or not."""


class BadAnswer(ChannelsError):
    """The answer does not come from a channel server of a version that this client understands."""


class SocketClosed(ChannelsError):
    """The server closed the socket with a code after which a client does not reconnect by itself."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"The server closed the socket with {code}: {reason}")
        self.code = code
        self.reason = reason


class BadSignature(ChannelsError):
    """A webhook is not from the server, or too old: do not act on it."""


_FAMILIES: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    410: Expired,
    413: TooLarge,
    415: UnsupportedMedia,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def family_of(status: int) -> type[ApiError]:
    """The class of errors with this status."""
    return _FAMILIES.get(status, ServerError if status >= 500 else ApiError)
