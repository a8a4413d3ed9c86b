"""What the benchmark asks the database directly: the bare queries and writes that the calls are compared with."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from groups.kernel.mongo import ONE_REPLY, Collection, Database, Document
from groups.models import stream_of

_OTHERS_ID: Final = "_id_"


class BenchStore:
    """The deployment's database, and scratch collections beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """The version of MongoDB."""
        return await self._database.server_version()

    async def drop(self) -> None:
        """Delete the database of the run."""
        await self._database.drop()

    async def bare_unread(self, user_id: str) -> float:
        """Run the queries that unread totals need, and nothing else; seconds."""
        members = self._database.collection("members")
        conversations = self._database.collection("conversations")
        streams = self._database.collection("streams")
        started = time.perf_counter()
        seats = await members.find(
            {"user_id": user_id}, {"_id": 0, "group_id": 1, "joined_seq": 1}, batch_size=ONE_REPLY
        ).to_list(None)
        await conversations.find(
            {"user_id": user_id},
            {"_id": 0, "conversation_id": 1, "read_seq": 1, "muted": 1, "hidden_at_seq": 1},
            batch_size=ONE_REPLY,
        ).to_list(None)
        await streams.find(
            {"_id": {"$in": [stream_of(seat["group_id"]) for seat in seats]}},
            {"head_seq": 1, "is_channel": 1},
            batch_size=ONE_REPLY,
        ).to_list(None)
        return time.perf_counter() - started

    @asynccontextmanager
    async def bare_members(self, group_id: str) -> "AsyncIterator[BareMembers]":
        """A collection that grows like the members of the group, which has one already; dropped in the end."""
        members = self._database.collection("members")
        template = await members.find_one({"group_id": group_id, "role": "member"})
        if template is None:
            raise ValueError(f"{group_id} has no member whose document could be copied")
        scratch = self._database.collection(f"bench_{secrets.token_hex(4)}")
        await self._copy_indexes(members, scratch)
        try:
            yield BareMembers(scratch, template)
        finally:
            await scratch.drop()

    @staticmethod
    async def _copy_indexes(source: Collection, target: Collection) -> None:
        for name, index in (await source.index_information()).items():
            if name != _OTHERS_ID:
                options: dict[str, Any] = {
                    option: index[option]
                    for option in ("unique", "partialFilterExpression")
                    if option in index
                }
                await target.create_index(list(index["key"]), **options)


class BareMembers:
    """Documents like those of a group's members, with their indexes and nothing else."""

    def __init__(self, collection: Collection, template: Document) -> None:
        self._collection = collection
        self._template = template

    async def insert(self, user_ids: Sequence[str], batch: int) -> float:
        """Insert a document for each user; seconds."""
        group_id = self._template["group_id"]
        separator = self._template["_id"][len(group_id)]
        started = time.perf_counter()
        for first in range(0, len(user_ids), batch):
            documents: list[Document] = [
                {**self._template, "_id": f"{group_id}{separator}{user_id}", "user_id": user_id}
                for user_id in user_ids[first : first + batch]
            ]
            await self._collection.insert_many(documents)
        return time.perf_counter() - started
