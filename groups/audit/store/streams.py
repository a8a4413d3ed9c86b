"""The aggregations over `streams` and `messages` that checks need, and the writes of the repairs."""

from collections.abc import AsyncIterator

from groups.audit.joins import joined, merged, not_of_ended_channel, union, with_disbanded_streams
from groups.kernel.ids import StreamId
from groups.kernel.mongo import DESCENDING, Database, Document, Tx, aggregate
from groups.kernel.mongo.snapshot import Snapshot


class StreamAuditStore:
    """Reads streams and their messages; writes single fields of streams, never messages."""

    def __init__(self, database: Database) -> None:
        self._streams = database.collection("streams")
        self._messages = database.collection("messages")

    @staticmethod
    def inconsistent_streams(snapshot: Snapshot) -> AsyncIterator[Document]:
        """The streams whose head, last message and messages do not agree: a row for each."""
        count = {"$ifNull": ["$messages", 0]}
        ended = {"$ifNull": ["$ended_seq", 0]}
        # Up to `ended`, messages may be missing, since they have ended. Of a stream in which some of those are still
        # there, this finds a row; its reader looks more closely.
        fits = {
            "$and": [
                {"$eq": ["$stream", 1]},
                {"$eq": [{"$subtract": ["$head", ended]}, count]},
                {"$eq": ["$head", {"$ifNull": ["$newest", ended]}]},
                {"$eq": ["$head", {"$ifNull": ["$last", 0]}]},
                {"$or": [{"$eq": [count, 0]}, {"$eq": ["$first", {"$add": [ended, 1]}]}]},
            ]
        }
        return snapshot.rows(
            "streams",
            [
                {
                    "$project": {
                        "stream": {"$literal": 1},
                        "head": "$head_seq",
                        "last": "$last.seq",
                        "ended_seq": 1,
                    }
                },
                union(
                    "messages",
                    # Uses index: stream_id_1_seq_1, or all of the collection: both were measured alike.
                    {
                        "$group": {
                            "_id": "$stream_id",
                            "messages": {"$sum": 1},
                            "first": {"$min": "$seq"},
                            "newest": {"$max": "$seq"},
                        }
                    },
                ),
                with_disbanded_streams(),
                merged(
                    "stream",
                    "head",
                    "last",
                    "ended_seq",
                    "messages",
                    "first",
                    "newest",
                    "disbanded",
                ),
                {"$match": {"disbanded": None, "$expr": {"$not": [fits]}}},
                *not_of_ended_channel("$_id"),
            ],
        )

    @staticmethod
    def inconsistent_versions(snapshot: Snapshot) -> AsyncIterator[Document]:
        """The streams that are behind the versions of their messages, or where messages share one: a row for each."""
        version = {"$ifNull": ["$version", 0]}
        fits = {
            "$and": [
                {"$gte": [version, {"$ifNull": ["$newest", 0]}]},
                {"$eq": ["$changed", "$versions"]},
            ]
        }
        return snapshot.rows(
            "streams",
            [
                {"$project": {"stream": {"$literal": 1}, "version": 1}},
                union(
                    "messages",
                    # Uses index: stream_id_1_changed_version_1 (partial: those that changed)
                    {"$match": {"changed_version": {"$exists": True}}},
                    {
                        "$group": {
                            "_id": {"stream": "$stream_id", "version": "$changed_version"},
                            "changed": {"$sum": 1},
                        }
                    },
                    {
                        "$group": {
                            "_id": "$_id.stream",
                            "newest": {"$max": "$_id.version"},
                            "changed": {"$sum": "$changed"},
                            "versions": {"$sum": 1},
                        }
                    },
                ),
                with_disbanded_streams(),
                merged("stream", "version", "newest", "changed", "versions", "disbanded"),
                {"$match": {"disbanded": None, "stream": 1, "$expr": {"$not": [fits]}}},
                *not_of_ended_channel("$_id"),
            ],
        )

    async def raise_version(self, stream_id: StreamId, tx: Tx) -> int | None:
        """Raise the stream's version to the newest one of its messages; None where it is not behind, or is gone."""
        newest: Document | None = await self._messages.find_one(
            # Uses index: stream_id_1_changed_version_1 (partial: those that changed)
            {"stream_id": stream_id, "changed_version": {"$gt": 0}},
            {"changed_version": 1},
            sort=[("changed_version", DESCENDING)],
            session=tx.session,
        )
        if newest is None:
            return None
        version = int(newest["changed_version"])
        # Devices that ask what changed lately should look at it.
        raised = await self._streams.update_one(
            {"_id": stream_id, "$or": [{"version": {"$lt": version}}, {"version": None}]},
            {"$set": {"version": version}, "$currentDate": {"changed_at": True}},
            session=tx.session,
        )
        return version if raised.matched_count else None

    @staticmethod
    def misfiled_messages(snapshot: Snapshot) -> AsyncIterator[Document]:
        """The messages whose `_id` is not that of their stream and seq, so that a seq may exist twice."""
        key = joined("$stream_id", {"$toString": "$seq"})
        return snapshot.rows(
            "messages",
            [
                {"$match": {"$expr": {"$ne": ["$_id", key]}}},
                {"$project": {"stream_id": 1, "seq": 1}},
            ],
        )

    @staticmethod
    def authors_ahead(snapshot: Snapshot) -> AsyncIterator[Document]:
        """The streams whose newest author has read more than there is: a row for each."""
        return snapshot.rows(
            "streams",
            [
                {"$match": {"$expr": {"$gt": ["$author_seq", "$head_seq"]}}},
                {"$project": {"author_seq": 1, "head_seq": 1}},
            ],
        )

    async def lower_author(self, stream_id: StreamId, newest: int, tx: Tx) -> int | None:
        """Lower the cursor of the newest author to the newest message; None where it is not beyond."""
        lowered = await self._streams.update_one(
            {"_id": stream_id, "author_seq": {"$gt": newest}},
            {"$set": {"author_seq": newest}},
            session=tx.session,
        )
        return newest if lowered.matched_count else None

    @staticmethod
    async def count_up_to(snapshot: Snapshot, stream_id: str, seq: int) -> int:
        """The number of messages that the stream has up to this seq."""
        # Uses index: stream_id_1_seq_1 (covered)
        bounds = {"$gte": 1, "$lte": seq}
        return await snapshot.count(
            "messages", [{"$match": {"stream_id": stream_id, "seq": bounds}}]
        )

    async def find(self, stream_id: StreamId, tx: Tx) -> Document | None:
        return await self._streams.find_one({"_id": stream_id}, session=tx.session)

    async def measure_messages(
        self, stream_id: StreamId, tx: Tx
    ) -> tuple[int, int, Document | None]:
        """The number of the stream's messages, its lowest seq, and the newest message."""
        newest = await self._messages.find_one(
            {"stream_id": stream_id}, sort=[("seq", DESCENDING)], session=tx.session
        )
        rows = await aggregate(
            self._messages,
            [
                {"$match": {"stream_id": stream_id}},
                {"$group": {"_id": None, "n": {"$sum": 1}, "first": {"$min": "$seq"}}},
            ],
            session=tx.session,
        )
        for row in rows:
            return row["n"], row["first"], newest
        return 0, 0, None

    async def put_head(self, stream_id: StreamId, values: Document, tx: Tx) -> None:
        """Set fields of the stream, which is created where it does not exist."""
        await self._streams.update_one(
            {"_id": stream_id}, {"$set": values}, upsert=True, session=tx.session
        )

    async def rewrite_pins(self, stream_id: StreamId, tx: Tx) -> list[int] | None:
        """Write the stream's list of pins anew from its messages; None where it was right, or there is no stream."""
        stream = await self._streams.find_one_and_update(
            # Write before reading: pins that happen meanwhile wait for this transaction.
            {"_id": stream_id},
            {"$inc": {"touched": 1}},
            session=tx.session,
        )
        if stream is None:
            return None
        cursor = self._messages.find(
            {"stream_id": stream_id, "pinned_at": {"$type": "date"}},
            {"_id": 0, "seq": 1},
            session=tx.session,
        ).sort([("pinned_at", 1)])
        pins = [int(row["seq"]) for row in await cursor.to_list(None)]
        if sorted(pins) == sorted(stream.get("pins", [])):
            return None
        await self._streams.update_one(
            {"_id": stream_id}, {"$set": {"pins": pins}}, session=tx.session
        )
        return pins

    async def delete(self, stream_id: StreamId, tx: Tx) -> None:
        await self._streams.delete_one({"_id": stream_id}, session=tx.session)
