"""The admin log of a channel: one entry for each administrative change, listed newest first, by filter and page."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import pytest

from groups.kernel.actor import Actor
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction
from tests.api import (
    AS_LINES,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

ALL: Final = sorted(action.value for action in AdminAction)
OF_REQUESTS: Final = {"join_request_accepted", "join_request_refused"}
"""Those by invite links: `tests/channels/test_invite_links.py`. A group that becomes a channel keeps those it has."""
OF_LINKS: Final = {name for name in ALL if name.startswith("invite_link_")}
"""Those about invite links: `tests/channels/test_invite_links.py`."""
OF_COMMENTS: Final = {
    *("commenting_banned", "commenting_unbanned", "comments_frozen", "comments_unfrozen"),
    *("comment_edited", "comment_deleted"),
}
"""Acts on comments: `tests/channels/test_comments.py`."""
OF_WEBHOOKS: Final = {name for name in ALL if name.startswith("webhook_")}
"""Those about webhooks: `tests/server/test_admin_acts.py` has an entry for each call."""
OF_APP: Final = {"report_resolved", "user_restricted", "user_unrestricted"}
"""Those of the application's own log: `tests/channels/test_reports.py`."""
HELLO: Final = {"kind": "text", "text": "Hello"}


async def log_of(user: User, path: str, **query: str) -> list[dict[str, Any]]:
    """The log that the user reads, oldest first."""
    asked = "&".join(f"{name}={part(value)}" for name, value in query.items())
    pages = await all_pages(user, f"{path}/admin-log?{asked}")
    return [entry for page in pages for entry in page][::-1]


async def acts_of(user: User, path: str, **query: str) -> list[tuple[str, str, str | None]]:
    """Action, actor and target of each entry but the first, oldest first."""
    entries = await log_of(user, path, **query)
    return [(e["action"], e["actor_id"], e["target_id"]) for e in entries][1:]


