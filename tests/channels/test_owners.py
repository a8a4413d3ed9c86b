"""Who may know an owner without a profile: admins of the channel, and readers of one that signs its posts."""

from typing import Any, Final

import pytest

from tests.api import Api, User, a_channel, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN: Final = (404, "user_not_found")
SIGNED: Final = {"signatures": True}


async def profiles_of(owner: User, *readers: User) -> list[Any]:
    """What each reader gets for the owner: the profile, or the refusal. A list of ids answers the same."""
    found = []
    for reader in readers:
        answer = await reader.get(f"/v1/users/{part(owner.id)}")
        (item,) = (await reader.get(f"/v1/users?ids={part(owner.id)}")).items
        if answer.status == 200:
            assert item == answer.body
            found.append(answer.body)
        else:
            assert item["error"]["code"] == answer.body["code"]
            found.append(answer.refusal)
    return found


def without_restriction(own: dict[str, Any]) -> dict[str, Any]:
    """One's own profile as others see it."""
    return {name: value for name, value in own.items() if name != "restriction"}


async def test_admins_know_an_owner_without_a_name_and_others_do_not(shared_api: Api) -> None:
    owner, admin, fan, eve = (shared_api.new_user() for _ in range(4))
    back_end = shared_api.new_user("back-end", admin=True)
    await a_channel(owner, fan, admins=(admin,))
    empty = without_restriction((await owner.get("/v1/users/me")).body)
    assert empty == {
        "user_id": owner.id,
        "name": "",
        "face_url": "",
        "account_kind": "person",
    }
    assert await profiles_of(owner, admin, back_end, fan, eve) == [empty, empty, UNKNOWN, UNKNOWN]
    assert await profiles_of(fan, admin, eve) == [UNKNOWN, UNKNOWN]


async def test_everyone_who_sees_a_channel_that_signs_its_posts_knows_its_owner(
    shared_api: Api,
) -> None:
    owner, fan, eve = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(owner, fan, settings=SIGNED)
    empty = without_restriction((await owner.get("/v1/users/me")).body)
    assert await profiles_of(owner, fan, eve) == [empty, empty]
    hidden = await owner.patch(channel, {"settings": {"visibility": "private"}})
    assert hidden.status == 200, hidden
    assert await profiles_of(owner, fan, eve) == [empty, UNKNOWN]
    off = await owner.patch(channel, {"settings": {"signatures": False}})
    assert off.status == 200, off
    assert await profiles_of(owner, fan) == [UNKNOWN]


async def test_a_former_owner_is_unknown_again(shared_api: Api) -> None:
    owner, heir, eve = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(owner, heir, settings=SIGNED)
    given = await owner.post(f"{channel}/owner", {"user_id": heir.id})
    assert given.status < 300, given
    assert await profiles_of(owner, eve) == [UNKNOWN]
    (known,) = await profiles_of(heir, eve)
    assert known["name"] == ""
