"""Profiles of users."""

import pytest

from groups.errors import UserNotFound
from groups.models import User
from tests.api import Api, part
from tests.builders import ADA, BOB, World, mock_world


async def test_the_own_profile_always_exists_and_anothers_once_it_is_set(world: World) -> None:
    users = world.chat.users
    assert await users.get(ADA, ADA.user_id) == User(user_id=ADA.user_id)
    with pytest.raises(UserNotFound):
        await users.get(BOB, ADA.user_id)
    told, _ = await users.update(ADA, {"name": "Ada"})
    assert told == await users.get(BOB, ADA.user_id) == User(user_id=ADA.user_id, name="Ada")


async def test_a_change_keeps_fields_that_are_left_out(world: World) -> None:
    users = world.chat.users
    await users.update(ADA, {"name": "Ada"})
    await users.update(ADA, {"face_url": "https://example.org/a.png"})
    kept = User(user_id=ADA.user_id, name="Ada", face_url="https://example.org/a.png")
    assert await users.update(ADA, {}) == (kept, None)


async def test_find_users_returns_only_set_profiles(world: World) -> None:
    users = world.chat.users
    await users.update(ADA, {"name": "Ada"})
    assert await users.find_users([ADA.user_id, BOB.user_id]) == {
        ADA.user_id: User(user_id=ADA.user_id, name="Ada")
    }
    assert await users.find_users([]) == {}


async def test_a_user_document_written_by_joins_is_no_profile() -> None:
    world = mock_world(groups_per_user=2)  # so near that joining writes the user's document
    await world.membership.join(BOB, await world.group())
    assert len(await world.rows("users", _id=BOB.user_id)) == 1
    with pytest.raises(UserNotFound):
        await world.chat.users.get(ADA, BOB.user_id)
    assert await world.chat.users.find_users([BOB.user_id]) == {}


@pytest.mark.asyncio(loop_scope="module")
async def test_several_users_are_returned_as_one_by_one(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    told = await ada.patch("/v1/users/me", {"name": "Ada", "face_url": "https://example.org/a.png"})
    ids = [bob.id, ada.id, "x" * 33, "a\tb", cat.id, ada.id]
    items = (await bob.get(f"/v1/users?ids={','.join(part(each) for each in ids)}")).items
    assert [item["user_id"] for item in items] == ids[:-1]  # each counts once
    assert (
        items[0] | {"restriction": None} == (await bob.get("/v1/users/me")).body
    )  # one's own exists always
    assert items[1] == {k: v for k, v in told.body.items() if k != "restriction"}
    assert items[1] == (await bob.get(f"/v1/users/{part(ada.id)}")).body
    alone = (await bob.get(f"/v1/users/{part(cat.id)}")).body
    error = {"code": "user_not_found", "detail": alone["detail"]}
    assert [item["error"] for item in items[2:]] == [error] * 3


@pytest.mark.asyncio(loop_scope="module")
async def test_a_call_returns_fifty_users_and_refuses_one_more(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ids = ",".join(f"none{number}" for number in range(50))
    assert len((await ada.get(f"/v1/users?ids={ids}")).items) == 50
    refused = await ada.get(f"/v1/users?ids={ids},more")
    assert refused.refusal == (400, "invalid_request")
    assert refused.body["details"]["errors"][0]["field"] == "ids"
    assert (await ada.get("/v1/users")).refusal == (
        400,
        "invalid_request",
    )  # there is no list of all
