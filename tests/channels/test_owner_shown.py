"""Who sees the owner of a channel: the owner, the admins and the application; everybody where posts are signed."""

import pytest

from tests.api import Api, a_channel, a_chat_group, conversation_of, group_path, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_subscribers_and_strangers_do_not_see_the_owner(shared_api: Api) -> None:
    ada, bob, adm, eve = (shared_api.new_user(name) for name in ("ada", "bob", "adm", "eve"))
    root = shared_api.new_user("root", admin=True)
    path = await a_channel(ada, bob, admins=(adm,))
    ids = part(id_of(path))
    for user, is_shown in ((ada, True), (adm, True), (root, True), (bob, False), (eve, False)):
        shown = ada.id if is_shown else None
        assert (await user.get(path)).body["owner_id"] == shown
        assert (await user.get(group_path(path))).body["owner_id"] == shown
        for query in ("channels?ids=", "groups?ids="):
            [item] = (await user.get(f"/v1/{query}{ids}")).items
            assert item["owner_id"] == shown
    for query in ("channels?subscribed=true", "groups?joined=true"):
        [item] = (await bob.get(f"/v1/{query}")).items
        assert item["owner_id"] is None
    # The answer to a subscription, and nothing else that a subscriber reads.
    assert (await eve.put(f"{path}/subscription")).body["owner_id"] is None
    await ada.post(f"{path}/posts", {"kind": "text", "text": "News"})
    for read in (
        *(path, f"{path}/posts", f"{path}/posts/1", f"{path}/pins", group_path(path)),
        *("/v1/conversations", f"/v1/conversations/{part(conversation_of(path))}", "/v1/channels"),
        *(f"/c/{ids}", f"/c/{ids}/feed.json", f"/c/{ids}/feed.atom", f"/c/{ids}/feed.rss"),
    ):
        assert ada.id not in (await eve.get(read)).text.replace(id_of(path), ""), read


async def test_a_subscriber_who_becomes_an_admin_sees_the_owner(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    assert (await bob.get(path)).body["owner_id"] is None
    assert (await ada.put(f"{path}/admins/{part(bob.id)}")).status == 200
    assert (await bob.get(path)).body["owner_id"] == ada.id


async def test_a_channel_that_signs_its_posts_shows_its_owner(shared_api: Api) -> None:
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    path = await a_channel(ada, settings={"signatures": True})
    assert (await eve.get(path)).body["owner_id"] == ada.id
    await ada.patch(path, {"settings": {"signatures": False}})
    assert (await eve.get(path)).body["owner_id"] is None


async def test_a_chat_group_shows_its_owner(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_chat_group(ada, bob)
    for user in (ada, bob, eve):
        assert (await user.get(path)).body["owner_id"] == ada.id
