"""The outbox: one document of events for each transaction, which every process follows with a change stream.

A document has the events and, beside each, its type and routes (`heads`). A process reads the heads of all events, and
decodes those that somebody there listens to: an event that nobody there needs costs about a microsecond.
Documents of older versions have no heads; all of their events are decoded.
A document may also hold counts, which no process listens to: `uncounted` has them added up.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson import decode
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError

from groups.kernel.events import Event, read_event
from groups.kernel.mongo.driver import (
    AS_BYTES,
    AWARE_INSTANTS,
    Collection,
    Document,
    next_changes,
    result_of,
)
from groups.kernel.mongo.error_classes import is_outage

OUTBOX: Final = "events"
_FIRST_WAIT_MS: Final = 1
_WAIT_MS: Final = 1_000
# The history is gone, the resume token is not found any more, or the whole database was dropped.
_LOST: Final = frozenset({222, 260, 280, 286})
_CURSOR_OVERTAKEN: Final = 136
"""The history was cut off before the open cursor; the next stream shows whether the resume token is still in it."""

Wants = Callable[[str, Sequence[str]], bool]
"""Whether somebody on this process listens to an event of this type with these routes (`Event.routes`)."""


def events_document(
    events: Sequence[Event], *, process_id: str, keys: Sequence[str] = ()
) -> Document:
    """The fields of a document of the outbox that tell the events of one transaction.

    `process_id` is the process that commits it, and `keys` are its lock keys (`groups.kernel.mongo.turns`).
    """
    heads: list[list[str] | None] = []
    for event in events:
        routes = event.routes
        heads.append(None if routes is None else [event.type, *routes])
    stored = [event.model_dump(mode="python") for event in events]
    return {"by": process_id, "keys": list(keys), "heads": heads, "events": stored}


def _everything(_: str, __: Sequence[str]) -> bool:
    return True


@dataclass(slots=True)
class Committed:
    """One committed transaction, as its document in the outbox tells it."""

    document: RawBSONDocument

    @property
    def process_id(self) -> str | None:
        """The process that committed it; None for one of an older version."""
        process_id: str | None = self.document.get("by")
        return process_id

    @property
    def keys(self) -> Sequence[str]:
        """Its lock keys."""
        keys: Sequence[str] = self.document.get("keys") or ()
        return keys

    def events(self, wants: Wants = _everything) -> list[Event]:
        """Its events, in order, except those that nobody wants, and those of types that only newer versions know."""
        return [event for _, event in self.indexed_events(wants)]

    def indexed_events(self, wants: Wants = _everything) -> list[tuple[int, Event]]:
        """The same, each with its place among all events of the transaction."""
        stored: Sequence[RawBSONDocument] = self.document["events"]
        heads: Sequence[Sequence[str] | None] = self.document.get("heads") or ()
        if len(heads) != len(stored):  # written by an older version
            heads = [None] * len(stored)
        events: list[tuple[int, Event]] = []
        opened: set[str] = set()
        for index, (head, raw) in enumerate(zip(heads, stored, strict=True)):
            if head is not None:
                event_type, *routes = head
                if opened.isdisjoint(routes) and not wants(event_type, routes):
                    continue
            event = read_event(decode(raw.raw, AWARE_INSTANTS))
            if event is not None:
                event.identify(f"{self.document['_id']}_{index}")
                events.append((index, event))
                opened.update(event.opens)
        return events


async def _no_pause() -> None:
    pass


async def follow(
    outbox: Collection,
    *,
    ready: asyncio.Event,
    after_loss: bool = False,
    pause: Callable[[], Awaitable[None]] = _no_pause,
) -> AsyncIterator[Committed | None]:
    """Yield the transactions with events that any process commits from now on, in commit order.

    The resume token carries it over elections and restarts of the database. Where the history is gone, it yields None
    once (listeners must resync) and goes on from the present; with `after_loss` it begins so. `ready` is set when no
    later commit can be missed. `pause` is awaited after each answer of the database that brought something.
    """
    raw: Collection = outbox.with_options(codec_options=AS_BYTES)
    token: Mapping[str, Any] | None = None
    while True:
        # The first answer comes at once, and the next stream goes on from its token. So a starting process does not
        # wait a second for an event that does not come.
        is_new = token is None
        try:
            changes = raw.watch(
                [{"$match": {"operationType": "insert"}}],
                resume_after=token,
                max_await_time_ms=_FIRST_WAIT_MS if is_new else _WAIT_MS,
            )
            async with await result_of(changes) as stream:
                while stream.alive:
                    found = await next_changes(stream)
                    # Any answer means that the server has opened the stream.
                    ready.set()
                    token = stream.resume_token
                    if after_loss:
                        # Only now, so that events that are committed during the resync are delivered.
                        after_loss = False
                        yield None
                    for change in found:
                        yield Committed(change["fullDocument"])
                    if is_new and token is not None:
                        break
                    if found:
                        await pause()
        except OperationFailure as error:
            if error.code in _LOST:
                token = None
                after_loss = True
            elif error.code != _CURSOR_OVERTAKEN and not is_outage(error):
                raise
            await asyncio.sleep(0.1)
        except PyMongoError:
            await asyncio.sleep(0.1)
