"""The declaration of HTTP endpoints, without the HTTP library.

A route is a typed method. The types of its parameters parse the request, describe it in OpenAPI, and check it in tests:

    class GroupRoutes:
        @post("/v1/groups", status=201, errors=[GroupIdTaken])
        async def create(self, actor: Actor, body: CreateGroup, key: IdempotencyKey) -> GroupResponse:
            '''Create a group.'''

The name of a parameter says what it is:

- `actor`: the authenticated user; without it the endpoint is public. `Actor | None`: the token is optional.
- `body`: the JSON body. `query`: the query parameters.
- `key`: the optional `Idempotency-Key` header. `accept`: the `Accept` header, of a call that can answer a `Table` too.
- `last_event_id`: the `Last-Event-ID` header, of a call that can answer an `EventStream` too.
- `lines`: a body of any size that is read line by line. `upload`: one file.
- every other parameter is a part of the path.

A call that `waits` may take long without work: while it waits it gives back its `REQUEST_SLOT`
(`groups.kernel.keyed_locks`).

A method that returns an `NdjsonStream` is answered line by line too, one that returns a `Download` with bytes.
`endpoints_of` collects the endpoints, and `channels.server.web.handlers` serves them.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError

T = TypeVar("T")

IDEMPOTENCY_KEY_BYTES: Final = 128
IDEMPOTENCY_KEY_PATTERN: Final = r"^[\x21-\x7e]+$"

IdempotencyKey = Annotated[
    str | None,
    Field(
        default=None,
        min_length=1,
        max_length=IDEMPOTENCY_KEY_BYTES,
        pattern=IDEMPOTENCY_KEY_PATTERN,
        description="Repeat the request with the same key, and it happens once and answers the same.",
    ),
]
"""The `Idempotency-Key` header: printable ASCII, chosen by the caller, unique among the caller's own requests."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer whose status depends on what happened: 200 or 201, 200 or 202."""

    body: T
    status: int


Accept = Annotated[str, Field(default="", description="`text/csv` returns a table.")]
"""The `Accept` header as it was sent; empty where it was not sent."""

LastEventId = Annotated[str | None, Field(default=None, max_length=1024)]
"""The `Last-Event-ID` header, which a client of an event stream sends when it connects again."""


LINE_BYTES: Final = 1_024  # of one line of a streamed body; the longest valid line has far fewer


@dataclass(frozen=True, slots=True)
class NdjsonBody(Generic[T]):
    """A streamed body with one T in JSON on each line (NDJSON), not parsed yet, since a million lines must cost little.

    `chunks` yields the lines that arrived together, without their ends, with None in place of a line of more than
    `LINE_BYTES`. It yields an empty list when the sender has paused for a second, since the sender may be waiting for
    the answer to its lines so far. The body is read no faster than `chunks` is consumed.
    """

    chunks: AsyncIterator[list[bytes | None]]


@dataclass(frozen=True, slots=True)
class NdjsonStream(Generic[T]):
    """An answer of any length: each item is a line of JSON (NDJSON) that is sent when it is yielded.

    An error that the method itself raises is answered as usual. The status is sent before the first item is awaited.
    """

    items: AsyncGenerator[T, None]


@dataclass(frozen=True, slots=True)
class EventStream:
    """An answer that goes on for hours, as `text/event-stream` (server-sent events, WHATWG HTML 9.2).

    `chunks` yields whole events. It yields nothing (`b""`) every few moments while there is no event, so that the
    server can look whether the client and its token are still there. An error that it raises ends the stream, which
    says so. `close` is called once, whether or not the stream has begun.
    """

    chunks: AsyncGenerator[bytes, None]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Upload:
    """One file, sent as the body or as a part of a form; it is read no faster than `chunks` is consumed.

    `length` is the size in bytes that the sender declares, if any; `name` is the file name that it sends, or empty.
    """

    chunks: AsyncIterator[bytes]
    length: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes that never change, sent whole or in part; `read(start, length)` yields them piece by piece.

    `is_shown`: a browser may show them in a page; otherwise it saves them under `name`.
    """

    content_type: str
    size_bytes: int
    etag: str
    name: str
    is_shown: bool
    read: Callable[[int, int], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Table:
    """An answer as CSV that a browser saves under `name`; for a list one page, with the cursor to the next."""

    csv: bytes
    name: str
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered(Generic[T]):
    """A `T` that is JSON already, so that callers who are answered by one batch share what is the same for all.

    `refuses_an_item`: an item of it holds an error.
    """

    json: bytes
    refuses_an_item: bool = False


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """The arguments of a decorator such as `get`; `also` are further statuses of success."""

    method: str
    path: str
    status: int
    also: tuple[int, ...]
    errors: tuple[type[DomainError], ...]
    tag: str | None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One HTTP method of one path, ready to be served and described."""

    spec: RouteSpec
    handler: Callable[..., Awaitable[Any]]
    name: str
    tag: str
    summary: str
    description: str
    needs_actor: bool
    may_have_actor: bool
    """The token is optional: a request without one is of a visitor."""
    takes_key: bool
    path: dict[str, TypeAdapter[Any]]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    body_is_optional: bool
    answer: type[BaseModel] | None
    """None: the answer has no body."""
    line: type[BaseModel] | None = None
    """The type of each line of a streamed body; None: the body is not streamed."""
    is_stream: bool = False
    """Each line of the answer is one `answer`."""
    takes_upload: bool = False
    is_download: bool = False
    takes_accept: bool = False
    """It returns a `Table` or an `EventStream` where the `Accept` header asks for one."""
    takes_last_event_id: bool = False
    """It returns an `EventStream`, not a `Table`."""


