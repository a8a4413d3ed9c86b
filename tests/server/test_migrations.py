"""An older deployment's database under this program: each step from what the older program left."""

from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, conversation_of, id_of, part
from tests.conftest import OpenApi


async def make_old(database: Database, version: int) -> None:
    """Forget how far the steps were taken."""
    await database.collection("schema").replace_one({"_id": "stored"}, {"version": version})


async def after_a_restart(api: OpenApi, old: Api, user: User) -> User:
    """The user, before another server process on the same database."""
    await old.stop()
    return (await api()).user_of(user.id)


async def test_badges_that_stood_with_the_channel_are_moved_to_its_group(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    owner = server.new_user("owner")
    verified, plain = await a_channel(owner), await a_channel(owner)
    channels = database.collection("channels")
    await channels.update_one({"_id": id_of(verified)}, {"$set": {"verified": True}})
    await channels.update_one({"_id": id_of(plain)}, {"$set": {"verified": False}})
    assert not (await owner.get(verified)).body["verified"]
    await make_old(database, 0)

    again = await after_a_restart(api, server, owner)
    assert (await again.get(verified)).body["verified"]
    assert not (await again.get(plain)).body["verified"]
    assert not await channels.count_documents({"verified": {"$exists": True}})


async def test_mutes_from_before_the_counter_are_counted(api: OpenApi, database: Database) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    assert (await reader.patch(conversation, {"muted": True})).status == 200
    assert (await owner.get(f"{path}/insights")).body["muted"]["count"] == 1
    channel_id = GroupId(id_of(path))
    await database.collection("insights").delete_many(
        {"channel_id": channel_id, "muted": {"$exists": True}}
    )
    assert (await owner.get(f"{path}/insights")).body["muted"]["count"] == 0
    await make_old(database, 1)

    again = await after_a_restart(api, server, owner)
    assert (await again.get(f"{path}/insights")).body["muted"]["count"] == 1


async def test_users_from_before_the_search_are_found_by_name(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    owner, reader = server.new_user("owner"), server.new_user("reader")
    await reader.patch("/v1/users/me", {"name": "Bea Quill"})
    path = await a_channel(owner, reader)
    keys = {"name_key": "", "last_word_key": ""}
    await database.collection("users").update_many({}, {"$unset": keys})
    await make_old(database, 4)

    again = await after_a_restart(api, server, owner)
    for words in ("bea", "quill"):
        found = (await again.get(f"{path}/subscribers?q={words}")).items
        assert [item["user_id"] for item in found] == [reader.id]


async def test_uploads_from_before_the_counter_are_counted(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada)
    for user, size in ((ada, 100), (ada, 1_000), (bob, 10_000)):
        sent = await user.call("POST", "/v1/media", data=b"x" * size, headers={})
        assert sent.status == 201
        if size == 100:
            post = {"kind": "file", "file": sent.body["media_id"]}
            assert (await ada.post(f"{channel}/posts", post)).status == 201
    # An older program knew only the size of the original.
    await database.collection("media").update_many({}, {"$unset": {"stored_bytes": ""}})
    await database.collection("media_usage").delete_many({})
    await database.collection("streams").update_many({}, {"$unset": {"media_bytes": ""}})
    await make_old(database, 2)

    await after_a_restart(api, server, ada)
    rows = {
        row.pop("_id"): row
        for row in await database.collection("media_usage").find({}).to_list(None)
    }
    assert rows == {
        "deployment": {"bytes": 11_100},
        join_key("user", ada.id): {"bytes": 1_100, "unused_bytes": 1_000},
        join_key("user", bob.id): {"bytes": 10_000, "unused_bytes": 10_000},
    }
    stream = await database.collection("streams").find_one({"_id": conversation_of(channel)})
    assert stream is not None
    assert stream["media_bytes"] == 100
