"""Scheduled posts that are due while servers are down, die or freeze: each is published exactly once.

The tests do not wait: they move `publish_at` into the past in the database while no server runs. Only the long form has
the simplest case, in which the servers are down when the posts are due:

    pytest -m faults tests/faults/test_schedule.py -n0
"""

import asyncio
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, kill, token

SECONDS: Final = 60.0
ATTEMPTS: Final = 5  # to stop it before it has published all
HEADERS: Final = {"Authorization": f"Bearer {token('ada')}"}

Stored = Database[dict[str, Any]]


async def call(http: aiohttp.ClientSession, method: str, url: str, body: object = None) -> Any:
    async with http.request(method, url, json=body, headers=HEADERS) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def scheduled(
    server: Server,
    name: str,
    channels: int,
    posts: int,
    *,
    within: timedelta = timedelta(hours=1),
) -> list[str]:
    """Create channels, each with posts that are due in an hour, in order; returns their ids."""
    ids = [f"@TOA#_{name}-{number}" for number in range(channels)]
    due = datetime.now(UTC) + within
    base = f"{server.url}/v1/channels"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8)) as http:

        async def fill(channel_id: str) -> None:
            await call(http, "POST", base, {"channel_id": channel_id, "name": channel_id})
            for number in range(posts):
                at = (due + timedelta(seconds=number)).isoformat()
                body = {"post": {"kind": "text", "text": str(number)}, "publish_at": at}
                await call(http, "POST", f"{base}/{quote(channel_id, safe='')}/drafts", body)

        await asyncio.gather(*(fill(channel_id) for channel_id in ids))
    return ids


def make_due(database: Stored) -> None:
    """Move all scheduled posts two hours into the past."""
    for draft in database["drafts"].find({"due_at": {"$exists": True}}):
        past = draft["due_at"] - timedelta(hours=2)
        fields = {"due_at": past, "publish_at": past, "order_at": past}
        database["drafts"].update_one({"_id": draft["_id"]}, {"$set": fields})


def texts(database: Stored, channel_id: str) -> list[str]:
    """The texts of the posts, in order."""
    rows = database["messages"].find({"stream_id": f"group_{channel_id}"}).sort([("seq", 1)])
    return [row["content"]["text"] for row in rows]


async def all_out(database: Stored) -> None:
    deadline = time.monotonic() + SECONDS
    while database["drafts"].find_one({"due_at": {"$exists": True}}) is not None:
        assert time.monotonic() < deadline, "something is still scheduled"
        await asyncio.sleep(0.02)


@pytest.mark.faults
@pytest.mark.timeout(180)
async def test_posts_due_during_downtime_are_published_once_by_two_servers(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    ids = await scheduled(one, "down", 3, 5)
    for server in pair:
        server.kill()
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        make_due(database)
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in pair))
        await all_out(database)
        for channel_id in ids:
            assert texts(database, channel_id) == ["0", "1", "2", "3", "4"]
        assert database["drafts"].find_one({"failure": {"$ne": None}}) is None
    await asyncio.to_thread(verify, other)
    for server in pair:
        assert server.defects() == []


def until_one_is_out(database: Stored, streams: dict[str, Any]) -> None:
    """Wait, without pauses, until a post is in one of these streams, so that the signal comes in the middle."""
    deadline = time.monotonic() + SECONDS
    while database["messages"].find_one(streams) is None:
        assert time.monotonic() < deadline, "nothing was published"


def counted(database: Stored, streams: dict[str, Any]) -> tuple[int, int]:
    """The number of due posts, and of those in these streams."""
    left = database["drafts"].count_documents({"due_at": {"$exists": True}})
    return left, database["messages"].count_documents(streams)


async def caught(
    server: Server, database: Stored, how: signal.Signals, name: str
) -> tuple[list[str], int]:
    """Send the server the signal while it publishes posts; returns their channels, and where its log begins.

    With SIGKILL this waits until the process has ended.
    """
    # Otherwise one transaction publishes all of them, and there is no middle.
    server.settings["CHANNELS_KEYS_PER_TRANSACTION"] = "1"
    for attempt in range(ATTEMPTS):
        if not server.runs:
            await asyncio.to_thread(server.start)
        ids = await scheduled(server, f"{name}-{attempt}", 60, 2)
        server.kill()
        make_due(database)
        streams = {"stream_id": {"$in": [f"group_{channel_id}" for channel_id in ids]}}
        seen = server.begin()
        until_one_is_out(database, streams)
        kill(server.pid, how)
        deadline = time.monotonic() + SECONDS
        if how is signal.SIGKILL:
            server.kill()
        left, out = counted(database, streams)
        while out + left != 2 * len(ids):  # the database finishes the last command
            assert time.monotonic() < deadline, f"{out} out, {left} due"
            left, out = counted(database, streams)
        print(f"{name} with {out} out and {left} due")
        if left:
            return ids, seen
        server.kill()
    raise AssertionError("it publishes faster than it can be stopped")


@pytest.mark.timeout(180)
async def test_a_kill_while_publishing_leaves_posts_published_once_or_due(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    other.kill()
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        ids, _ = await caught(one, database, signal.SIGKILL, "killed")
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in pair))
        await all_out(database)
        for channel_id in ids:
            assert texts(database, channel_id) == ["0", "1"]
        assert database["drafts"].find_one({"failure": {"$ne": None}}) is None
    await asyncio.to_thread(verify, other)
    for server in pair:
        assert server.defects() == []


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_a_process_that_freezes_while_publishing_repeats_nothing(
    pair: tuple[Server, Server],
) -> None:
    one, other = pair
    other.kill()
    with MongoClient[dict[str, Any]](one.uri, tz_aware=True) as client:
        database = client[DATABASE]
        ids, seen = await caught(one, database, signal.SIGSTOP, "asleep")
        try:
            # The other process ends the open transaction of the frozen one, and publishes its post.
            await asyncio.to_thread(other.start)
            await all_out(database)
        finally:
            kill(one.pid, signal.SIGCONT)
        deadline = time.monotonic() + SECONDS
        while "\nReady." not in one.log(seen):
            assert time.monotonic() < deadline, one.log(seen)
            await asyncio.sleep(0.02)
        # When it publishes a new post, it has finished its interrupted work.
        other.kill()
        (last,) = await scheduled(one, "awake", 1, 1, within=timedelta(seconds=1))
        await all_out(database)
        assert texts(database, last) == ["0"]
        await asyncio.to_thread(other.start)
        for channel_id in ids:
            assert texts(database, channel_id) == ["0", "1"]
        assert database["drafts"].find_one({"failure": {"$ne": None}}) is None
    await asyncio.to_thread(verify, other)
    for server in pair:
        assert server.defects() == []