async def test_every_administrative_change_has_an_entry(
    shared_api: Api,
) -> None:
    ada, bob, cat, dan, eve, fay = (
        shared_api.new_user(n) for n in ("ada", "bob", "cat", "dan", "eve", "fay")
    )
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(ada)
    group = group_path(path)
    await ada.patch(path, {"name": "Other", "organization": "Tellers"})
    settings = {"reactions": "basic", "signatures": True, "accept_messages": "nobody"}
    await ada.patch(path, {"settings": settings})
    await ada.put(f"{path}/subscribers/{part(bob.id)}")
    await bob.post(f"{path}/invitations/me", {"accept": True})
    await app.put(f"{path}/subscribers/{part(fay.id)}")
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": ["post"]})
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": ["post", "edit_posts"]})
    for user in (cat, dan, eve):
        await ada.post(f"{path}/invitations", {"user_id": user.id})
    await cat.post(f"{path}/invitations/me", {"accept": True})
    await dan.post(f"{path}/invitations/me", {"accept": False})
    await ada.delete(f"{path}/invitations/{part(eve.id)}")
    await dan.put(f"{path}/subscription")
    post = (await a_post(ada, path))["post_id"]
    await bob.patch(f"{path}/posts/1", {"kind": "text", "text": "Edited"})
    for mark in ("pin", "reactions-freeze"):
        await cat.put(f"{path}/posts/1/{mark}")
        await cat.delete(f"{path}/posts/1/{mark}")
    await cat.delete(f"{path}/posts/1")
    for seconds in (60, 0):
        await cat.patch(f"{group}/members/{part(dan.id)}", {"mute_seconds": seconds})
    await cat.put(f"{path}/reaction-bans/{part(dan.id)}")
    await cat.delete(f"{path}/reaction-bans/{part(dan.id)}")
    await cat.delete(f"{path}/subscribers/{part(dan.id)}")
    await cat.delete(f"{path}/subscribers/{part(dan.id)}?ban=true")
    await cat.delete(f"{path}/bans/{part(dan.id)}")
    lines = "\n".join(f'{{"user_id": "{user.id}"}}' for user in (dan, eve))
    await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    drafts, draft_ids = f"{path}/drafts", []
    for _ in range(2):
        kept = await ada.post(drafts, {"post": HELLO})
        draft_ids.append(kept.body["draft_id"])
    for draft_id in draft_ids:
        await cat.patch(f"{drafts}/{draft_id}", {"post": HELLO | {"text": "Sooner"}})
    await ada.post(f"{drafts}/{draft_ids[0]}/publish")
    await ada.delete(f"{drafts}/{draft_ids[1]}")
    await ada.patch(path, {"settings": {"accept_messages": "everyone"}})
    await dan.post(f"/v1/conversations/{part('c2c_' + id_of(path))}/messages", HELLO)
    answers = f"{path}/inbox/{part(dan.id)}/messages"
    await cat.post(answers, HELLO)
    await ada.patch(f"{answers}/2", HELLO | {"text": "Good day"})
    await ada.delete(f"{answers}/2")
    await cat.put(f"{path}/canned-replies/hours", {"text": "We open at nine"})
    await cat.delete(f"{path}/canned-replies/hours")
    later = rfc3339(shared_api.clock.now() + timedelta(days=2))
    broadcast = (await cat.post(f"{path}/broadcasts", {**HELLO, "start_at": later})).body
    for call in ("stop", "resume", "stop"):
        await ada.post(f"{path}/broadcasts/{broadcast['broadcast_id']}/{call}")
    await ada.delete(f"{path}/admins/{part(bob.id)}")
    await cat.delete(f"{path}/subscription")
    await cat.patch(f"{group}/members/me", {"name_card": "Cat"})
    await ada.patch(f"{group}/members/{part(dan.id)}", {"name_card": "Dan"})
    await ada.post(f"{path}/owner", {"user_id": bob.id})
    question = {"question": "Tea?", "options": ["Yes", "No"]}
    poll = (await bob.post(f"{path}/posts", {"kind": "poll", "poll": question})).body
    await bob.post(f"{path}/posts/{poll['seq']}/poll/close")
    await app.put(f"{path}/suspension", {"mode": "readable", "reason": "Spam"})
    await app.delete(f"{path}/suspension")
    entries = await log_of(ada, path)
    assert [(e["action"], e["actor_id"], e["target_id"]) for e in entries] == [
        ("channel_created", ada.id, None),
        ("info_changed", ada.id, None),
        ("settings_changed", ada.id, None),
        ("subscriber_invited", ada.id, bob.id),
        ("subscriber_added", app.id, fay.id),
        ("admin_added", ada.id, bob.id),
        ("grants_changed", ada.id, bob.id),
        *(("admin_invited", ada.id, user.id) for user in (cat, dan, eve)),
        ("invitation_accepted", cat.id, cat.id),
        ("invitation_declined", dan.id, dan.id),
        ("invitation_revoked", ada.id, eve.id),
        ("post_edited", bob.id, post),
        ("post_pinned", cat.id, post),
        ("post_unpinned", cat.id, post),
        ("reactions_frozen", cat.id, post),
        ("reactions_unfrozen", cat.id, post),
        ("post_deleted", cat.id, post),
        ("subscriber_muted", cat.id, dan.id),
        ("subscriber_unmuted", cat.id, dan.id),
        ("reacting_banned", cat.id, dan.id),
        ("reacting_unbanned", cat.id, dan.id),
        ("subscriber_removed", cat.id, dan.id),
        ("subscriber_banned", cat.id, dan.id),
        ("subscriber_unbanned", cat.id, dan.id),
        ("subscribers_imported", app.id, None),
        *(("draft_changed", cat.id, draft_id) for draft_id in draft_ids),
        ("draft_published", ada.id, draft_ids[0]),
        ("draft_deleted", ada.id, draft_ids[1]),
        ("settings_changed", ada.id, None),
        ("answer_edited", ada.id, dan.id),
        ("answer_deleted", ada.id, dan.id),
        ("canned_reply_changed", cat.id, "hours"),
        ("canned_reply_deleted", cat.id, "hours"),
        ("broadcast_created", cat.id, broadcast["broadcast_id"]),
        ("broadcast_stopped", ada.id, broadcast["broadcast_id"]),
        ("broadcast_resumed", ada.id, broadcast["broadcast_id"]),
        ("broadcast_stopped", ada.id, broadcast["broadcast_id"]),
        ("admin_removed", ada.id, bob.id),
        ("admin_removed", cat.id, cat.id),
        ("name_card_changed", ada.id, dan.id),
        ("owner_changed", ada.id, bob.id),
        ("poll_closed", bob.id, poll["post_id"]),
        ("channel_suspended", app.id, None),
        ("channel_reinstated", app.id, None),
    ]
    elsewhere = OF_REQUESTS | OF_LINKS | OF_COMMENTS | OF_WEBHOOKS | OF_APP
    assert sorted({e["action"] for e in entries}) == sorted({*ALL} - elsewhere)
    assert {e["action"] for e in entries if e["by_app"]} == {
        "subscriber_added",
        "subscribers_imported",
        "channel_suspended",
        "channel_reinstated",
    }
    by_action = {e["action"]: (e["before"], e["after"]) for e in reversed(entries)}
    assert by_action["info_changed"] == (
        {"name": "News", "organization": ""},
        {"name": "Other", "organization": "Tellers"},
    )
    assert by_action["settings_changed"] == (
        {"reactions": "all", "signatures": False, "accept_messages": "subscribers"},
        settings,
    )
    assert by_action["grants_changed"] == (
        {"grants": ["post"]},
        {"grants": ["post", "edit_posts"]},
    )
    hello = {"author_id": ada.id, "kind": "text", "text": "Hello"}
    assert by_action["post_edited"] == (hello, {"kind": "text", "text": "Edited"})
    assert by_action["post_deleted"] == (hello | {"text": "Edited"}, {})
    assert by_action["name_card_changed"] == ({"name_card": ""}, {"name_card": "Dan"})
    assert by_action["answer_edited"] == ({"author_id": cat.id, "seq": 2}, {})
    draft = {"kind": "text", "publish_at": None}
    of_ada, of_cat = draft | {"author_id": ada.id}, draft | {"author_id": cat.id}
    assert by_action["draft_changed"] == (of_ada, of_cat)
    assert by_action["draft_published"] == by_action["draft_deleted"] == (of_cat, {})
    assert by_action["owner_changed"] == ({"owner_id": ada.id}, {"owner_id": bob.id})
    assert by_action["subscribers_imported"] == ({}, {"added": 2})
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)


