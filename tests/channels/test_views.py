"""Views of posts: each user who may read counts once, and posts show the count."""

import asyncio

import pytest

from channels.analytics.hyperloglog import EXACT
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, aggregate
from groups.models import message_key, stream_of
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
)
from tests.conftest import OpenApi

own_loop = pytest.mark.asyncio(loop_scope="function")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def saw(user: User, path: str, *seqs: int) -> Answer:
    return await user.post(f"{path}/posts/views", {"seqs": seqs})


async def views_of(user: User, path: str) -> dict[int, int]:
    return {post["seq"]: post["views"] for post in (await user.get(f"{path}/posts")).items}


async def test_each_user_counts_once_for_each_post(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, bob, cat)
    for _ in range(3):
        assert (await a_post(ada, path))["views"] == 0
    first = await saw(bob, path, 1, 2)
    assert first.items == [{"seq": 1, "views": 1}, {"seq": 2, "views": 1}]
    # Again, twice in one call, and from other devices.
    assert (await saw(bob, path, 2, 1, 1, 2)).items == first.items
    assert (await saw(cat, path, 2)).items == [{"seq": 2, "views": 2}]
    # Who does not subscribe reads a public channel, and has seen it.
    assert (await saw(dan, path, 2)).items == [{"seq": 2, "views": 3}]
    for user in (ada, bob, dan):
        assert await views_of(user, path) == {3: 0, 2: 3, 1: 1}
        assert (await user.get(f"{path}/posts/2")).body["views"] == 3


