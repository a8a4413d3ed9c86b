"""The quotas of a user: how many channels and groups they may create, what counts, and how room is made."""

import asyncio
from typing import Any, Final

import pytest

from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database
from tests.api import Answer, User, a_channel, a_chat_group, id_of, part
from tests.conftest import OpenApi

CHANNELS_FULL: Final = (409, "channels_per_owner_reached")
GROUPS_FULL: Final = (409, "groups_per_owner_reached")


async def make_channel(user: User, **body: str) -> Answer:
    return await user.post("/v1/channels", {"name": "News", **body})


async def make_group(user: User) -> Answer:
    return await user.post("/v1/groups", {"type": "meeting", "name": "Tea"})


async def test_the_last_channel_of_a_user_is_created_and_one_more_is_refused(
    api: OpenApi,
) -> None:
    server = await api(channels_per_owner=2)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    key = {"idempotency_key": "once"}
    for _ in range(2):
        # A repeat is the first creation.
        assert (await ada.post("/v1/channels", {"name": "News"}, **key)).status == 201
    assert (await make_channel(ada)).status == 201
    refused = await make_channel(ada)
    assert (refused.refusal, refused.body["details"]) == (CHANNELS_FULL, {"limit": 2})
    # Nothing is left of it; and groups, other users and the application have room.
    assert len((await ada.get("/v1/groups")).items) == 2
    assert (await make_group(ada)).status == 201
    assert (await make_channel(bob)).status == 201
    root = server.user_of(ada.id, admin=True)
    assert [(await make_channel(root)).status for _ in range(3)] == [201] * 3


async def test_a_transfer_neither_makes_room_nor_takes_it(api: OpenApi) -> None:
    server = await api(channels_per_owner=1, groups_per_owner=1)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    assert (await ada.post(f"{channel}/owner", {"user_id": bob.id})).status == 200
    assert (await ada.post(f"{group}/owner", {"user_id": bob.id})).status == 200
    assert (await make_channel(ada)).refusal == CHANNELS_FULL
    assert (await make_group(ada)).refusal == GROUPS_FULL
    own = await make_channel(bob)
    assert own.status == 201
    # Making a group that another user created a channel counts for the one who does it.
    asked = {"group_id": id_of(group), "name": "Tea news"}
    assert (await bob.post("/v1/channels", asked)).refusal == CHANNELS_FULL
    assert (await bob.get(group)).body["is_channel"] is False
    assert (await bob.delete(f"/v1/channels/{part(own.body['channel_id'])}")).status == 204
    assert (await bob.post("/v1/channels", asked)).status == 201
    assert (await make_channel(bob)).refusal == CHANNELS_FULL
    # It is no group any more.
    assert (await make_group(ada)).status == 201
    # What the new owner deletes makes room for the creator.
    assert (await bob.delete(channel)).status == 204
    assert (await make_channel(ada)).status == 201


async def test_the_last_group_of_a_user_is_created_and_one_more_is_refused(api: OpenApi) -> None:
    server = await api(groups_per_owner=2)
    ada = server.new_user("ada")
    groups = [await make_group(ada) for _ in range(2)]
    assert {group.status for group in groups} == {201}
    refused = await make_group(ada)
    assert (refused.refusal, refused.body["details"]) == (GROUPS_FULL, {"limit": 2})
    assert (await make_channel(ada)).status == 201
    assert (await make_group(server.user_of(ada.id, admin=True))).status == 201
    # What they create with the application's token counts for their own.
    refusals = []
    for group in groups:
        assert (await ada.delete(f"/v1/groups/{part(group.body['group_id'])}")).status == 204
        refusals.append((await make_group(ada)).refusal)
    assert refusals == [GROUPS_FULL, (201, None)]


async def test_zero_lets_only_the_application_create(api: OpenApi) -> None:
    server = await api(channels_per_owner=0, groups_per_owner=0)
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    for user, refusals in ((ada, (CHANNELS_FULL, GROUPS_FULL)), (root, ((201, None), (201, None)))):
        assert ((await make_channel(user)).refusal, (await make_group(user)).refusal) == refusals


async def test_racing_creations_of_one_user_never_exceed_the_quotas(
    api: OpenApi, second_database: Database
) -> None:
    limits: dict[str, Any] = {"channels_per_owner": 3, "groups_per_owner": 4}
    here, there = await api(**limits), await api(database=second_database, **limits)
    ada = here.new_user("ada")
    users = [ada, there.user_of(ada.id)] * 5
    for make, most, full in ((make_channel, 3, CHANNELS_FULL), (make_group, 4, GROUPS_FULL)):
        answers = await asyncio.gather(*(make(user) for user in users))
        refusals = sorted(answer.refusal for answer in answers)
        assert refusals == [(201, None)] * most + [full] * (10 - most)


@pytest.mark.parametrize("prefix", ["@TOA#_", "@TGS#_"])
async def test_the_id_of_a_deleted_channel_is_free_once_its_data_is_deleted(
    api: OpenApi, database: Database, prefix: str
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    own_id = f"{prefix}again"
    if prefix == "@TOA#_":
        path = await a_channel(ada, bob, channel_id=own_id)
    else:
        group = await a_chat_group(ada, bob, group_id=own_id)
        assert (await make_channel(ada, group_id=id_of(group))).status == 201
        path = f"/v1/channels/{part(own_id)}"

    async def make_again(user: User) -> Answer:
        if prefix == "@TOA#_":
            return await make_channel(user, channel_id=own_id)
        return await user.post(
            "/v1/groups", {"type": "community", "name": "Tea", "group_id": own_id}
        )

    await ada.post(f"{path}/posts", {"kind": "text", "text": "Old"})
    assert (await ada.delete(path)).status == 204
    await server.services.chat.cleanup.wait()
    # A cleanup that has not ended, since its process died.
    left = {"_id": own_id, "at": server.clock.now(), "was_channel": True}
    await database.collection("disbanded").insert_one(left)
    assert (await make_again(bob)).refusal in {(409, "channel_id_taken"), (409, "group_id_taken")}
    await server.services.chat.cleanup.clear(GroupId(own_id))
    # Another user may take it, and inherits nothing.
    made = await make_again(bob)
    assert made.status == 201
    assert (made.body["head_seq"], made.body["role"]) == (0, "owner")
