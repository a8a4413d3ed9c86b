"""How often one may ask: users by their tokens, everybody else by his address; what a refusal says; how many wait."""

import asyncio
import io
import logging
import math
import re
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import make_mocked_request

from channels.server.limits.by_address import AddressLimits
from channels.server.limits.load_shedding import (
    DELAY_SECONDS,
    FEWEST,
    FIRST,
    FORGET_SECONDS,
    LASTING_SECONDS,
    RETRY_SECONDS,
    LoadShedder,
)
from channels.server.limits.rate_limit import TokenBuckets, UserRates
from channels.server.realtime.close_codes import CloseCode
from groups.kernel.actor import Actor
from groups.kernel.clock import to_milliseconds
from groups.kernel.errors import RateLimit, RateLimited, Unavailable
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from tests.api import PATIENCE_SECONDS, Api, MovedClock, User, a_channel, a_post, id_of
from tests.conftest import OpenApi

APP: Final = "https://app.example"
ADA, BOB = Actor(UserId("ada")), Actor(UserId("bob"))
BAD: Final = {"Authorization": "Bearer no.such.token"}


class Timer:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


class StoppedClock(MovedClock):
    """A clock that stands, but for where a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return to_milliseconds(self._began + self._ahead)


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    """The time of all rates."""
    timer = Timer()
    monkeypatch.setattr("channels.server.limits.rate_limit.monotonic", timer)
    return timer


# --- users ----------------------------------------------------------------------------------------------------------


def test_requests_of_a_user_are_limited_by_their_rate(timer: Timer) -> None:
    rates = UserRates(10)
    for _ in range(10):
        rates.take(ADA)
    with pytest.raises(RateLimited) as refused:
        rates.take(ADA)
    assert refused.value.retry_after_seconds == pytest.approx(0.1)
    rates.take(BOB)
    for _ in range(100):
        rates.take(Actor(UserId("ada"), is_app_admin=True))


def test_a_bucket_refills_over_time_up_to_one_second(
    timer: Timer,
) -> None:
    rates = UserRates(10)
    for _ in range(10):
        rates.take(ADA)
    timer.seconds += 0.2
    for _ in range(2):
        rates.take(ADA)
    with pytest.raises(RateLimited):
        rates.take(ADA)
    timer.seconds += 3600
    for _ in range(10):
        rates.take(ADA)
    with pytest.raises(RateLimited):
        rates.take(ADA)


def test_a_refused_request_costs_nothing(timer: Timer) -> None:
    rates = UserRates(1)
    rates.take(ADA)
    for _ in range(100):
        with pytest.raises(RateLimited):
            rates.take(ADA)
    timer.seconds += 1
    rates.take(ADA)


def test_a_rate_of_zero_is_none() -> None:
    rates = UserRates(0)
    for _ in range(1000):
        rates.take(ADA)


async def test_requests_beyond_the_rate_get_retry_after(api: OpenApi, timer: Timer) -> None:
    server = await api(requests_per_second=10)
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    plenty = [await ada.get("/v1/unread") for _ in range(8)]
    few = [await ada.get("/v1/unread") for _ in range(2)]
    assert {answer.status for answer in plenty + few} == {200}
    # Only whoever comes near the bound hears of it.
    assert ["RateLimit" in answer.headers for answer in plenty] == [False] * 8
    assert [answer.headers["RateLimit"] for answer in few] == ['"user";r=1;t=1', '"user";r=0;t=1']
    refused = await ada.get("/v1/unread")
    assert refused.refusal == (429, "rate_limited")
    assert refused.body["details"] == {"retry_after_seconds": 0.1}
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit-Policy"] == '"user";q=10;w=1'
    assert refused.headers["RateLimit"] == '"user";r=0;t=1'
    assert (await server.new_user("bob").get("/v1/unread")).status == 200
    assert {(await root.get("/v1/unread")).status for _ in range(20)} == {200}


async def test_a_page_of_another_origin_may_read_the_rate_headers(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(requests_per_second=1, allowed_origins=(APP,))
    ada = server.new_user("ada")
    for status in (200, 429):
        answer = await ada.get("/v1/unread", headers={"Origin": APP})
        assert answer.status == status
        shown = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(shown)
        assert answer.headers["RateLimit"] == '"user";r=0;t=1'


async def test_a_group_that_is_written_to_too_often_says_so_in_the_same_headers(
    api: OpenApi,
) -> None:
    server = await api(posts_per_second=1)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    body = {"kind": "text", "text": "Again"}
    refused = await ada.post(f"{path}/posts", body)
    assert refused.refusal == (429, "rate_limited")
    assert refused.headers["RateLimit-Policy"] == '"messages";q=1;w=1'
    assert refused.headers["RateLimit"] == '"messages";r=0;t=1'


async def test_refusals_are_counted_in_the_log_and_have_no_line_each(
    api: OpenApi, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.web.server.LOG_SECONDS", 0.1)
    server = await api(requests_per_second=1)
    ada = server.new_user("ada")
    with structlog.testing.capture_logs() as logs:
        for status in (200, 429, 429, 429):
            assert (await ada.get("/v1/unread")).status == status
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(entry.get("requests", 0) for entry in logs) < 3:
                await asyncio.sleep(0.02)
    told = [entry for entry in logs if entry["log_level"] in {"info", "warning", "error"}]
    assert {entry["event"] for entry in told} == {"refused"}
    assert sum(entry["statuses"]["429"] for entry in told) == 3


# --- addresses ------------------------------------------------------------------------------------------------------


async def test_refusals_of_strangers_are_logged_together(
    api: OpenApi, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("channels.server.web.server.LOG_SECONDS", 0.1)
    server = await api()
    with structlog.testing.capture_logs() as logs:
        for path, status in (("/c/none", 404), ("/none", 404), ("/v1/unread", 401)):
            assert (await server.bearer(None).get(path)).status == status
        assert (await server.new_user("ada").get("/v1/channels/none")).status == 404
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(entry.get("requests", 0) for entry in logs) < 3:
                await asyncio.sleep(0.02)
    told = [entry for entry in logs if entry["log_level"] in {"info", "warning", "error"}]
    assert [entry["route"] for entry in told if entry["event"] == "request"] == [
        "/v1/channels/{channel_id}"
    ]


async def flooded(server: Api, times: int, **headers: str) -> User:
    """A stranger who has shown so many bad tokens, each of which was refused as such."""
    stranger = User(server.http, server.base, "", None)
    for _ in range(times):
        assert (await stranger.get("/v1/unread", headers={**BAD, **headers})).status == 401
    return stranger


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/unread", 401),
        ("/v1/media/none", 404),
        ("/no/such/path", 404),
        ("/c/none", 404),
        ("/c/none/feed.atom", 404),
        ("/", 200),
        ("/openapi.json", 200),
        ("/docs", 200),
    ],
)
async def test_requests_without_a_token_are_limited_by_address(
    api: OpenApi, timer: Timer, path: str, status: int
) -> None:
    server = await api(address_requests_per_second=2)
    stranger = User(server.http, server.base, "", None)
    assert [(await stranger.get(path)).status for _ in range(2)] == [status] * 2
    refused = await stranger.get(path)
    assert refused.refusal == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit-Policy"] == '"address";q=2;w=1'
    assert refused.headers["RateLimit"] == '"address";r=0;t=1'
    timer.seconds += 1
    assert (await stranger.get(path)).status == status


async def test_probes_are_answered_beside_a_flood_from_the_same_address(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(address_requests_per_second=2)
    stranger = await flooded(server, 2)
    assert (await stranger.get("/v1/unread")).status == 429
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await stranger.get(path)).status == 200


async def test_looks_at_the_server_have_a_bound_of_their_own(
    api: OpenApi, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.by_address.PROBES_PER_SECOND", 2)
    monkeypatch.setattr("channels.server.limits.by_address.PROBE_WAIT_SECONDS", 0.05)
    server = await api(address_requests_per_second=100)
    stranger = server.bearer(None)
    for path in ("/healthz", "/readyz"):
        assert (await stranger.get(path)).status == 200
    refused = await stranger.get("/metrics")
    assert refused.refusal == (429, "rate_limited")
    assert refused.headers["RateLimit-Policy"] == '"probes";q=2;w=1'
    assert (await stranger.get("/")).status == 200, "only these"
    timer.seconds += 0.46
    # What comes within the twentieth part of a second is waited for.
    assert (await stranger.get("/readyz")).status == 200
    timer.seconds += 1
    assert (await stranger.get("/metrics")).status == 200


def test_a_reserved_token_comes_within_the_given_seconds(timer: Timer) -> None:
    buckets = TokenBuckets(RateLimit("drawings", 20))
    assert [buckets.reserve("ada", 0.1) for _ in range(20)] == [0] * 20
    waits = [buckets.reserve("ada", 0.101) for _ in range(2)]
    assert waits == pytest.approx([0.05, 0.1])
    with pytest.raises(RateLimited) as refused:
        buckets.reserve("ada", 0.101)
    assert refused.value.retry_after_seconds == pytest.approx(0.049, abs=1e-6)
    assert buckets.reserve("bob", 0) == 0
    timer.seconds += 0.1
    assert buckets.reserve("ada", 0.051) == pytest.approx(0.05)


async def test_a_client_that_floods_beyond_its_addresss_rate_is_answered_slowly(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(address_requests_per_second=2)
    held: list[float] = []

    async def record(seconds: float) -> None:
        held.append(seconds)

    load_shedder = server.app.load_shedder
    load_shedder.sleep = record
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as one_connection:
        stranger = User(one_connection, server.base, "", None)
        for _ in range(2):
            assert (await stranger.get("/v1/unread")).status == 401
        assert (await stranger.get("/v1/unread")).status == 429
        assert held == [], "told when to come back"
        assert (await stranger.get("/v1/unread")).status == 429
        assert held == [DELAY_SECONDS], "and came sooner"


async def test_the_files_of_a_page_are_not_counted(api: OpenApi, timer: Timer) -> None:
    server = await api(address_requests_per_second=1)
    stranger = server.bearer(None)
    page = await stranger.get("/")
    # Without pictures, which are no text.
    files = {one for one in re.findall(r"/assets/[^\"]+", page.text) if not one.endswith(".png")}
    assert files
    for _ in range(2):
        assert {(await stranger.get(path)).status for path in files} == {200}
    assert (await stranger.get("/")).status == 429


async def test_a_flood_of_bad_tokens_does_not_lock_out_its_address(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(address_requests_per_second=3)
    ada, late = server.new_user("ada"), server.new_user("late")
    assert (await ada.get("/v1/unread")).status == 200
    stranger = await flooded(server, 3)
    assert (await stranger.get("/v1/unread", headers=BAD)).status == 429
    assert {(await ada.get("/v1/unread")).status for _ in range(10)} == {200}
    await (await ada.socket()).close()
    # Nobody looks at a token that was not seen before, good or bad, until the address may ask again.
    assert (await late.get("/v1/unread")).status == 429
    timer.seconds += 1
    assert {(await late.get("/v1/unread")).status for _ in range(10)} == {200}


async def test_bad_tokens_over_the_socket_count_too(api: OpenApi, timer: Timer) -> None:
    server = await api(address_requests_per_second=2)
    stranger = User(server.http, server.base, "", "no.such.token")
    for code in (CloseCode.BAD_TOKEN, CloseCode.BAD_TOKEN, CloseCode.FLOOD):
        ears = await stranger.connect(with_token=False)
        await ears.tell(type="auth", token=stranger.token)
        frame = await ears.frame()
        assert await ears.closed() == code
        assert (frame["code"] == "rate_limited") == (code is CloseCode.FLOOD)
        assert ("retry_after_seconds" in frame) == (code is CloseCode.FLOOD)
    assert (await stranger.get("/v1/unread")).status == 429


async def test_unauthenticated_sockets_are_limited_by_address(
    api: OpenApi,
) -> None:
    server = await api(address_sockets=2)
    ada = server.new_user("ada")
    waiting = [await ada.connect(with_token=False) for _ in range(2)]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    stranger = User(server.http, server.base, "", None)
    refused = await stranger.call("GET", "/v1/socket", headers={**upgrade, **key})
    assert refused.refusal == (429, "rate_limited")
    # One with a token in its head waits for nothing, and one that has told it takes no place any more.
    await (await ada.socket()).close()
    await waiting[0].tell(type="auth", token=ada.token)
    assert (await waiting[0].frame())["type"] == "ready"
    for ears in [await ada.connect(with_token=False), *waiting]:
        await ears.close()


async def test_behind_a_trusted_proxy_each_client_has_his_own_bound(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(address_requests_per_second=1, trusted_proxies=(ip_network("127.0.0.0/8"),))
    stranger = await flooded(server, 1, **{"X-Forwarded-For": "203.0.113.7"})
    for said, status in [
        ("203.0.113.7", 429),
        ("198.51.100.1, 203.0.113.7", 429),
        ("203.0.113.7, 127.0.0.9", 429),
        ("198.51.100.1", 401),
        ("203.0.113.7, 198.51.100.2", 401),
    ]:
        answer = await stranger.get("/v1/unread", headers={**BAD, "X-Forwarded-For": said})
        assert answer.status == status, said


async def test_forwarded_headers_of_untrusted_proxies_are_ignored(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(address_requests_per_second=1, trusted_proxies=(ip_network("10.0.0.0/8"),))
    stranger = await flooded(server, 1)
    answer = await stranger.get("/v1/unread", headers={**BAD, "X-Forwarded-For": "203.0.113.7"})
    assert answer.status == 429


async def test_an_unknown_proxy_is_logged_once(api: OpenApi, timer: Timer) -> None:
    server = await api(address_requests_per_second=9)
    with structlog.testing.capture_logs() as logs:
        await flooded(server, 3, **{"X-Forwarded-For": "203.0.113.7"})
    assert [entry["proxy"] for entry in logs if "proxy" in entry] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("said", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5123", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("203.0.113.8, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("203.0.113.7, nonsense", "10.0.0.1"),
        ("nonsense, 10.0.0.2", "10.0.0.2"),
        ("", "10.0.0.1"),
    ],
)
def test_an_address_is_read_as_proxies_write_it(said: str, counted_as: str) -> None:
    addresses = AddressLimits(1, 1, 1, trusted_proxies=(ip_network("10.0.0.0/8"),))
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": said})
    assert addresses.address_of(request.clone(remote="10.0.0.1")) == counted_as


# --- sockets, and what is sent or read slowly ------------------------------------------------------------------------


async def test_opening_sockets_and_watching_are_requests_of_their_user(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(requests_per_second=5)
    ada = server.user_of("ada")
    path = await a_channel(ada)
    ears = await ada.connect()
    assert (await ears.frame())["type"] == "ready"
    for _ in range(3):
        await ears.tell(type="watch", conversation_id=f"group_{id_of(path)}")
        assert (await ears.frame())["type"] == "watching"
    await ears.tell(type="watch", conversation_id=f"group_{id_of(path)}")
    frame = await ears.frame()
    assert frame["code"] == "rate_limited"
    assert frame["retry_after_seconds"] > 0
    again = await ada.connect(with_token=False)
    await again.tell(type="auth", token=ada.token)
    assert (await again.frame())["code"] == "rate_limited"
    assert await again.closed() == CloseCode.FLOOD
    await ears.tell(type="ping")
    assert (await ears.frame())["type"] == "pong"
    await ears.close()


async def half_sent(server: Api, user: User, promised: int = 100) -> asyncio.StreamWriter:
    """A request whose body does not come, though the server waits for it."""
    address = urlsplit(server.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /v1/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token}\r\n"
    head += f"Expect: 100-continue\r\nContent-Length: {promised}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    return writer


async def test_unfinished_bodies_of_one_user_are_limited(
    api: OpenApi,
) -> None:
    server = await api(transfers_per_user=2)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    writers = [await half_sent(server, ada) for _ in range(2)]
    body = io.BytesIO(b'{"type": "community", "name": "Tea"}')
    slow = {"Expect": "100-continue", "Content-Type": "application/json"}
    refused = await ada.call("POST", "/v1/groups", data=body, headers=slow)
    assert refused.refusal == (429, "rate_limited")
    assert (await bob.post("/v1/groups", {"type": "community", "name": "Tea"})).status == 201
    assert (await ada.get("/v1/unread")).status == 200
    for writer in writers:
        writer.close()


async def test_a_client_that_does_not_read_a_file_is_disconnected(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.unsent_bytes.WINDOW_SECONDS", 0.3)
    monkeypatch.setattr("channels.server.limits.unsent_bytes.LOOK_SECONDS", 0.1)
    server = await api(address_transfers=1)
    ada = server.new_user("ada")
    # More than the connection's buffers on both sides hold.
    stored = await ada.call("POST", "/v1/media", data=io.BytesIO(b"x" * 20_000_000))
    path = f"/v1/media/{stored.body['media_id']}"
    address = urlsplit(server.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    assert (await ada.get(path)).refusal == (429, "rate_limited")

    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await ada.get(path)).status != 200:
            await asyncio.sleep(0.05)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(20_000_000)
    writer.close()


# --- how many wait --------------------------------------------------------------------------------------------------


class Shop:
    """An admission whose requests take as long as a test says."""

    def __init__(self, most: int = 4096, waiting_seconds: float = 0.1) -> None:
        self.timer = Timer()
        self.load_shedder = LoadShedder(most, waiting_seconds, timer=self.timer)

    def serve(self, crowd: int, seconds: float) -> None:
        """So many requests come at once, as far as there are places, and all take that long."""
        at_work = [self.load_shedder.enter() for _ in range(crowd) if not self.load_shedder.is_full]
        self.timer.seconds += seconds
        for work in at_work:
            work.end()
        assert self.load_shedder.at_work == 0
        # The next one finds what was learnt.
        self.load_shedder.enter().leave()

    def overload(self, crowd: int, seconds: float) -> None:
        """Crowds come until it is no moment's stall any more that they wait too long."""
        self.serve(crowd, seconds)
        for _ in range(math.ceil(LASTING_SECONDS / seconds)):
            self.serve(crowd, seconds)


