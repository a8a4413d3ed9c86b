"""The queries of the checks of invite links, and the writes of their repairs."""

from collections.abc import AsyncIterator

from groups.audit.joins import merged, union
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx, aggregate
from groups.kernel.mongo.snapshot import Snapshot


class InviteLinkAuditStore:
    """Reads invite links and join requests; writes single counts."""

    def __init__(self, database: Database) -> None:
        self._groups = database.collection("groups")
        self._links = database.collection("invite_links")
        self._requests = database.collection("join_requests")

    @staticmethod
    def miscounted(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Links that let in more than they may, or count other requests than there are.

        Each row has the code, `group_id`, `uses`, `max_uses`, `counted`, and the number of `requests`.
        """
        fits = {"$eq": ["$counted", {"$ifNull": ["$requests", 0]}]}
        holds = {
            "$or": [
                {"$eq": [{"$ifNull": ["$max_uses", None]}, None]},
                {"$lte": ["$uses", "$max_uses"]},
            ]
        }
        return snapshot.rows(
            "invite_links",
            [
                {
                    "$project": {
                        "group_id": 1,
                        "uses": 1,
                        "max_uses": 1,
                        "counted": "$pending_requests",
                    }
                },
                union(
                    "join_requests",
                    {"$match": {"invite_link": {"$type": "string"}}},
                    {"$group": {"_id": "$invite_link", "requests": {"$sum": 1}}},
                ),
                merged("group_id", "uses", "max_uses", "counted", "requests"),
                # A request may outlive its link.
                {
                    "$match": {
                        "group_id": {"$ne": None},
                        "$expr": {"$not": [{"$and": [fits, holds]}]},
                    }
                },
            ],
        )

    async def recount(self, code: str, group_id: GroupId, tx: Tx) -> int | None:
        """Set the number of waiting requests of the link to that of the records; returns it, None if it was right."""
        # The group first, as every change of a link does, so that none runs past this one.
        await self._groups.update_one(
            {"_id": group_id}, {"$inc": {"touched": 1}}, session=tx.session
        )
        # Uses index: group_id_1_user_id_1
        rows = await aggregate(
            self._requests,
            [
                {"$match": {"group_id": group_id, "invite_link": code}},
                {"$group": {"_id": None, "n": {"$sum": 1}}},
            ],
            session=tx.session,
        )
        number = int(rows[0]["n"]) if rows else 0
        changed = await self._links.update_one(
            {"_id": code, "pending_requests": {"$ne": number}},
            {"$set": {"pending_requests": number}},
            session=tx.session,
        )
        return number if changed.modified_count else None
