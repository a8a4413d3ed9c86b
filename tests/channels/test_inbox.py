"""One-to-one messages between users and channels, from both sides, over HTTP and the socket."""

import asyncio
import random
from typing import Any

import pytest

from groups.kernel.ids import GroupId
from tests.api import Api, User, a_channel, a_post, all_pages, fresh, group_path, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = {"kind": "text", "text": "Hello"}


def with_(channel: str) -> str:
    """A user's conversation with the channel, as a path."""
    return f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}"


def thread(channel: str, user: User) -> str:
    """The channel's thread with the user, as a path."""
    return f"{channel}/inbox/{part(user.id)}"


async def say(
    user: User, path: str, text: str = "Hello", *, idempotency_key: str | None = None
) -> dict[str, Any]:
    """The response to writing this text at the path."""
    said = await user.post(
        f"{path}/messages", {"kind": "text", "text": text}, idempotency_key=idempotency_key
    )
    assert said.status == 201, said
    body = said.body
    assert isinstance(body, dict)
    return body


async def test_a_subscriber_writes_and_any_admin_answers_as_the_channel(shared_api: Api) -> None:
    ada, cat, bob = (shared_api.new_user(name) for name in ("ada", "cat", "bob"))
    channel = await a_channel(ada, bob, admins=(cat,), face_url="https://example.org/n.png")
    channel_id = id_of(channel)
    await bob.patch("/v1/users/me", {"name": "Bob B."})
    asked = await say(bob, with_(channel), "When do you open?")
    assert (asked["conversation_id"], asked["sender_id"]) == (f"c2c_{channel_id}", bob.id)
    [shown] = (await cat.get(f"{channel}/inbox")).items
    assert shown == {
        "channel_id": channel_id,
        "user_id": bob.id,
        "name": "Bob B.",
        "face_url": "",
        "head_seq": 1,
        "version": 0,
        "read_seq": 0,
        "unread_count": 1,
        "tags": [],
        "last_message": {
            "seq": 1,
            "from_channel": False,
            "preview": "When do you open?",
            "kind": "text",
            "recalled": False,
            "at": shown["last_message"]["at"],
        },
    }
    answered = await say(cat, thread(channel, bob), "At nine")
    assert (answered["seq"], answered["from_channel"]) == (2, True)
    assert (answered["sender_id"], answered["author_id"]) == (channel_id, cat.id)
    # The subscriber sees the channel as the sender; the owner also sees the author.
    heard = (await bob.get(f"{with_(channel)}/messages")).items[0]
    assert (heard["sender_id"], heard["text"]) == (channel_id, "At nine")
    assert cat.id not in (await bob.get(f"{with_(channel)}/messages")).text
    seen = (await ada.get(f"{thread(channel, bob)}/messages")).items
    assert [m["author_id"] for m in seen] == [cat.id, None]
    [conversation] = (await bob.get("/v1/conversations?type=c2c")).items
    assert (conversation["title"], conversation["face_url"]) == (
        "News",
        "https://example.org/n.png",
    )
    assert (conversation["unread_count"], conversation["last_message"]["sender_id"]) == (
        1,
        channel_id,
    )
    # The conversation counts as a chat and not as a channel, and the admins have no conversation of their own.
    unread = (await bob.get("/v1/unread")).body
    assert (unread["channels"], unread["chats"]) == (0, 1)
    assert (await cat.get("/v1/conversations?type=c2c")).items == []
    assert (await cat.get("/v1/unread")).body["total"] == 0
    assert (await bob.post(f"{with_(channel)}/read")).body["unread_count"] == 0
    [shown] = (await ada.get(f"{channel}/inbox")).items
    assert (shown["read_seq"], shown["unread_count"]) == (2, 0)


