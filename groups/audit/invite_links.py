"""Checks of stored invite links: none let in more than it may, and each counts the requests that wait."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from groups.audit.store.invite_links import InviteLinkAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot

SHOWN_CHARACTERS = 8
"""Of a code in a report: a whole one lets in everybody who reads it."""


@dataclass(frozen=True, slots=True)
class InviteLinkAudit:
    """The check of invite links, and its repair."""

    database: Database
    store: InviteLinkAuditStore

    def of_counts(self) -> Check:
        """The check of uses and waiting requests."""
        return Check(
            "P3",
            "no invite link let in more than it may, and each counts the requests that wait",
            "invite links",
            lambda snapshot: snapshot.count("invite_links"),
            self.counts,
        )

    async def counts(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: too many uses have no repair, because the members are in already."""
        async for row in self.store.miscounted(snapshot):
            code, group_id = row["_id"], GroupId(row["group_id"])
            subject = f"invite link {code[:SHOWN_CHARACTERS]}… of {group_id}"
            if row["max_uses"] is not None and row["uses"] > row["max_uses"]:
                yield Finding("P3", subject, f"let in {row['uses']}, it may {row['max_uses']}")
            requests = row["requests"] or 0
            if row["counted"] != requests:
                problem = f"counts {row['counted']} requests that wait, there are {requests}"
                yield Finding("P3", subject, problem, self._recounting(code, group_id))

    def _recounting(self, code: str, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            number = await self.store.recount(code, group_id, tx)
            return None if number is None else f"set its waiting requests to {number}"

        return lambda: self.database.run(work)
