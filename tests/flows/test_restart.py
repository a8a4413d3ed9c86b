"""The server as a process: data outlives a restart, a backup, and in the long form a kill; several workers.

`tests/faults` proves the long form under load; here it is seen as a user sees it:

    pytest -m faults tests/flows -n0
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import aiohttp
import pytest

from channels.server.realtime.close_codes import CloseCode
from tests.api import User, a_channel, a_post, conversation_of, part
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory

PATH = "/v1/channels/news"


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    """A server, not started. Every request opens a new connection, so that workers take turns."""
    directory: Path = scratch_directory()
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        server = ServerProcess(directory / "data", http)
        try:
            yield server
        finally:
            await server.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def a_busy_day(server: ServerProcess) -> dict[str, Any]:
    """Make a channel with a subscriber, posts, a reaction and a read cursor. Returns what its users see."""
    ada, bob = server.user_of("ada"), server.user_of("bob")
    path = await a_channel(ada, bob, channel_id="@TOA#_news", organization="City")
    for number in range(5):
        await a_post(ada, path, f"post {number}")
    await bob.put(f"{path}/posts/2/reactions/{part('👍')}")
    await ada.delete(f"{path}/posts/3")
    await bob.post(f"/v1/conversations/{part(conversation_of(path))}/read", {"seq": 2})
    await bob.put("/v1/conversation-groups/news", {"conversation_ids": [conversation_of(path)]})
    return await everything(server)


async def everything(server: ServerProcess) -> dict[str, Any]:
    """The responses that Ada and Bob get."""
    seen: dict[str, Any] = {}
    for name in ("ada", "bob"):
        user = server.user_of(name)
        for path in (
            *(PATH, f"{PATH}/posts", "/v1/conversations", "/v1/unread"),
            *("/v1/conversation-groups", "/v1/channels", "/v1/groups"),
        ):
            answer = await user.get(path)
            assert answer.status == 200, answer
            seen[f"{name} {path}"] = answer.body
    return seen


async def test_a_restart_keeps_everything(server: ServerProcess) -> None:
    await server.start()
    before = await a_busy_day(server)
    assert before["bob /v1/unread"]["conversation_groups"] == {"news": 3}
    ears = await server.user_of("bob").socket()
    stopping = asyncio.create_task(server.stop())
    assert await ears.closed() == CloseCode.GOING_AWAY
    assert await stopping == 0
    await server.start()
    assert await everything(server) == before
    assert (await a_post(server.user_of("ada"), PATH))["seq"] == 6
    assert await server.stop() == 0
    assert '"level": "error"' not in server.log()


async def test_a_backup_holds_its_moment_and_verifies_clean(
    server: ServerProcess,
) -> None:
    await server.start()
    ada = server.user_of("ada")
    await a_busy_day(server)
    uploaded = await ada.call("POST", "/v1/media", data=b"minutes of the meeting", headers={})
    file = f"/v1/media/{uploaded.body['media_id']}"
    post = {"kind": "file", "file": uploaded.body["media_id"]}
    assert (await ada.post(f"{PATH}/posts", post)).status == 201
    before = await everything(server)
    assert await server.stop() == 0
    backup = server.backed_up("backup")

    await server.start()
    await a_post(server.user_of("ada"), PATH)
    assert (await server.user_of("ada").delete(f"{PATH}/posts/1")).status == 204
    await server.kill()
    assert await backup.verify() == (0, ANY)
    await backup.start()
    try:
        assert await everything(backup) == before
        assert (await backup.user_of("bob").get(file)).text == "minutes of the meeting"
        # The server continues from the state of the backup.
        assert (await a_post(backup.user_of("ada"), PATH))["seq"] == 7
    finally:
        assert await backup.stop() == 0


@pytest.mark.faults
async def test_kill_9_loses_nothing_that_was_confirmed(
    server: ServerProcess,
) -> None:
    await server.start()
    await a_busy_day(server)
    ada = server.user_of("ada")
    answered: list[int] = []

    async def post_on() -> None:
        while True:
            answered.append((await a_post(ada, PATH))["seq"])

    writers = [asyncio.create_task(post_on()) for _ in range(4)]
    async with asyncio.timeout(20):
        while len(answered) < 20:
            await asyncio.sleep(0.01)
    await server.kill()
    await asyncio.gather(*writers, return_exceptions=True)
    await server.start()
    bob = server.user_of("bob")
    head = (await bob.get(PATH)).body["head_seq"]
    assert await all_seqs(bob, head) == list(range(1, head + 1))
    assert set(answered) <= set(range(6, head + 1))
    assert (await bob.get("/v1/unread")).body["total"] == head - 2
    assert (await a_post(server.user_of("ada"), PATH))["seq"] == head + 1


async def all_seqs(user: User, head: int) -> list[int]:
    seqs: list[int] = []
    while len(seqs) < head:
        after = seqs[-1] if seqs else 0
        page = (await user.get(f"{PATH}/posts?after_seq={after}&limit=100")).items
        if not page:
            break
        seqs += sorted(post["seq"] for post in page)
    return seqs


@pytest.mark.faults
async def test_two_workers_share_a_port_and_both_receive_every_event(
    server: ServerProcess,
) -> None:
    await server.start("--workers", "2")
    ada, bob = server.user_of("ada"), server.user_of("bob")
    await a_channel(ada, bob, channel_id="@TOA#_news")
    sockets = [await bob.socket() for _ in range(24)]
    workers = await both(server)
    assert sum(workers.values()) == len(sockets)
    assert min(workers.values()) > 0, workers
    for seq in (1, 2, 3):
        await a_post(ada, PATH)
        for ears in sockets:
            await ears.hear("message.posted", seq=seq)
    stopping = asyncio.create_task(server.stop())
    assert {await ears.closed() for ears in sockets} == {CloseCode.GOING_AWAY}
    assert await stopping == 0


async def both(server: ServerProcess) -> dict[str, float]:
    """The number of sockets of each of the two workers, by the start of its request ids."""
    found: dict[str, float] = {}
    for _ in range(200):
        answer = await server.user_of("ada").get("/metrics")
        metric = re.search(r"^channels_sockets (\S+)$", answer.text, re.MULTILINE)
        assert metric is not None
        found[answer.headers["X-Request-Id"][:8]] = float(metric[1])
        if len(found) == 2:
            return found
    raise AssertionError(f"only {found} answer")
