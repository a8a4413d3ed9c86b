"""Menus of channels: written by the staff, used by those who may write to the channel."""

import asyncio
from typing import Any

import pytest

from channels.self_service.automatic_messages.audit import checks as automatic_checks
from channels.self_service.menus.audit import checks as menu_checks
from groups.kernel.data_checks import repair_findings
from groups.kernel.mongo import Database
from groups.kernel.mongo.snapshot import Snapshot
from tests.api import Api, a_channel, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

MENU: dict[str, Any] = {
    "entries": [
        {"text": "Site", "kind": "link", "url": "https://example.org"},
        {
            "text": "Ask",
            "entries": [
                {"text": "Hours", "kind": "reply", "reply": "When are you open?"},
                {"text": "Call me", "kind": "event", "data": "call"},
            ],
        },
        {"text": "Order", "kind": "form", "form": "order"},
    ]
}
NOTHING = dict.fromkeys(("kind", "url", "reply", "data", "form"))


async def test_a_menu_is_shown_changed_and_taken_away(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    assert (await bob.get(channel)).body["menu_version"] == 0
    assert (await bob.get(f"{channel}/menu")).body["entries"] == []
    refused = await bob.put(f"{channel}/menu", MENU)
    assert refused.refusal == (403, "permission_denied")
    ears = await bob.socket()
    put = await ada.put(f"{channel}/menu", MENU)
    assert put.status == 200, put
    version = put.body["version"]
    told = await ears.hear("channel.updated")
    assert told["changed"] == {"menu_version": version}
    assert (await bob.get(channel)).body["menu_version"] == version
    assert (await ada.put(f"{channel}/menu", MENU)).body == put.body
    shown = (await bob.get(f"{channel}/menu")).body
    site, ask, _ = shown["entries"]
    assert site == NOTHING | {**MENU["entries"][0], "entries": None}
    assert ask == NOTHING | {
        "text": "Ask",
        "entries": [NOTHING | entry for entry in MENU["entries"][1]["entries"]],
    }
    other = {"entries": MENU["entries"][:1]}
    changed = (await ada.put(f"{channel}/menu", other)).body["version"]
    assert changed > version
    assert (await ada.delete(f"{channel}/menu")).status == 204
    assert (await ears.hear("channel.updated", changed={"menu_version": 0}))["type"]
    assert (await bob.get(channel)).body["menu_version"] == 0
    assert (await ada.delete(f"{channel}/menu")).status == 204
    log = (await ada.get(f"{channel}/admin-log")).items
    assert [entry["after"] for entry in log if "menu_version" in entry["after"]] == [
        {"menu_version": 0},
        {"menu_version": changed},
        {"menu_version": version},
    ]
    await ears.close()


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [MENU["entries"][0]] * 4,
        [{"text": "Ask", "entries": []}],
        [{"text": "Ask", "entries": [MENU["entries"][0]] * 6}],
        [{"text": "Ask", "entries": [MENU["entries"][1]]}],
        [{"text": "Ask"}],
        [{"text": "Ask", "kind": "reply"}],
        [{"text": "Ask", "kind": "reply", "reply": "a", "data": "b"}],
        [{**MENU["entries"][1], "kind": "event", "data": "b"}],
        [{"text": "Ask", "kind": "link", "url": "javascript:alert(1)"}],
    ],
)
async def test_a_menu_out_of_shape_is_refused(shared_api: Api, entries: list[Any]) -> None:
    ada = shared_api.new_user("ada")
    channel = await a_channel(ada)
    full = [{"text": "Ask", "entries": [MENU["entries"][0]] * 5}] * 3
    assert (await ada.put(f"{channel}/menu", {"entries": full})).status == 200
    refused = await ada.put(f"{channel}/menu", {"entries": entries})
    assert refused.refusal == (400, "invalid_request")


