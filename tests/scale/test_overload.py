"""Three times the load that the server carries: it answers accepted requests soon, and refuses the rest at once.

The load that it carries is measured first, in the same run, and the other figures are compared with it. So the tests
run on any machine.
"""

import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import pytest

from channels.bench.child import Child
from channels.bench.load import Generator, Job, Outcome, request
from channels.server.limits.load_shedding import FEWEST
from tests.api import a_channel
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory
from tests.scale.open_loop import Rush, RushOutcome, quantile, serve

CALLERS: Final = FEWEST  # they wait for their answers, so a full server refuses none of them
USERS: Final = 400
CONNECTIONS: Final = 1_000
WAITING_MILLISECONDS: Final = (
    100  # less than the default, which would accept the requests of all these connections
)
TIMES: Final = 3
WORST_RATIO: Final = 6
"""Latency of accepted requests under overload / that of a full server and the allowed wait; in the long form by p99."""
MOST_GROWTH_BYTES: Final = 60_000_000  # 1,000 more connections, with their requests


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    """A server that is not started."""
    directory: Path = scratch_directory()
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(directory / "data", http)
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


@pytest.fixture
def rusher() -> Iterator[Child]:
    child = Child(serve)
    yield child
    child.close()


async def requests_of(server: ServerProcess) -> list[bytes]:
    """Requests of a channel's subscribers: posts, unread totals, and some reactions."""
    owner = server.user_of("owner")
    path = await a_channel(owner)
    for number in range(20):
        answer = await owner.post(f"{path}/posts", {"kind": "text", "text": f"Post {number}"})
        assert answer.status == 201, answer
    asked: list[bytes] = []
    for number in range(USERS):
        user = server.user_of(f"user-{number}")
        assert (await user.put(f"{path}/subscription")).status == 200
        token = user.token or ""
        emoji = ("%F0%9F%91%8D", "%F0%9F%94%A5")[number % 2]
        asked += [
            request("GET", f"{path}/posts?limit=20", token),
            request("GET", "/v1/unread", token),
            request("GET", f"{path}/posts?limit=20", token),
            request("PUT", f"{path}/posts/{number % 20 + 1}/reactions/{emoji}", token),
        ]
    return asked


async def overloaded(
    server: ServerProcess, generator: Generator, rusher: Child, seconds: float
) -> tuple[Outcome, RushOutcome, Outcome, int]:
    """The outcomes of a full, an overloaded and again a full server, and how much memory the second half of it took."""
    asked = await requests_of(server)
    address = urlsplit(server.base)
    host, port = address.hostname or "", address.port or 0
    full = Job(host, port, asked, CALLERS, min(seconds, 5), is_cycle=True)
    warm = (await generator.drive(full)).only(200)
    before = (await generator.drive(full)).only(200)

    async def rushed(per_second: float) -> RushOutcome:
        outcome = await rusher.ask(Rush(host, port, asked, per_second, seconds / 2, CONNECTIONS))
        assert isinstance(outcome, RushOutcome)
        print(_line(outcome, before))
        return outcome

    per_second = TIMES * max(warm.per_second, before.per_second)
    # If other work on the machine has ended meanwhile, the server may carry three times as much now. So the rate is
    # raised until the server refuses more than it accepts, or the connections cannot send more.
    while (first := await rushed(per_second)).statuses[200] > max(
        first.statuses[503], first.unsent
    ):
        per_second *= 2
    peak = server.peak_bytes()
    outcome = await rushed(per_second)
    growth = server.peak_bytes() - peak
    after = (await generator.drive(full)).only(200)
    print(
        f"full again: {after.per_second:.0f}/s, p99 {after.quantile(0.99) * 1000:.0f} ms;"
        f" memory {peak / 1e6:.0f} MB, then {growth / 1e6:+.1f} MB"
    )
    return before, outcome, after, growth


def _line(outcome: RushOutcome, before: Outcome) -> str:
    asked = (sum(outcome.statuses.values()) + outcome.unsent) / outcome.seconds
    return (
        f"full: {before.per_second:.0f}/s, p99 {before.quantile(0.99) * 1000:.0f} ms;"
        f" asked {asked:.0f}/s: {len(outcome.accepted) / outcome.seconds:.0f}/s accepted,"
        f" p50 {quantile(outcome.accepted, 0.5) * 1000:.0f} ms,"
        f" p99 {quantile(outcome.accepted, 0.99) * 1000:.0f} ms;"
        f" refused p99 {quantile(outcome.refused or [0], 0.99) * 1000:.0f} ms;"
        f" {dict(outcome.statuses)}, unsent {outcome.unsent}"
    )


async def check(
    server: ServerProcess, generator: Generator, rusher: Child, seconds: float, *, share: float
) -> None:
    """Overload the server for `seconds`. It must answer this share of the accepted requests soon."""
    before, outcome, after, growth = await overloaded(server, generator, rusher, seconds)
    assert set(outcome.statuses) <= {200, 429, 503}
    assert outcome.statuses[503]
    assert outcome.without_retry_after == 0
    assert outcome.unanswered == 0
    may_take = before.quantile(share) + WAITING_MILLISECONDS / 1000
    assert quantile(outcome.accepted, share) < WORST_RATIO * may_take
    assert after.quantile(0.5) < 4 * before.quantile(0.5)
    assert growth < MOST_GROWTH_BYTES


@pytest.mark.timeout(300)
async def test_a_short_overload_is_refused_without_slowing_others(
    server: ServerProcess, generator: Generator, rusher: Child
) -> None:
    await server.start(CHANNELS_LIMIT_WAITING_MILLISECONDS=str(WAITING_MILLISECONDS))
    # In two seconds, beside other tests, the slowest hundredth depends on the machine.
    await check(server, generator, rusher, seconds=4, share=0.5)


@pytest.mark.scale
@pytest.mark.timeout(600)
async def test_a_minute_of_overload_is_refused_without_slowing_others(
    server: ServerProcess, generator: Generator, rusher: Child
) -> None:
    await server.start(CHANNELS_LIMIT_WAITING_MILLISECONDS=str(WAITING_MILLISECONDS))
    started = time.monotonic()
    await check(server, generator, rusher, seconds=60, share=0.99)
    assert time.monotonic() - started > 60
