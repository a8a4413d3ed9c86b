"""Worlds for races, on a real database: mongomock never yields, so no race would ever fail on it."""

from collections.abc import AsyncIterator

import pytest

from tests.builders import OpenWorld, real_worlds


@pytest.fixture
async def open_world(mongod_uri: str) -> AsyncIterator[OpenWorld]:
    """Opens worlds on one empty database of a real replica set, each with a connection of its own."""
    async with real_worlds(mongod_uri) as opener:
        yield opener
