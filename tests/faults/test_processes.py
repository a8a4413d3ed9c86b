"""Several server processes on one database, and `kill -9` of one of them, of a worker, of the database.

The short form kills a worker. The short forms of `test_replica_set` and `test_sockets` kill one of two servers, and
their database, so here only the long form does. It also runs many faults in random order, and prints its seed:

    pytest -m faults tests/faults -n0 -s
    CHANNELS_FAULTS_SEED=7 CHANNELS_FAULTS_ROUNDS=40 pytest -m faults tests/faults/test_processes.py -n0 -s
"""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.audit import audit
from tests.faults.deployment import Server, kill, restart
from tests.faults.load import KINDS, Clients, Journal, Load
from tests.mongod import Mongod

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))

AT_MOST_SECONDS: Final = 12.0
"""The longest that the death of one process may delay the calls to others; MongoDB alone would take 60.

About 4 on an idle machine: others look for open transactions of dead processes after 1 second, and end those that are 3
seconds old.
"""


def check_downtime(journal: Journal) -> None:
    for kind in KINDS:
        assert journal.longest_gap(kind) < AT_MOST_SECONDS, kind


@pytest.mark.faults
async def test_one_process_survives_the_death_of_the_other(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    async with Clients([one.url, other.url]) as clients:
        load = Load(clients, seed=2, name="pair")
        await load.prepare()
        load.start()
        await load.goes_on(20)
        one.kill()
        await load.goes_on(20)
        await asyncio.to_thread(one.start)
        await load.goes_on(20)
        journal = await load.stop()
        await audit(journal, clients, other)
    print(f"one of two: {journal.figures()}; lost 0")
    check_downtime(journal)


@pytest.fixture
def crew(directory: Path) -> Iterator[Server]:
    """Two workers behind one port, on a database of their own."""
    server = Server(directory / "crew", workers=2, name="crew").start()
    try:
        yield server
    finally:
        server.stop()


async def test_a_killed_worker_is_replaced_and_nothing_is_lost(crew: Server) -> None:
    before = crew.worker_pids
    assert len(before) == 2
    async with Clients([crew.url]) as clients:
        load = Load(clients, seed=3, name="crew", rests=True)
        await load.prepare()
        load.start()
        await load.rush(20)
        kill(before[0])
        await load.goes_on(20)
        async with asyncio.timeout(30):
            while len(set(crew.worker_pids) - {before[0]}) < 2:
                await asyncio.sleep(0.05)
        journal = await load.stop()
        await audit(journal, clients, crew)
    print(f"one of two workers: {journal.figures()}; lost 0")
    check_downtime(journal)


async def _away(pair: tuple[Server, Server], mongod: Mongod, seconds: float) -> Journal:
    async with Clients([server.url for server in pair]) as clients:
        load = Load(clients, seed=4, name=f"away-{seconds:.0f}")
        await load.prepare()
        load.start()
        await load.goes_on(10)
        mongod.kill()
        await asyncio.sleep(seconds)
        await restart(mongod)
        await load.goes_on(20)
        journal = await load.stop()
        await audit(journal, clients, pair[0])
    print(f"database away for {seconds} s: {journal.figures()}; lost 0")
    return journal


@pytest.mark.faults
async def test_calls_wait_for_a_database_that_is_away_for_seconds(
    pair: tuple[Server, Server], mongod: Mongod
) -> None:
    await _away(pair, mongod, 2)


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_every_call_gets_503_while_the_database_is_down(
    pair: tuple[Server, Server], mongod: Mongod
) -> None:
    journal = await _away(pair, mongod, 40)
    assert journal.statuses["503"]


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost_in_many_rounds(
    pair: tuple[Server, Server], mongod: Mongod
) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    async with Clients([server.url for server in pair]) as clients:
        load = Load(clients, seed=SEED, name=f"long-{SEED}")
        await load.prepare()
        load.start()
        for number in range(ROUNDS):
            await asyncio.sleep(schedule.uniform(0.2, 4.0))
            victim = schedule.choice(pair)
            fault = schedule.choice(["process", "process", "mongod", "frozen", "all"])
            print(f"  round {number}: {fault}")
            if fault in {"process", "all"}:
                victim.kill()
            if fault in {"mongod", "all"}:
                mongod.kill()
                await asyncio.sleep(schedule.uniform(0, 8))
                await restart(mongod)
            if fault == "frozen":
                kill(mongod.pid, signal.SIGSTOP)
                await asyncio.sleep(schedule.uniform(1, 25))
                kill(mongod.pid, signal.SIGCONT)
            if schedule.random() < 0.7:
                await load.goes_on(schedule.randint(1, 50), seconds=120)
            if not victim.runs:
                await asyncio.to_thread(victim.start)
        await load.goes_on(100, seconds=120)
        journal = await load.stop()
        await audit(journal, clients, pair[0])
    print(f"{journal.figures()}; lost 0")
