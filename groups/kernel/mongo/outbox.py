"""The outbox: one document of events for each transaction, and its tail, by which every process hears them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.events import Event, read_event
from groups.kernel.mongo.driver import Collection, Document, Index
from groups.kernel.mongo.error_classes import is_outage

OUTBOX_SECONDS: Final = 3600
"""How long an event stays in the outbox: a process cut off for longer tells its sockets to resync."""
OUTBOX: Final = "events"
OUTBOX_INDEX: Final = Index(
    OUTBOX, [("at", 1)], "the TTL that clears the outbox", expire_after_seconds=OUTBOX_SECONDS
)
_AT_ONCE_MS: Final = 1
_PATIENT_MS: Final = 1_000
# The history is gone, the token is no longer found, or the whole database was dropped under the tail.
_LOST: Final = frozenset({222, 260, 280, 286})
_CURSOR_OVERTAKEN: Final = 136
"""The history was cut off behind the open cursor. Whether the token is still in it, the next stream says."""


async def tail(
    outbox: Collection, *, ready: asyncio.Event, after_loss: bool
) -> AsyncIterator[list[Event] | None]:
    """The events that any process commits from now on, in commit order, one transaction's at a time.

    Survives elections and restarts of the database by its resume token; where the history is gone, yields None
    once (listeners must resync) and goes on from the present; `after_loss` has it begin so. `ready` is set when
    the tail is in place.
    """
    token: Document | None = None
    while True:
        # The first answer comes at once, and its token is where the patient stream goes on: who starts does not wait a
        # second for an event that does not come.
        is_new = token is None
        try:
            async with outbox.watch(
                [{"$match": {"operationType": "insert"}}],
                resume_after=token,
                max_await_time_ms=_AT_ONCE_MS if is_new else _PATIENT_MS,
            ) as stream:
                while stream.alive:
                    change = await stream.try_next()
                    # The first answer means that the server has the stream open, whatever it held.
                    ready.set()
                    token = stream.resume_token
                    if after_loss:
                        # Only now: what is committed while they resync will be heard.
                        after_loss = False
                        yield None
                    if change is not None:
                        documents = change["fullDocument"]["events"]
                        events = [read_event(document) for document in documents]
                        yield [event for event in events if event is not None]
                    if is_new and token is not None:
                        break
        except OperationFailure as error:
            if error.code in _LOST:
                token = None
                after_loss = True
            elif error.code != _CURSOR_OVERTAKEN and not is_outage(error):
                raise
            await asyncio.sleep(0.1)
        except PyMongoError:
            await asyncio.sleep(0.1)
