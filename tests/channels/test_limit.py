"""The limit of channels of a deployment holds under any race, and deleting a channel makes room."""

import asyncio
from typing import Final

import pytest

from channels.server.options import ServiceOptions
from groups.kernel.mongo import Database
from tests.api import Answer, Api, User, a_channel, a_chat_group, group_path, id_of, part
from tests.conftest import OpenApi

FULL: Final = (409, "channel_limit_reached")


async def create(user: User, number: int = 0) -> Answer:
    return await user.post("/v1/channels", {"name": f"News {number}"})


async def directory_of(api: Api) -> list[str]:
    found = (await api.new_user("eve").get("/v1/channels?limit=100")).items
    return [channel["channel_id"] for channel in found]


async def test_the_last_channel_is_created_and_one_more_is_refused(api: OpenApi) -> None:
    server = await api(channels=3)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    for user in (ada, bob, ada):
        assert (await create(user)).status == 201
    for user in (ada, bob, server.new_user("root", admin=True)):
        refused = await create(user)
        assert refused.refusal == FULL
        assert refused.body["details"] == {"limit": 3}
    assert len(await directory_of(server)) == 3
    # The refused creations left no data.
    assert len((await ada.get("/v1/groups")).items) == 2


async def test_the_default_limit_of_channels_is_1000(api: OpenApi) -> None:
    server = await api()
    assert server.services.limits.channels == 1000


async def test_racing_creations_never_exceed_the_limit(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(channels=5), await api(database=second_database, channels=5)
    users = [server.new_user("ada") for server in (here, there) for _ in range(8)]
    assert (await create(users[0])).status == 201
    answers = await asyncio.gather(*(create(user) for user in users))
    assert sorted(answer.refusal for answer in answers) == [(201, None)] * 4 + [FULL] * 12
    assert len(await directory_of(here)) == 5


async def test_racing_creations_with_one_key_make_one_channel(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(channels=5), await api(database=second_database, channels=5)
    ada = here.new_user("ada")
    users = [ada, there.user_of(ada.id)] * 6
    answers = await asyncio.gather(
        *(user.post("/v1/channels", {"name": "News"}, idempotency_key="k") for user in users)
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["channel_id"] for answer in answers}) == 1
    assert len(await directory_of(here)) == 1
    assert [(await create(ada)).status for _ in range(5)] == [201] * 4 + [409]


@pytest.mark.parametrize("family", ["channels", "groups"])
async def test_deleting_by_any_route_makes_room(api: OpenApi, family: str) -> None:
    server = await api(channels=2)
    ada = server.new_user("ada")
    path, _ = await a_channel(ada), await a_channel(ada)
    assert (await create(ada)).refusal == FULL
    deleted = await ada.delete(path if family == "channels" else group_path(path))
    assert deleted.status == 204
    assert (await create(ada)).status == 201
    assert (await create(ada)).refusal == FULL
    assert (await ada.get(path)).refusal == (404, "channel_not_found")


async def test_deleting_twice_makes_room_once(api: OpenApi) -> None:
    server = await api(channels=2)
    ada = server.new_user("ada")
    path, _ = await a_channel(ada), await a_channel(ada)
    answers = await asyncio.gather(*(ada.delete(path) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [204] + [404] * 4
    assert [(await create(ada)).status for _ in range(2)] == [201, 409]


async def test_a_group_made_a_channel_counts_and_others_do_not(api: OpenApi) -> None:
    server = await api(channels=1)
    ada = server.new_user("ada")
    first, second = await a_chat_group(ada), await a_chat_group(ada)
    for path, refusal in ((first, (201, None)), (second, FULL)):
        marked = await ada.post("/v1/channels", {"group_id": id_of(path), "name": "Now"})
        assert marked.refusal == refusal
    assert (await ada.get(second)).body["is_channel"] is False
    # Making it a channel again changes nothing and does not count.
    again = await ada.post("/v1/channels", {"group_id": id_of(first), "name": "Now"})
    assert again.status == 201
    await ada.delete(second)
    assert (await create(ada)).refusal == FULL
    await ada.delete(first)
    assert (await create(ada)).status == 201


async def test_a_deployment_may_let_only_the_application_create(api: OpenApi) -> None:
    server = await api(options=ServiceOptions(create_policy="admin"))
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    assert (await create(ada)).refusal == (403, "permission_denied")
    group = await a_chat_group(ada)
    marked = await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Now"})
    assert marked.refusal == (403, "permission_denied")
    created = await create(root)
    assert created.status == 201
    assert (
        await ada.put(f"/v1/channels/{part(created.body['channel_id'])}/subscription")
    ).status == 200
