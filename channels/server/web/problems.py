"""Errors as HTTP responses: one table maps the family of an error to its status.

The body is `application/problem+json` (RFC 9457): `type, title, status, detail`, and in addition `code` (stable),
`details` (typed) and `request_id`. Errors are most frequent under overload, so they are written in one piece when
possible.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from channels.server.web.reasons import reason_in_words
from channels.server.web.request import Request
from channels.server.web.responses import (
    COMMON_HEADERS,
    PROBLEM,
    JsonResponse,
    is_simple,
    rate_headers,
)
from groups.kernel.errors import (
    Conflict,
    Detail,
    DomainError,
    Expired,
    FieldTooLong,
    InvalidInput,
    InvalidRequest,
    LimitReached,
    MethodNotAllowed,
    NotFound,
    OutOfRange,
    OutOfSpace,
    PermissionDenied,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unready,
    UnsupportedMedia,
)
from groups.kernel.text.bounded import TOO_LONG
from reactions.errors import BadEmoji

STATUS: Final[dict[type[DomainError], HTTPStatus]] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    PermissionDenied: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Expired: HTTPStatus.GONE,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    LimitReached: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Unready: HTTPStatus.SERVICE_UNAVAILABLE,
    OutOfRange: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    # As RFC 4331 (6) has it for quotas, too.
    OutOfSpace: HTTPStatus.INSUFFICIENT_STORAGE,
}

CODE: Final = web.ResponseKey("code", str)
"""The error code of a response, for metrics."""


class RouteNotFound(NotFound):
    """There is no route with this path."""

    code: ClassVar[str] = "route_not_found"
    summary: ClassVar[str] = "No such route"
    remedy: ClassVar[str] = (
        "Check the path. In a path a channel id is percent-encoded, or written without `@TOA#_`."
    )


class WrongMethod(MethodNotAllowed):
    """The path does not support this method; `allowed` lists the methods it supports."""

    code: ClassVar[str] = "method_not_allowed"
    summary: ClassVar[str] = "This path does not support this method"
    remedy: ClassVar[str] = "Use one of the methods in `allowed`."
    fields: ClassVar[Mapping[str, Detail]] = {
        "allowed": Detail(list, "The methods that the path supports."),
    }


class BodyTooLarge(TooLarge):
    """The request's body has more than `limit_bytes` bytes."""

    code: ClassVar[str] = "body_too_large"
    summary: ClassVar[str] = "The body is too large"
    remedy: ClassVar[str] = (
        "Send less. Files go to `POST /v1/media`, imports of many users as NDJSON."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "limit_bytes": Detail(int, "The limit. Absent where the server cannot tell."),
    }


class UnsupportedMediaType(UnsupportedMedia):
    """The body is not `application/json`, or it is compressed or otherwise encoded."""

    code: ClassVar[str] = "unsupported_media_type"
    summary: ClassVar[str] = "This call does not accept the type or encoding of the body"
    remedy: ClassVar[str] = "Send `Content-Type: application/json` and no `Content-Encoding`."
    fields: ClassVar[Mapping[str, Detail]] = {
        "content_type": Detail(str, "The type that was sent."),
        "header": Detail(str, "The header that names an encoding."),
        "encoding": Detail(str, "The encoding that was sent."),
    }


class RangeNotSatisfiable(OutOfRange):
    """The range begins behind the end of the file, which has `size_bytes` bytes."""

    code: ClassVar[str] = "range_not_satisfiable"
    summary: ClassVar[str] = "The file has no such range"
    remedy: ClassVar[str] = "Ask for a range within `size_bytes`."
    fields: ClassVar[Mapping[str, Detail]] = {
        "size_bytes": Detail(int, "The size of the file."),
    }


class InternalError(DomainError):
    """A defect of the server; the log has it under the request id."""

    code: ClassVar[str] = "internal_error"
    summary: ClassVar[str] = "Something went wrong on the server"
    remedy: ClassVar[str] = (
        "Report it to the operator with its `request_id`: the log has the defect under it."
    )


class Problem(BaseModel):
    """The body of every error response."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "No such channel",
                    "status": 404,
                    "detail": "No such channel",
                    "code": "channel_not_found",
                    "details": {},
                    "request_id": "4q2n7yqkz5",
                }
            ]
        },
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    details: dict[str, JsonValue] = {}
    request_id: str


def status_of(error: type[DomainError]) -> HTTPStatus:
    """The HTTP status of the error's family; 500 without one."""
    for family in error.__mro__:
        if family in STATUS:
            return STATUS[family]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of(error: DomainError, request_id: str) -> Problem:
    """The error as a problem document (RFC 9457)."""
    return Problem(
        title=error.summary,
        status=status_of(type(error)),
        detail=error.detail,
        code=error.code,
        details=error.details,
        request_id=request_id,
    )