async def test_missing_and_deleted_posts_are_skipped(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    for _ in range(2):
        await a_post(ada, path)
    assert (await saw(bob, path, 1, 2)).status == 200
    assert (await ada.delete(f"{path}/posts/1")).status == 204
    assert (await saw(ada, path, 1, 2, 3, 2**53 - 1)).items == [{"seq": 2, "views": 2}]
    assert await views_of(bob, path) == {2: 2, 1: 0}
    database = shared_api.services.database
    stream_id = stream_of(GroupId(id_of(path)))
    kept = [
        await database.collection("views").find_one({"_id": message_key(stream_id, seq)})
        for seq in (2, 3)
    ]
    assert [row is not None for row in kept] == [True, False]


async def test_the_application_gets_counts_and_is_not_counted(shared_api: Api) -> None:
    ada, app = shared_api.new_user("ada"), shared_api.new_user("app", admin=True)
    path = await a_channel(ada)
    await a_post(ada, path)
    assert (await saw(app, path, 1)).items == [{"seq": 1, "views": 0}]
    assert (await saw(ada, path, 1)).items == [{"seq": 1, "views": 1}]
    assert (await saw(app, path, 1)).items == [{"seq": 1, "views": 1}]


async def test_views_survive_an_edit_and_are_not_in_its_event(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    await saw(bob, path, 1)
    ears = await bob.socket()
    edited = await ada.patch(f"{path}/posts/1", {"kind": "text", "text": "Better"})
    assert edited.body["views"] == 1
    assert "views" not in (await ears.hear("message.edited"))["post"]
    await ears.close()


async def test_a_chat_group_has_no_views(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path, channel = await a_chat_group(ada, bob), await a_channel(ada, bob)
    await a_post(ada, path)
    await a_post(ada, channel)
    assert (await saw(bob, channel, 1)).status == 200
    as_channel = path.replace("/v1/groups/", "/v1/channels/")
    assert (await saw(bob, as_channel, 1)).refusal == (404, "channel_not_found")
    assert "views" not in (await bob.get(f"{path}/messages/1")).body


@pytest.mark.parametrize("seqs", [[], [0], [-1], [2**53], ["x"], [1.5], [None], "1", None])
async def test_what_is_seen_is_a_list_of_seqs(shared_api: Api, seqs: object) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.post(f"{path}/posts/views", {"seqs": [1]})).status == 200
    refused = await ada.post(f"{path}/posts/views", {"seqs": seqs})
    assert refused.refusal == (400, "invalid_request")


@own_loop
async def test_a_report_has_a_limited_number_of_posts(api: OpenApi) -> None:
    server = await api(views_per_call=3)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    for _ in range(4):
        await a_post(ada, path)
    assert (await saw(ada, path, 1, 2, 3, 4)).refusal == (400, "invalid_request")
    assert await views_of(ada, path) == {4: 0, 3: 0, 2: 0, 1: 0}
    assert len((await saw(ada, path, 1, 2, 3)).items) == 3


@own_loop
async def test_a_hundred_posts_are_reported_at_once_unless_set_otherwise(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    assert (await saw(ada, path, *range(1, 101))).items == [{"seq": 1, "views": 1}]
    assert (await saw(ada, path, *range(1, 102))).refusal == (400, "invalid_request")


@own_loop
async def test_a_repeated_report_writes_nothing(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    for _ in range(3):
        await a_post(ada, path)
    await saw(bob, path, 1, 2, 3)
    before = await stored(server, path)
    again = await saw(bob, path, 1, 2, 3)
    assert [item["views"] for item in again.items] == [1, 1, 1]
    assert await stored(server, path) == before
    await saw(ada, path, 3)
    assert await stored(server, path) != before


async def stored(server: Api, path: str) -> list[dict[str, object]]:
    database = server.services.database
    return [
        row
        for name in ("views", "insights", "messages")
        for row in await database.collection(name).find({}).sort("_id").to_list(None)
    ]


@own_loop
async def test_concurrent_reports_in_two_processes_are_counted_right(
    api: OpenApi, second_database: Database
) -> None:
    first = await api()
    second = await api(database=second_database)
    ada = first.new_user("ada")
    path = await a_channel(ada)
    for _ in range(5):
        await a_post(ada, path)
    # Reactions hold the same posts meanwhile, and everyone tells both processes.
    names = [f"reader{number:02}" for number in range(64)]
    for name in names:
        assert (await first.user_of(name).put(f"{path}/subscription")).status == 200
    answers = await asyncio.gather(
        *(
            saw(server.user_of(name), path, *range(1, 6))
            for name in names
            for server in (first, second)
        ),
        *(
            server.user_of(name).put(f"{path}/posts/5/reactions/{part('👍')}")
            for name in names[:16]
            for server in (first, second)
        ),
    )
    assert {answer.status for answer in answers} == {200}
    for server in (first, second):
        assert await views_of(server.user_of("reader00"), path) == dict.fromkeys(
            range(5, 0, -1), 64
        )
    days = (await ada.get(f"{path}/insights")).body["days"]
    assert sum(day["views"] for day in days) == 5 * 64
    assert sum(day["reactions"] for day in days) == 16


async def test_a_batch_of_more_posts_than_are_looked_up_at_once_counts_them_all(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.analytics.service.views.POSTS_AT_ONCE", 3)
    owner, users = shared_api.new_user("owner"), [shared_api.new_user("ada") for _ in range(4)]
    paths = [await a_channel(owner) for _ in range(2)]
    for path in paths:
        for _ in range(4):
            await a_post(owner, path)
    views = shared_api.services.analytics.views
    for known in (0, 2):
        told = await asyncio.gather(
            *(
                views.report(Actor(UserId(user.id)), GroupId(id_of(path)), [1, 2, 3, 4, 5])
                for user in users[known : known + 2]
                for path in paths
            )
        )
        assert told == [dict.fromkeys(range(1, 5), known + 2)] * 4
    for path in paths:
        assert set((await views_of(owner, path)).values()) == {4}


@own_loop
async def test_a_view_document_has_the_same_size_for_twice_the_viewers(
    api: OpenApi,
) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    documents = server.services.database.collection("views")
    channel_id = GroupId(id_of(path))
    sizes: list[int] = []
    counts: list[int] = []
    for start in (0, 1_000):
        viewers = [Actor(UserId(f"v{number:05}")) for number in range(start, start + 1_000)]
        reports = (server.services.analytics.views.report(v, channel_id, [1]) for v in viewers)
        counts.append(max([max(told.values()) for told in await asyncio.gather(*reports)]))
        size = {"$project": {"bytes": {"$bsonSize": "$$ROOT"}, "is_exact": 1}}
        (row,) = await aggregate(documents, [size])
        assert not row["is_exact"]
        sizes.append(row["bytes"])
    assert sizes[0] == sizes[1] < 4_096 + 150
    assert counts == [pytest.approx(1_000, rel=0.065), pytest.approx(2_000, rel=0.065)]
    assert (await views_of(ada, path))[1] == counts[1] > EXACT


@own_loop
async def test_the_next_report_updates_a_post_that_shows_too_few_views(
    api: OpenApi,
) -> None:
    """As a crash leaves it, between the batch and the number in the post."""
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    await saw(ada, path, 1)
    await saw(bob, path, 1)
    messages = server.services.database.collection("messages")
    await messages.update_one({"seq": 1}, {"$set": {"views": 1}})
    assert await views_of(ada, path) == {1: 1}
    assert (await saw(bob, path, 1)).items == [{"seq": 1, "views": 2}]
    assert await views_of(ada, path) == {1: 2}


@own_loop
async def test_views_and_days_are_deleted_with_their_channel(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    ended, kept = await a_channel(ada, bob), await a_channel(ada, bob)
    for path in (ended, kept):
        await a_post(ada, path)
        await saw(bob, path, 1)
        muted = f"/v1/conversations/{part(conversation_of(path))}"
        assert (await bob.patch(muted, {"muted": True})).status == 200
    assert (await ada.delete(ended)).status == 204
    await server.services.chat.cleanup.wait()
    for name in ("views", "insights"):
        rows = await server.services.database.collection(name).find({}).to_list(None)
        assert rows
        assert all(row["_id"].removeprefix("group_").startswith(id_of(kept)) for row in rows)