class RetryState:
    """A client who was refused and is back at once."""

    may_retry_at = float("inf")


def test_an_overload_reduces_places_to_what_is_served_in_time() -> None:
    shop = Shop()
    shop.serve(1, 0.01)
    shop.overload(500, 1.0)
    assert shop.load_shedder.places == FEWEST
    shop = Shop()
    shop.overload(512, 0.15)
    assert FEWEST < shop.load_shedder.places < FIRST


@pytest.mark.parametrize(("after", "are_refused"), [(0.05, False), (0.15, True)])
def test_a_single_stall_gets_no_request_refused(after: float, are_refused: bool) -> None:
    shop = Shop()
    shop.serve(256, 0.05)
    for _ in range(3):
        # Those who waited for it, and those who came meanwhile: their waiting is one moment's.
        shop.serve(256, 5.0)
        shop.serve(256, 0.2)
        assert shop.load_shedder.places == FIRST
        for _ in range(math.ceil(LASTING_SECONDS / after)):
            shop.serve(256, after)
        assert (shop.load_shedder.places < 256) == are_refused
        if are_refused:
            break


def test_two_stalls_with_a_pause_between_are_no_overload() -> None:
    shop = Shop()
    for pause, places in ((LASTING_SECONDS, FIRST), (0.0, FEWEST)):
        shop.serve(256, 5.0)
        shop.timer.seconds += pause
        shop.serve(256, 5.0)
        assert shop.load_shedder.places == places


