"""Events that one process commits and others receive: how soon, in which order, and after lost history.

The short form, with two workers behind one port, prints how long events take. The long form, for an idle machine and
two servers, requires 100 ms (p95):

    pytest -m faults tests/faults/test_event_delivery.py -n0 -s
"""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import aiohttp
import pytest
from pymongo import MongoClient

from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, kill, token
from tests.faults.listener import Listener
from tests.faults.load import Clients
from tests.mongod import Mongod, scratch_directory

SOCKETS: Final = 8
POSTS: Final = 40
AUTHORS: Final = 8
P95_SECONDS: Final = 0.1
SECONDS: Final = 60.0
RESYNC: Final = 4003
_SOCKETS_OPEN: Final = re.compile(r"^channels_sockets(?:\{[^}]*\})? (\d+)", re.MULTILINE)


class Ear:
    """A socket that records the order and the times in which it receives posts."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.seqs: list[int] = []
        self.at: dict[int, float] = {}

    async def listen(self) -> None:
        async for message in self._socket:
            frame = json.loads(message.data)
            if frame["type"] == "event" and frame["event"]["type"] == "message.posted":
                self.seqs.append(frame["event"]["seq"])
                self.at[self.seqs[-1]] = time.monotonic()


@asynccontextmanager
async def ears(server: Server, channel: str, count: int) -> AsyncIterator[list[Ear]]:
    """`count` sockets, each of a subscriber of its own."""
    async with Clients([server.url]) as clients, aiohttp.ClientSession() as http:
        body = {"channel_id": f"@TOA#_{channel}", "name": channel}
        await clients.insist("POST", "/v1/channels", "owner", body, key=f"make-{channel}")
        found: list[Ear] = []
        tasks: list[asyncio.Task[None]] = []
        for number in range(count):
            user = f"ear-{channel}-{number}"
            await clients.insist("PUT", f"/v1/channels/{channel}/subscription", user)
            headers = {"Authorization": f"Bearer {token(user)}"}
            socket = await http.ws_connect(f"{server.url}/v1/socket", headers=headers)
            assert (await socket.receive_json(timeout=SECONDS))["type"] == "ready"
            found.append(Ear(socket))
            tasks.append(asyncio.create_task(found[-1].listen()))
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def all_heard(found: list[Ear], head: int) -> None:
    async with asyncio.timeout(SECONDS):
        while any(len(ear.seqs) < head for ear in found):
            await asyncio.sleep(0.01)


async def took(found: list[Ear], server: Server, channel: str, posts: int) -> list[float]:
    """Send posts one after the other; returns for each the seconds until the last socket has received it."""
    seconds: list[float] = []
    async with Clients([server.url]) as clients:
        for number in range(posts):
            body = {"kind": "text", "text": str(number)}
            began = time.monotonic()
            answer = await clients.insist("POST", f"/v1/channels/{channel}/posts", "owner", body)
            await all_heard(found, answer["seq"])
            seconds.append(max(ear.at[answer["seq"]] for ear in found) - began)
    return seconds


def p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]


async def crossed(pair: tuple[Server, Server], name: str, posts: int) -> float:
    one, other = pair
    async with ears(other, name, SOCKETS) as found:
        seconds = await took(found, one, name, posts)
        for ear in found:
            assert ear.seqs == list(range(1, posts + 1))
    print(
        f"{posts} posts at one process, {SOCKETS} sockets at another: sent to last heard"
        f" p50 {quantiles(seconds, n=2)[0] * 1000:.1f} ms, p95 {p95(seconds) * 1000:.1f} ms"
    )
    return p95(seconds)


@pytest.mark.faults
async def test_an_event_reaches_the_other_process_within_100_ms(
    pair: tuple[Server, Server],
) -> None:
    assert await crossed(pair, "soon", 400) < P95_SECONDS


# --- workers ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def workers(directory: Path, mongod: Mongod) -> Iterator[Server]:
    """Two workers behind one port."""
    server = Server(directory / "workers", mongodb_uri=mongod.uri, workers=2, name="workers")
    try:
        yield server.start()
    finally:
        server.stop()


async def sockets_of_each(server: Server) -> list[int]:
    """The number of sockets of each worker, read on new connections until both have answered."""
    counts: set[int] = set()
    async with asyncio.timeout(SECONDS):
        while len(counts) < 2:
            async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as answer:
                found = _SOCKETS_OPEN.search(await answer.text())
                assert found is not None
                counts.add(int(found[1]))
                if 2 * int(found[1]) == SOCKETS:
                    return [int(found[1])] * 2
    return sorted(counts)


async def test_workers_deliver_each_others_posts_in_one_order(workers: Server) -> None:
    async with ears(workers, "workers", SOCKETS) as found, Clients([workers.url]) as clients:
        held = await sockets_of_each(workers)
        seconds = await took(found, workers, "workers", POSTS)

        async def write(author: int) -> None:
            for number in range(POSTS // AUTHORS):
                body = {"kind": "text", "text": f"{author} {number}"}
                await clients.insist("POST", "/v1/channels/workers/posts", "owner", body)

        await asyncio.gather(*(write(author) for author in range(AUTHORS)))
        await all_heard(found, 2 * POSTS)
        for ear in found:
            assert ear.seqs == list(range(1, 2 * POSTS + 1))
    assert sum(held) == SOCKETS
    print(
        f"2 workers with {held} sockets: {POSTS} posts, sent to last heard"
        f" p50 {quantiles(seconds, n=2)[0] * 1000:.1f} ms, p95 {p95(seconds) * 1000:.1f} ms"
    )
    assert not workers.defects(), workers.defects()


# --- history ----------------------------------------------------------------------------------------------------------


def roll_over(uri: str) -> None:
    """Write until the database has dropped all history that the frozen process has read."""
    with MongoClient[dict[str, Any]](uri) as client:
        oplog = client["local"]["oplog.rs"]

        def end(direction: int) -> Any:
            return next(oplog.find().sort("$natural", direction).limit(1))["ts"]

        deadline = time.monotonic() + SECONDS
        # The open query of the frozen process ends within a second, and its answer has a newer resume token.
        query = {"op": "getmore", "active": True, "ns": f"{DATABASE}.events"}
        while list(client.admin.aggregate([{"$currentOp": {}}, {"$match": query}])):
            assert time.monotonic() < deadline, "its query does not end"
            time.sleep(0.02)
        newest = end(-1)
        while end(1) <= newest:
            assert time.monotonic() < deadline, "the history does not end"
            client["junk"]["things"].insert_many(
                [{"bytes": os.urandom(200_000)} for _ in range(20)]
            )
        client.drop_database("junk")


@pytest.fixture(scope="module")
def forgetful() -> Iterator[tuple[Server, Mongod]]:
    """A server on a database with very little history."""
    directory = scratch_directory()
    mongod = Mongod(directory, cache_gb=0.25, forgets_after_mb=1)
    server = Server(directory, mongodb_uri=mongod.start().uri)
    try:
        yield server.start(), mongod
    finally:
        kill(server.pid, signal.SIGCONT)
        server.stop()
        mongod.kill()


@pytest.mark.parametrize("is_killed", [False, True], ids=["open stream", "broken stream"])
async def test_sockets_resync_after_a_sleep_beyond_the_history(
    forgetful: tuple[Server, Mongod], is_killed: bool
) -> None:
    server, mongod = forgetful
    async with Clients([server.url]) as clients:
        name = "slept-broken" if is_killed else "slept"
        body = {"channel_id": f"@TOA#_{name}", "name": name}
        await clients.insist("POST", "/v1/channels", "owner", body)
        await clients.insist("PUT", f"/v1/channels/{name}/subscription", "reader")
        listener = Listener(clients, [server.url], "reader", name)
        listening = asyncio.create_task(listener.run())
        await asyncio.wait_for(listener.ready.wait(), SECONDS)

        async def post(number: int) -> None:
            body = {"kind": "text", "text": str(number)}
            answer = await clients.insist(
                "POST", f"/v1/channels/{name}/posts", "owner", body, key=str(number)
            )
            assert answer["seq"] == number
            await listener.until(number)

        await post(1)
        kill(server.pid, signal.SIGSTOP)
        await asyncio.to_thread(roll_over, mongod.uri)
        if is_killed:
            mongod.kill()
            await asyncio.to_thread(mongod.start)
        kill(server.pid, signal.SIGCONT)
        async with asyncio.timeout(SECONDS):
            while listener.closed_with != [RESYNC]:
                await asyncio.sleep(0.02)
        await asyncio.wait_for(listener.ready.wait(), SECONDS)
        # Only once: the new stream begins now, and events that are committed from now on arrive.
        await post(2)
        await post(3)
        listener.check(3)
        assert listener.closed_with == [RESYNC]
        assert listener.sessions[-1][-1] == 3
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert not server.defects(), server.defects()
    await asyncio.to_thread(verify, server)
