"""A conversation list over HTTP and the socket: cases that need the whole server."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from conversations import policy
from conversations.models import (
    DEFAULT_SETTINGS,
    ConversationId,
    ConversationSettings,
    NotificationLevel,
)
from groups.kernel.clock import rfc3339
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from tests.api import Api, a_channel, a_chat_group, a_post, conversation_of, part

OpenApi = Callable[[], Awaitable[Api]]


async def test_a_day_with_the_conversation_list(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    made = await ada.post("/v1/groups", {"type": "community", "name": "Tea"})
    group = part(made.body["group_id"])
    key = part(f"group_{made.body['group_id']}")
    assert (await bob.put(f"/v1/groups/{group}/members/me")).status == 200
    phone = await bob.socket()
    for _ in range(3):
        await ada.post(f"/v1/groups/{group}/messages", {"kind": "text", "text": "hi"})

    [item] = (await bob.get("/v1/conversations?unread=true")).items
    assert (item["title"], item["unread_count"], item["last_message"]["seq"]) == ("Tea", 3, 3)
    read = await bob.post(f"/v1/conversations/{key}/read", {"seq": 2})
    assert (read.status, read.body["read_seq"], read.body["unread_count"]) == (200, 2, 1)
    heard = await phone.hear("conversation.read")
    assert (heard["read_seq"], heard["unread_count"]) == (2, 1)

    name = part("Tee / 茶 ☕")
    first = await bob.put(
        f"/v1/conversation-groups/{name}", {"conversation_ids": [item["conversation_id"]]}
    )
    assert (first.status, first.body["unread_count"]) == (201, 1)
    assert (await bob.put(f"/v1/conversation-groups/{name}")).status == 200
    assert len((await bob.get(f"/v1/conversations?conversation_group={name}")).items) == 1
    assert (await bob.get("/v1/conversations?conversation_group=")).items == []
    assert len((await bob.get("/v1/conversations?conversation_group=chats")).items) == 1
    assert (await bob.get("/v1/unread")).body == {
        "total": 1,
        "channels": 0,
        "chats": 1,
        "conversation_groups": {"Tee / 茶 ☕": 1},
    }
    assert (await bob.post("/v1/read", {"scope": "Tee / 茶 ☕"})).body["total"] == 0
    changed = await bob.patch(f"/v1/conversations/{key}", {"muted": True, "pinned": True})
    assert (changed.status, changed.body["muted"]) == (200, True)
    assert await phone.hear("conversation.updated")
    assert (await bob.delete(f"/v1/conversations/{key}")).status == 204
    assert (await bob.get("/v1/conversations")).items == []
    assert (await bob.delete(f"/v1/conversation-groups/{name}")).status == 204
    await phone.close()


async def test_each_error_has_its_status_and_code(api: OpenApi) -> None:
    bob = (await api()).new_user("bob")
    tab = "/v1/conversation-groups"
    await bob.put(f"{tab}/A")
    await bob.put(f"{tab}/B")
    answers = [
        await bob.get("/v1/conversations/c2c_ada"),
        await bob.patch("/v1/conversations/group_x", {"muted": True}),
        await bob.get("/v1/conversations?conversation_group=nope"),
        await bob.get("/v1/conversations?cursor=abc"),
        await bob.get("/v1/conversations?type=other"),
        await bob.patch("/v1/conversations/group_x", {"loud": True}),
        await bob.post("/v1/read", {"scope": "nope"}),
        await bob.put(f"{tab}/channels"),
        await bob.patch(f"{tab}/A", {"name": "B"}),
        await bob.put(f"{tab}/{'x' * 33}"),
        await bob.delete(f"{tab}/nope"),
        await bob.post(f"{tab}/A/conversations", {"add": ["group_x"] * 101}),
    ]
    assert [answer.refusal for answer in answers] == [
        (404, "conversation_not_found"),
        (404, "conversation_not_found"),
        (404, "conversation_group_not_found"),
        (400, "bad_cursor"),
        (400, "invalid_request"),
        (400, "invalid_request"),
        (404, "conversation_group_not_found"),
        (409, "built_in_conversation_group"),
        (409, "conversation_group_taken"),
        (400, "field_too_long"),
        (404, "conversation_group_not_found"),
        (400, "invalid_request"),
    ]


async def test_a_drafts_text_is_in_no_event_but_other_devices_get_it(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    tea, news = await a_chat_group(ada, bob), await a_channel(ada)
    phone = await bob.socket()
    path = f"/v1/conversations/{part(conversation_of(tea))}"
    written = "Shall I really say this?"
    assert (await bob.patch(path, {"draft": written, "muted": True})).status == 200
    heard = await phone.hear("conversation.updated")
    assert heard["changed"] == {"draft": None, "muted": True, "muted_until": None}
    assert (await bob.get(path)).body["draft"] == written
    assert (await bob.patch(path, {"draft": ""})).status == 200
    assert (await phone.hear("conversation.updated"))["changed"] == {"draft": ""}
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for more in ({}, {"publish_at": soon}):
        draft = {"post": {"kind": "text", "text": written}, **more}
        assert (await ada.post(f"{news}/drafts", draft)).status == 201
    stored = await database.collection("events").find({}).to_list(None)
    assert stored
    assert written not in str(stored)
    await phone.close()


async def test_a_mute_for_a_time_ends_by_itself(api: OpenApi) -> None:
    server = await api()
    clock = server.clock
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    one = f"/v1/conversations/{part(conversation_of(path))}"
    await bob.put("/v1/conversation-groups/Mine", {"conversation_ids": [conversation_of(path)]})
    await a_post(ada, path)
    ears = await bob.socket()
    until = rfc3339(clock.now() + timedelta(minutes=30))

    async def unread() -> tuple[int, int, int]:
        body = (await bob.get("/v1/unread")).body
        [*_, mine] = (await bob.get("/v1/conversation-groups")).items
        return body["total"], body["conversation_groups"]["Mine"], mine["unread_count"]

    async def muted() -> tuple[bool, str | None]:
        shown = (await bob.get(one)).body
        [listed] = (await bob.get("/v1/conversations")).items
        assert (shown["muted"], shown["muted_until"]) == (listed["muted"], listed["muted_until"])
        return shown["muted"], shown["muted_until"]

    assert (await bob.patch(one, {"muted_until": until})).status == 200
    assert (await ears.hear("conversation.updated"))["changed"] == {
        "muted": True,
        "muted_until": until,
    }
    assert (await muted(), await unread()) == ((True, until), (0, 0, 0))
    assert (await bob.get("/v1/unread?include_muted=true")).body["total"] == 1
    clock.move(seconds=1799)
    assert (await muted())[0]
    clock.move(seconds=2)
    assert (await muted(), await unread()) == ((False, None), (1, 1, 1))
    # For ever wins over a time, and a time over for ever; either is ended by false.
    for changes, expected in (
        ({"muted": True}, (True, None)),
        ({"muted_until": None}, (True, None)),
        ({"muted_until": (later := rfc3339(clock.now() + timedelta(days=7)))}, (True, later)),
        ({"muted_until": None}, (False, None)),
        ({"muted": True, "muted_until": later}, (True, later)),
        ({"muted": True, "muted_until": None}, (True, None)),
        ({"muted_until": later}, (True, later)),
        ({"muted": False}, (False, None)),
    ):
        answer = await bob.patch(one, changes)
        assert (answer.body["muted"], answer.body["muted_until"]) == expected, changes
    assert (await bob.patch(one, {"muted": False, "muted_until": later})).status == 400


async def test_a_conversation_without_notifications_rings_for_nothing_and_counts_as_unread(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    key = conversation_of(path)
    one = f"/v1/conversations/{part(key)}"
    token = (await bob.get("/v1/sync")).body["sync_token"]
    ears = await bob.socket()

    async def level() -> str:
        shown, [listed] = (await bob.get(one)).body, (await bob.get("/v1/conversations")).items
        assert shown["notifications"] == listed["notifications"]
        return str(shown["notifications"])

    async def rings() -> dict[str, bool]:
        keys = [(UserId(user.id), ConversationId(key)) for user in (ada, bob, cat)]
        silencing = await server.services.conversations.settings.find_silencing(keys)
        now = server.clock.now()
        return {
            user_id: policy.rings(
                silencing.get((user_id, k), DEFAULT_SETTINGS), now, is_silent=False
            )
            for user_id, k in keys
        }

    assert await level() == "all"
    for _ in range(2):  # the second time, nothing changes
        assert (await bob.patch(one, {"notifications": "none"})).body["notifications"] == "none"
    events = [event for event in await ears.until_now() if "changed" in event]
    assert [event["changed"] for event in events if event["type"] == "conversation.updated"] == [
        {"notifications": "none"}
    ]
    assert await level() == "none"
    # Another device learns of it, and the message counts.
    [changed] = (await bob.get(f"/v1/sync?since={token}")).items
    assert changed["notifications"] == "none"
    await a_post(ada, path)
    assert (await bob.get("/v1/unread")).body["total"] == 1
    assert (await bob.get(one)).body["muted"] is False
    until = rfc3339(server.clock.now() + timedelta(minutes=30))
    await cat.patch(one, {"muted_until": until})
    assert await rings() == {ada.id: True, bob.id: False, cat.id: False}
    server.clock.move(seconds=1801)
    # A mute is beside the level, and neither changes the other.
    await bob.patch(one, {"muted": True, "notifications": "all"})
    assert await level() == "all"
    assert await rings() == {ada.id: True, bob.id: False, cat.id: True}
    assert (await bob.patch(one, {"muted": False})).body["notifications"] == "all"
    assert await rings() == {ada.id: True, bob.id: True, cat.id: True}
    for bad in ("mentions", "", None, True):
        assert (await bob.patch(one, {"notifications": bad})).refusal == (400, "invalid_request")
    # Leaving ends all settings.
    await bob.patch(one, {"notifications": "none"})
    await bob.delete(f"{path}/subscription")
    await bob.put(f"{path}/subscription")
    assert await level() == "all"


def test_a_silent_message_rings_for_nobody_and_a_level_of_a_newer_version_rings() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert policy.rings(DEFAULT_SETTINGS, now, is_silent=False)
    assert not policy.rings(DEFAULT_SETTINGS, now, is_silent=True)
    newer = ConversationSettings(notifications=NotificationLevel("mentions"))
    assert policy.rings(newer, now, is_silent=False)


async def test_a_mute_ends_in_the_future_and_not_too_late(api: OpenApi) -> None:
    server = await api()
    clock = server.clock
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    one = f"/v1/conversations/{part(conversation_of(path))}"
    for ahead, is_ok in (
        (timedelta(seconds=-1), False),
        (timedelta(minutes=1), True),
        (timedelta(days=366), True),
        (timedelta(days=366, minutes=1), False),
    ):
        answer = await bob.patch(one, {"muted_until": rfc3339(clock.now() + ahead)})
        assert (answer.status == 200) is is_ok, answer
        if not is_ok:
            assert answer.refusal == (400, "bad_muted_until")
            assert set(answer.body["details"]) == {"now", "latest"}
    for text in ("tomorrow", "2030-01-01T09:00:00"):
        assert (await bob.patch(one, {"muted_until": text})).refusal[1] == "invalid_request"
