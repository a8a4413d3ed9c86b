"""Making an existing group a channel."""

from typing import Any

import pytest

from tests.api import Api, a_channel, a_chat_group, a_post, group_path, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")


def channel_path(group_path: str) -> str:
    return group_path.replace("/v1/groups/", "/v1/channels/")


async def test_a_community_group_that_becomes_a_channel_keeps_its_data(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    group = await a_chat_group(ada, bob, introduction="All about tea", custom={"mine": "1"})
    await a_post(bob, group, "before")
    marked = await ada.post(
        "/v1/channels", {"group_id": id_of(group), "name": "Tea News", "organization": "Tea"}
    )
    assert marked.status == 201
    body = marked.body
    assert body["channel_id"] == id_of(group)
    assert (body["name"], body["organization"]) == ("Tea News", "Tea")
    assert body["introduction"] == "All about tea"
    assert (body["subscriber_count"], body["head_seq"], body["role"]) == (2, 1, "owner")
    path = channel_path(group)
    assert (await bob.get(f"{path}/posts/1")).body["text"] == "before"
    assert (await ada.get(group)).body["custom"] == {"mine": "1", "official_account": "1"}
    assert (await bob.post(f"{group}/messages", {"kind": "text", "text": "x"})).refusal == (
        403,
        "posting_not_allowed",
    )
    assert (await a_post(ada, path))["seq"] == 2
    unread = (await bob.get("/v1/unread")).body
    assert (unread["channels"], unread["chats"]) == (1, 0)
    assert (await bob.get("/v1/conversations?conversation_group=channels")).items
    assert (await bob.get("/v1/conversations?conversation_group=chats")).items == []


async def test_members_receive_an_event_when_their_group_becomes_a_channel(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    group = await a_chat_group(ada, bob)
    ears = await bob.socket()
    await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Now"})
    event = await ears.hear("channel.updated", channel_id=id_of(group))
    assert event["changed"]["is_channel"] is True
    await ears.close()


async def test_only_its_owner_makes_a_group_a_channel(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    group = await a_chat_group(ada, bob)
    await ada.patch(f"{group}/members/{bob.id}", {"role": "admin"})
    asked = {"group_id": id_of(group), "name": "Mine now"}
    for user in (bob, eve):
        assert (await user.post("/v1/channels", asked)).refusal == (403, "permission_denied")
    assert (await ada.get(group)).body["is_channel"] is False
    assert (await ada.post("/v1/channels", asked)).status == 201
    for user in (bob, eve):
        assert (await user.post("/v1/channels", asked)).refusal == (403, "permission_denied")


@pytest.mark.parametrize("kind", ["public", "meeting", "work"])
async def test_only_a_community_group_becomes_a_channel(shared_api: Api, kind: str) -> None:
    ada = shared_api.new_user("ada")
    group = await a_chat_group(ada, type=kind)
    marked = await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Now"})
    assert marked.refusal == (409, "not_for_this_type")


async def test_a_missing_group_cannot_become_a_channel(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    asked: dict[str, Any] = {"group_id": "@TGS#_none", "name": "Now"}
    assert (await ada.post("/v1/channels", asked)).status == 404
    both = asked | {"channel_id": "@TOA#_none"}
    assert (await ada.post("/v1/channels", both)).refusal == (400, "invalid_request")


async def test_making_a_group_a_channel_twice_changes_nothing(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    group = await a_chat_group(ada)
    asked = {"group_id": id_of(group), "name": "Now", "settings": {"reactions": "basic"}}
    first = await ada.post("/v1/channels", asked)
    again = await ada.post("/v1/channels", asked)
    assert (again.status, again.body) == (201, first.body)
    other = await ada.post("/v1/channels", asked | {"name": "Other"})
    assert other.body["name"] == "Now"


async def test_only_the_routes_of_channels_set_the_marker(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    group = {"type": "community", "name": "Tea", "custom": {"official_account": "1"}}
    assert (await ada.post("/v1/groups", group)).refusal == (409, "reserved_custom_field")
    path = await a_chat_group(ada)
    for value in ("1", "", None):
        changed = await ada.patch(path, {"custom": {"official_account": value}})
        assert changed.refusal == (409, "reserved_custom_field")
    assert (await ada.get(channel_path(path))).refusal == (404, "channel_not_found")


async def test_routes_of_channels_return_404_for_plain_groups(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    group, channel = await a_chat_group(ada), await a_channel(ada)
    for path, status in ((channel, 200), (channel_path(group), 404)):
        for call in ("", "/posts", "/subscribers", "/bans"):
            assert (await ada.get(path + call)).status == status
    ids = f"{part(id_of(group))},{part(id_of(channel))}"
    found = (await ada.get(f"/v1/channels?ids={ids}")).items
    assert [item.get("error", {}).get("code") for item in found] == ["channel_not_found", None]
    assert (await ada.get(group_path(channel))).status == 200
