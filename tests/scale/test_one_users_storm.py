"""A storm of edits of one message, from another process: no other user is refused or waits much longer.

The waiting time without the storm is measured first, in the same run.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest

from channels.bench.load import Generator, Job, Outcome, request
from tests.api import User, a_channel, a_post
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory
from tests.scale.open_loop import quantile

SECONDS: Final = 6.0
WORST_RATIO: Final = 10
"""The most that the storm may multiply the p99 of other users (P11)."""
QUIET: Final = 300  # requests
IDLE_SECONDS: Final = 0.002
"""Shorter times only show that the machine is idle."""


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    """A server without rates, so that only the limits on requests at work protect other users."""
    directory: Path = scratch_directory()
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(directory / "data", http)
        await server.start(
            CHANNELS_LIMIT_REQUESTS_PER_SECOND="0", CHANNELS_LIMIT_POSTS_PER_SECOND="0"
        )
        try:
            yield server
        finally:
            await server.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def generator() -> Iterator[Generator]:
    generator = Generator()
    yield generator
    generator.close()


class Others:
    """A user who reads, posts elsewhere, reacts and reads the unread totals, one request after the other."""

    def __init__(self, user: User, path: str, own: str) -> None:
        self._user, self._path, self._own = user, path, own
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    async def ask(self) -> None:
        """Send the four requests."""
        emoji = ("%F0%9F%91%8D", "%F0%9F%94%A5")[len(self.seconds) // 4 % 2]
        for method, path, body in (
            ("GET", f"{self._path}/posts", None),
            ("POST", f"{self._own}/posts", {"kind": "text", "text": "Hello"}),
            ("PUT", f"{self._path}/posts/1/reactions/{emoji}", None),
            ("GET", "/v1/unread", None),
        ):
            began = time.perf_counter()
            answer = await self._user.call(method, path, body)
            self.seconds.append(time.perf_counter() - began)
            self.statuses[answer.status] += 1

    def take_p99(self) -> float:
        """The p99 of the requests since the last call."""
        p99 = quantile(self.seconds, 0.99)
        self.seconds.clear()
        return p99


@pytest.mark.scale
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("callers", "editors"), [(76, 1), (300, 1), (76, 10), (300, 10)])
async def test_a_storm_of_edits_slows_only_its_authors(
    server: ServerProcess, generator: Generator, callers: int, editors: int
) -> None:
    owner, bob = server.user_of("owner"), server.user_of("bob")
    admins = [server.user_of(f"admin-{number}") for number in range(editors)]
    path, own = await a_channel(owner, admins=tuple(admins)), await a_channel(bob)
    assert (await bob.put(f"{path}/subscription")).status == 200
    await a_post(owner, path)
    edits = [
        request(
            "PATCH",
            f"{path}/posts/1",
            admins[number % editors].token or "",
            orjson.dumps({"kind": "text", "text": f"Edit {number}"}),
        )
        for number in range(5_000)
    ]
    others = Others(bob, path, own)
    for _ in range(20):
        await others.ask()
    others.take_p99()
    while len(others.seconds) < QUIET:
        await others.ask()
    quiet = others.take_p99()

    address = urlsplit(server.base)
    job = Job(address.hostname or "", address.port or 0, edits, callers, SECONDS, is_cycle=True)
    storm: asyncio.Task[Outcome] = asyncio.create_task(generator.drive(job))
    while not storm.done():
        await others.ask()
    outcome, beside = await storm, others.take_p99()
    print(
        f"{callers} callers, {editors} editors: {dict(Counter(outcome.statuses))};"
        f" p99 {quiet * 1000:.1f} ms, beside them {beside * 1000:.1f} ms"
    )
    assert others.statuses.keys() <= {200, 201}
    assert set(outcome.statuses) <= {200, 429}
    assert beside < WORST_RATIO * max(quiet, IDLE_SECONDS)
    metrics = (await bob.get("/metrics")).text
    assert "channels_writes_waiting_for_document 0.0" in metrics
    assert "channels_requests_waiting_for_own 0.0" in metrics
