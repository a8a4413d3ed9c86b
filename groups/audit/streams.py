"""Checks of stored streams: seq 1, 2, 3 … without hole or duplicate, and a head that is the last message."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from groups.audit.store.streams import StreamAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import Content, LastMessage

Row = Mapping[str, Any]


def checks(database: Database) -> list[Check]:
    """The check of streams."""
    audit = _Audit(database=database, store=StreamAuditStore(database))
    return [
        Check(
            "P2",
            "each stream has seq 1, 2, 3 … up to its head",
            "messages",
            lambda snapshot: snapshot.count("messages"),
            audit.streams,
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audit:
    database: Database
    store: StreamAuditStore

    async def streams(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P2: no hole, no duplicate, a head that is right."""
        async for row in self.store.inconsistent_streams(snapshot):
            async for finding in self._of_stream(row, snapshot):
                yield finding
        async for row in self.store.misfiled_messages(snapshot):
            problem = f"filed as {row['_id']!r}, although it says seq {row.get('seq')}"
            yield Finding("P2", f"stream {row.get('stream_id')}", problem)

    async def _of_stream(self, row: Row, snapshot: Snapshot) -> AsyncIterator[Finding]:
        stream_id, subject = row["_id"], f"stream {row['_id']}"
        count, newest = row["messages"] or 0, row["newest"] or 0
        if row["stream"] is None:
            yield Finding("P2", subject, f"does not exist, and has {count} messages")
            return
        head = row["head"]
        last_seq = max(head, newest)
        if count > newest or (count and row["first"] < 1):
            yield Finding("P2", subject, f"has {count} messages with seqs up to {newest}")
        elif count < last_seq:
            hole = await self._first_hole(snapshot, stream_id, last_seq)
            more = f", the first of {last_seq - count}" if last_seq - count > 1 else ""
            yield Finding("P2", subject, f"seq {hole} is missing{more}")
        # The head is never lowered: one beyond the messages means that messages were lost whose seqs readers have seen.
        repair = self._repair_head(stream_id)
        if head < newest:
            problem = f"head_seq is {head}, the last message is {newest}"
            yield Finding("P2", subject, problem, repair)
        elif (row["last"] or 0) != head:
            problem = f"last.seq is {row['last']}, head_seq is {head}"
            yield Finding("P2", subject, problem, repair if newest == head else None)

    async def _first_hole(self, snapshot: Snapshot, stream_id: str, last_seq: int) -> int:
        # Binary search: below the first hole, the number of messages up to a seq is that seq.
        dense, holed = 0, last_seq
        while holed - dense > 1:
            middle = (dense + holed) // 2
            if await self.store.count_up_to(snapshot, stream_id, middle) == middle:
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
        )
    )
