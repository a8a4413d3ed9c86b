"""`kill -9` of the server, of its database, of both, and a database that stands still, under load.

Short forms, a fault each, run by default. The long form runs many faults in random order, printed with its seed:

    pytest -m faults tests/faults -n0 -s
    CHANNELS_FAULTS_SEED=7 CHANNELS_FAULTS_ROUNDS=40 pytest -m faults tests/faults/test_crashes.py -n0 -s
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from tests.faults.audit import audit
from tests.faults.deployment import Server, kill
from tests.faults.load import Clients, Load

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))

Fault = Callable[[Server], Awaitable[None]]


async def kill_server(server: Server) -> None:
    server.kill()
    await asyncio.to_thread(server.start)


async def kill_mongod(server: Server) -> None:
    pid = server.mongod_pid
    kill(pid)


async def kill_both(server: Server) -> None:
    kill(server.mongod_pid)
    await kill_server(server)


async def freeze_mongod(server: Server, seconds: float = 2.0) -> None:
    pid = server.mongod_pid
    kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        kill(pid, signal.SIGCONT)


FAULTS: Final[dict[str, Fault]] = {
    "server": kill_server,
    "mongod": kill_mongod,
    "both": kill_both,
    "frozen": freeze_mongod,
}


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_acknowledged_is_lost(embedded: Server, name: str) -> None:
    async with Clients([embedded.url]) as clients:
        load = Load(clients, seed=1, name=name)
        await load.prepare()
        load.start()
        await load.goes_on(20)
        await FAULTS[name](embedded)
        await load.goes_on(20)
        journal = await load.stop()
        await audit(journal, clients, embedded)
        print(f"{name}: {journal.figures()}; lost 0")
    assert embedded.runs


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost_in_many_rounds(embedded: Server) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    async with Clients([embedded.url]) as clients:
        load = Load(clients, seed=SEED, name=f"long-{SEED}")
        await load.prepare()
        load.start()
        for number in range(ROUNDS):
            await asyncio.sleep(schedule.uniform(0.2, 4.0))
            name = schedule.choice(list(FAULTS))
            print(f"  round {number}: {name}")
            await FAULTS[name](embedded)
            # Sometimes the next fault comes before anything works again.
            if schedule.random() < 0.7:
                await load.goes_on(schedule.randint(1, 50), seconds=120)
        await load.goes_on(100, seconds=120)
        journal = await load.stop()
        await audit(journal, clients, embedded)
        print(f"{journal.figures()}; lost 0")
