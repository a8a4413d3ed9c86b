"""Suspended channels and restricted users: no route adds anything, and a hidden channel is as if absent."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from groups.kernel.mongo import Database
from tests.api import (
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    conversation_of,
    fresh,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: dict[str, Any] = {"kind": "text", "text": "Hello"}
LIKE, PARTY = part("👍"), part("🎉")
EDIT = HELLO | {"text": "Better"}
POLL: dict[str, Any] = {"kind": "poll", "poll": {"question": "Tea?", "options": ["Yes", "No"]}}
VOTE: dict[str, Any] = {"options": [0]}


def suspension(mode: str, reason: str = "Spam") -> dict[str, str]:
    return {"mode": mode, "reason": reason}


async def test_nothing_is_added_to_a_suspended_channel_that_stays_readable(shared_api: Api) -> None:
    owner, admin, member, stranger, asker = (shared_api.new_user() for _ in range(5))
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(owner, member, admins=(admin,))
    await a_post(owner, path)
    await a_post(owner, path)
    asked = f"/v1/conversations/{part('c2c_' + id_of(path))}/messages"
    await owner.patch(path, {"settings": {"accept_messages": "everyone"}})
    await member.post(asked, HELLO)
    await owner.patch(path, {"settings": {"comments": "everyone"}})
    poll = f"{path}/posts/{(await owner.post(f'{path}/posts', POLL)).body['seq']}"
    assert (await member.put(f"{poll}/vote", VOTE)).status == 200
    link = (await owner.post(f"{path}/invite-links", {"approval": True})).body["code"]
    await asker.post(f"/v1/invite-links/{link}/join")
    draft = (await owner.post(f"{path}/drafts", {"post": HELLO})).body["draft_id"]
    ears = {user.id: await user.socket() for user in (owner, member)}
    assert (await owner.put(f"{path}/suspension", suspension("readable"))).status == 403
    for _ in range(2):
        assert (await app.put(f"{path}/suspension", suspension("readable"))).status == 204
    told = {user: await each.hear("channel.suspended") for user, each in ears.items()}
    assert (told[owner.id]["reason"], told[member.id].get("reason")) == ("Spam", None)
    group, answers = group_path(path), f"{path}/inbox/{part(member.id)}/messages"
    calls: list[tuple[str, str, Any]] = [
        ("POST", f"{path}/posts", HELLO),
        ("POST", f"{group}/messages", HELLO),
        ("PATCH", f"{path}/posts/1", EDIT),
        ("PUT", f"{path}/posts/1/pin", None),
        ("PATCH", path, {"name": "Other"}),
        ("PATCH", group, {"name": "Other"}),
        ("PUT", f"{path}/subscribers/{part(stranger.id)}", None),
        ("PUT", f"{group}/members/{part(stranger.id)}", None),
        ("POST", f"{path}/invitations", {"user_id": stranger.id}),
        ("POST", f"{path}/drafts", {"post": HELLO}),
        ("POST", f"{path}/drafts/{draft}/publish", None),
        ("POST", answers, HELLO),
        ("POST", f"{path}/posts/2/comments", HELLO),
        ("PUT", f"{poll}/vote", VOTE),
        ("POST", f"{poll}/poll/close", None),
        ("POST", f"{path}/invite-links", {"name": "Fair"}),
        ("PATCH", f"{path}/invite-links/{link}", {"name": "Fair"}),
        ("POST", f"{path}/join-requests/{part(asker.id)}", {"approve": True}),
    ]
    for method, call, body in calls:
        answer = await (owner.call(method, call, body) if body else owner.call(method, call))
        assert answer.refusal == (403, "channel_suspended"), answer
    to_many = await app.post(f"{path}/inbox/messages", {"user_ids": [member.id], **HELLO})
    assert "channel_suspended" in to_many.text
    shown = {user.id: (await user.get(path)).body["suspension"] for user in (admin, member)}
    assert (shown[admin.id]["reason"], shown[member.id]["reason"]) == ("Spam", None)
    assert (await member.get(f"{path}/posts")).status == 200
    assert (await member.put(f"{path}/posts/1/reactions/{LIKE}")).status == 200
    assert (await member.delete(f"{poll}/vote")).status == 200
    assert (await stranger.put(f"{path}/subscription")).status == 200
    refused = await owner.post(f"{path}/join-requests/{part(asker.id)}", {"approve": False})
    assert refused.status == 204
    assert (await owner.delete(f"{path}/invite-links/{link}")).status == 204
    assert (await owner.delete(f"{path}/posts/1")).status == 204
    listed = "/v1/channels?suspended=true"
    assert (await owner.get(listed)).refusal == (403, "permission_denied")
    pages = await all_pages(app, listed, limit=1)
    assert id_of(path) in [item["channel_id"] for page in pages for item in page]
    assert (await app.delete(f"{path}/suspension")).status == 204
    assert (await owner.post(f"{path}/posts", HELLO)).status == 201
    log = (await app.get(f"/v1/admin-log?target_id={part(id_of(path))}")).items
    assert [e["action"] for e in log] == ["channel_reinstated", "channel_suspended"]
    assert log[1]["after"] == suspension("readable")


async def test_a_hidden_channel_is_absent_for_all_but_its_owner_and_comes_back(
    shared_api: Api,
) -> None:
    owner, admin, member, stranger = (shared_api.new_user() for _ in range(4))
    app = shared_api.new_user("app", admin=True)
    nobody = shared_api.bearer(None)
    path = await a_channel(owner, member, admins=(admin,), name="Zanzibar weather")
    await owner.patch(path, {"settings": {"accept_messages": "everyone"}})
    await a_post(owner, path, "Monsoon over Zanzibar")
    asked = f"/v1/conversations/{part('c2c_' + id_of(path))}/messages"
    assert (await member.post(asked, HELLO)).status == 201
    await owner.post(f"{path}/invitations", {"user_id": stranger.id})
    link = (await owner.post(f"{path}/invite-links", {"approval": True})).body["code"]
    assert (await stranger.post(f"/v1/invite-links/{link}/join")).status == 200
    public = f"/c/{part(id_of(path))}"
    assert (await nobody.get(public)).status == 200
    synced = (await member.get("/v1/sync?limit=100")).body["sync_token"]
    subscribed = (await member.get("/v1/channels?subscribed=true")).body["sync_token"]

    async def views(user: User) -> dict[str, bool]:
        """Where the user comes across the channel."""
        lists = {
            "directory": "/v1/channels?q=Zanzibar",
            "subscribed": "/v1/channels?subscribed=true",
            "named": f"/v1/channels?ids={part(id_of(path))}",
            "conversations": "/v1/conversations?limit=100",
            "feed": "/v1/feed",
            "search": "/v1/search/messages?q=Monsoon",
            "groups": "/v1/groups?limit=100",
            "sync": "/v1/sync?limit=100",
            "invitations": "/v1/invitations",
            "requests": "/v1/join-requests",
        }
        found = {name: "Zanzibar" in (await user.get(call)).text for name, call in lists.items()}
        found["unread"] = (await user.get("/v1/unread")).body["channels"] > 0
        for name, call in {
            "profile": path,
            "posts": f"{path}/posts",
            "post": f"{path}/posts/1",
            "group": group_path(path),
            "share": f"{path}/share-link",
            "messages": asked,
            "conversation": f"/v1/conversations/{part(conversation_of(path))}",
            "link": f"/v1/invite-links/{link}",
        }.items():
            found[name] = (await user.get(call)).status == 200
        return found

    before = {user.id: await views(user) for user in (member, stranger)}
    assert before[member.id]["unread"]
    missing = {name for name, is_there in before[member.id].items() if not is_there}
    assert missing == {"invitations", "requests"}
    assert before[stranger.id]["invitations"]
    assert before[stranger.id]["profile"]
    assert (await app.put(f"{path}/suspension", suspension("hidden"))).status == 204
    for user in (member, stranger, admin):
        assert not any((await views(user)).values()), await views(user)
    assert (await nobody.get(f"{public}/feed.json")).status == 404
    assert (await nobody.get(public)).status == 404
    for call in (f"/i/{link}", f"/v1/invite-links/{link}"):
        assert (await nobody.get(call)).status == 404
    for method, call, body in (
        ("PUT", f"{path}/subscription", None),
        ("DELETE", f"{path}/subscription", None),
        ("PUT", f"{path}/posts/1/reactions/{LIKE}", None),
        ("POST", f"{path}/invitations/me", {"accept": True}),
        ("POST", f"{path}/posts/views", {"seqs": [1]}),
        ("POST", asked, HELLO),
        ("POST", f"/v1/invite-links/{link}/join", {"text": "Hello"}),
        (
            "POST",
            "/v1/reports",
            {"target": {"type": "channel", "channel_id": id_of(path)}} | {"reason": "spam"},
        ),
    ):
        for user in (member, stranger):
            answer = await (user.call(method, call, body) if body else user.call(method, call))
            assert answer.status == 404, answer
    shown = (await owner.get(path)).body
    assert (shown["suspension"]["mode"], shown["suspension"]["reason"]) == ("hidden", "Spam")
    assert (await owner.get(f"{path}/posts")).items[0]["text"] == "Monsoon over Zanzibar"
    assert (await owner.post(f"{path}/posts", HELLO)).refusal == (403, "channel_suspended")
    assert "Zanzibar" in (await owner.get("/v1/channels?owned=true")).text
    assert (await app.get(f"{path}/posts")).status == 200
    ended = (await member.get(f"/v1/sync?limit=100&since={part(synced)}")).body
    assert id_of(path) in str(ended)
    assert "Zanzibar" not in str(ended)
    gone = (
        await member.get(f"/v1/channels?subscribed=true&updated_since={part(subscribed)}")
    ).items
    assert [(one["channel_id"], one["gone"]) for one in gone] == [(id_of(path), "deleted")]
    assert (await app.delete(f"{path}/suspension")).status == 204
    after = (await member.get(f"/v1/sync?limit=100&since={part(ended['sync_token'])}")).text
    assert "Zanzibar" in after
    assert await views(member) == before[member.id]
    assert await views(stranger) == before[stranger.id]


async def test_a_restricted_user_adds_nothing_anywhere_and_still_reads_and_leaves(
    shared_api: Api,
) -> None:
    user, other, third = (shared_api.new_user() for _ in range(3))
    app = shared_api.new_user("app", admin=True)
    own = await a_channel(user, other)
    path = await a_channel(other, user, third)
    group = await a_chat_group(other, user, third)
    mine = await a_chat_group(user)
    for place in (path, group):
        await a_post(other, place)
    await a_post(user, own)
    await other.patch(path, {"settings": {"comments": "everyone"}})
    poll = f"{path}/posts/{(await other.post(f'{path}/posts', POLL)).body['seq']}"
    assert (await user.put(f"{poll}/vote", VOTE)).status == 200
    link = (await user.post(f"{own}/invite-links", {"approval": True})).body["code"]
    asker = shared_api.new_user()
    await asker.post(f"/v1/invite-links/{link}/join")
    comments = f"{path}/posts/1/comments"
    assert (await user.post(comments, HELLO)).status == 201
    await a_post(user, group)
    said = f"/v1/conversations/{part('c2c_' + other.id)}/messages"
    assert (await user.post(said, HELLO)).status == 201
    assert (await user.put(f"{group}/messages/1/reactions/{PARTY}")).status == 200
    ears = await user.socket()
    restriction = f"/v1/users/{part(user.id)}/restriction"
    until = "2040-01-01T00:00:00.000Z"
    body = {"until": until, "reason": "Spam"}
    assert (await user.put(restriction, body)).refusal == (403, "permission_denied")
    assert (await app.put(restriction, {"until": "2020-01-01T00:00:00Z"})).status == 400
    assert (await app.get(restriction)).refusal == (404, "restriction_not_found")
    made = await app.put(restriction, body)
    assert (made.status, made.body["until"]) == (200, until)
    assert (await ears.hear("user.restricted"))["reason"] == "Spam"
    assert (await user.get("/v1/users/me/restriction")).body == made.body
    assert (await other.get(restriction)).refusal == (403, "permission_denied")
    told = {"until": until, "reason": "Spam"}
    assert (await user.get("/v1/users/me")).body["restriction"] == told
    assert (await user.get("/v1/sync")).body["user"]["restriction"] == told
    assert (await other.get("/v1/users/me")).body["restriction"] is None
    assert (await other.get("/v1/sync")).body["user"]["restriction"] is None
    assert (await user.get("/v1/restrictions")).refusal == (403, "permission_denied")
    await app.put(f"/v1/users/{part(fresh('user'))}/restriction", {"reason": "Spam"})
    pages = await all_pages(app, "/v1/restrictions", limit=1)
    found = {one["user_id"]: one for page in pages for one in page}
    assert list(found) == sorted(found)
    assert found[user.id] == made.body | {"name": "", "by": app.id}
    calls: list[tuple[str, str, Any]] = [
        ("POST", f"{own}/posts", HELLO),
        ("PATCH", f"{own}/posts/1", EDIT),
        ("PUT", f"{own}/posts/1/pin", None),
        ("POST", f"{own}/drafts", {"post": HELLO}),
        ("PATCH", own, {"name": "Other"}),
        ("PUT", f"{own}/subscribers/{part(third.id)}", None),
        ("POST", f"{own}/invitations", {"user_id": other.id}),
        ("POST", f"{group}/messages", HELLO),
        ("PATCH", f"{group}/messages/2", EDIT),
        ("PUT", f"{path}/posts/1/reactions/{LIKE}", None),
        ("PUT", f"{group}/messages/1/reactions/{LIKE}", None),
        ("POST", said, HELLO),
        ("PATCH", f"{said}/1", EDIT),
        ("PUT", f"{said}/1/reactions/{LIKE}", None),
        ("POST", comments, HELLO),
        ("PATCH", f"{comments}/1", EDIT),
        ("PUT", f"{comments}/1/reactions/{LIKE}", None),
        ("PUT", f"{poll}/vote", VOTE),
        ("POST", f"{own}/invite-links", {"name": "Fair"}),
        ("PATCH", f"{own}/invite-links/{link}", {"name": "Fair"}),
        ("POST", f"{own}/join-requests/{part(asker.id)}", {"approve": True}),
        ("POST", "/v1/channels", {"name": "More"}),
        ("POST", "/v1/channels", {"name": "More", "group_id": id_of(mine)}),
        ("POST", "/v1/groups", {"type": "community", "name": "More"}),
        ("PUT", f"{mine}/members/{part(third.id)}", None),
    ]
    for method, call, sent in calls:
        answer = await (user.call(method, call, sent) if sent else user.call(method, call))
        assert answer.refusal == (403, "user_restricted"), answer
        assert answer.body["details"] == {"until": until, "reason": "Spam"}
    for method, call in (
        ("GET", f"{path}/posts"),
        ("DELETE", f"{comments}/1"),
        ("DELETE", f"{poll}/vote"),
        ("DELETE", f"{own}/invite-links/{link}"),
        ("DELETE", f"{group}/messages/1/reactions/{PARTY}"),
        ("DELETE", f"{said}/1"),
        ("DELETE", f"{own}/posts/1"),
        ("DELETE", f"{path}/subscription"),
        ("PUT", f"{path}/subscription"),
        ("DELETE", f"{group}/members/me"),
    ):
        assert (await user.call(method, call)).status < 300, call
    assert (await app.delete(restriction)).status == 204
    await ears.hear("user.unrestricted")
    assert (await user.post(f"{own}/posts", HELLO)).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_a_restriction_ends_at_its_instant_and_counts_in_every_process(
    api: OpenApi, second_database: Database
) -> None:
    first = await api()
    second = await api(database=second_database, clock=first.clock)
    user = first.new_user()
    app = first.new_user("app", admin=True)
    path = await a_channel(user)
    there = second.user_of(user.id)
    until = (first.clock.now() + timedelta(seconds=600)).isoformat()
    restriction = f"/v1/users/{part(user.id)}/restriction"

    async def write(n: int) -> tuple[bool, int]:
        """A post in either process; whether it began after the restriction was answered, and its status."""
        began_late = restricted.is_set()
        writer = (user, there)[n % 2]
        answer = await writer.post(f"{path}/posts", HELLO)
        return began_late, answer.status

    restricted = asyncio.Event()

    async def restrict() -> None:
        await asyncio.sleep(0.02)
        assert (await app.put(restriction, {"until": until})).status == 200
        restricted.set()

    async def keep_writing(n: int) -> list[tuple[bool, int]]:
        return [await write(n + k) for k in range(12)]

    found, *_ = await asyncio.gather(
        asyncio.gather(*(keep_writing(n) for n in range(6))), restrict()
    )
    outcomes = [one for each in found for one in each]
    assert {status for late, status in outcomes if late} == {403}
    assert {status for _, status in outcomes} == {201, 403}
    posts = (await user.get(f"{path}/posts?limit=100")).body["items"]
    assert len(posts) == sum(status == 201 for _, status in outcomes)
    first.clock.move(seconds=601)
    assert (await there.get("/v1/users/me")).body["restriction"] is None
    assert (await app.get("/v1/restrictions")).items == []
    assert (await first.user_of(user.id).get(restriction)).status == 404
    assert (await second.user_of(user.id).post(f"{path}/posts", HELLO)).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_two_admins_resolve_a_case_once_and_late_reports_open_another(
    api: OpenApi, second_database: Database
) -> None:
    first = await api()
    second = await api(database=second_database)
    owner = first.new_user()
    reporters = [(first, second)[n % 2].new_user() for n in range(8)]
    path = await a_channel(owner)
    await a_post(owner, path)
    report = {"target": {"type": "channel", "channel_id": id_of(path)}, "reason": "spam"}
    made = await asyncio.gather(*(user.post("/v1/reports", report) for user in reporters[:4]))
    (report_id,) = {answer.body["report_id"] for answer in made}
    admins = [server.new_user("app", admin=True) for server in (first, second)]
    resolution = f"/v1/reports/{report_id}/resolution"
    actions = ({"action": "suspend_channel", "note": "Spam"}, {"action": "dismiss"})
    answers = await asyncio.gather(
        *(admin.post(resolution, body) for admin, body in zip(admins, actions, strict=True)),
        *(user.post("/v1/reports", report) for user in reporters[4:]),
    )
    refused = [answer.refusal for answer in answers[:2] if answer.status != 200]
    assert refused == [(409, "report_resolved")]
    won = next(n for n, answer in enumerate(answers[:2]) if answer.status == 200)
    assert (await admins[won].post(resolution, actions[won])).body == answers[won].body
    is_suspended = (await owner.get(path)).body["suspension"] is not None
    assert is_suspended is (won == 0)
    cases = (await admins[0].get("/v1/reports?state=open")).items
    resolved = (await admins[0].get("/v1/reports?state=resolved")).items
    assert sum(case["count"] for case in cases + resolved) == len(reporters)
    assert {case["report_id"] for case in resolved} == {report_id}
    wrong = await admins[0].post(f"/v1/reports/{report_id}/resolution", {"action": "delete"})
    assert wrong.refusal == (409, "report_resolved")
