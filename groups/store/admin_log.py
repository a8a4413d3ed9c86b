"""The admin log of channels. `_id` grows with time: it is the order of the entries, and the cursor of their pages.

An entry never changes, except the count in the entry of an import that is still running.
"""

from collections.abc import Iterable
from dataclasses import asdict

from pymongo import InsertOne

from groups.kernel.ids import GroupId
from groups.kernel.mongo import DESCENDING, Database, Document, Index, Tx
from groups.models import AdminAction, AdminLogEntry


class AdminLogStore:
    """The collection `admin_log`."""

    INDEXES = (
        Index("admin_log", [("group_id", 1), ("_id", DESCENDING)], "a channel's log"),
        *(
            Index(
                "admin_log",
                [("group_id", 1), (field, 1), ("_id", DESCENDING)],
                f"a channel's log by {field}",
            )
            for field in ("action", "actor_id", "target_id")
        ),
    )

    def __init__(self, database: Database) -> None:
        self._entries = database.collection("admin_log")

    def insert_many(self, entries: Iterable[AdminLogEntry], tx: Tx) -> None:
        """Insert new entries; collected (`Tx.write`)."""
        tx.write(self._entries, *(InsertOne(_to_document(entry)) for entry in entries))

    async def count_up(self, entry: AdminLogEntry, field: str, more: int, tx: Tx) -> None:
        """Add `more` to this field of the entry's `after`; the first call inserts the entry."""
        document = _to_document(entry)
        del document["after"]
        key: Document = {"_id": document.pop("_id"), "group_id": document.pop("group_id")}
        await self._entries.update_one(
            key,
            {"$setOnInsert": document, "$inc": {f"after.{field}": more}},
            upsert=True,
            session=tx.session,
        )

    async def list_entries(
        self, group_id: GroupId, filters: dict[str, str], *, before: str | None, limit: int
    ) -> list[AdminLogEntry]:
        """Entries older than `before`, newest first; `filters` holds values of indexed fields."""
        # Uses index: group_id_1_<filter>_1__id_-1, or group_id_1__id_-1; of two filters only one uses the index.
        query: Document = {"group_id": group_id, **filters}
        if before is not None:
            query["_id"] = {"$lt": before}
        cursor = self._entries.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [_to_entry(document) for document in await cursor.to_list(None)]

    async def delete_some(self, group_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete some entries of a deleted channel; returns how many."""
        cursor = self._entries.find({"group_id": group_id}, {"_id": 1}, session=tx.session)
        ids = [document["_id"] for document in await cursor.limit(limit).to_list(None)]
        if ids:
            await self._entries.delete_many(
                {"_id": {"$in": ids}, "group_id": group_id}, session=tx.session
            )
        return len(ids)


def _to_document(entry: AdminLogEntry) -> Document:
    document = asdict(entry) | {"action": entry.action.value}
    document["_id"] = document.pop("entry_id")
    return document


def _to_entry(document: Document) -> AdminLogEntry:
    return AdminLogEntry(
        entry_id=document["_id"],
        group_id=document["group_id"],
        action=AdminAction(document["action"]),
        actor_id=document["actor_id"],
        by_app=document["by_app"],
        target_id=document["target_id"],
        before=document["before"],
        after=document["after"],
        at=document["at"],
    )
