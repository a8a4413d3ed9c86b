"""Quotas of stored bytes, of a user, a channel or group, and the deployment: refused at the limit, given back."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Tx
from groups.models import RECORD_BYTES, Media
from groups.service.media.service import STORING_SECONDS
from groups.store.media import MediaStore, UploadKey
from groups.store.media_bytes import MediaBytes
from tests.api import Answer, Api, MovedClock, User, a_channel, a_chat_group
from tests.conftest import OpenApi
from tests.groups.test_media import an_image

SIZE: Final = 10_000
FILE: Final = b"x" * SIZE
ONE: Final = SIZE + RECORD_BYTES
"""The bytes that one upload of the file counts for."""
REACHED: Final = (507, "storage_quota_reached")


async def upload(user: User, data: bytes = FILE, key: str | None = None) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return await user.call("POST", "/v1/media", data=io.BytesIO(data), headers=headers)


async def an_upload(user: User, data: bytes = FILE) -> str:
    sent = await upload(user, data)
    assert sent.status == 201, sent
    media_id = sent.body["media_id"]
    assert isinstance(media_id, str)
    return media_id


async def a_post_of(user: User, path: str, media_id: str) -> str:
    where = "posts" if "/channels/" in path else "messages"
    posted = await user.post(f"{path}/{where}", {"kind": "file", "file": media_id})
    assert posted.status == 201, posted
    return f"{path}/{where}/{posted.body['seq']}"


async def told(database: Database, *, repair: bool = False) -> list[str]:
    console = Console(file=io.StringIO())
    outcomes = await verify(database, Limits(), console=console, repair=repair)
    return [f"{found.subject}: {found.problem}" for one in outcomes for found in one.first]


async def usage_of(database: Database, user: User) -> tuple[int, int]:
    row = await database.collection("media_usage").find_one({"_id": join_key("user", user.id)})
    return (row["bytes"], row["unused_bytes"]) if row else (0, 0)


# --- of a user --------------------------------------------------------------------------------------------------------


async def test_unused_uploads_are_accepted_up_to_the_limit(
    api: OpenApi,
) -> None:
    server = await api(user_unused_media_bytes=2 * ONE)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await an_upload(ada)
    refused = await upload(ada, FILE + b"x")
    assert refused.refusal == REACHED
    assert refused.body["details"] == {
        "scope": "user_unused",
        "limit_bytes": 2 * ONE,
        "used_bytes": ONE,
    }
    first = await an_upload(ada)
    assert (await upload(ada, b"x")).refusal == REACHED
    assert (await upload(bob)).status == 201, "another's uploads are nothing to him"
    await a_post_of(ada, await a_channel(ada), first)
    assert (await upload(ada)).status == 201, "what is used makes room for what is not"
    assert await usage_of(server.services.database, ada) == (3 * ONE, 2 * ONE)
    assert await told(server.services.database) == []


async def test_a_user_s_uploads_have_a_limit_and_deleting_a_post_makes_room(
    api: OpenApi,
) -> None:
    clock = MovedClock()
    server = await api(clock=clock, user_media_bytes=2 * ONE)
    ada, database = server.new_user("ada"), server.services.database
    channel = await a_channel(ada)
    posts = [await a_post_of(ada, channel, await an_upload(ada)) for _ in range(2)]
    refused = await upload(ada)
    assert refused.refusal == REACHED
    assert refused.body["details"]["scope"] == "user"
    assert "delete messages" in refused.body["detail"]
    assert (await ada.delete(posts[0])).status == 204
    assert await usage_of(database, ada) == (2 * ONE, ONE)
    clock.move(seconds=1)
    assert await server.services.chat.media.sweep() == 1
    assert await usage_of(database, ada) == (ONE, 0)
    assert (await upload(ada)).status == 201
    assert await told(database) == []


async def test_an_image_counts_with_its_smaller_versions(api: OpenApi) -> None:
    server = await api()
    ada, database = server.new_user("ada"), server.services.database
    await an_upload(ada, an_image((2000, 1000)))
    rows = await database.collection("blobs.files").find({}).to_list(None)
    assert len(rows) == 3
    stored = sum(row["length"] for row in rows) + RECORD_BYTES
    assert await usage_of(database, ada) == (stored, stored)


async def test_the_deployment_s_limit_applies_to_the_application_too(
    api: OpenApi,
) -> None:
    server = await api(deployment_media_bytes=2 * ONE, user_media_bytes=ONE)
    root = server.new_user("root", admin=True)
    for _ in range(2):
        await an_upload(root)  # has no limit of its own
    for user in (root, server.new_user("ada")):
        refused = await upload(user, b"x")
        assert refused.refusal == REACHED
        assert refused.body["details"]["scope"] == "deployment"


async def test_a_limit_of_zero_is_no_limit(api: OpenApi) -> None:
    server = await api(
        user_unused_media_bytes=0,
        user_media_bytes=0,
        deployment_media_bytes=0,
        channel_media_bytes=0,
    )
    ada = server.new_user("ada")
    await a_post_of(ada, await a_channel(ada), await an_upload(ada))
    assert await usage_of(server.services.database, ada) == (ONE, 0)


async def test_concurrent_uploads_at_two_processes_stay_within_the_limit(
    api: OpenApi, second_database: Database
) -> None:
    most = 5 * ONE
    servers = [
        await api(user_unused_media_bytes=most, uploads_per_user=50),
        await api(user_unused_media_bytes=most, uploads_per_user=50, database=second_database),
    ]
    ada = servers[0].new_user("ada")
    sides = [ada, servers[1].user_of(ada.id)]
    answers = await asyncio.gather(*(upload(sides[n % 2]) for n in range(40)))
    refusals = [answer.refusal for answer in answers]
    assert refusals.count((201, None)) == 5, refusals
    assert refusals.count(REACHED) == 35
    database = servers[0].services.database
    assert await usage_of(database, ada) == (5 * ONE, 5 * ONE)
    assert await told(database) == []


async def test_an_upload_that_loses_the_last_room_to_another_is_refused(
    api: OpenApi, second_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = [
        await api(user_unused_media_bytes=ONE),
        await api(user_unused_media_bytes=ONE, database=second_database),
    ]
    ada = servers[0].new_user("ada")
    insert, is_first = MediaStore.insert_incoming, True

    async def overtaken(
        store: MediaStore, uploads: Sequence[tuple[Media, UploadKey | None]], tx: Tx
    ) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            assert (await upload(ada)).status == 201
        await insert(store, uploads, tx)

    monkeypatch.setattr(MediaStore, "insert_incoming", overtaken)
    assert (await upload(servers[1].user_of(ada.id))).refusal == REACHED
    assert await usage_of(servers[0].services.database, ada) == (ONE, ONE)


async def test_an_upload_repeated_with_its_key_needs_no_room(api: OpenApi) -> None:
    server = await api(user_unused_media_bytes=ONE)
    ada = server.new_user("ada")
    first = await upload(ada, key="once")
    assert (await upload(ada)).refusal == REACHED
    again = await upload(ada, key="once")
    assert (again.status, again.body) == (201, first.body)


# --- given back -------------------------------------------------------------------------------------------------------


class _Crash(BaseException):
    """The process ends here."""


async def test_an_upload_that_a_crash_cut_off_is_given_back_with_its_record(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, database = server.new_user("ada"), server.services.database

    async def dies(*_: object) -> None:
        raise _Crash

    with monkeypatch.context() as crashing:
        crashing.setattr(MediaBytes, "put", dies)
        with pytest.raises(_Crash):
            await _upload_within(server, ada)
    assert await usage_of(database, ada) == (ONE, ONE)
    assert await told(database) == []
    clock.move(seconds=STORING_SECONDS + 1)
    assert await server.services.chat.media.sweep() == 1
    assert await usage_of(database, ada) == (0, 0)


async def test_an_upload_that_fails_is_given_back_at_the_next_sweep(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, database = server.new_user("ada"), server.services.database

    async def fails(*_: object) -> None:
        raise OSError("the database is away")

    with monkeypatch.context() as failing:
        failing.setattr(MediaBytes, "put", fails)
        with pytest.raises(OSError, match="away"):
            await _upload_within(server, ada)
    clock.move(seconds=1)
    assert await server.services.chat.media.sweep() == 1
    assert await usage_of(database, ada) == (0, 0)


async def _upload_within(server: Api, user: User) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield FILE

    await server.services.chat.media.upload(
        Actor(UserId(user.id)),
        chunks(),
        length=None,
        name="",
    )


async def test_two_concurrent_sweeps_give_back_once(
    api: OpenApi, second_database: Database
) -> None:
    clock = MovedClock()
    servers = [await api(clock=clock), await api(clock=clock, database=second_database)]
    ada, database = servers[0].new_user("ada"), servers[0].services.database
    for _ in range(8):
        await an_upload(ada)
    clock.move(seconds=Limits().unused_media_seconds + 1)
    await asyncio.gather(*(server.services.chat.media.sweep() for server in servers * 2))
    assert await usage_of(database, ada) == (0, 0)
    assert await told(database) == []


# --- of a channel -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [a_channel, a_chat_group])
async def test_the_uploads_of_a_channel_s_messages_have_a_limit(
    api: OpenApi, make: Callable[[User], Awaitable[str]]
) -> None:
    server = await api(channel_media_bytes=2 * SIZE)
    ada = server.new_user("ada")
    path, other = await make(ada), await make(ada)
    where = "posts" if "/channels/" in path else "messages"
    first = await a_post_of(ada, path, await an_upload(ada))
    more = {"kind": "file", "file": await an_upload(ada, FILE + b"x")}
    refused = await ada.post(f"{path}/{where}", more)
    assert refused.refusal == REACHED
    assert refused.body["details"] == {
        "scope": "channel",
        "limit_bytes": 2 * SIZE,
        "used_bytes": SIZE,
    }
    assert (await ada.patch(first, more)).status == 200, "in place of what it carried"
    assert (await ada.post(f"{path}/{where}", {"kind": "text", "text": "hi"})).status == 201
    fitting = await an_upload(ada, FILE[:-1])
    second = await a_post_of(ada, path, fitting)
    assert (await ada.patch(second, more)).refusal == REACHED
    assert (await ada.get(second)).body["file"]["media_id"] == fitting, "nothing has changed"
    if where == "posts":
        assert (await ada.post(f"{path}/posts/preview", more)).refusal == REACHED
    assert (await ada.delete(second)).status == 204
    assert (await ada.delete(second)).status == 204
    await a_post_of(ada, path, fitting)
    await a_post_of(ada, other, fitting)
    assert await told(server.services.database) == []


async def test_a_draft_without_room_is_refused_and_kept(api: OpenApi) -> None:
    server = await api(channel_media_bytes=SIZE)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    body = {"post": {"kind": "file", "file": await an_upload(ada)}}
    draft = (await ada.post(f"{path}/drafts", body)).body["draft_id"]
    full = await a_post_of(ada, path, await an_upload(ada))
    texts = (ada.post(f"{path}/posts", {"kind": "text", "text": f"{n}"}) for n in range(5))
    refused, *posted = await asyncio.gather(ada.post(f"{path}/drafts/{draft}/publish"), *texts)
    assert refused.refusal == REACHED
    assert {answer.status for answer in posted} == {201}, "its neighbours are posted"
    assert (await ada.get(f"{path}/drafts/{draft}")).status == 200
    assert (await ada.delete(full)).status == 204
    assert (await ada.post(f"{path}/drafts/{draft}/publish")).status == 201
    assert await told(server.services.database) == []


async def test_concurrent_posts_stay_within_the_channel_s_limit(
    api: OpenApi, second_database: Database
) -> None:
    servers = [
        await api(channel_media_bytes=3 * SIZE),
        await api(channel_media_bytes=3 * SIZE, database=second_database),
    ]
    ada = servers[0].new_user("ada")
    sides, path = [ada, servers[1].user_of(ada.id)], await a_channel(ada)
    ids = [await an_upload(ada) for _ in range(10)]
    answers = await asyncio.gather(
        *(
            sides[n % 2].post(f"{path}/posts", {"kind": "file", "file": media_id})
            for n, media_id in enumerate(ids)
        )
    )
    refusals = [answer.refusal for answer in answers]
    assert refusals.count((201, None)) == 3, refusals
    assert refusals.count(REACHED) == 7
    assert await told(servers[0].services.database) == []


# --- verify -----------------------------------------------------------------------------------------------------------

COUNTERS: Final = [
    ("media_usage", {"_id": "deployment"}, "bytes"),
    ("media_usage", {"unused_bytes": {"$exists": True}}, "bytes"),
    ("media_usage", {"unused_bytes": {"$exists": True}}, "unused_bytes"),
    ("streams", {"media_bytes": {"$gt": 0}}, "media_bytes"),
]


@pytest.mark.parametrize(("collection", "which", "field"), COUNTERS)
async def test_a_wrong_counter_is_found_and_repaired(
    api: OpenApi, collection: str, which: dict[str, object], field: str
) -> None:
    server = await api()
    ada, database = server.new_user("ada"), server.services.database
    await a_post_of(ada, await a_channel(ada), await an_upload(ada))
    await an_upload(ada)
    assert await told(database) == []
    counters = database.collection(collection)
    before = await counters.find_one(which)
    assert before is not None
    await counters.update_one({"_id": before["_id"]}, {"$inc": {field: 7}})
    assert len(await told(database, repair=True)) == 1
    assert await told(database) == []
    assert await counters.find_one({"_id": before["_id"]}) == before
