"""The event log and the feed while processes and databases are killed, and after the database's history was cut.

No event is missed or seen twice, and the events of each stream come in order: by a consumer of the log in processes of
its own, and by a back end that follows the feed over HTTP. The short forms run by default; the long ones go on for many
faults, and `CHANNELS_FAULTS_EVENTS` events (100,000), and print a seed:

    pytest -m faults tests/faults/test_event_log.py -n0 -s
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pymongo import ReturnDocument

from groups.kernel.mongo import Database, Tx, ensure_indexes
from groups.kernel.mongo.event_log import CONSUMERS
from groups.kernel.mongo.outbox import OUTBOX
from tests.faults.audit import verify
from tests.faults.deployment import KEEPER, Server, kill
from tests.faults.load import Clients
from tests.faults.log_process import COLLECTIONS, SEEN, Follower, Numbered
from tests.faults.replicas import ReplicaSet
from tests.faults.test_event_delivery import roll_over
from tests.mongod import DRIVER, Mongod, scratch_directory

SEED: Final = int(os.environ.get("CHANNELS_FAULTS_SEED", "0")) or random.randrange(1, 10_000)
ROUNDS: Final = int(os.environ.get("CHANNELS_FAULTS_ROUNDS", "20"))
EVENTS: Final = int(os.environ.get("CHANNELS_FAULTS_EVENTS", "100000"))
SECONDS: Final = 60.0
STREAMS: Final = 8
NAME: Final = "channels"
READER: Final = "back-end"


@pytest.fixture(scope="module")
def replicas(directory: Path) -> Iterator[ReplicaSet]:
    replicas = ReplicaSet(directory / "log", election_ms=1_000)
    try:
        KEEPER.submit(replicas.start).result()
        yield replicas
    finally:
        replicas.stop()


# --- a consumer -------------------------------------------------------------------------------------------------------


class Processes:
    """Two processes that give positions and consume, and the publisher of the events."""

    def __init__(self, uri: str, name: str, database: Database) -> None:
        self._uri, self._name, self.database = uri, name, database
        self.children: list[subprocess.Popen[bytes]] = []
        self.committed: dict[str, int] = {}
        """The last number of each stream that is known to be committed."""
        self._is_over = False

    def begin(self) -> None:
        command = [sys.executable, "-m", "tests.faults.log_process", self._uri, self._name]
        self.children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    def kill_one(self) -> None:
        """`kill -9` one, and start another."""
        child = self.children.pop(0)
        child.kill()
        child.wait()
        self.begin()

    async def publish(self, stream: str, count: int) -> None:
        """Commit the next `count` events of a stream, one after the other, whatever happens meanwhile."""

        async def work(tx: Tx) -> int:
            row: Any = await self.database.collection("streams").find_one_and_update(
                {"_id": stream},
                {"$inc": {"n": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
                session=tx.session,
            )
            tx.publish(Numbered(at=datetime.now(UTC), stream=stream, number=row["n"]))
            return int(row["n"])

        for _ in range(count):
            self.committed[stream] = await self.database.run(work)

    async def publish_all(self, count: int) -> None:
        await asyncio.gather(*(self.publish(f"s{n}", count) for n in range(STREAMS)))

    async def check(self) -> None:
        """Wait until all is consumed, then compare: each event once, each stream in order, positions dense."""
        wanted = {
            f"{stream} {number}"
            for stream, last in self.committed.items()
            for number in range(1, last + 1)
        }
        seen = self.database.collection(SEEN)
        async with asyncio.timeout(SECONDS):
            while len(rows := await seen.find().to_list(None)) < len(wanted):
                await asyncio.sleep(0.1)
        assert {row["_id"] for row in rows} == wanted
        assert [row for row in rows if "is_wrong" in row] == []
        assert len({row["event_id"] for row in rows}) == len(rows)
        positions = self.database.collection(OUTBOX).find({}, {"position": 1}).sort("position", 1)
        numbers = [row.get("position") for row in await positions.to_list(None)]
        assert numbers == list(range(1, len(numbers) + 1))
        rows = await self.database.collection(CONSUMERS).find().to_list(None)
        assert {row["position"] for row in rows} == {len(numbers)}


@asynccontextmanager
async def consuming(uri: str, name: str) -> AsyncIterator[Processes]:
    database = await Database.connect(uri, name, driver=DRIVER)
    processes = Processes(uri, name, database)
    try:
        await ensure_indexes(database, ())
        handle = database.collection("any").database
        for collection in COLLECTIONS:
            await handle.create_collection(collection)
        await database.run(Follower(database).consumer.activate)
        processes.begin()
        processes.begin()
        yield processes
    finally:
        for child in processes.children:
            child.kill()
            child.wait()
        await database.close()


async def beside(work: Callable[[], object]) -> None:
    await asyncio.get_running_loop().run_in_executor(KEEPER, work)


async def kill_primary(replicas: ReplicaSet) -> None:
    primary = await asyncio.to_thread(replicas.primary)
    primary.kill()
    await asyncio.to_thread(replicas.primary)
    await beside(primary.spawn)


async def test_a_consumer_handles_each_event_once_through_kills_and_failovers(
    replicas: ReplicaSet,
) -> None:
    async with consuming(replicas.uri, "consumed") as processes:
        publishing = asyncio.create_task(processes.publish_all(60))
        await asyncio.sleep(1.0)
        processes.kill_one()
        await asyncio.sleep(0.5)
        await kill_primary(replicas)
        processes.kill_one()
        await asyncio.to_thread(replicas.step_down)
        await publishing
        # One of the processes may be waiting for the lease of a dead one, for seconds.
        await processes.check()
    await asyncio.to_thread(replicas.settle)


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_a_consumer_handles_each_event_once_in_many_rounds(replicas: ReplicaSet) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}, {ROUNDS} rounds")
    async with consuming(replicas.uri, f"consumed{SEED}") as processes:
        for number in range(ROUNDS):
            publishing = asyncio.create_task(processes.publish_all(100))
            await asyncio.sleep(schedule.uniform(0.1, 2.0))
            fault: Callable[[], Awaitable[object]] = schedule.choice(
                (
                    lambda: asyncio.to_thread(processes.kill_one),
                    lambda: kill_primary(replicas),
                    lambda: asyncio.to_thread(replicas.step_down),
                )
            )
            await fault()
            await publishing
            await asyncio.to_thread(replicas.settle)
            print(f"  round {number}: {sum(processes.committed.values())} events")
        await processes.check()


@pytest.fixture
def forgetful() -> Iterator[Mongod]:
    """A database with very little history."""
    directory = scratch_directory()
    mongod = Mongod(directory, cache_gb=0.25, forgets_after_mb=1)
    try:
        KEEPER.submit(mongod.start).result()
        yield mongod
    finally:
        mongod.kill()


async def test_nothing_is_lost_when_the_history_of_the_database_is_cut(forgetful: Mongod) -> None:
    async with consuming(forgetful.uri, NAME) as processes:
        await processes.publish_all(5)
        await processes.check()
        for child in processes.children:
            kill(child.pid, signal.SIGSTOP)
        # Committed while nobody follows, and gone from the history before anybody does.
        await processes.publish_all(5)
        await asyncio.to_thread(roll_over, forgetful.uri)
        for child in processes.children:
            kill(child.pid, signal.SIGCONT)
        await processes.check()
        await processes.publish_all(5)
        await processes.check()


# --- a back end that follows the feed ---------------------------------------------------------------------------------


class BackEnd:
    """Follows the feed over HTTP as a back end would: page by page, and asks again when there is no answer."""

    def __init__(self, clients: Clients, cursor: str) -> None:
        self._clients = clients
        self._cursor = cursor
        self.ids: list[str] = []
        self.posts: defaultdict[str, list[int]] = defaultdict(list)
        """The seqs of each stream, in the order in which they came."""

    async def follow(self) -> None:
        while True:
            path = f"/v1/events?after={self._cursor}&types=message.posted&wait=2&limit=500"
            answer = await self._clients.ask("GET", path, READER, admin=True)
            if answer is None or answer.status == 503:
                await asyncio.sleep(0.05)
                continue
            assert answer.is_ok, answer
            for event in answer.body["items"]:
                self.ids.append(event["event_id"])
                self.posts[event["stream_id"]].append(event["seq"])
            self._cursor = answer.body["cursor"]


async def followed(
    servers: tuple[Server, Server],
    name: str,
    events: int,
    faults: Callable[[], Awaitable[None]],
) -> None:
    """Post `events` times while `faults` runs, and follow the feed beside it; then compare."""
    async with Clients([server.url for server in servers]) as clients:
        channels = [f"{name}-{number}" for number in range(STREAMS)]
        for channel in channels:
            body = {"channel_id": f"@TOA#_{channel}", "name": channel}
            await clients.insist("POST", "/v1/channels", "owner", body, key=f"make-{channel}")
        now = await clients.insist("GET", "/v1/events", READER, admin=True)
        back_end = BackEnd(clients, now["cursor"])
        following = asyncio.create_task(back_end.follow())
        waiting = iter(range(events))

        async def write() -> None:
            for number in waiting:
                path = f"/v1/channels/{channels[number % STREAMS]}/posts"
                body = {"kind": "text", "text": str(number)}
                # Repeated with its key until it is acknowledged: so exactly these posts are stored.
                await clients.insist("POST", path, "owner", body, key=f"{name}-{number}")

        began = time.monotonic()
        writers = asyncio.gather(*(write() for _ in range(64)))
        await faults()
        await writers
        written = time.monotonic() - began
        async with asyncio.timeout(SECONDS):
            while len(back_end.ids) < events and not following.done():
                await asyncio.sleep(0.05)
        lag = time.monotonic() - began - written
        # Nothing more comes, as it would if an event came twice.
        await asyncio.sleep(0.5)
        following.cancel()
        results = await asyncio.gather(following, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), results
    print(
        f"{name}: {events} posts in {written:.1f} s, the last event {lag:.2f} s after the last post"
    )
    assert len(back_end.ids) == len(set(back_end.ids)) == events
    assert len(back_end.posts) == STREAMS
    for seqs in back_end.posts.values():
        assert seqs == list(range(1, len(seqs) + 1))
    for server in servers:
        assert not server.defects(), server.defects()
    await asyncio.to_thread(verify, servers[0])


@asynccontextmanager
async def serving(replicas: ReplicaSet, directory: Path) -> AsyncIterator[tuple[Server, Server]]:
    one, other = (
        Server(directory / f"feed-{letter}", mongodb_uri=replicas.uri, name=letter)
        for letter in "ab"
    )
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in (one, other)))
        yield one, other
    finally:
        for server in (one, other):
            await asyncio.to_thread(server.stop)


@pytest.mark.long
async def test_a_back_end_misses_nothing_through_a_kill_and_a_failover(
    replicas: ReplicaSet, directory: Path
) -> None:
    async with serving(replicas, directory) as servers:

        async def faults() -> None:
            await asyncio.sleep(1)
            servers[0].kill()
            await asyncio.to_thread(servers[0].start)
            await kill_primary(replicas)

        await followed(servers, "short", 2_000, faults)
    await asyncio.to_thread(replicas.settle)


@pytest.mark.faults
@pytest.mark.timeout(3600)
async def test_a_back_end_misses_none_of_very_many_events(
    replicas: ReplicaSet, directory: Path
) -> None:
    schedule = random.Random(SEED)
    print(f"seed {SEED}")
    async with serving(replicas, directory) as servers:

        async def faults() -> None:
            for number in range(6):
                await asyncio.sleep(schedule.uniform(2, 8))
                server = servers[number % 2]
                server.kill()
                await asyncio.to_thread(server.start)
                if number % 2:
                    await kill_primary(replicas)
                else:
                    await asyncio.to_thread(replicas.step_down)
                await asyncio.to_thread(replicas.settle)

        await followed(servers, f"long{SEED}", EVENTS, faults)
