"""The embedded database as its users meet it: real processes, really killed."""

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.write_concern import WriteConcern

from channels.server.embedded import (
    EmbeddedMongo,
    database_uri,
    find_mongod,
    load_or_create_secret,
    process,
    running_uri,
    supervisor,
)
from channels.server.settings import Settings
from channels.server.startup import StartupError
from groups.kernel.mongo.replica_set import ReplicaSetFailed, ensure_single_node

Document = dict[str, Any]


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[EmbeddedMongo]:
    mongo = EmbeddedMongo(data_dir, 0.25)
    await mongo.start()
    try:
        yield mongo
    finally:
        await mongo.stop()


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[AsyncIOMotorClient[Document]]:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri)
    try:
        yield client
    finally:
        client.close()


async def store(uri: str, key: str) -> None:
    async with connected(uri) as client:
        things = client.test.get_collection("things", write_concern=WriteConcern("majority"))
        await things.insert_one({"_id": key})


async def stored(uri: str) -> set[str]:
    async with connected(uri) as client:
        return {thing["_id"] async for thing in client.test.things.find()}


async def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


async def test_it_offers_transactions_and_change_streams(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as mongo, connected(mongo.uri) as client:
        await client.test.create_collection("things")
        async with client.test.things.watch() as changes:
            async with await client.start_session() as session, session.start_transaction():
                await client.test.things.insert_one({"_id": "a"}, session=session)
            change = await asyncio.wait_for(anext(changes), 10)
        assert change["documentKey"] == {"_id": "a"}


async def test_it_is_reachable_on_loopback_only_and_its_files_by_their_owner_only(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "data") as mongo, connected(mongo.uri) as client:
        options = await client.admin.command("getCmdLineOpts")
        assert options["parsed"]["net"]["bindIp"] == "127.0.0.1"
        assert options["parsed"]["net"]["unixDomainSocket"] == {"enabled": False}
        assert mongo.pid is not None
        # A session of its own: Ctrl-C in the terminal goes to the server alone, which then stops it in order.
        assert os.getsid(mongo.pid) != os.getsid(0)
    for directory in ("data", "data/db"):
        assert stat.S_IMODE((tmp_path / directory).stat().st_mode) == 0o700


async def test_a_stop_ends_the_process_and_a_restart_finds_the_data_on_the_same_port(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as mongo:
        uri, pid = mongo.uri, mongo.pid
        assert pid is not None
        assert running_uri(tmp_path) == uri
        await store(uri, "a")
    assert not lives(pid)
    assert running_uri(tmp_path) is None
    async with running(tmp_path) as mongo:
        assert mongo.uri == uri
        assert await stored(uri) == {"a"}


async def test_a_killed_database_comes_back_with_everything_it_acknowledged(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as mongo:
        uri, first = mongo.uri, mongo.pid
        assert first is not None
        for key in range(50):
            await store(uri, str(key))
        os.kill(first, signal.SIGKILL)
        await until(lambda: running_uri(tmp_path) is not None and mongo.pid not in {None, first})
        assert mongo.uri == uri
        assert await stored(uri) == {str(key) for key in range(50)}
        await store(uri, "after")
        assert not mongo.is_lost


async def test_a_client_that_stays_connected_writes_on_after_the_database_was_killed(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as mongo, connected(mongo.uri) as client:
        await client.test.things.insert_one({"_id": "before"})
        assert mongo.pid is not None
        os.kill(mongo.pid, signal.SIGKILL)
        # One retry is the driver's own; it waits for the new primary, which is what the connection string asks for.
        await client.test.things.insert_one({"_id": "after"})
        assert await stored(mongo.uri) == {"before", "after"}


async def test_a_database_that_will_not_come_back_is_given_up_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = tmp_path / "mongod"
    link.symlink_to(find_mongod())
    monkeypatch.setattr(supervisor, "find_mongod", lambda: link)
    monkeypatch.setattr(supervisor, "_RESTARTS", 2)
    lost = asyncio.Event()
    mongo = EmbeddedMongo(tmp_path / "data", 0.25, on_lost=lost.set)
    await mongo.start()
    try:
        link.unlink()
        assert mongo.pid is not None
        os.kill(mongo.pid, signal.SIGKILL)
        await asyncio.wait_for(lost.wait(), 30)
        assert mongo.is_lost
        assert mongo.pid is None
        assert "giving up" in caplog.text
    finally:
        await mongo.stop()


async def test_while_the_disk_is_full_a_database_that_does_not_come_back_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = tmp_path / "mongod"
    link.symlink_to(find_mongod())
    full = shutil.disk_usage(tmp_path)._replace(free=supervisor._ROOM_BYTES - 1)
    monkeypatch.setattr(supervisor, "find_mongod", lambda: link)
    monkeypatch.setattr(supervisor, "_RESTARTS", 2)
    monkeypatch.setattr(supervisor, "_BACKOFF_MAX_SECONDS", 0.01)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "before")
        link.unlink()
        assert mongo.pid is not None
        os.kill(mongo.pid, signal.SIGKILL)
        await until(lambda: caplog.text.count("is full") > 5)
        assert not mongo.is_lost
        link.symlink_to(find_mongod())
        await until(lambda: running_uri(tmp_path) is not None)
        assert await stored(mongo.uri) == {"before"}


async def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        with pytest.raises(StartupError) as refusal:
            await EmbeddedMongo(tmp_path).start()
        assert str(tmp_path) in str(refusal.value)
        assert f"process {os.getpid()}" in str(refusal.value)
        # The refused one has left the running one alone.
        await store(mongo.uri, "a")
        assert running_uri(tmp_path) == mongo.uri


_SERVER = """
import asyncio, sys
from pathlib import Path
from channels.server.embedded import EmbeddedMongo

async def main():
    mongo = EmbeddedMongo(Path(sys.argv[1]), 0.25)
    await mongo.start()
    print(mongo.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
async def test_a_killed_server_takes_its_database_along_and_frees_the_directory(
    tmp_path: Path,
) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with server:
        assert server.stdout is not None
        pid = int(await asyncio.to_thread(server.stdout.readline))
        uri = running_uri(tmp_path)
        assert uri is not None
        await store(uri, "a")
        server.kill()
    # Started at once, while the old database may still be on its way out.
    async with running(tmp_path) as mongo:
        assert not lives(pid)
        assert mongo.uri == uri
        assert await stored(uri) == {"a"}


# Its first thread ends at once, and with it what tells its arguments; its port is let go a moment later.
_ENDING_MONGOD = """
import ctypes, os, socket, sys, threading, time

ctypes.CDLL(None).prctl(15, b"mongod", 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))

def linger():
    sys.stdin.readline()
    time.sleep(0.3)
    os._exit(0)

threading.Thread(target=linger).start()
print(listener.getsockname()[1], flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux ends a process")
async def test_a_database_on_its_way_out_is_waited_for_until_its_port_is_free(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDING_MONGOD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as ending:
        assert ending.stdout is not None
        assert ending.stdin is not None
        port = int(await asyncio.to_thread(ending.stdout.readline))
        await until(lambda: not lives(ending.pid))
        assert not process.is_free(port)
        ending.stdin.close()
        assert process.stop_orphan(tmp_path, ending.pid, within_seconds=10)
        assert process.is_free(port)


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux says which ports it hands out")
def test_the_databases_port_is_none_that_an_outgoing_connection_is_given() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    first, last = int(given[0]), int(given[1])
    ports = {process.free_port() for _ in range(20)}
    assert all(not first <= port <= last for port in ports)


async def test_a_database_left_behind_is_ended_first(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "a")
    port = process.free_port()
    command = process.command_line(
        find_mongod(), tmp_path / "db", tmp_path / "mongod.log", port=port, cache_gb=0.25
    )
    orphan = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    with orphan:
        # Our own note does not name it: its server was killed before it could write one.
        await until(lambda: process.accepts_connections(port))
        assert process.pid_in_lock(tmp_path / "db") == orphan.pid
        async with running(tmp_path) as mongo:
            assert await asyncio.to_thread(orphan.wait, 10) == 0
            assert await stored(mongo.uri) == {"a"}


async def test_a_process_that_merely_has_the_old_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/mongod.lock").write_text(str(os.getpid()))
    (tmp_path / "mongod.json").write_text(
        json.dumps({"port": process.free_port(), "pid": os.getpid(), "uri": "mongodb://x"})
    )
    assert running_uri(tmp_path) is None
    async with running(tmp_path) as mongo:
        assert mongo.pid != os.getpid()


async def test_a_port_taken_meanwhile_is_replaced_and_the_data_stays(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        first = mongo.uri
        await store(first, "a")
    port = json.loads((tmp_path / "mongod.json").read_text())["port"]
    # It hangs up on everybody. One that stays silent only makes the new start take mongod's own 30 seconds more.
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with squatter, running(tmp_path) as mongo:
        assert mongo.uri != first
        assert await stored(mongo.uri) == {"a"}
        await store(mongo.uri, "b")
        moved = mongo.uri
    async with running(tmp_path) as mongo:
        assert mongo.uri == moved
        assert await stored(mongo.uri) == {"a", "b"}


async def test_a_damaged_note_of_the_last_run_does_not_keep_it_from_starting(
    tmp_path: Path,
) -> None:
    (tmp_path / "mongod.json").write_text('{"port": "no')
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "a")


async def test_a_start_that_fails_says_why_and_frees_the_directory(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/WiredTiger").write_text("not a database")
    (tmp_path / "db/WiredTiger.turtle").write_text("not a database")
    for _ in range(2):  # the second is refused for the same reason, not for a lock left behind
        with pytest.raises(StartupError, match="did not start") as refusal:
            await EmbeddedMongo(tmp_path, 0.25).start()
        assert "mongod.log" in str(refusal.value)
        assert "WiredTiger" in refusal.value.problem


async def test_a_missing_binary_is_told_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(StartupError) as refusal:
        await EmbeddedMongo(tmp_path / "data").start()
    assert "channel-layer[embedded]" in str(refusal.value)
    assert "CHANNELS_MONGODB_URI" in str(refusal.value)
    assert not (tmp_path / "data").exists()


def test_a_mongod_on_the_path_goes_before_the_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "mongod"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod() == binary


async def test_a_log_that_grew_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_LOG_BYTES", 1_000)
    monkeypatch.setattr(supervisor, "_LOG_LOOK_SECONDS", 0.1)
    async with running(tmp_path) as mongo:
        await until((tmp_path / "mongod.log.1").exists)
        await until((tmp_path / "mongod.log").exists)
        await store(mongo.uri, "a")


async def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="cannot be created"):
        await EmbeddedMongo(tmp_path / "file" / "data").start()


async def test_a_stop_without_a_start_is_harmless(tmp_path: Path) -> None:
    await EmbeddedMongo(tmp_path).stop()


async def test_a_replica_set_of_another_name_is_not_touched(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        address = mongo.uri.removeprefix("mongodb://").split("/")[0]
        with pytest.raises(ReplicaSetFailed, match="'channels'"):
            await ensure_single_node(address, name="another")


async def test_a_node_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groups.kernel.mongo.replica_set._READY_SECONDS", 0.1)
    with pytest.raises(ReplicaSetFailed, match="did not become primary"):
        await ensure_single_node(f"127.0.0.1:{process.free_port()}")


async def test_a_command_finds_the_database_running_or_not(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, embedded_cache_gb=0.25, mongodb_uri=None)
    async with running(tmp_path) as mongo, database_uri(settings) as beside:
        assert beside == mongo.uri
        await store(mongo.uri, "a")
    async with database_uri(settings) as started:
        assert await stored(started) == {"a"}
    assert running_uri(tmp_path) is None
    own = Settings(data_dir=tmp_path, mongodb_uri="mongodb://db/?replicaSet=rs")
    async with database_uri(own) as given:
        assert given == own.mongodb_uri


def test_a_secret_is_made_once_even_when_many_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: load_or_create_secret(tmp_path / "data"), range(64)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]
    assert stat.S_IMODE((tmp_path / "data/secret").stat().st_mode) == 0o600


def test_a_secret_open_to_others_is_closed(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path)
    (tmp_path / "secret").chmod(0o644)
    assert load_or_create_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_damaged_secret_is_told_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    with pytest.raises(StartupError, match="damaged"):
        load_or_create_secret(tmp_path)
    assert (tmp_path / "secret").read_text() == "short"
