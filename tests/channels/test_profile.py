"""The profile of a channel: its fields, their limits in UTF-8 bytes, its ids, and how it changes."""

from typing import Any, Final

import pytest

from channels.models import ChannelSettings, NewChannel
from channels.routes.responses import SettingsBody, SettingsResponse
from tests.api import Api, User, a_channel, a_chat_group, all_pages, fresh, group_path, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

URL: Final = "https://example.org/"
BYTES: Final = {
    "name": ("故" * 50, 150),
    "organization": ("é" * 250, 500),
    "introduction": ("🍵" * 100, 400),
    "custom_data": ("故" * 1000, 3000),
    "face_url": (URL + "é" * ((500 - len(URL)) // 2), 500),
}
"""The longest text of each field, in characters of several bytes, and its length in bytes."""

PRIVATE: Final = {"visibility": "private"}


async def test_a_new_channel_has_every_value_of_the_request(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    channel_id = f"@TOA#_{fresh('news')}"
    fields = {
        "channel_id": channel_id,
        "name": "City News",
        "face_url": "https://example.org/a.png",
        "organization": "City",
        "introduction": "What happens\nin town",
        "custom_data": '{"a": 1}',
    }
    settings = {
        "visibility": "private",
        "reactions": ["👍", "❤️"],
        "reactions_per_user": 3,
        "distinct_reactions": 9,
        "comments": "subscribers",
        "retention_days": 90,
        "accept_messages": "everyone",
        "signatures": True,
        "protect_content": True,
        "count_clicks": True,
    }
    created = await ada.post("/v1/channels", {**fields, "settings": settings})
    assert created.status == 201, created
    body = created.body
    assert body == body | fields
    assert body["settings"] == settings
    assert body == body | {
        "owner_id": ada.id,
        "role": "owner",
        "subscriber_count": 1,
        "subscribed_at": body["created_at"],
        "head_seq": 0,
        "last_post": None,
        "verified": False,
    }
    assert (await ada.get(f"/v1/channels/{part(channel_id)}")).body == body


async def test_every_setting_of_the_model_can_be_set_and_is_shown() -> None:
    settings = SettingsBody.model_fields.keys()
    assert settings == SettingsResponse.model_fields.keys()
    assert settings >= ChannelSettings.model_fields.keys()


async def test_the_stored_digest_of_a_creation_does_not_change() -> None:
    assert NewChannel(name="News").digest_text == (
        '{"channel_id":null,"group_id":null,"name":"News","face_url":"","introduction":"","organization":"",'
        '"custom_data":"","visibility":"public","reactions":"all","reactions_per_user":null,"distinct_reactions":null,'
        '"accept_messages":"subscribers","signatures":false,"protect_content":false}'
    )


async def test_fields_left_out_take_their_defaults(shared_api: Api) -> None:
    created = await shared_api.new_user("ada").post("/v1/channels", {"name": "News"})
    body = created.body
    assert body["channel_id"].startswith("@TOA#_")
    assert len(body["channel_id"]) > len("@TOA#_") + 10
    for field in ("face_url", "organization", "introduction", "custom_data"):
        assert body[field] == ""
    assert body["settings"] == {
        "visibility": "public",
        "reactions": "all",
        "reactions_per_user": 1,
        "distinct_reactions": 50,
        "comments": "off",
        "retention_days": 0,
        "accept_messages": "subscribers",
        "signatures": False,
        "protect_content": False,
        "count_clicks": False,
    }


async def test_a_channel_is_a_community_group_with_the_marker(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    group = (await ada.get(group_path(path))).body
    assert group["is_channel"] is True
    assert (group["type"], group["posting"]) == ("community", "owner_and_admins")
    assert group["custom"] == {"official_account": "1"}
    assert (group["member_count"], group["member_limit"]) == (1, 1_000_000)


@pytest.mark.parametrize("field", BYTES)
async def test_each_field_has_a_limit_in_bytes(shared_api: Api, field: str) -> None:
    ada = shared_api.new_user("ada")
    longest, limit = BYTES[field]
    assert len(longest.encode()) == limit
    path = await a_channel(ada)
    assert (await ada.post("/v1/channels", {"name": "News"} | {field: longest})).status == 201
    assert (await ada.patch(path, {field: longest})).status == 200
    created = await ada.post("/v1/channels", {"name": "News"} | {field: longest + "x"})
    changed = await ada.patch(path, {field: longest + "x"})
    for refused in (created, changed):
        assert refused.refusal == (400, "field_too_long")
        assert refused.body["details"] == {"field": field, "limit_bytes": limit}
    assert (await ada.get(path)).body[field] == longest


GROUP_BYTES: Final = {"name": (100, 150), "introduction": (400, 400)}
"""The limits in a chat group and in a channel, changed through the routes of groups."""


@pytest.mark.parametrize("field", GROUP_BYTES)
async def test_routes_of_groups_limit_channel_fields_in_bytes(shared_api: Api, field: str) -> None:
    ada = shared_api.new_user("ada")
    places = await a_chat_group(ada), group_path(await a_channel(ada))
    for path, limit in zip(places, GROUP_BYTES[field], strict=True):
        longest = "茶" * (limit // 3) + "x" * (limit % 3)
        assert (await ada.patch(path, {field: longest})).body[field] == longest
        refused = await ada.patch(path, {field: longest + "x"})
        assert refused.refusal == (400, "field_too_long")
        assert refused.body["details"] == {"field": field, "limit_bytes": limit}
        assert (await ada.get(path)).body[field] == longest


@own_loop
async def test_a_deployment_sets_its_own_limits(api: OpenApi) -> None:
    server = await api(channel_name_bytes=6, channel_custom_data_bytes=3)
    ada = server.new_user("ada")
    for body, status in (({"name": "故故"}, 201), ({"name": "故故x"}, 400)):
        assert (await ada.post("/v1/channels", body)).status == status
    for data, status in (("abc", 201), ("abcd", 400)):
        answer = await ada.post("/v1/channels", {"name": "x", "custom_data": data})
        assert answer.status == status


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.org/a",
        "/relative",
        "example.org",
        "https://",
        "data:text/html,x",
        "//example.org",
        "http:// example.org",
    ],
)
async def test_face_url_must_be_a_web_address(shared_api: Api, url: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada, face_url="http://example.org/a.png")
    assert (await ada.patch(path, {"face_url": ""})).body["face_url"] == ""
    assert (await ada.patch(path, {"face_url": url})).refusal == (400, "invalid_request")
    created = await ada.post("/v1/channels", {"name": "x", "face_url": url})
    assert created.refusal == (400, "invalid_request")


# --- ids ------------------------------------------------------------------------------------------------------------


def id_of_bytes(size: int) -> str:
    """A new channel id with this many bytes, mostly of characters with several bytes."""
    start = f"@TOA#_{fresh('id')}"
    rest = size - len(start.encode())
    return start + "故" * (rest // 3) + "x" * (rest % 3)


async def test_an_id_has_at_most_48_bytes(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    for size, status in ((47, 201), (48, 201), (49, 400)):
        channel_id = id_of_bytes(size)
        created = await ada.post("/v1/channels", {"channel_id": channel_id, "name": "News"})
        assert created.status == status
        read = await ada.get(f"/v1/channels/{part(channel_id)}")
        assert read.status == (200 if status == 201 else 400)


@pytest.mark.parametrize("bad", ["news", "@TGS#_news", "@toa#_news", "@TOA#_", "@TOA#", " @TOA#_x"])
async def test_an_id_must_start_with_its_prefix(shared_api: Api, bad: str) -> None:
    ada = shared_api.new_user("ada")
    good = {"channel_id": f"@TOA#_{fresh('x')}", "name": "News"}
    assert (await ada.post("/v1/channels", good)).status == 201
    refused = await ada.post("/v1/channels", good | {"channel_id": bad})
    assert refused.refusal[0] == 400
    assert refused.refusal[1] in {"bad_channel_id", "invalid_request"}


async def test_an_id_can_be_taken_once_only(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    for user in (ada, bob):
        again = await user.post("/v1/channels", {"channel_id": id_of(path), "name": "Again"})
        assert again.refusal == (409, "channel_id_taken")
    group = {"type": "community", "name": "x", "group_id": id_of(path)}
    assert (await ada.post("/v1/groups", group)).refusal == (400, "bad_group_id")
    assert (await ada.get(path)).body["name"] == "News"


# --- changes --------------------------------------------------------------------------------------------------------


async def test_a_change_leaves_other_fields_as_they_are(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada, organization="City", introduction="Old")
    before = (await ada.get(path)).body
    change: dict[str, Any] = {"introduction": "New", "settings": {"signatures": True}}
    changed = await ada.patch(path, change)
    settings = before["settings"] | {"signatures": True}
    assert changed.body == before | {"introduction": "New", "settings": settings}
    assert (await ada.patch(path, {})).body == changed.body
    assert (await ada.patch(path, change)).body == changed.body
    assert (await ada.get(path)).body == changed.body


@pytest.mark.parametrize("field", [*BYTES, "settings"])
async def test_null_is_refused(shared_api: Api, field: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.patch(path, {field: None})).refusal == (400, "invalid_request")


async def test_admins_change_the_profile_and_subscribers_do_not(shared_api: Api) -> None:
    ada, adm, bob = (shared_api.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,))
    assert (await adm.patch(path, {"name": "By admin"})).status == 200
    assert (await bob.patch(path, {"name": "By me"})).refusal == (403, "permission_denied")
    assert (await ada.get(path)).body["name"] == "By admin"


async def test_routes_of_groups_and_channels_see_each_other_s_changes(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await ada.patch(group_path(path), {"name": "By group", "introduction": "Intro"})
    channel = (await ada.get(path)).body
    assert (channel["name"], channel["introduction"]) == ("By group", "Intro")
    await ada.patch(path, {"name": "故" * 50, "settings": {"reactions": "none"}})
    group = (await ada.get(group_path(path))).body
    assert (group["name"], group["reactions"]) == ("故" * 50, "none")
    await ada.patch(group_path(path), {"reactions": "basic", "reactions_per_user": 2})
    settings = (await ada.get(path)).body["settings"]
    assert (settings["reactions"], settings["reactions_per_user"]) == ("basic", 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"posting": "everyone"}, "fixed_in_channel"),
        ({"join_option": "approval"}, "fixed_in_channel"),
        ({"history_visible": False}, "fixed_in_channel"),
        ({"custom": {"official_account": None}}, "reserved_custom_field"),
        ({"custom": {"official_account": "0"}}, "reserved_custom_field"),
    ],
)
async def test_routes_of_groups_cannot_change_what_makes_a_channel(
    shared_api: Api, change: dict[str, Any], code: str
) -> None:
    ada = shared_api.new_user("ada")
    path = group_path(await a_channel(ada))
    before = (await ada.get(path)).body
    assert (await ada.patch(path, {"custom": {"mine": "1"}})).status == 200
    assert (await ada.patch(path, change)).refusal == (409, code)
    assert (await ada.get(path)).body["custom"] == before["custom"] | {"mine": "1"}


# --- private --------------------------------------------------------------------------------------------------------


async def test_only_members_see_a_private_channel(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob, settings=PRIVATE)
    ids = part(id_of(path))
    assert (await bob.get(path)).status == 200
    for hidden in (path, f"{path}/posts"):
        assert (await eve.get(hidden)).refusal == (404, "channel_not_found")
    assert (await eve.put(f"{path}/subscription")).refusal == (404, "channel_not_found")
    assert (await eve.get(group_path(path))).refusal == (404, "group_not_found")
    assert (await eve.put(f"{group_path(path)}/members/me")).refusal == (404, "group_not_found")
    assert (await eve.get(f"/v1/channels?ids={ids}")).items[0]["error"]["code"] == (
        "channel_not_found"
    )
    for user in (ada, bob, eve):
        assert id_of(path) not in await directory(user)


async def directory(user: User) -> list[str]:
    """The ids that the directory lists."""
    pages = await all_pages(user, "/v1/channels")
    return [channel["channel_id"] for page in pages for channel in page]


async def test_a_channel_can_become_private_and_public_again(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob)
    for visibility, status in (("public", 200), ("private", 404), ("public", 200)):
        changed = await ada.patch(path, {"settings": {"visibility": visibility}})
        assert changed.body["settings"]["visibility"] == visibility
        assert (await eve.get(path)).status == status
        assert (id_of(path) in await directory(eve)) is (status == 200)
        assert (await bob.get(path)).status == 200
    assert (await eve.put(f"{path}/subscription")).status == 200


@pytest.mark.parametrize("value", ["profile", "hidden", "", None, 1])
async def test_visibility_is_public_or_private(shared_api: Api, value: object) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    changed = await ada.patch(path, {"settings": {"visibility": value}})
    assert changed.refusal == (400, "invalid_request")
