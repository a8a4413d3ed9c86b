"""Tags on subscribers: given, listed, counted, changed in bulk, and gone with the subscription."""

import asyncio
import json
from typing import Any

import pytest

from groups.kernel.mongo import Database
from tests.api import Answer, Api, User, a_channel, all_pages, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="function")
NDJSON = {"Content-Type": "application/x-ndjson"}


async def in_bulk(user: User, path: str, *lines: Any, query: str = "") -> Answer:
    data = "".join(json.dumps(line) + "\n" if line is not None else "{\n" for line in lines)
    return await user.call("POST", f"{path}/subscriber-tags{query}", data=data, headers=NDJSON)


async def counts(user: User, path: str) -> dict[str, int]:
    pages = await all_pages(user, f"{path}/subscriber-tags", limit=2)
    return {one["tag"]: one["subscribers"] for page in pages for one in page}


async def tagged(user: User, path: str, tag: str) -> list[str]:
    pages = await all_pages(user, f"{path}/subscribers?tag={part(tag)}", limit=1)
    return [item["user_id"] for page in pages for item in page]


async def consumed(server: Api) -> None:
    """Wait until the log has no event that the cleanup behind departures has not seen."""
    await server.services.log.sequencer.run()
    for consumer in server.services.log.consumers:
        await consumer.catch_up()


async def test_tags_are_given_listed_and_gone_with_the_subscription(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob, cat, eve = (server.new_user(name) for name in ("ada", "bob", "cat", "eve"))
    path = await a_channel(ada, bob, cat)
    of_bob = f"{path}/subscribers/{part(bob.id)}/tags"
    put = await ada.put(of_bob, {"tags": ["vip", "Berlin"]})
    assert (put.status, put.body["tags"]) == (200, ["vip", "Berlin"])
    await ada.put(f"{path}/subscribers/{part(cat.id)}/tags", {"tags": ["vip"]})
    assert await counts(ada, path) == {"Berlin": 1, "vip": 2}
    assert await tagged(ada, path, "vip") == sorted([bob.id, cat.id])
    shown = (await ada.get(f"{path}/subscribers")).items
    assert {one["user_id"]: one["tags"] for one in shown} == {
        ada.id: [],
        bob.id: ["vip", "Berlin"],
        cat.id: ["vip"],
    }
    # Subscribers see nothing of it, and only who is subscribed has tags.
    assert (await bob.put(of_bob, {"tags": []})).refusal == (403, "permission_denied")
    assert "vip" not in (await bob.get(path)).text
    refused = await ada.put(f"{path}/subscribers/{part(eve.id)}/tags", {"tags": ["vip"]})
    assert refused.refusal == (404, "member_not_found")
    both = await ada.get(f"{path}/subscribers?tag=vip&q=b")
    assert both.refusal == (400, "invalid_request")
    # Who leaves and comes back has none, at once.
    server.clock.move(seconds=1)
    await bob.delete(f"{path}/subscription")
    await bob.put(f"{path}/subscription")
    assert await tagged(ada, path, "vip") == [cat.id]
    await consumed(server)
    assert await counts(ada, path) == {"vip": 1}
    await ada.put(of_bob, {"tags": ["new"]})
    await consumed(server)
    assert await counts(ada, path) == {"new": 1, "vip": 1}
    await ada.delete(path)
    await server.services.chat.cleanup.wait()
    for name in ("subscriber_tags", "subscriber_tag_counts"):
        assert await database.collection(name).find_one({}) is None


async def test_the_limits_of_tags_hold_under_any_race(api: OpenApi) -> None:
    server = await api(subscriber_tags=3)
    ada, *users = (server.new_user(name) for name in ("ada", "b", "c", "d", "e", "f"))
    path = await a_channel(ada, *users)
    calls = [f"{path}/subscribers/{part(user.id)}/tags" for user in users]
    answers = await asyncio.gather(
        *(ada.put(call, {"tags": [f"t{n}"]}) for n, call in enumerate(calls))
    )
    refused = [answer for answer in answers if answer.status != 200]
    assert [answer.refusal for answer in refused] == [(409, "subscriber_tag_limit_reached")] * 2
    assert refused[0].body["details"]["limit"] == 3
    assert sum((await counts(ada, path)).values()) == 3
    for body, status in (
        ({"tags": ["x" * 65]}, 400),
        ({"tags": ["a", "a"]}, 400),
        ({"tags": [" "]}, 400),
        ({"tags": [f"t{n}" for n in range(21)]}, 400),
        ({"tags": []}, 200),
    ):
        assert (await ada.put(calls[0], body)).status == status


async def test_tags_change_in_bulk_and_the_same_lines_again_change_nothing(api: OpenApi) -> None:
    server = await api()
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    lines = [
        {"user_id": bob.id, "add": ["vip", "new"]},
        {"user_id": cat.id, "tags": ["vip"]},
        {"user_id": bob.id, "remove": ["new"]},
        {"user_id": "nobody", "add": ["vip"]},
        None,
        {"user_id": bob.id, "tags": [], "add": ["vip"]},
        {"user_id": cat.id, "add": [f"t{n}" for n in range(20)]},
    ]
    first = await in_bulk(ada, path, *lines)
    assert first.status == 200
    *_, last = first.lines
    totals = {name: last[name] for name in ("received", "changed", "unchanged", "refused", "done")}
    assert totals == {"received": 7, "changed": 3, "unchanged": 0, "refused": 4, "done": True}
    results = [result for line in first.lines for result in line["results"]]
    assert [result["result"] for result in results] == [
        *("changed", "changed", "changed", "not_subscribed"),
        *("invalid_request", "invalid_request", "tag_limit"),
    ]
    assert [result.get("line") for result in results[4:6]] == [5, 6]
    assert await counts(ada, path) == {"vip": 2}
    again = await in_bulk(ada, path, lines[1], lines[2], query="?results=refused")
    assert (again.lines[-1]["changed"], again.lines[-1]["unchanged"]) == (0, 2)
    assert again.lines[0]["results"] == []
    assert (await in_bulk(bob, path, lines[0])).refusal == (403, "permission_denied")
