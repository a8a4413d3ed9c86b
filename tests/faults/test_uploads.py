"""`kill -9` of a server during uploads: acknowledged ones are stored, and the others leave no bytes."""

import asyncio
import io
import time
from typing import Final

import aiohttp
from pymongo import MongoClient

from groups.kernel.ids import SEPARATOR
from tests.faults.audit import verify
from tests.faults.deployment import DATABASE, Server, token

FILE: Final = bytes(range(256)) * 16_384  # 4 MiB: several chunks
UPLOADS: Final = 12
SECONDS: Final = 30.0


async def test_a_kill_among_uploads_leaves_no_bytes_without_a_record(embedded: Server) -> None:
    kept: list[str] = []
    url = f"{embedded.url}/v1/media"

    async def upload(http: aiohttp.ClientSession, number: int) -> None:
        # Each user uploads files one after the other. One user alone may not have so many uploads at once.
        headers = {"Authorization": f"Bearer {token(f'ada-{number}')}"}
        try:
            while True:
                async with http.post(url, data=io.BytesIO(FILE), headers=headers) as answer:
                    assert answer.status == 201
                    kept.append((await answer.json())["media_id"])
        except aiohttp.ClientError:
            return  # the server was killed before it acknowledged the upload

    with MongoClient[dict[str, object]](embedded.uri, tz_aware=True) as client:
        database = client[DATABASE]
        async with aiohttp.ClientSession() as http:
            uploads = [asyncio.create_task(upload(http, n)) for n in range(UPLOADS)]
            deadline = time.monotonic() + SECONDS
            while not (kept and database["media"].find_one({"state": "incoming"})):
                assert time.monotonic() < deadline, "no upload began"
                await asyncio.sleep(0.002)
            embedded.kill()
            await asyncio.gather(*uploads)
        await asyncio.to_thread(embedded.start)
    with MongoClient[dict[str, object]](embedded.uri, tz_aware=True) as client:
        database = client[DATABASE]
        records = {row["_id"]: row for row in database["media"].find({})}
        held = {
            str(row).partition(SEPARATOR)[0]
            for row in database["blobs.chunks"].distinct("files_id")
        }
    assert held <= set(records), "bytes without a record"
    assert set(kept) <= set(records)
    unfinished = [row for row in records.values() if row["state"] != "stored"]
    assert unfinished, "no upload was interrupted"
    assert all(row["expires_at"] for row in records.values()), "unused uploads expire"
    async with aiohttp.ClientSession() as http:
        for media_id in kept:
            async with http.get(f"{url}/{media_id}") as answer:
                assert await answer.read() == FILE
    await asyncio.to_thread(verify, embedded)
