"""The process that subscribes everybody to a default channel is killed in the middle; another one goes on."""

import asyncio
import time
from typing import Any, Final

import pytest
from pymongo import MongoClient

from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server
from tests.faults.load import Clients

SECONDS: Final = 60.0
USERS: Final = 3_000
PATH: Final = "/v1/channels/welcome"


async def until(stored: Any, **wanted: Any) -> dict[str, Any]:
    """The stored state of the channel's sweep once it fits."""
    deadline = time.monotonic() + SECONDS
    while (row := stored.find_one({"number": 1, **wanted})) is None:
        assert time.monotonic() < deadline, stored.find_one({"number": 1})
        await asyncio.sleep(0.005)
    found: dict[str, Any] = row
    return found


@pytest.mark.timeout(180)
async def test_a_killed_sweep_is_continued_by_another_process_and_subscribes_nobody_twice(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        names = [f"person-{number:05}" for number in range(USERS)]
        database["users"].insert_many([{"_id": name, "name": "A person"} for name in names])
        async with Clients([one.url]) as clients:
            body = {"channel_id": "@TOA#_welcome", "name": "Welcome"}
            await clients.insist("POST", "/v1/channels", "owner", body)
            # The other one is held up, so that it is not the one that sweeps.
            other.kill()
            await clients.insist("PUT", f"{PATH}/default", "back-end", admin=True)
            stored = database["default_channels"]
            await until(stored, walked={"$gt": 0})
            one.kill()
        left = await until(stored, phase={"$ne": "done"})
        assert left["walked"] < USERS
        assert database["members"].count_documents({}) == left["subscribed"] + 1
        # Half a minute later.
        stored.update_one({"number": 1}, {"$unset": {"leased_until": ""}})
        await asyncio.to_thread(other.start)
        done = await until(stored, phase="done")
        assert (done["subscribed"], done["passed_over"]) == (USERS, 0)
        members = {row["user_id"] for row in database["members"].find({}, {"user_id": 1})}
        assert members == {*names, "owner"}
        counted = {"_id": "@TOA#_welcome", "member_count": USERS + 1}
        assert database["groups"].find_one(counted) is not None
    await asyncio.to_thread(verify, other)
    assert other.defects() == []
