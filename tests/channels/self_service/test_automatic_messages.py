"""Greetings, answers to keywords, and the answer outside of opening hours."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from groups.kernel.mongo import Database
from tests.api import Api, MovedClock, User, a_channel, id_of, part, the_app
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

GREETING = {"text": "Welcome to the bakery"}


def with_(channel: str) -> str:
    """A user's conversation with the channel, as a path."""
    return f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages"


async def messages(user: User, channel: str, expected: int) -> list[dict[str, Any]]:
    """The user's messages with the channel, oldest first, once there are so many."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(found) < expected:
            await asyncio.sleep(0.02)
            found = (await user.get(with_(channel))).items
    return found[::-1]


async def said(user: User, channel: str, expected: int) -> list[str]:
    return [each["text"] for each in await messages(user, channel, expected)]


async def say(user: User, channel: str, text: str) -> None:
    answer = await user.post(with_(channel), {"kind": "text", "text": text})
    assert answer.status == 201, answer


async def subscribe(user: User, channel: str) -> None:
    assert (await user.put(f"{channel}/subscription")).status == 200


async def test_those_who_subscribe_by_themselves_are_greeted_once(shared_api: Api) -> None:
    ada, bob, cat, dan, eve = (
        shared_api.new_user(name) for name in ("ada", "bob", "cat", "dan", "eve")
    )
    app = the_app(ada)
    channel = await a_channel(ada, eve)
    put = await ada.put(f"{channel}/greeting", GREETING)
    assert (put.status, put.body["text"], put.body["changed_by"]) == (200, GREETING["text"], ada.id)
    assert (await app.put(f"{channel}/subscribers/{part(cat.id)}")).status == 200
    lines = {"Content-Type": "application/x-ndjson"}
    imported = await app.call(
        "POST", f"{channel}/subscribers", data=f'{{"user_id":"{dan.id}"}}\n', headers=lines
    )
    assert imported.status == 200, imported
    await bob.put(f"/v1/blocks/{part(id_of(channel))}")
    await subscribe(bob, channel)
    fay = shared_api.new_user("fay")
    await subscribe(fay, channel)
    [greeting] = await messages(fay, channel, 1)
    assert (greeting["text"], greeting["automatic"], greeting["sender_id"]) == (
        GREETING["text"],
        True,
        id_of(channel),
    )
    # Nobody waits for an answer: the thread has nothing unread, and no author.
    thread = f"{channel}/inbox/{part(fay.id)}/messages"
    [shown] = (await ada.get(thread)).items
    assert (shown["author_id"], shown["automatic"], shown["from_channel"]) == (None, True, True)
    assert (await ada.get(f"{channel}/inbox/unread")).body["unread_count"] == 0
    # Who comes back is not greeted again; who was not reached before is.
    for user in (fay, bob):
        assert (await user.delete(f"{channel}/subscription")).status == 204
    await bob.delete(f"/v1/blocks/{part(id_of(channel))}")
    for user in (fay, bob):
        await subscribe(user, channel)
    assert await said(bob, channel, 1) == [GREETING["text"]]
    # Those who came before the greeting, and those whom others subscribed, got none.
    for user in (eve, cat, dan):
        assert (await user.get(with_(channel))).items == []
    assert len((await fay.get(with_(channel))).items) == 1
    assert (await ada.delete(f"{channel}/greeting")).status == 204
    assert (await ada.get(f"{channel}/greeting")).body["text"] is None


async def test_the_first_keyword_by_name_answers_a_message_and_marks_nothing_read(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    replies = f"{channel}/auto-replies"
    buttons = [[{"text": "Order", "kind": "reply", "reply": "price"}]]
    for name, body in {
        "b": {
            "keywords": ["what price", "Prix"],
            "answer": {"text": "3 euros", "buttons": buttons},
        },
        "c": {"keywords": ["price"], "match": "exact", "answer": {"text": "Which?"}},
        "a": {"keywords": ["价格"], "answer": {"text": "三欧元"}, "enabled": False},
    }.items():
        put = await ada.put(f"{replies}/{name}", body)
        assert put.status == 200, put
    assert [each["name"] for each in (await ada.get(replies)).items] == ["a", "b", "c"]
    await say(bob, channel, "WHAT  price, please?")
    [_, answer] = await messages(bob, channel, 2)
    assert (answer["text"], answer["automatic"]) == ("3 euros", True)
    assert answer["buttons"][0][0]["text"] == "Order"
    await say(bob, channel, "Price!")
    await say(bob, channel, "the prices")
    await say(bob, channel, "价格")
    await say(bob, channel, "le príx")
    expected = ["Price!", "the prices", "价格", "le príx"]
    texts = (await said(bob, channel, 8))[2:]
    assert [text for text in texts if text in expected] == expected
    assert [text for text in texts if text not in expected] == ["Which?", "3 euros"]
    # An answer behind an unread message counts as unread too, and is read with it.
    unread = (await ada.get(f"{channel}/inbox/unread")).body
    assert (unread["unread_count"], unread["unread_threads"]) == (8, 1)
    await ada.post(f"{channel}/inbox/{part(bob.id)}/read", {})
    await say(ada, channel, "price")  # the owner is a person too, and this is their own thread
    assert (await said(ada, channel, 2))[1] == "Which?"


@pytest.mark.asyncio(loop_scope="function")
async def test_closed_hours_are_answered_once_each_time(api: OpenApi) -> None:
    clock = MovedClock.from_noon()
    server = await api(clock=clock)
    ada, bob = (server.new_user(name, hours=48) for name in ("ada", "bob"))
    channel = await a_channel(ada, bob)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    weekly = {name: [["09:00", "12:00"], ["13:00", "24:00"]] for name in day}
    body = {"time_zone": "Etc/UTC", "weekly": weekly, "away": {"text": "Closed"}}
    put = await ada.put(f"{channel}/opening-hours", body)
    assert (put.status, put.body["is_open"], put.body["weekly"]) == (200, False, weekly)
    await ada.put(f"{channel}/auto-replies/hi", {"keywords": ["hi"], "answer": {"text": "Hi!"}})
    await say(bob, channel, "There?")
    assert await said(bob, channel, 2) == ["There?", "Closed"]
    await say(bob, channel, "Hello?")
    await say(bob, channel, "Hi")
    assert (await said(bob, channel, 5))[2:] == ["Hello?", "Hi", "Hi!"]
    clock.move(seconds=timedelta(hours=2).total_seconds())
    assert (await ada.get(f"{channel}/opening-hours")).body["is_open"] is True
    await say(bob, channel, "Open now")
    clock.move(seconds=timedelta(hours=22.5).total_seconds())
    await say(bob, channel, "Next day")
    assert (await said(bob, channel, 8))[5:] == ["Open now", "Next day", "Closed"]


@pytest.mark.parametrize(
    ("path", "body", "changed"),
    [
        ("greeting", {"text": "Hello"}, {"text": ""}),
        ("greeting", {"text": "Hello"}, {"text": "x" * 12_289}),
        (
            "auto-replies/a",
            {"keywords": ["k" * 100] * 10, "answer": {"text": "A"}},
            {"keywords": ["k"] * 11},
        ),
        ("auto-replies/a", {"keywords": ["k"], "answer": {"text": "A"}}, {"keywords": ["k" * 101]}),
        ("auto-replies/a", {"keywords": ["k"], "answer": {"text": "A"}}, {"keywords": ["?!"]}),
        (
            "opening-hours",
            {"time_zone": "Asia/Kolkata", "weekly": {}, "away": {"text": "A"}},
            {"time_zone": "Mars/Olympus"},
        ),
        (
            "opening-hours",
            {"time_zone": "UTC", "weekly": {"mon": [["09:00", "10:00"]]}, "away": {"text": "A"}},
            {"weekly": {"mon": [["09:00", "10:00"], ["10:00", "11:00"]]}},
        ),
        (
            "opening-hours",
            {
                "time_zone": "UTC",
                "weekly": {},
                "closed_dates": ["2028-02-29"],
                "away": {"text": "A"},
            },
            {"closed_dates": ["2027-02-29"]},
        ),
    ],
)
async def test_a_rule_is_refused_at_its_bounds_and_leaves_the_one_before(
    shared_api: Api, path: str, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    ada = shared_api.new_user("ada")
    channel = await a_channel(ada)
    before = await ada.put(f"{channel}/{path}", body)
    assert before.status == 200, before
    refused = await ada.put(f"{channel}/{path}", {**body, **changed})
    assert refused.status == 400, refused
    assert (await ada.get(f"{channel}/{path}")).body == before.body


@pytest.mark.asyncio(loop_scope="function")
async def test_answers_have_a_limit_under_any_race_and_end_with_the_channel(
    api: OpenApi, database: Database
) -> None:
    server = await api(auto_replies=3)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada)
    body = {"keywords": ["k"], "answer": {"text": "Answer"}}
    puts = [ada.put(f"{channel}/auto-replies/{n}", body) for n in range(5)]
    answers = await asyncio.gather(*puts)
    assert (
        sorted(answer.refusal for answer in answers if answer.status != 200)
        == [(409, "auto_reply_limit_reached")] * 2
    )
    assert (await ada.put(f"{channel}/greeting", GREETING)).status == 200
    await subscribe(bob, channel)
    await messages(bob, channel, 1)
    assert (await ada.delete(channel)).status == 204
    await server.services.chat.cleanup.wait()
    for name in ("automatic_messages", "automatic_jobs", "automatic_marks"):
        assert await database.collection(name).find_one({}) is None, name
    assert await database.collection("automatic_channels").find_one({"_id": {"$gt": ""}}) is None
