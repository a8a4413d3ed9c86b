"""A database that answers slowly, one that is silent, and one whose disk is full.

Nothing acknowledged is lost, every call is answered in bounded time (503 with `Retry-After` if it cannot be served),
and the service continues by itself when the fault ends. In the long forms the faults outlast all timeouts:

    pytest -m faults tests/faults/test_sick_database.py -n0 -s
"""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.faults.audit import audit
from tests.faults.deployment import Server, token
from tests.faults.load import Clients, Journal, Load
from tests.faults.network import Wire
from tests.mongod import HOST, Mongod, scratch_directory

DELAY_SECONDS: Final = 0.1
SILENT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 35.0
"""The longest time for an answer while the database is silent: about 25, and some for a busy machine."""
DISK_BYTES: Final = 640 << 20
FULL_SECONDS: Final = (
    45.0  # longer than the server restarts an embedded database that ends for another reason
)


# --- slow and silent --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def behind_a_wire(
    directory: Path, mongod: Mongod, name: str
) -> AsyncIterator[tuple[Server, Wire]]:
    """A server whose connections to its database go through a proxy."""
    async with Wire(mongod.port) as wire:
        # Directly, since otherwise the driver would get the real address from the replica set.
        uri = f"mongodb://{HOST}:{wire.port}/?directConnection=true"
        server = Server(directory / name, mongodb_uri=uri, name=name)
        try:
            await asyncio.to_thread(server.start)
            yield server, wire
        finally:
            wire.flow()
            wire.delay_seconds = 0.0
            await asyncio.to_thread(server.stop)


async def test_a_slow_database_and_a_silent_one_lose_nothing(
    directory: Path, mongod: Mongod
) -> None:
    async with (
        behind_a_wire(directory, mongod, "slow") as (server, wire),
        Clients([server.url]) as clients,
    ):
        load = Load(clients, seed=21, name="slow", rests=True)
        await load.prepare()
        load.start()
        await load.rush()
        wire.delay_seconds = DELAY_SECONDS
        # Slowly, but the load goes on, since waiting calls are committed together.
        await load.goes_on(1)
        wire.delay_seconds = 0.0
        await load.rush()
        wire.stall()
        await asyncio.sleep(SILENT_SECONDS)
        wire.flow()
        began = time.monotonic()
        await load.goes_on(1)
        print(f"all calls went on {time.monotonic() - began:.1f} s after the silence")
        journal = await load.stop()
        await audit(journal, clients, server)
    print(f"slow and silent: {journal.figures()}; lost 0")


@pytest.mark.faults
@pytest.mark.timeout(400)
async def test_every_call_gets_503_in_bounded_time_from_a_silent_database(
    directory: Path, mongod: Mongod
) -> None:
    async with (
        behind_a_wire(directory, mongod, "silent") as (server, wire),
        Clients([server.url]) as clients,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token('owner')}"}) as http,
    ):
        load = Load(clients, seed=22, name="silent")
        await load.prepare()
        load.start()
        await load.goes_on(1)
        path = f"{server.url}/v1/channels/silent"
        refused: list[float] = []

        async def asked(call: Awaitable[aiohttp.ClientResponse]) -> None:
            began = time.monotonic()
            answer = await call
            took = time.monotonic() - began
            assert took < ANSWER_SECONDS
            if answer.status == 503:
                assert int(answer.headers["Retry-After"]) >= 1
                assert (await answer.json())["code"] == "unavailable"
                refused.append(took)
            else:
                assert answer.status < 300, await answer.text()

        wire.stall()
        calls: list[asyncio.Task[None]] = []
        for number in range(15):
            body = {"kind": "text", "text": f"silent {number}"}
            calls += [
                asyncio.create_task(asked(http.get(f"{path}/posts?limit=10"))),
                asyncio.create_task(asked(http.put(f"{path}/posts/1/reactions/%F0%9F%91%8D"))),
                asyncio.create_task(asked(http.patch(path, json={"introduction": body["text"]}))),
            ]
            await asyncio.sleep(4)
        async with http.get(f"{server.url}/readyz") as ready:
            assert ready.status == 503
        wire.flow()
        await asyncio.gather(*calls)
        assert len(refused) > len(calls) / 2
        await load.goes_on(5)
        journal = await load.stop()
        await audit(journal, clients, server)
    print(f"silent for a minute: {len(refused)} of {len(calls)} refused, the last after")
    print(f"{max(refused):.1f} s; {journal.figures()}; lost 0")


# --- full -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A small disk of its own, which only root may mount."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a full disk needs root, to mount a small one")
    disk = scratch_directory()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        disk.rmdir()
        pytest.skip(f"a full disk needs a small one, which cannot be mounted: {mounted.stderr}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
        disk.rmdir()


def fill(disk: Path) -> Path:
    """Write a file that fills the disk; returns its path."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError:
            return ballast


def write_much(uri: str) -> None:
    """Write until the database ends. The load alone would take long to need another file of the journal."""
    with (
        MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=1_000) as client,
        suppress(PyMongoError),
    ):
        while True:
            client["junk"]["things"].insert_one({"bytes": os.urandom(1 << 20)})


async def _filled(small_disk: Path, directory: Path, full_seconds: float) -> Journal:
    server = Server(small_disk)
    server.log_path = directory / f"full-{full_seconds:.0f}.log"
    try:
        await asyncio.to_thread(server.start)
        async with Clients([server.url]) as clients:
            load = Load(clients, seed=23, name="full", rests=True)
            await load.prepare()
            load.start()
            await load.rush()
            ballast = await asyncio.to_thread(fill, small_disk)
            began = time.monotonic()
            await asyncio.to_thread(write_much, server.uri)
            async with asyncio.timeout(60):
                while "is full; free some space" not in server.log():
                    await asyncio.sleep(0.1)
            print(f"full: the database ended after {time.monotonic() - began:.1f} s")
            await asyncio.sleep(full_seconds)
            assert server.runs, server.log()[-2000:]
            ballast.unlink()
            began = time.monotonic()
            await load.goes_on(5)
            print(f"full: all calls went on {time.monotonic() - began:.1f} s after there was room")
            journal = await load.stop()
            await audit(journal, clients, server)
    finally:
        await asyncio.to_thread(server.stop)
    print(f"full for {full_seconds:.0f} s: {journal.figures()}; lost 0")
    return journal


@pytest.mark.long
async def test_a_full_disk_loses_nothing_and_service_continues(
    small_disk: Path, directory: Path
) -> None:
    await _filled(small_disk, directory, 0)


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_the_server_waits_for_a_disk_that_stays_full(
    small_disk: Path, directory: Path
) -> None:
    journal = await _filled(small_disk, directory, FULL_SECONDS)
    assert journal.statuses["503"]
