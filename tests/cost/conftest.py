"""One server whose database tells what each operation cost it, shared by the tests of a module."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest_asyncio

from tests.api import Api, MovedClock, open_api
from tests.builders import probed_database
from tests.probes import WorkProbe


@dataclass(frozen=True, slots=True)
class Watched:
    """A server, and what its database says of it."""

    api: Api
    probe: WorkProbe


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(mongod_uri: str) -> AsyncIterator[Watched]:
    """The whole application on a database of its own, watched from its first command on."""
    name = f"t{uuid4().hex[:12]}"
    probe = WorkProbe(mongod_uri, name)
    database = probed_database(mongod_uri, name, probe)
    await probe.start()
    try:
        # What a day begins with examines other documents than what it goes on with.
        async with open_api(database, clock=MovedClock.from_noon()) as api:
            yield Watched(api, probe)
    finally:
        await probe.stop()
        await database.drop()
        database.close()
