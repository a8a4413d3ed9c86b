"""What must hold of those who run groups: not too many admins; invitations and logs of groups that there are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from groups.audit.store.groups import GroupAuditStore
from groups.kernel.audit import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.limits import GroupLimits

_OF_GROUPS = {"admin_invitations": "admin invitations", "admin_log": "entries of an admin log"}
"""Collections whose documents belong to a group, and what is in them."""


def checks(database: Database, limits: GroupLimits) -> list[Check]:
    """The checks of admins, invitations and admin logs."""
    audit = _Audit(database=database, store=GroupAuditStore(database), limits=limits)
    return [
        Check(
            "P3",
            "no group has more admins than it may have",
            "groups",
            lambda snapshot: snapshot.number("groups"),
            audit.admins,
        ),
        Check(
            "P9",
            "invitations and admin logs belong to groups",
            "invitations and entries",
            _count,
            audit.strays,
        ),
    ]


async def _count(snapshot: Snapshot) -> int:
    return sum([await snapshot.number(collection) for collection in _OF_GROUPS])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: GroupAuditStore
    limits: GroupLimits

    async def admins(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: whom to dismiss is for the owner to say, so nothing is mended."""
        limit = self.limits.admins
        rows = snapshot.rows(
            "members",
            [
                {"$match": {"role": "admin"}},
                {"$group": {"_id": "$group_id", "admins": {"$sum": 1}}},
                {"$match": {"admins": {"$gt": limit}}},
            ],
        )
        async for row in rows:
            problem = f"has {row['admins']} admins, the limit is {limit}"
            yield Finding("P3", f"group {row['_id']}", problem)

    async def strays(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P9: what is left behind would be shown to those who run the next group with that id."""
        for collection, what in _OF_GROUPS.items():
            async for row in self.store.rows_of_no_group(snapshot, collection):
                problem = f"does not exist, and has {row['rows']} {what}"
                repair = self._clearing(collection, GroupId(row["_id"]))
                yield Finding("P9", f"group {row['_id']}", problem, repair)

    def _clearing(self, collection: str, group_id: GroupId) -> Repair:
        async def step(tx: Tx) -> int:
            if await self.store.is_known(group_id, tx):
                return 0
            return await self.store.delete_some(collection, group_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted}" if deleted else None

        return repair
