"""Worlds for the tests of conversations."""

from collections.abc import AsyncIterator

import pytest

from tests.conversations.world import World, mock_database, real_database
from tests.databases import an_empty_database
from tests.probes import CommandProbe


@pytest.fixture
def world() -> World:
    """On a database in memory."""
    return World(mock_database())


@pytest.fixture
def probe() -> CommandProbe:
    """Hears what the real world sends to its database."""
    return CommandProbe()


@pytest.fixture
async def real_world(mongod_uri: str, probe: CommandProbe) -> AsyncIterator[World]:
    """On a real replica set, with transactions."""
    async with an_empty_database(mongod_uri) as name:
        database = await real_database(mongod_uri, name, probe)
        world = World(database)
        try:
            yield world
        finally:
            await world.mine.close()
            await world.chat.close()
            await database.close()
