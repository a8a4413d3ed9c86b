"""Fixtures that every test may use; nothing else."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol

import pytest
import pytest_asyncio
from hypothesis import settings

from channels.server.open_files import raise_open_files, too_few
from groups.kernel.mongo import Database
from tests import database_watch
from tests.api import Api, open_api, open_database
from tests.mongod import Mongod, scratch_directory

# How Hypothesis searches: the same each time, so that a run says what the last one said; or long, and elsewhere each
# time (`--hypothesis-profile=long`). How fast an example was says how busy the machine is.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("suite")

OPEN_FILES: Final = 4_096
"""Of the tests themselves and of each `mongod`, which inherits the limit; many shells and all of macOS give less."""


def pytest_configure(config: pytest.Config) -> None:
    allowed = raise_open_files()
    if allowed < OPEN_FILES:
        raise pytest.UsageError(too_few(allowed, OPEN_FILES))
    database_watch.prepare(config)


class OpenApi(Protocol):
    """Starts a server; it is stopped when the test ends."""

    async def __call__(self, *, database: Database = ..., **options: Any) -> Api:
        """A server on the test's database, or another; options as `tests.api.open_api` takes them."""
        ...


@pytest.fixture(scope="session")
def mongod_uri(request: pytest.FixtureRequest) -> Iterator[str]:
    """A real replica set for this worker's whole run; a fresh database in it is a test's own business.

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
def connections(database: Database) -> Iterator[list[Database]]:
    """Further connections, closed after the servers that use them.

    Closed under a server, one leaves a transaction open, and dropping the database waits for that.
    """
    opened: list[Database] = []
    yield opened
    for connection in opened:
        connection.close()


@pytest.fixture
async def second_database(
    mongod_uri: str, database: Database, connections: list[Database]
) -> Database:
    """A second process's connection to the same database."""
    name = database.collection("any").database.name
    connections.append(await Database.connect(mongod_uri, name))
    return connections[-1]


@pytest.fixture
async def api(database: Database, connections: list[Database]) -> AsyncIterator[OpenApi]:
    """What starts servers: `channels=2` gives one that limit; a second one shares the database with the first."""
    async with AsyncExitStack() as stack:

        async def start(*, database: Database = database, **options: Any) -> Api:
            return await stack.enter_async_context(open_api(database, **options))

        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(mongod_uri: str) -> AsyncIterator[Api]:
    """One server for a whole module, whose tests never share an id; they say `loop_scope="module"`."""
    async with open_database(mongod_uri) as database, open_api(database) as api:
        yield api
