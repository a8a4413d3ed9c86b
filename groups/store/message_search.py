"""Finds messages in many streams at once, newest first: those with some terms, or all.

Both are merged by the database from the ends of the streams. Each stream costs a look into an index, and each message
found a step in it, however many there are. A command merges at most `STREAMS_A_COMMAND` streams: with more, the
database would sort what it found instead, all of it.

The document `messages` in `search_index` says how far an older deployment's messages are indexed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pymongo import UpdateOne
from pymongo.errors import ExecutionTimeout
from pymongo.results import UpdateResult

from groups.errors import SearchTooSlow
from groups.kernel.clock import instant_of, milliseconds_since_1970
from groups.kernel.ids import StreamId
from groups.kernel.mongo import DESCENDING, Database, Document, Index, Tx, aggregate
from groups.kernel.text.search.terms import Term
from groups.models import Content, FoundPlaces, Place, WantedMessages
from groups.store.messages import search_terms_of

STREAMS_A_COMMAND: Final = 200
"""The database merges as many scans of an index (`internalQueryMaxScansToExplode`)."""
FEW_LOOKED_AT: Final = 500
SEARCH_MILLISECONDS: Final = 2_000
"""After this the database ends a command: far beyond what one takes, unless it is overloaded."""

_BY_TERMS: Final = [("stream_id", 1), ("terms", 1), ("created_at", 1), ("seq", 1)]
_BY_TIME: Final = [("stream_id", 1), ("created_at", 1), ("seq", 1)]
_NEWEST_FIRST: Final = {"created_at": DESCENDING, "seq": DESCENDING}
_PLACE: Final = {"_id": 0, "stream_id": 1, "created_at": 1, "seq": 1}
_STATE: Final = "messages"


class IndexState(NamedTuple):
    """How far the messages of an older deployment are indexed: up to the key `after`, `done` of about `total`."""

    after: str
    done: int
    total: int
    is_complete: bool


class MessageSearchStore:
    """The collections `messages`, for searches, and `search_index`."""

    INDEXES = (
        Index(
            "messages",
            _BY_TERMS,
            "the messages with a term, newest first",
            # Pictures without words, and deleted messages, have none.
            partial={"terms": {"$exists": True}},
        ),
        Index(
            "messages",
            _BY_TIME,
            "the newest messages of many streams",
            partial={"recalled_at": None},
        ),
        Index("search_index", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._messages = database.collection("messages")
        self._state = database.collection("search_index")

    async def find_places(
        self,
        stream_ids: Sequence[StreamId],
        wanted: WantedMessages,
        *,
        after: Place | None,
        floors: Mapping[StreamId, int],
        limit: int,
        most_looked_at: int,
    ) -> FoundPlaces:
        """The newest wanted messages of up to `STREAMS_A_COMMAND` streams behind the place `after`.

        One command finds them, or two where few of the messages with the leading term are wanted. There are `limit` of
        them at least, unless these are all, or as many as `most_looked_at` had to be compared. Messages with a seq up
        to the floor of their stream are left out. Raises: SearchTooSlow.
        """
        match = _match(stream_ids, wanted, after, floors)
        # As many more as can be of one instant and seq. So where the last ones are, whose order the database does not
        # know, is behind what was asked for.
        count = limit + len(stream_ids)
        try:
            if not wanted.is_filtered:
                # Uses index: stream_id_1_terms_1_created_at_1_seq_1 or stream_id_1_created_at_1_seq_1 (covered)
                cursor = self._messages.find(match, _PLACE, hint=_hint(wanted))
                rows = await (
                    cursor.sort(list(_NEWEST_FIRST.items()))
                    .limit(count)
                    .max_time_ms(SEARCH_MILLISECONDS)
                    .to_list(None)
                )
                return _found(rows, rows[-1] if len(rows) == count else None)
            most = max(most_looked_at, 2 * len(stream_ids))
            # First at a few: where the words often stand together, these are enough.
            few = max(FEW_LOOKED_AT, 2 * count)
            found = await self._look_at(match, wanted, min(few, most), count)
            if few < most and len(found.places) < limit and found.end is not None:
                found = await self._look_at(match, wanted, most, count)
            return found
        except ExecutionTimeout as error:
            raise SearchTooSlow from error

    async def _look_at(
        self, match: Document, wanted: WantedMessages, looked_at: int, count: int
    ) -> FoundPlaces:
        """The wanted ones among the newest `looked_at` messages of the match: the first `count` of them."""
        # Uses index: stream_id_1_terms_1_created_at_1_seq_1
        pipeline: list[Document] = [
            {"$match": match},
            {"$sort": _NEWEST_FIRST},
            {"$limit": looked_at},
            *_filtered(wanted, count),
        ]
        rows = await aggregate(
            self._messages, pipeline, hint=dict(_hint(wanted)), maxTimeMS=SEARCH_MILLISECONDS
        )
        if not rows:
            return FoundPlaces([], None)
        [row] = rows
        if len(row["found"]) == count:
            return _found(row["found"], row["found"][-1])
        return _found(row["found"], row["last"] if row["count"] == looked_at else None)

    # --- the index of an older deployment

    async def find_state(self, tx: Tx | None = None) -> IndexState | None:
        """How far indexing is; None: it has not begun."""
        row = await self._state.find_one({"_id": _STATE}, session=tx.session if tx else None)
        return (
            IndexState(row["after"], row["done"], row["total"], row["is_complete"]) if row else None
        )

    async def begin(self) -> None:
        """Store that nothing is indexed yet, unless a state is stored already."""
        total = await self._messages.estimated_document_count()
        first: Document = {"after": "", "done": 0, "total": total, "is_complete": total == 0}
        await self._state.update_one({"_id": _STATE}, {"$setOnInsert": first}, upsert=True)

    async def lease(self, holder: str, seconds: float) -> bool:
        """Lease the work for so long, or prolong the lease; False where another process holds it."""
        wanted: Document = {
            "_id": _STATE,
            "is_complete": False,
            "$or": [
                {"holder": holder},
                {"leased_until": {"$exists": False}},
                {"$expr": {"$lt": ["$leased_until", "$$NOW"]}},
            ],
        }
        until = {"$add": ["$$NOW", round(seconds * 1000)]}
        result: UpdateResult = await self._state.update_one(
            wanted, [{"$set": {"holder": holder, "leased_until": until}}]
        )
        return result.matched_count == 1

    async def index_some(self, holder: str, limit: int, tx: Tx) -> bool:
        """Index the next `limit` messages and store the state, as its holder; returns whether more may follow.

        A message that changes meanwhile conflicts with the transaction.
        """
        state = await self._state.find_one({"_id": _STATE, "holder": holder}, session=tx.session)
        if state is None or state["is_complete"]:
            return False
        cursor = self._messages.find({"_id": {"$gt": state["after"]}}, session=tx.session)
        rows = await cursor.sort("_id", 1).limit(limit).to_list(None)
        self._write_terms([row for row in rows if "terms" not in row], tx)
        values: Document = {
            "after": rows[-1]["_id"] if rows else state["after"],
            "done": state["done"] + len(rows),
            "is_complete": len(rows) < limit,
        }
        await self._state.update_one({"_id": _STATE}, {"$set": values}, session=tx.session)
        return len(rows) == limit

    async def mend_terms(self, message_id: str, stream_id: StreamId, tx: Tx) -> bool:
        """Store the terms of one message as they should be; returns whether they were not."""
        row = await self._messages.find_one(
            {"_id": message_id, "stream_id": stream_id}, session=tx.session
        )
        if row is None or not has_wrong_terms(row):
            return False
        self._write_terms([row], tx)
        return True

    def _write_terms(self, rows: Collection[Document], tx: Tx) -> None:
        for row in rows:
            terms = _right_terms(row)
            change: Document = {"$set": {"terms": terms}} if terms else {"$unset": {"terms": ""}}
            if terms or "terms" in row:
                key = {"_id": row["_id"], "stream_id": row["stream_id"]}
                tx.write(self._messages, UpdateOne(key, change))


def has_wrong_terms(row: Document) -> bool:
    """Whether the terms of a message's document are not those of its texts."""
    terms: list[Term] = row.get("terms", [])
    return _right_terms(row) != terms


