"""Supervises the embedded `mongod`: starts it, restarts it when it dies alone, stops it with the server.

Other commands find it by `running_uri` and `database_uri`.
"""

import asyncio
import logging
import os
import shutil
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from channels.server.data_dir import DirectoryLock, close_to_others, prepare, write_atomically
from channels.server.embedded import process as mongod
from channels.server.embedded.process import find_mongod
from channels.server.open_files import MONGOD_NEEDS, raise_open_files, too_few
from channels.server.settings import Settings, bare_environment
from channels.server.startup import StartupError
from groups.kernel.mongo.replica_set import ReplicaSetFailed, ensure_single_node

_START_SECONDS: Final = 120.0  # it listens only after it has recovered its journal
# Then SIGKILL, which is harmless thanks to the journal: MongoDB 6.0 may hang when it is stopped during its start.
_STOP_SECONDS: Final = 10.0
_RESTARTS: Final = 8  # deaths in a row before giving up
_BACKOFF_SECONDS: Final = 0.1  # before the first restart; doubled for each further one
_BACKOFF_MAX_SECONDS: Final = 5.0
_ROOM_BYTES: Final = 128 * 1024 * 1024
"""A `mongod` ends at once with less free disk space: one file of its journal takes 100 MB."""
_STEADY_SECONDS: Final = 60.0  # alive for this long, earlier deaths no longer count
_LOG_BYTES: Final = 32 * 1024 * 1024  # of the log and of the one before it, each
_LOG_LOOK_SECONDS: Final = 30.0

log = logging.getLogger(__name__)


def db_dir_of(data_dir: Path) -> Path:
    """The directory of MongoDB's files. It is absolute, since running processes are recognised by it."""
    return data_dir.resolve() / "db"


class MongodState(BaseModel):
    """The file `mongod.json` in the data directory, by which other commands find the database.

    It holds the socket's path of the last run; `pid` and `uri` are None while no database runs. Only the server that
    holds the directory's lock writes it.
    """

    model_config = ConfigDict(frozen=True)

    socket_path: Path | None = None
    pid: int | None = None
    uri: str | None = None

    @classmethod
    def read(cls, data_dir: Path) -> Self:
        """The file's content. A missing or damaged file counts as empty, since all of it can be found again."""
        try:
            return cls.model_validate_json((data_dir / "mongod.json").read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, data_dir: Path) -> None:
        write_atomically(data_dir / "mongod.json", self.model_dump_json())


def running_uri(data_dir: Path) -> str | None:
    """The connection string of the database that runs on the directory now, or None."""
    state = MongodState.read(data_dir)
    if state.pid is None or not mongod.is_mongod_of(state.pid, db_dir_of(data_dir)):
        return None
    return state.uri


class _NotStarted(Exception):
    """The process ended, or did not listen in time."""


