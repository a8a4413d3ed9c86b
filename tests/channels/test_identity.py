"""The identity of a channel: the spellings of its id, its texts through both families of routes, its badge."""

from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from tests.api import Api, User, a_channel, a_chat_group, fresh, group_path, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

PREFIX: Final = "@TOA#_"
FORMS: Final = 13
"""The number of responses in which `forms_of` finds a channel."""

# --- ids ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "letters", ["x", "é", "故", "🍵", "a b", "%41", "../..", "a/b", "?q=1", "#x", "日本 news"]
)
async def test_an_id_may_be_any_printable_text(shared_api: Api, letters: str) -> None:
    ada = shared_api.new_user("ada")
    channel_id = PREFIX + fresh("k") + letters
    created = await ada.post("/v1/channels", {"channel_id": channel_id, "name": "News"})
    assert (created.status, created.body["channel_id"]) == (201, channel_id)
    in_short = channel_id.removeprefix(PREFIX)
    for spelling in (channel_id, in_short):
        read = await ada.get(f"/v1/channels/{part(spelling)}")
        assert (read.status, read.body["channel_id"]) == (200, channel_id)
        (item,) = (await ada.get(f"/v1/channels?ids={part(spelling)}")).items
        assert item["channel_id"] == channel_id
    assert (await ada.get(f"/v1/groups/{part(channel_id)}")).body["is_channel"] is True
    assert (await ada.get(f"/v1/groups/{part(in_short)}")).status == 404


@pytest.mark.parametrize("bad", ["\x00", "\n", "\t", "\x1f", "\x7f", "\u2028", "\ud800"])
async def test_an_id_may_not_contain_control_characters_or_separators(
    shared_api: Api, bad: str
) -> None:
    ada = shared_api.new_user("ada")
    good = PREFIX + fresh("k")
    for channel_id, status in ((good, 201), (good + bad + "x", 400)):
        created = await ada.post("/v1/channels", {"channel_id": channel_id, "name": "News"})
        assert created.status == status, created
        if status == 400:
            assert created.refusal[1] == "invalid_request"


