"""The connection to a replica set: durable writes, and reads that show every acknowledged write after an election too.

A write is acknowledged when a majority has it in its journal. A majority read shows what its member knows to be on a
majority. A member that was just elected has all that was acknowledged, but what it knows of the majority may be as old
as its last restart, until a majority has its own first write: for a moment (seconds, in `tests/faults`) it would show
the past. So each read names the last write before the election (`ReadAfterFailover`), and a member that does not have
it yet makes the read wait. Later that write is past, and no read waits.

What remains: a primary that stood still answers from what it knew until it learns of its successor.
"""

import asyncio
import time
from typing import Any, Final

from bson import ObjectId, Timestamp
from pymongo.errors import PyMongoError
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from pymongo.read_concern import ReadConcern

from groups.kernel.database_options import Driver
from groups.kernel.errors import Unavailable
from groups.kernel.mongo.driver import (
    DatabaseHandle,
    Document,
    close_client,
    create_client,
)

OLDEST_WIRE_VERSION: Final = 17  # how MongoDB 6.0 names itself to drivers
POOL_SIZE: Final = 100  # connections to each member; each takes a file descriptor


class StandaloneServer(Exception):
    """The database is not a replica set, so it has no transactions and no change streams."""


class OldServer(Exception):
    """The database is older than MongoDB 6.0, on which the queries and indexes of the stores rely."""


def app_name_of(database: str) -> str:
    """The name under which MongoDB's own records list the processes of this deployment."""
    return f"channels.{database}"


class PrimaryWatcher(ServerHeartbeatListener):
    """Notes the last write of each new primary, before the driver sends it a command."""

    def __init__(self) -> None:
        self.last_write: Timestamp | None = None
        """The last write that the present primary had when it introduced itself."""
        self._election_id: ObjectId | None = None

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """Read a member's description of itself; the driver calls it in a thread of its own."""
        hello = event.reply
        if not hello.is_writable or hello.election_id in {None, self._election_id}:
            return
        # Its last write, since every acknowledged write is before that. Its clock may be ahead of every write, and the
        # read would wait for the next one.
        last_write = hello.document.get("lastWrite", {}).get("opTime")
        if last_write is not None:
            instant = last_write["ts"]
            # An old primary that does not know its successor yet still names an instant that is past.
            if self.last_write is None or instant > self.last_write:
                self.last_write = instant
                self._election_id = hello.election_id

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing is known yet."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """A member that does not answer is not a primary to send commands to."""


class ReadAfterFailover(ReadConcern):
    """A majority read that shows at least what the primary had when it was elected."""

    def __init__(self, watcher: PrimaryWatcher) -> None:
        super().__init__("majority")
        self._watcher = watcher

    @property
    def document(self) -> dict[str, Any]:
        """The read concern that the driver sends with each read."""
        document = super().document
        if self._watcher.last_write is not None:
            document["afterClusterTime"] = self._watcher.last_write
        return document


async def connect(
    uri: str, name: str, *, driver: Driver, patience_seconds: float
) -> DatabaseHandle:
    """Connect to the database of this name. Raises as `Database.connect` does."""
    watcher = PrimaryWatcher()
    try:
        client = create_client(
            driver,
            uri,
            tz_aware=True,
            w="majority",
            journal=True,
            wTimeoutMS=10_000,
            readConcernLevel="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=20_000,
            maxPoolSize=POOL_SIZE,
            appname=app_name_of(name),
            event_listeners=[watcher],
        )
    except PyMongoError as error:
        raise Unavailable(f"The address of the database cannot be used: {error}") from error
    except ValueError:
        # Without the error's text, which quotes the address and perhaps a password in it.
        raise Unavailable("The address of the database cannot be used") from None
    deadline = time.monotonic() + patience_seconds
    hello: Document | None = None
    while hello is None:
        try:
            hello = await client.admin.command("hello")
        except PyMongoError as error:
            if time.monotonic() >= deadline:
                await close_client(client)
                raise Unavailable(f"The database does not answer: {error}") from error
            await asyncio.sleep(0.2)
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        await close_client(client)
        raise StandaloneServer
    if hello["maxWireVersion"] < OLDEST_WIRE_VERSION:
        await close_client(client)
        raise OldServer
    return client.get_database(name, read_concern=ReadAfterFailover(watcher))
