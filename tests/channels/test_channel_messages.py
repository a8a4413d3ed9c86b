"""A channel writes first: threads that it begins, who is left out and why, its bound a day, and many users at once."""

import asyncio
from typing import Any

import pytest

from tests.api import Answer, Api, MovedClock, User, a_channel, a_post, fresh, id_of, part, the_app
from tests.channels.test_inbox import TEXT, say, thread, with_
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 24 * 3600


async def write(owner: User, channel: str, user: User, text: str = "Your order is ready") -> Answer:
    return await owner.post(f"{thread(channel, user)}/messages", {"kind": "text", "text": text})


def reason_of(answer: Answer) -> str:
    assert answer.refusal == (403, "messages_not_accepted"), answer
    return str(answer.body["details"]["reason"])


async def send(
    root: User, channel: str, users: list[User], text: str = "We move", *, key: str | None = None
) -> Answer:
    body = {"user_ids": [user.id for user in users], "kind": "text", "text": text}
    return await root.post(f"{channel}/inbox/messages", body, idempotency_key=key)


# --- begin ------------------------------------------------------------------------------------------------------------


async def test_a_channel_begins_a_thread_with_a_subscriber(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob, settings={"accept_messages": "nobody"})
    channel_id = id_of(channel)
    hers, theirs = await ada.socket(), await bob.socket()
    said = await say(ada, thread(channel, bob), "Your order is ready")
    assert (said["seq"], said["from_channel"], said["author_id"]) == (1, True, ada.id)
    heard = await theirs.hear("message.posted", conversation_id=f"c2c_{channel_id}")
    assert (heard["seq"], heard["message"]["sender_id"]) == (1, channel_id)
    assert (await hers.hear("message.posted"))["message"]["author_id"] == ada.id
    [shown] = (await bob.get("/v1/conversations?type=c2c")).items
    assert (shown["conversation_id"], shown["title"]) == (f"c2c_{channel_id}", "News")
    assert (shown["unread_count"], shown["accept"], shown["muted_until"]) == (1, True, None)
    assert (await bob.get("/v1/unread")).body["chats"] == 1
    [listed] = (await ada.get(f"{channel}/inbox")).items
    assert (listed["unread_count"], listed["last_message"]["from_channel"]) == (0, True)
    # The user's own message is unread for the admins, and the next seq.
    await ada.patch(channel, {"settings": {"accept_messages": "subscribers"}})
    assert (await say(bob, with_(channel), "Thanks"))["seq"] == 2
    assert (await ada.get(f"{channel}/inbox/unread")).body["unread_count"] == 1


