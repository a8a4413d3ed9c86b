"""The check that searches find each message by its words: stored terms are those of the texts.

Messages are read in slices by key, each at one instant; none is compared with another. So the check works at any size.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.store.message_search import MessageSearchStore, has_wrong_terms

SLICE: Final = 2_000  # messages


@dataclass(frozen=True, slots=True)
class TermAudit:
    """The check of terms, and its repair."""

    database: Database
    store: MessageSearchStore

    @classmethod
    def of(cls, database: Database) -> Self:
        """The check of this database."""
        return cls(database, MessageSearchStore(database))

    def of_terms(self) -> Check:
        """The check."""
        return Check(
            "P2",
            "a search finds each message by its words",
            "messages",
            lambda snapshot: snapshot.count("messages"),
            self.terms,
        )

    async def terms(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Messages with other terms than those of their texts; without any, those that are to be indexed already."""
        state = await self.store.find_state()
        indexed_up_to = None if state is not None and state.is_complete else ""
        if state is not None and not state.is_complete:
            indexed_up_to = state.after
        after = ""
        while True:
            rows = [row async for row in snapshot.rows("messages", _slice_after(after))]
            for row in rows:
                is_to_come = indexed_up_to is not None and row["_id"] > indexed_up_to
                if has_wrong_terms(row) and not (is_to_come and "terms" not in row):
                    yield self._finding(row)
            if len(rows) < SLICE:
                return
            after = rows[-1]["_id"]
            await snapshot.renew()

    def _finding(self, row: Mapping[str, Any]) -> Finding:
        subject = f"message {row['seq']} of {row['stream_id']}"
        return Finding("P2", subject, "its terms are not those of its texts", self._repair(row))

    def _repair(self, row: Mapping[str, Any]) -> Repair:
        async def work(tx: Tx) -> str | None:
            is_mended = await self.store.mend_terms(row["_id"], row["stream_id"], tx)
            return "indexed it anew" if is_mended else None

        return lambda: self.database.run(work)


def _slice_after(after: str) -> list[dict[str, Any]]:
    return [{"$match": {"_id": {"$gt": after}}}, {"$sort": {"_id": 1}}, {"$limit": SLICE}]
