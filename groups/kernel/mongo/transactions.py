"""One transaction, once: begun on a session of the driver, and committed for certain or aborted for certain."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from groups.kernel.errors import Unavailable
from groups.kernel.events import Event
from groups.kernel.mongo.error_classes import INTERRUPTED, PATIENCE_SECONDS


@dataclass(slots=True)
class Tx:
    """A transaction under way: its session for the stores, and the events that will be committed with it."""

    session: AsyncIOMotorClientSession | None
    attempt: int = 0
    """0 at first; more when an earlier attempt was rolled back or its fate was unknown."""
    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Announce the event if, and only if, this transaction commits."""
        self.events.append(event)


@asynccontextmanager
async def committed(session: AsyncIOMotorClientSession) -> AsyncIterator[None]:
    """A transaction of the session around the body: committed at its end, aborted where it fails.

    Raises: Unavailable when it is not known in time whether it was committed.
    """
    session.start_transaction(
        read_concern=ReadConcern("snapshot"),
        write_concern=WriteConcern("majority", wtimeout=10_000, j=True),
    )
    try:
        yield
    except BaseException:
        await _abort(session)
        raise
    await _commit(session)


async def _commit(session: AsyncIOMotorClientSession) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            # Maybe committed, as the label says, and as it is when the commit was interrupted. Committing again is
            # safe and settles it.
            is_unknown = error.has_error_label("UnknownTransactionCommitResult")
            if not is_unknown and getattr(error, "code", None) != INTERRUPTED:
                raise
            if time.monotonic() >= deadline:
                raise Unavailable("It is not known whether the change was stored") from error
            await asyncio.sleep(0.05)
        else:
            return


async def _abort(session: AsyncIOMotorClientSession) -> None:
    # Shielded: a cancelled caller must not leave locks behind until the server's timeout.
    if session.delegate.in_transaction:
        await asyncio.shield(session.abort_transaction())
