"""What the client repeats, what it does not, and for how long."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from channels.client import (
    BadAnswer,
    Client,
    Expired,
    NoAnswer,
    RateLimited,
    Retries,
    ServerError,
    Unauthenticated,
    Unavailable,
)
from channels.client.transport import IDEMPOTENCY_KEY
from tests.api import Api, fresh
from tests.client.clients import QUICK, client_of
from tests.faults.network import Break, Wire

Handler = Callable[[web.Request, int], Awaitable[web.StreamResponse]]


class Scripted:
    """A server that answers as a test says; it notes the requests."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.requests: list[web.Request] = []
        self.times: list[float] = []
        self.base = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.times.append(time.monotonic())
        await request.read()
        return await self._handler(request, len(self.requests))


@asynccontextmanager
async def scripted(handler: Handler) -> AsyncIterator[Scripted]:
    server = Scripted(handler)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def problem(status: int, code: str, **headers: str) -> web.Response:
    body = {"title": "No", "status": status, "detail": "No", "code": code, "request_id": "1"}
    return web.json_response(body, status=status, headers=headers)


def totals() -> web.Response:
    return web.json_response({"total": 0, "channels": 0, "chats": 0, "conversation_groups": {}})


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_refusal_for_now_is_repeated_after_its_time(status: int) -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        return problem(status, "later", **{"Retry-After": "1"}) if number == 1 else totals()

    async with scripted(handler) as server, Client(server.base, token="t", retries=QUICK) as client:
        assert (await client.conversations.mark_all_read()).total == 0
        first, second = server.requests
        assert server.times[1] - server.times[0] >= 1
        assert first.headers[IDEMPOTENCY_KEY] == second.headers[IDEMPOTENCY_KEY]


async def test_retries_are_bounded_in_number_and_in_time() -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        wait = {"Retry-After": "3600"} if "users" in request.path else {}
        return problem(503 if request.method == "PUT" else 429, "later", **wait)

    async with scripted(handler) as server, Client(server.base, token="t", retries=QUICK) as client:
        with pytest.raises(RateLimited):
            await client.conversations.unread()
        assert len(server.requests) == QUICK.attempts
        server.requests.clear()
        with pytest.raises(RateLimited) as refused:  # an hour is longer than a caller waits
            await client.users.me()
        assert (len(server.requests), refused.value.retry_after_seconds) == (1, 3600)
        server.requests.clear()
        with pytest.raises(Unavailable):
            await client.request("PUT", "/v1/blocks/leo", is_repeatable=False)
        assert len(server.requests) == 1


async def test_what_is_final_is_not_repeated() -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        if "users" in request.path:
            return problem(500, "internal_error")
        return web.Response(status=404, text="<html>another server</html>")

    async with scripted(handler) as server, Client(server.base, token="t", retries=QUICK) as client:
        with pytest.raises(ServerError):
            await client.users.me()
        with pytest.raises(BadAnswer):
            await client.conversations.unread()
        assert len(server.requests) == 2


async def test_an_attempt_has_a_time_limit_and_a_token_goes_nowhere_else() -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        if "users" in request.path:
            raise web.HTTPFound("/elsewhere")
        if number == 1:
            await asyncio.sleep(1)
        return totals()

    async with (
        scripted(handler) as server,
        Client(server.base, token="t", retries=QUICK, timeout_seconds=0.3) as client,
    ):
        await client.conversations.unread()
        assert len(server.requests) == 2
        with pytest.raises(BadAnswer):
            await client.users.me()
        assert all("elsewhere" not in request.path for request in server.requests)


async def test_a_refused_token_is_renewed_once() -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        is_good = request.headers["Authorization"] == "Bearer good"
        return totals() if is_good else problem(401, "unauthenticated")

    given = iter(["old", "good", "bad", "worse"])

    async def provide() -> str:
        return next(given)

    async with scripted(handler) as server:
        async with Client(server.base, token_provider=provide, retries=QUICK) as client:
            await client.conversations.unread()
            assert len(server.requests) == 2
        async with Client(server.base, token_provider=lambda: next(given)) as client:
            with pytest.raises(Unauthenticated):
                await client.conversations.unread()


async def test_posts_over_a_flaky_network_are_there_once_each(
    api: Callable[..., Awaitable[Api]],
) -> None:
    server = await api()
    owner = server.new_user("owner")
    channel_id = f"@TOA#_{fresh('flaky')}"
    async with (
        Wire(int(server.base.rpartition(":")[2])) as wire,
        client_of(owner, base=wire.url) as client,
    ):
        await client.channels.create(channel_id=channel_id, name="Flaky")
        for number in range(1, 13):
            # A request that is lost half way, one whose answer is lost, and one that meets both.
            breaks: list[Break] = ["half", "unanswered", "half"]
            wire.break_next(*breaks[: number % 4])
            post = await client.posts.publish(channel_id, text=str(number))
            assert post.seq == number
        wire.break_next("unanswered")
        await client.posts.delete(channel_id, 12)
        wire.break_next("unanswered")
        await client.channels.subscribe(channel_id)
        texts = [post.text async for post in client.posts.list(channel_id, limit=5)]
        assert texts == [None, *map(str, range(11, 0, -1))]
        assert wire.has_broken_all
        wire.break_next("unanswered")
        await client.channels.delete(channel_id)  # the second DELETE finds nothing


