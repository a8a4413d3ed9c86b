"""The server in this process, behind a real port, and its clients: users with tokens and sockets."""

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from pydantic import IPvAnyNetwork, ValidationError
from yarl import URL

from channels.event_views.shapes import EVENT
from channels.limits import Limits
from channels.server.app import DEFAULT_OPTIONS, App, Services, create_services, endpoints_for
from channels.server.identity.options import ProviderOptions
from channels.server.options import ServiceOptions
from channels.server.realtime.hub import Hub
from channels.server.realtime.server_frames import SERVER_FRAME
from channels.server.tokens import mint
from channels.server.web.openapi import errors_of
from channels.server.web.protocol import Serve
from channels.server.web.router import Router
from channels.server.web.server import SOCKET_PATH
from groups.kernel.clock import to_milliseconds
from groups.kernel.errors import Detail, DomainError
from groups.kernel.mongo import Database
from tests.databases import an_empty_database
from tests.mongod import DRIVER

AS_LINES: Final = {"Content-Type": "application/x-ndjson"}
SECRET: Final = "a secret of tests, long enough for HS256"
PATIENCE_SECONDS: Final = 20.0
"""How long a test waits for something that must come, before it fails."""

_SENT_LATER: Final = frozenset({"inbox.unread", "unread.changed"})
"""Totals, which are read after the event that changed them."""
_UNSET: Final = object()
_numbers = itertools.count(1)


def fresh(name: str) -> str:
    """An id that no other test uses."""
    return f"{name}-{next(_numbers)}"


def part(text: str) -> str:
    """The text as one part of a path."""
    return quote(text, safe="")


