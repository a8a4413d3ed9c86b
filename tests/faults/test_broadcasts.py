"""The process that sends a broadcast is killed in the middle; another one goes on, and is stopped, and goes on."""

import asyncio
import time
from collections import Counter
from typing import Any, Final

import aiohttp
import pytest
from pymongo import MongoClient

from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, token
from tests.faults.load import Clients

SECONDS: Final = 60.0
USERS: Final = 2_500
PATH: Final = "/v1/channels/offers"


async def until(stored: Any, **wanted: Any) -> dict[str, Any]:
    """The stored broadcast once it fits."""
    deadline = time.monotonic() + SECONDS
    while (row := stored.find_one(wanted)) is None:
        assert time.monotonic() < deadline, stored.find_one({})
        await asyncio.sleep(0.005)
    found: dict[str, Any] = row
    return found


async def subscribe(url: str, lines: str) -> None:
    """Import these subscribers."""
    headers = {
        "Authorization": f"Bearer {token('back-end', admin=True)}",
        "Content-Type": "application/x-ndjson",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}?results=refused", data=lines, headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        await response.read()


@pytest.mark.timeout(180)
async def test_a_killed_broadcast_is_continued_by_another_process_and_sent_to_nobody_twice(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        stored, messages = database["broadcasts"], database["messages"]

        def got() -> Counter[str]:
            rows = messages.find({"broadcast_id": {"$exists": True}}, {"stream_id": 1})
            return Counter(row["stream_id"] for row in rows)

        lines = "".join(f'{{"user_id": "person-{n:05}"}}\n' for n in range(USERS))
        async with Clients([one.url]) as clients:
            body = {"channel_id": "@TOA#_offers", "name": "Offers"}
            await clients.insist("POST", "/v1/channels", "owner", body)
            await subscribe(f"{one.url}{PATH}/subscribers", lines)
            # The other one is held up, so that it is not the one that sends.
            other.kill()
            hello = {"kind": "text", "text": "Hello"}
            created = await clients.insist("POST", f"{PATH}/broadcasts", "owner", hello)
            await until(stored, sent={"$gt": 200})
            one.kill()
        left = await until(stored, state="running")
        # What was counted was sent, and nothing else.
        assert left["sent"] == len(got()) < USERS
        # Some seconds later.
        stored.update_one({}, {"$unset": {"leased_until": ""}})
        await asyncio.to_thread(other.start)
        await until(stored, sent={"$gt": left["sent"] + 200})
        calls = f"{PATH}/broadcasts/{created['broadcast_id']}"
        async with Clients([other.url]) as clients:
            stopped = await clients.insist("POST", f"{calls}/stop", "owner")
            sent = len(got())
            assert stopped["sent"] == sent < USERS
            await asyncio.sleep(1)
            assert len(got()) == sent
            await clients.insist("POST", f"{calls}/resume", "owner")
            done = await until(stored, state="done")
        assert (done["sent"], done["total"]) == (USERS + 1, USERS + 1)
        assert set(got().values()) == {1}
        assert len(got()) == USERS + 1
    await asyncio.to_thread(verify, other)
    assert other.defects() == []
