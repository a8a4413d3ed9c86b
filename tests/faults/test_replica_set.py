"""Every fault of a replica set of three members and of two servers, under load.

The short form has three of the faults, and one marked `long` goes once through the list. The longest form takes them at
random, with MongoDB's default election timeout (10 s), and prints its seed:

    pytest -m faults tests/faults/test_replica_set.py -n0 -s
    CHANNELS_FAULTS_SEED=7 CHANNELS_FAULTS_ROUNDS=40 pytest -m faults tests/faults/test_replica_set.py -n0 -s
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from tests.faults.audit import audit
from tests.faults.deployment import KEEPER, Server, kill
from tests.faults.listener import Listener
from tests.faults.load import KINDS, Answer, Clients, Json, Load
from tests.faults.network import Break, Wire
from tests.faults.replicas import ReplicaSet
from tests.mongod import Mongod

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))
ELECTION_MS: Final = 1_000
"""How long members wait for a silent primary in the short form; in the long form MongoDB's default of 10,000."""
SOCKETS: Final = 6

BREAKS: Final[tuple[Break, ...]] = ("half", "unanswered") * 8


class TimedClients(Clients):
    """Clients that record the slowest answer of each status."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__(urls)
        self.slowest: dict[str, float] = {}

    async def ask(
        self,
        method: str,
        path: str,
        user: str,
        body: Json | None = None,
        *,
        key: str | None = None,
        admin: bool = False,
        at: int | None = None,
    ) -> Answer | None:
        began = time.monotonic()
        answer = await super().ask(method, path, user, body, key=key, admin=admin, at=at)
        what = "closed" if answer is None else str(answer.status)
        self.slowest[what] = max(self.slowest.get(what, 0.0), time.monotonic() - began)
        return answer


HEARTBEAT_SECONDS: Final = 2
"""MongoDB's. For this long after it thaws, a primary may not know that there is another one."""


@dataclass(slots=True)
class Stage:
    """The servers, the replica set, the proxies, the sockets and the load."""

    replicas: ReplicaSet
    servers: tuple[Server, Server]
    wires: tuple[Wire, Wire]
    listeners: list[Listener]
    load: Load
    freeze_seconds: float
    victim: int = 0
    """The server that had the last server fault."""
    starting: asyncio.Task[Server] | None = None
    """The start of the killed server, while the other one serves."""

    async def next_server(self) -> Server:
        await self.is_whole()
        self.victim = 1 - self.victim
        return self.servers[self.victim]

    async def is_whole(self) -> None:
        """Wait until both servers serve."""
        if self.starting is not None:
            await self.starting
            self.starting = None

    async def frozen(self, pid: int) -> None:
        kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self.freeze_seconds)
        finally:
            kill(pid, signal.SIGCONT)

    async def killed(self, member: Mongod) -> None:
        member.kill()
        await self.load.goes_on(1, seconds=120)
        await beside(member.spawn)


async def beside(work: Callable[[], object]) -> None:
    """Run it in the keeper thread, whose end would end every `mongod`, without blocking the event loop."""
    await asyncio.get_running_loop().run_in_executor(KEEPER, work)


async def kill_server(stage: Stage) -> None:
    server = await stage.next_server()
    server.kill()
    await stage.load.goes_on(1)
    stage.starting = asyncio.create_task(asyncio.to_thread(server.start))


async def kill_primary(stage: Stage) -> None:
    await stage.is_whole()
    await stage.killed(await asyncio.to_thread(stage.replicas.primary))


async def kill_secondary(stage: Stage) -> None:
    await stage.is_whole()
    await stage.killed(await asyncio.to_thread(stage.replicas.secondary))


async def step_down(stage: Stage) -> None:
    await stage.is_whole()
    await asyncio.to_thread(stage.replicas.step_down)


async def freeze_primary(stage: Stage) -> None:
    await stage.is_whole()
    async with stage.load.reading_from_the_past():
        await stage.frozen((await asyncio.to_thread(stage.replicas.primary)).pid)
        await asyncio.sleep(HEARTBEAT_SECONDS)
        # On a busy machine it may learn of its successor later than at its next heartbeat.
        await asyncio.to_thread(stage.replicas.settle)


async def freeze_server(stage: Stage) -> None:
    await stage.frozen((await stage.next_server()).pid)


async def reset_requests(stage: Stage) -> None:
    for wire in stage.wires:
        wire.break_next(*BREAKS)
    async with asyncio.timeout(60):
        while not all(wire.has_broken_all for wire in stage.wires):
            await asyncio.sleep(0.02)


async def cut_connections(stage: Stage) -> None:
    for wire in stage.wires:
        wire.cut()


FAULTS: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "server killed": kill_server,
    "requests reset": reset_requests,
    "connections cut": cut_connections,
    "primary killed": kill_primary,
    "secondary killed": kill_secondary,
    "primary stepped down": step_down,
    "primary frozen": freeze_primary,
    "server frozen": freeze_server,
}
SHORT: Final = ("server killed", "requests reset", "primary killed")


