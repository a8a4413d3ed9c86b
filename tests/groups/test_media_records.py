"""Uploads and their records: a crash leaves nothing behind, and `channels verify` finds what is inconsistent."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database
from groups.models import MediaSize
from groups.service.media.service import STORING_SECONDS
from groups.store.media import MediaStore
from groups.store.media_bytes import MediaBytes
from tests.api import Answer, Api, MovedClock, User, a_channel
from tests.conftest import OpenApi

FILE = b"0123456789abcdef" * 131_072  # 2 MiB: several chunks


@pytest.fixture
async def moved(api: OpenApi) -> tuple[Api, MovedClock]:
    clock = MovedClock()
    return await api(clock=clock), clock


async def upload(user: User, data: bytes = FILE, key: str | None = None) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return await user.call("POST", "/v1/media", data=io.BytesIO(data), headers=headers)


async def told(database: Database, *, repair: bool = False) -> list[str]:
    console = Console(file=io.StringIO())
    outcomes = await verify(database, Limits(), console=console, repair=repair)
    return [f"{found.subject}: {found.problem}" for one in outcomes for found in one.first]


async def stored(database: Database) -> tuple[int, int, int]:
    """The number of records, files and chunks."""
    rows = [
        await database.collection(name).find({}, {"_id": 1}).to_list(None)
        for name in ("media", "blobs.files", "blobs.chunks")
    ]
    return len(rows[0]), len(rows[1]), len(rows[2])


# --- crashes ----------------------------------------------------------------------------------------------------------


class _Crash(BaseException):
    """The process ends here."""


async def _after_the_bytes(*_: object) -> bool:
    raise _Crash


async def _in_the_middle(store: MediaBytes, media_id: str) -> None:
    await store.find_file("none", MediaSize.ORIGINAL)
    raise _Crash


async def test_an_upload_that_a_crash_cut_off_is_hidden_and_swept(
    moved: tuple[Api, MovedClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock = moved
    media, database = server.services.chat.media, server.services.database
    ada = server.new_user("ada")
    with monkeypatch.context() as crashing:
        crashing.setattr(MediaStore, "mark_stored", _after_the_bytes)
        with pytest.raises(_Crash):
            await media.upload(Actor(UserId(ada.id)), _chunks(FILE), length=None, name="a.bin")
    assert (await stored(database))[:2] == (1, 1)
    row = await database.collection("media").find_one({})
    assert row is not None
    assert (await ada.get(f"/v1/media/{row['_id']}")).refusal == (404, "media_not_found")
    post = {"kind": "file", "file": row["_id"]}
    refused = await ada.post(f"{await a_channel(ada)}/posts", post)
    assert refused.refusal == (404, "media_not_found")
    assert await told(database) == []
    # The clock goes on while the test runs, so there is a minute to spare.
    clock.move(seconds=STORING_SECONDS - 60)
    assert await media.sweep() == 0, "its process may still be at it"
    clock.move(seconds=61)
    assert await media.sweep() == 1
    assert await stored(database) == (0, 0, 0)


async def test_a_crash_before_a_file_is_whole_leaves_nothing_either(
    moved: tuple[Api, MovedClock],
) -> None:
    server, clock = moved
    database = server.services.database
    assert (await upload(server.new_user("ada"))).status == 201
    # As GridFS leaves it: the chunks are written first, their file last.
    await database.collection("blobs.files").delete_many({})
    await database.collection("media").update_many({}, {"$set": {"state": "incoming"}})
    assert await told(database) == []
    clock.move(seconds=25 * 3600)
    assert await server.services.chat.media.sweep() == 1
    assert await stored(database) == (0, 0, 0)


async def test_a_sweep_that_a_crash_cut_off_is_finished_by_the_next(
    moved: tuple[Api, MovedClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, clock = moved
    media, database = server.services.chat.media, server.services.database
    assert (await upload(server.new_user("ada"))).status == 201
    clock.move(seconds=25 * 3600)
    with monkeypatch.context() as crashing:
        crashing.setattr(MediaBytes, "delete", _in_the_middle)
        with pytest.raises(_Crash):
            await media.sweep()
    assert await told(database) == []
    assert await media.sweep() == 1
    assert await stored(database) == (0, 0, 0)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


# --- once -------------------------------------------------------------------------------------------------------------


async def test_an_upload_repeated_with_its_key_is_stored_once(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    first = await upload(ada, key="once")
    again = await upload(ada, key="once")
    assert (again.status, again.body) == (201, first.body)
    assert (await upload(ada, FILE + b"!", key="once")).refusal == (409, "idempotency_conflict")
    others = await upload(bob, key="once")
    assert others.body["media_id"] != first.body["media_id"]
    assert (await stored(server.services.database))[:2] == (2, 2)


async def test_an_upload_whose_process_ended_can_be_repeated_with_its_key(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    ada = server.new_user("ada")
    with monkeypatch.context() as crashing:
        crashing.setattr(MediaStore, "mark_stored", _after_the_bytes)
        with pytest.raises(_Crash):
            await server.services.chat.media.upload(
                Actor(UserId(ada.id)), _chunks(FILE), length=None, name="", key="once"
            )
    again = await upload(ada, key="once")
    assert again.status == 201
    assert (await upload(ada, key="once")).body == again.body


# --- verify -----------------------------------------------------------------------------------------------------------

Damage = Callable[[Database, str], Awaitable[object]]


async def lose_the_record(database: Database, media_id: str) -> None:
    await database.collection("media").delete_one({"_id": media_id})


async def lose_the_record_and_the_file(database: Database, media_id: str) -> None:
    await lose_the_record(database, media_id)
    await database.collection("blobs.files").delete_one({"_id": media_id})


async def leave_a_thumbnail(database: Database, media_id: str) -> None:
    files = database.collection("blobs.files")
    row = await files.find_one({"_id": media_id})
    assert row is not None
    await files.insert_one(row | {"_id": join_key("gone", "thumb")})


async def miscount(database: Database, media_id: str) -> None:
    await database.collection("media").update_one({"_id": media_id}, {"$inc": {"uses": 2}})


async def lose_the_bytes(database: Database, media_id: str) -> None:
    await database.collection("blobs.files").delete_one({"_id": media_id})
    await database.collection("blobs.chunks").delete_many({"files_id": media_id})


DAMAGES: dict[str, tuple[Damage, str, bool]] = {
    # name: the damage, the finding, whether it can be repaired
    "bytes of a lost record": (lose_the_record, "has bytes and no record", True),
    "chunks of a lost file": (lose_the_record_and_the_file, "has bytes and no record", True),
    "a thumbnail alone": (leave_a_thumbnail, "gone: has bytes and no record", True),
    "wrong uses": (miscount, "counts 4 uses, 2 messages show it", True),
    "lost bytes": (lose_the_bytes, "has a record and no bytes", False),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_inconsistent_uploads_are_found_and_repaired(api: OpenApi, name: str) -> None:
    server = await api()
    ada, database = server.new_user("ada"), server.services.database
    channel = await a_channel(ada)
    used, unused = [(await upload(ada)).body for _ in range(2)]
    posted = await ada.post(f"{channel}/posts", {"kind": "file", "file": used["media_id"]})
    assert posted.status == 201
    body = {"post": {"kind": "file", "file": used["media_id"]}}
    assert (await ada.post(f"{channel}/drafts", body)).status == 201
    assert await told(database) == []
    damage, expected, is_mendable = DAMAGES[name]
    media_id = (used if "uses" in name else unused)["media_id"]
    await damage(database, media_id)
    assert [line for line in await told(database) if expected in line]
    await told(database, repair=True)
    assert (await told(database) == []) == is_mendable
    assert (await ada.get(used["url"])).status == 200
