"""Empty databases on a real replica set, each used by one test after the other.

Creating a database with all collections and indexes, and dropping it, takes `mongod` ten times as long as emptying it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final
from uuid import uuid4

from mongomock_motor import AsyncMongoMockClient
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from channels.limits import Limits
from channels.server.app import INDEXES, create_services
from channels.server.migrations import migrations
from groups.kernel.mongo import Database

_FEW: Final = 5_000  # documents; more are faster to drop than to delete

_OURS: Final = frozenset(index.collection for index in INDEXES) | {"events", "schema"}
"""The collections of the application; those that a test made up are dropped with their indexes."""

_emptied: defaultdict[str, list[str]] = defaultdict(list)
"""The names of the databases that no test uses now, by address."""


@asynccontextmanager
async def an_empty_database(uri: str) -> AsyncIterator[str]:
    """The name of a database without documents; it may have the collections and indexes of earlier tests.

    Such a database has the newest schema version, since without one a server would migrate it as the oldest.

    Its documents are deleted at the end. If something is written to it afterwards, it is not used again.
    """
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    try:
        name = await _taken(client, uri)
        try:
            yield name
        finally:
            if await _documents(client[name]) > _FEW:
                await client.drop_database(name)
            else:
                await _empty(client[name])
                _emptied[uri].append(name)
    finally:
        client.close()


async def _taken(client: AsyncIOMotorClient[dict[str, Any]], uri: str) -> str:
    while _emptied[uri]:
        name = _emptied[uri].pop()
        if await _documents(client[name]) == 0:
            await client[name]["schema"].insert_one({"_id": "stored", "version": _newest()})
            return name
        await client.drop_database(name)
    return f"t{uuid4().hex[:12]}"


@cache
def _newest() -> int:
    client: Any = AsyncMongoMockClient()
    database = Database(client["x"], transactional=False)
    services = create_services(database, Limits())
    return migrations(database, services.chat, services.channels)[-1].version


async def _documents(database: AsyncIOMotorDatabase[dict[str, Any]]) -> int:
    return int((await database.command("dbStats"))["objects"])


async def _empty(database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
    names = set(await database.list_collection_names())
    # One command finds those few that have documents: a delete for each of fifty takes ten times as long.
    first = [
        {
            "$unionWith": {
                "coll": name,
                "pipeline": [{"$limit": 1}, {"$project": {"in": {"$literal": name}}}],
            }
        }
        for name in names & _OURS
    ]
    filled = database.aggregate([{"$documents": []}, *first])
    await asyncio.gather(
        *[database[one["in"]].delete_many({}) async for one in filled],
        *[database.drop_collection(name) for name in names - _OURS],
    )
