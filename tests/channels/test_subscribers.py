"""Subscribing, unsubscribing, admins, ownership, bans and deletion."""

import asyncio

import pytest

from groups.kernel.mongo import Database
from groups.service.membership import search
from tests.api import Api, a_channel, a_post, all_pages, group_path, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")


async def test_subscribing_twice_changes_nothing(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    first, second = [await bob.put(f"{path}/subscription") for _ in range(2)]
    assert (second.status, second.body) == (200, first.body)
    assert (first.body["subscriber_count"], first.body["role"]) == (2, "member")
    assert first.body["subscribed_at"]


async def test_unsubscribing_deletes_the_conversation(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    assert len((await bob.get("/v1/conversations")).items) == 1
    for _ in range(2):
        assert (await bob.delete(f"{path}/subscription")).status == 204
    assert (await bob.get("/v1/conversations")).items == []
    assert (await ada.get(path)).body["subscriber_count"] == 1
    shown = (await bob.get(path)).body
    assert (shown["role"], shown["subscribed_at"]) == (None, None)


async def test_a_new_subscriber_has_nothing_unread_and_reads_the_history(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await a_post(ada, path)
    await bob.put(f"{path}/subscription")
    assert (await bob.get("/v1/unread")).body["total"] == 0
    assert [post["seq"] for post in (await bob.get(f"{path}/posts")).items] == [1]


@own_loop
async def test_a_full_channel_admits_nobody_until_somebody_leaves(
    api: OpenApi, second_database: Database
) -> None:
    servers = [
        await api(community_members=4),
        await api(database=second_database, community_members=4),
    ]
    ada = servers[0].new_user("ada")
    path = await a_channel(ada)
    crowd = [server.new_user("fan") for server in servers for _ in range(6)]
    answers = await asyncio.gather(*(user.put(f"{path}/subscription") for user in crowd))
    full = (409, "member_limit_reached")
    assert sorted(answer.refusal for answer in answers) == [(200, None)] * 3 + [full] * 9
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.body["details"] == {"limit": 4}
    assert (await ada.get(path)).body["subscriber_count"] == 4
    assert len((await ada.get(f"{path}/subscribers")).items) == 4
    inside = next(u for u, answer in zip(crowd, answers, strict=True) if answer.status == 200)
    outside = next(u for u, answer in zip(crowd, answers, strict=True) if answer.status == 409)
    await inside.delete(f"{path}/subscription")
    assert (await outside.put(f"{path}/subscription")).status == 200
    assert (await inside.put(f"{path}/subscription")).refusal == full


async def test_subscribers_are_paged_by_id(shared_api: Api) -> None:
    ada, adm = shared_api.new_user("ada"), shared_api.new_user("adm")
    await adm.patch("/v1/users/me", {"name": "Adam"})
    fans = [shared_api.new_user("fan") for _ in range(5)]
    path = await a_channel(ada, *fans, admins=(adm,))
    pages = await all_pages(ada, f"{path}/subscribers", limit=3)
    found = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [item["user_id"] for item in found] == sorted(user.id for user in (ada, adm, *fans))
    by_id = {item["user_id"]: item for item in found}
    assert (by_id[adm.id]["role"], by_id[adm.id]["name"]) == ("admin", "Adam")
    staff = (await adm.get(f"{path}/subscribers?staff=true")).items
    assert {item["user_id"]: item["role"] for item in staff} == {ada.id: "owner", adm.id: "admin"}
    begun = (await ada.get(f"{path}/subscribers?q=fan")).items
    assert [item["user_id"] for item in begun] == sorted(user.id for user in fans)


@own_loop
async def test_subscribers_are_found_by_id_by_name_and_by_the_last_word_of_their_name(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    ada, anna, others = server.new_user("ada"), server.user_of("anna-id"), server.new_user("other")
    names = {
        "u1": "Anna Ó Súilleabháin",
        "u2": "  ANNA   Berg ",
        "u3": "Erik Annason",
        "u4": "Anna",
        "u5": "Anna Annason",  # once, though both words fit
        "u6": "Hanna Sully",
        "u7": "田中 愛子",
    }
    named = {key: server.user_of(key) for key in names}
    for key, name in names.items():
        assert (await named[key].patch("/v1/users/me", {"name": name})).status == 200
    # Users who fit and do not subscribe.
    for number in range(9):
        stranger = server.new_user("stranger")
        await stranger.patch("/v1/users/me", {"name": f"Anna Stranger{number}"})
    path = await a_channel(ada, anna, others, *named.values())

    async def found(words: str, *, limit: int = 50, staff: bool = False) -> list[str]:
        query = f"q={part(words)}" + ("&staff=true" if staff else "")
        pages = await all_pages(ada, f"{path}/subscribers?{query}", limit=limit)
        return [item["user_id"] for page in pages for item in page]

    for steps, limit in ((200, 50), (200, 2), (2, 50), (2, 1)):
        # With small steps, a page ends before it is full, and the next one goes on.
        monkeypatch.setattr(search, "USERS_A_STEP", steps)
        monkeypatch.setattr(search, "USERS_A_PAGE", 2 * steps)
        assert await found("anna", limit=limit) == ["anna-id", "u4", "u5", "u2", "u1", "u3"]
    assert await found("SUILL") == ["u1"]
    assert await found("ó súill") == []  # from the middle of the name
    assert await found("anna  b") == ["u2"]
    assert await found("田中") == ["u7"]
    assert await found("愛") == ["u7"]
    await ada.put(f"{path}/admins/u3")
    assert await found("anna", staff=True) == ["u3"]
    await named["u4"].patch("/v1/users/me", {"name": "Zoë"})
    assert await found("zoe") == ["u4"]
    assert "u4" not in await found("anna")
    assert (await ada.get(f"{path}/subscribers?q={'x' * 100}")).items == []
    assert (await ada.get(f"{path}/subscribers?q={'x' * 101}")).status == 400
    assert (await ada.get(f"{path}/subscribers?q=a&cursor=bad")).status == 400


async def test_a_subscriber_becomes_an_admin_and_a_subscriber_again(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob)
    post = {"kind": "text", "text": "Hello"}
    assert (await bob.post(f"{path}/posts", post)).refusal == (403, "posting_not_allowed")
    for _ in range(2):
        appointed = await ada.put(f"{path}/admins/{bob.id}")
        assert (appointed.status, appointed.body["role"]) == (200, "admin")
    assert (await bob.post(f"{path}/posts", post)).status == 201
    assert (await bob.get(path)).body["role"] == "admin"
    for _ in range(2):
        assert (await ada.delete(f"{path}/admins/{bob.id}")).status == 204
    assert (await bob.post(f"{path}/posts", post)).refusal == (403, "posting_not_allowed")
    assert (await ada.put(f"{path}/admins/{eve.id}")).refusal == (404, "member_not_found")


async def test_only_a_transfer_changes_the_owner(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob)
    assert (await ada.delete(f"{path}/admins/{ada.id}")).refusal == (403, "permission_denied")
    assert (await ada.post(f"{path}/owner", {"user_id": eve.id})).refusal == (
        404,
        "member_not_found",
    )
    given = await ada.post(f"{path}/owner", {"user_id": bob.id})
    assert (given.body["owner_id"], given.body["role"]) == (bob.id, "admin")
    assert (await ada.delete(path)).refusal == (403, "permission_denied")
    assert (await bob.delete(f"{path}/subscription")).refusal == (409, "owner_cannot_leave")
    assert (await ada.delete(f"{path}/subscription")).status == 204
    assert (await bob.delete(path)).status == 204


async def test_two_transfers_at_once_leave_one_owner(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    answers = await asyncio.gather(
        *(ada.post(f"{path}/owner", {"user_id": user.id}) for user in (bob, cat))
    )
    assert sorted(answer.status for answer in answers) == [200, 403]
    staff = (await bob.get(f"{path}/subscribers?staff=true")).body.get("items")
    staff = staff or (await cat.get(f"{path}/subscribers?staff=true")).items
    assert [item["role"] for item in staff].count("owner") == 1


@pytest.mark.parametrize(("query", "body"), [("?ban=true", None), ("", {"ban": True})])
async def test_a_banned_user_cannot_subscribe_until_the_ban_is_lifted(
    shared_api: Api, query: str, body: object
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    removal = f"{path}/subscribers/{bob.id}{query}"
    removed = await (ada.call("DELETE", removal, body) if body else ada.delete(removal))
    assert removed.status == 204
    for subscription in (f"{path}/subscription", f"{group_path(path)}/members/me"):
        assert (await bob.put(subscription)).refusal == (403, "banned")
    assert (await bob.get(f"{path}/posts")).refusal == (403, "banned")
    (ban,) = (await ada.get(f"{path}/bans")).items
    assert (ban["user_id"], ban["banned_by"]) == (bob.id, ada.id)
    assert ban["banned_at"]
    for _ in range(2):
        assert (await ada.delete(f"{path}/bans/{bob.id}")).status == 204
    assert (await ada.get(f"{path}/bans")).items == []
    assert (await bob.put(f"{path}/subscription")).status == 200


async def test_removed_users_may_return_and_adding_lifts_a_ban(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    for _ in range(2):
        assert (await ada.delete(f"{path}/subscribers/{bob.id}")).status == 204
    assert (await bob.put(f"{path}/subscription")).status == 200
    await ada.delete(f"{path}/subscribers/{bob.id}?ban=true")
    invited = await ada.put(f"{path}/subscribers/{bob.id}")
    assert (invited.status, invited.body["user_id"]) == (202, bob.id)
    assert (await ada.get(f"{path}/bans")).items == []
    await bob.post(f"{path}/invitations/me", {"accept": True})
    for _ in range(2):
        added = await ada.put(f"{path}/subscribers/{bob.id}")
        assert (added.status, added.body["user_id"]) == (200, bob.id)
    assert (await bob.get(f"{path}/posts")).status == 200


async def test_a_deleted_channel_is_not_found_by_anyone(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    assert (await ada.delete(path)).status == 204
    for user in (ada, bob):
        for call in ("", "/posts", "/subscribers"):
            assert (await user.get(path + call)).refusal == (404, "channel_not_found")
        assert (await user.get(group_path(path))).refusal == (404, "group_not_found")
        assert (await user.get("/v1/channels?subscribed=true")).items == []
        assert (await user.get("/v1/conversations")).items == []
        assert (await user.get("/v1/unread")).body["total"] == 0
    await shared_api.services.chat.cleanup.wait()
    again = await bob.post("/v1/channels", {"channel_id": id_of(path), "name": "New"})
    assert again.status == 201
    assert (again.body["head_seq"], again.body["subscriber_count"]) == (0, 1)
    assert (await bob.get(f"{path}/posts")).items == []
