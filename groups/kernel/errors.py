"""The families of errors; the concrete errors are in the package whose rule they state.

A domain error has a stable snake_case `code`, a sentence for people (`detail`) and typed `details` for programs. It
knows no HTTP status: `channels.server.web.problems` maps each family to one, for REST and the socket alike.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple


class Detail(NamedTuple):
    """One of an error's `details`: the JSON type of its value, and its meaning."""

    kind: type
    meaning: str


class DomainError(Exception):
    """A refusal that the caller can understand and act upon."""

    code: ClassVar[str]
    """Stable, unique among all errors, snake_case."""
    summary: ClassVar[str]
    """The meaning of the error, in a few words; the problem's `title`."""
    remedy: ClassVar[str]
    """What a client does about it. The guide's page of errors shows it."""
    fields: ClassVar[Mapping[str, Detail]] = {}
    """The `details` that the error may have, by name."""

    def __init__(self, detail: str | None = None, **details: Any) -> None:
        super().__init__(detail or self.summary)
        self.detail = detail or self.summary
        self.details: dict[str, Any] = details


class InvalidInput(DomainError):
    """The request is invalid for every caller."""


class Unauthenticated(DomainError):
    """The caller is not authenticated."""


class PermissionDenied(DomainError):
    """The user may see the thing, but may not do this to it."""


class NotFound(DomainError):
    """The thing does not exist, or the user may not know that it does."""


class Expired(DomainError):
    """The thing existed, and does not any more."""


class Conflict(DomainError):
    """The request does not fit the present state."""


class LimitReached(DomainError):
    """The request would exceed `limit`."""

    fields: ClassVar[Mapping[str, Detail]] = {
        "limit": Detail(int, "The limit that is reached."),
    }

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
    """The request does not fit its schema; `errors` lists the places and reasons, and `detail` says the first."""

    code = "invalid_request"
    summary = "The request does not fit its schema"
    remedy = (
        "Fix the request; `errors` names each place. Repeating it unchanged gives the same answer."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "errors": Detail(
            list, 'Each place that does not fit: `{"field": …, "reason": …}`, at most 20.'
        ),
    }

    def __init__(self, detail: str | None = None, *, errors: list[dict[str, str]]) -> None:
        if detail is None and errors:
            detail = f"{errors[0]['field']}: {errors[0]['reason']}"
        super().__init__(detail, errors=errors)


class FieldTooLong(InvalidInput):
    """A text has more than `limit_bytes` bytes in UTF-8."""

    code = "field_too_long"
    summary = "A field holds too many bytes"
    remedy = (
        "Shorten the field. Count bytes of UTF-8, not characters; `limit_bytes` says how many it "
        "may hold."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "field": Detail(str, "The field."),
        "limit_bytes": Detail(int, "The most bytes of UTF-8 that it may hold."),
    }

    def __init__(self, field: str, limit_bytes: int, held_bytes: int | None = None) -> None:
        detail = f"{field} may hold at most {limit_bytes} bytes of UTF-8"
        if held_bytes is not None:
            detail = f"{field}: has {held_bytes} bytes of UTF-8; at most {limit_bytes} are allowed"
        super().__init__(detail, field=field, limit_bytes=limit_bytes)


class BadCursor(InvalidInput):
    """The cursor was not made by this call, or for this list."""

    code = "bad_cursor"
    summary = "The cursor was not made by this call"
    remedy = (
        "Pass `next_cursor` on as it is, to the same list with the same filters, or begin the list "
        "anew."
    )


class PermissionRefused(PermissionDenied):
    """The user's role or grants do not allow this."""

    code = "permission_denied"
    summary = "Your role does not allow this"
    remedy = (
        "Do not offer the act to this user: ask for their role and grants (`GET "
        "/v1/channels/{id}`)."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "grant": Detail(str, "The right that the admin lacks. Absent where no grant would help."),
    }


class IdempotencyConflict(Conflict):
    """The `Idempotency-Key` was used before for something else."""

    code = "idempotency_conflict"
    summary = "This Idempotency-Key was used for a different request"
    remedy = (
        "Use a new key for each new thing. The same key is for repeating the very same request."
    )


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
    remedy = (
        "Wait for the seconds in `Retry-After`, then repeat the request. Earlier repeats are "
        "answered half a second later."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "retry_after_seconds": Detail(
            float, "When the request may succeed; `Retry-After` is this, rounded up."
        ),
    }

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
    remedy = (
        "Wait for the seconds in `Retry-After`, then repeat the request. A write may have happened:"
        " repeat it with its `Idempotency-Key`."
    )


class AnswerTooLarge(Exception):
    """The answer to a database command would exceed 16 MB, the limit of a document."""
