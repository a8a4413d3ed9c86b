"""What users show of themselves."""

import pytest

from groups.errors import UserNotFound
from groups.models import User
from tests.api import Api, part
from tests.builders import ADA, BOB, World, mock_world


async def test_ones_own_profile_exists_always_and_anothers_once_he_told_it(world: World) -> None:
    users = world.chat.users
    assert await users.get(ADA, ADA.user_id) == User(user_id=ADA.user_id)
    with pytest.raises(UserNotFound):
        await users.get(BOB, ADA.user_id)
    told = await users.update(ADA, {"name": "Ada"})
    assert told == await users.get(BOB, ADA.user_id) == User(user_id=ADA.user_id, name="Ada")


async def test_a_change_leaves_what_it_does_not_name(world: World) -> None:
    users = world.chat.users
    await users.update(ADA, {"name": "Ada"})
    await users.update(ADA, {"face_url": "https://example.org/a.png"})
    assert (await users.update(ADA, {})) == User(
        user_id=ADA.user_id, name="Ada", face_url="https://example.org/a.png"
    )


async def test_names_are_those_that_were_told(world: World) -> None:
    users = world.chat.users
    await users.update(ADA, {"name": "Ada"})
    assert await users.find_users([ADA.user_id, BOB.user_id]) == {
        ADA.user_id: User(user_id=ADA.user_id, name="Ada")
    }
    assert await users.find_users([]) == {}


async def test_who_only_joined_many_groups_told_nothing_of_himself() -> None:
    world = mock_world(groups_per_user=2)  # so near that joining writes his document
    await world.membership.join(BOB, await world.group())
    assert len(await world.rows("users", _id=BOB.user_id)) == 1
    with pytest.raises(UserNotFound):
        await world.chat.users.get(ADA, BOB.user_id)
    assert await world.chat.users.find_users([BOB.user_id]) == {}


@pytest.mark.asyncio(loop_scope="module")
async def test_several_are_answered_at_once_each_as_if_asked_for_alone(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.user(name) for name in ("ada", "bob", "cat"))
    told = await ada.patch("/v1/users/me", {"name": "Ada", "face_url": "https://example.org/a.png"})
    ids = [bob.id, ada.id, "x" * 33, "a\tb", cat.id, ada.id]
    items = (await bob.get(f"/v1/users?ids={','.join(part(each) for each in ids)}")).items
    assert [item["user_id"] for item in items] == ids[:-1]  # each counts once
    assert items[0] == (await bob.get("/v1/users/me")).body  # one's own exists always
    assert items[1] == told.body == (await bob.get(f"/v1/users/{part(ada.id)}")).body
    alone = (await bob.get(f"/v1/users/{part(cat.id)}")).body
    error = {"code": "user_not_found", "detail": alone["detail"]}
    assert [item["error"] for item in items[2:]] == [error] * 3


@pytest.mark.asyncio(loop_scope="module")
async def test_fifty_users_are_answered_at_once_and_one_more_is_refused(shared_api: Api) -> None:
    ada = shared_api.user("ada")
    ids = ",".join(f"none{number}" for number in range(50))
    assert len((await ada.get(f"/v1/users?ids={ids}")).items) == 50
    refused = await ada.get(f"/v1/users?ids={ids},more")
    assert refused.refusal == (400, "invalid_request")
    assert refused.body["details"]["errors"][0]["field"] == "ids"
    assert (await ada.get("/v1/users")).refusal == (
        400,
        "invalid_request",
    )  # there is no list of all
