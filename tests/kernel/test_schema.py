"""The version of the stored data, on the real database: each migration runs once, whichever process starts or dies."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from groups.kernel.mongo import Database
from groups.kernel.mongo.schema import Migration, NewerSchema, Schema
from tests.kernel.conftest import Connect


async def nothing() -> None:
    """A migration that has nothing to do."""


def migrations(*runs: Callable[[], Awaitable[None]]) -> list[Migration]:
    return [Migration(number, f"migration {number}", run) for number, run in enumerate(runs, 1)]


async def an_old_one(connect: Connect) -> Database:
    """A database from before versions, with some data."""
    database = await connect()
    await database.collection("groups").insert_one({"_id": "tea"})
    return database


async def stored(database: Database) -> dict[str, object] | None:
    return await database.collection("schema").find_one({"_id": "stored"})


async def test_a_database_without_a_version_runs_all_migrations_in_order(connect: Connect) -> None:
    database, taken = await an_old_one(connect), list[int]()

    async def first() -> None:
        taken.append(1)

    async def second() -> None:
        taken.append(2)

    for _ in range(2):
        schema = Schema(database)
        await schema.record_version(2)
        await schema.migrate(migrations(first, second))
    assert taken == [1, 2]
    assert await stored(database) == {"_id": "stored", "version": 2}


async def test_an_empty_database_has_the_newest_version(connect: Connect) -> None:
    database = await connect()
    await database.drop()

    async def never() -> None:
        raise AssertionError

    schema = Schema(database)
    await schema.record_version(1)
    await schema.migrate(migrations(never))
    assert await stored(database) == {"_id": "stored", "version": 1}


async def test_of_many_starting_processes_one_runs_each_migration(
    connect: Connect,
) -> None:
    await an_old_one(connect)
    under_way, taken, ended = 0, list[int](), list[int]()

    def counted(number: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            nonlocal under_way
            under_way += 1
            assert under_way == 1
            taken.append(number)
            await asyncio.sleep(0.3)
            under_way -= 1

        return run

    async def start() -> None:
        schema = Schema(await connect(), lease_seconds=1)
        await schema.record_version(2)
        await schema.migrate(migrations(counted(1), counted(2)))
        ended.append(len(taken))

    await asyncio.gather(*(start() for _ in range(6)))
    assert taken == [1, 2]
    assert ended == [2] * 6


async def test_a_migration_longer_than_its_lease_stays_with_its_process(
    connect: Connect,
) -> None:
    await an_old_one(connect)
    taken: list[str] = []

    def lasting(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            taken.append(name)
            await asyncio.sleep(2.5)

        return run

    async def start(name: str) -> None:
        schema = Schema(await connect(), lease_seconds=1)
        await schema.record_version(1)
        await schema.migrate(migrations(lasting(name)))

    await asyncio.gather(start("one"), start("other"))
    assert len(taken) == 1


async def test_a_migration_whose_process_died_is_run_again_after_its_lease(
    connect: Connect,
) -> None:
    database = await an_old_one(connect)
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    dying = Schema(database, lease_seconds=1)
    await dying.record_version(1)
    death = asyncio.create_task(dying.migrate(migrations(endless)))
    await begun.wait()
    death.cancel()  # like a kill -9 for the database: the lease stays
    await asyncio.wait([death])
    left = await stored(database)
    assert left is not None
    assert left["version"] == 0
    assert "leased_until" in left

    taken: list[int] = []

    async def counted() -> None:
        taken.append(1)

    await Schema(await connect(), lease_seconds=1).migrate(migrations(counted))
    assert taken == [1]
    assert await stored(database) == {"_id": "stored", "version": 1}


async def test_a_failed_migration_does_not_count_as_done(connect: Connect) -> None:
    database = await an_old_one(connect)

    async def failing() -> None:
        raise RuntimeError("nowhere to go")

    schema = Schema(database)
    await schema.record_version(2)
    with pytest.raises(RuntimeError, match="nowhere"):
        await schema.migrate(migrations(nothing, failing))
    left = await stored(database)
    assert left is not None
    assert left["version"] == 1
    await schema.migrate(migrations(nothing, nothing))
    assert await stored(database) == {"_id": "stored", "version": 2}


async def test_data_of_a_newer_program_is_refused_and_left_alone(connect: Connect) -> None:
    database = await an_old_one(connect)
    schema = Schema(database)
    await schema.record_version(2)
    await schema.migrate(migrations(nothing, nothing))
    with pytest.raises(NewerSchema) as refused:
        await schema.migrate(migrations(nothing))
    assert (refused.value.stored, refused.value.known) == (2, 1)
    assert await stored(database) == {"_id": "stored", "version": 2}