def test_places_recover_soon_after_an_overload() -> None:
    shop = Shop(waiting_seconds=0.5)
    shop.serve(256, 0.05)
    shop.overload(256, 5.0)
    assert shop.load_shedder.places == FEWEST
    for _ in range(2):
        shop.serve(256, 0.15)
    assert shop.load_shedder.places == 256


@pytest.mark.parametrize("pause", [0.5, 1.5])
def test_after_an_idle_second_the_initial_places_are_back(pause: float) -> None:
    shop = Shop()
    shop.overload(500, 0.5)
    few = shop.load_shedder.places
    assert few < FIRST
    shop.timer.seconds += pause
    shop.load_shedder.enter().end()
    assert shop.load_shedder.places == (few if pause < FORGET_SECONDS else FIRST)


def test_places_grow_while_no_request_waits_too_long() -> None:
    shop = Shop(most=10_000)
    for _ in range(3):
        shop.serve(100, 0.09)
    assert shop.load_shedder.places == FIRST
    for _ in range(40):
        shop.serve(20_000, 0.09)
    assert shop.load_shedder.places == 10_000


def test_the_latency_of_a_far_database_is_not_waiting() -> None:
    shop = Shop()
    for _ in range(100):
        shop.serve(FEWEST, 0.3)
    for _ in range(10):
        shop.serve(400, 0.35)
    assert shop.load_shedder.places == FIRST
    shop.overload(400, 0.5)
    assert shop.load_shedder.places < FIRST


