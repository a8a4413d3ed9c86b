"""Connections for the tests of the kernel."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from groups.kernel.mongo import Database
from tests.builders import real_databases

Connect = Callable[[], Awaitable[Database]]


@pytest.fixture
async def connect(mongod_uri: str) -> AsyncIterator[Connect]:
    """Opens connections to one fresh database of a real replica set."""
    async with real_databases(mongod_uri) as opener:
        yield opener
