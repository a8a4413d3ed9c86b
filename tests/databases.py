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
from pymongo import MongoClient
from pymongo.database import Database as PyMongoDatabase
from pymongo.write_concern import WriteConcern

from channels.limits import Limits
from channels.server.app import INDEXES, create_services
from channels.server.migrations import migrations
from groups.kernel.mongo import Database

_FEW: Final = 5_000  # documents; more are faster to drop than to delete

_OURS: Final = frozenset(index.collection for index in INDEXES) | {"events", "schema"}
"""The collections of the application; those that a test made up are dropped with their indexes."""

_emptied: defaultdict[str, list[str]] = defaultdict(list)
"""The names of the databases that no test uses now, by address."""


@cache
def _client(uri: str) -> MongoClient[dict[str, Any]]:
    """One client for all databases of the address. It belongs to no event loop, as those of the tests do."""
    return MongoClient(uri)


def close_clients() -> None:
    """Close them before the process ends, or before their replica set does."""
    for uri in list(_emptied):
        _client(uri).close()
    _client.cache_clear()


@asynccontextmanager
async def an_empty_database(uri: str) -> AsyncIterator[str]:
    """The name of a database without documents; it may have the collections and indexes of earlier tests.

    Such a database has the newest schema version, since without one a server would migrate it as the oldest.

    Its documents are deleted at the end. If something is written to it afterwards, it is not used again.
    """
    name = await asyncio.to_thread(_taken, uri)
    try:
        yield name
    finally:
        await asyncio.to_thread(_given_back, uri, name)


def _taken(uri: str) -> str:
    client = _client(uri)
    while _emptied[uri]:
        name = _emptied[uri].pop()
        if _documents(client[name]) == 0:
            client[name]["schema"].insert_one({"_id": "stored", "version": _newest()})
            return name
        client.drop_database(name)
    return f"t{uuid4().hex[:12]}"


def _given_back(uri: str, name: str) -> None:
    database = _client(uri)[name]
    if _documents(database) > _FEW:
        _client(uri).drop_database(name)
    else:
        _empty(database)
        _emptied[uri].append(name)


@cache
def _newest() -> int:
    database = Database(AsyncMongoMockClient()["x"], transactional=False)
    services = create_services(database, Limits())
    return migrations(database, services.chat, services.channels)[-1].version


def _documents(database: PyMongoDatabase[dict[str, Any]]) -> int:
    return int(database.command("dbStats")["objects"])


def _empty(database: PyMongoDatabase[dict[str, Any]]) -> None:
    # Of forty collections a test fills few, so nothing waits for the answers. The next command on this connection comes
    # after them, and what was not deleted is found by `_taken`.
    unanswered = WriteConcern(w=0)
    for name in database.list_collection_names():
        if name in _OURS:
            database.get_collection(name, write_concern=unanswered).delete_many({})
        else:
            database.drop_collection(name)
