"""A large channel changes its name: each socket of two real processes receives one event.

The form with 100,000 subscribers is marked `scale` (`pytest -m scale -n0`); its short form always runs.
"""

import shutil
import time
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import pytest

from channels.server.data_dir import load_or_create_secret
from channels.server.embedded.supervisor import MongodState
from tests.api import a_channel
from tests.channels.test_notifications import without_probes
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory
from tests.scale.test_million_import import filled

SHORT: Final = 2_000
MANY: Final = 100_000

Pair = tuple[ServerProcess, ServerProcess]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """A server with its database, and a second server process on the same database."""
    directory = scratch_directory()
    data_dir = directory / "data"
    async with aiohttp.ClientSession() as http:
        one, other = ServerProcess(data_dir, http), ServerProcess(data_dir, http)
        try:
            await one.start()
            uri = MongodState.read(data_dir).uri
            assert uri is not None
            secret = load_or_create_secret(data_dir)
            await other.start(CHANNELS_MONGODB_URI=uri, CHANNELS_SECRET=secret)
            yield one, other
        finally:
            await other.stop()
            await one.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def test_a_rename_reaches_a_socket_of_another_process_once(
    pair: Pair,
) -> None:
    await _changes(pair, SHORT)


@pytest.mark.scale
@pytest.mark.timeout(300)
async def test_a_rename_for_100_000_reaches_a_socket_elsewhere_once(
    pair: Pair,
) -> None:
    await _changes(pair, MANY)


async def _changes(pair: Pair, subscribers: int) -> None:
    one, other = pair
    ada, root = one.user_of("ada"), one.user_of("root", admin=True)
    path = await a_channel(ada)
    last, _ = await filled(root, path, subscribers)
    assert last["subscriber_count"] == subscribers + 1
    bob = "user-0000007"
    listening = [server.user_of(name) for name in ("ada", bob) for server in pair for _ in range(2)]
    ears = [await user.socket() for user in listening]
    stranger = await other.user_of("stranger").socket()
    started = time.perf_counter()
    assert (await ada.patch(path, {"name": "New name"})).status == 200
    seconds = time.perf_counter() - started
    for body in ({"name": "New name"}, {}):  # neither changes anything
        assert (await ada.patch(path, body)).status == 200
    for each in ears:
        (event,) = without_probes(await each.until_now())
        assert event["type"] == "channel.updated"
        assert event["changed"] == {"name": "New name"}
    assert await stranger.until_now() == []
    print(
        f"{subscribers:,} subscribers: changed in {seconds * 1000:.0f} ms, one event for each socket"
    )
    for each in (*ears, stranger):
        await each.close()