async def test_the_admins_share_one_read_cursor(shared_api: Api) -> None:
    ada, cat, bob = (shared_api.new_user(name) for name in ("ada", "cat", "bob"))
    channel = await a_channel(ada, bob, admins=(cat,))
    for _ in range(3):
        await say(bob, with_(channel))
    hers, his, theirs = await ada.socket(), await cat.socket(), await bob.socket()
    read = await ada.post(f"{thread(channel, bob)}/read", {"seq": 2})
    assert (read.body["read_seq"], read.body["unread_count"]) == (2, 1)
    for ears in (hers, his):
        heard = await ears.hear("inbox.read", channel_id=id_of(channel), user_id=bob.id)
        assert (heard["read_seq"], heard["unread_count"]) == (2, 1)
    # An older seq and a repeat do not move the cursor, and send no event.
    back = await cat.post(f"{thread(channel, bob)}/read", {"seq": 1})
    assert (back.body["read_seq"], back.body["unread_count"]) == (2, 1)
    assert (await cat.post(f"{thread(channel, bob)}/read", {"seq": 99})).body["read_seq"] == 3
    assert [event["type"] for event in await hers.until_now()] == ["inbox.read"]
    assert await theirs.until_now() == []
    none = await ada.post(f"{thread(channel, cat)}/read")
    assert none.refusal == (404, "conversation_not_found")


async def test_events_reach_the_user_and_all_admins_with_the_inbox(shared_api: Api) -> None:
    ada, cat, bob, dan = (shared_api.new_user(name) for name in ("ada", "cat", "bob", "dan"))
    channel = await a_channel(ada, bob, dan, admins=(cat,))
    channel_id = id_of(channel)
    ears = [await user.socket() for user in (ada, cat, bob, dan)]
    hers, his, theirs, others = ears
    await say(bob, with_(channel), "one")
    for staff in (hers, his):
        heard = await staff.hear("message.posted", channel_id=channel_id, user_id=bob.id)
        assert (heard["seq"], heard["message"]["text"]) == (1, "one")
        assert heard["message"]["from_channel"] is False
        # The thread is in no admin's list, and has a stream.
        assert heard["stream_id"] == f"inbox_{channel_id}:{bob.id}"
        assert "conversation_id" not in heard
    heard = await theirs.hear("message.posted", conversation_id=f"c2c_{channel_id}")
    assert heard["message"]["sender_id"] == bob.id
    await say(cat, thread(channel, bob), "two")
    for staff in (hers, his):
        heard = await staff.hear("message.posted")
        assert heard["message"]["author_id"] == cat.id
        assert (await staff.hear("inbox.read"))["read_seq"] == 2
    heard = await theirs.hear("message.posted", seq=2)
    assert cat.id not in str(heard)
    path = f"{thread(channel, bob)}/messages/2"
    # Every admin edits and deletes messages of the channel, and none edits or deletes messages of the user.
    edited = await ada.patch(path, {"kind": "text", "text": "Two"})
    assert (edited.body["text"], edited.body["author_id"]) == ("Two", cat.id)
    assert (await theirs.hear("message.edited"))["message"]["text"] == "Two"
    assert (await ada.delete(path)).status == 204
    assert (await theirs.hear("message.recalled"))["seq"] == 2
    first = f"{thread(channel, bob)}/messages/1"
    assert (await ada.patch(first, TEXT)).refusal == (403, "permission_denied")
    assert (await ada.delete(first)).refusal == (403, "permission_denied")
    assert (await bob.delete(f"{with_(channel)}/messages/2")).refusal[0] == 403
    assert [e["type"] for e in await his.until_now()] == ["message.edited", "message.recalled"]
    assert await others.until_now() == []


