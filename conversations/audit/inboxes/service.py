"""Whether the totals of channels' inboxes are those of their threads, and how they are set right: by counting anew."""

from collections.abc import AsyncIterator

from conversations.audit.inboxes.store import InboxAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot


class InboxAudit:
    """Compares and counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = InboxAuditStore(database)

    def check(self) -> Check:
        """The check, after that of the threads: its repair counts what they are by then."""
        return Check(
            "P5",
            "the totals of each inbox are those of its threads",
            "inboxes",
            self._store.count_inboxes,
            self._find,
        )

    async def recount(self, channel_id: GroupId, tx: Tx) -> str | None:
        """Store what the threads make, with the transaction's other changes; None where it was stored already."""
        unread = await self._store.count(channel_id, tx)
        if unread == await self._store.stored(channel_id, tx):
            return None
        await self._store.put(channel_id, unread, tx)
        return f"counted anew: {unread.messages} unread in {unread.threads} threads"

    async def _find(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self._store.wrong_totals(snapshot):
            counted = f"{row['messages']} in {row['threads']} threads"
            there_are = f"{row['unread']} in {row['with_unread']}"
            problem = f"counts {counted} as unread, there are {there_are}"
            repair = self._recounting(GroupId(row["_id"]))
            yield Finding("P5", f"inbox of {row['_id']}", problem, repair)

    def _recounting(self, channel_id: GroupId) -> Repair:
        return lambda: self._database.run(lambda tx: self.recount(channel_id, tx))
