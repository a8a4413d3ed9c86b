"""Checks of stored streams: dense seqs, a head that is the last message, versions and pins that fit the messages."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from groups.audit.joins import merged, union, with_disbanded_streams
from groups.audit.store.streams import StreamAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import Content, Kind, LastMessage

Row = Mapping[str, Any]


_PINNED = {"$match": {"pinned_at": {"$type": "date"}}}
_CHANGED = {"$match": {"changed_version": {"$exists": True}}}


@dataclass(frozen=True, slots=True)
class StreamAudit:
    """The checks of streams, and their repairs."""

    database: Database
    store: StreamAuditStore
    pin_limit: int

    def of_seqs(self) -> Check:
        """The check of seqs and heads."""
        return Check(
            "P2",
            "each stream has seq 1, 2, 3 … up to its head",
            "messages",
            lambda snapshot: snapshot.count("messages"),
            self.streams,
        )

    def of_pins(self) -> Check:
        """The check of pins."""
        return Check(
            "P3",
            "each stream lists its pinned messages, as many as it may have",
            "pinned messages",
            lambda snapshot: snapshot.count("messages", [_PINNED]),
            self.pins,
        )

    def of_versions(self) -> Check:
        """The check of versions."""
        return Check(
            "P2",
            "each message that changed has a version of its own, up to its stream's",
            "changed messages",
            lambda snapshot: snapshot.count("messages", [_CHANGED]),
            self.versions,
        )

    async def streams(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P2: no hole, no duplicate, a head that is right."""
        async for row in self.store.inconsistent_streams(snapshot):
            async for finding in self._of_stream(row, snapshot):
                yield finding
        async for row in self.store.misfiled_messages(snapshot):
            problem = f"filed as {row['_id']!r}, although it says seq {row.get('seq')}"
            yield Finding("P2", f"stream {row.get('stream_id')}", problem)
        async for row in self.store.authors_ahead(snapshot):
            problem = (
                f"its newest author has read seq {row['author_seq']}, head_seq is {row['head_seq']}"
            )
            yield Finding("P2", f"stream {row['_id']}", problem, self._repair_author(row["_id"]))

    async def _of_stream(self, row: Row, snapshot: Snapshot) -> AsyncIterator[Finding]:
        stream_id, subject = row["_id"], f"stream {row['_id']}"
        count, newest = row["messages"] or 0, row["newest"] or 0
        if row["stream"] is None:
            yield Finding("P2", subject, f"does not exist, and has {count} messages")
            return
        head, ended = row["head"], row["ended_seq"] or 0
        if ended:
            # Those that have ended and are still there are deleted in a while.
            count -= await self.store.count_up_to(snapshot, stream_id, ended)
        newest = max(newest, ended)
        last_seq = max(head, newest)
        if count > newest - ended or (count and row["first"] < 1):
            yield Finding("P2", subject, f"has {count} messages with seqs up to {newest}")
        elif count < last_seq - ended:
            missing = last_seq - ended - count
            hole = await self._first_hole(snapshot, stream_id, ended, last_seq)
            more = f", the first of {missing}" if missing > 1 else ""
            yield Finding("P2", subject, f"seq {hole} is missing{more}")
        # The head is never lowered: one beyond the messages means that messages were lost whose seqs readers have seen.
        repair = self._repair_head(stream_id)
        if head < newest:
            problem = f"head_seq is {head}, the last message is {newest}"
            yield Finding("P2", subject, problem, repair)
        elif (row["last"] or 0) != head:
            problem = f"last.seq is {row['last']}, head_seq is {head}"
            yield Finding("P2", subject, problem, repair if newest == head else None)

    async def _first_hole(
        self, snapshot: Snapshot, stream_id: str, ended: int, last_seq: int
    ) -> int:
        # Binary search: behind what has ended and below the first hole, there are as many messages as seqs.
        dense, holed = ended, last_seq
        before = await self.store.count_up_to(snapshot, stream_id, ended) if ended else 0
        while holed - dense > 1:
            middle = (dense + holed) // 2
            count = await self.store.count_up_to(snapshot, stream_id, middle) - before
            if count == middle - ended:
                dense = middle
            else:
                holed = middle
        return holed

    def _repair_head(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            stream = await self.store.find(stream_id, tx)
            _, _, newest = await self.store.measure_messages(stream_id, tx)
            if stream is None:
                return None
            last = last_in(newest)
            seq = last["seq"] if last else 0
            is_right = stream["head_seq"] == seq == (stream["last"] or {"seq": 0})["seq"]
            if is_right or stream["head_seq"] > seq:
                return None
            await self.store.put_head(stream_id, {"head_seq": seq, "last": last}, tx)
            return f"set head and last message to seq {seq}"

        return lambda: self.database.run(work)

    def _repair_author(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            # The head itself may be behind: then the author is right, and the head's own repair mends both.
            _, _, newest = await self.store.measure_messages(stream_id, tx)
            seq = await self.store.lower_author(stream_id, newest["seq"] if newest else 0, tx)
            return None if seq is None else f"set the author's cursor to seq {seq}"

        return lambda: self.database.run(work)

    async def versions(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P2: readers of changes, who go by version, miss none."""
        async for row in self.store.inconsistent_versions(snapshot):
            subject, version, newest = f"stream {row['_id']}", row["version"] or 0, row["newest"]
            if version < newest:
                problem = f"version is {version}, a message has {newest}"
                yield Finding("P2", subject, problem, self._repair_version(row["_id"]))
            if row["changed"] != row["versions"]:
                problem = f"{row['changed']} changed messages have {row['versions']} versions"
                yield Finding("P2", subject, problem)

    def _repair_version(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            version = await self.store.raise_version(stream_id, tx)
            return None if version is None else f"raised the version to {version}"

        return lambda: self.database.run(work)

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
                                {"$gt": [{"$size": "$pins"}, self.pin_limit]},
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
            if len(pinned) > self.pin_limit:
                problem = f"has {len(pinned)} pinned messages, its limit is {self.pin_limit}"
                yield Finding("P3", subject, problem)

    def _repair_list(self, stream_id: StreamId) -> Repair:
        async def work(tx: Tx) -> str | None:
            changed = await self.store.rewrite_pins(stream_id, tx)
            return None if changed is None else f"had the stream list {changed}"

        return lambda: self.database.run(work)


def last_in(message: Document | None) -> Document | None:
    """The last message as the stream's document shows it; None without a message."""
    if message is None:
        return None
    content = message["content"]
    return asdict(
        LastMessage(
            seq=message["seq"],
            sender_id=message["sender_id"],
            preview=Content.from_stored(content).preview if content else "",
            at=message["created_at"],
            kind=Kind(content["kind"]) if content else None,
        )
    )
