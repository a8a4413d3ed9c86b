"""The event log in the database: positions of the outbox's documents, and the rows of the log's consumers.

A document of the outbox is stored with the field `stored`, a time that the database sets, each time a later one. Of two
transactions that write the same document, the later one sees what the earlier one committed, so its outbox document is
inserted later. So whoever takes the oldest documents without a position, of one snapshot, and gives them the next
positions, never gives an event a lower position than one that came before it in its stream.

Such a document has no `at`, so the TTL leaves it alone. The transaction that gives it a `position` removes `stored`,
and sets `at` unless its counts still wait. Then the transaction that counts them sets it
(`groups.kernel.mongo.uncounted`). Whichever comes last, `at` is the time at which the position was given. So events
expire in the order of the log, and a reader who finds that the next position exists has lost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne

from groups.kernel.event_log.models import (
    LAST,
    LogEntry,
    LogPage,
    LogPosition,
    Subject,
    end_of,
)
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import AS_BYTES, ONE_REPLY, Collection, Document, Index
from groups.kernel.mongo.outbox import OUTBOX, Committed, Wants
from groups.kernel.mongo.transactions import Tx
from groups.kernel.mongo.uncounted import SEQUENCED_AT

CONSUMERS: Final = "consumers"
SEQUENCER: Final = "log"
"""The row of the sequencer: its position is the last one that was given."""
_IS_STORED: Final[Document] = {"stored": {"$exists": True}}
HAS_POSITION: Final[Document] = {"position": {"$exists": True}}
LOG_INDEXES: Final = (
    Index(OUTBOX, [("stored", 1)], "events without a position, in order", partial=_IS_STORED),
    Index(
        OUTBOX,
        [("position", 1)],
        "the log from a position on",
        # Not `unique`, which a collection that is sharded by `_id` refuses. The sequencer's row keeps them unique.
        partial=HAS_POSITION,
    ),
    Index(CONSUMERS, [], "read by name"),
)
MOST_SEQUENCED: Final = 500
"""Transactions that one transaction of the sequencer gives positions."""
MOST_READ: Final = 200
"""Transactions that a page of the log covers at most."""
MOST_EVENTS: Final = 1_000
"""Wanted events after which a page takes no further transaction; one transaction has as many as a batch at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerRow:
    """How far a consumer has come, and the process that works for it until `leased_until`."""

    position: int
    holder: str | None = None
    leased_until: datetime | None = None

    def seconds_left(self, process_id: str, now: datetime) -> float:
        """For how long another process works for the consumer; 0 where this one may."""
        if self.holder in (None, process_id) or self.leased_until is None:
            return 0.0
        return max(0.0, (self.leased_until - now).total_seconds())


class Unsequenced(NamedTuple):
    """Documents without a position: their keys, in order, and since when the first has waited, to the second."""

    keys: list[Any]
    since: datetime | None