F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


def _declare(method: str) -> Callable[..., Callable[[F], F]]:
    def declare(
        path: str,
        *,
        status: int = 200,
        also: Sequence[int] = (),
        errors: Sequence[type[DomainError]] = (),
        tag: str | None = None,
        waits: bool = False,
    ) -> Callable[[F], F]:
        def mark(function: F) -> F:
            spec = RouteSpec(method, path, status, tuple(also), tuple(errors), tag, waits)
            specs: list[RouteSpec] = getattr(function, "endpoint_specs", [])
            vars(function)["endpoint_specs"] = [*specs, spec]
            return function

        return mark

    return declare


get = _declare("GET")
post = _declare("POST")
put = _declare("PUT")
patch = _declare("PATCH")
delete = _declare("DELETE")


def endpoints_of(routes: object) -> list[Endpoint]:
    """The endpoints that the object's methods declare, in the order of the class body."""
    found: list[Endpoint] = []
    for name, function in vars(type(routes)).items():
        for spec in reversed(getattr(function, "endpoint_specs", [])):
            endpoint = _endpoint(type(routes).__name__, name, function, spec)
            tag = spec.tag or getattr(routes, "tag", None) or endpoint.tag
            found.append(replace(endpoint, handler=getattr(routes, name), tag=tag))
    return found


_NAMED: Final = (
    *("return", "actor", "body", "query", "key", "accept", "last_event_id", "lines", "upload"),
)
"""The parameters that are no part of the path."""


@cache
def _endpoint(owner: str, name: str, function: Callable[..., Any], spec: RouteSpec) -> Endpoint:
    """The endpoint, whose handler is not bound yet. Cached: to read the types of all calls takes a while."""
    hints = get_type_hints(function, include_extras=True)
    named = {part: hints.pop(part, None) for part in _NAMED}
    answer, body, line = named["return"], named["body"], named["lines"]
    is_stream = get_origin(answer) is NdjsonStream
    while getattr(answer, "__pydantic_generic_metadata__", None) is None:
        arguments = getattr(answer, "__args__", ())
        if not arguments:
            break
        answer = arguments[0]  # Reply[View], Rendered[View], View | Table
    body_is_optional = body is not None and not isinstance(body, type)  # Model | None
    if body_is_optional:
        body = next(part for part in get_args(body) if part is not type(None))
    missing = [part for part in hints if "{" + part + "}" not in spec.path]
    if missing or spec.path.count("{") != len(hints):
        raise TypeError(f"{name}: path {spec.path} and parameters {list(hints)} differ")
    summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
    if not summary:
        raise TypeError(f"{name} needs a docstring: it is the API's documentation")
    return Endpoint(
        spec=spec,
        handler=function,
        name=name,
        tag=owner,
        summary=summary.rstrip("."),
        description=description.strip(),
        needs_actor=named["actor"] is Actor,
        may_have_actor=named["actor"] == (Actor | None),
        takes_key=named["key"] is not None,
        path={part: _parser(kind) for part, kind in hints.items()},
        query=named["query"],
        body=body,
        body_is_optional=body_is_optional,
        answer=answer if isinstance(answer, type) and issubclass(answer, BaseModel) else None,
        line=None if line is None else get_args(line)[0],
        is_stream=is_stream,
        takes_upload=named["upload"] is Upload,
        is_download=answer is Download,
        takes_accept=named["accept"] is not None,
        takes_last_event_id=named["last_event_id"] is not None,
    )


@cache
def _parser(kind: Any) -> TypeAdapter[Any]:
    # Cached: a hundred endpoints have the same few types in their paths.
    return TypeAdapter(kind)


class Body(BaseModel):
    """The base of request bodies; an unknown field is refused, so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """The base of query parameters; an unknown parameter is refused like an unknown field."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Response(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(frozen=True)
