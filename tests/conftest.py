"""Fixtures for all tests."""

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol

import pytest
import pytest_asyncio
import uvloop
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from channels.server.open_files import raise_open_files, too_few
from groups.kernel.mongo import Database, Driver
from tests import database_watch
from tests.api import Api, open_api, open_database
from tests.mongod import DRIVER, Mongod, scratch_directory

# Hypothesis searches the same examples each time, so that a run repeats the last one; or with
# `--hypothesis-profile=long` many others each time. There is no deadline: the time of an example shows only how busy
# the machine is.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("suite")

BROWSER: Final = "tests/browser/"
OPEN_FILES: Final = 4_096
"""The limit that the tests and each `mongod` need; many shells, and macOS, have a lower one."""


def pytest_configure(config: pytest.Config) -> None:
    allowed = raise_open_files()
    if allowed < OPEN_FILES:
        raise pytest.UsageError(too_few(allowed, OPEN_FILES))
    database_watch.prepare(config)
    if DRIVER is Driver.PYMONGO:
        # PyMongo leaves a socket whose connection was refused to the garbage collector.
        refused = r"ignore:unclosed <socket\.socket.*laddr=\('0\.0\.0\.0', 0\):ResourceWarning"
        config.addinivalue_line("filterwarnings", refused)


class _Scheduling(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """A file to a worker, as `--dist=loadfile` does; all files of tests/browser to the same one.

    Three browsers at once would take two cores from all that waits for a time.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Schedule a run of the whole suite; where folders or files are named, xdist does it."""
    is_whole = config.args == config.getini("testpaths")
    return _Scheduling(config, log) if is_whole and config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Leave out of every collection of garbage what lives until the end: the modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the event loop of `channels serve`, which is faster than asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}


class OpenApi(Protocol):
    """Starts a server, which stops when the test ends."""

    async def __call__(self, *, database: Database = ..., **options: Any) -> Api:
        """Start a server on the test's database, or on another one; the options are those of `open_api`."""
        ...


@pytest.fixture(scope="session")
def mongod_uri(request: pytest.FixtureRequest) -> Iterator[str]:
    """A real replica set for all tests of this worker; each test opens a database of its own in it.

    `CHANNELS_TEST_MONGODB_URI` names another one to use instead.
    """
    given = os.environ.get("CHANNELS_TEST_MONGODB_URI")
    if given:
        yield given
        return
    directory = scratch_directory()
    mongod = Mongod(directory)
    try:
        with database_watch.ends_the_run_without(mongod.start(), request.config):
            yield mongod.uri
    finally:
        mongod.kill()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def database(mongod_uri: str) -> AsyncIterator[Database]:
    """A fresh, empty database on the real replica set."""
    async with open_database(mongod_uri) as database:
        yield database


@pytest.fixture
async def connections(database: Database) -> AsyncIterator[list[Database]]:
    """Further connections, closed after the servers that use them.

    A connection that is closed before its server leaves a transaction open, and dropping the database waits for it.
    """
    opened: list[Database] = []
    yield opened
    for connection in opened:
        await connection.close()


@pytest.fixture
async def second_database(
    mongod_uri: str, database: Database, connections: list[Database]
) -> Database:
    """A second process's connection to the same database."""
    name = database.collection("any").database.name
    connections.append(await Database.connect(mongod_uri, name, driver=DRIVER))
    return connections[-1]


@pytest.fixture
async def api(database: Database, connections: list[Database]) -> AsyncIterator[OpenApi]:
    """Starts servers. `api(channels=2)` sets that limit; a second server shares the database with the first."""
    async with AsyncExitStack() as stack:

        async def start(*, database: Database = database, **options: Any) -> Api:
            return await stack.enter_async_context(open_api(database, **options))

        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(mongod_uri: str) -> AsyncIterator[Api]:
    """One server for a whole module. Its tests use `loop_scope="module"`, and ids of their own."""
    async with open_database(mongod_uri) as database, open_api(database) as api:
        yield api