async def test_a_reply_is_sent_and_an_event_announced_once_each(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    channel = await a_channel(ada, bob)
    version = (await ada.put(f"{channel}/menu", MENU)).body["version"]
    path, ears = f"{channel}/menu/selections", await ada.socket()
    twice = [
        await bob.post(path, {"entry": "2.1", "version": version}, idempotency_key="k1")
        for _ in range(2)
    ]
    assert [answer.status for answer in twice] == [201, 201]
    assert twice[0].body == twice[1].body
    message = twice[0].body["message"]
    assert (message["text"], message["sender_id"]) == ("When are you open?", bob.id)
    race = (bob.post(path, {"entry": "2.2"}, idempotency_key="k2") for _ in range(3))
    answers = await asyncio.gather(*race)
    assert {(a.status, a.text) for a in answers} == {
        (201, '{"entry":"2.2","kind":"event","message":null}')
    }
    told = await ears.hear("menu.selected")
    assert (told["user_id"], told["entry"], told["text"], told["data"]) == (
        bob.id,
        "2.2",
        "Call me",
        "call",
    )
    assert [event for event in await ears.until_now() if event["type"] == "menu.selected"] == []
    assert (
        len((await bob.get(f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages")).items)
        == 1
    )
    for body, refusal in (
        ({"entry": "1"}, (409, "nothing_to_select")),
        ({"entry": "2"}, (409, "nothing_to_select")),
        ({"entry": "3"}, (409, "nothing_to_select")),
        ({"entry": "2.3"}, (404, "menu_entry_not_found")),
        ({"entry": "2.1", "version": version - 1}, (409, "menu_changed")),
        ({"entry": "0"}, (400, "invalid_request")),
    ):
        assert (await bob.post(path, body)).refusal == refusal
    # Who may not write to the channel chooses neither.
    for entry in ("2.1", "2.2"):
        assert (await eve.post(path, {"entry": entry})).refusal == (403, "messages_not_accepted")
    banned = await ada.delete(f"{channel}/subscribers/{part(bob.id)}?ban=true")
    assert banned.status == 204, banned
    for entry in ("2.1", "2.2"):
        assert (await bob.post(path, {"entry": entry})).refusal == (403, "banned")
    await ears.close()


@pytest.mark.asyncio(loop_scope="function")
async def test_selections_have_a_rate_and_a_menu_ends_with_its_channel(
    api: OpenApi, database: Database
) -> None:
    server = await api(menu_selections_per_second=2)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    await ada.put(f"{channel}/menu", MENU)
    path = f"{channel}/menu/selections"
    answers = await asyncio.gather(*(bob.post(path, {"entry": "1"}) for _ in range(4)))
    assert sorted(answer.refusal for answer in answers)[-1] == (429, "rate_limited")
    assert [a.refusal for a in answers].count((409, "nothing_to_select")) >= 2
    assert (await ada.delete(channel)).status == 204
    await server.services.chat.cleanup.wait()
    assert await database.collection("menus").find_one({}) is None


@pytest.mark.asyncio(loop_scope="function")
async def test_verify_finds_and_repairs_what_repeats_menus_and_rules(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada = server.new_user("ada")
    channel = await a_channel(ada)
    await ada.put(f"{channel}/menu", MENU)
    await ada.put(f"{channel}/greeting", {"text": "Welcome"})
    streams = server.services.chat.streams
    profiles = server.services.menus.profiles
    checks = [*menu_checks(database, streams, profiles), *automatic_checks(database, streams)]
    key = {"_id": id_of(channel)}

    async def findings() -> list[str]:
        async with Snapshot(database) as snapshot:
            return [finding.problem for check in checks async for finding in check.find(snapshot)]

    assert await findings() == []
    await database.collection("channels").update_one(key, {"$set": {"menu_version": 1}})
    await database.collection("automatic_channels").delete_one(key)
    await database.collection("menus").insert_one({"_id": "@TOA#_gone", "entries": []})
    assert len(await findings()) == 3
    for check in checks:
        await repair_findings(database, check)
    assert await findings() == []
    assert await database.collection("menus").count_documents({}) == 1