async def test_answers_to_join_requests_older_than_the_channel_are_logged(
    shared_api: Api,
) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    group = await a_chat_group(ada, join_option="approval")
    for user in (bob, cat, dan):
        assert (await user.put(f"{group}/members/me")).status == 202
    marked = await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Tea news"})
    assert marked.status == 201
    requests = f"{group}/join-requests"
    for user, accepts in ((bob, True), (cat, False)):
        answer = await ada.post(f"{requests}/{part(user.id)}", {"approve": accepts})
        assert answer.status in {200, 204}, answer
    assert (await dan.delete(f"{requests}/me")).status == 204
    assert await acts_of(ada, f"/v1/channels/{part(id_of(group))}") == [
        ("join_request_accepted", ada.id, bob.id),
        ("join_request_refused", ada.id, cat.id),
    ]


async def test_adding_a_banned_user_is_logged_as_both_changes(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
    assert (await ada.put(f"{path}/subscribers/{part(bob.id)}")).status == 202
    actions = ("subscriber_banned", "subscriber_invited", "subscriber_unbanned")
    assert await acts_of(ada, path) == [(action, ada.id, bob.id) for action in actions]


async def test_the_log_shows_no_private_message_to_admins_without_the_inbox(
    shared_api: Api,
) -> None:
    ada, bob, cat, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, dan, admins=(bob, cat))
    await ada.put(f"{path}/admins/{part(cat.id)}", {"grants": []})
    secret = {"kind": "text", "text": "Secret"}
    draft_id = (await ada.post(f"{path}/drafts", {"post": secret})).body["draft_id"]
    await bob.patch(f"{path}/drafts/{draft_id}", {"post": secret | {"title": "Secret"}})
    await dan.post(f"/v1/conversations/{part('c2c_' + id_of(path))}/messages", secret)
    answers = f"{path}/inbox/{part(dan.id)}/messages"
    await ada.post(answers, secret)
    await bob.patch(f"{answers}/2", secret | {"title": "Secret"})
    assert (await cat.get(f"{path}/drafts")).status == 403
    assert (await cat.get(answers)).status == 403
    entries = await log_of(cat, path, actor_id=bob.id)
    assert [entry["action"] for entry in entries] == ["draft_changed", "answer_edited"]
    assert "Secret" not in str(entries)


