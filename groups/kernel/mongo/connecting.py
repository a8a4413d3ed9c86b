"""Connecting to a replica set: with the concerns that make writes durable, or with words for why not."""

import asyncio
import time
from typing import Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from groups.kernel.errors import Unavailable
from groups.kernel.mongo.driver import Document
from groups.kernel.mongo.read_after_failover import Elections, SinceElection

POOL_SIZE: Final = 100  # connections to each member of the replica set, each of them a file


class StandaloneServer(Exception):
    """The database is not a replica set, so it has no transactions and no change streams."""


def appname_of(database: str) -> str:
    """How MongoDB's own records name the processes of this deployment."""
    return f"channels.{database}"


async def connected(
    uri: str, name: str, *, patience_seconds: float
) -> AsyncIOMotorDatabase[Document]:
    """The database of this name.

    Raises: StandaloneServer; Unavailable when nothing answers within `patience_seconds`.
    """
    elections = Elections()
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            tz_aware=True,
            w="majority",
            journal=True,
            wTimeoutMS=10_000,
            readConcernLevel="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=20_000,
            maxPoolSize=POOL_SIZE,
            appname=appname_of(name),
            event_listeners=[elections],
        )
    except PyMongoError as error:
        raise Unavailable(f"The address of the database cannot be used: {error}") from error
    except ValueError:
        # Without its words: they quote the address, and with it perhaps a password.
        raise Unavailable("The address of the database cannot be used") from None
    deadline = time.monotonic() + patience_seconds
    hello: Document | None = None
    while hello is None:
        try:
            hello = await client.admin.command("hello")
        except PyMongoError as error:
            if time.monotonic() >= deadline:
                client.close()
                raise Unavailable(f"The database does not answer: {error}") from error
            await asyncio.sleep(0.2)
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        client.close()
        raise StandaloneServer
    return client.get_database(name, read_concern=SinceElection(elections))