async def test_the_feed_goes_on_after_each_page_and_through_an_outage() -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        if number == 3:
            return web.Response(status=502, text="gone for a moment")
        if number == 6:
            return problem(410, "events_expired")
        after = int(request.query.get("after", "0").replace("start", "0"))
        at = {"at": "2026-11-28T10:00:00.000Z", "stream_id": None}
        events = [{"type": "x", "event_id": f"{after}.{index}", **at} for index in range(2)]
        return web.json_response({"items": events[: after + 1], "cursor": str(after + 1)})

    retries = Retries(attempts=1, first_pause_seconds=0.01)
    async with (
        scripted(handler) as server,
        Client(server.base, token="t", retries=retries) as client,
    ):
        feed = client.events(after="start", types=["x", "y"])
        ids: list[tuple[str | None, str | None]] = []

        async def follow() -> None:
            async for event in feed:
                ids.append((event.event_id, feed.cursor))

        with pytest.raises(Expired):
            await follow()
        assert ids == [
            *(("0.0", "start"), ("1.0", "1"), ("1.1", "1")),
            *(("2.0", "2"), ("2.1", "2"), ("3.0", "3"), ("3.1", "3")),
        ]
        assert feed.cursor == "4"
        assert server.requests[0].query["types"] == "x,y"
        assert server.requests[0].query["wait"] == "25"
        server.requests.clear()
        async for event in client.events():  # from now on: the first page is only a cursor
            assert event.event_id == "0.0"
            break
        assert server.requests[0].query["wait"] == "0"


async def test_an_export_goes_on_behind_its_last_cursor() -> None:
    """Each line comes once, although connections end in the middle of a page and of a line."""
    long = "x" * 300_000
    lines = [
        json.dumps({"type": kind, "data": data})
        for kind, data in (
            *(("start", {"version": 1}), ("message", {"n": 1}), ("cursor", {"cursor": "a"})),
            *(("message", {"n": 2}), ("message", {"n": long}), ("cursor", {"cursor": "b"})),
            ("end", {"counts": {}}),
        )
    ]
    begins = {None: 0, "a": 3, "b": 6}

    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        if number == 3:
            return problem(429, "export_running", **{"Retry-After": "0"})
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        rest = "\n".join(lines[begins[request.query.get("cursor")] :]) + "\n"
        # Broken within the first page, within the second one, at its end; then whole.
        end = {1: rest.find("cursor"), 2: len(rest) - 200_000, 4: rest.find('{"type": "end"')}
        await response.write(rest[: end.get(number)].encode())
        if number in {1, 2}:
            assert request.transport is not None
            request.transport.close()
        return response

    retries = Retries(attempts=3, first_pause_seconds=0.001)
    async with (
        scripted(handler) as server,
        Client(server.base, token="t", retries=retries) as client,
    ):
        export = client.users.export()
        seen = [(line.data.get("n"), export.cursor) async for line in export]
        assert seen == [(None, None), (1, None), (2, "a"), (long, "a")]
        cursors = [request.query.get("cursor") for request in server.requests]
        assert cursors == [None, None, "a", "a", "b"]


@pytest.mark.parametrize("call", ["rotate-secret", "test", "deliveries/d1/replay", "replay"])
async def test_what_acts_again_each_time_is_sent_once_when_its_end_is_not_known(call: str) -> None:
    async def handler(request: web.Request, number: int) -> web.StreamResponse:
        return problem(503, "unknown_outcome")

    async with scripted(handler) as server, Client(server.base, token="t", retries=QUICK) as client:
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "rotate-secret": lambda: client.webhooks.rotate_secret("w1"),
            "test": lambda: client.webhooks.send_test("w1"),
            "deliveries/d1/replay": lambda: client.webhooks.replay("w1", "d1"),
            "replay": lambda: client.webhooks.replay_since("w1", "2030-01-01T09:00:00Z"),
        }
        with pytest.raises(Unavailable):
            await calls[call]()
        assert [request.path for request in server.requests] == [f"/v1/webhooks/w1/{call}"]


async def test_without_a_server_there_is_no_answer() -> None:
    retries = Retries(attempts=2, first_pause_seconds=0.01)
    async with Client("http://127.0.0.1:9", token="t", retries=retries) as client:
        with pytest.raises(NoAnswer):
            await client.users.me()