class LogStore:
    """Positions and consumers on one database."""

    INDEXES: Final = LOG_INDEXES

    def __init__(self, database: Database) -> None:
        self._outbox: Any = database.collection(OUTBOX)
        self._raw: Collection = self._outbox
        if database.transactional:  # mongomock has no log
            self._raw = self._outbox.with_options(codec_options=AS_BYTES)
        self._consumers = database.collection(CONSUMERS)

    async def find_head(self, tx: Tx | None = None) -> int:
        """The last position that was given; 0 where there is none."""
        row = await self._consumers.find_one({"_id": SEQUENCER}, session=tx and tx.session)
        return row["position"] if row else 0

    async def find_oldest(self) -> int | None:
        """The first position that the log still holds; None where it holds none."""
        # Uses index: position_1 (partial), one key of it.
        row = await self._outbox.find_one(HAS_POSITION, {"position": 1}, sort=[("position", 1)])
        return row["position"] if row else None

    async def find_unsequenced(self, tx: Tx) -> "Unsequenced":
        """The oldest documents without a position, in order."""
        # Uses index: stored_1 (partial)
        cursor = self._outbox.find(
            _IS_STORED,
            {"stored": 1},
            sort=[("stored", 1)],
            limit=MOST_SEQUENCED,
            batch_size=ONE_REPLY,
            session=tx.session,
        )
        rows = await cursor.to_list(None)
        since = rows[0]["stored"].as_datetime() if rows else None
        return Unsequenced([row["_id"] for row in rows], since)

    def give_positions(self, keys: Sequence[Any], first: int, now: datetime, tx: Tx) -> None:
        """Give these documents the positions from `first` on; from now on they expire, once they are counted."""
        is_counted = {"$eq": [{"$type": "$uncounted"}, "missing"]}
        tx.write(
            self._outbox,
            *(
                UpdateOne(
                    {"_id": key},
                    [
                        {
                            "$set": {
                                "position": position,
                                "at": {"$cond": [is_counted, now, "$$REMOVE"]},
                                SEQUENCED_AT: {"$cond": [is_counted, "$$REMOVE", now]},
                            }
                        },
                        {"$unset": "stored"},
                    ],
                )
                for position, key in enumerate(keys, first)
            ),
        )

    async def find_sequencer(self, tx: Tx) -> ConsumerRow | None:
        return await self.find_consumer(SEQUENCER, tx)

    def save_sequencer(self, row: ConsumerRow, tx: Tx) -> None:
        self.save_consumer(SEQUENCER, row, tx)

    async def find_consumer(self, name: str, tx: Tx | None = None) -> ConsumerRow | None:
        """The row of an active consumer."""
        row = await self._consumers.find_one({"_id": name}, session=tx and tx.session)
        if row is None:
            return None
        return ConsumerRow(
            position=row["position"], holder=row["holder"], leased_until=row["leased_until"]
        )

    def save_consumer(self, name: str, row: ConsumerRow, tx: Tx) -> None:
        """Store the row when `tx` commits."""
        fields = {
            "position": row.position,
            "holder": row.holder,
            "leased_until": row.leased_until,
        }
        tx.write(self._consumers, UpdateOne({"_id": name}, {"$set": fields}, upsert=True))

    async def fence(self, consumers: Sequence[str]) -> None:
        """Change the rows of these consumers, so that a transaction that has read one conflicts when it writes it."""
        query: Document = {"_id": {"$in": list(consumers)}}
        await self._consumers.update_many(query, {"$inc": {"fences": 1}})

    async def delete_consumer(self, name: str, tx: Tx) -> None:
        await self._consumers.delete_one({"_id": name}, session=tx.session)

    async def release(self, consumers: Sequence[str], holder: str) -> None:
        """End the leases of a process that stops, the sequencer's too, so that others take over at once."""
        await self._consumers.update_many(
            {"_id": {"$in": [SEQUENCER, *consumers]}, "holder": holder},
            {"$set": {"holder": None, "leased_until": None}},
        )

    async def read_page(
        self,
        after: LogPosition,
        wants: Wants,
        tx: Tx | None = None,
        *,
        most_read: int = MOST_READ,
        most_events: int = MOST_EVENTS,
    ) -> LogPage:
        """The wanted events after a position, of at most `most_read` transactions.

        A page ends inside of a transaction where that has more events than `most_events`, if read without a `tx`; a
        consumer's page always ends between two.
        """
        is_inside = after.place < LAST  # then the rest of that transaction comes first
        first = after.number if is_inside else after.number + 1
        # Uses index: position_1 (partial)
        cursor: Any = self._raw.find(
            {"position": {"$gte": first}},
            {"position": 1, "heads": 1, "events": 1},
            sort=[("position", 1)],
            limit=most_read,
            batch_size=ONE_REPLY,
            session=tx and tx.session,
        )
        rows = await cursor.to_list(None)
        return _page_of(rows, after, wants, most_read, most_events, is_cut_inside=tx is None)

    async def read_about(
        self,
        subject: Subject,
        after: LogPosition,
        wants: Wants,
        *,
        head: int,
        most_looked_at: int,
        most_events: int,
    ) -> LogPage:
        """The wanted events about a subject after a position, of the next `most_looked_at` transactions up to `head`.

        The database looks at the transactions, and returns those that have an event about the subject. The page ends
        after all that it looked at, unless it is full before.
        """
        is_inside = after.place < LAST
        first = after.number if is_inside else after.number + 1
        last = min(head, first + most_looked_at - 1)
        # Uses index: position_1 (partial)
        cursor: Any = self._raw.find(
            {
                "position": {"$gte": first, "$lte": last},
                "$or": [
                    {f"events.{field}": {"$in": list(subject.values)}} for field in subject.fields
                ],
            },
            {"position": 1, "heads": 1, "events": 1},
            sort=[("position", 1)],
            limit=MOST_READ,
            batch_size=ONE_REPLY,
        )
        rows = await cursor.to_list(None)
        page = _page_of(rows, after, wants, MOST_READ, most_events, is_cut_inside=True)
        if page.is_full:
            return replace(page, lost=0)
        return LogPage(
            entries=page.entries, end=max(after, end_of(last)), lost=0, is_full=last < head
        )


def _page_of(
    rows: Sequence[Any],
    after: LogPosition,
    wants: Wants,
    most_read: int,
    most_events: int,
    *,
    is_cut_inside: bool,
) -> LogPage:
    entries: list[LogEntry] = []
    end, lost, count = after, 0, 0
    expected = after.number if after.place < LAST else after.number + 1
    for row in rows:
        number: int = row["position"]
        lost += number - expected
        expected = number + 1
        for index, event in Committed(row).indexed_events(wants):
            position = LogPosition(number, index)
            if position <= after:
                continue
            if is_cut_inside and len(entries) >= most_events:
                return LogPage(entries=entries, end=entries[-1].position, lost=lost, is_full=True)
            entries.append(LogEntry(position, event))
        end = end_of(number)
        count += 1
        if len(entries) >= most_events:
            break
    is_full = count < len(rows) or len(rows) == most_read
    return LogPage(entries=entries, end=end, lost=lost, is_full=is_full)