async def test_nobody_but_subscribers_gets_a_first_message(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    channel = await a_channel(ada, bob)
    assert reason_of(await write(ada, channel, eve)) == "not_subscribed"
    assert (await eve.get("/v1/conversations")).items == []
    # Users whose id may be a channel's have no one-to-one messages.
    sign = shared_api.user_of(f"@{fresh('u')}")
    assert (await sign.put(f"{channel}/subscription")).status == 200
    assert (await write(ada, channel, sign)).refusal == (404, "conversation_not_found")
    assert (await write(ada, channel, bob)).status == 201
    # A thread that only the channel wrote in ends with the subscription.
    await bob.delete(f"{channel}/subscription")
    assert reason_of(await write(ada, channel, bob)) == "not_subscribed"
    edited = await ada.patch(f"{thread(channel, bob)}/messages/1", TEXT)
    assert reason_of(edited) == "not_subscribed"
    await bob.put(f"{channel}/subscription")
    await say(bob, with_(channel))
    await bob.delete(f"{channel}/subscription")
    assert (await write(ada, channel, bob)).status == 201


async def test_a_channel_that_is_blocked_begins_nothing(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    block = f"/v1/blocks/{part(id_of(channel))}"
    await bob.put(block)
    assert reason_of(await write(ada, channel, bob)) == "blocked"
    await bob.delete(block)
    assert (await write(ada, channel, bob)).status == 201
    # Users are not told why.
    assert "reason" not in (await bob.post(f"/v1/conversations/c2c_{ada.id}/messages", TEXT)).text


async def test_only_those_who_read_the_inbox_write_first(shared_api: Api) -> None:
    ada, cat, bob = (shared_api.new_user(name) for name in ("ada", "cat", "bob"))
    channel = await a_channel(ada, bob, cat)
    assert (await write(cat, channel, bob)).refusal == (403, "permission_denied")
    admin = f"{channel}/admins/{part(cat.id)}"
    await ada.put(admin, {"grants": ["post"]})
    assert (await write(cat, channel, bob)).refusal == (403, "permission_denied")
    await ada.put(admin, {"grants": ["read_inbox"]})
    assert (await write(cat, channel, bob)).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_what_a_channel_begins_waits_for_no_answer(api: OpenApi) -> None:
    server = await api(unanswered_per_user=1)
    ada, bob, eve = (server.new_user(name) for name in ("ada", "bob", "eve"))
    channel = await a_channel(ada, bob)
    assert (await write(ada, channel, bob)).status == 201
    answer = await eve.post(f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages", TEXT)
    assert answer.status == 201, answer


# --- switched off -----------------------------------------------------------------------------------------------------


async def test_a_subscriber_switches_a_channels_messages_off_before_there_is_one(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    assert (await bob.get(with_(channel))).refusal == (404, "conversation_not_found")
    ears = await bob.socket()
    off = await bob.patch(with_(channel), {"accept": False})
    assert (off.status, off.body["accept"], off.body["title"]) == (200, False, "News")
    assert (off.body["head_seq"], off.body["last_message"]) == (0, None)
    heard = await ears.hear("conversation.updated")
    assert heard["changed"] == {"accept": False}
    assert (await bob.get(with_(channel))).body == off.body
    assert (await bob.get("/v1/conversations?type=c2c")).items == []
    assert reason_of(await write(ada, channel, bob)) == "switched_off"
    # It stays when they are removed and added again.
    await ada.delete(f"{channel}/subscribers/{part(bob.id)}")
    added = await the_app(ada).put(f"{channel}/subscribers/{part(bob.id)}")
    assert added.status == 200
    assert reason_of(await write(ada, channel, bob)) == "switched_off"
    on = await bob.patch(with_(channel), {"accept": True})
    assert (on.status, on.body["accept"]) == (200, True)
    assert (await bob.get(with_(channel))).status == 404
    assert (await write(ada, channel, bob)).status == 201


async def test_switching_off_stops_the_channel_and_not_the_user(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await write(ada, channel, bob)
    off = await bob.patch(with_(channel), {"accept": False, "pinned": True})
    assert (off.status, off.body["accept"], off.body["unread_count"]) == (200, False, 1)
    assert [c["accept"] for c in (await bob.get("/v1/conversations?type=c2c")).items] == [False]
    for call in (
        write(ada, channel, bob),
        ada.patch(f"{thread(channel, bob)}/messages/1", TEXT),
        ada.put(f"{thread(channel, bob)}/messages/1/reactions/{part('👍')}"),
    ):
        assert reason_of(await call) == "switched_off"
    # Their own message does not switch it on.
    await say(bob, with_(channel))
    assert reason_of(await write(ada, channel, bob)) == "switched_off"
    assert (await ada.delete(f"{thread(channel, bob)}/messages/1")).status == 204
    await bob.patch(with_(channel), {"accept": True})
    assert (await write(ada, channel, bob)).status == 201


async def test_only_messages_of_a_channel_can_be_switched_off(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    channel = await a_channel(ada, bob)
    await bob.post(f"/v1/conversations/{part(f'c2c_{eve.id}')}/messages", TEXT)
    for conversation_id in (f"c2c_{eve.id}", f"group_{id_of(channel)}", "c2c_news"):
        path = f"/v1/conversations/{part(conversation_id)}"
        refused = await bob.patch(path, {"accept": False})
        assert refused.refusal == (400, "accept_not_for_this")
    # Before there is a message, subscribers only, and nothing else.
    assert (await eve.patch(with_(channel), {"accept": False})).status == 404
    assert (await bob.patch(with_(channel), {"accept": False, "muted": True})).status == 404
    assert (await bob.patch(with_(channel), {"muted": True})).status == 404
    assert (await bob.patch(with_(channel), {"accept": False})).status == 200


# --- a day ------------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="function")
async def test_a_channel_begins_so_many_threads_a_day(api: OpenApi) -> None:
    clock = MovedClock.from_noon()
    servers = [await api(clock=clock, opened_threads_per_day=3) for _ in range(2)]
    ada = servers[0].new_user("ada")
    users = [servers[0].new_user("user") for _ in range(8)]
    channel = await a_channel(ada, *users)
    root = servers[1].new_user("root", admin=True)
    # By whom, and through which process, does not matter.
    answers = await asyncio.gather(
        *(write((ada, root)[n % 2], channel, user) for n, user in enumerate(users))
    )
    assert sorted(a.status for a in answers) == [201] * 3 + [429] * 5
    [refused, *_] = [a for a in answers if a.status == 429]
    assert refused.refusal == (429, "daily_thread_limit_reached")
    assert refused.body["details"]["limit"] == 3
    assert 0 < int(refused.headers["Retry-After"]) <= DAY / 2
    # Threads that exist go on, and users begin as many as they like.
    begun = [user for user, a in zip(users, answers, strict=True) if a.status == 201]
    left = [user for user in users if user not in begun]
    assert (await write(ada, channel, begun[0])).status == 201
    await say(left[0], with_(channel))
    assert (await write(ada, channel, left[0])).status == 201
    other = await a_channel(ada, left[1])
    assert (await write(ada, other, left[1])).status == 201
    clock.move(seconds=DAY / 2)
    again = servers[1].user_of(ada.id)  # with a new token
    assert (await write(again, channel, left[1])).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_without_a_bound_left_a_channel_begins_none(api: OpenApi) -> None:
    server = await api(opened_threads_per_day=0)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    assert (await write(ada, channel, bob)).refusal == (429, "daily_thread_limit_reached")
    await say(bob, with_(channel))
    assert (await write(ada, channel, bob)).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_nothing_comes_after_a_user_left_blocked_or_switched_off(api: OpenApi) -> None:
    servers = [await api() for _ in range(2)]
    ada = servers[0].new_user("ada")
    channel = await a_channel(ada)
    channel_id = id_of(channel)

    async def refuse(user: User, n: int) -> str | None:
        if n % 3 == 0:
            assert (await user.delete(f"{channel}/subscription")).status == 204
        elif n % 3 == 1:
            assert (await user.put(f"/v1/blocks/{part(channel_id)}")).status == 200
        else:
            assert (await user.patch(with_(channel), {"accept": False})).status == 200
        page = await user.get(f"{with_(channel)}/messages")
        return str(len(page.items))

    for _ in range(3):
        users = [servers[1].user_of(fresh("u")) for _ in range(9)]
        for n, user in enumerate(users):
            await user.put(f"{channel}/subscription")
            if n % 3 and n % 2:  # who wrote and unsubscribes still gets answers
                await say(user, with_(channel))
        seen = await asyncio.gather(
            *(
                act
                for n, user in enumerate(users)
                for act in (write(ada, channel, user), refuse(user, n))
            )
        )
        for n, user in enumerate(users):
            # What there was when the refusal was answered is all that there is.
            after = (await user.get(f"{with_(channel)}/messages")).items
            assert seen[2 * n + 1] == str(len(after))
            assert (await write(ada, channel, user)).status == 403


@pytest.mark.asyncio(loop_scope="function")
async def test_no_thread_that_a_channel_begins_outlives_it(api: OpenApi) -> None:
    servers = [await api() for _ in range(2)]
    ada = servers[0].new_user("ada")
    users = [servers[0].new_user("u") for _ in range(6)]
    channel = await a_channel(ada, *users)
    root = servers[1].new_user("root", admin=True)
    answers = await asyncio.gather(
        *(write(root, channel, user) for user in users), ada.delete(channel)
    )
    refused = {a.refusal for a in answers if a.status >= 300}
    assert refused <= {(404, "conversation_not_found"), (404, "channel_not_found")}
    for server in servers:
        await server.services.chat.cleanup.wait()
    database = servers[0].services.database
    for collection in ("threads", "thread_guards", "messages", "conversations", "streams"):
        assert await database.collection(collection).find_one({}) is None, collection


# --- many users at once -----------------------------------------------------------------------------------------------


async def test_the_application_writes_to_many_subscribers_at_once(shared_api: Api) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user("root", admin=True)
    bob, cat, dan, eve = (shared_api.new_user(name) for name in ("bob", "cat", "dan", "eve"))
    channel = await a_channel(ada, bob, cat, dan)
    await say(dan, with_(channel), "When?")
    await cat.patch(with_(channel), {"accept": False})
    assert (await ada.get(f"{channel}/inbox/unread")).body["unread_count"] == 1
    ears = await bob.socket()
    sent = await send(root, channel, [eve, bob, cat, dan], key="k")
    assert sent.status == 200, sent
    results = sent.body["results"]
    assert [r["user_id"] for r in results] == [eve.id, bob.id, cat.id, dan.id]
    assert [(r["seq"], r["error"] and r["error"]["details"]) for r in results] == [
        (None, {"reason": "not_subscribed"}),
        (1, None),
        (None, {"reason": "switched_off"}),
        (2, None),
    ]
    assert results[0]["error"]["code"] == "messages_not_accepted"
    assert results[1]["message_id"] == f"c2c_{id_of(channel)}:1"
    [got] = (await bob.get(f"{with_(channel)}/messages")).items
    assert (got["text"], got["created_at"]) == ("We move", results[1]["created_at"])
    assert (await ears.hear("message.posted"))["message"]["text"] == "We move"
    assert (await bob.get("/v1/unread")).body["chats"] == 1
    # The channel's own message marks the thread as read, and moves it to the top.
    inbox = (await ada.get(f"{channel}/inbox")).items
    assert {(t["user_id"], t["unread_count"], t["head_seq"]) for t in inbox} == {
        (bob.id, 0, 1),
        (dan.id, 0, 2),
    }
    assert (await ada.get(f"{channel}/inbox/unread")).body["unread_count"] == 0
    # A repeat reaches those whom the first call did not reach, and nobody twice.
    await cat.patch(with_(channel), {"accept": True})
    again = (await send(root, channel, [eve, bob, cat, dan], key="k")).body["results"]
    assert [again[1], again[3]] == [results[1], results[3]]
    assert (again[0]["seq"], again[2]["seq"]) == (None, 1)
    assert len((await bob.get(f"{with_(channel)}/messages")).items) == 1
    other = (await send(root, channel, [bob], "Other", key="k")).body["results"]
    assert other[0]["error"]["code"] == "idempotency_conflict"


@pytest.mark.asyncio(loop_scope="function")
async def test_a_batch_begins_what_is_left_of_the_day(api: OpenApi) -> None:
    server = await api(clock=MovedClock.from_noon(), opened_threads_per_day=60)
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    users = [server.new_user("u") for _ in range(64)]
    channel = await a_channel(ada)
    lines = "".join(f'{{"user_id": "{user.id}"}}\n' for user in users).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    assert (
        await root.call("POST", f"{channel}/subscribers", data=lines, headers=headers)
    ).status == 200
    assert (await write(ada, channel, users[60])).status == 201
    first, second = await asyncio.gather(
        send(root, channel, users[:60], key="k"), send(root, channel, users[40:], key="l")
    )
    results = first.body["results"] + second.body["results"]
    begun = {r["user_id"] for r in results if r["seq"] == 1} | {users[60].id}
    assert len(begun) == 60
    refused = [r["error"] for r in results if r["error"] is not None]
    assert {error["code"] for error in refused} == {"daily_thread_limit_reached"}
    assert all(error["details"]["retry_after_seconds"] > 0 for error in refused)
    # Each got each message once.
    [*_, last] = (await users[45].get(f"{with_(channel)}/messages")).items
    assert last["seq"] == 1
    again = await send(root, channel, users[:60], key="k")
    assert [r["seq"] for r in again.body["results"]] == [r["seq"] for r in first.body["results"]]


async def test_many_users_get_a_forward_too(shared_api: Api) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user("root", admin=True)
    bob = shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await a_post(ada, channel, "Hi")
    short = id_of(channel).removeprefix("@TOA#_")
    body = {"user_ids": [bob.id], "forward": {"channel_id": short, "seq": 1}, "silent": True}
    sent = await root.post(f"{channel}/inbox/messages", body)
    assert sent.body["results"][0]["error"] is None
    [got] = (await bob.get(f"{with_(channel)}/messages")).items
    assert (got["text"], got["silent"]) == ("Hi", True)
    assert got["forwarded_from"]["channel_id"] == id_of(channel)


async def test_one_call_writes_to_500_users_at_most_and_to_each_once(shared_api: Api) -> None:
    ada, root = shared_api.new_user("ada"), shared_api.new_user("root", admin=True)
    bob = shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    path = f"{channel}/inbox/messages"

    def body(ids: list[str]) -> dict[str, Any]:
        return {"user_ids": ids, "kind": "text", "text": "Hi"}

    assert (await root.post(path, body([bob.id, bob.id]))).refusal == (400, "invalid_request")
    assert (await root.post(path, body([]))).refusal == (400, "invalid_request")
    nobodies = [f"nobody{n}" for n in range(501)]
    assert (await root.post(path, body(nobodies))).refusal == (400, "invalid_request")
    sent = await root.post(path, body(nobodies[:500]))
    assert len(sent.body["results"]) == 500
    assert (await bob.get(f"{with_(channel)}/messages")).items == []
    assert (await ada.post(path, body([bob.id]))).refusal == (403, "permission_denied")
    assert (await bob.post(path, body([bob.id]))).refusal == (403, "permission_denied")
    missing = await root.post("/v1/channels/nowhere/inbox/messages", body([bob.id]))
    assert missing.refusal == (404, "channel_not_found")


# --- ids --------------------------------------------------------------------------------------------------------------


async def test_a_message_for_a_channel_never_reaches_a_user_of_its_short_id(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    short = fresh("n")
    user = shared_api.user_of(short)
    await user.patch("/v1/users/me", {"name": "Mr. News"})
    talk = f"/v1/conversations/c2c_{short}/messages"
    before = shared_api.new_user("eve")
    assert (await before.post(talk, TEXT)).status == 201
    channel = await a_channel(ada, bob, channel_id=f"@TOA#_{short}")
    refused = await bob.post(talk, TEXT)
    assert refused.refusal == (400, "ambiguous_conversation_id")
    meant = refused.body["details"]["channel_conversation_id"]
    assert meant == f"c2c_{id_of(channel)}"
    assert meant in refused.body["detail"]
    conversation = talk.removesuffix("/messages")
    for call in (
        bob.get(talk),
        bob.get(f"{talk}/1"),
        bob.get(conversation),
        bob.patch(conversation, {"pinned": True}),
        bob.post(f"{conversation}/read"),
        bob.delete(conversation),
    ):
        assert (await call).refusal == (400, "ambiguous_conversation_id")
    assert (await bob.get(f"{talk}?to=user")).items == []
    assert [c["peer_id"] for c in (await user.get("/v1/conversations")).items] == [before.id]
    assert (await bob.post(f"/v1/conversations/{part(meant)}/messages", TEXT)).status == 201
    # Who says so reaches the user, and a conversation that exists goes on.
    assert (await bob.post(f"{talk}?to=user", TEXT)).status == 201
    assert (await bob.post(talk, TEXT)).status == 201
    assert (await before.post(talk, TEXT)).status == 201
    assert (await before.get(f"{talk}/9")).refusal == (404, "message_not_found")
    # A channel that is hidden from the writer must not show.
    await ada.patch(channel, {"settings": {"visibility": "private"}})
    assert (await shared_api.new_user("fay").post(talk, TEXT)).status == 201
    member = shared_api.new_user("gus")
    await the_app(ada).put(f"{channel}/subscribers/{part(member.id)}")
    assert (await member.post(talk, TEXT)).refusal == (400, "ambiguous_conversation_id")


async def test_a_forward_names_a_channel_as_a_path_does(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await a_post(ada, channel, "Hi")
    path = f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages"
    for name in (id_of(channel), id_of(channel).removeprefix("@TOA#_")):
        sent = await ada.post(path, {"forward": {"channel_id": name, "seq": 1}})
        assert (sent.status, sent.body["text"]) == (201, "Hi")
    long = {"forward": {"channel_id": "n" * 43, "seq": 1}}
    assert (await ada.post(path, long)).refusal == (400, "invalid_request")
