"""What clients do not read: the least rate, the budgets, and that an answer which nobody took leaves nothing."""

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import pytest

from channels.server.limits import unsent_bytes
from channels.server.limits.unsent_bytes import Client, UnsentBytes
from tests.api import AS_LINES, PATIENCE_SECONDS, Api, User, a_channel
from tests.conftest import OpenApi
from tests.flows.server_process import ServerProcess

ADA, BOB = Client("user", "ada"), Client("user", "bob")
HOME: Final = Client("address", "192.0.2.1")
RATE: Final = unsent_bytes.LEAST_BYTES_PER_SECOND
WINDOW: Final = int(unsent_bytes.WINDOW_SECONDS)


class Pipe(asyncio.Transport):
    """A connection with so many bytes waiting for its client."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.size

    def abort(self) -> None:
        self.is_aborted = True


class Watch:
    """`UnsentBytes` whose seconds pass when a test says so."""

    def __init__(self, *, per_user: int = 0, per_address: int = 0) -> None:
        self.seconds = 0.0
        self.cuts = 0
        self.bytes = UnsentBytes(
            per_user, per_address, on_cut=self._count, timer=lambda: self.seconds
        )

    def _count(self) -> None:
        self.cuts += 1

    def add(self, reader: Client, size: int) -> Pipe:
        pipe = Pipe(size)
        self.bytes.add(pipe, reader)
        return pipe

    async def look(self, *, after: float) -> None:
        self.seconds += after
        self.bytes.look()
        await asyncio.sleep(0)  # aborts happen in the next turn


# --- the least rate -------------------------------------------------------------------------------------------------


async def test_a_client_that_reads_at_the_least_rate_stays() -> None:
    watch = Watch()
    pipe = watch.add(ADA, 1_000_000)
    for _ in range(10):
        pipe.size -= RATE * WINDOW
        await watch.look(after=WINDOW)
    assert not pipe.is_aborted


async def test_a_client_that_reads_slower_is_aborted() -> None:
    watch = Watch()
    pipe = watch.add(ADA, 1_000_000)
    pipe.size -= RATE * WINDOW - 1
    await watch.look(after=WINDOW)
    assert pipe.is_aborted
    assert (watch.cuts, watch.bytes.total) == (1, 0)


async def test_earlier_reading_does_not_excuse_a_stall() -> None:
    watch = Watch()
    pipe = watch.add(ADA, 50_000_000)
    pipe.size = 1_000
    await watch.look(after=WINDOW)
    await watch.look(after=WINDOW)
    assert pipe.is_aborted


async def test_new_bytes_count_neither_as_reading_nor_as_a_stall() -> None:
    watch = Watch()
    idle, keen = watch.add(ADA, 100_000), watch.add(BOB, 100_000)
    for step in range(WINDOW):
        keen.size -= RATE
        await watch.look(after=0.5)
        idle.size += 70_000
        keen.size += 70_000
        await watch.look(after=0.5)
        assert idle.is_aborted is (step == WINDOW - 1)
    assert not keen.is_aborted


async def test_a_stall_shorter_than_the_window_is_waited_for() -> None:
    watch = Watch()
    pipe = watch.add(ADA, 1_000_000)
    await watch.look(after=WINDOW - 0.1)
    assert not pipe.is_aborted


# --- the budgets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [ADA, HOME])
async def test_a_budget_is_spent_to_its_last_byte_and_no_further(reader: Client) -> None:
    watch = Watch(per_user=1000, per_address=1000)
    first, second = watch.add(reader, 600), watch.add(reader, 400)
    await watch.look(after=0)
    assert not first.is_aborted
    assert not second.is_aborted
    third = watch.add(reader, 1)
    await watch.look(after=0)
    assert first.is_aborted, "it has waited longest"
    assert not second.is_aborted
    assert not third.is_aborted
    assert watch.bytes.total == 401


async def test_budgets_of_clients_are_separate() -> None:
    watch = Watch(per_user=1000, per_address=1000)
    bob, home = watch.add(BOB, 900), watch.add(HOME, 900)
    for _ in range(50):
        watch.add(ADA, 900)
    await watch.look(after=0)
    assert not bob.is_aborted
    assert not home.is_aborted
    assert watch.bytes.total == 2700


async def test_bytes_that_are_added_later_count_too() -> None:
    watch = Watch(per_user=1000)
    first, second = watch.add(ADA, 10), watch.add(ADA, 10)
    second.size = 1000
    await watch.look(after=0)
    assert first.is_aborted
    assert not second.is_aborted


async def test_bytes_that_were_read_free_the_budget() -> None:
    watch = Watch(per_user=1000)
    for _ in range(10):
        pipe = watch.add(ADA, 1000)
        watch.bytes.remove(pipe)
        watch.bytes.remove(pipe)
        assert not pipe.is_aborted
    assert watch.bytes.total == watch.cuts == 0


async def test_all_together_have_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent_bytes, "ALL_BYTES", 1000)
    watch = Watch()
    pipes = [watch.add(Client("user", str(number)), 400) for number in range(3)]
    await watch.look(after=0)
    assert [pipe.is_aborted for pipe in pipes] == [True, False, False]


# --- over real connections ------------------------------------------------------------------------------------------


@asynccontextmanager
async def deaf(
    base: str, sent: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that sends this and then reads hardly anything, through buffers as small as the kernel makes them."""
    address = urlsplit(base)
    assert address.hostname is not None
    assert address.port is not None
    ear = socket.socket()
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ear.setblocking(False)
    await asyncio.get_running_loop().sock_connect(ear, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=ear, limit=512)
    try:
        writer.write(sent)
        yield reader, writer
    finally:
        writer.transport.abort()