@pytest.mark.asyncio(loop_scope="function")
async def test_two_admins_answer_at_once_from_two_processes(
    api: OpenApi,
) -> None:
    one, other = await api(), await api()
    ada, cat = one.new_user("ada"), other.user_of(fresh("cat"))
    bob = one.new_user("bob")
    channel = await a_channel(ada, bob, admins=(one.user_of(cat.id),))
    await say(bob, with_(channel))
    hers, his = await ada.socket(), await cat.socket()
    said = await asyncio.gather(
        *(say(ada, thread(channel, bob), f"a{n}", idempotency_key=f"{n}") for n in range(10)),
        *(say(cat, thread(channel, bob), f"c{n}", idempotency_key=f"{n}") for n in range(10)),
    )
    assert sorted(m["seq"] for m in said) == list(range(2, 22))
    for ears in (hers, his):
        seen = [e["message"] for e in await ears.until_now() if e["type"] == "message.posted"]
        assert [m["seq"] for m in seen] == list(range(2, 22))
        assert {m["author_id"] for m in seen} == {ada.id, cat.id}
    stored = (await cat.get(f"{thread(channel, bob)}/messages?limit=100")).items
    assert sorted(m["text"] for m in stored[:-1]) == sorted(m["text"] for m in said)
    # Keys belong to each admin, though both answer as the channel.
    assert await say(ada, thread(channel, bob), "a3", idempotency_key="3") == said[3]
    [shown] = (await ada.get(f"{channel}/inbox")).items
    assert (shown["head_seq"], shown["unread_count"]) == (21, 0)


@pytest.mark.asyncio(loop_scope="function")
async def test_first_messages_in_two_processes_make_one_thread(api: OpenApi) -> None:
    servers = [await api() for _ in range(2)]
    ada, bob = servers[0].new_user("ada"), servers[0].new_user("bob")
    channel = await a_channel(ada, bob)
    devices = [server.user_of(bob.id) for server in servers]
    said = await asyncio.gather(*(say(devices[n % 2], with_(channel), f"{n}") for n in range(8)))
    assert sorted(m["seq"] for m in said) == list(range(1, 9))
    assert len((await ada.get(f"{channel}/inbox")).items) == 1