async def test_calls_that_fail_or_change_nothing_are_not_logged(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    before = await log_of(ada, path)
    await ada.patch(path, {"name": "News", "settings": {"reactions": "all"}})
    await ada.put(f"{path}/subscribers/{part(bob.id)}")
    await ada.put(f"{path}/admins/{part(bob.id)}")
    await ada.delete(f"{path}/bans/{part(bob.id)}")
    await ada.delete(f"{path}/invitations/{part(bob.id)}")
    await ada.delete(f"{path}/reaction-bans/{part(bob.id)}")
    await ada.delete(f"{path}/subscribers/{part(shared_api.new_user('cat').id)}")
    stranger = shared_api.new_user("dan")
    for refused in (
        await stranger.put(f"{path}/admins/{part(bob.id)}", {"grants": []}),
        await stranger.put(f"{path}/reaction-bans/x"),
    ):
        assert refused.status == 403
    assert (await bob.post(f"{path}/owner", {"user_id": bob.id})).status == 403
    app = shared_api.new_user("app", admin=True)
    line = f'{{"user_id": "{bob.id}"}}'
    await app.call("POST", f"{path}/subscribers", data=line, headers=AS_LINES)
    assert await log_of(ada, path) == before


async def test_what_users_do_for_themselves_is_not_logged(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    await bob.put(f"{path}/subscription")
    await a_post(ada, path)
    await ada.patch(f"{path}/posts/1", {"kind": "text", "text": "Better"})
    await bob.put(f"{path}/posts/1/reactions/{part('👍')}")
    await ada.delete(f"{path}/posts/1")
    await bob.patch(f"{group_path(path)}/members/me", {"name_card": "B."})
    await bob.delete(f"{path}/subscription")
    assert await acts_of(ada, path) == []


async def test_changes_through_the_routes_of_groups_are_logged_too(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    group = group_path(path)
    await ada.patch(group, {"introduction": "All of it", "muted_all": True})
    await ada.put(f"{group}/members/{part(bob.id)}")
    await bob.post(f"{group}/invitations/me", {"accept": True})
    await ada.patch(f"{group}/members/{part(bob.id)}", {"role": "admin", "mute_seconds": 60})
    assert await acts_of(ada, path) == [
        ("info_changed", ada.id, None),
        ("settings_changed", ada.id, None),
        ("subscriber_invited", ada.id, bob.id),
        ("admin_added", ada.id, bob.id),
        ("subscriber_muted", ada.id, bob.id),
    ]


async def test_a_chat_group_has_no_log_until_it_becomes_a_channel(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    group = await a_chat_group(ada, bob)
    await ada.patch(group, {"introduction": "Tea"})
    stored = shared_api.services.database.collection("admin_log")
    assert await stored.find({"group_id": id_of(group)}).to_list(None) == []
    marked = await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Tea news"})
    assert marked.status == 201
    path = f"/v1/channels/{part(id_of(group))}"
    assert [e["action"] for e in await log_of(ada, path)] == ["channel_created"]


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_the_owner_and_every_admin_read_the_log(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    await ada.put(f"{path}/admins/{part(bob.id)}", {"grants": []})
    assert await log_of(bob, path) == await log_of(ada, path)
    assert (await cat.get(f"{path}/admin-log")).refusal == (403, "permission_denied")


async def test_the_log_is_filtered_by_action_actor_and_target(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, admins=(bob,))
    for actor in (ada, bob):
        for how in ("PUT", "DELETE"):
            await actor.call(how, f"{path}/reaction-bans/{part(cat.id)}")
    everything = await log_of(ada, path)

    def of(**wanted: str) -> list[dict[str, Any]]:
        return [e for e in everything if wanted.items() <= e.items()]

    for wanted in (
        {"action": "reacting_banned"},
        {"actor_id": bob.id},
        {"target_id": cat.id},
        {"action": "reacting_banned", "actor_id": bob.id},
        {"action": "reacting_banned", "actor_id": bob.id, "target_id": cat.id},
    ):
        found = await log_of(ada, path, **wanted)
        assert found == of(**wanted)
        assert found
    assert await log_of(ada, path, actor_id=cat.id) == []
    for query in ("action=flew", "cursor=x", "who=me"):
        assert (await ada.get(f"{path}/admin-log?{query}")).status == 400


@pytest.mark.parametrize("field", [None, "action", "actor_id", "target_id"])
async def test_a_page_reads_no_more_entries_than_it_shows(
    shared_api: Api, field: str | None
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, admins=(bob,))
    for _ in range(5):
        for actor, how in ((ada, "PUT"), (bob, "DELETE")):
            await actor.call(how, f"{path}/reaction-bans/{part(cat.id)}")
    of_bob = {"action": "reacting_unbanned", "actor_id": bob.id, "target_id": cat.id}
    query: dict[str, Any] = {"group_id": id_of(path), "_id": {"$lt": "f"}}
    if field is not None:
        query[field] = of_bob[field]
    stored = shared_api.services.database.collection("admin_log")
    explained = await stored.find(query).sort([("_id", -1)]).limit(3).explain()
    stats = explained["executionStats"]
    assert (stats["nReturned"], stats["totalDocsExamined"]) == (3, 3)
    assert stats["totalKeysExamined"] <= 4
    assert '"SORT"' not in str(explained["queryPlanner"]["winningPlan"]).replace("'", '"')


async def test_the_log_is_paged_newest_first_while_it_grows(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    for number in range(6):
        await ada.patch(path, {"name": f"News {number}"})
    first = await ada.get(f"{path}/admin-log?limit=3")
    await ada.patch(path, {"name": "News 6"})
    second = await ada.get(f"{path}/admin-log?limit=3&cursor={first.body['next_cursor']}")
    names = [e["after"]["name"] for e in first.items + second.items]
    assert names == [f"News {number}" for number in (5, 4, 3, 2, 1, 0)]
    third = await ada.get(f"{path}/admin-log?limit=3&cursor={second.body['next_cursor']}")
    assert [e["action"] for e in third.items] == ["channel_created"]
    assert third.body["next_cursor"] is None


async def test_a_long_value_is_cut_at_400_bytes_between_characters(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    fits, too_long = "é" * 200, "é" * 200 + "x"
    for text in (fits, too_long):
        await ada.patch(path, {"custom_data": text})
    entries = await log_of(ada, path, action="info_changed")
    assert entries[0]["after"] == {"custom_data": fits}
    assert entries[1]["after"] == {"custom_data": "é" * 198 + "…"}
    await a_post(ada, path, "故" * 4000)
    await bob.delete(f"{path}/posts/1")
    (entry,) = await log_of(ada, path, action="post_deleted")
    assert len(entry["before"]["text"].encode()) <= 400


# --- imports, deletion ------------------------------------------------------------------------------------------------


@own_loop
async def test_an_import_of_many_batches_has_one_entry_that_counts_them(api: OpenApi) -> None:
    server = await api()
    ada, app = server.new_user("ada"), server.new_user("app", admin=True)
    path = await a_channel(ada)
    lines = "\n".join(f'{{"user_id": "u{n}"}}' for n in range(12_000))
    answer = await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    assert answer.lines[-1]["done"] is True
    assert len(answer.lines) > 2
    (entry,) = await log_of(ada, path, action="subscribers_imported")
    assert entry["after"] == {"added": 12_000}
    # The second import adds nobody, and the third one is an import of its own.
    await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    more = '{"user_id": "more"}'
    await app.call("POST", f"{path}/subscribers", data=more, headers=AS_LINES)
    entries = await log_of(ada, path, action="subscribers_imported")
    assert [e["after"]["added"] for e in entries] == [12_000, 1]


async def test_the_log_is_deleted_with_its_channel(
    shared_api: Api,
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await ada.patch(path, {"name": "Other"})
    assert (await ada.delete(path)).status == 204
    await shared_api.services.chat.cleanup.wait()
    stored = shared_api.services.database.collection("admin_log")
    assert await stored.find({"group_id": id_of(path)}).to_list(None) == []
    again = await ada.post("/v1/channels", {"channel_id": id_of(path), "name": "Anew"})
    assert again.status == 201
    assert [e["action"] for e in await log_of(ada, path)] == ["channel_created"]


async def test_a_change_that_is_rolled_back_leaves_no_entry(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    chat, database = shared_api.services.chat, shared_api.services.database
    actor = Actor(UserId(ada.id))
    access = await chat.guard.access_of(actor, GroupId(id_of(path)))
    act = AdminAct(actor, AdminAction.INFO_CHANGED, None, {"name": "a"}, {"name": "b"})

    async def work(tx: Tx, *, fails: bool) -> None:
        await chat.admin_log.record(tx, access.group, act, act)
        if fails:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.run(lambda tx: work(tx, fails=True))
    assert await acts_of(ada, path) == []
    await database.run(lambda tx: work(tx, fails=False))
    assert len(await acts_of(ada, path)) == 2


async def test_concurrent_changes_have_an_entry_each(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    crowd = [shared_api.new_user("fan") for _ in range(30)]
    await asyncio.gather(*(ada.put(f"{path}/subscribers/{part(user.id)}") for user in crowd))
    entries = await acts_of(ada, path)
    assert sorted(target for _, _, target in entries if target) == sorted(u.id for u in crowd)