@pytest.fixture
def replicas(directory: Path, request: pytest.FixtureRequest) -> Iterator[ReplicaSet]:
    election_ms: int = request.param
    replicas = ReplicaSet(
        directory / f"replicas-{election_ms}-{uuid4().hex[:8]}", election_ms=election_ms
    )
    try:
        KEEPER.submit(replicas.start).result()
        yield replicas
    finally:
        replicas.stop()


@asynccontextmanager
async def staged(
    replicas: ReplicaSet,
    directory: Path,
    name: str,
    *,
    seed: int,
    freeze_seconds: float,
    rests: bool = False,
) -> AsyncIterator[Stage]:
    """Start two servers, the load and its sockets; at the end check everything, and print the figures."""
    one, other = (
        Server(directory / name, mongodb_uri=replicas.uri, name=f"{name}-{letter}")
        for letter in "ab"
    )
    async with AsyncExitStack() as stack:
        for server in (one, other):
            stack.callback(server.stop)
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in (one, other)))
        wires = (
            await stack.enter_async_context(Wire(one.port)),
            await stack.enter_async_context(Wire(other.port)),
        )
        urls = [wire.url for wire in wires]
        clients = await stack.enter_async_context(TimedClients(urls))
        load = Load(clients, seed=seed, name=name, rests=rests)
        await load.prepare()
        listeners = [
            Listener(clients, urls if number % 2 else urls[::-1], f"reader-{number}", name)
            for number in range(SOCKETS)
        ]
        tasks = []
        for listener in listeners:
            await clients.insist("PUT", f"{listener.path}/subscription", listener.user)
            tasks.append(asyncio.create_task(listener.run()))
            await asyncio.wait_for(listener.ready.wait(), 30)
        load.start()
        await load.goes_on(1)
        stage = Stage(replicas, (one, other), wires, listeners, load, freeze_seconds)
        yield stage
        await stage.is_whole()
        await load.goes_on(5, seconds=120)
        journal = await load.stop()
        # The audit first, since it repeats the unanswered posts, which makes the last posts.
        await audit(journal, clients, one, other)
        page = await clients.insist("GET", f"/v1/channels/{name}/posts?limit=1", "owner")
        head = page["items"][0]["seq"]
        for listener in listeners:
            await listener.until(head)
            listener.check(head)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results
        resets: Counter[Break] = sum((wire.resets for wire in wires), Counter())
        slowest = ", ".join(f"{what} {took:.2f}" for what, took in sorted(clients.slowest.items()))
        sessions = sum(len(listener.sessions) for listener in listeners)
        print(
            f"{name}: {journal.figures()}; lost 0; longest of them"
            f" {max(journal.longest_gap(kind) for kind in KINDS):.2f}; slowest answer: {slowest};"
            f" requests reset {dict(resets)}; {len(listeners)} sockets, {sessions} connections, {head} posts:"
            " missed 0, twice 0"
        )


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(SHORT, id="three"),
        pytest.param(tuple(FAULTS), id="all", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("replicas", [ELECTION_MS], indirect=True)
async def test_every_fault_of_a_replica_set_loses_nothing(
    replicas: ReplicaSet, directory: Path, faults: tuple[str, ...]
) -> None:
    async with staged(
        replicas, directory, f"replicas-{len(faults)}", seed=11, freeze_seconds=2, rests=True
    ) as stage:
        for name in faults:
            is_of_database = name.startswith(("primary", "secondary"))
            if is_of_database:
                await stage.is_whole()
                for listener in stage.listeners:
                    await asyncio.wait_for(listener.ready.wait(), 30)
            connections = [len(listener.sessions) for listener in stage.listeners]
            await stage.load.rush()
            began = time.monotonic()
            await FAULTS[name](stage)
            await stage.load.goes_on(2)
            if is_of_database:
                # The change stream went on from its token, so no socket had to resync.
                assert [len(listener.sessions) for listener in stage.listeners] == connections
            print(f"  {name}: {time.monotonic() - began:.1f} s until all calls went on")


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("replicas", [10_000], indirect=True)
async def test_nothing_acknowledged_is_lost_in_many_rounds(
    replicas: ReplicaSet, directory: Path
) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    name = f"replicas-{SEED}"
    async with staged(replicas, directory, name, seed=SEED, freeze_seconds=10) as stage:
        for number in range(ROUNDS):
            await asyncio.sleep(schedule.uniform(0.5, 4.0))
            fault = schedule.choice(list(FAULTS))
            began = time.monotonic()
            await FAULTS[fault](stage)
            if schedule.random() < 0.7:
                await stage.load.goes_on(schedule.randint(1, 30), seconds=120)
            print(f"  round {number}: {fault}, {time.monotonic() - began:.1f} s")
            if fault.endswith("killed"):
                # Two dead members of three would stop the set.
                await beside(replicas.settle)
