"""The families of errors; the concrete errors are in the package whose rule they state.

A domain error has a stable snake_case `code`, a sentence for people (`detail`) and typed `details` for programs. It
knows no HTTP status: `channels.server.web.problems` maps each family to one, for REST and the socket alike.
"""

from typing import Any, ClassVar, NamedTuple


class DomainError(Exception):
    """A refusal that the caller can understand and act upon."""

    code: ClassVar[str]
    """Stable, unique among all errors, snake_case."""
    summary: ClassVar[str]
    """The meaning of the error, in a few words; the problem's `title`."""

    def __init__(self, detail: str | None = None, **details: Any) -> None:
        super().__init__(detail or self.summary)
        self.detail = detail or self.summary
        self.details: dict[str, Any] = details


class InvalidInput(DomainError):
    """The request is invalid for every caller."""


class Unauthenticated(DomainError):
    """The caller is not authenticated."""


class PermissionDenied(DomainError):
    """The actor may see the thing, but may not do this to it."""


class NotFound(DomainError):
    """The thing does not exist, or the actor may not know that it does."""


class Expired(DomainError):
    """The thing existed, and does not any more."""


class Conflict(DomainError):
    """The request does not fit the present state."""


class LimitReached(DomainError):
    """The request would exceed `limit`."""

    def __init__(self, detail: str | None = None, *, limit: int) -> None:
        super().__init__(detail, limit=limit)


class TooLarge(DomainError):
    """The request has more bytes than the server accepts."""


class OutOfSpace(DomainError):
    """There is no room to store it; deleting something makes room."""


class UnsupportedMedia(DomainError):
    """The call does not read this content type."""


class OutOfRange(DomainError):
    """The requested range is outside of the file."""


class MethodNotAllowed(DomainError):
    """The path exists, but not with this method."""


class Unready(DomainError):
    """The server cannot do this now; the same request may succeed later."""

    retry_after_seconds: float = 1.0


class InvalidRequest(InvalidInput):
    """The request does not fit its schema; `errors` lists the places and reasons."""

    code = "invalid_request"
    summary = "The request does not fit its schema"

    def __init__(self, detail: str | None = None, *, errors: list[dict[str, str]]) -> None:
        super().__init__(detail, errors=errors)


class FieldTooLong(InvalidInput):
    """A text has more than `limit_bytes` bytes in UTF-8."""

    code = "field_too_long"
    summary = "A field holds too many bytes"

    def __init__(self, field: str, limit_bytes: int) -> None:
        super().__init__(
            f"{field} may hold at most {limit_bytes} bytes of UTF-8",
            field=field,
            limit_bytes=limit_bytes,
        )


class BadCursor(InvalidInput):
    """The cursor was not made by this call, or for this list."""

    code = "bad_cursor"
    summary = "The cursor was not made by this call"


class PermissionRefused(PermissionDenied):
    """The actor's role does not allow this act."""

    code = "permission_denied"
    summary = "Your role does not allow this"


class IdempotencyConflict(Conflict):
    """The `Idempotency-Key` was used before for something else."""

    code = "idempotency_conflict"
    summary = "This Idempotency-Key was used for a different request"


class RateLimit(NamedTuple):
    """A bound on requests a second, with the name that tells it apart from other bounds in the answer's headers."""

    name: str
    per_second: int


class RateLimited(DomainError):
    """Too many requests, too often or at once; the same request may succeed `retry_after_seconds` later.

    `rate_limit` is None where the bound is a number at once, not a rate.
    """

    code = "rate_limited"
    summary = "Too many requests"

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_seconds: float,
        rate_limit: RateLimit | None = None,
    ) -> None:
        super().__init__(detail, retry_after_seconds=round(retry_after_seconds, 3))
        self.retry_after_seconds = retry_after_seconds
        self.rate_limit = rate_limit


class Unavailable(Unready):
    """The database does not answer, or the server has more work queued than it will take.

    When the request was a write, it may or may not have happened: repeat it with its `Idempotency-Key`.
    """

    code = "unavailable"
    summary = "The service cannot answer now; try again"


class AnswerTooLarge(Exception):
    """The answer to a database command would exceed 16 MB, the limit of a document."""