def test_a_client_that_sends_slowly_takes_no_place_and_teaches_nothing() -> None:
    shop = Shop()
    slow = [shop.load_shedder.enter() for _ in range(FIRST)]
    for work in slow:
        work.leave()
    assert not shop.load_shedder.is_full
    shop.timer.seconds += 30
    for work in slow:
        work.come_back()
    assert shop.load_shedder.is_full
    shop.timer.seconds += 0.1
    for work in slow:
        work.end()
    assert shop.load_shedder.places >= FIRST


def test_retry_after_differs_between_refused_requests() -> None:
    shop = Shop()
    told = {shop.load_shedder.refusal().retry_after_seconds for _ in range(9)}
    assert told == {1, 2, 3}


async def test_an_early_retry_on_the_same_connection_is_delayed(
    api: OpenApi,
) -> None:
    server = await api()
    ada = server.new_user("ada")
    assert (await ada.get("/v1/unread")).status == 200
    load_shedder, timer = server.app.load_shedder, Timer()
    held: list[float] = []
    places_after = [0, 1]

    async def sleep(seconds: float) -> None:
        held.append(seconds)
        load_shedder.places = places_after.pop(0)

    load_shedder.sleep, load_shedder.timer = sleep, timer
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as connection:
        eager = User(connection, server.base, "eager", ada.token)
        for after_seconds, status, holds in (
            (0, 503, 0),
            (0, 503, 1),
            (RETRY_SECONDS, 503, 1),
            (0, 200, 2),
        ):
            load_shedder.places = 0
            timer.seconds += after_seconds
            assert (await eager.get("/v1/unread")).status == status
            assert len(held) == holds
    load_shedder.places = 0
    assert (await ada.get("/v1/unread")).status == 503
    assert held == [DELAY_SECONDS] * 2


