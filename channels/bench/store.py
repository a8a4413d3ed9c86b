"""The bare queries and writes that the calls are compared with."""

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import gethostname
from typing import Final

from bson import ObjectId
from pymongo.errors import OperationFailure

from channels.bench.cpu import is_mongod
from groups.kernel.mongo import ONE_REPLY, Collection, Database, Document
from groups.models import stream_of

_INDEX_OPTIONS: Final = ("unique", "partialFilterExpression")


@dataclass(frozen=True, slots=True)
class BenchStore:
    """The deployment's database, and scratch collections beside it."""

    database: Database

    async def bare_unread(self, user_id: str) -> float:
        """Run the queries that unread totals need, and nothing else. Returns the seconds."""
        members = self.database.collection("members")
        conversations = self.database.collection("conversations")
        streams = self.database.collection("streams")
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

    async def mongod(self) -> int | None:
        """The process of the mongod that takes the writes, if it is one on this machine that may be asked."""
        admin = self.database.collection("members").database.client.admin
        try:
            status: Document = await admin.command("serverStatus")
        except OperationFailure:  # this user may not ask
            return None
        host, pid = str(status["host"]).partition(":")[0], int(status["pid"])
        return pid if host == gethostname() and is_mongod(pid) else None

    @asynccontextmanager
    async def bare_writes(self) -> "AsyncIterator[BareWrites]":
        """Collections for bare transactions. They are dropped at the end."""
        names = [f"bench_{secrets.token_hex(4)}" for _ in range(3)]
        writes = BareWrites(self.database, *map(self.database.collection, names))
        try:
            await writes.counters.insert_one({"_id": "counter", "value": 0})
            for collection in (writes.records, writes.events):
                await collection.insert_one({})  # so that no transaction has to create it
            yield writes
        finally:
            for collection in (writes.counters, writes.records, writes.events):
                await collection.drop()

    @asynccontextmanager
    async def bare_members(self, group_id: str) -> "AsyncIterator[BareMembers]":
        """A collection that grows like the members of the group, which needs one already. It is dropped at the end."""
        members = self.database.collection("members")
        template = await members.find_one({"group_id": group_id, "role": "member"})
        if template is None:
            raise ValueError(f"{group_id} has no member whose document could be copied")
        scratch = self.database.collection(f"bench_{secrets.token_hex(4)}")
        for name, index in (await members.index_information()).items():
            if name != "_id_":  # which every collection has
                given = {key: index[key] for key in _INDEX_OPTIONS if key in index}
                await scratch.create_index(list(index["key"]), **given)
        try:
            yield BareMembers(scratch, template)
        finally:
            await scratch.drop()


@dataclass(frozen=True, slots=True)
class BareWrites:
    """The least that a durable write with a record and an event takes: an update and two inserts, in a transaction."""

    database: Database
    counters: Collection
    records: Collection
    events: Collection

    async def commit(self) -> float:
        """Run one such transaction with the settings of the server's. Returns the seconds."""
        started = time.perf_counter()
        async with self.database.transaction() as tx:
            await self.counters.update_one(
                {"_id": "counter"}, {"$inc": {"value": 1}}, session=tx.session
            )
            for collection in (self.records, self.events):
                await collection.insert_one(
                    {"_id": ObjectId(), "text": "x" * 200}, session=tx.session
                )
        return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class BareMembers:
    """Documents like those of a group's members, with their indexes and nothing else."""

    collection: Collection
    template: Document

    async def insert(self, user_ids: Sequence[str], batch: int) -> float:
        """Insert a document for each user. Returns the seconds."""
        group_id = self.template["group_id"]
        separator = self.template["_id"][len(group_id)]
        started = time.perf_counter()
        for first in range(0, len(user_ids), batch):
            documents: list[Document] = [
                {**self.template, "_id": f"{group_id}{separator}{user_id}", "user_id": user_id}
                for user_id in user_ids[first : first + batch]
            ]
            await self.collection.insert_many(documents)
        return time.perf_counter() - started
