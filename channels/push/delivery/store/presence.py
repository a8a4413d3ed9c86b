"""Who has an open socket, of those who have devices: a document for each user and process.

`online_users` has `_id` `user<US>process`. `online_processes` has a document for each process, with the time until
which its rows count (`until`, by the database's clock). So a process keeps its rows alive by one write, and those of a
process that was killed stop counting together.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from pymongo import DeleteOne, UpdateOne

from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index


class PresenceStore:
    """The collections `online_users` and `online_processes`."""

    INDEXES = (
        Index("online_users", [("user_id", 1)], "the processes at which users are"),
        Index("online_users", [("process_id", 1)], "the rows of a process that is gone"),
        Index("online_processes", [], "few; all of them"),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database.collection("online_users")
        self._processes = database.collection("online_processes")

    async def save(self, process_id: str, here: Iterable[UserId], gone: Iterable[UserId]) -> None:
        """Store who is at the process, and who is not any more. Idempotent."""
        operations: list[UpdateOne | DeleteOne] = [
            UpdateOne(
                _match(user_id, process_id), {"$set": {"process_id": process_id}}, upsert=True
            )
            for user_id in here
        ]
        operations += [DeleteOne(_match(user_id, process_id)) for user_id in gone]
        await self._database.apply(self._users, operations, None)

    async def keep(self, process_id: str, until: datetime) -> bool:
        """Let the rows of the process count until then. Returns whether it was unknown, so that its rows are gone."""
        result = await self._processes.update_one(
            {"_id": process_id}, {"$set": {"until": until}}, upsert=True
        )
        return result.upserted_id is not None

    async def find_online(
        self, user_ids: Collection[UserId], now: datetime, *, except_process: str
    ) -> set[UserId]:
        """Those of the users who have an open socket at another process than this one, which runs."""
        # Uses index: user_id_1
        cursor = self._users.find(
            {"user_id": {"$in": list(user_ids)}},
            {"_id": 0, "user_id": 1, "process_id": 1},
            batch_size=ONE_REPLY,
        )
        rows = await cursor.to_list(None)
        if not rows:
            return set()
        running = {row["_id"] for row in await self._list_processes() if row["until"] > now}
        running.discard(except_process)
        return {UserId(row["user_id"]) for row in rows if row["process_id"] in running}

    async def remove_process(self, process_id: str) -> None:
        """Forget the process and its rows: the rows first, so that a crash in between leaves nothing unknown."""
        # Uses index: process_id_1
        await self._users.delete_many({"process_id": process_id})
        await self._processes.delete_one({"_id": process_id})

    async def list_ended(self, before: datetime) -> list[str]:
        """The processes whose rows stopped counting before this instant."""
        return [row["_id"] for row in await self._list_processes() if row["until"] < before]

    async def _list_processes(self) -> list[Document]:
        found: list[Document] = await self._processes.find({}).to_list(None)
        return found


def _match(user_id: UserId, process_id: str) -> Document:
    return {"_id": join_key(user_id, process_id), "user_id": user_id}
