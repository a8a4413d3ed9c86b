"""Worlds for the tests of conversations."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.conversations.world import World, mock_database, real_database
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
    database = await real_database(mongod_uri, f"t{uuid4().hex[:12]}", probe)
    world = World(database)
    try:
        yield world
    finally:
        await world.mine.close()
        await world.chat.close()
        await database.drop()
        database.close()
