"""Sockets while processes die: clients get every post once and in order, and read missed ones over REST.

The long form:

    pytest -m faults tests/faults/test_sockets.py -n0 -s
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tests.faults.audit import posts_after
from tests.faults.deployment import Server, restart
from tests.faults.listener import Listener
from tests.faults.load import Clients
from tests.mongod import Mongod

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))
SOME: Final = 20


class Author:
    """Sends posts one after the other, each until it is acknowledged."""

    def __init__(self, clients: Clients, channel: str) -> None:
        self._clients = clients
        self._path = f"/v1/channels/{channel}/posts"
        self.head = 0

    async def post(self, count: int = 1) -> None:
        for _ in range(count):
            key = f"post-{self.head}"
            body = {"kind": "text", "text": key}
            answer = await self._clients.insist("POST", self._path, "owner", body, key=key)
            self.head += 1
            assert answer["seq"] == self.head

    async def post_for(self, seconds: float) -> None:
        """Post for this time, with pauses."""
        async with asyncio.timeout(seconds + 60):
            until = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < until:
                await self.post()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def posting(author: Author) -> AsyncIterator[None]:
    """Post with pauses while the body runs, and some posts before and after it."""
    is_over = asyncio.Event()

    async def write() -> None:
        while not is_over.is_set():
            await author.post()
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())

    async def some_more() -> None:
        wanted = author.head + SOME
        async with asyncio.timeout(60):
            while author.head < wanted:
                if writing.done():
                    writing.result()
                await asyncio.sleep(0.01)

    try:
        await some_more()
        yield
        await some_more()
    finally:
        is_over.set()
        await writing


@asynccontextmanager
async def listening(
    clients: Clients, servers: Sequence[Server], channel: str, count: int
) -> AsyncIterator[list[Listener]]:
    """Create a channel with `count` subscribers, whose sockets are spread over the servers."""
    body = {"channel_id": f"@TOA#_{channel}", "name": channel}
    await clients.insist("POST", "/v1/channels", "owner", body, key=f"make-{channel}")
    urls = [server.url for server in servers]
    listeners: list[Listener] = []
    for number in range(count):
        user = f"reader-{channel}-{number}"
        await clients.insist("PUT", f"/v1/channels/{channel}/subscription", user)
        first = number % len(urls)
        listeners.append(Listener(clients, urls[first:] + urls[:first], user, channel))
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    try:
        for listener in listeners:
            await asyncio.wait_for(listener.ready.wait(), 30)
        yield listeners
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def test_a_socket_moves_to_another_process_and_misses_nothing(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    # The posts go through the other process only.
    async with (
        Clients([other.url]) as clients,
        listening(clients, pair, "moving", 6) as listeners,
    ):
        author = Author(clients, "moving")
        await author.post(20)
        for listener in listeners:
            await listener.until(author.head)
            assert listener.sessions[0] == list(range(1, 21)), "received live, not read over REST"
        async with posting(author), asyncio.timeout(60):
            one.kill()
            while sum(len(listener.sessions) > 1 for listener in listeners) < 3:
                await asyncio.sleep(0.02)
        await asyncio.to_thread(one.start)
        await author.post(5)
        for listener in listeners:
            await listener.until(author.head)
            listener.check(author.head)
        moved = [listener for listener in listeners if len(listener.sessions) > 1]
        assert len(moved) == 3
        assert all(len(listener.sessions[1]) >= 5 for listener in moved), (
            "received from the other server"
        )
        shown = await posts_after(clients, "/v1/channels/moving", 0)
        assert len(shown) == author.head
    print(f"{author.head} posts, {len(listeners)} sockets, 3 moved; missed 0, twice 0")


async def test_sockets_outlive_a_killed_database_and_miss_nothing(
    pair: tuple[Server, Server], mongod: Mongod
) -> None:
    async with (
        Clients([server.url for server in pair]) as clients,
        listening(clients, pair, "outliving", 6) as listeners,
    ):
        author = Author(clients, "outliving")
        async with posting(author):
            mongod.kill()
            await restart(mongod)
        for listener in listeners:
            await listener.until(author.head)
            listener.check(author.head)
            # The connection stayed open, and its events have no gap.
            assert len(listener.sessions) == 1
            assert len(listener.sessions[0]) == author.head
    print(f"{author.head} posts, {len(listeners)} sockets; missed 0, twice 0, reconnected 0")


async def test_a_stopping_process_sends_its_sockets_away_with_1001(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    async with (
        Clients([other.url]) as clients,
        listening(clients, pair, "leaving", 6) as listeners,
    ):
        author = Author(clients, "leaving")
        async with posting(author):
            one.terminate()
            assert await asyncio.to_thread(one.wait) == 0
        for listener in listeners:
            await listener.until(author.head)
            listener.check(author.head)
        sent_away = [listener.closed_with for listener in listeners if listener.closed_with]
        assert sent_away == [[1001]] * 3
        await asyncio.to_thread(one.start)


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_sockets_miss_nothing_in_many_rounds(
    pair: tuple[Server, Server], mongod: Mongod
) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    async with (
        Clients([server.url for server in pair]) as clients,
        listening(clients, pair, f"long-{SEED}", 20) as listeners,
    ):
        author = Author(clients, f"long-{SEED}")
        for number in range(ROUNDS):
            writing = asyncio.create_task(author.post_for(schedule.uniform(1, 4)))
            await asyncio.sleep(schedule.uniform(0, 1))
            fault = schedule.choice(["process", "process", "mongod"])
            print(f"  round {number}: {fault}")
            if fault == "process":
                victim = schedule.choice(pair)
                victim.kill()
                await asyncio.sleep(schedule.uniform(0, 2))
                await asyncio.to_thread(victim.start)
            else:
                mongod.kill()
                await asyncio.sleep(schedule.uniform(0, 6))
                await restart(mongod)
            await writing
            for listener in listeners:
                await listener.until(author.head, seconds=60)
                listener.check(author.head)
    print(f"{author.head} posts, {len(listeners)} sockets; missed 0, twice 0")
