"""Refusals as responses: the problem, and what its family says in headers."""

from typing import Final

from aiohttp import hdrs, web

from channels.server.answers import PROBLEM
from channels.server.problems import (
    BodyTooLarge,
    InternalError,
    RangeNotSatisfiable,
    RouteNotFound,
    WrongMethod,
    problem_of,
    status_of,
)
from channels.server.tokens import BadToken
from groups.kernel.errors import DomainError, InvalidRequest, TooMany, Unready

CODE: Final = web.ResponseKey("code", str)
"""Where a response has the code of its refusal, for whoever counts it."""


def problem_response(error: DomainError, request_id: str) -> web.Response:
    """The error as a response."""
    problem = problem_of(error, request_id)
    response = web.Response(
        body=problem.__pydantic_serializer__.to_json(problem),
        status=status_of(type(error)),
        content_type=PROBLEM,
    )
    response[CODE] = error.code
    if isinstance(error, TooMany | Unready):
        response.headers[hdrs.RETRY_AFTER] = str(max(1, round(error.retry_after_seconds)))
    if isinstance(error, BadToken):
        response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if isinstance(error, RangeNotSatisfiable):
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{error.details['size_bytes']}"
    if isinstance(error, WrongMethod):
        response.headers[hdrs.ALLOW] = ", ".join(error.details["allowed"])
    return response


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
