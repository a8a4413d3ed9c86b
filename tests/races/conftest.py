"""Worlds for races: on a real database only, since mongomock never yields and would pass whatever is broken."""

from collections.abc import AsyncIterator

import pytest

from tests.builders import OpenWorld, real_worlds


@pytest.fixture
async def open_world(mongod_uri: str) -> AsyncIterator[OpenWorld]:
    """Opens worlds on one fresh database of a real replica set, one connection each."""
    async with real_worlds(mongod_uri) as opener:
        yield opener
