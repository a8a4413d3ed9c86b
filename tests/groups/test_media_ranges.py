"""Ranges of downloads: correct across chunks, cheap when they are small, counted like every other request."""

import asyncio
import io
import random
from typing import Any, Final

import pytest

from channels.limits import Limits
from channels.server.limits.by_address import AT_ONCE
from groups.kernel.byte_cache import PARTS, caches
from groups.kernel.mongo import Database
from groups.models import MediaSize
from groups.store.media_bytes import CHUNK_BYTES, MediaBytes
from tests.api import MovedClock, User
from tests.conftest import OpenApi
from tests.groups.test_media import load

DATA: Final = random.Random(5).randbytes(4 * CHUNK_BYTES + 1000)


async def upload(user: User) -> Any:
    sent = await user.call("POST", "/v1/media", data=io.BytesIO(DATA), headers={})
    assert sent.status == 201
    return sent.body


async def bytes_from_chunks(database: Database) -> int:
    """The bytes of chunks that the database has sent since it began to record."""
    profile = database.collection("system.profile")
    rows = await profile.find({"ns": {"$regex": r"\.blobs\.chunks$"}}).to_list(None)
    return sum(row["responseLength"] for row in rows)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0, 0),
        (CHUNK_BYTES - 1, CHUNK_BYTES),
        (CHUNK_BYTES, 2 * CHUNK_BYTES - 1),
        (1, len(DATA) - 2),
        (3 * CHUNK_BYTES + 7, 4 * CHUNK_BYTES + 7),
        (len(DATA) - 1, len(DATA) - 1),
    ],
)
async def test_a_range_has_the_same_bytes_as_the_whole(api: OpenApi, first: int, last: int) -> None:
    ada = (await api()).new_user("ada")
    url = (await upload(ada))["url"]
    for _ in range(2):
        status, headers, got = await load(ada, url, Range=f"bytes={first}-{last}")
        assert (status, headers["Content-Length"]) == (206, str(last - first + 1))
        assert got == DATA[first : last + 1]
    assert (await load(ada, url))[2] == DATA


async def test_one_byte_reads_one_chunk_and_the_next_byte_none(
    api: OpenApi, database: Database
) -> None:
    ada = (await api()).new_user("ada")
    url = (await upload(ada))["url"]
    await database.collection("any").database.command("profile", 2)
    try:
        for n in range(20):
            assert (await load(ada, url, Range=f"bytes={n}-{n}"))[2] == DATA[n : n + 1]
        read = await bytes_from_chunks(database)
    finally:
        await database.collection("any").database.command("profile", 0)
    assert CHUNK_BYTES <= read < 1.1 * CHUNK_BYTES


async def test_chunks_are_cached_up_to_a_bound(
    api: OpenApi, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = (await api()).new_user("ada")
    media_id = (await upload(ada))["media_id"]
    monkeypatch.setattr("groups.store.media_bytes.KEPT_BYTES", PARTS * (CHUNK_BYTES + 1_000))
    before = caches()
    store = MediaBytes(database)
    [cache] = [cache for cache in caches() if cache not in before]
    file = await store.find_file(media_id, MediaSize.ORIGINAL)
    assert file is not None
    blob = file.blob

    def cached() -> set[int]:
        return {number for number in range(5) if cache.get((blob, number)) is not None}

    for start in range(0, len(DATA), CHUNK_BYTES // 3):
        got = b"".join([piece async for piece in store.read(file, start, 5)])
        assert got == DATA[start : start + 5]
        assert cache.size_bytes <= PARTS * (CHUNK_BYTES + 1_000)
    kept = cached()
    assert kept
    assert b"".join([piece async for piece in store.read(file, 0, len(DATA))]) == DATA
    assert cached() <= kept | {4}, "a whole download keeps nothing of it"


async def test_a_deleted_file_is_not_sent_from_the_cache(api: OpenApi) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada = server.new_user("ada")
    url = (await upload(ada))["url"]
    assert (await load(ada, url, Range="bytes=0-0"))[0] == 206
    clock.move(seconds=Limits().unused_media_seconds + 1)
    assert await server.services.chat.media.sweep() == 1
    assert (await load(ada, url, Range="bytes=0-0"))[0] == 404


async def test_ranges_count_against_the_rate_of_the_address(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.rate_limit.monotonic", lambda: 1_000.0)
    server = await api(address_requests_per_second=3)
    ada = server.new_user("ada")
    url = (await upload(ada))["url"]
    answers = [(await load(ada, url, Range=f"bytes={n}-{n}"))[0] for n in range(4)]
    assert answers == [206, 206, 206, 429]


async def test_an_address_reads_a_bounded_number_of_chunks_at_once(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    url = (await upload(server.new_user("ada")))["url"]
    at_once = most = 0
    chunk = MediaBytes.read_chunk

    async def counted(self: MediaBytes, blob: str, number: int, *, keep: bool) -> bytes:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await asyncio.sleep(0.005)
            return await chunk(self, blob, number, keep=keep)
        finally:
            at_once -= 1

    monkeypatch.setattr(MediaBytes, "read_chunk", counted)
    nobody = server.bearer(None)
    asked = [load(nobody, url, Range=f"bytes={number}-{number}") for number in range(4 * AT_ONCE)]
    assert {status for status, *_ in await asyncio.gather(*asked)} == {206}
    assert most == AT_ONCE
