"""The index of errors, a section for each, and the example of a problem."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from channels.docs_site.generated.endpoints import anchor_of, code_of, endpoints
from channels.docs_site.generated.tables import all_errors, docstring_of, one_line, table
from channels.errors import WatchLimitReached
from channels.server.web.cors import OriginNotAllowed
from channels.server.web.openapi import errors_of
from channels.server.web.problems import (
    STATUS,
    BodyTooLarge,
    InternalError,
    RouteNotFound,
    WrongMethod,
    problem_of,
    status_of,
)
from conversations.errors import ConversationsPerGroupReached
from groups.errors import PostingNotAllowed
from groups.kernel.endpoint import Endpoint
from groups.kernel.errors import DomainError

_FEW: Final = 6
"""Calls that a section lists; of more it names the tags."""
_WITHOUT_ENDPOINT: Final[dict[type[DomainError], str]] = {
    OriginNotAllowed: "[the socket](sockets.md#connect), before it opens",
    WatchLimitReached: "[the socket](sockets.md#watch-reactions), for a `watch`",
    RouteNotFound: "the server, for a path that is no call",
    WrongMethod: "the server, for a method that the path does not have",
    BodyTooLarge: "every call with a JSON body",
    InternalError: "any call",
    ConversationsPerGroupReached: "`PUT /conversation-groups/{name}` and"
    " `POST /conversation-groups/{name}/conversations`, for each conversation without room",
}
"""Errors of the server itself, which no endpoint declares."""
_TYPES: Final = {str: "text", int: "integer", float: "number", list: "array"}


def error_index() -> str:
    """The codes by status."""
    rows: list[list[str]] = []
    for status, errors in groupby(_by_status(), status_of):
        codes = " ".join(f"[`{error.code}`](#{error.code})" for error in errors)
        rows.append([str(int(status)), codes])
    return table(["Status", "Codes"], rows)


def _by_status() -> list[type[DomainError]]:
    return sorted(all_errors(), key=lambda error: (status_of(error), error.code))


def errors() -> str:
    """A section for each error, in the order of their statuses."""
    return "\n\n".join(map(_section, _by_status()))


def _section(error: type[DomainError]) -> str:
    title, meaning = f"{error.summary}.", docstring_of(error)
    lines = [
        f"### `{error.code}`",
        "",
        f"**{int(status_of(error))} {title}** {meaning if meaning != title else ''}".strip(),
        "",
        f"- What to do: {one_line(error.remedy)}",
    ]
    for name, (kind, meaning) in error.fields.items():
        lines.append(f"- `details.{name}` ({_TYPES[kind]}): {meaning}")
    lines.append(f"- Answered by: {_answered_by(error)}. Family: `{_family_of(error)}`.")
    return "\n".join(lines)


def _family_of(error: type[DomainError]) -> str:
    return next((kind.__name__ for kind in error.__mro__ if kind in STATUS), DomainError.__name__)


def _answered_by(error: type[DomainError]) -> str:
    if error in _WITHOUT_ENDPOINT:
        return _WITHOUT_ENDPOINT[error]
    calls = [endpoint for endpoint in endpoints() if error in errors_of(endpoint)]
    if not calls:
        raise LookupError(f"no endpoint declares {error.code}, and no text says where it is from")
    if len(calls) == len(endpoints()):
        return "every call"
    if all(error in errors_of(endpoint) for endpoint in endpoints() if endpoint.needs_actor):
        return "every call that needs a token"
    return ", ".join(map(code_of, calls) if len(calls) <= _FEW else _by_tag(calls))


def _by_tag(calls: Sequence[Endpoint]) -> list[str]:
    counts: dict[str, int] = {}
    for endpoint in calls:
        counts[endpoint.tag] = counts.get(endpoint.tag, 0) + 1
    return [f"{count} of [{tag}](calls.md#{anchor_of(tag)})" for tag, count in counts.items()]


def problem() -> str:
    """An error as it is answered."""
    example = problem_of(PostingNotAllowed("Only the owner and admins may post here"), "4q2n7yqkz5")
    text = json.dumps(example.model_dump(mode="json"), indent=2)
    return f"```json\n{text}\n```"
