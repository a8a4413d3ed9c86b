"""Which handler answers a method on a path: a tree of path segments.

HTTP's own router tries the patterns of a hundred routes one after the other; this walks the few segments of the path.

Promises: a segment that is spelled out goes before one that is a parameter, for the methods it has (`PUT …/members/me`
is its own call, `GET …/members/me` is that of any member). A parameter is never empty and is
percent-decoded once, so an id may hold a slash as `%2F`. What cannot be decoded as UTF-8 stays as it was sent.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from aiohttp import web

from channels.server.web.problems import RouteNotFound, WrongMethod
from channels.server.web.request import Request

Parameters = dict[str, str]
"""What stands in the path where the route has `{name}`."""
Handler = Callable[[Request, Parameters], Awaitable[web.StreamResponse]]

_PARAMETER: Final = "{"
_KEPT_LENGTH: Final = 256  # characters of a segment whose decoding is remembered


class Route(NamedTuple):
    """One method on one path: `/v1/groups/{group_id}`."""

    method: str
    path: str
    handler: Handler
    is_counted: bool
    """Whether it counts for the address that asks: not where the handler itself sees to who is asking."""


class Match(NamedTuple):
    """The route that answers a request, with what its path holds."""

    route: Route
    parameters: Parameters


@dataclass(slots=True)
class _Node:
    """All routes that begin alike. The names of their parameters may differ, so values are kept by place."""

    named: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """The routes of the server."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, path: str, handler: Handler, *, is_counted: bool = True) -> None:
        """Have the handler answer this method on this path. Raises: ValueError when another one does."""
        node, names = self._root, []
        for segment in path.split("/")[1:]:
            if segment.startswith(_PARAMETER):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.named.setdefault(segment, _Node())
        if method in node.routes:
            raise ValueError(f"{method} {path} has a handler")
        node.routes[method] = Route(method, path, handler, is_counted), tuple(names)

    def find(self, method: str, path: str) -> Match:
        """The route for this request path, without its query, as it was sent.

        Raises: RouteNotFound; WrongMethod, which names the methods that the path answers.
        """
        segments = path.split("/")
        match = self._straight(method, segments)
        if match is not None:
            return match
        values: list[str] = []
        others: set[str] = set()
        found = None
        if not segments[0]:
            found = self._walk(self._root, segments, 1, method, values, others)
        if found is None:
            raise WrongMethod(allowed=sorted(others)) if others else RouteNotFound()
        route, names = found
        return Match(route, dict(zip(names, values, strict=True)))

    def _straight(self, method: str, segments: list[str]) -> Match | None:
        """The match where no segment could be read in two ways, which is all but always; None: look closer."""
        node, values = self._root, []
        for place in range(1, len(segments)):
            segment = segments[place]
            following = node.named.get(segment)
            if following is None:
                following = node.parameter
                if following is None or not segment:
                    return None
                values.append(_decoded(segment) if "%" in segment else segment)
            node = following
        found = node.routes.get(method) if not segments[0] else None
        return None if found is None else Match(found[0], dict(zip(found[1], values, strict=True)))

    def _walk(
        self,
        node: _Node,
        segments: list[str],
        place: int,
        method: str,
        values: list[str],
        others: set[str],
    ) -> tuple[Route, tuple[str, ...]] | None:
        if place == len(segments):
            others.update(node.routes)
            return node.routes.get(method)
        segment = segments[place]
        following = node.named.get(segment)
        if following is not None:
            found = self._walk(following, segments, place + 1, method, values, others)
            if found is not None:
                return found
        if node.parameter is None or not segment:
            return None
        values.append(_decoded(segment))
        found = self._walk(node.parameter, segments, place + 1, method, values, others)
        if found is None:
            values.pop()
        return found

    def routes(self) -> Iterator[Route]:
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            yield from (route for route, _ in node.routes.values())
            nodes += node.named.values()
            if node.parameter is not None:
                nodes.append(node.parameter)


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    return _unquoted(segment) if len(segment) <= _KEPT_LENGTH else _unquoted.__wrapped__(segment)


# A crowd reacts with few emoji, and asks for few channels.
@lru_cache(maxsize=1_024)
def _unquoted(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return segment