async def test_the_inbox_is_paged_by_last_activity(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    users = [shared_api.new_user("user") for _ in range(5)]
    channel = await a_channel(ada, *users)
    for user in users:
        shared_api.clock.move(seconds=1)
        await say(user, with_(channel))
    shared_api.clock.move(seconds=1)
    await say(ada, thread(channel, users[0]))
    order = [users[0].id, *(user.id for user in users[:0:-1])]
    pages = await all_pages(ada, f"{channel}/inbox", limit=2)
    assert [[t["user_id"] for t in page] for page in pages] == [order[:2], order[2:4], order[4:]]
    assert [t["unread_count"] for page in pages for t in page] == [0, 1, 1, 1, 1]
    bad = await ada.get(f"{channel}/inbox?cursor=x")
    assert bad.refusal == (400, "bad_cursor")


@pytest.mark.parametrize("limit", [1, 2, 3, 6])
async def test_threads_active_at_the_same_time_are_listed_once(shared_api: Api, limit: int) -> None:
    ada = shared_api.new_user("ada")
    users = [shared_api.new_user("user") for _ in range(6)]
    channel = await a_channel(ada, *users)
    # Not in the order of ids; the first and the last are active at other times.
    for user in random.Random(limit).sample(users, len(users)):
        await say(user, with_(channel))
    ids = sorted(user.id for user in users)
    threads = shared_api.services.database.collection("threads")
    for number, user_id in enumerate(ids):
        active_ms = 1_000_000 - (number > 0) - (number == len(ids) - 1)
        await threads.update_one(
            {"channel_id": id_of(channel), "user_id": user_id}, {"$set": {"active_ms": active_ms}}
        )
    pages = await all_pages(ada, f"{channel}/inbox", limit=limit)
    assert [thread["user_id"] for page in pages for thread in page] == ids
    assert [len(page) for page in pages] == [limit] * (len(users) // limit)


@pytest.mark.parametrize(
    ("setting", "statuses"),
    [
        ("everyone", {"stranger": 201, "subscriber": 201, "admin": 201}),
        ("subscribers", {"stranger": 403, "subscriber": 201, "admin": 201}),
        ("nobody", {"stranger": 403, "subscriber": 403, "admin": 403}),
    ],
)
async def test_accept_messages_decides_who_may_write(
    shared_api: Api, setting: str, statuses: dict[str, int]
) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user("root", admin=True)
    users = {name: shared_api.new_user(name) for name in statuses}
    channel = await a_channel(
        ada,
        users["subscriber"],
        admins=(users["admin"],),
        settings={"accept_messages": setting},
    )
    for name, user in users.items():
        answer = await user.post(f"{with_(channel)}/messages", TEXT)
        assert answer.status == statuses[name], answer
        if answer.status == 403:
            assert answer.refusal == (403, "messages_not_accepted")
            assert (await user.get("/v1/conversations?type=c2c")).items == []
    assert (await root.post(f"{with_(channel)}/messages", TEXT)).status == 201
    threads = (await ada.get(f"{channel}/inbox")).items
    assert {t["user_id"] for t in threads} == {
        root.id,
        *(users[name].id for name, status in statuses.items() if status == 201),
    }


async def test_by_default_subscribers_may_write(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada)
    refused = await bob.post(f"{with_(channel)}/messages", TEXT)
    assert refused.refusal == (403, "messages_not_accepted")
    await bob.put(f"{channel}/subscription")
    await say(bob, with_(channel))


async def test_the_channel_may_answer_whatever_it_accepts_now(
    shared_api: Api,
) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    channel = await a_channel(ada, bob, dan)
    assert (await ada.get(f"{thread(channel, dan)}/messages")).refusal[0] == 404
    await say(bob, with_(channel))
    await ada.patch(channel, {"settings": {"accept_messages": "nobody"}})
    await say(ada, thread(channel, bob), "still here")
    assert (await bob.post(f"{with_(channel)}/messages", TEXT)).refusal[0] == 403
    # Users who left or were banned keep the dialogue, which still names the channel after it became private.
    await bob.delete(f"{channel}/subscription")
    await ada.patch(channel, {"settings": {"visibility": "private"}})
    await say(ada, thread(channel, bob), "and here")
    assert (await bob.get(channel)).refusal == (404, "channel_not_found")
    [conversation] = (await bob.get("/v1/conversations")).items
    assert (conversation["title"], conversation["unread_count"]) == ("News", 2)
    assert len((await bob.get(f"{with_(channel)}/messages")).items) == 3
    # They cannot see the channel itself.
    await a_post(ada, channel)
    both = (await bob.get(f"{with_(channel)}/messages?with_posts=true")).items
    assert [item["type"] for item in both] == ["message"] * 3
    refused = await bob.post(f"{with_(channel)}/messages", TEXT)
    assert refused.refusal == (403, "messages_not_accepted")
    # For users who never wrote to it, the channel is not found.
    eve = shared_api.new_user("eve")
    for call in (
        eve.post(f"{with_(channel)}/messages", TEXT),
        eve.get(f"{with_(channel)}/messages"),
        eve.get(f"{with_(channel)}/messages?with_posts=true"),
    ):
        assert (await call).refusal == (404, "conversation_not_found")


async def test_banned_and_muted_users_may_not_write(shared_api: Api) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    channel = await a_channel(ada, bob, dan, settings={"accept_messages": "everyone"})
    await say(bob, with_(channel))
    await ada.delete(f"{channel}/subscribers/{part(bob.id)}?ban=true")
    assert (await bob.post(f"{with_(channel)}/messages", TEXT)).refusal == (403, "banned")
    assert (await bob.patch(f"{with_(channel)}/messages/1", TEXT)).refusal == (403, "banned")
    assert len((await bob.get(f"{with_(channel)}/messages")).items) == 1
    muting = f"{group_path(channel)}/members/{part(dan.id)}"
    assert (await ada.patch(muting, {"mute_seconds": 60})).status == 200
    assert (await dan.post(f"{with_(channel)}/messages", TEXT)).refusal == (403, "muted")


async def test_a_chat_group_accepts_no_private_messages(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    tea = await ada.post("/v1/groups", {"type": "community", "name": "Tea"})
    path = f"/v1/conversations/{part('c2c_' + tea.body['group_id'])}/messages"
    assert (await ada.post(path, TEXT)).refusal == (404, "conversation_not_found")
    assert (await ada.get(path)).refusal == (404, "conversation_not_found")


async def test_a_blocked_channel_cannot_answer(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await say(bob, with_(channel))
    await bob.put(f"/v1/blocks/{part(id_of(channel))}")
    refused = await ada.post(f"{thread(channel, bob)}/messages", TEXT)
    assert refused.refusal == (403, "messages_not_accepted")
    assert (await bob.post(f"{with_(channel)}/messages", TEXT)).refusal == (409, "peer_blocked")
    await bob.delete(f"/v1/blocks/{part(id_of(channel))}")
    await say(ada, thread(channel, bob))


async def test_deleting_a_channel_deletes_its_threads(shared_api: Api) -> None:
    ada, bob, dan = (shared_api.new_user(name) for name in ("ada", "bob", "dan"))
    channel = await a_channel(ada, bob, dan)
    channel_id = GroupId(id_of(channel))
    sent = await bob.call("POST", "/v1/media", data=b"a file", headers={})
    media_id = sent.body["media_id"]
    body = {"kind": "file", "file": media_id}
    assert (await bob.post(f"{with_(channel)}/messages", body)).status == 201
    await say(dan, with_(channel))
    await say(ada, thread(channel, bob))
    await bob.patch(with_(channel), {"pinned": True})
    other = await a_channel(ada, bob)
    await say(bob, with_(other))
    # Dan receives the end, though they no longer subscribe.
    await dan.delete(f"{channel}/subscription")
    ears = await dan.socket()
    assert (await ada.delete(channel)).status == 204
    await ears.hear("conversation.ended", conversation_id=f"c2c_{channel_id}")
    # At once, also while data is still being deleted.
    for call in (
        bob.get(f"{with_(channel)}/messages"),
        bob.get(f"{with_(channel)}/messages/1"),
        bob.get(f"{with_(channel)}/messages?with_posts=true"),
        bob.post(f"{with_(channel)}/messages", TEXT),
        bob.delete(f"{with_(channel)}/messages/1"),
        bob.get(with_(channel)),
        bob.post(f"{with_(channel)}/read"),
    ):
        assert (await call).refusal == (404, "conversation_not_found")
    assert (await ada.get(f"{channel}/inbox")).refusal == (404, "channel_not_found")
    [left] = (await bob.get("/v1/conversations?type=c2c")).items
    assert left["conversation_id"] == f"c2c_{id_of(other)}"
    assert (await bob.get("/v1/unread")).body["total"] == 0
    await shared_api.services.chat.cleanup.wait()
    database = shared_api.services.database
    for collection, query in (
        ("threads", {"channel_id": channel_id}),
        ("thread_guards", {"_id": {"$regex": f"^{channel_id}"}}),
        ("streams", {"_id": {"$regex": f"^inbox_{channel_id}"}}),
        ("messages", {"stream_id": {"$regex": f"^inbox_{channel_id}"}}),
        ("conversations", {"conversation_id": f"c2c_{channel_id}"}),
    ):
        assert await database.collection(collection).find_one(query) is None, collection
    row = await database.collection("media").find_one({"_id": media_id})
    assert row is not None
    assert row["uses"] == 0
    assert len((await ada.get(f"{other}/inbox")).items) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_no_thread_outlives_a_channel_deleted_meanwhile(api: OpenApi) -> None:
    servers = [await api() for _ in range(2)]
    for _ in range(3):
        ada = servers[0].new_user("ada")
        channel = await a_channel(ada, settings={"accept_messages": "everyone"})
        users = [servers[n % 2].user_of(fresh("u")) for n in range(12)]
        answers = await asyncio.gather(
            *(user.post(f"{with_(channel)}/messages", TEXT) for user in users[:6]),
            ada.delete(channel),
            *(user.post(f"{with_(channel)}/messages", TEXT) for user in users[6:]),
        )
        refused = {a.refusal for a in answers if a.status >= 300}
        assert refused <= {(404, "conversation_not_found")}
        for server in servers:
            await server.services.chat.cleanup.wait()
        database = servers[0].services.database
        for collection in ("threads", "thread_guards", "messages", "conversations", "streams"):
            assert await database.collection(collection).find_one({}) is None, collection


# --- with posts -------------------------------------------------------------------------------------------------------


async def test_posts_and_messages_are_merged_by_time(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await a_post(ada, channel, "p1")
    shared_api.clock.move(seconds=1)
    await say(bob, with_(channel), "m1")
    shared_api.clock.move(seconds=1)
    await a_post(ada, channel, "p2")
    shared_api.clock.move(seconds=1)
    await say(ada, thread(channel, bob), "m2")
    await bob.put(f"{channel}/posts/2/reactions/{part('👍')}")
    page = await bob.get(f"{with_(channel)}/messages?with_posts=true")
    assert [(i["type"], i["text"]) for i in page.items] == [
        ("message", "m2"),
        ("post", "p2"),
        ("message", "m1"),
        ("post", "p1"),
    ]
    assert page.body["next_cursor"] is None
    assert page.items[1]["reactions"] == {"counts": {"👍": 1}, "total": 1, "mine": ["👍"]}
    assert page.items[1]["author_id"] is None
    plain = await bob.get(f"{with_(channel)}/messages")
    assert [(i["type"], i["text"]) for i in plain.items] == [("message", "m2"), ("message", "m1")]
    # Before the first message there are only posts.
    eve = shared_api.new_user("eve")
    alone = await eve.get(f"{with_(channel)}/messages?with_posts=true")
    assert [i["text"] for i in alone.items] == ["p2", "p1"]
    for query in ("with_posts=true&before_seq=2", "with_posts=true&after_seq=1"):
        refused = await bob.get(f"{with_(channel)}/messages?{query}")
        assert refused.refusal == (400, "invalid_request")
    with_ada = f"/v1/conversations/c2c_{ada.id}/messages?with_posts=true"
    assert (await bob.get(with_ada)).refusal == (400, "invalid_request")


class StandingClock:
    """Moves the clock not at all, forwards or backwards, as the clocks of several servers differ."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self._api = api
        self._chance = chance

    def step(self) -> None:
        self._api.clock.move(seconds=self._chance.choice([0, 0, 0.001, 1, -0.5]))


@pytest.mark.parametrize("seed", range(6))
async def test_pages_show_each_item_once_while_new_ones_are_written(
    shared_api: Api, seed: int
) -> None:
    chance = random.Random(seed)
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    clock = StandingClock(shared_api, chance)

    async def something(text: str) -> None:
        clock.step()
        match chance.choice(["post", "post", "ask", "answer"] if text != "0" else ["ask"]):
            case "post":
                await a_post(ada, channel, text)
            case "ask":
                await say(bob, with_(channel), text)
            case "answer":
                await say(ada, thread(channel, bob), text)

    count = chance.randrange(1, 30)
    for number in range(count):
        await something(str(number))
    # In some cases all times are the same, so that only the order of reading decides.
    if seed % 2:
        messages = shared_api.services.database.collection("messages")
        first = await messages.find_one({"sender_id": bob.id})
        assert first is not None
        streams = [f"group_{id_of(channel)}", first["stream_id"]]
        await messages.update_many(
            {"stream_id": {"$in": streams}}, {"$set": {"created_at": first["created_at"]}}
        )
    whole = (await bob.get(f"{with_(channel)}/messages?with_posts=true&limit=100")).items
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    late = 0
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        limit = chance.randrange(1, 5)
        page = await bob.get(f"{with_(channel)}/messages?with_posts=true&limit={limit}{more}")
        assert 0 < len(page.items) <= limit
        found += page.items
        cursor = page.body["next_cursor"]
        for _ in range(chance.randrange(3)):
            await something(f"late {late}")
            late += 1
    assert sorted(int(item["text"]) for item in found) == list(range(count))
    for kind in ("post", "message"):
        seqs = [item["seq"] for item in found if item["type"] == kind]
        assert seqs == sorted(seqs, reverse=True)
    assert [item["text"] for item in found] == [item["text"] for item in whole]
