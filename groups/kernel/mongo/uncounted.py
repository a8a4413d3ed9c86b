"""Counts that are committed and not added up so far: the documents of the outbox that hold any.

A transaction stores its counts (`Event.is_counted`) in its outbox document, so counting costs it no command. Such a
document has the field `uncounted` and no `at`: an index of the few that wait finds it, and it never expires. The
transaction that adds its counts up swaps the two fields, so each count is added once, whatever crashes.

In order: `uncounted` is a time that the database sets when the document is inserted, each time a later one. Of two
transactions that write the same document, the later one sees what the earlier one committed, so its outbox document is
inserted later, by any process and on any primary. So `take_some`, which takes the oldest of one snapshot, never takes a
count while one that was committed before it on the same document still waits.
"""

from collections.abc import Collection as Kinds
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from bson import Timestamp
from pymongo import DESCENDING

from groups.kernel.events import Event, read_event
from groups.kernel.mongo.driver import ONE_REPLY, Collection, Document, Index
from groups.kernel.mongo.outbox import OUTBOX, events_document
from groups.kernel.mongo.transactions import Tx

_IS_UNCOUNTED: Final[Document] = {"uncounted": {"$exists": True}}
SEQUENCED_AT: Final = "sequenced_at"
"""When a document whose counts still wait got its position: it expires as if it had been counted then."""
_IS_SEQUENCED: Final[Document] = {"$eq": [{"$type": "$stored"}, "missing"]}
UNCOUNTED_INDEX: Final = Index(
    OUTBOX, [("uncounted", 1)], "counts that wait, the oldest first", partial=_IS_UNCOUNTED
)
MOST_DOCUMENTS: Final = 250
"""Documents that one transaction takes at most."""
MOST_COUNTS: Final = 2_500
"""Counts after which a transaction takes no further document; one document has as many as a batch at most."""


def outbox_document(
    events: Sequence[Event],
    counts: Sequence[Event],
    *,
    process_id: str,
    keys: Sequence[str],
) -> Document:
    """The document of a transaction that published these, of this process and on these lock keys."""
    document = events_document(events, process_id=process_id, keys=keys)
    # The database replaces an empty timestamp by its time.
    if events:
        document["stored"] = Timestamp(0, 0)
    if counts:
        document["uncounted"] = Timestamp(0, 0)
        document["counts"] = [count.model_dump(mode="python") for count in counts]
    return document


def waiting_counts(kind: type[Event]) -> list[Document]:
    """The pipeline on the outbox that finds the counts of this kind that wait, in order, for `Snapshot.rows`."""
    return [
        {"$match": _IS_UNCOUNTED},
        {"$sort": {"uncounted": 1}},
        {"$unwind": "$counts"},
        {"$replaceWith": "$counts"},
        {"$match": {"type": _name_of(kind)}},
    ]


StoredTime = Timestamp
"""A time that the database has set."""


class Taken(NamedTuple):
    """Counts that a transaction has taken, in order; `is_full` where more may wait."""

    counts: list[Event]
    is_full: bool
    since: datetime | None
    """Since when the oldest has waited, to the second."""


class UncountedStore:
    """The documents of the outbox whose counts wait."""

    def __init__(self, outbox: Collection) -> None:
        self._outbox = outbox

    async def find_newest(self) -> StoredTime | None:
        """The time of the newest document that waits; None where none does."""
        # Uses index: uncounted_1 (partial), one key of it.
        row = await self._outbox.find_one(
            _IS_UNCOUNTED, {"_id": 0, "uncounted": 1}, sort=[("uncounted", DESCENDING)]
        )
        newest: StoredTime | None = row["uncounted"] if row else None
        return newest

    async def take_some(
        self, kinds: Kinds[type[Event]], upto: StoredTime, now: datetime, tx: Tx
    ) -> Taken:
        """Take the counts of the oldest documents up to this time, which do not wait any more if `tx` commits.

        A document that holds another kind of count is left to a newer version's process.
        """
        names = [_name_of(kind) for kind in kinds]
        # Uses index: uncounted_1 (partial)
        cursor = self._outbox.find(
            {
                "uncounted": {"$exists": True, "$lte": upto},
                "counts": {"$not": {"$elemMatch": {"type": {"$nin": names}}}},
            },
            {"counts": 1, "uncounted": 1},
            sort=[("uncounted", 1)],
            limit=MOST_DOCUMENTS,
            batch_size=ONE_REPLY,
            session=tx.session,
        )
        rows = await cursor.to_list(None)
        keys, counts = [], list[Event]()
        for row in rows:
            keys.append(row["_id"])
            counts += filter(None, map(read_event, row["counts"]))
            if len(counts) >= MOST_COUNTS:
                break
        if keys:
            since = {"$ifNull": [f"${SEQUENCED_AT}", now]}
            # The first write, so that two processes that take the same conflict before they do more.
            await self._outbox.update_many(
                {"_id": {"$in": keys}},
                [
                    {"$set": {"at": {"$cond": [_IS_SEQUENCED, since, "$$REMOVE"]}}},
                    {"$unset": ["uncounted", SEQUENCED_AT]},
                ],
                session=tx.session,
            )
        is_full = len(keys) < len(rows) or len(rows) == MOST_DOCUMENTS
        return Taken(counts, is_full, rows[0]["uncounted"].as_datetime() if rows else None)

    async def discard_some(self, kind: type[Event], match: Document, limit: int, tx: Tx) -> int:
        """Remove the matching counts of up to `limit` documents. Returns how many documents had any.

        A transaction that takes one of them meanwhile conflicts with this one.
        """
        matching: Document = {"type": _name_of(kind), **match}
        # Uses index: uncounted_1 (partial)
        cursor = self._outbox.find(
            {**_IS_UNCOUNTED, "counts": {"$elemMatch": matching}},
            {"_id": 1},
            limit=limit,
            batch_size=ONE_REPLY,
            session=tx.session,
        )
        keys = [row["_id"] for row in await cursor.to_list(None)]
        if keys:
            await self._outbox.update_many(
                {"_id": {"$in": keys}}, {"$pull": {"counts": matching}}, session=tx.session
            )
        return len(keys)


def _name_of(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default)
