"""Broadcasts: sent once to a segment, stopped, resumed, opted out of, and gone with the channel."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import User, a_channel, all_pages, id_of, part, the_app
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="function")
HELLO = {"kind": "text", "text": "We open at nine"}


async def a_full_channel(owner: User, users: int) -> str:
    """The path of a channel with so many subscribers besides its owner."""
    path = await a_channel(owner)
    lines = "".join(f'{{"user_id": "s{n:04}"}}\n' for n in range(users))
    headers = {"Content-Type": "application/x-ndjson"}
    await the_app(owner).call("POST", f"{path}/subscribers", data=lines, headers=headers)
    return path


async def tag(owner: User, path: str, tags: dict[str, list[str]]) -> None:
    for user_id, of_user in tags.items():
        put = await owner.put(f"{path}/subscribers/{part(user_id)}/tags", {"tags": of_user})
        assert put.status == 200, put


async def ended(owner: User, path: str, broadcast: dict[str, Any]) -> dict[str, Any]:
    """The broadcast once it is neither scheduled nor running."""
    async with asyncio.timeout(30):
        while True:
            found = (await owner.get(f"{path}/broadcasts/{broadcast['broadcast_id']}")).body
            if found["state"] not in {"scheduled", "running"}:
                assert isinstance(found, dict)
                return found
            await asyncio.sleep(0.02)


async def has_sent(owner: User, path: str, broadcast: dict[str, Any], sent: int) -> None:
    async with asyncio.timeout(30):
        one = f"{path}/broadcasts/{broadcast['broadcast_id']}"
        while (await owner.get(one)).body["sent"] < sent:
            await asyncio.sleep(0.02)


async def got(database: Database, broadcast: dict[str, Any]) -> list[str]:
    """The users who have a message of the broadcast, each as often as they have it."""
    wanted = {"broadcast_id": broadcast["broadcast_id"]}
    rows = await database.collection("messages").find(wanted).to_list(None)
    return [row["stream_id"] for row in rows]


async def test_a_broadcast_reaches_its_segment_once_and_says_whom_it_did_not(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    cat, dan, eve = (server.new_user(name) for name in ("cat", "dan", "eve"))
    path = await a_channel(ada, cat, dan, eve, admins=(bob,))
    await tag(ada, path, {user.id: ["vip"] for user in (cat, dan, eve)})
    await tag(ada, path, {dan.id: ["vip", "new"]})
    audience = await ada.post(f"{path}/broadcasts/audience", {"segment": {"all": ["vip"]}})
    assert audience.body == {"count": 3, "is_exact": True}
    # Those who want none, and those who block the channel.
    stop = await cat.post(
        f"/v1/conversations/c2c_{part(id_of(path))}/messages", {"kind": "text", "text": " STOP! "}
    )
    assert stop.status == 201, stop
    assert (await cat.get(f"{path}/broadcast-opt-out")).body["opted_out"] is True
    await dan.put(f"/v1/blocks/{part(id_of(path))}")
    ears, hers = await ada.socket(), await eve.socket()
    body = {"segment": {"any": ["vip", "absent"]}, **HELLO}
    created = await ada.post(f"{path}/broadcasts", body, idempotency_key="k")
    assert created.status == 201, created
    assert (await ada.post(f"{path}/broadcasts", body, idempotency_key="k")).body[
        "broadcast_id"
    ] == created.body["broadcast_id"]
    done = await ended(bob, path, created.body)
    assert (done["state"], done["total"], done["sent"]) == ("done", 3, 1)
    counted = {name: n for name, n in done["not_reached"].items() if n}
    assert counted == {"opted_out": 1, "blocked": 1}
    pages = await all_pages(ada, f"{path}/broadcasts/{done['broadcast_id']}/not-reached", limit=1)
    assert {one["user_id"]: one["reason"] for page in pages for one in page} == {
        cat.id: "opted_out",
        dan.id: "blocked",
    }
    # The user sees a message of the channel; the staff see whose it is.
    heard = await hers.hear("message.posted")
    assert heard["message"]["text"] == HELLO["text"]
    assert "broadcast_id" not in heard["message"]
    [message] = (await ada.get(f"{path}/inbox/{part(eve.id)}/messages")).items
    assert message["broadcast_id"] == done["broadcast_id"]
    assert (await eve.get("/v1/unread")).body["total"] == 1
    events = await ears.until_now()
    kinds = [event["type"] for event in events if event["type"].startswith("broadcast")]
    assert kinds[0] == "broadcast.changed"
    assert kinds[-1] == "broadcast.ended"
    assert "broadcast.started" in kinds
    assert not [e for e in events if e["type"] == "message.posted" and e["message"]["from_channel"]]
    # "start" takes it back; a repeat of the word changes nothing.
    for _ in range(2):
        await cat.post(
            f"/v1/conversations/c2c_{part(id_of(path))}/messages", {"kind": "text", "text": "Start"}
        )
    assert (await cat.get(f"{path}/broadcast-opt-out")).body == {
        "channel_id": id_of(path),
        "opted_out": False,
        "since": None,
    }
    assert (await eve.get(f"{path}/broadcasts")).refusal == (403, "permission_denied")
    actions = [one["action"] for one in (await ada.get(f"{path}/admin-log")).items]
    assert "broadcast_created" in actions
    await ada.delete(path)
    await server.services.chat.cleanup.wait()
    for name in ("broadcasts", "broadcast_not_reached", "broadcast_opt_outs"):
        assert await database.collection(name).find_one({}) is None


async def test_a_stopped_broadcast_sends_nothing_more_and_goes_on_with_the_rest(
    api: OpenApi, database: Database, second_database: Database
) -> None:
    """The other process has the same broadcasts, and a stop there holds here."""
    server = await api()
    other = await api(database=second_database, clock=server.clock)
    ada = server.new_user("ada")
    path = await a_full_channel(ada, 120)
    created = (await ada.post(f"{path}/broadcasts", {**HELLO, "rate": 80})).body
    await has_sent(ada, path, created, 20)
    there = other.user_of(ada.id)
    began = time.monotonic()
    stopped = await there.post(f"{path}/broadcasts/{created['broadcast_id']}/stop")
    assert (stopped.status, stopped.body["state"]) == (200, "stopped"), stopped
    assert time.monotonic() - began < 1.0
    reached = await got(database, created)
    await asyncio.sleep(1)
    assert await got(database, created) == reached
    assert stopped.body["sent"] == len(reached) < 120
    again = await there.post(f"{path}/broadcasts/{created['broadcast_id']}/stop")
    assert again.body == stopped.body
    resumed = await there.post(f"{path}/broadcasts/{created['broadcast_id']}/resume")
    assert resumed.body["state"] == "running"
    done = await ended(ada, path, created)
    assert (done["state"], done["sent"], done["total"]) == ("done", 121, 121)
    everybody = await got(database, created)
    assert len(everybody) == len(set(everybody)) == 121
    for call in ("stop", "resume"):
        refused = await ada.post(f"{path}/broadcasts/{created['broadcast_id']}/{call}")
        assert refused.refusal == (409, "broadcast_ended")


async def test_broadcasts_have_limits_and_a_time(api: OpenApi) -> None:
    server = await api(broadcasts_at_once=2, broadcasts_per_day=3, broadcast_rate=10)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    calls = f"{path}/broadcasts"
    tomorrow = rfc3339(server.clock.now() + timedelta(days=1))
    scheduled = {**HELLO, "start_at": tomorrow}
    answers = await asyncio.gather(*(ada.post(calls, scheduled) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 201, 409, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.refusal == (409, "broadcasts_at_once_reached")
    first = next(answer.body for answer in answers if answer.status == 201)
    assert first["state"] == "scheduled"
    await ada.post(f"{calls}/{first['broadcast_id']}/stop")
    assert (await ada.post(calls, scheduled)).status == 201
    await ada.post(f"{calls}/{first['broadcast_id']}/stop")
    pages = await all_pages(ada, calls, limit=2)
    assert [len(page) for page in pages] == [2, 1]
    back = await ada.post(f"{calls}/{first['broadcast_id']}/resume")
    assert back.refusal == (409, "broadcasts_at_once_reached")
    for page in pages:
        for one in page:
            await ada.post(f"{calls}/{one['broadcast_id']}/stop")
    assert (await ada.post(calls, HELLO)).refusal == (409, "broadcasts_per_day_reached")
    again = await ada.post(f"{calls}/{first['broadcast_id']}/resume")
    assert again.body["state"] == "scheduled"
    server.clock.move(seconds=24 * 3600 + 1)
    ada = server.user_of(ada.id)  # with a new token
    server.services.broadcasts.worker.wake()
    assert (await ended(ada, path, first))["state"] == "done"
    yesterday = {**HELLO, "start_at": rfc3339(server.clock.now() - timedelta(days=1))}
    poll = {"kind": "poll", "poll": {"question": "Tea?", "options": ["Yes", "No"]}}
    for body, refusal in (
        (yesterday, (400, "bad_start_at")),
        ({**HELLO, "rate": 11}, (400, "invalid_request")),
        ({**HELLO, "rate": 10}, None),
        (poll, (403, "poll_not_allowed")),
        ({**HELLO, "segment": {"all": ["a", "a"]}}, (400, "invalid_request")),
    ):
        answer = await ada.post(calls, body)
        assert (answer.refusal if refusal else answer.status) == (refusal or 201), answer


async def test_a_broadcast_fails_with_its_sender_and_another_one_goes_on(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_full_channel(ada, 60)
    await the_app(ada).put(f"{path}/subscribers/{part(bob.id)}")
    await ada.put(f"{path}/admins/{part(bob.id)}")
    created = (await bob.post(f"{path}/broadcasts", {**HELLO, "rate": 40})).body
    await has_sent(ada, path, created, 10)
    await ada.delete(f"{path}/admins/{part(bob.id)}")
    failed = await ended(ada, path, created)
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "permission_denied")
    assert failed["sent"] < 62
    await ada.post(f"{path}/broadcasts/{created['broadcast_id']}/resume")
    done = await ended(ada, path, created)
    assert (done["state"], done["sent"], done["failure"]) == ("done", 62, None)
