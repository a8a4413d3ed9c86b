"""Imports that fill a channel to its limit, with a server in a process of its own.

The form with a million is marked `scale` (`pytest -m scale -n0`). The short form, with a limit of 20,000, always runs.
"""

import json
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from yarl import URL

from tests.api import AS_LINES, User, a_channel
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory

SHORT: Final = 20_000
LIMIT_OF: Final = "CHANNELS_LIMIT_COMMUNITY_MEMBERS"
FULL: Final = "member_limit_reached"
MOST_BYTES: Final = 40_000_000
"""That an import may take of the server. What a server holds without one grows with the program: `channels bench`."""
PIECE: Final = 2_000  # lines sent at once


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    """A server that is not started."""
    directory: Path = scratch_directory()
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(directory / "data", http)
        try:
            yield server
        finally:
            await server.stop()
    shutil.rmtree(directory, ignore_errors=True)


async def lines_of(users: int) -> AsyncIterator[bytes]:
    for first in range(0, users, PIECE):
        numbers = range(first, min(users, first + PIECE))
        yield b"".join(b'{"user_id": "user-%07d"}\n' % number for number in numbers)


async def imported(user: User, path: str, users: int) -> AsyncGenerator[dict[str, Any], None]:
    """Import this many users; yields the lines of the response."""
    url = URL(f"{user.base}{path}/subscribers", encoded=True)
    headers = {**AS_LINES, "Authorization": f"Bearer {user.token}"}
    # The lines have the results of whole batches, and are longer than the client's default.
    async with user.http.post(
        url,
        data=lines_of(users),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=2**22,
    ) as response:
        assert response.status == 200
        async for line in response.content:
            yield json.loads(line)


async def filled(user: User, path: str, users: int) -> tuple[dict[str, Any], list[str]]:
    """Import this many users; returns the last line, and the result of each user in order."""
    last: dict[str, Any] = {}
    results: list[str] = []
    async for last in imported(user, path, users):
        results += [result["result"] for result in last["results"]]
    assert last["done"] is True
    assert len(results) == users
    return last, results


async def test_a_channel_is_filled_to_its_limit_and_not_beyond(server: ServerProcess) -> None:
    await server.start(**{LIMIT_OF: str(SHORT)})
    await _fill(server, SHORT)


@pytest.mark.scale
@pytest.mark.timeout(900)
async def test_a_channel_is_filled_with_a_million_and_not_beyond(server: ServerProcess) -> None:
    await server.start()
    await _fill(server, 1_000_000)


async def _fill(server: ServerProcess, limit: int) -> None:
    """The owner and `limit - 1` imported users fill the channel; one more is refused by every call."""
    ada, eve, root = (
        server.user_of("ada"),
        server.user_of("eve"),
        server.user_of("root", admin=True),
    )
    path = await a_channel(ada)
    held = server.peak_bytes()
    started = time.perf_counter()
    last, results = await filled(root, path, limit)
    seconds = time.perf_counter() - started
    assert results == ["added"] * (limit - 1) + [FULL]
    assert (last["received"], last["added"], last["refused"]) == (limit, limit - 1, 1)
    assert last["subscriber_count"] == limit
    assert (await eve.put(f"{path}/subscription")).refusal == (409, FULL)
    assert (await ada.put(f"{path}/subscribers/{eve.id}")).refusal == (409, FULL)
    started = time.perf_counter()
    last, results = await filled(root, path, limit)
    again_seconds = time.perf_counter() - started
    assert results == ["present"] * (limit - 1) + [FULL]
    assert last["subscriber_count"] == limit
    assert (await ada.get(path)).body["subscriber_count"] == limit
    growth = server.peak_bytes() - held
    print(
        f"{limit:,} imported in {seconds:.1f} s, again in {again_seconds:.1f} s; "
        f"the server held {held / 1e6:.0f} MB, and took {growth / 1e6:.0f} MB more at most"
    )
    assert growth < MOST_BYTES


async def test_an_import_that_a_crash_cut_off_can_be_repeated(
    server: ServerProcess,
) -> None:
    users = 30_000
    await server.start()
    path = await a_channel(server.user_of("ada"), channel_id="@TOA#_news")
    added: list[int] = []

    async def import_until_killed() -> None:
        async with aclosing(imported(server.user_of("root", admin=True), path, users)) as lines:
            async for line in lines:
                added.append(line["added"])
                await server.kill()

    with pytest.raises(aiohttp.ClientError):
        await import_until_killed()
    stored = added[-1]
    assert 0 < stored < users
    await server.start()
    last, results = await filled(server.user_of("root", admin=True), path, users)
    assert set(results[:stored]) == {"present"}
    assert results.count("added") == last["added"] > 0
    assert last["subscriber_count"] == users + 1