async def test_an_early_retry_after_429_is_delayed_on_any_connection(
    api: OpenApi, timer: Timer
) -> None:
    server = await api(requests_per_second=2)
    ada = server.new_user("ada")
    held: list[float] = []

    async def sleep(seconds: float) -> None:
        held.append(seconds)

    server.app.load_shedder.sleep, server.app.load_shedder.timer = sleep, timer
    for after_seconds, status, holds in (
        (0, 200, 0),
        (0, 200, 0),
        (0, 429, 0),  # told when to come back: a second later
        (0, 429, 1),
        (1, 200, 1),
        (0, 200, 1),
        (0, 429, 1),  # it came when it was told to
        (0, 429, 2),
    ):
        timer.seconds += after_seconds
        async with aiohttp.ClientSession() as connection:
            eager = User(connection, server.base, "eager", ada.token)
            assert (await eager.get("/v1/unread")).status == status
        assert len(held) == holds
        # Nobody else is held.
        assert (await server.new_user("bob").get("/v1/unread")).status == 200
    assert held == [DELAY_SECONDS] * 2


async def test_the_number_of_delayed_requests_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.server.limits.load_shedding.MOST_DELAYED", 2)
    shop, caller = Shop(), RetryState()
    shop.load_shedder.places = 0
    doors = asyncio.Event()
    shop.load_shedder.sleep = lambda _: doors.wait()
    held = [asyncio.create_task(shop.load_shedder.admit_request(caller)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await shop.load_shedder.admit_request(caller)
    assert not any(task.done() for task in held)
    doors.set()
    for task in held:
        with pytest.raises(Unavailable):
            await task
    doors.clear()
    third = asyncio.create_task(shop.load_shedder.admit_request(caller))
    await asyncio.sleep(0)
    assert not third.done()
    third.cancel()


def test_a_server_that_is_never_idle_learns_the_latency() -> None:
    shop = Shop()
    shop.overload(400, 0.6)
    assert shop.load_shedder.places <= 80
    for _ in range(60):
        shop.serve(400, 0.6)
    assert shop.load_shedder.places >= 400


def test_a_slow_machine_does_not_learn_to_wait_longer() -> None:
    shop = Shop()
    for _ in range(200):
        # A hundred a second, whoever comes.
        shop.serve(400, min(400, shop.load_shedder.places) / 100)
    assert shop.load_shedder.places < 2.5 * FEWEST


# --- several processes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["user", "address"])
async def test_a_client_of_two_servers_has_one_rate(
    api: OpenApi,
    second_database: Database,
    timer: Timer,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
) -> None:
    monkeypatch.setattr(
        "channels.server.limits.rate_sharing.SHARE_SECONDS", 3600
    )  # told when the test says so
    bounds: dict[str, Any] = {"requests_per_second": 20, "address_requests_per_second": 20}
    first, second = await api(**bounds), await api(database=second_database, **bounds)
    ears = {id(server): await server.new_user("listener").socket() for server in (first, second)}

    async def asked(server: Api, times: int) -> set[int]:
        asking = server.user_of("ada") if whose == "user" else server.bearer(None)
        path = "/v1/unread" if whose == "user" else "/v1/media/none"
        return {(await asking.get(path)).status for _ in range(times)}

    async def told(teller: Api, listener: Api) -> None:
        await teller.app.rate_sharing.tell()
        await ears[id(listener)].until_now()

    fine = {200} if whose == "user" else {404}
    assert await asked(first, 5) == fine
    await told(first, second)
    assert await asked(second, 20) == fine  # so little was not told
    await told(second, first)
    timer.seconds += 60

    assert await asked(first, 12) == fine
    await told(first, second)
    assert await asked(second, 8) == fine
    assert await asked(second, 1) == {429}
    # What both together have given beyond a second's worth is owed.
    assert await asked(first, 8) == fine
    await told(second, first)
    timer.seconds += 0.4
    assert await asked(first, 1) == {429}
    timer.seconds += 1
    assert await asked(first, 8) == fine
    for each in ears.values():
        await each.close()


async def test_nothing_is_published_at_low_rates(
    api: OpenApi, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.rate_sharing.SHARE_SECONDS", 3600)
    server = await api(requests_per_second=20)
    for requests, is_told in ((5, False), (6, True)):
        for _ in range(requests):
            assert (await server.user_of("ada").get("/v1/unread")).status == 200
        await server.app.rate_sharing.tell()
        told = await database.collection("events").find_one({"events.type": "rates.spent"})
        assert (told is not None) == is_told


async def test_two_servers_share_the_rate_of_a_group(
    api: OpenApi, second_database: Database
) -> None:
    clock = StoppedClock()
    rate: dict[str, Any] = {"posts_per_second": 40}
    first = await api(clock=clock, **rate)
    second = await api(database=second_database, clock=clock, **rate)
    path = await a_channel(first.user_of("ada"))
    authors = [first.user_of("ada"), second.user_of("ada")]

    async def written(times: int) -> Counter[int]:
        body = {"kind": "text", "text": "Hello"}
        posts = [authors[number % 2].post(f"{path}/posts", body) for number in range(times)]
        return Counter([answer.status for answer in await asyncio.gather(*posts)])

    assert await written(100) == {201: 40, 429: 60}
    assert await written(10) == {429: 10}
    clock.move(seconds=0.5)
    assert await written(50) == {201: 20, 429: 30}
    clock.move(seconds=60)
    assert await written(100) == {201: 40, 429: 60}

    async def changed(method: str, times: int) -> Counter[int]:
        calls = []
        for number in range(times):
            author, path_of = authors[number % 2], f"{path}/posts/{number + 1}"
            is_edit = method == "PATCH"
            body = ({"kind": "text", "text": f"Edited {clock.now()}"},) if is_edit else ()
            calls.append(author.call(method, path_of, *body))
        return Counter([answer.status for answer in await asyncio.gather(*calls)])

    # Edits of different messages, and recalls, each as often.
    assert await changed("PATCH", 60) == {200: 40, 429: 20}
    clock.move(seconds=0.5)
    assert await changed("PATCH", 60) == {200: 20, 429: 40}
    assert await changed("DELETE", 60) == {204: 40, 429: 20}
