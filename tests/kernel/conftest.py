"""Connections for the tests of the kernel."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest

from groups.kernel.mongo import Database
from tests.builders import connections

Connect = Callable[[], Awaitable[Database]]


@pytest.fixture
async def connect(mongod_uri: str) -> AsyncIterator[Connect]:
    """Opens connections to a new database of a real replica set, since some tests need an empty one."""
    name = f"t{uuid4().hex[:12]}"
    async with connections(mongod_uri, name, ()) as opener:
        yield opener
        await (await opener()).drop()
