"""Connections for the tests of the kernel."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from groups.kernel.mongo import Database
from tests.builders import connections
from tests.databases import an_empty_database

Connect = Callable[[], Awaitable[Database]]


@pytest.fixture
async def connect(mongod_uri: str) -> AsyncIterator[Connect]:
    """Opens connections to one empty database of a real replica set."""
    async with an_empty_database(mongod_uri) as name, connections(mongod_uri, name) as opener:
        yield opener
