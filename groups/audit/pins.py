"""Checks of stored pins: a stream lists exactly the messages that are marked as pinned, and no more than its limit."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from groups.audit.joins import merged, union, with_disbanded_streams
from groups.audit.store.streams import StreamAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.limits import GroupLimits


def checks(database: Database, limits: GroupLimits) -> list[Check]:
    """The check of pins."""
    audit = _Audit(database, StreamAuditStore(database), limits.pinned_messages)
    return [
        Check(
            "P3",
            "each stream lists its pinned messages, as many as it may have",
            "pinned messages",
            lambda snapshot: snapshot.count("messages", [_PINNED]),
            audit.pins,
        )
    ]


_PINNED = {"$match": {"pinned_at": {"$type": "date"}}}


@dataclass(frozen=True, slots=True)
class _Audit:
    database: Database
    store: StreamAuditStore
    limit: int

    async def pins(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Lists and marks agree and keep to the limit; the rest of disbanded groups is passed over."""
        rows = snapshot.rows(
            "streams",
            [
                {"$match": {"pins.0": {"$exists": True}}},
                {"$project": {"pins": 1}},
                union(
                    "messages",
                    _PINNED,
                    {"$group": {"_id": "$stream_id", "pinned": {"$push": "$seq"}}},
                ),
                with_disbanded_streams(),
                merged("pins", "pinned", "disbanded"),
                {"$match": {"disbanded": None}},
                {
                    "$project": {
                        "pins": {"$ifNull": ["$pins", []]},
                        "pinned": {"$ifNull": ["$pinned", []]},
                    }
                },
                {
                    "$match": {
                        "$expr": {
                            "$or": [
                                {"$not": [{"$setEquals": ["$pins", "$pinned"]}]},
                                {"$ne": [{"$size": "$pins"}, {"$size": "$pinned"}]},
                                {"$gt": [{"$size": "$pins"}, self.limit]},
                            ]
                        }
                    }
                },
            ],
        )
        async for row in rows:
            subject, pins, pinned = f"stream {row['_id']}", row["pins"], row["pinned"]
            if sorted(pins) != sorted(pinned):
                problem = f"lists the pins {sorted(pins)}, pinned are {sorted(pinned)}"
                yield Finding("P3", subject, problem, self._repair_list(row["_id"]))
            if len(pinned) > self.limit:
                problem = f"has {len(pinned)} pinned messages, its limit is {self.limit}"
                yield Finding("P3", subject, problem)

    def _repair_list(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            changed = await self.store.rewrite_pins(stream_id, tx)
            return None if changed is None else f"had the stream list {changed}"

        return lambda: self.database.run(work)
