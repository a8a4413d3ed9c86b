"""Errors as responses: a problem document, and the headers of its family.

Errors are most frequent under overload, so they are written in one piece when possible.
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
    COMMON_HEADERS,
    PROBLEM,
    JsonResponse,
    is_simple,
    rate_headers,
)
from groups.kernel.errors import DomainError, InvalidRequest, RateLimited, Unready

CODE: Final = web.ResponseKey("code", str)
"""The error code of a response, for metrics."""


def general_problem_response(error: DomainError, request_id: str) -> web.Response:
    """The error as aiohttp's response."""
    response = web.Response(
        body=_body_of(error, request_id),
        status=status_of(type(error)),
        content_type=PROBLEM,
        headers=_error_headers(error) | COMMON_HEADERS,
    )
    response[CODE] = error.code
    return response


def problem_response(request: Request, error: DomainError) -> web.StreamResponse:
    """The error as the response of this request. If it is `prepared`, its headers are complete."""
    request_id = request.request_id
    # aiohttp omits the body for HEAD.
    if not is_simple(request) or request.method == hdrs.METH_HEAD:
        return general_problem_response(error, request_id)
    lines = "".join(f"{name}: {value}\r\n" for name, value in _error_headers(error).items())
    status, body = status_of(type(error)), _body_of(error, request_id)
    answer = JsonResponse(status, body, request_id, PROBLEM, lines)
    answer[CODE] = error.code
    return answer


def _body_of(error: DomainError, request_id: str) -> bytes:
    problem = problem_of(error, request_id)
    return problem.__pydantic_serializer__.to_json(problem)


def _error_headers(error: DomainError) -> dict[str, str]:
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
    """An error of aiohttp as one of ours."""
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
