"""Messages that end after the days for which their channel, group or deployment keeps them. Time is moved."""

import io
from typing import Any

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.ids import GroupId
from groups.models import message_key, stream_of
from tests.api import Api, MovedClock, User, a_channel, a_chat_group, a_post, id_of, part
from tests.conftest import OpenApi
from tests.user_data.helpers import places_of

DAY = 24 * 3600.0


async def findings(api: Api) -> list[str]:
    """The findings of `channels verify`."""
    console = Console(file=io.StringIO())
    database = api.services.database
    outcomes = await verify(database, Limits(posts_per_second=0), console=console, repair=False)
    return [each.problem for outcome in outcomes for each in outcome.first]


async def sweep(api: Api) -> int:
    return await api.services.chat.retention.sweep()


async def seqs(reader: User, path: str) -> list[int]:
    return [item["seq"] for item in (await reader.get(path)).items]


@pytest.mark.parametrize("make", [a_channel, a_chat_group])
async def test_messages_end_with_all_that_belongs_to_them_and_seqs_go_on(
    api: OpenApi, make: Any
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, bob = server.new_user("ada", hours=2400), server.new_user("bob", hours=2400)
    path = await make(ada, bob)
    is_channel = make is a_channel
    calls = f"{path}/{'posts' if is_channel else 'messages'}"
    setting: dict[str, Any] = {"retention_days": 30}
    if is_channel:
        setting = {"settings": setting | {"comments": "subscribers", "count_clicks": True}}
    asks = {"kind": "text", "text": "Old https://example.org/a", "acknowledge": True}
    assert (await ada.post(calls, asks)).status == 201
    await a_post(ada, path, "Old, too")
    changed = await ada.patch(path, setting)
    shown = changed.body["settings"] if is_channel else changed.body
    assert (changed.status, shown["retention_days"]) == (200, 30)
    # What was there before gets its time in the background.
    assert await sweep(server) == 0
    for act in ("reactions/" + part("👍"), "acknowledgement"):
        assert (await bob.put(f"{calls}/1/{act}")).status == 200
    if is_channel:
        assert (await bob.post(f"{calls}/1/comments", {"kind": "text", "text": "Hm"})).status == 201
        assert (await ada.put(f"{calls}/2/pin")).status == 200
        assert (await bob.post(f"{calls}/views", {"seqs": [1]})).items == [{"seq": 1, "views": 1}]
        clicked = await bob.post(f"{calls}/1/clicks", {"url": "https://example.org/a"})
        assert clicked.status == 204
    clock.move(seconds=20 * DAY)
    await a_post(ada, path, "Newer")
    clock.move(seconds=11 * DAY)
    assert await sweep(server) == 2
    assert await sweep(server) == 0

    # They answer as what does not exist, on every way.
    assert await seqs(bob, calls) == await seqs(bob, f"{calls}?after_seq=0") == [3]
    assert (await bob.get(f"{calls}/1")).status == 404
    assert (await bob.put(f"{calls}/2/reactions/{part('👍')}")).status == 404
    found = await bob.get("/v1/search/messages?q=old")
    assert found.items == []
    if is_channel:
        assert (await bob.get(f"{path}/pins")).items == []
        assert (await bob.get(f"{calls}/1/comments")).status == 404
    # Nothing of them is stored.
    key = message_key(stream_of(GroupId(id_of(path))), 1)
    assert await places_of(server.services.database, key) <= {"events"}
    # New ones go on counting, and the last one may end as well.
    assert (await a_post(ada, path, "Fourth"))["seq"] == 4
    await server.services.comments.cleanup.clear_ended()
    assert await findings(server) == []
    clock.move(seconds=31 * DAY)
    assert await sweep(server) == 2
    assert await seqs(bob, calls) == []
    listed = [c for c in (await bob.get("/v1/conversations")).items if c["title"]]
    assert all((c["last_message"] or {}).get("preview", "") == "" for c in listed)
    assert (await a_post(ada, path, "Fifth"))["seq"] == 5
    assert await findings(server) == []

    # A real hole is still found.
    await server.services.database.collection("messages").delete_one(
        {"_id": message_key(stream_of(GroupId(id_of(path))), 5)}
    )
    assert any("seq 5 is missing" in each for each in await findings(server))


async def test_a_new_setting_of_the_deployment_gets_to_what_is_there_but_comments_go_with_posts(
    api: OpenApi,
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, bob = (server.new_user(name, hours=4800) for name in ("ada", "bob"))
    channel = await a_channel(ada, bob)
    await ada.patch(channel, {"settings": {"comments": "subscribers"}})
    for _ in range(3):
        await a_post(ada, channel, "Old")
    comment = {"kind": "text", "text": "Hm"}
    for _ in range(2):
        assert (await bob.post(f"{channel}/posts/1/comments", comment)).status == 201
    path = f"/v1/conversations/{part('c2c_' + bob.id)}/messages"
    assert (await ada.post(path, {"kind": "text", "text": "Hi"})).status == 201
    clock.move(seconds=40 * DAY)
    later = await api(clock=clock, database=server.services.database, retention_days=60)
    assert await sweep(later) == 0
    assert (await bob.post(f"{channel}/posts/3/comments", comment)).status == 201
    await a_post(later.user_of(ada.id, hours=4800), channel, "New")
    clock.move(seconds=21 * DAY)
    assert await sweep(later) == 4
    await server.services.comments.cleanup.clear_ended()
    assert await seqs(bob, f"{channel}/posts") == [4]
    assert await seqs(bob, path) == []
    stored = server.services.database.collection("messages")
    assert await stored.count_documents({}) == 1
    assert await findings(server) == []
    # Without the setting, nothing ends any more.
    again = await api(clock=clock, database=server.services.database)
    clock.move(seconds=100 * DAY)
    assert await sweep(again) == 0
    assert await stored.count_documents({"ends_at": {"$exists": True}}) == 0


async def test_a_longer_time_and_none_keep_what_is_there_and_only_the_owner_sets_it(
    api: OpenApi,
) -> None:
    clock = MovedClock()
    server = await api(clock=clock, retention_days=90)
    ada, bob, cy = (server.new_user(name, hours=4800) for name in ("ada", "bob", "cy"))
    channel = await a_channel(ada, bob, cy)
    assert (await ada.put(f"{channel}/admins/{part(bob.id)}")).status in {200, 202}
    await bob.post(f"{channel}/invitations/me", {"accept": True})
    change = {"settings": {"retention_days": 10}}
    assert (await bob.patch(channel, change)).status == 403
    for refused in (91, 3651, -1):
        answer = await ada.patch(channel, {"settings": {"retention_days": refused}})
        assert answer.refusal == (400, "invalid_request")
    assert (await ada.patch(channel, change)).status == 200
    await a_post(ada, channel, "Short")
    assert (await ada.patch(channel, {"settings": {"retention_days": 0}})).status == 200
    clock.move(seconds=11 * DAY)
    # The deployment's time is in force now, for one-to-one messages too.
    path = f"/v1/conversations/{part('c2c_' + cy.id)}/messages"
    assert (await bob.post(path, {"kind": "text", "text": "Hi"})).status == 201
    assert await sweep(server) == 0
    assert await seqs(cy, f"{channel}/posts") == [1]
    clock.move(seconds=80 * DAY)
    assert await sweep(server) == 1
    clock.move(seconds=11 * DAY)
    assert await sweep(server) == 1
    assert await seqs(bob, path) == []
    assert (await bob.post(path, {"kind": "text", "text": "Again"})).body["seq"] == 2
    assert await findings(server) == []
