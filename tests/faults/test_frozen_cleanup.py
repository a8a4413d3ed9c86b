"""A process freezes while it cleans up a disbanded channel; another one finishes, and the id gets a new channel.

There is no lease that could be lost: each step checks, in its transaction, whether the clean-up is still to be done.
"""

import asyncio
import signal
import time
from typing import Any, Final

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, kill
from tests.faults.load import Clients

SECONDS: Final = 60.0
ATTEMPTS: Final = 20  # to freeze it before it has finished
READERS: Final = 10
HEART: Final = "%E2%9D%A4%EF%B8%8F"

Stored = Database[dict[str, Any]]


async def filled(clients: Clients, name: str) -> None:
    """Create a channel with readers, a post, and a reaction of each reader."""
    body = {"channel_id": f"@TOA#_{name}", "name": name}
    path = f"/v1/channels/{name}"
    await clients.insist("POST", "/v1/channels", "owner", body)
    await clients.insist("POST", f"{path}/posts", "owner", {"kind": "text", "text": "hello"})

    async def reads(number: int) -> None:
        user = f"reader-{number}"
        await clients.insist("PUT", f"{path}/subscription", user)
        await clients.insist("PUT", f"{path}/posts/1/reactions/{HEART}", user)

    await asyncio.gather(*(reads(number) for number in range(READERS)))


async def until(database: Stored, group_id: str, *, is_left: bool) -> None:
    deadline = time.monotonic() + SECONDS
    while (database["disbanded"].find_one({"_id": group_id}) is not None) is not is_left:
        assert time.monotonic() < deadline, "the clean-up does not end"
        await asyncio.sleep(0.02)


async def frozen(server: Server, database: Stored) -> str:
    """Freeze the server after the first step of its clean-up of a channel; returns the channel's name."""
    async with Clients([server.url]) as clients:
        for number in range(ATTEMPTS):
            name = f"cleared-{number}"
            await filled(clients, name)
            group_id = f"@TOA#_{name}"
            await clients.insist("DELETE", f"/v1/channels/{name}", "owner")
            # One that is frozen before its first step finds nothing to do later, and does not report an end.
            while database["members"].find_one({"group_id": group_id}) is not None:
                pass
            kill(server.pid, signal.SIGSTOP)
            if database["disbanded"].find_one({"_id": group_id}) is not None:
                return name
            kill(server.pid, signal.SIGCONT)
    raise AssertionError("it cleans up faster than it can be frozen")


@pytest.mark.timeout(180)
async def test_a_waking_cleanup_leaves_a_new_channel_of_the_same_id_alone(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    other.kill()
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        name = await frozen(one, database)
        try:
            # At its start it continues the clean-up of others, and ends the open transaction of the frozen process.
            await asyncio.to_thread(other.start)
            await until(database, f"@TOA#_{name}", is_left=False)
            async with Clients([other.url]) as clients:
                await filled(clients, name)
        finally:
            kill(one.pid, signal.SIGCONT)
        deadline = time.monotonic() + SECONDS
        while f"deleted the remains of group @TOA#_{name}" not in one.log():
            assert time.monotonic() < deadline, one.log()[-2000:]
            await asyncio.sleep(0.02)
        async with Clients([one.url]) as clients:
            page = await clients.insist("GET", f"/v1/channels/{name}/posts?limit=10", "reader-1")
        assert [item["reactions"]["total"] for item in page["items"]] == [READERS]
        assert database["members"].count_documents({"group_id": f"@TOA#_{name}"}) == READERS + 1
    await asyncio.to_thread(verify, other)
    for server in pair:
        assert server.defects() == []
