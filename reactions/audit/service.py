"""Checks of stored reactions, and the repair of a tally, which counts the reactions again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import Message, poll_of, stream_of
from groups.service.messages.stream import StreamService
from reactions.audit.store import ReactionAuditStore
from reactions.events import ReactionsChanged
from reactions.models import ACKNOWLEDGED, VOTE_PREFIX, prefix_of
from reactions.polls.events import PollChanged

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
            "each tally counts the users who hold the emoji, and those who vote",
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
        async for row in self.store.wrong_voters(snapshot):
            problem = f"{row['counted']} voters are counted, {row['voted']} users voted"
            yield Finding("P4", _name(row["_id"]), problem, self._recount(row["_id"]))

    def _recount(self, message_id: str) -> Repair:
        stream_id, seq = _message_in(message_id)

        async def work(tx: Tx) -> str | None:
            # Without the message there is nothing to count; the other check reports its reactions.
            message = await self.streams.touch_message(stream_id, seq, tx)
            if message is None:
                return None
            # Write before counting: reactions wait for this transaction, instead of making it run again and again.
            before = await self.store.touch(message_id, tx)
            held = await self.store.count(message_id, tx)
            counts = {text: n for text, n in held.items() if not prefix_of(text)}
            votes = {
                text.removeprefix(VOTE_PREFIX): n
                for text, n in held.items()
                if prefix_of(text) == VOTE_PREFIX
            }
            total = sum(counts.values())
            values: dict[str, Any] = {"counts": counts, "total": total}
            if ACKNOWLEDGED in held or "acknowledged" in before:
                values["acknowledged"] = held.get(ACKNOWLEDGED, 0)
            if votes or "votes" in before:
                voters = await self.store.count_voters(message_id, tx)
                values |= {"votes": votes, "voters": voters}
            if all(before.get(name) == value for name, value in values.items()):
                return None
            await self.store.put(message_id, values, tx)
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
            if "votes" not in values:
                return f"counted again: {total} reactions"
            self._publish_votes(message, values, tx)
            return f"counted again: {total} reactions, {values['voters']} voters"

        return lambda: self.database.run(work)

    def _publish_votes(self, message: Message, values: dict[str, Any], tx: Tx) -> None:
        poll = poll_of(message)
        if poll is None:
            return
        now, group_id = self.clock.now(), GroupId(message.stream_id.removeprefix(_GROUP_PREFIX))
        counts = tuple(values["votes"].get(str(option), 0) for option in range(len(poll.options)))
        is_public = poll.are_results_public(now)
        tx.publish(
            PollChanged(
                at=now,
                stream_id=message.stream_id,
                group_id=group_id,
                seq=message.seq,
                votes=counts if is_public else None,
                voters=values["voters"] if is_public else None,
                closed=poll.is_closed(now),
            )
        )

    def _delete(self, message_id: str) -> Repair:
        stream_id, _ = _message_in(message_id)

        async def step(tx: Tx) -> int:
            # Without the stream, nobody can have posted the message since the check.
            if await self.streams.exists(stream_id, tx):
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
