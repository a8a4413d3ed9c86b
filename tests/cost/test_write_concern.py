"""P1: every write that the driver sends waits for the journals of a majority, whichever call makes it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
import pytest_asyncio
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from groups.kernel.database_options import Driver
from groups.kernel.mongo import Database, connection
from groups.kernel.mongo.driver import Client, create_client
from tests.api import MovedClock, open_api
from tests.cost.test_query_shapes import every_call
from tests.databases import an_empty_database
from tests.mongod import DRIVER

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITES: Final = frozenset(
    {
        *("insert", "update", "delete", "findAndModify", "bulkWrite"),
        *("create", "createIndexes", "dropIndexes", "drop", "dropDatabase", "collMod"),
        "commitTransaction",
    }
)


def weakness(command: Mapping[str, Any]) -> str | None:
    """The reason why this write could be lost after its answer; None: it cannot be, or the command does not write."""
    name = next(iter(command))
    is_writing = name in WRITES or (
        name == "aggregate"
        and any({"$out", "$merge"} & set(stage) for stage in command["pipeline"])
    )
    if not is_writing:
        return None
    concern = command.get("writeConcern")
    if "autocommit" in command and name != "commitTransaction":
        # The concern of its commit counts; MongoDB refuses one on the write itself.
        return None if concern is None else f"{name} in a transaction: {concern}"
    if concern is None or concern.get("w") != "majority" or concern.get("j") is False:
        return f"{name} of {command[name]}: {concern}"
    return None


class Writes(CommandListener):
    """Records each write, and its weakness."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.weak: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        self.made |= {event.command_name} & WRITES
        self.weak |= {found} if (found := weakness(event.command)) else set()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Ignored: a command counts when it is sent."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Ignored: a command counts when it is sent."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def writes(mongod_uri: str) -> AsyncIterator[Writes]:
    """All writes of the application, connected as `channels serve` connects, from its start to its stop."""
    recorded = Writes()

    def client(driver: Driver, uri: str, **options: Any) -> Client:
        options["event_listeners"] = [*options.get("event_listeners", ()), recorded]
        return create_client(driver, uri, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "create_client", client)
        async with an_empty_database(mongod_uri) as name:
            database = await Database.connect(mongod_uri, name, driver=DRIVER)
            try:
                await database.ping()
                async with open_api(database, clock=MovedClock.from_noon()) as api:
                    await every_call(api)
                yield recorded
            finally:
                await database.close()


async def test_every_call_writes_for_a_majority(writes: Writes) -> None:
    assert writes.weak == set()
    assert {"insert", "update", "delete", "findAndModify", "commitTransaction"} <= writes.made


@pytest.mark.parametrize(
    ("concern", "is_weak"),
    [
        (None, True),
        ({"w": 1}, True),
        ({"w": 0}, True),
        ({"w": 1, "j": True}, True),
        ({"w": "majority", "j": False}, True),
        ({"w": "majority"}, False),
        ({"w": "majority", "j": True, "wtimeout": 10_000}, False),
    ],
)
async def test_weak_writes_are_found(concern: dict[str, Any] | None, *, is_weak: bool) -> None:
    more = {} if concern is None else {"writeConcern": concern}
    for command in (
        {"insert": "messages"},
        {"findAndModify": "streams"},
        {"commitTransaction": 1, "autocommit": False},
        {"aggregate": "days", "pipeline": [{"$merge": "insights"}]},
    ):
        assert (weakness({**command, **more}) is not None) is is_weak
    assert weakness({"find": "messages", **more}) is None
    assert weakness({"insert": "messages", "autocommit": False}) is None
