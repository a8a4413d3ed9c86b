"""The remains of a process that dies: an open transaction, and a disbanded group that is half cleaned up."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from channels.limits import Limits
from channels.models import NewChannel
from channels.server.app import Services, create_services
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId, mint_id
from groups.kernel.mongo import Database, Tx, transactions
from groups.kernel.mongo.driver import close_client, create_client
from groups.kernel.text.emoji import Emoji
from groups.models import Content, Kind
from groups.service.lifecycle import cleanup
from tests.mongod import DRIVER

OWNER: Final = Actor(UserId("owner"))
CHANNEL: Final = GroupId("@TOA#_news")

Document = dict[str, Any]


@pytest.fixture
async def database(mongod_uri: str) -> AsyncIterator[Database]:
    database = await Database.connect(mongod_uri, f"remains-{mint_id(5)}", driver=DRIVER)
    try:
        yield database
    finally:
        await database.drop()
        await database.close()


# --- transactions -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def left_open(uri: str, database: str, appname: str) -> AsyncIterator[Callable[[], Any]]:
    """A transaction that has written the document `hot`, and whose process does nothing more."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri, appname=appname)
    try:
        session = await client.start_session()
        session.start_transaction()
        things = client[database]["things"]
        await things.update_one({"_id": "hot"}, {"$set": {"by": "dead"}}, session=session)
        yield session.commit_transaction
    finally:
        client.close()


def setting(database: Database, value: str) -> Callable[[Tx], Awaitable[None]]:
    async def work(tx: Tx) -> None:
        await database.collection("things").update_one(
            {"_id": "hot"}, {"$set": {"by": value}}, upsert=True, session=tx.session
        )

    return work


async def test_a_waiting_process_ends_the_transaction_of_a_dead_one(
    mongod_uri: str, database: Database
) -> None:
    await database.run(setting(database, "first"))
    name = database.collection("things").database.name
    async with left_open(mongod_uri, name, f"channels.{name}") as commit:
        began = time.monotonic()
        await database.run(setting(database, "living"))
        assert time.monotonic() - began < 15, "MongoDB alone takes 60 seconds"
        # If the process was alive after all, its commit fails with a transient error, so it may try again.
        with pytest.raises(OperationFailure) as refused:
            await commit()
        assert refused.value.has_error_label("TransientTransactionError")
    stored = await database.collection("things").find_one({"_id": "hot"})
    assert stored is not None
    assert stored["by"] == "living"


async def test_transactions_of_other_applications_go_on(
    mongod_uri: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "IDLE_SECONDS", 0)
    await database.run(setting(database, "first"))
    name = database.collection("things").database.name
    async with left_open(mongod_uri, name, "channels.another") as commit:
        client = create_client(DRIVER, mongod_uri)
        await transactions.StaleTransactions(client, f"channels.{name}").end()
        await close_client(client)
        await commit()
    stored = await database.collection("things").find_one({"_id": "hot"})
    assert stored is not None
    assert stored["by"] == "dead"


async def test_a_transaction_that_is_ended_during_a_command_runs_again(
    mongod_uri: str, database: Database
) -> None:
    things = database.collection("things")
    await database.run(setting(database, "first"))
    attempts: list[int] = []

    async def work(tx: Tx) -> None:
        attempts.append(tx.attempt)
        await setting(database, "second")(tx)
        if tx.attempt == 0:
            # Like a process that was frozen, and continues just when another one ends its transaction.
            slow = things.find({"$where": "sleep(5000) || true"}, session=tx.session)
            await slow.to_list(None)

    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(mongod_uri)
    try:
        running = asyncio.create_task(database.run(work))
        active = {
            "appName": f"channels.{things.database.name}",
            "command.find": "things",
        }
        sessions: list[Document] = []
        async with asyncio.timeout(20):
            while not sessions:
                found = client.admin.aggregate([{"$currentOp": {}}, {"$match": active}])
                sessions = [{"id": one["lsid"]["id"]} for one in await found.to_list(None)]
        assert len(sessions) == 1
        await client.admin.command("killSessions", sessions)
        await asyncio.wait_for(running, 20)
    finally:
        client.close()
    assert attempts == [0, 1]
    stored = await things.find_one({"_id": "hot"})
    assert stored is not None
    assert stored["by"] == "second"


# --- disbanded groups -------------------------------------------------------------------------------------------------


async def _lived_in(services: Services) -> None:
    await services.channels.channels.create(OWNER, NewChannel(channel_id=CHANNEL, name="News"))
    hello = Content(kind=Kind.TEXT, text="Hello")
    await services.chat.messages.post(OWNER, CHANNEL, hello)
    await services.reactions.react(OWNER, CHANNEL, 1, Emoji("👍"))


async def test_a_living_process_continues_the_cleanup_of_a_dead_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "LOOK_SECONDS", 0.1)
    living, dying = create_services(database, Limits()), create_services(database, Limits())
    await living.start()
    try:
        await _lived_in(living)
        await dying.chat.disbanding.disband(OWNER, CHANNEL)
        await dying.chat.cleanup.stop()
        async with asyncio.timeout(20):
            while await database.collection("disbanded").find_one():
                await asyncio.sleep(0.02)
        for name in ("members", "messages", "reactions", "tallies"):
            assert await database.collection(name).find_one() is None, name
    finally:
        await living.stop()


async def test_a_late_cleanup_leaves_a_new_group_of_the_same_id_alone(
    database: Database,
) -> None:
    services = create_services(database, Limits())
    await services.start()
    try:
        await _lived_in(services)
        await services.chat.cleanup.clear(CHANNEL)
        posted = await services.chat.messages.get(OWNER, CHANNEL, 1)
        assert posted.message.seq == 1
        tally = await services.reactions.get(OWNER, CHANNEL, 1)
        assert tally.counts == {"👍": 1}
        assert (await services.channels.channels.get(OWNER, CHANNEL)).access.member is not None
    finally:
        await services.stop()