class MovedClock:
    """The machine's clock, moved ahead by a test."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    @classmethod
    def from_noon(cls) -> "MovedClock":
        """A clock moved to the next noon, for tests during which the day must not change."""
        clock, now = cls(), datetime.now(UTC)
        noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
        clock.move(seconds=((noon - now) % timedelta(days=1)).total_seconds())
        return clock

    def move(self, *, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def now(self) -> datetime:
        return to_milliseconds(datetime.now(UTC) + self._ahead)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the server."""

    method: str
    path: str
    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def lines(self) -> list[Any]:
        """The objects of an NDJSON response."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def refusal(self) -> tuple[int, str | None]:
        """The status, and the error code if the response is a problem."""
        is_problem = self.headers.get("Content-Type", "").startswith("application/problem+json")
        return self.status, self.body["code"] if is_problem else None

    @property
    def items(self) -> list[Any]:
        """The items of a list."""
        assert self.status == 200, self
        items = self.body["items"]
        assert isinstance(items, list)
        return items


@dataclass(slots=True)
class User:
    """A client with a token. Paths are sent as they are written, so callers percent-encode them."""

    http: aiohttp.ClientSession
    base: str
    id: str
    token: str | None
    on_answer: list[Callable[[Answer], None]] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        body: object = _UNSET,
        *,
        data: bytes | str | io.BytesIO | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request: `body` as JSON, or `data` as it is."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if body is not _UNSET:
            data = json.dumps(body)
            sent["Content-Type"] = "application/json"
        url = URL(self.base + path, encoded=True)
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS * 2)
        async with self.http.request(
            method, url, data=data, headers={**sent, **(headers or {})}, timeout=timeout
        ) as response:
            text = await response.text()
            answer = Answer(method, path, response.status, response.headers, text)
        for listener in self.on_answer:
            listener(answer)
        return answer

    async def get(self, path: str, *, headers: dict[str, str] | None = None) -> Answer:
        return await self.call("GET", path, headers=headers)

    async def post(
        self, path: str, body: object = _UNSET, *, idempotency_key: str | None = None
    ) -> Answer:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return await self.call("POST", path, body, headers=headers)

    async def put(self, path: str, body: object = _UNSET) -> Answer:
        return await self.call("PUT", path, body)

    async def patch(self, path: str, body: object = _UNSET) -> Answer:
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> Answer:
        return await self.call("DELETE", path)

    async def socket(self) -> "Ears":
        """A socket that is ready, and has received every event committed before."""
        ears = await self.connect()
        ready = await ears.frame()
        assert ready["type"] == "ready", ready
        assert ready["user_id"] == self.id
        await ears.until_now()
        return ears

    async def connect(self, *, with_token: bool = True) -> "Ears":
        """A socket, before its first frame."""
        headers = {"Authorization": f"Bearer {self.token}"} if with_token else {}
        socket = await self.http.ws_connect(self.base + "/v1/socket", headers=headers)
        return Ears(self, socket)


def undescribed(event: dict[str, Any]) -> list[str]:
    """What the model of this event says otherwise: fields that it lacks, has besides, or has of another type."""
    try:
        EVENT.validate_json(json.dumps(event), strict=True)
    except ValidationError as error:
        return [f"{one['loc']}: {one['msg']}" for one in error.errors(include_url=False)]
    return []


class Ears:
    """A user's socket, read frame by frame. Each read fails after `PATIENCE_SECONDS`."""

    def __init__(self, user: User, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.user = user
        self.socket = socket

    async def frame(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        frame = json.loads(message.data)
        assert isinstance(frame, dict)
        SERVER_FRAME.validate_json(message.data)
        if frame["type"] == "error":
            assert frame["code"] in SOCKET_CODES, f"the socket does not declare {frame['code']}"
        if frame["type"] == "event":
            assert undescribed(frame["event"]) == [], frame
        return frame

    async def answer(self) -> dict[str, Any]:
        """The next frame that is no event: on a busy machine, events of what was done before may still come."""
        while (frame := await self.frame())["type"] == "event":
            pass
        return frame

    async def tell(self, **frame: object) -> None:
        """Send a frame."""
        await self.socket.send_json(frame)

    async def hear(self, kind: str, **fields: object) -> dict[str, Any]:
        """The next event of this type with these fields; skips other frames."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = await self.frame()
                event = frame.get("event", {})
                if event.get("type") == kind and fields.items() <= event.items():
                    assert isinstance(event, dict)
                    return event

    async def until_now(self) -> list[dict[str, Any]]:
        """All events up to now that this user receives, except totals.

        The user makes an event of their own, which arrives after them: the bus keeps the order of commits. Totals are
        sent later.
        """
        return await self.until(await self.fence())

    async def fence(self) -> str:
        """Make an event that every socket of this user receives after all events up to now; `until` finds it."""
        fence = f"fence {uuid4().hex[:12]}"
        made = await self.user.put(f"/v1/conversation-groups/{part(fence)}")
        assert made.status == 201, made
        removed = await self.user.delete(f"/v1/conversation-groups/{part(fence)}")
        assert removed.status == 204, removed
        return fence

    async def until(self, fence: str) -> list[dict[str, Any]]:
        """All events before the fence, except totals."""
        events: list[dict[str, Any]] = []
        while True:
            frame = await self.frame()
            if frame["type"] != "event":
                continue
            event = frame["event"]
            if event["type"] == "conversation_group.deleted" and event["name"] == fence:
                return events
            if event.get("name") != fence and event["type"] not in _SENT_LATER:
                events.append(event)

    async def closed(self) -> int | None:
        """Wait until the server closes the socket; returns the close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert message.type in {
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.CLOSING,
        }, message
        # The server's code. The client's own record has 1006 if the connection ended before the client could reply.
        has_code = message.type is aiohttp.WSMsgType.CLOSE
        return int(message.data) if has_code else self.socket.close_code

    async def close(self) -> None:
        await self.socket.close()


@dataclass(slots=True)
class Api:
    """One server of the application, on a port of its own."""

    services: Services
    app: App
    base: str
    clock: MovedClock
    http: aiohttp.ClientSession
    stop: Callable[[], Any]
    """Stops the server as a signal would; repeating it changes nothing."""
    on_answer: list[Callable[[Answer], None]] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        return self.app.hub

    def new_user(
        self, name: str = "user", *, admin: bool = False, business: bool = False, hours: float = 1
    ) -> User:
        """A new user each time, whose id begins with `name`."""
        return self.user_of(fresh(name), admin=admin, business=business, hours=hours)

    def user_of(
        self, user_id: str, *, admin: bool = False, business: bool = False, hours: float = 1
    ) -> User:
        """The user with this id."""
        now = self.services.clock.now()
        token = mint(SECRET, user_id, admin=admin, business=business, hours=hours, now=now)
        return User(self.http, self.base, user_id, token, self.on_answer)

    def bearer(self, token: str | None) -> User:
        """A client with this token, or without one."""
        return User(self.http, self.base, "", token, self.on_answer)


EVERYWHERE: Final = frozenset(
    {"method_not_allowed", "route_not_found", "body_too_large", "internal_error"}
)
"""The codes of the server itself, which no endpoint needs to declare."""


SOCKET_CODES: Final = frozenset(
    {
        *("unauthenticated", "wrong_account_kind", "rate_limited", "invalid_request"),
        "identity_provider_unavailable",
        # On `watch`.
        *("conversation_not_found", "group_not_found", "permission_denied", "banned"),
        "watch_limit_reached",
        *("message_not_found", "message_recalled", "comments_off"),
    }
)
"""The codes of `error` frames. Clients depend on them, so document a new one with the socket."""

UPGRADE_CODES: Final = frozenset(
    {
        *("unauthenticated", "wrong_account_kind", "rate_limited"),
        *("invalid_request", "origin_not_allowed", "unavailable"),
        "identity_provider_unavailable",
    }
)
"""The codes of responses to `GET /v1/socket`, before it becomes a socket."""


def all_errors(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    """Every error with a code, but those that tests make."""
    found = {kind}.union(*(all_errors(child) for child in kind.__subclasses__()))
    return {
        error
        for error in found
        if "code" in vars(error) and not error.__module__.startswith("tests.")
    }


@cache
def _fields_by_code() -> dict[str, Mapping[str, Detail]]:
    return {error.code: error.fields for error in all_errors()}


def undeclared_details(problem: dict[str, Any]) -> list[str]:
    """The details of a problem that its error does not declare, or declares with another type."""
    declared = _fields_by_code().get(problem["code"])
    if declared is None:
        return []  # made by a test
    return [
        name
        for name, value in problem["details"].items()
        if name not in declared
        or not isinstance(
            value, (int, float) if declared[name].kind is float else declared[name].kind
        )
    ]


_declared: dict[tuple[str, str], set[str]] = {}
"""The codes that each endpoint declares; they are the same for every server."""


class Declared:
    """Fails a test in which an endpoint returns an error code, or details of it, that are not declared."""

    def __init__(self, services: Services, app: App) -> None:
        self._router = app.router
        for endpoint in () if _declared else endpoints_for(services):
            spec = endpoint.spec
            _declared[spec.method, spec.path] = {error.code for error in errors_of(endpoint)}
        _declared["GET", SOCKET_PATH] = set(UPGRADE_CODES)

    def check(self, answer: Answer) -> None:
        if not answer.text:
            return  # a HEAD, whose GET has the same code
        status, code = answer.refusal
        if code is None:
            return
        undeclared = undeclared_details(answer.body)
        assert not undeclared, f"`fields` of the error {code} does not declare {undeclared}"
        if code in EVERYWHERE:
            return
        method = "GET" if answer.method == "HEAD" else answer.method
        try:
            route = self._router.find(method, answer.path.partition("?")[0]).route
        except DomainError:
            return  # no endpoint
        declared = _declared.get((route.method, route.path))
        assert declared is None or code in declared, (
            f"{route.method} {route.path} returns {status} {code}, and does not declare it"
        )


@asynccontextmanager
async def open_database(uri: str) -> AsyncIterator[Database]:
    """A connection to an empty database."""
    async with an_empty_database(uri) as name:
        database = await Database.connect(uri, name, driver=DRIVER)
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def open_api(
    database: Database,
    *,
    clock: MovedClock | None = None,
    by_database: bool = False,
    options: ServiceOptions = DEFAULT_OPTIONS,
    allowed_origins: Sequence[str] = (),
    trusted_proxies: Sequence[IPvAnyNetwork] = (),
    absent_seconds: float = 0,
    connections: int | None = None,
    probe_seconds: float = 0,
    metrics_token: str | None = None,
    identity: ProviderOptions | None = None,
    traced: Callable[[Serve, Router], Serve] | None = None,
    **limits: int,
) -> AsyncIterator[Api]:
    """Serve the application on the database, as `channels serve` does; rates are unlimited unless given.

    A 404 is not delayed, since most tests look for something that does not exist. Readiness and metrics are computed
    for each request. With `by_database`, the server uses the database's time, as `channels serve` does, and `clock` is
    the clock of its machine.
    """
    clock = clock or MovedClock()
    # The machine may be busy, so only the tests of overload bound how long requests wait.
    unbounded = {
        "requests_per_second": 0,
        "searches_per_second": 0,
        "comments_per_second": 0,
        "menu_selections_per_second": 0,
        "posts_per_second": 0,
        "stream_bytes_per_second": 0,
        "address_requests_per_second": 0,
        "waiting_milliseconds": 60_000,
        "transfers_per_user": 0,
        # One user makes all channels of a table of tests.
        "channels_per_owner": 1_000,
        "broadcasts_at_once": 100_000,
        "broadcasts_per_day": 100_000,
    }
    services = create_services(
        database,
        Limits(**{**unbounded, **limits}),
        clock=None if by_database else clock,
        options=options,
    )
    runner = App(
        services,
        SECRET,
        allowed_origins=allowed_origins,
        trusted_proxies=trusted_proxies,
        absent_seconds=absent_seconds,
        connections=connections,
        probe_seconds=probe_seconds,
        metrics_token=metrics_token,
        identity=identity,
        traced=traced,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        base = f"http://{host}:{port}"
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            declared = Declared(services, runner)
            yield Api(services, runner, base, clock, http, runner.cleanup, [declared.check])
    finally:
        await runner.cleanup()


def the_app(user: User) -> User:
    """The application's back end at the server of this user: it alone makes anybody a member without their word."""
    token = mint(
        SECRET, "the-app", admin=True, hours=50_000, now=datetime.now(UTC) - timedelta(days=1)
    )
    return User(user.http, user.base, "the-app", token, user.on_answer)


async def join(user: User, own_path: str, path_of_adding: str) -> None:
    """Have the user join by themselves, or have the application add them where nobody joins at once."""
    joined = await user.put(own_path)
    if joined.status != 200:
        joined = await the_app(user).put(path_of_adding)
    assert joined.status == 200, joined


async def a_channel(
    owner: User, *subscribers: User, admins: tuple[User, ...] = (), **body: Any
) -> str:
    """Create a channel with these subscribers and admins; returns its path."""
    created = await owner.post(
        "/v1/channels", {"channel_id": f"@TOA#_{fresh('c')}", "name": "News", **body}
    )
    assert created.status == 201, created
    path = f"/v1/channels/{part(created.body['channel_id'])}"
    for user in (*subscribers, *admins):
        await join(user, f"{path}/subscription", f"{path}/subscribers/{part(user.id)}")
    for user in admins:
        appointed = await owner.put(f"{path}/admins/{part(user.id)}")
        assert appointed.status == 200, appointed
    return path


async def a_chat_group(owner: User, *members: User, **body: Any) -> str:
    """Create a Community group, in which everyone may post, with these members; returns its path."""
    created = await owner.post("/v1/groups", {"type": "community", "name": "Tea", **body})
    assert created.status == 201, created
    path = f"/v1/groups/{part(created.body['group_id'])}"
    for user in members:
        await join(user, f"{path}/members/me", f"{path}/members/{part(user.id)}")
    return path


def group_path(channel_path: str) -> str:
    """The path of the channel's group."""
    return channel_path.replace("/v1/channels/", "/v1/groups/")


def id_of(path: str) -> str:
    """The id in the path of a channel or group."""
    return URL(path, encoded=True).parts[3]


def conversation_of(path: str) -> str:
    """The conversation id of the channel or group with this path."""
    return f"group_{id_of(path)}"


async def a_post(writer: User, path: str, text: str = "Hello") -> dict[str, Any]:
    """Post to the channel, or to the group; returns the post or message."""
    calls = "posts" if path.startswith("/v1/channels/") else "messages"
    posted = await writer.post(f"{path}/{calls}", {"kind": "text", "text": text})
    assert posted.status == 201, posted
    body = posted.body
    assert isinstance(body, dict)
    return body


async def all_pages(user: User, path: str, *, limit: int = 100) -> list[list[Any]]:
    """The items of a whole list, page by page."""
    joint = "&" if "?" in path else "?"
    pages: list[list[Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        answer = await user.get(f"{path}{joint}limit={limit}{more}")
        pages.append(answer.items)
        cursor = answer.body["next_cursor"]
    return pages