def general_problem_response(
    error: DomainError, request_id: str, hint: str | None = None
) -> web.Response:
    """The error as aiohttp's response, its `detail` followed by the hint."""
    response = web.Response(
        body=_body_of(error, request_id, hint),
        status=status_of(type(error)),
        content_type=PROBLEM,
        headers=_error_headers(error) | COMMON_HEADERS,
    )
    response[CODE] = error.code
    return response


def problem_response(
    request: Request, error: DomainError, hint: str | None = None
) -> web.StreamResponse:
    """The error as the response of this request, its `detail` followed by the hint.

    If the response is `prepared`, its headers are complete.
    """
    request_id = request.request_id
    if not is_simple(request):
        return general_problem_response(error, request_id, hint)
    lines = "".join(f"{name}: {value}\r\n" for name, value in _error_headers(error).items())
    status, body = status_of(type(error)), _body_of(error, request_id, hint)
    is_head = request.method == hdrs.METH_HEAD
    answer = JsonResponse(status, body, request_id, PROBLEM, lines, is_head=is_head)
    answer[CODE] = error.code
    return answer


def _body_of(error: DomainError, request_id: str, hint: str | None) -> bytes:
    problem = problem_of(error, request_id)
    if hint is not None:
        problem = problem.model_copy(update={"detail": f"{problem.detail.rstrip('.')}. {hint}"})
    return problem.__pydantic_serializer__.to_json(problem)


def _error_headers(error: DomainError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited | Unready):
        headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil(error.retry_after_seconds)))
    if isinstance(error, RateLimited) and error.rate_limit is not None:
        headers |= rate_headers(error.rate_limit, 0, error.retry_after_seconds)
    if isinstance(error, Unauthenticated):
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        headers[hdrs.CONTENT_RANGE] = f"bytes */{error.details['size_bytes']}"
    if isinstance(error, WrongMethod):
        headers[hdrs.ALLOW] = ", ".join(error.details["allowed"])
    return headers


def domain_error_of(error: web.HTTPException) -> DomainError:
    """The domain error for an error of aiohttp."""
    match error:
        case web.HTTPMethodNotAllowed():
            return WrongMethod(allowed=sorted(error.allowed_methods))
        case web.HTTPRequestEntityTooLarge():
            return BodyTooLarge()
        case web.HTTPNotFound():
            return RouteNotFound()
        case _ if error.status < 500:
            return InvalidRequest(error.reason, errors=[])
        case _:
            return InternalError()


def validation_problem(
    error: ValidationError, part: str, model: type[BaseModel] | None = None
) -> DomainError:
    """The error of a request that does not fit its types: every field and its reason.

    With the `model` that the request was to be, a number out of bounds is told both of them.
    """
    problems = _without_consequences(error.errors(include_url=False, include_input=False))
    for problem in problems:
        if problem["type"] == TOO_LONG:
            context = problem["ctx"]
            field = _field(problem, part)
            return FieldTooLong(field, context["limit_bytes"], context.get("held_bytes"))
        if problem["type"] == "bad_emoji":
            return BadEmoji()
    first = problems[0]
    field = _field(first, part)
    is_unknown = first["type"] == "extra_forbidden"
    detail = (
        f"unknown field `{field}`" if is_unknown else f"{field}: {reason_in_words(first, model)}"
    )
    if len(problems) > 1:
        detail += f" (and {len(problems) - 1} more, in `details.errors`)"
    return InvalidRequest(
        detail, errors=[{"field": _field(p, part), "reason": p["msg"]} for p in problems[:20]]
    )


def _without_consequences(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """The problems without those of lists that count as too short only because an item of theirs is refused."""
    places = [problem["loc"] for problem in problems]
    return [
        problem
        for problem in problems
        if problem["type"] != "too_short"
        or not any(place[:-1][: len(problem["loc"])] == problem["loc"] for place in places)
    ]


def _field(problem: Any, part: str) -> str:
    # A location inside a union names the tried member, which is an internal name.
    names = [
        str(name) for name in problem["loc"] if not str(name).startswith(("constrained", "list["))
    ]
    return ".".join(names)[:100] or part
