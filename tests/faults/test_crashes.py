"""`kill -9` of the server, of its database, of both, a frozen database, and a stop, under load.

The short form, run by default, tests the faults that no other short form has: an embedded database that dies alone or
with its server, and a stop. The long form runs all of them many times in random order, and prints its seed:

    pytest -m faults tests/faults -n0 -s
    CHANNELS_FAULTS_SEED=7 CHANNELS_FAULTS_ROUNDS=40 pytest -m faults tests/faults/test_crashes.py -n0 -s
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from pymongo import MongoClient

from channels.server.run import DRAIN_SECONDS
from tests.faults.audit import audit, verify
from tests.faults.deployment import DATABASE, Server, kill
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


async def stop_server(server: Server) -> None:
    began = time.monotonic()
    server.terminate()
    assert await asyncio.to_thread(server.wait) == 0, server.log()[-2000:]
    assert time.monotonic() - began < DRAIN_SECONDS
    await asyncio.to_thread(server.start)


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
    "stopped": stop_server,
}
CHANNELS: Final = 50
JOINS: Final = 1_000
SHORT: Final = ("mongod", "both", "stopped")  # test_replica_set has the others


async def test_nothing_acknowledged_is_lost_when_processes_end(embedded: Server) -> None:
    async with Clients([embedded.url]) as clients:
        load = Load(clients, seed=1, name="crashes", rests=True)
        await load.prepare()
        load.start()
        for name in SHORT:
            await load.rush(20)
            began = time.monotonic()
            await FAULTS[name](embedded)
            await load.goes_on(20)
            print(f"  {name}: {time.monotonic() - began:.1f} s until all calls went on")
        journal = await load.stop()
        await audit(journal, clients, embedded)
        print(f"{journal.figures()}; lost 0")
    assert embedded.runs


async def test_a_kill_amid_joins_of_many_channels_leaves_none_half_done(embedded: Server) -> None:
    async with Clients([embedded.url]) as clients:
        channels = [f"@TOA#_spread{number}" for number in range(CHANNELS)]
        made = [{"channel_id": channel, "name": "Spread"} for channel in channels]
        await asyncio.gather(
            *(
                clients.insist("POST", "/v1/channels", f"spread{number % 5}", body)
                for number, body in enumerate(made)
            )
        )
        joined: set[tuple[str, str]] = set()

        async def join(number: int) -> None:
            channel, user = channels[number % CHANNELS], f"joiner{number}"
            path = f"/v1/channels/{channel.removeprefix('@TOA#_')}/subscription"
            answer = await clients.ask("PUT", path, user)
            if answer is not None and answer.is_ok:
                joined.add((channel, user))

        joins = asyncio.gather(*(join(number) for number in range(JOINS)))
        while len(joined) < JOINS // 4 and not joins.done():
            await asyncio.sleep(0)
        await kill_both(embedded)
        await joins
        # One more in each channel, so that nothing of before is under way.
        await asyncio.gather(
            *(
                clients.insist(
                    "PUT", f"/v1/channels/{channel.removeprefix('@TOA#_')}/subscription", "last"
                )
                for channel in channels
            )
        )
    stored = await asyncio.to_thread(_members_of, embedded, channels)
    assert joined <= stored
    await asyncio.to_thread(verify, embedded)


def _members_of(server: Server, channels: list[str]) -> set[tuple[str, str]]:
    with MongoClient[dict[str, Any]](server.uri) as client:
        rows = client[DATABASE]["members"].find({"group_id": {"$in": channels}})
        return {(row["group_id"], row["user_id"]) for row in rows}


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
            # Sometimes the next fault comes before the service is back.
            if schedule.random() < 0.7:
                await load.goes_on(schedule.randint(1, 50), seconds=120)
        await load.goes_on(100, seconds=120)
        journal = await load.stop()
        await audit(journal, clients, embedded)
        print(f"{journal.figures()}; lost 0")