def get(path: str, user: User | None = None, times: int = 1, accept: str = "*/*") -> bytes:
    """So many requests, one behind the other without a pause."""
    known = f"Authorization: Bearer {user.token}\r\n" if user is not None else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n{known}\r\n".encode() * times


def an_import(path: str, back_end: User) -> bytes:
    """An import of many lines, each of which is answered with what is wrong with it."""
    head = (
        f"POST {path}/subscribers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {back_end.token}\r\n"
        f"Content-Type: {AS_LINES['Content-Type']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    lines = b"{}\n" * 150_000
    return head.encode() + b"%x\r\n%s\r\n" % (len(lines), lines)


async def a_long_page(owner: User) -> str:
    """The address of a page of posts that are as long as posts may be."""
    path = await a_channel(owner)
    for _ in range(40):
        posted = await owner.post(f"{path}/posts", {"kind": "text", "text": "é" * 6_000})
        assert posted.status == 201, posted
    return f"{path}/posts?limit=40"


def metric(api: Api, name: str) -> float:
    value = api.services.metrics.registry.get_sample_value(name)
    assert value is not None
    return value


async def cut(api: Api) -> None:
    """Wait until a reader was cut and nothing waits any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not metric(api, "channels_slow_readers_total"):
            await asyncio.sleep(0.05)
    assert not metric(api, "channels_unsent_bytes")


@pytest.mark.parametrize("what", ["json", "docs", "openapi", "file", "import", "events"])
async def test_clients_that_do_not_read_are_disconnected(
    api: OpenApi, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent_bytes, "WINDOW_SECONDS", 0.3)
    monkeypatch.setattr(unsent_bytes, "LOOK_SECONDS", 0.1)
    server = await api()
    ada, back_end = server.new_user("ada"), server.new_user("back", admin=True)
    match what:
        case "json":
            sent = get(await a_long_page(ada), ada, times=20)
        case "docs":
            sent = get("/docs/api/schemas", times=100)
        case "openapi":
            sent = get("/openapi.json", times=40)
        case "file":
            stored = await ada.call("POST", "/v1/media", data=io.BytesIO(b"x" * 12_000_000))
            sent = get(f"/v1/media/{stored.body['media_id']}")
        case "events":
            for _ in range(10):
                await a_long_page(ada)
            sent = get("/v1/events?after=start", back_end, accept="text/event-stream")
        case _:
            sent = an_import(await a_channel(ada), back_end)
    async with deaf(server.base, sent) as (reader, _):
        await cut(server)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1_000_000_000)
    assert (await ada.get("/v1/unread")).status == 200


async def test_a_slow_client_that_keeps_reading_gets_the_whole_response(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent_bytes, "WINDOW_SECONDS", 0.3)
    monkeypatch.setattr(unsent_bytes, "LOOK_SECONDS", 0.1)
    server = await api()
    stored = await server.new_user("ada").call(
        "POST", "/v1/media", data=io.BytesIO(b"x" * 8_000_000)
    )
    left = 8_000_000
    async with deaf(server.base, get(f"/v1/media/{stored.body['media_id']}")) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        while left > 7_000_000:
            left -= len(await reader.read(4096))
            await asyncio.sleep(0.002)
        await reader.readexactly(left)
    assert not metric(server, "channels_slow_readers_total")


async def test_beyond_a_users_budget_the_longest_waiting_is_aborted(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent_bytes, "LOOK_SECONDS", 0.1)
    server = await api()
    unsent = server.app._unsent
    # Without time no connection is below the least rate, however slow this machine is: the budget alone aborts.
    monkeypatch.setattr(unsent, "_now", lambda: 0.0)
    ada = server.new_user("ada")
    page = await a_long_page(ada)
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(deaf(server.base, get(page, ada, times=20)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(unsent._waiting) < 4:
                await asyncio.sleep(0.02)
            first, *others = unsent._waiting
            # How many bytes wait here depends on what the kernel took, so the budget follows them.
            while not metric(server, "channels_slow_readers_total"):
                unsent._limits["user"] = unsent._bytes[Client("user", ada.id)] - 1
                await asyncio.sleep(0.02)
        assert first not in unsent._waiting
        assert list(unsent._waiting) == others


async def test_a_thousand_unread_responses_leave_nothing_behind(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(tmp_path / "data", http)
        await server.start(CHANNELS_LIMIT_POSTS_PER_SECOND="0")
        try:
            ada = server.user_of("ada")
            # More than the buffers of both ends hold: the last answers wait in the process.
            sent = get(await a_long_page(ada), ada, times=8)

            async def leave_early(times: int) -> None:
                for _ in range(times):
                    async with deaf(server.base, sent):
                        await asyncio.sleep(0.05)

            await asyncio.gather(*(leave_early(2) for _ in range(20)))
            before = server.held_bytes()
            await asyncio.gather(*(leave_early(50) for _ in range(20)))
            deadline = time.monotonic() + PATIENCE_SECONDS
            # A thousand pages are half a gigabyte. Twenty at once, and what an allocator keeps of them, is no leak.
            while (left := server.held_bytes() - before) > 40_000_000:
                assert time.monotonic() < deadline, left
                await asyncio.sleep(0.2)
            assert server.peak_bytes() - before < 200_000_000
        finally:
            await server.kill()
