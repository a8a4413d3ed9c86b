"""Finds the handler of a method on a path, in a tree of path segments.

aiohttp's router tries the patterns of a hundred routes one after the other; this walks the few segments of the path.

Promises: a literal segment goes before a parameter, for the methods that it has (`PUT …/members/me` is a call of its
own, `GET …/members/me` is the call for any member). HEAD finds the route of GET where it has none of its own; the
responses leave out the body. A parameter is never empty and is percent-decoded once, so an id
may hold a slash as `%2F`. A segment that is not UTF-8 stays as it was sent.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from aiohttp import hdrs, web

from channels.server.web.problems import RouteNotFound, WrongMethod
from channels.server.web.request import Request

Parameters = dict[str, str]
"""The segments of the path in place of each `{name}` of the route."""
Handler = Callable[[Request, Parameters], Awaitable[web.StreamResponse]]

_PARAMETER: Final = "{"
_KEPT_LENGTH: Final = 256  # characters of a segment whose decoding is cached


class Route(NamedTuple):
    """One method on one path: `/v1/groups/{group_id}`."""

    method: str
    path: str
    handler: Handler
    waits: bool
    """Whether requests may wait for long without work, so that they do not count as under way."""
    is_counted: bool
    """Whether requests count for their address; False where the handler itself authenticates or limits them."""


class Match(NamedTuple):
    """The route of a request, and the parameters in its path."""

    route: Route
    parameters: Parameters


@dataclass(slots=True)
class _Node:
    """All routes with the same beginning. The names of their parameters may differ, so values are kept by place."""

    named: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """The routes of the server."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        is_counted: bool = True,
        waits: bool = False,
    ) -> None:
        """Add the handler of this method on this path. Raises: ValueError when there is one."""
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
        node.routes[method] = Route(method, path, handler, waits, is_counted), tuple(names)

    def find(self, method: str, path: str) -> Match:
        """The route of this path, as it was sent and without a query. Raises: RouteNotFound; WrongMethod."""
        values: list[str] = []
        others: set[str] = set()
        found = None
        if path.startswith("/"):
            found = self._walk(self._root, path.split("/"), 1, method, values, others)
        if found is None:
            raise WrongMethod(allowed=sorted(others)) if others else RouteNotFound()
        route, names = found
        return Match(route, dict(zip(names, values, strict=True)))

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
            if hdrs.METH_GET in node.routes:
                others.add(hdrs.METH_HEAD)
            found = node.routes.get(method)
            if found is None and method == hdrs.METH_HEAD:
                found = node.routes.get(hdrs.METH_GET)
            return found
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


# Many users react with few emoji, and read few channels.
@lru_cache(maxsize=1_024)
def _unquoted(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return segment