async def test_an_id_may_not_contain_a_comma(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    good = PREFIX + fresh("k")
    refused = await ada.post("/v1/channels", {"channel_id": good + ",x", "name": "News"})
    assert refused.refusal == (400, "bad_channel_id")
    assert (await ada.post("/v1/channels", {"channel_id": good, "name": "News"})).status == 201


@pytest.mark.parametrize("path", ["%00", "%1F", "%0A", "%FF", "%C3", PREFIX.replace("#", "%23")])
async def test_a_path_with_an_impossible_id_is_refused(shared_api: Api, path: str) -> None:
    refused = await shared_api.new_user().get(f"/v1/channels/{path}")
    assert refused.status in {400, 404}
    assert refused.refusal[1] in {"invalid_request", "channel_not_found", "route_not_found"}


async def test_the_length_of_an_id_counts_in_bytes_everywhere(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    rest = fresh("k")
    rest += "é" * ((42 - len(rest)) // 2)
    rest += "x" * (42 - len(rest.encode()))
    assert len((PREFIX + rest).encode()) == 48
    created = await ada.post("/v1/channels", {"channel_id": PREFIX + rest, "name": "News"})
    assert created.status == 201
    assert (await ada.get(f"/v1/channels/{part(rest)}")).status == 200
    assert (await ada.get(f"/v1/channels/{part(rest + 'x')}")).refusal == (400, "invalid_request")
    found, missing = (await ada.get(f"/v1/channels?ids={part(rest)},{part(rest + 'x')}")).items
    assert found["channel_id"] == PREFIX + rest
    assert missing["error"]["code"] == "channel_not_found"


# --- texts through routes of groups -----------------------------------------------------------------------------------

TEXTS: Final = {"name": ("故" * 50, 150), "introduction": ("é" * 200, 400)}
OF_GROUPS: Final = {"name": ("é" * 50, 100), "introduction": ("é" * 200, 400)}


@pytest.mark.parametrize("field", TEXTS)
async def test_routes_of_groups_apply_the_limits_of_channels(shared_api: Api, field: str) -> None:
    ada = shared_api.new_user("ada")
    for path, (longest, limit) in (
        (group_path(await a_channel(ada)), TEXTS[field]),
        (await a_chat_group(ada), OF_GROUPS[field]),
    ):
        assert len(longest.encode()) == limit
        assert (await ada.patch(path, {field: longest})).status == 200
        refused = await ada.patch(path, {field: longest + "x"})
        assert refused.refusal == (400, "field_too_long")
        assert refused.body["details"] == {"field": field, "limit_bytes": limit}
        assert (await ada.get(path)).body[field] == longest


@own_loop
async def test_routes_of_groups_apply_lowered_limits_of_channels(api: OpenApi) -> None:
    server = await api(channel_introduction_bytes=4, channel_name_bytes=5)
    ada = server.new_user("ada")
    path = group_path(await a_channel(ada, name="New"))
    for body, status in (({"introduction": "é" * 2}, 200), ({"introduction": "é" * 2 + "x"}, 400)):
        assert (await ada.patch(path, body)).status == status
    for body, status in (({"name": "Newss"}, 200), ({"name": "Newsss"}, 400)):
        assert (await ada.patch(path, body)).status == status


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("text", ["\ud800", None, 7])
async def test_a_field_that_is_not_text_is_refused(
    shared_api: Api, field: str, text: object
) -> None:
    ada = shared_api.new_user("ada")
    path = group_path(await a_channel(ada))
    assert (await ada.patch(path, {field: text})).refusal == (400, "invalid_request")


# --- the badge ------------------------------------------------------------------------------------------------------


async def forms_of(user: User, path: str) -> list[bool]:
    """The badge in each response that shows the user the channel."""
    channel_id = id_of(path)
    lists = [
        await user.get(f"/v1/channels?ids={part(channel_id)}"),
        await user.get("/v1/channels?subscribed=true&limit=100"),
        await user.get(f"/v1/channels?q={part(channel_id.removeprefix(PREFIX))}&limit=100"),
    ]
    found = [c for answer in lists for c in answer.items if c["channel_id"] == channel_id]
    assert len(found) == len(lists)
    found += [(await user.get(path)).body, (await user.put(f"{path}/subscription")).body]
    found += await as_a_group(user, channel_id)
    page = path.replace("/v1/channels", "/c")
    found.append((await user.get(f"{page}/feed.json")).body["_channel"])
    assert ('aria-label="Verified"' in (await user.get(page)).text) is found[0]["verified"]
    return [shown["verified"] for shown in found]


async def as_a_group(user: User, channel_id: str) -> list[dict[str, Any]]:
    """The channel in the responses of groups and conversations."""
    listed = (await user.get("/v1/conversations")).items
    assert len(listed) == 2
    rows = [
        (await user.get(f"/v1/conversations/{part(kind + channel_id)}")).body
        for kind in ("group_", "c2c_")
    ]
    groups = [
        *(await user.get(f"/v1/groups?ids={part(channel_id)}")).items,
        *(await user.get("/v1/groups?joined=true")).items,
        (await user.get(f"/v1/groups/{part(channel_id)}")).body,
    ]
    return [*listed, *rows, *groups]


@own_loop
async def test_only_the_application_gives_the_badge_shown_everywhere(
    api: OpenApi, second_database: Database
) -> None:
    server, other = await api(), await api(database=second_database)
    ada, bob, root = server.new_user("ada"), server.new_user("bob"), server.new_user(admin=True)
    path = await a_channel(ada, bob)
    far_bob = other.user_of(bob.id)
    dialogue = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    assert (await bob.post(dialogue, {"kind": "text", "text": "Hello"})).status == 201
    assert await forms_of(far_bob, path) == [False] * FORMS
    ears = await far_bob.socket()
    for user in (ada, bob):
        assert (await user.put(f"{path}/verified")).refusal == (403, "permission_denied")
        assert (await user.delete(f"{path}/verified")).refusal == (403, "permission_denied")
    assert await ears.until_now() == []
    for badge in (True, False):
        for _ in range(2):
            if badge:
                answer = await root.put(f"{path}/verified")
                assert (answer.status, answer.body["verified"]) == (200, True)
            else:
                assert (await root.delete(f"{path}/verified")).status == 204
        (event,) = await ears.until_now()
        assert (event["type"], event["changed"]) == ("channel.updated", {"verified": badge})
        assert await forms_of(bob, path) == [badge] * FORMS
        assert await forms_of(far_bob, path) == [badge] * FORMS
        assert await ears.until_now() == []


@pytest.mark.parametrize("call", ["put", "delete"])
async def test_the_badge_of_a_missing_channel_is_not_found(shared_api: Api, call: str) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user(admin=True)
    group = await a_chat_group(ada)
    for path in ("/v1/channels/none", group.replace("/groups/", "/channels/")):
        refused = await getattr(root, call)(f"{path}/verified")
        assert refused.refusal == (404, "channel_not_found")


async def test_writing_the_profile_cannot_give_the_badge(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.patch(path, {"verified": True})).refusal == (400, "invalid_request")
    created = await ada.post("/v1/channels", {"name": "x", "verified": True})
    assert created.refusal == (400, "invalid_request")


@own_loop
@pytest.mark.parametrize(
    ("field", "through_group"), [("name", False), ("name", True), ("organization", False)]
)
async def test_a_new_name_or_organization_removes_the_badge(
    api: OpenApi, second_database: Database, field: str, *, through_group: bool
) -> None:
    server, other = await api(), await api(database=second_database)
    ada, bob, root = server.new_user("ada"), server.new_user("bob"), server.new_user(admin=True)
    path = await a_channel(ada, bob, organization="A bakery")
    assert (await root.put(f"{path}/verified")).status == 200
    far_bob = other.user_of(bob.id)
    ears = await far_bob.socket()
    place = group_path(path) if through_group else path
    # The same name again, and changes of other fields, keep the badge.
    kept = {"name": "News"} if through_group else {"name": "News", "organization": "A bakery"}
    assert (await ada.patch(place, {**kept, "introduction": "All of it"})).status == 200
    assert (await bob.get(path)).body["verified"] is True
    await ears.until_now()
    changed = await ada.patch(place, {field: "The national bank"})
    assert changed.status == 200
    assert changed.body["verified"] is False
    (event,) = await ears.until_now()
    assert event["changed"] == {field: "The national bank", "verified": False}
    assert (await far_bob.get(path)).body["verified"] is False
    log = (await ada.get(f"{path}/admin-log?action=settings_changed")).items
    assert (log[0]["actor_id"], log[0]["before"], log[0]["after"]) == (
        ada.id,
        {"verified": True},
        {"verified": False},
    )
    # The old name does not restore the badge; only the application does.
    await ada.patch(place, {field: kept.get(field, "A bakery")})
    assert (await bob.get(path)).body["verified"] is False
    assert (await root.put(f"{path}/verified")).body["verified"] is True
    await ears.close()


async def test_an_admin_without_the_settings_right_still_removes_the_badge(
    shared_api: Api,
) -> None:
    ada, bob, root = (
        shared_api.new_user("ada"),
        shared_api.new_user("bob"),
        shared_api.new_user(admin=True),
    )
    path = await a_channel(ada, bob)
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": ["change_info"]})
    await root.put(f"{path}/verified")
    assert (await bob.patch(path, {"name": "The national bank"})).body["verified"] is False


async def test_a_new_name_by_the_application_keeps_the_badge(shared_api: Api) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user(admin=True)
    path = await a_channel(ada)
    await root.put(f"{path}/verified")
    renamed = await root.patch(path, {"name": "Better news", "organization": "A bakery"})
    assert renamed.body["verified"] is True