def _right_terms(row: Document) -> list[Term]:
    content = row.get("content")
    return search_terms_of(Content.from_stored(content)) if content else []


def _match(
    stream_ids: Sequence[StreamId],
    wanted: WantedMessages,
    after: Place | None,
    floors: Mapping[StreamId, int],
) -> Document:
    """The condition that the index answers. What is excluded is no bound of it, and compared with its entries."""
    match: Document = {"stream_id": {"$in": list(stream_ids)}}
    if wanted.term is not None:
        match["terms"] = wanted.term
    else:
        match["recalled_at"] = None
    until_ms = wanted.until_ms
    excluded: list[Document] = [
        {"stream_id": stream_id, "seq": {"$lte": floors[stream_id]}}
        for stream_id in stream_ids
        if floors.get(stream_id)
    ]
    if after is not None:
        until_ms = after.at_ms if until_ms is None else min(until_ms, after.at_ms)
        at = instant_of(after.at_ms)
        excluded.append({"created_at": at, "seq": {"$gt": after.seq}})
        if after.stream_id:
            same = {"created_at": at, "seq": after.seq, "stream_id": {"$lte": after.stream_id}}
            excluded.append(same)
    bounds: Document = {}
    if wanted.since_ms is not None:
        bounds["$gte"] = instant_of(wanted.since_ms)
    if until_ms is not None:
        bounds["$lte"] = instant_of(until_ms)
    if bounds:
        match["created_at"] = bounds
    if excluded:
        match["$nor"] = excluded
    return match


