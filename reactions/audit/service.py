"""Checks of stored reactions, and the repair of a tally, which counts the reactions again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService
from reactions.audit.store import ReactionAuditStore
from reactions.events import ReactionsChanged

_GROUP_PREFIX: Final = stream_of(GroupId(""))


def checks(database: Database, streams: StreamService, clock: Clock) -> list[Check]:
    """Return all checks of reactions, in the order in which their repairs build on each other."""
    audit = _Audit(
        database=database, store=ReactionAuditStore(database), streams=streams, clock=clock
    )
    return [
        Check(
            "P4",
            "reactions belong to a message, each user's emoji once",
            "reactions",
            lambda snapshot: snapshot.count("reactions"),
            audit.strays,
        ),
        Check(
            "P4",
            "each tally counts the users who hold the emoji",
            "tallies",
            lambda snapshot: snapshot.count("tallies"),
            audit.tallies,
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audit:
    database: Database
    store: ReactionAuditStore
    streams: StreamService
    clock: Clock

    async def strays(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.of_no_message(snapshot):
            problem = f"does not exist, and has {row['rows']} reactions or tallies"
            # If the stream exists, the message is missing (P2), and may come back from a backup.
            repair = None if row["stream"] else self._delete(row["_id"])
            yield Finding("P4", _name(row["_id"]), problem, repair)
        async for row in self.store.misfiled(snapshot):
            problem = f"{row.get('user_id')}'s {row.get('emoji')} is filed as {row['_id']!r}"
            yield Finding("P4", _name(str(row.get("message_id"))), problem)

    async def tallies(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.wrong_counts(snapshot):
            problem = "; ".join(
                f"{wrong['emoji']} is counted {wrong['c']}, held by {wrong['h']}"
                for wrong in row["wrong"][:3]
            )
            yield Finding("P4", _name(row["_id"]), problem, self._recount(row["_id"]))
        async for row in self.store.wrong_totals(snapshot):
            problem = f"total is {row.get('total')}, the counts make {row['sum']}"
            yield Finding("P4", _name(row["_id"]), problem, self._recount(row["_id"]))

    def _recount(self, message_id: str) -> Repair:
        stream_id, seq = _message_in(message_id)

        async def work(tx: Tx) -> str | None:
            # Without the message there is nothing to count; the other check reports its reactions.
            if await self.streams.touch_message(stream_id, seq, tx) is None:
                return None
            # Write before counting: reactions wait for this transaction, instead of making it run again and again.
            before = await self.store.touch(message_id, tx)
            counts = await self.store.count(message_id, tx)
            total = sum(counts.values())
            if before.get("counts") == counts and before.get("total") == total:
                return None
            await self.store.put(message_id, counts, tx)
            # In a dialogue, readers see it when they read again.
            if stream_id.startswith(_GROUP_PREFIX):
                tx.publish(
                    ReactionsChanged(
                        at=self.clock.now(),
                        stream_id=stream_id,
                        group_id=GroupId(stream_id.removeprefix(_GROUP_PREFIX)),
                        seq=seq,
                        counts=counts,
                        total=total,
                    )
                )
            return f"counted again: {total} reactions"

        return lambda: self.database.run(work)

    def _delete(self, message_id: str) -> Repair:
        stream_id, _ = _message_in(message_id)

        async def step(tx: Tx) -> int:
            # Without the stream, nobody can have posted the message since the check.
            if await self.streams.heads([stream_id], tx):
                return 0
            return await self.store.delete_some(message_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted} reactions and tallies" if deleted else None

        return repair


def _message_in(message_id: str) -> tuple[StreamId, int]:
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq) if seq.isdecimal() else 0


def _name(message_id: str) -> str:
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return f"message {seq} of {stream_id}"
