"""Refusals as responses: the problem, and what its family says in headers.

Refusals are most frequent when there is least time for them, so they are written in one piece where they can be.
"""

import math
from typing import Final

from aiohttp import hdrs, web

from channels.server.tokens import BadToken
from channels.server.web.problems import (
    BodyTooLarge,
    InternalError,
    RangeNotSatisfiable,
    RouteNotFound,
    WrongMethod,
    problem_of,
    status_of,
)
from channels.server.web.request import Request
from channels.server.web.responses import (
    ALWAYS,
    PROBLEM,
    JsonAnswer,
    is_ordinary,
    rate_headers,
)
from groups.kernel.errors import DomainError, InvalidRequest, RateLimited, Unready

CODE: Final = web.ResponseKey("code", str)
"""Where a response has the code of its refusal, for whoever counts it."""


def problem_response(error: DomainError, request_id: str) -> web.Response:
    """The error as a response."""
    response = web.Response(
        body=_body_of(error, request_id),
        status=status_of(type(error)),
        content_type=PROBLEM,
        headers=_headers_of(error) | ALWAYS,
    )
    response[CODE] = error.code
    return response


def problem_answer(request: Request, error: DomainError) -> web.StreamResponse:
    """The error as this request's response, whose headers are complete once it is `prepared`."""
    request_id = request.request_id
    # A HEAD is answered without a body, which aiohttp sees to.
    if not is_ordinary(request) or request.method == hdrs.METH_HEAD:
        return problem_response(error, request_id)
    lines = "".join(f"{name}: {value}\r\n" for name, value in _headers_of(error).items())
    status, body = status_of(type(error)), _body_of(error, request_id)
    answer = JsonAnswer(status, body, request_id, PROBLEM, lines)
    answer[CODE] = error.code
    return answer


def _body_of(error: DomainError, request_id: str) -> bytes:
    problem = problem_of(error, request_id)
    return problem.__pydantic_serializer__.to_json(problem)


def _headers_of(error: DomainError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, RateLimited | Unready):
        headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil(error.retry_after_seconds)))
    if isinstance(error, RateLimited) and error.rate_limit is not None:
        headers |= rate_headers(error.rate_limit, 0, error.retry_after_seconds)
    if isinstance(error, BadToken):
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        headers[hdrs.CONTENT_RANGE] = f"bytes */{error.details['size_bytes']}"
    if isinstance(error, WrongMethod):
        headers[hdrs.ALLOW] = ", ".join(error.details["allowed"])
    return headers


def domain_error_of(error: web.HTTPException) -> DomainError:
    """The library's refusal as one of ours."""
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
