"""Admins of a channel: their rights, their number, transfers of ownership, and bans from reacting."""

import asyncio
from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from groups.models import Grant
from tests.api import Answer, Api, User, a_channel, a_post, all_pages, group_path, part, the_app
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

DENIED: Final = (403, "permission_denied")
FULL: Final = (409, "admin_limit_reached")
ALL: Final = [grant.value for grant in Grant]


async def appoint(owner: User, path: str, user: User, *grants: str) -> Answer:
    return await owner.put(f"{path}/admins/{part(user.id)}", {"grants": list(grants)})


async def grants_in(owner: User, path: str) -> dict[str, list[str]]:
    return {item["user_id"]: item["grants"] for item in (await owner.get(f"{path}/admins")).items}


# --- grants -----------------------------------------------------------------------------------------------------------


async def test_an_admin_has_the_rights_granted_or_all_by_default(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    bare = await ada.put(f"{path}/admins/{part(bob.id)}")
    assert (bare.status, bare.body["role"], bare.body["grants"]) == (200, "admin", ALL)
    some = await appoint(ada, path, cat, "pin_posts", "post", "post")
    assert (some.body["role"], some.body["grants"]) == ("admin", ["post", "pin_posts"])
    shown = [
        (await user.get(path)).body["grants"] for user in (ada, cat, shared_api.new_user("dan"))
    ]
    assert shown == [ALL, ["post", "pin_posts"], []]
    wanted = {ada.id: ALL, bob.id: ALL, cat.id: ["post", "pin_posts"]}
    assert await grants_in(cat, path) == wanted


async def test_new_grants_replace_the_old_ones_and_none_keep_them(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    assert (await appoint(ada, path, bob, "post")).body["grants"] == ["post"]
    assert (await ada.put(f"{path}/admins/{part(bob.id)}")).body["grants"] == ["post"]
    assert (await ada.put(f"{path}/admins/{part(bob.id)}", {})).body["grants"] == ["post"]
    # The route of groups changes roles, and takes no grants.
    member = f"{group_path(path)}/members/{part(bob.id)}"
    assert (await ada.patch(member, {"role": "admin"})).body["role"] == "admin"
    assert (await grants_in(ada, path))[bob.id] == ["post"]
    assert (await appoint(ada, path, bob)).body["grants"] == []
    assert (await appoint(ada, path, bob, *ALL)).body["grants"] == ALL


async def test_an_admin_appointed_again_has_all_rights(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await appoint(ada, path, bob, "post")
    assert (await ada.delete(f"{path}/admins/{part(bob.id)}")).status == 204
    assert await grants_in(ada, path) == {ada.id: ALL}
    member = f"{group_path(path)}/members/{part(bob.id)}"
    assert (await ada.patch(member, {"role": "admin"})).status == 200
    assert (await grants_in(ada, path))[bob.id] == ALL


@pytest.mark.parametrize(
    "body", [{"grants": ["fly"]}, {"grants": None}, {"grants": "post"}, {"rights": []}]
)
async def test_invalid_grants_are_refused(shared_api: Api, body: dict[str, object]) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    refused = await ada.put(f"{path}/admins/{part(bob.id)}", body)
    assert refused.refusal == (400, "invalid_request")
    assert list(await grants_in(ada, path)) == [ada.id]


async def test_only_the_owner_grants_rights(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, admins=(bob,))
    for user in (bob, cat, shared_api.new_user("dan")):
        for whom in (bob, cat):
            assert (await appoint(user, path, whom, "post")).refusal == DENIED
    await appoint(ada, path, bob, "manage_subscribers")
    assert (await appoint(bob, path, bob, *ALL)).refusal == DENIED
    assert (await appoint(ada, path, ada, "post")).refusal == DENIED
    assert (await grants_in(ada, path)) == {ada.id: ALL, bob.id: ["manage_subscribers"]}


async def test_each_right_opens_its_routes_and_errors_name_the_missing_one(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    theirs = (await a_post(ada, path))["seq"]
    text = {"kind": "text", "text": "Changed"}
    calls: dict[str, tuple[str, str, Any]] = {
        "post": ("POST", "/posts", text),
        "edit_posts": ("PATCH", f"/posts/{theirs}", text),
        "manage_subscribers": ("DELETE", f"/subscribers/{part(cat.id)}", None),
        "change_info": ("PATCH", "", {"organization": "Tellers", "name": "Other news"}),
        "change_settings": ("PATCH", "", {"settings": {"signatures": True}}),
        "delete_posts": ("DELETE", f"/posts/{theirs}", None),
    }
    for grant, (method, call, body) in calls.items():
        sent = {} if body is None else {"body": body}
        await appoint(ada, path, bob, *(other for other in ALL if other != grant))
        refused = await bob.call(method, path + call, **sent)
        assert refused.status == 403, (grant, refused)
        assert refused.body["details"] == {"grant": grant}
        await appoint(ada, path, bob, grant)
        done = await bob.call(method, path + call, **sent)
        assert done.status < 300, (grant, done)


async def test_changing_profile_and_settings_together_needs_both_rights(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    both = {"name": "Other news", "settings": {"protect_content": True}}
    for held, missing in (("change_info", "change_settings"), ("change_settings", "change_info")):
        await appoint(ada, path, bob, held)
        refused = await bob.patch(path, both)
        assert (refused.refusal, refused.body["details"]) == (DENIED, {"grant": missing})
        # The same value changes nothing, but still needs the right.
        same = {"name": "News"} if missing == "change_info" else {"settings": {"signatures": False}}
        assert (await bob.patch(path, same)).refusal == DENIED
    assert (await ada.get(path)).body["name"] == "News"
    await appoint(ada, path, bob, "change_info", "change_settings")
    assert (await bob.patch(path, both)).status == 200


@own_loop
async def test_a_removed_right_is_gone_at_once_in_every_process(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    ada, bob = here.new_user("ada"), here.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    elsewhere = there.user_of(bob.id)
    await a_post(elsewhere, path)
    await appoint(ada, path, bob, "edit_posts")
    for user in (bob, elsewhere):
        refused = await user.post(f"{path}/posts", {"kind": "text", "text": "Still here?"})
        assert refused.refusal == (403, "posting_not_allowed")
        assert refused.body["details"] == {"grant": "post"}
    await appoint(there.user_of(ada.id), path, bob, "post")
    await a_post(bob, path)


async def test_a_change_of_rights_is_sent_once_to_the_admins(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    ears = {user.id: await user.socket() for user in (ada, bob, cat)}
    for _ in range(2):
        await appoint(ada, path, bob, "post")
    heard = {user_id: await listening.until_now() for user_id, listening in ears.items()}
    assert [event["type"] for event in heard[bob.id]] == ["member.changed"]
    assert (heard[bob.id][0]["role"], heard[bob.id][0]["grants"]) == ("admin", ["post"])
    assert heard[ada.id] == heard[bob.id]
    assert heard[cat.id] == []
    for listening in ears.values():
        await listening.close()


# --- number of admins -------------------------------------------------------------------------------------------------


@own_loop
async def test_the_number_of_admins_has_a_limit(api: OpenApi) -> None:
    server = await api(admins=2)
    ada, *crowd = (server.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, *crowd)
    bob, cat, dan = crowd
    for user in (bob, cat):
        assert (await ada.put(f"{path}/admins/{part(user.id)}")).status == 200
    refused = await ada.put(f"{path}/admins/{part(dan.id)}")
    assert (refused.refusal, refused.body["details"]) == (FULL, {"limit": 2})
    member = f"{group_path(path)}/members/{part(dan.id)}"
    assert (await ada.patch(member, {"role": "admin"})).refusal == FULL
    # Appointing an admin again does not count. An admin who is dismissed, is removed or leaves makes room.
    assert (await appoint(ada, path, bob, "post")).status == 200
    await ada.delete(f"{path}/admins/{part(bob.id)}")
    assert (await ada.put(f"{path}/admins/{part(dan.id)}")).status == 200
    await ada.delete(f"{path}/subscribers/{part(cat.id)}")
    assert (await ada.put(f"{path}/admins/{part(bob.id)}")).status == 200
    assert (await dan.delete(f"{path}/subscription")).status == 204
    assert (await cat.put(f"{path}/subscription")).status == 200
    assert (await ada.put(f"{path}/admins/{part(cat.id)}")).status == 200
    assert sorted(await grants_in(ada, path)) == sorted([ada.id, bob.id, cat.id])


@own_loop
async def test_the_default_limit_of_admins_is_50(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    crowd = [server.new_user("adm") for _ in range(51)]
    path = await a_channel(ada)
    app = server.new_user("app", admin=True)
    lines = "\n".join(f'{{"user_id": "{user.id}"}}' for user in crowd)
    headers = {"Content-Type": "application/x-ndjson"}
    assert (
        await app.call("POST", f"{path}/subscribers", data=lines, headers=headers)
    ).status == 200
    answers = await asyncio.gather(*(ada.put(f"{path}/admins/{part(user.id)}") for user in crowd))
    assert sorted(answer.refusal for answer in answers) == [(200, None)] * 50 + [FULL]
    pages = await all_pages(ada, f"{path}/admins", limit=20)
    assert [len(page) for page in pages] == [20, 20, 11]
    found = [item["user_id"] for page in pages for item in page]
    assert found == sorted(found)
    assert len(set(found)) == 51


# --- owner ------------------------------------------------------------------------------------------------------------


async def test_the_former_owner_stays_as_an_admin_with_all_rights(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await appoint(ada, path, bob, "post")
    given = await ada.post(f"{path}/owner", {"user_id": bob.id})
    assert (given.status, given.body["role"], given.body["owner_id"]) == (200, "admin", bob.id)
    assert await grants_in(bob, path) == {ada.id: ALL, bob.id: ALL}
    await a_post(ada, path)
    # After a second transfer the former grants do not come back.
    assert (await bob.post(f"{path}/owner", {"user_id": ada.id})).status == 200
    assert await grants_in(ada, path) == {ada.id: ALL, bob.id: ALL}


@own_loop
async def test_with_full_admins_only_an_admin_can_become_owner(
    api: OpenApi,
) -> None:
    server = await api(admins=2)
    ada, bob, cat, dan = (server.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan, admins=(bob, cat))
    refused = await ada.post(f"{path}/owner", {"user_id": dan.id})
    assert (refused.refusal, refused.body["details"]) == (FULL, {"limit": 2})
    assert (await ada.get(path)).body["role"] == "owner"
    assert (await ada.post(f"{path}/owner", {"user_id": bob.id})).status == 200
    assert await grants_in(bob, path) == {ada.id: ALL, bob.id: ALL, cat.id: ALL}
    roles = {item["user_id"]: item["role"] for item in (await bob.get(f"{path}/admins")).items}
    assert roles == {ada.id: "admin", bob.id: "owner", cat.id: "admin"}


# --- bans from reacting -----------------------------------------------------------------------------------------------

LIKE: Final = part("👍")
BANNED: Final = (403, "reacting_banned")


async def test_a_reaction_ban_still_allows_reading_and_removing(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    first, second = [f"{path}/posts/{(await a_post(ada, path))['seq']}" for _ in range(2)]
    assert (await bob.put(f"{first}/reactions/{LIKE}")).status == 200
    for _ in range(2):
        assert (await ada.put(f"{path}/reaction-bans/{part(bob.id)}")).status == 204
    for post in (first, second):
        assert (await bob.put(f"{post}/reactions/{LIKE}")).refusal == BANNED
        assert (await bob.get(post)).status == 200
    assert (await ada.put(f"{second}/reactions/{LIKE}")).status == 200
    assert (await bob.get(f"{first}/reactions")).body["mine"] == ["👍"]
    assert (await bob.delete(f"{first}/reactions/{LIKE}")).body["counts"] == {}
    for _ in range(2):
        assert (await ada.delete(f"{path}/reaction-bans/{part(bob.id)}")).status == 204
    assert (await bob.put(f"{first}/reactions/{LIKE}")).status == 200


async def test_a_reaction_ban_applies_to_routes_of_groups_too(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    seq = (await a_post(ada, path))["seq"]
    reaction = f"{group_path(path)}/messages/{seq}/reactions/{LIKE}"
    assert (await bob.put(reaction)).status == 200
    await bob.delete(reaction)
    await ada.put(f"{path}/reaction-bans/{part(bob.id)}")
    assert (await bob.put(reaction)).refusal == BANNED


async def test_a_reaction_ban_outlasts_leaving_bans_and_imports(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    post = f"{path}/posts/{(await a_post(ada, path))['seq']}"
    await ada.put(f"{path}/reaction-bans/{part(bob.id)}")
    mute = f"{group_path(path)}/members/{part(bob.id)}"
    for how in ("leaving", "ban", "added", "imported", "mute"):
        if how == "leaving":
            await bob.delete(f"{path}/subscription")
        elif how == "mute":
            for seconds in (60, 0):
                assert (await ada.patch(mute, {"mute_seconds": seconds})).status == 200
        else:
            await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
        if how == "ban":
            await ada.delete(f"{path}/bans/{part(bob.id)}")
        if how == "added":
            await the_app(ada).put(f"{path}/subscribers/{part(bob.id)}")
        if how == "imported":
            app = shared_api.new_user("app", admin=True)
            line = f'{{"user_id": "{bob.id}"}}'
            headers = {"Content-Type": "application/x-ndjson"}
            await app.call("POST", f"{path}/subscribers", data=line, headers=headers)
        assert (await bob.put(f"{path}/subscription")).status == 200, how
        assert (await bob.put(f"{post}/reactions/{LIKE}")).refusal == BANNED, how
    listed = (await ada.get(f"{path}/reaction-bans")).items
    assert [(ban["user_id"], ban["banned_by"]) for ban in listed] == [(bob.id, ada.id)]
    assert (await ada.get(f"{path}/bans")).items == []


async def test_users_who_can_be_removed_can_be_banned_from_reacting(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, admins=(bob, cat))
    for whom in (ada, cat):
        assert (await bob.put(f"{path}/reaction-bans/{part(whom.id)}")).refusal == DENIED
    app = shared_api.new_user("app", admin=True)
    assert (await app.put(f"{path}/reaction-bans/{part(ada.id)}")).refusal == DENIED
    crowd = [shared_api.new_user("fan") for _ in range(5)]
    for user in crowd:
        assert (await bob.put(f"{path}/reaction-bans/{part(user.id)}")).status == 204
    pages = await all_pages(bob, f"{path}/reaction-bans", limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    found = [item["user_id"] for page in pages for item in page]
    assert found == sorted(user.id for user in crowd)
