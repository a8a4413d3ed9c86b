"""What users show of themselves."""

import pytest

from groups.errors import UserNotFound
from groups.models import User
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
    assert await users.names([ADA.user_id, BOB.user_id]) == {
        ADA.user_id: User(user_id=ADA.user_id, name="Ada")
    }
    assert await users.names([]) == {}


async def test_who_only_joined_many_groups_told_nothing_of_himself() -> None:
    world = mock_world(groups_per_user=2)  # so near that joining writes his document
    await world.membership.join(BOB, await world.group())
    assert len(await world.rows("users", _id=BOB.user_id)) == 1
    with pytest.raises(UserNotFound):
        await world.chat.users.get(ADA, BOB.user_id)
    assert await world.chat.users.names([BOB.user_id]) == {}