def _hint(wanted: WantedMessages) -> list[tuple[str, int]]:
    return _BY_TIME if wanted.term is None else _BY_TERMS


def _filtered(wanted: WantedMessages, count: int) -> list[Document]:
    """The stages that make one document of the messages that were looked at."""
    conditions: list[Document] = []
    if wanted.other_terms:
        conditions.append({"$setIsSubset": [list(wanted.other_terms), "$terms"]})
    if wanted.kind is not None:
        conditions.append({"$eq": ["$content.kind", wanted.kind.value]})
    if wanted.sender_id is not None:
        # A literal, since an id may begin with a dollar sign.
        conditions.append({"$eq": ["$sender_id", {"$literal": wanted.sender_id}]})
    place = {"stream_id": "$stream_id", "created_at": "$created_at", "seq": "$seq"}
    return [
        {
            "$group": {
                "_id": None,
                "count": {"$sum": 1},
                "last": {"$last": place},
                "found": {"$push": {"$cond": [{"$and": conditions}, place, "$$REMOVE"]}},
            }
        },
        {"$project": {"count": 1, "last": 1, "found": {"$slice": ["$found", count]}}},
    ]


def _found(rows: Sequence[Document], last: Document | None) -> FoundPlaces:
    """The places of the rows, and the end where it is known up to this last row only.

    Rows of the same instant and seq as the last one are left out: the database returns such rows of several streams in
    any order, so some of them may not be there.
    """
    places = [_to_place(row) for row in rows]
    if last is None:
        return FoundPlaces(sorted(places, key=_order), None)
    end = _to_place(last)._replace(stream_id=StreamId(""))
    places = [place for place in places if place[:2] != end[:2]]
    return FoundPlaces(sorted(places, key=_order), end)


def _order(place: Place) -> tuple[int, int, str]:
    return place.order


def _to_place(row: Document) -> Place:
    created_at: datetime = row["created_at"]
    return Place(milliseconds_since_1970(created_at), row["seq"], row["stream_id"])
