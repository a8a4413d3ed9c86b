"""Delivery without devices: it ends with the last one, begins with the next one, and loses no push between the two."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from channels.push.store.devices import DeviceStore
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx
from tests.api import Api, a_channel, a_post, part
from tests.conftest import OpenApi
from tests.push.services import PushWorld, a_push_world, a_subscription, add_phone


@pytest_asyncio.fixture
async def world() -> AsyncIterator[PushWorld]:
    async with a_push_world() as world:
        yield world


async def is_active(server: Api) -> bool:
    return await server.services.push_delivery.consumer.is_active()


async def test_delivery_ends_with_the_last_device_and_begins_with_the_next_one(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner, ada, bob = (server.new_user(name) for name in ("owner", "ada", "bob"))
    path, unused = await a_channel(owner, ada, bob), server.services.push_delivery.unused
    phone, other = await add_phone(ada), await add_phone(bob)
    await ada.delete(f"/v1/devices/{part(phone)}")
    await unused.end()
    assert await is_active(server), "bob's phone is left"
    await bob.delete(f"/v1/devices/{part(other)}")
    for _ in range(2):
        await unused.end()
        assert not await is_active(server)
    await a_post(owner, path, "To nobody")
    await server.services.log.sequencer.run()
    await add_phone(bob)
    await a_post(owner, path, "To bob")
    await world.until(1)
    assert [each.payload["body"] for each in world.got] == ["To bob"]


class HeldStore(DeviceStore):
    """Waits in a transaction after it has found no user, the first time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_looked, self.gate = asyncio.Event(), asyncio.Event()

    async def list_users(self, *, after: str, limit: int, tx: Tx | None = None) -> list[UserId]:
        found = await super().list_users(after=after, limit=limit, tx=tx)
        if tx is not None:
            self.has_looked.set()
            await self.gate.wait()
        return found


@pytest.mark.parametrize("first", ["registration", "end"])
async def test_a_device_that_is_registered_while_delivery_ends_gets_the_next_post(
    api: OpenApi, world: PushWorld, second_database: Database, *, first: str
) -> None:
    server = await api(options=world.options())
    other = await api(options=world.options(), database=second_database)
    owner, ada, bob = (server.new_user(name) for name in ("owner", "ada", "bob"))
    path = await a_channel(owner, ada, bob)
    phone = await add_phone(ada)
    await ada.delete(f"/v1/devices/{part(phone)}")
    held = HeldStore(second_database)
    unused = replace(other.services.push_delivery.unused, devices=held)
    if first == "registration":
        ending = asyncio.create_task(unused.end())
        await held.has_looked.wait()
        # The end has seen no device, and is not committed.
        await add_phone(bob)
        held.gate.set()
        await ending
    else:
        held.gate.set()
        runs = 0

        async def register(tx: Tx) -> None:
            nonlocal runs
            runs += 1
            delivery = server.services.push_delivery
            registration = a_subscription(world, "browser")
            await delivery.core.registry.register_in(UserId(bob.id), "browser", registration, tx)
            await delivery.activate(tx)
            if runs == 1:
                # The registration has seen an active consumer, and is not committed.
                await unused.end()
                assert not await is_active(server)

        await server.services.database.run(register)
        assert runs == 2
    assert await is_active(server)
    await a_post(owner, path)
    await world.until(1)
