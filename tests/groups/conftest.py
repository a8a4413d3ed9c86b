"""Worlds for the tests of group chat."""

from collections.abc import AsyncIterator

import pytest

from tests.builders import OpenWorld, World, mock_world, real_worlds


@pytest.fixture
def world() -> World:
    """On a database in memory."""
    return mock_world()


@pytest.fixture
async def open_world(mongod_uri: str) -> AsyncIterator[OpenWorld]:
    """Opens worlds on one fresh database of a real replica set, one connection each."""
    async with real_worlds(mongod_uri) as opener:
        yield opener
