"""`kill -9` of a server while it sends webhooks: nothing is lost, and what is sent again has the same id."""

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from channels.webhooks.service.dispatcher import LEASE_SECONDS
from tests.api import User, a_channel, id_of
from tests.channels.webhooks.receiver import Received, a_receiver, a_webhook
from tests.faults.deployment import Server, token

CHANNELS: Final = 3
POSTS: Final = 12
"""In each channel, before the kill and after it."""
SECONDS: Final = LEASE_SECONDS + 45


async def test_every_acknowledged_post_reaches_a_webhook_though_its_server_is_killed(
    directory: Path,
) -> None:
    server = Server(directory, name="hooks")
    server.settings["CHANNELS_WEBHOOK_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    await asyncio.to_thread(server.start)
    try:
        async with a_receiver() as receiver, aiohttp.ClientSession() as http:

            async def slowly(_: Received) -> web.Response:
                await asyncio.sleep(0.05)
                return web.Response(status=200)

            receiver.replies["/a"] = slowly
            owner = User(http, server.url, "ona", token("ona"))
            app = User(http, server.url, "app", token("app", admin=True))
            paths = [await a_channel(owner) for _ in range(CHANNELS)]
            await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
            acknowledged: set[tuple[str, int]] = set()

            async def write(path: str) -> None:
                for number in range(POSTS):
                    posted = await owner.post(
                        f"{path}/posts", {"kind": "text", "text": str(number)}
                    )
                    assert posted.status == 201, posted
                    acknowledged.add((id_of(path), posted.body["seq"]))

            await asyncio.gather(*map(write, paths))
            await receiver.wait_for("/a", 8)
            server.kill()
            before = len(receiver.received["/a"])
            assert before < len(acknowledged), "the kill came too late to show anything"
            await asyncio.to_thread(server.start)
            await asyncio.gather(*map(write, paths))

            def posts() -> list[tuple[str, int]]:
                events = [each.event for each in receiver.received["/a"]]
                return [(event["channel_id"], event["post"]["seq"]) for event in events]

            async with asyncio.timeout(SECONDS):
                while not acknowledged <= set(posts()):
                    await asyncio.sleep(0.1)

            ids = dict(zip(posts(), (each.id for each in receiver.received["/a"]), strict=True))
            for post, received in zip(posts(), receiver.received["/a"], strict=True):
                assert received.id == ids[post], "an event was sent again under another id"
            for path in paths:
                seqs = [seq for channel_id, seq in posts() if channel_id == id_of(path)]
                # What was under way at the kill may come twice, and nothing comes before what was before it.
                assert sorted(seqs) == seqs
                assert len(seqs) <= len(set(seqs)) + 1
            assert server.defects() == []
    finally:
        server.stop()
