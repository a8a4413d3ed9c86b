"""Stops of workers under load (`test_crashes` stops a single process), and starts that fail.

The long form stops and starts again and again under load:

    pytest -m faults tests/faults/test_starting_and_stopping.py -n0 -s
"""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from channels.server.embedded.process import find_mongod
from channels.server.run import CLOSE_SECONDS, DRAIN_SECONDS
from tests.faults.audit import audit
from tests.faults.deployment import Server
from tests.faults.load import Clients, Load
from tests.mongod import accepts_connections, free_port

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))


@pytest.fixture(scope="module", autouse=True)
def lonely(directory: Path) -> Iterator[Server]:
    """A server without a database. It waits ten seconds for one, so it starts before the other tests."""
    server = Server(directory / "lonely", mongodb_uri=f"mongodb://127.0.0.1:{free_port()}/")
    server.begin()
    try:
        yield server
    finally:
        server.stop()


async def _stopped(server: Server) -> float:
    began = time.monotonic()
    server.terminate()
    assert await asyncio.to_thread(server.wait) == 0, server.log()[-2000:]
    return time.monotonic() - began


@pytest.mark.long  # test_crashes stops a server of one process
async def test_a_stop_of_workers_under_load_loses_nothing_and_ends_with_0(directory: Path) -> None:
    server = Server(directory / "stop", workers=2).start()
    try:
        async with Clients([server.url]) as clients:
            load = Load(clients, seed=5, name="stop", rests=True)
            await load.prepare()
            load.start()
            await load.rush(3)
            seconds = await _stopped(server)
            await asyncio.to_thread(server.start)
            await load.goes_on(2)
            journal = await load.stop()
            await audit(journal, clients, server)
        print(f"2 workers stopped in {seconds:.1f} s: {journal.figures()}; lost 0")
        assert seconds < DRAIN_SECONDS
        assert not journal.statuses["500"]
    finally:
        server.stop()


@pytest.mark.faults
async def test_a_server_stops_also_while_its_database_is_frozen(directory: Path) -> None:
    server = Server(directory / "still").start()
    try:
        async with Clients([server.url]) as clients:
            load = Load(clients, seed=6, name="still")
            await load.prepare()
            load.start()
            await load.goes_on(10)
            os.kill(server.mongod_pid, signal.SIGSTOP)
            await asyncio.sleep(0.3)
            seconds = await _stopped(server)
            await asyncio.to_thread(server.start)
            await load.goes_on(5)
            journal = await load.stop()
            await audit(journal, clients, server)
        # First the requests have their time, then the database, which is killed then: 36 seconds on an idle machine.
        assert seconds < DRAIN_SECONDS + CLOSE_SECONDS + 30
        print(f"stopped in {seconds:.1f} s beside a frozen database: {journal.figures()}; lost 0")
    finally:
        server.stop()


def test_without_a_database_the_start_fails_with_the_reason(lonely: Server) -> None:
    assert lonely.wait() == 1
    assert "does not answer" in lonely.log()
    assert "CHANNELS_MONGODB_URI" in lonely.log()
    assert not lonely.defects(), lonely.log()


def test_a_standalone_database_is_refused_with_reason_and_cure(tmp_path: Path) -> None:
    port = free_port()
    command = [str(find_mongod()), "--dbpath", str(tmp_path), "--port", str(port)]
    mongod = subprocess.Popen(
        [*command, "--bind_ip", "127.0.0.1", "--nounixsocket"], stdout=subprocess.DEVNULL
    )
    try:
        while not accepts_connections(port):
            assert mongod.poll() is None
            time.sleep(0.02)
        server = Server(tmp_path / "server", mongodb_uri=f"mongodb://127.0.0.1:{port}/")
        server.begin()
        assert server.wait() == 1
        assert "standalone" in server.log()
        assert "--replSet" in server.log()
        assert "rs.initiate()" in server.log()
        assert not server.defects(), server.log()
    finally:
        mongod.kill()
        mongod.wait()


def test_a_malformed_address_is_refused_without_showing_it(tmp_path: Path) -> None:
    server = Server(tmp_path, mongodb_uri="mongodb://user:pass/word@127.0.0.1/")
    server.begin()
    assert server.wait() == 1
    assert "CHANNELS_MONGODB_URI" in server.log()
    assert "word" not in server.log()
    assert not server.defects(), server.log()


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_stops_under_load_lose_nothing_in_many_rounds(directory: Path) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    server = Server(directory / "long", workers=2).start()
    try:
        async with Clients([server.url]) as clients:
            load = Load(clients, seed=SEED, name=f"long-{SEED}")
            await load.prepare()
            load.start()
            for number in range(ROUNDS):
                await asyncio.sleep(schedule.uniform(0, 3))
                print(f"  round {number}: stopped in {await _stopped(server):.1f} s")
                await asyncio.to_thread(server.start)
            await load.goes_on(50)
            journal = await load.stop()
            await audit(journal, clients, server)
        print(f"{journal.figures()}; lost 0")
    finally:
        server.stop()
