"""Canned replies: texts that all who answer a channel's inbox share."""

import asyncio

import pytest

from groups.kernel.mongo import Database
from groups.limits import MESSAGE_BODY_BYTES
from tests.api import a_channel, all_pages, fresh, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="function")


async def test_canned_replies_are_shared_replaced_deleted_and_end_with_the_channel(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, admins=(bob,))
    replies = f"{path}/canned-replies"
    for name in ("opening hours", "Danke", "rye/spelt"):
        put = await ada.put(f"{replies}/{part(name)}", {"text": f"About {name}\nToday"})
        assert (put.status, put.body["name"], put.body["changed_by"]) == (200, name, ada.id)
    changed = await bob.put(f"{replies}/Danke", {"text": "Thank you"})
    assert (changed.body["text"], changed.body["changed_by"]) == ("Thank you", bob.id)
    again = await ada.put(f"{replies}/Danke", {"text": "Thank you"})
    assert again.body == changed.body
    pages = await all_pages(bob, replies, limit=2)
    assert [[reply["name"] for reply in page] for page in pages] == [
        ["Danke", "opening hours"],
        ["rye/spelt"],
    ]
    assert (await bob.delete(f"{replies}/Danke")).status == 204
    assert (await bob.delete(f"{replies}/Danke")).refusal == (404, "canned_reply_not_found")
    log = (await ada.get(f"{path}/admin-log?target_id=Danke")).items
    assert [(entry["action"], entry["actor_id"]) for entry in log] == [
        ("canned_reply_deleted", bob.id),
        ("canned_reply_changed", bob.id),
        ("canned_reply_changed", ada.id),
    ]
    assert "Thank you" not in str(log)  # admins without the inbox read the log
    assert (await ada.delete(path)).status == 204
    await server.services.chat.cleanup.wait()
    assert await database.collection("canned_replies").find_one({}) is None


async def test_canned_replies_have_a_limit_under_any_race(api: OpenApi) -> None:
    server = await api(canned_replies=3)
    ada = server.new_user("ada")
    replies = f"{await a_channel(ada)}/canned-replies"
    text = {"text": "Hello"}
    answers = await asyncio.gather(*(ada.put(f"{replies}/{n}", text) for n in range(6)))
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) == 3
    assert {answer.refusal for answer in refused} == {(409, "canned_reply_limit_reached")}
    assert refused[0].body["details"]["limit"] == 3
    [first, *_] = (await ada.get(replies)).items
    for body, refusal in (
        ({"text": "x" * MESSAGE_BODY_BYTES}, None),
        ({"text": "x" * (MESSAGE_BODY_BYTES + 1)}, (400, "field_too_long")),
        ({"text": ""}, (400, "invalid_request")),
    ):
        answer = await ada.put(f"{replies}/{first['name']}", body)
        assert (answer.refusal if refusal else answer.status) == (refusal or 200)
    assert (await ada.put(f"{replies}/{part('n' * 129)}", text)).status == 400
    assert (await ada.delete(f"{replies}/{first['name']}")).status == 204
    assert (await ada.put(f"{replies}/{fresh('new')}", text)).status == 200
