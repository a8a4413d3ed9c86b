"""Invite links and join requests, of channels and chat groups alike, through the API."""

from typing import Any, Final

import pytest

from groups.kernel.mongo import Database
from tests.api import (
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    all_pages,
    group_path,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

PRIVATE: Final = {"visibility": "private"}
UNKNOWN: Final = (404, "invite_link_not_found")
DAY: Final = 86_400


async def a_link(owner: User, path: str, **body: Any) -> dict[str, Any]:
    made = await owner.post(f"{path}/invite-links", body)
    assert made.status == 201, made
    link = made.body
    assert isinstance(link, dict)
    return link


def of(link: dict[str, Any]) -> str:
    return f"/v1/invite-links/{link['code']}"


async def shown(owner: User, path: str, link: dict[str, Any]) -> dict[str, Any]:
    found = await owner.get(f"{path}/invite-links/{link['code']}")
    assert found.status == 200, found
    body = found.body
    assert isinstance(body, dict)
    return body


async def counts(owner: User, path: str, link: dict[str, Any]) -> tuple[int, int, str]:
    found = await shown(owner, path, link)
    return found["uses"], found["pending_requests"], found["state"]


async def a_private_place(owner: User, kind: str) -> str:
    if kind == "channel":
        return await a_channel(owner, settings=PRIVATE)
    made = await owner.post("/v1/groups", {"type": "work", "name": "Tea"})
    return f"/v1/groups/{part(made.body['group_id'])}"


kinds = pytest.mark.parametrize("kind", ["channel", "group"])


@kinds
async def test_who_has_a_link_sees_where_it_leads_and_joins_a_private_place(
    shared_api: Api, kind: str
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    visitor = shared_api.bearer(None)
    path = await a_private_place(ada, kind)
    link = await a_link(ada, path, name="Poster", max_uses=2)
    assert len(link["code"]) == 24
    assert link["url"].endswith(f"/i/{link['code']}")
    assert (link["uses"], link["state"], link["created_by"]) == (0, "open", ada.id)
    assert (await shown(ada, path, link))["qr_svg"].startswith("<svg")
    assert (await bob.get(path)).status == 404
    for user in (visitor, bob):
        seen = (await user.get(of(link))).body
        assert (seen["kind"], seen["id"], seen["member_count"]) == (kind, id_of(path), 1)
        assert (seen["is_member"], seen["has_requested"], seen["approval"]) == (False,) * 3
        assert seen.keys().isdisjoint({"owner_id", "created_by", "uses", "max_uses"})
    assert (await visitor.post(f"{of(link)}/join")).status == 401
    for _ in range(2):
        joined = await bob.post(f"{of(link)}/join")
        assert joined.status == 200, joined
        assert (joined.body["status"], joined.body["id"]) == ("joined", id_of(path))
        assert joined.body[kind]["role"] == "member"
    assert (await bob.get(of(link))).body["is_member"]
    assert await counts(ada, path, link) == (1, 0, "open")
    # Coming back by it is another use.
    gone = "subscription" if kind == "channel" else "members/me"
    assert (await bob.delete(f"{path}/{gone}")).status == 204
    assert (await bob.post(f"{of(link)}/join")).status == 200
    assert await counts(ada, path, link) == (2, 0, "used_up")
    # For a member it leads there all the same; nobody else comes in.
    assert (await bob.get(of(link))).status == 200
    cat = shared_api.new_user("cat")
    for refused in (await cat.get(of(link)), await cat.post(f"{of(link)}/join")):
        assert refused.refusal == (410, "invite_link_ended")
        assert refused.body["details"]["state"] == "used_up"


@kinds
async def test_with_approval_a_link_makes_requests_which_are_answered(
    shared_api: Api, kind: str
) -> None:
    ada, bob, cat, dan, eve = (shared_api.new_user(n) for n in ("ada", "bob", "cat", "dan", "eve"))
    path = await a_private_place(ada, kind)
    link = await a_link(ada, path, name="Club", approval=True, max_uses=1)
    ears, hopes = await ada.socket(), await cat.socket()
    for user in (bob, cat, dan):
        for _ in range(2):
            asked = (await user.post(f"{of(link)}/join", {"text": f"{user.id} here"})).body
            assert asked["status"] == "requested"
            assert (asked["channel"], asked["group"]) == (None, None)
        seen = (await user.get(of(link))).body
        assert (seen["has_requested"], seen["requested_at"] is None) == (True, False)
        told = await ears.hear("join.requested")
        assert (told["user_id"], told["invite_link"]) == (user.id, link["code"])
    assert await counts(ada, path, link) == (0, 3, "open")
    (mine,) = (await bob.get("/v1/join-requests")).items
    assert (mine["kind"], mine["id"], mine["text"]) == (kind, id_of(path), f"{bob.id} here")
    requests = f"{path}/join-requests"
    listed = (await ada.get(requests)).items
    assert [one["user_id"] for one in listed] == sorted([bob.id, cat.id, dan.id])
    assert listed[0]["invite_link"] == {"code": link["code"], "name": "Club"}
    # One comes in; then the link has no use left, so the next one waits until there is.
    assert (await ada.post(f"{requests}/{part(bob.id)}", {"approve": True})).status == 204
    assert (await ears.hear("join.answered"))["outcome"] == "approved"
    used = await ears.hear("invite_link.used")
    assert (used["user_ids"], used["uses"], used["pending_requests"]) == ([bob.id], 1, 2)
    many = {"user_ids": [cat.id, eve.id], "approve": True}
    results = (await ada.post(requests, many)).items
    assert [one["error"]["code"] for one in results] == [
        "invite_link_ended",
        "join_request_not_found",
    ]
    refused = (await ada.post(requests, {"user_ids": [cat.id], "approve": False})).items
    assert refused == [{"user_id": cat.id, "error": None}]
    assert (await hopes.hear("join.refused"))["user_id"] == cat.id
    assert (await dan.delete(f"{requests}/me")).status == 204
    assert (await ears.hear("join.answered", user_id=dan.id))["outcome"] == "withdrawn"
    assert (await dan.delete(f"{requests}/me")).status == 404
    assert (await dan.get("/v1/join-requests")).items == []
    assert await counts(ada, path, link) == (1, 0, "used_up")
    # `max_uses` may be raised, not below what came in.
    at = f"{path}/invite-links/{link['code']}"
    assert (await ada.patch(at, {"max_uses": 2})).body["state"] == "open"
    assert (await cat.post(f"{of(link)}/join")).body["status"] == "requested"
    assert (await ada.post(f"{requests}/{part(cat.id)}", {"approve": True})).status == 204
    assert (await ada.patch(at, {"max_uses": 1})).refusal == (400, "invalid_request")
    assert await counts(ada, path, link) == (2, 0, "used_up")


async def test_a_revoked_link_is_as_if_there_were_none_but_its_requests_wait(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(n) for n in ("ada", "bob", "cat"))
    visitor = shared_api.bearer(None)
    path = await a_channel(ada, settings=PRIVATE)
    link = await a_link(ada, path, approval=True)
    await bob.post(f"{of(link)}/join")
    at = f"{path}/invite-links/{link['code']}"
    for _ in range(2):
        assert (await ada.delete(at)).status == 204
    for user in (visitor, bob, ada):
        assert (await user.get(of(link))).refusal == UNKNOWN
    assert (await cat.post(f"{of(link)}/join")).refusal == UNKNOWN
    ended = await ada.patch(at, {"approval": False})
    assert ended.refusal == (410, "invite_link_ended")
    (one,) = (await ada.get(f"{path}/invite-links?state=ended")).items
    assert (one["code"], one["state"]) == (link["code"], "revoked")
    assert (await ada.get(f"{path}/invite-links?state=open")).items == []
    answered = await ada.post(f"{path}/join-requests/{part(bob.id)}", {"approve": True})
    assert answered.status == 204
    # It counts no more.
    assert await counts(ada, path, link) == (0, 0, "revoked")
    assert (await bob.get(path)).status == 200


async def test_a_banned_user_and_a_deleted_channel_look_like_no_link(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    link = await a_link(ada, path)
    assert (await bob.get(of(link))).status == 200
    await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
    for refused in (await bob.get(of(link)), await bob.post(f"{of(link)}/join")):
        assert refused.refusal == UNKNOWN
    assert await counts(ada, path, link) == (0, 0, "open")
    cat = shared_api.new_user("cat")
    assert (await cat.get(of(link))).status == 200
    await ada.delete(path)
    for refused in (await cat.get(of(link)), await cat.post(f"{of(link)}/join")):
        assert refused.refusal == UNKNOWN


async def test_a_business_account_does_not_join_by_a_link(shared_api: Api) -> None:
    ada, shop = shared_api.new_user("ada"), shared_api.new_user("shop", business=True)
    link = await a_link(ada, await a_channel(ada))
    assert (await shop.post(f"{of(link)}/join")).refusal == (403, "business_account")


async def test_joining_in_another_way_ends_the_request(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(n) for n in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada)
    link = await a_link(ada, path, approval=True)
    other = await a_link(ada, path)
    for user in (bob, cat, dan):
        await user.post(f"{of(link)}/join")
    assert (await bob.put(f"{path}/subscription")).status == 200
    assert (await cat.post(f"{of(other)}/join")).body["status"] == "joined"
    added = f'{{"user_id": "{dan.id}"}}'
    lines = {"Content-Type": "application/x-ndjson"}
    await the_app(ada).call("POST", f"{path}/subscribers", data=added, headers=lines)
    assert (await ada.get(f"{path}/join-requests")).items == []
    assert await counts(ada, path, link) == (0, 0, "open")
    assert await counts(ada, path, other) == (1, 0, "open")


async def test_who_manages_subscribers_manages_links_and_requests(shared_api: Api) -> None:
    ada, bob, cat, dan = (shared_api.new_user(n) for n in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan, admins=(bob, cat))
    await ada.put(f"{path}/admins/{part(cat.id)}", {"grants": ["post"]})
    ears = await cat.socket()
    link = await a_link(bob, path, approval=True)
    at = f"{path}/invite-links/{link['code']}"
    for user in (cat, dan):
        for refused in (
            await user.get(f"{path}/invite-links"),
            await user.post(f"{path}/invite-links", {}),
            await user.get(at),
            await user.patch(at, {"name": "Mine"}),
            await user.delete(at),
            await user.get(f"{path}/join-requests"),
            await user.post(f"{path}/join-requests", {"user_ids": ["x"], "approve": True}),
        ):
            assert refused.refusal == (403, "permission_denied")
    # An admin without the right is not told of requests either.
    await shared_api.new_user("eve").post(f"{of(link)}/join")
    assert not [e for e in await ears.until_now() if e["type"] == "join.requested"]
    # A link of another channel is no link of this one.
    elsewhere = await a_channel(bob)
    assert (await bob.get(f"{elsewhere}/invite-links/{link['code']}")).refusal == UNKNOWN
    assert (await bob.delete(f"{elsewhere}/invite-links/{link['code']}")).refusal == UNKNOWN


async def test_the_admin_log_tells_of_links_without_their_codes(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    link = await a_link(ada, path, name="Poster", approval=True)
    at = f"{path}/invite-links/{link['code']}"
    for _ in range(2):
        await ada.patch(at, {"max_uses": 5, "name": "Poster"})
    await bob.post(f"{of(link)}/join")
    await ada.post(f"{path}/join-requests/{part(bob.id)}", {"approve": True})
    for _ in range(2):
        await ada.delete(at)
    log = (await ada.get(f"{path}/admin-log")).items[::-1][1:]
    assert [entry["action"] for entry in log] == [
        "invite_link_created",
        "invite_link_changed",
        "join_request_accepted",
        "invite_link_revoked",
    ]
    assert (log[1]["before"], log[1]["after"]) == ({"max_uses": None}, {"max_uses": 5})
    assert log[0]["target_id"] == link["code"][:8]
    assert link["code"] not in str(log)


async def test_a_key_makes_one_link(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    made = [
        await ada.post(f"{path}/invite-links", {"name": "A"}, idempotency_key="k") for _ in range(2)
    ]
    assert made[0].body["code"] == made[1].body["code"]
    other = await ada.post(f"{path}/invite-links", {"name": "B"}, idempotency_key="k")
    assert other.refusal == (409, "idempotency_conflict")
    assert len((await ada.get(f"{path}/invite-links")).items) == 1


async def test_back_ends_learn_by_which_link_users_came(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(n) for n in ("ada", "bob", "cat"))
    path = await a_channel(ada)
    link = await a_link(ada, path)
    await bob.post(f"{of(link)}/join")
    await cat.put(f"{path}/subscription")
    found: dict[str, str | None] = {}
    app = shared_api.new_user("app", admin=True)
    wanted = f"types=channel.subscribed&channel_id={part(id_of(path))}"
    after = "start"
    while cat.id not in found:
        page = (await app.get(f"/v1/events?{wanted}&after={after}&wait=5")).body
        found |= {event["user_id"]: event.get("invite_link") for event in page["items"]}
        after = page["cursor"]
    assert found == {ada.id: None, bob.id: link["code"], cat.id: None}


async def test_members_of_a_chat_do_not_see_by_which_link_another_came(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(n) for n in ("ada", "bob", "cat"))
    made = await ada.post("/v1/groups", {"type": "public", "name": "Tea", "join_option": "free"})
    path = f"/v1/groups/{part(made.body['group_id'])}"
    await bob.put(f"{path}/members/me")
    link = await a_link(ada, path)
    ears, own = await bob.socket(), await cat.socket()
    await cat.post(f"{of(link)}/join")
    assert (await own.hear("group.joined"))["invite_link"] == link["code"]
    assert "invite_link" not in await ears.hear("group.joined")


async def test_links_come_in_pages_newest_first(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    made = [await a_link(ada, path, name=str(n)) for n in range(5)]
    await ada.delete(f"{path}/invite-links/{made[1]['code']}")
    pages = await all_pages(ada, f"{path}/invite-links?state=open", limit=2)
    names = [link["name"] for page in pages for link in page]
    assert sorted(names) == ["0", "2", "3", "4"]
    times = [link["created_at"] for page in pages for link in page]
    assert times == sorted(times, reverse=True)
    bad = await ada.get(f"{path}/invite-links?cursor={'x' * 20}")
    assert bad.refusal == (400, "bad_cursor")


@own_loop
async def test_limits_of_links_and_of_requests(api: OpenApi) -> None:
    clock = MovedClock()
    server = await api(invite_links=2, join_requests_per_user=2, clock=clock)
    ada, bob = server.new_user("ada", hours=99), server.new_user("bob", hours=99)
    path = await a_channel(ada)
    soon = f"{path}/invite-links"
    expires = (clock.now().replace(microsecond=0)).isoformat()
    assert (await ada.post(soon, {"expires_at": expires})).refusal == (400, "invalid_request")
    in_a_day = _in(clock, DAY)
    links = [await a_link(ada, path, expires_at=in_a_day) for _ in range(2)]
    full = (409, "invite_link_limit_reached")
    assert (await ada.post(soon, {})).refusal == full
    clock.move(seconds=DAY + 1)
    assert (await bob.get(of(links[0]))).refusal == (410, "invite_link_ended")
    assert (await bob.post(f"{of(links[0])}/join")).body["details"]["state"] == "expired"
    # Ended ones do not count; one that opens again does.
    await a_link(ada, path)
    at = f"{soon}/{links[0]['code']}"
    assert (await ada.patch(at, {"expires_at": None})).body["state"] == "open"
    assert (await ada.patch(f"{soon}/{links[1]['code']}", {"expires_at": None})).refusal == full
    # As many ended ones are kept as there may be open ones, the newest.
    for _ in range(4):
        await ada.delete(at)
        at = f"{soon}/{(await a_link(ada, path))['code']}"
    assert len((await ada.get(f"{soon}?state=ended")).items) <= 2 + 1
    others = [await a_link(ada, await a_channel(ada), approval=True) for _ in range(3)]
    asked = [await bob.post(f"{of(link)}/join") for link in others]
    assert [answer.status for answer in asked] == [200, 200, 409]
    assert asked[2].refusal == (409, "join_requests_per_user_reached")
    mine = (await bob.get("/v1/join-requests")).items
    group = f"/v1/groups/{part(mine[0]['id'])}"
    assert (await bob.delete(f"{group}/join-requests/me")).status == 204
    assert (await bob.post(f"{of(others[2])}/join")).status == 200


@own_loop
async def test_a_deleted_channel_leaves_no_link_and_no_request(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada)
    link = await a_link(ada, path, approval=True)
    await bob.post(f"{of(link)}/join")
    await ada.delete(path)
    assert (await bob.get("/v1/join-requests")).items == []
    await server.services.chat.cleanup.wait()
    for name in ("invite_links", "join_requests"):
        assert await database.collection(name).find({}).to_list(None) == []


def _in(clock: MovedClock, seconds: float) -> str:
    clock.move(seconds=seconds)
    at = clock.now().isoformat()
    clock.move(seconds=-seconds)
    return at


async def test_a_group_that_shows_itself_tells_its_members_only(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada)
    link = await a_link(ada, path)
    assert (await bob.get(f"{path}/invite-links")).refusal == (403, "permission_denied")
    assert (await bob.get(f"{path}/invite-links/{link['code']}")).status == 403


async def test_a_channel_is_reached_by_its_groups_calls_too(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, settings=PRIVATE)
    link = await a_link(ada, group_path(path), approval=True)
    await bob.post(f"{of(link)}/join")
    assert len((await ada.get(f"{group_path(path)}/join-requests")).items) == 1
    assert (await ada.get(f"{path}/join-requests")).items[0]["user_id"] == bob.id


async def test_the_page_of_a_link_shows_where_it_leads(shared_api: Api) -> None:
    ada, visitor = shared_api.new_user("ada"), shared_api.bearer(None)
    path = await a_channel(ada, name="<Tea>", introduction="Leaves & water", settings=PRIVATE)
    link = await a_link(ada, path, approval=True, max_uses=1)
    page = await visitor.get(f"/i/{link['code']}")
    assert page.status == 200
    assert "&lt;Tea&gt;" in page.text
    assert "<Tea>" not in page.text
    assert 'property="og:title"' in page.text
    assert f'href="/invite/{link["code"]}"' in page.text
    assert (page.headers["Cache-Control"], page.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    german = await visitor.get(f"/i/{link['code']}", headers={"Accept-Language": "de"})
    assert "eingeladen" in german.text
    assert "1 Abonnent" in german.text
    for code in ("unknown", "x" * 80, "%00"):
        assert (await visitor.get(f"/i/{code}")).status == 404
    await ada.patch(f"{path}/invite-links/{link['code']}", {"approval": False})
    await shared_api.new_user("bob").post(f"{of(link)}/join")
    assert (await visitor.get(f"/i/{link['code']}")).status == 410
    await ada.delete(f"{path}/invite-links/{link['code']}")
    assert (await visitor.get(f"/i/{link['code']}")).status == 404
