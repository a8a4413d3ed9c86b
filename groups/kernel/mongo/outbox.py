"""The outbox: one document of events for each transaction, which every process follows with a change stream.

A document may also hold counts, which no process listens to: `uncounted` has them added up.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.events import Event, read_event
from groups.kernel.mongo.driver import Collection, Index, result_of
from groups.kernel.mongo.error_classes import is_outage

OUTBOX_SECONDS: Final = 3600
"""How long an event stays in the outbox. The sockets of a process that was cut off for longer must resync."""
OUTBOX: Final = "events"
OUTBOX_INDEX: Final = Index(
    OUTBOX, [("at", 1)], "the TTL that empties the outbox", expire_after_seconds=OUTBOX_SECONDS
)
_FIRST_WAIT_MS: Final = 1
_WAIT_MS: Final = 1_000
# The history is gone, the resume token is not found any more, or the whole database was dropped.
_LOST: Final = frozenset({222, 260, 280, 286})
_CURSOR_OVERTAKEN: Final = 136
"""The history was cut off before the open cursor; the next stream shows whether the resume token is still in it."""


async def follow(
    outbox: Collection, *, ready: asyncio.Event, after_loss: bool = False
) -> AsyncIterator[list[Event] | None]:
    """Yield the events that any process commits from now on, in commit order, one transaction's at a time.

    The resume token carries it over elections and restarts of the database. Where the history is gone, it yields None
    once (listeners must resync) and goes on from the present; with `after_loss` it begins so. `ready` is set when no
    later commit can be missed.
    """
    token: Mapping[str, Any] | None = None
    while True:
        # The first answer comes at once, and the next stream goes on from its token. So a starting process does not
        # wait a second for an event that does not come.
        is_new = token is None
        try:
            changes = outbox.watch(
                [{"$match": {"operationType": "insert"}}],
                resume_after=token,
                max_await_time_ms=_FIRST_WAIT_MS if is_new else _WAIT_MS,
            )
            async with await result_of(changes) as stream:
                while stream.alive:
                    change = await stream.try_next()
                    # Any answer means that the server has opened the stream.
                    ready.set()
                    token = stream.resume_token
                    if after_loss:
                        # Only now, so that events that are committed during the resync are delivered.
                        after_loss = False
                        yield None
                    if change is not None:
                        documents = change["fullDocument"]["events"]
                        events = [read_event(document) for document in documents]
                        if documents:  # some have only counts
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
