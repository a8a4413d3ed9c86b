"""Automatic messages are sent once, whichever processes send them, and by the next one after a process is gone."""

import asyncio

import pytest

from groups.kernel.mongo import Database
from tests.api import a_channel, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="function")

PEOPLE = 60
"""More than share a transaction."""


async def test_a_greeting_is_sent_once_by_processes_that_race_and_by_the_next_one_after_a_stop(
    api: OpenApi, database: Database, second_database: Database
) -> None:
    first, second = await api(), await api(database=second_database)
    both = [server.services.automatic for server in (first, second)]
    for automatic in both:
        await automatic.worker.close()
    ada = first.new_user("ada")
    channel = await a_channel(ada)
    assert (await ada.put(f"{channel}/greeting", {"text": "Welcome"})).status == 200
    people = [first.new_user("p") for _ in range(PEOPLE)]
    jobs = database.collection("automatic_jobs")

    async def until(number: int) -> None:
        async with asyncio.timeout(30):
            while await jobs.count_documents({}) != number:
                await asyncio.sleep(0.05)

    await asyncio.gather(*(each.put(f"{channel}/subscription") for each in people))
    await until(PEOPLE)
    await asyncio.gather(*(automatic.worker.send_due() for automatic in both for _ in range(2)))
    assert await jobs.count_documents({}) == 0
    late = first.new_user("late")
    await late.put(f"{channel}/subscription")
    await until(1)
    # Both processes are gone with a message that waits; it is sent when one comes back.
    await first.stop()
    await second.stop()
    third = await api()
    await until(0)
    talk = f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages"
    for each in (*people[:3], people[-1], late):
        found = (await third.user_of(each.id).get(talk)).items
        assert [message["text"] for message in found] == ["Welcome"]
    messages = database.collection("messages")
    assert await messages.count_documents({"automatic": True}) == PEOPLE + 1