class EmbeddedMongo:
    """One `mongod` on one data directory. Call `start` and `stop` once each, on one event loop.

    Start it from a thread that lives as long as the server: on Linux the database ends with that thread.

    `on_lost` is called once, on the loop, when the database died and could not be restarted; `is_lost` stays True. The
    server should then end with an error.
    """

    def __init__(
        self, data_dir: Path, cache_gb: float = 0.5, *, on_lost: Callable[[], None] | None = None
    ) -> None:
        self._data_dir = data_dir.expanduser().resolve()
        self._db_dir = db_dir_of(self._data_dir)
        self._log_path = self._data_dir / "mongod.log"
        self._cache_gb = cache_gb
        self._on_lost = on_lost
        self.is_lost = False
        self._lock: DirectoryLock | None = None
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._socket_path: Path | None = None

    @property
    def uri(self) -> str:
        """The connection string. It stays the same from start to stop, also after a restart."""
        if self._socket_path is None:
            raise RuntimeError("the embedded database is not started")
        return mongod.uri_of(self._socket_path)

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the database and wait until it is a writable primary.

        A `mongod` that a killed server left on the directory is ended first. What other users may read of the directory
        is closed to them.
        """
        binary = find_mongod()
        prepare(self._data_dir)
        self._lock = DirectoryLock.acquire(self._data_dir)
        try:
            self._db_dir.mkdir(mode=0o700, exist_ok=True)
            close_to_others(self._data_dir)
            if (allowed := raise_open_files()) < MONGOD_NEEDS:
                log.warning("%s", too_few(allowed, MONGOD_NEEDS))
            await self._end_orphans()
            self._rotate_log()
            await self._start_process(binary)
        except OSError as error:
            await self._release()
            raise StartupError(f"The embedded database cannot start: {error}.") from error
        except BaseException:
            await self._release()
            raise
        self._watcher = asyncio.create_task(self._watch(binary), name="embedded-mongod")
        self._watcher.add_done_callback(self._watch_ended)

    async def stop(self) -> None:
        """Stop the database, by force if needed, and release the directory. Idempotent."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])  # its errors have been logged already
            self._watcher = None
        await self._release()

    async def _release(self) -> None:
        try:
            await self._end_process()
            if self._lock is not None and self._socket_path is not None:
                # On a full disk the old file stays. It names a process that has ended, which every reader checks.
                with suppress(OSError):
                    MongodState(socket_path=self._socket_path).write(self._data_dir)
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    async def _end_orphans(self) -> None:
        # Both are needed: our file is written after a complete start only, and mongod empties its own before it ends.
        for pid in {MongodState.read(self._data_dir).pid, mongod.pid_in_lock(self._db_dir)}:
            if pid is not None and await asyncio.to_thread(
                mongod.stop_orphan, self._db_dir, pid, within_seconds=_STOP_SECONDS
            ):
                log.warning("Ended the mongod (process %d) that an earlier server left behind", pid)

    async def _start_process(self, binary: Path) -> None:
        last = MongodState.read(self._data_dir).socket_path
        self._socket_path = mongod.socket_path_in(self._db_dir, last)
        try:
            await self._spawn(binary, self._socket_path)
        except _NotStarted as error:
            raise StartupError(
                f"The embedded database did not start: {error}\n{mongod.last_errors(self._log_path)}".rstrip(),
                cure=f"Its log: {self._log_path}",
            ) from error

    async def _spawn(self, binary: Path, socket_path: Path) -> None:
        with self._open_log() as output:
            self._process = await asyncio.create_subprocess_exec(
                *mongod.command_line(
                    binary,
                    self._db_dir,
                    self._log_path,
                    listen=mongod.on_socket(socket_path),
                    cache_gb=self._cache_gb,
                ),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=output,  # errors of the dynamic linker come before there is a log
                cwd=self._data_dir,
                env=bare_environment(),
                start_new_session=True,
            )
        await self._until_it_listens(self._process, socket_path)
        try:
            await ensure_single_node(str(socket_path), name=mongod.REPLICA_SET)
        except ReplicaSetFailed as error:
            raise _NotStarted(f"{error}.") from error
        MongodState(
            socket_path=socket_path, pid=self._process.pid, uri=mongod.uri_of(socket_path)
        ).write(self._data_dir)

    async def _until_it_listens(self, process: Process, socket_path: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while process.returncode is None:
            if mongod.accepts_connections(socket_path):
                return
            if time.monotonic() > deadline:
                raise _NotStarted(f"it did not listen within {_START_SECONDS:.0f} s.")
            await asyncio.sleep(0.02)
        raise _NotStarted(f"it exited with code {process.returncode}.")

    async def _watch(self, binary: Path) -> None:
        deaths = 0
        while True:
            since = time.monotonic()
            exit_code = await self._until_it_ends()
            if time.monotonic() - since > _STEADY_SECONDS:
                deaths = 0
            log.error("The embedded mongod ended unexpectedly (code %s); restarting it", exit_code)
            while True:
                if self._has_room():
                    deaths += 1
                    if deaths > _RESTARTS:
                        self._lose()
                        return
                    pause = min(_BACKOFF_MAX_SECONDS, _BACKOFF_SECONDS * 2.0 ** (deaths - 1))
                else:
                    # Keeps trying: the service returns as soon as there is space.
                    log.error("The disk of %s is full; free some space", self._db_dir)
                    pause = _BACKOFF_MAX_SECONDS
                await asyncio.sleep(pause)
                if await self._restarted(binary):
                    break

    def _has_room(self) -> bool:
        try:
            return shutil.disk_usage(self._db_dir).free >= _ROOM_BYTES
        except OSError:
            return True  # the disk is not the reason

    async def _until_it_ends(self) -> int | None:
        process = self._process
        if process is None:
            return None
        while True:
            try:
                return await asyncio.wait_for(process.wait(), _LOG_LOOK_SECONDS)
            except TimeoutError:
                self._bound_log(process)

    async def _restarted(self, binary: Path) -> bool:
        if self._socket_path is None:
            return False
        try:
            # Always the same socket, since every client holds the connection string.
            await self._spawn(binary, self._socket_path)
        except (_NotStarted, OSError) as error:
            reasons = mongod.last_errors(self._log_path)
            log.error("The embedded mongod did not restart: %s\n%s", error, reasons)
            await self._end_process()
            return False
        log.warning("The embedded mongod is running again, with all acknowledged writes")
        return True

    def _watch_ended(self, watcher: asyncio.Task[None]) -> None:
        # After an unexpected error nothing watches the database, which is as bad as losing it.
        if not watcher.cancelled() and (error := watcher.exception()) is not None:
            self._lose(error)

    def _lose(self, error: BaseException | None = None) -> None:
        log.critical(
            "The embedded mongod cannot be kept running (%d restarts were tried at most); giving up. Its log: %s",
            _RESTARTS,
            self._log_path,
            exc_info=error,
        )
        self.is_lost = True
        if self._on_lost is not None:
            self._on_lost()

    async def _end_process(self) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            log.warning("The embedded mongod did not stop in %.0f s; killed", _STOP_SECONDS)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _open_log(self) -> BinaryIO:
        return open(self._log_path, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))

    def _rotate_log(self) -> None:
        # One file for this run and one for the run before, to see why it ended.
        with suppress(FileNotFoundError):
            os.replace(self._log_path, self._log_path.with_suffix(".log.1"))

    def _bound_log(self, process: Process) -> None:
        with suppress(OSError):
            if self._log_path.stat().st_size > _LOG_BYTES:
                self._rotate_log()
                process.send_signal(signal.SIGUSR1)  # "reopen": it continues in a new file


@asynccontextmanager
async def database_uri(settings: Settings) -> AsyncIterator[str]:
    """The connection string of the deployment's database, valid until the body ends.

    It is the given MongoDB, or the embedded one of a server that runs on the data directory. When none runs, one is
    started, and stopped afterwards.
    """
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri
        return
    running = running_uri(settings.data_dir)
    if running is not None:
        yield running
        return
    mongo = EmbeddedMongo(settings.data_dir, settings.embedded_cache_gb)
    await mongo.start()
    try:
        yield mongo.uri
    finally:
        await mongo.stop()
