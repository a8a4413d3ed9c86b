"""The socket as a client meets it: who may open it, what it tells whom, and when it is closed."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any, Final, cast

import aiohttp
import pytest
from pymongo.errors import AutoReconnect

from channels.event_views.catalogue import EVENT_TYPES
from channels.server.metrics import Metrics
from channels.server.realtime.client_frames import NEWEST_POSTS, WATCHED_STREAMS
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.delivery import Skippable
from channels.server.realtime.frame_guard import FRAMES_PER_SECOND, REFUSED_FRAMES
from channels.server.realtime.session import BEHIND_CONVERSATIONS, SocketSession
from channels.server.realtime.socket import SocketServer
from channels.server.tokens import Claims
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from groups.store.members import MemberStore
from tests.api import (
    PATIENCE_SECONDS,
    Api,
    Ears,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

CLAIMS: Final = Claims(Actor(UserId("bob")), datetime.max.replace(tzinfo=UTC), None)
LIKE: Final = part("👍")


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


# --- who ------------------------------------------------------------------------------------------------------------


async def test_a_token_in_the_header_opens_it(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.connect()
    ready = await ears.frame()
    assert (ready["type"], ready["user_id"]) == ("ready", ada.id)
    assert ready["session_id"]
    await ears.close()


async def test_a_token_in_the_first_frame_opens_it(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.connect(with_token=False)
    await ears.tell(type="auth", token=ada.token)
    assert (await ears.frame())["type"] == "ready"
    await a_post(ada, await a_channel(ada))
    await ears.hear("message.posted")
    await ears.close()


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YTpi", ""])
async def test_a_bad_token_in_the_header_is_401_before_the_socket_opens(
    shared_api: Api, header: str
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await shared_api.http.ws_connect(
            shared_api.base + "/v1/socket", headers={"Authorization": header}
        )
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "first",
    [
        {"type": "auth", "token": "nonsense"},
        {"type": "auth"},
        {"type": "auth", "token": 7},
        {"type": "ping"},
        {"type": "watch", "conversation_id": "group_x"},
        {"type": "nothing"},
        [],
        "x" * 100,
    ],
)
async def test_a_bad_first_frame_gets_an_error_and_a_final_close(
    shared_api: Api, first: object
) -> None:
    ears = await shared_api.new_user().connect(with_token=False)
    await ears.socket.send_str(json.dumps(first))
    told = await ears.frame()
    assert (told["type"], told["code"]) == ("error", "unauthenticated")
    assert await ears.closed() == CloseCode.BAD_TOKEN


async def test_a_first_frame_that_is_no_text_closes_for_good(shared_api: Api) -> None:
    ears = await shared_api.new_user().connect(with_token=False)
    await ears.socket.send_bytes(b"\x00\x01")
    assert (await ears.frame())["type"] == "error"
    assert await ears.closed() == CloseCode.BAD_FRAME


@own_loop
async def test_a_socket_without_auth_in_time_is_closed_and_may_reconnect(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = vars(SocketServer)["__init__"].__kwdefaults__
    monkeypatch.setitem(defaults, "auth_seconds", 0.1)
    server = await api()
    ears = await server.new_user().connect(with_token=False)
    assert await ears.closed() == CloseCode.AUTH_TIMEOUT
    # Who said it in time has all the time there is.
    known = await server.new_user("ada").socket()
    silent = await server.new_user().connect(with_token=False)
    assert await silent.closed() == CloseCode.AUTH_TIMEOUT
    await known.tell(type="ping")
    assert (await known.frame())["type"] == "pong"


async def test_a_plain_request_gets_an_error_that_names_websocket(shared_api: Api) -> None:
    ada = shared_api.new_user()
    assert (await ada.get("/v1/socket")).refusal == (400, "invalid_request")
    assert (await ada.post("/v1/socket")).refusal == (405, "method_not_allowed")


# --- frames of the client -------------------------------------------------------------------------------------------


async def test_a_ping_is_answered(shared_api: Api) -> None:
    ears = await shared_api.new_user().socket()
    await ears.tell(type="ping")
    assert await ears.frame() == {"type": "pong"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "[]",
        "null",
        '{"type": "subscribe"}',
        '{"type": "ping", "more": 1}',
        '{"type": "watch"}',
        '{"type": "watch", "conversation_id": 7}',
        '{"type": "watch", "conversation_id": "\\ud800"}',
        "[" * 4000,
    ],
)
async def test_an_unknown_frame_gets_an_error_and_the_socket_stays_open(
    shared_api: Api, text: str
) -> None:
    ears = await shared_api.new_user().socket()
    await ears.socket.send_str(text)
    told = await ears.frame()
    assert (told["type"], told["code"]) == ("error", "invalid_request")
    assert told["detail"]
    await ears.tell(type="ping")
    assert await ears.frame() == {"type": "pong"}


async def test_a_binary_frame_closes_for_good(shared_api: Api) -> None:
    ears = await shared_api.new_user().socket()
    await ears.socket.send_bytes(b'{"type": "ping"}')
    assert await ears.closed() == CloseCode.BAD_FRAME


async def test_a_frame_too_large_closes_for_good(shared_api: Api) -> None:
    ears = await shared_api.new_user().socket()
    await ears.socket.send_str('{"type": "ping", "x": "' + "x" * 9000 + '"}')
    # The protocol has a word of its own for it, which the library says before we can.
    assert await ears.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


@pytest.mark.parametrize("frame_id", [7, 0, -(2**53) + 1, "", "7", "x" * 64])
async def test_every_answer_repeats_the_id_of_its_frame(
    shared_api: Api, frame_id: int | str
) -> None:
    ada = shared_api.new_user("ada")
    one = {"conversation_id": conversation_of(await a_channel(ada))}
    ears = await ada.connect(with_token=False)
    for frame, kind in (
        ({"type": "auth", "token": ada.token}, "ready"),
        ({"type": "ping"}, "pong"),
        ({"type": "watch", **one}, "watching"),
        ({"type": "watch", "conversation_id": "group_nothing"}, "error"),
        ({"type": "unwatch", **one}, "unwatched"),
        ({"type": "auth", "token": ada.token}, "renewed"),
        ({"type": "auth", "token": "nonsense"}, "error"),
        ({"type": "no such thing"}, "error"),
        ({"type": "ping", "more": 1}, "error"),
    ):
        await ears.tell(**frame, id=frame_id)
        told = await ears.answer()
        assert (told["type"], told.get("id")) == (kind, frame_id)
    await ears.close()


@pytest.mark.parametrize("frame_id", [1.5, True, None, [], {}, 2**53, "x" * 65])
async def test_an_id_that_is_no_id_is_refused_or_counts_as_none(
    shared_api: Api, frame_id: object
) -> None:
    ears = await shared_api.new_user().socket()
    await ears.tell(type="ping", id=frame_id)
    told = await ears.frame()
    if frame_id is None:
        assert told == {"type": "pong"}
    else:
        assert "id" not in told
        assert [one["field"] for one in told["details"]["errors"]] == ["id"] * len(
            told["details"]["errors"]
        )
    await ears.close()


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ({"type": "nothing"}, "frame"),
        ({}, "frame"),
        ({"type": "ping", "more": 1}, "more"),
        ({"type": "auth", "token": 7}, "token"),
        ({"type": "watch"}, "frame"),
        ({"type": "watch", "conversation_id": "a", "conversation_ids": ["a"]}, "frame"),
        ({"type": "watch", "conversation_id": 7}, "conversation_id"),
        ({"type": "watch", "conversation_id": "x" * 129}, "conversation_id"),
        ({"type": "watch", "conversation_ids": []}, "conversation_ids"),
        ({"type": "watch", "conversation_ids": ["a", 7]}, "conversation_ids.1"),
        ({"type": "watch", "conversation_ids": ["x"] * 101}, "conversation_ids"),
        ({"type": "watch", "conversation_ids": ["a"], "seqs": {"a": [0]}}, "seqs.a.0"),
        ({"type": "watch", "conversation_ids": ["a"], "seqs": {"a": [1] * 51}}, "seqs.a"),
        ({"type": "watch", "conversation_ids": ["a"], "seqs": {"b": [1]}}, "frame"),
        ({"type": "unwatch", "conversation_ids": ["a"], "seqs": {}}, "seqs"),
    ],
)
async def test_an_error_names_the_field(shared_api: Api, frame: dict[str, Any], field: str) -> None:
    ears = await shared_api.new_user().socket()
    await ears.tell(**frame)
    told = await ears.frame()
    assert told["code"] == "invalid_request"
    errors = told["details"]["errors"]
    assert errors[0]["field"] == field
    assert told["detail"] == errors[0]["reason"]
    await ears.close()


async def test_frames_beyond_the_rate_get_an_error_each_and_only_more_of_them_close_it(
    shared_api: Api,
) -> None:
    ears = await shared_api.new_user().socket()
    sent = FRAMES_PER_SECOND + REFUSED_FRAMES // 2
    for number in range(sent):
        await ears.tell(type="ping", id=number)
    answers = [await ears.frame() for _ in range(sent)]
    assert [answer["id"] for answer in answers] == list(range(sent))
    assert [answer["type"] for answer in answers[:FRAMES_PER_SECOND]] == [
        "pong"
    ] * FRAMES_PER_SECOND
    refused = answers[-1]
    assert (refused["type"], refused["code"]) == ("error", "rate_limited")
    assert refused["details"] == {"retry_after_seconds": refused["details"]["retry_after_seconds"]}
    # Who waits as long as it says is answered again.
    assert 0 < refused["retry_after_seconds"] <= 1
    await asyncio.sleep(refused["retry_after_seconds"])
    await ears.tell(type="ping", id="later")
    assert await ears.frame() == {"type": "pong", "id": "later"}
    for _ in range((FRAMES_PER_SECOND + REFUSED_FRAMES) * 3):
        await ears.tell(type="ping")
    told: dict[str, Any] = {}
    while (message := await ears.socket.receive()).type is aiohttp.WSMsgType.TEXT:
        told = json.loads(message.data)
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, CloseCode.FLOOD)
    assert (told["type"], told["code"]) == ("error", "rate_limited")


async def test_a_flood_of_frames_is_closed_and_a_burst_is_not(shared_api: Api) -> None:
    ears = await shared_api.new_user().socket()
    for _ in range(FRAMES_PER_SECOND):
        await ears.tell(type="ping")
    assert [await ears.frame() for _ in range(FRAMES_PER_SECOND)] == [
        {"type": "pong"}
    ] * FRAMES_PER_SECOND
    flood = await shared_api.new_user().socket()
    for _ in range(FRAMES_PER_SECOND * 10):
        try:
            await flood.tell(type="ping")
        except ConnectionError:  # closed already
            break
    assert await flood.closed() == CloseCode.FLOOD
    await ears.close()


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_every_type_of_event_arrives_without_any_subscription(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    ada_ears, bob_ears, cat_ears = [await user.socket() for user in (ada, bob, cat)]
    await an_important_post(ada, bob)
    await a_channel_s_life(ada, bob)
    await a_group_s_life(ada, bob, cat)
    await a_reader_s_life(ada, bob)
    await a_dialogue_s_life(ada, bob)
    await acts_against_abuse(shared_api.new_user("app", admin=True), ada, bob)
    heard = [*await ada_ears.until_now(), *await bob_ears.until_now(), *await cat_ears.until_now()]
    told = {event["type"] for event in heard}
    # Only to those who watch; once they were read, behind all others; where a receiver of webhooks fails; to back ends.
    assert set(EVENT_TYPES) - told == {
        "reactions.changed",
        "poll.changed",
        "buttons.changed",
        "button.pressed",
        "form.answered",
        "menu.selected",
        "comment.edited",
        "comment.recalled",
        "comment.reacted",
        "comments.counted",
        "inbox.unread",
        "unread.changed",
        "webhook.disabled",
        "report.opened",
        # In the background: tests/broadcasts.
        "broadcast.started",
        "broadcast.changed",
        "broadcast.ended",
        "user.deleted",
    }
    for event in heard:
        assert event["at"].endswith("Z")
    for ears in (ada_ears, bob_ears, cat_ears):
        await ears.close()


async def acts_against_abuse(app: User, ada: User, bob: User) -> None:
    path = await a_channel(ada, bob)
    for call in (f"{path}/suspension", f"/v1/users/{part(bob.id)}/restriction"):
        await app.put(call, {"mode": "readable"} if "suspension" in call else {})
        await app.delete(call)


async def an_important_post(ada: User, bob: User) -> None:
    path = await a_channel(ada, bob)
    asking = {"kind": "text", "text": "Read this", "acknowledge": True}
    post = f"{path}/posts/{(await ada.post(f'{path}/posts', asking)).body['seq']}"
    await ada.post(f"{post}/acknowledgements/reminder")
    await bob.put(f"{post}/acknowledgement")


async def a_channel_s_life(ada: User, bob: User) -> None:
    path = await a_channel(ada)
    await bob.put(f"{path}/subscription")
    await a_post(ada, path)
    await ada.patch(path, {"settings": {"comments": "subscribers"}})
    await bob.post(f"{path}/posts/1/comments", {"kind": "text", "text": "Well"})
    await ada.patch(f"{path}/posts/1", {"kind": "text", "text": "Better"})
    await ada.delete(f"{path}/posts/1")
    await ada.patch(path, {"name": "Evening News"})
    await ada.put(f"{path}/admins/{bob.id}")
    await bob.delete(f"{path}/subscription")
    await ada.post(f"{path}/invitations", {"user_id": bob.id})
    await bob.post(f"{path}/invitations/me", {"accept": False})
    await ada.post(f"{path}/invitations", {"user_id": bob.id})
    await ada.delete(path)


async def a_group_s_life(ada: User, bob: User, cat: User) -> None:
    path = await a_chat_group(ada, type="public")
    await bob.put(f"{path}/members/me", {"text": "May I?"})
    await ada.post(f"{path}/join-requests/{bob.id}", {"approve": True})
    await cat.put(f"{path}/members/me")
    await ada.post(f"{path}/join-requests/{cat.id}", {"approve": False})
    link = (await ada.post(f"{path}/invite-links", {})).body["code"]
    await cat.post(f"/v1/invite-links/{link}/join")
    await a_post(bob, path)
    await ada.patch(path, {"name": "Club"})
    await bob.delete(f"{path}/members/me")
    await ada.put(f"{path}/members/{bob.id}")  # who left by themselves is asked
    await bob.post(f"{path}/invitations/me", {"accept": False})
    await ada.delete(path)


async def a_reader_s_life(ada: User, bob: User) -> None:
    path = await a_channel(ada, bob)
    conversation = conversation_of(path)
    await a_post(ada, path)
    await bob.post(f"/v1/conversations/{part(conversation)}/read")
    await bob.patch(f"/v1/conversations/{part(conversation)}", {"pinned": True})
    await bob.put("/v1/conversation-groups/news")
    await bob.patch("/v1/conversation-groups/news", {"name": "papers"})
    await bob.post("/v1/conversation-groups/papers/conversations", {"add": [conversation]})
    await bob.delete("/v1/conversation-groups/papers")


async def a_dialogue_s_life(ada: User, bob: User) -> None:
    path = await a_channel(ada, bob)
    talk = f"/v1/conversations/{part('c2c_' + id_of(path))}"
    await bob.post(f"{talk}/messages", {"kind": "text", "text": "Open?"})
    await ada.post(f"{path}/inbox/{bob.id}/read")
    await ada.put(f"{path}/inbox/{bob.id}/tags", {"tags": ["refund"]})
    await bob.delete(f"{path}/subscription")
    await ada.delete(path)
    await bob.put(f"/v1/blocks/{ada.id}")


async def test_a_post_event_has_the_content_and_never_the_author(shared_api: Api) -> None:
    ada, adm, bob = (
        shared_api.new_user("ada"),
        shared_api.new_user("secret"),
        shared_api.new_user("bob"),
    )
    path = await a_channel(ada, bob, admins=(adm,))
    ears = await bob.socket()
    link = {"title": "More", "url": "https://example.org/tea", "description": None, "image": None}
    await adm.post(
        f"{path}/posts", {"kind": "text", "title": "T", "text": "Hello", "links": [link]}
    )
    await adm.patch(f"{path}/posts/1", {"kind": "text", "text": "Better"})
    await adm.delete(f"{path}/posts/1")
    await adm.patch(path, {"introduction": "All of it"})
    posted, edited, recalled, updated = await ears.until_now()
    assert kinds([posted, edited, recalled, updated]) == [
        "message.posted",
        "message.edited",
        "message.recalled",
        "channel.updated",
    ]
    assert (posted["channel_id"], posted["seq"]) == (id_of(path), 1)
    assert posted["stream_id"] == posted["conversation_id"] == conversation_of(path)
    assert (posted["post"]["text"], posted["post"]["links"]) == ("Hello", [link])
    assert edited["post"]["text"] == "Better"
    assert (recalled["post"]["text"], recalled["post"]["kind"]) == (None, None)
    assert recalled["post"]["recalled_at"]
    assert updated["changed"] == {"introduction": "All of it"}
    assert adm.id not in json.dumps([posted, edited, recalled, updated])
    await ears.close()


async def test_a_message_in_a_chat_group_names_its_sender(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada, bob)
    ears = await bob.socket()
    await a_post(ada, path)
    event = await ears.hear("message.posted", group_id=id_of(path), seq=1)
    assert event["message"]["sender_id"] == ada.id
    await ears.close()


async def test_a_stranger_receives_nothing_even_of_a_public_channel(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob)
    assert (await eve.get(f"{path}/posts")).status == 200
    bob_ears, eve_ears = await bob.socket(), await eve.socket()
    await a_post(ada, path)
    await ada.patch(path, {"name": "Other"})
    await ada.delete(path)
    assert len(await bob_ears.until_now()) == 3
    assert await eve_ears.until_now() == []


async def test_joining_starts_events_at_once_and_leaving_ends_them(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada)
    ears = await bob.socket()
    for text, change in (("one", bob.put), ("two", bob.delete), ("three", None)):
        await a_post(ada, path, text)
        if change is not None:
            await change(f"{path}/subscription")
    events = await ears.until_now()
    assert kinds(events) == ["channel.subscribed", "message.posted", "channel.unsubscribed"]
    assert events[1]["post"]["text"] == "two"
    await ears.close()


async def test_a_removed_or_banned_user_gets_the_reason_and_nothing_more(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    for user, query, reason in ((bob, "", "removed"), (cat, "?ban=true", "banned")):
        ears = await user.socket()
        await ada.delete(f"{path}/subscribers/{user.id}{query}")
        await a_post(ada, path)
        (event,) = await ears.until_now()
        assert (event["type"], event["reason"]) == ("channel.unsubscribed", reason)
        await ears.close()


async def test_subscribers_receive_no_events_about_each_other(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob)
    ears = await bob.socket()
    await cat.put(f"{path}/subscription")
    await ada.put(f"{path}/admins/{cat.id}")
    await cat.delete(f"{path}/subscription")
    assert await ears.until_now() == []
    await ears.close()


async def test_a_read_event_reaches_only_devices_of_its_user(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    await a_post(ada, path)
    phone, laptop, other = await bob.socket(), await bob.socket(), await cat.socket()
    conversation = conversation_of(path)
    await bob.post(f"/v1/conversations/{part(conversation)}/read", {"seq": 1})
    for ears in (phone, laptop):
        event = await ears.hear("conversation.read", conversation_id=conversation)
        assert (event["read_seq"], event["unread_count"]) == (1, 0)
    assert await other.until_now() == []
    for ears in (phone, laptop, other):
        await ears.close()


async def test_a_repeated_call_publishes_no_event(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    ada_ears, ears = await ada.socket(), await bob.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    assert (await ears.frame())["type"] == "watching"
    await bob.put(f"{path}/posts/1/reactions/{LIKE}")
    await bob.post(f"{conversation}/read", {"seq": 1})
    first = kinds(await ears.until_now())
    # The counts for those who watch, and the same with the user's own for their devices.
    assert sorted(first) == ["conversation.read", "reactions.changed", "reactions.changed"]
    await bob.put(f"{path}/subscription")
    await bob.put(f"{path}/posts/1/reactions/{LIKE}")
    await bob.post(f"{conversation}/read", {"seq": 1})
    await ada.patch(path, {"name": "News"})
    await bob.delete(f"{path}/posts/1/reactions/{part('❤️')}")
    assert await ears.until_now() == []
    assert await ada_ears.until_now() == []
    await ears.close()
    await ada_ears.close()


# --- watching -------------------------------------------------------------------------------------------------------


async def test_watchers_receive_merged_counts_and_the_newest_last(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    fans = [shared_api.new_user("fan") for _ in range(12)]
    path = await a_channel(ada, bob, *fans)
    await a_post(ada, path)
    ears, deaf = await bob.socket(), await ada.socket()
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    watched = {"conversation_id": conversation_of(path)}
    assert await ears.frame() == {
        "type": "watching",
        **watched,
        "conversations": [{**watched, "reactions": [], "complete": True}],
    }
    started = time.monotonic()
    for fan in fans:
        assert (await fan.put(f"{path}/posts/1/reactions/{LIKE}")).status == 200
    heard = [await ears.hear("reactions.changed")]
    while heard[-1]["total"] < len(fans):
        heard.append(await ears.hear("reactions.changed"))
    took = time.monotonic() - started
    assert len(heard) <= took / 0.5 + 2
    assert heard[-1]["counts"] == {"👍": len(fans)}
    assert heard[-1]["seq"] == 1
    assert "fan" not in json.dumps(heard)
    assert await deaf.until_now() == []
    await ears.tell(type="unwatch", conversation_id=conversation_of(path))
    assert await ears.frame() == {"type": "unwatched", "conversation_id": conversation_of(path)}
    await fans[0].delete(f"{path}/posts/1/reactions/{LIKE}")
    assert await ears.until_now() == []
    await ears.close()
    await deaf.close()


@pytest.mark.parametrize("is_channel", [True, False])
async def test_an_own_reaction_reaches_the_other_devices_without_a_watch(
    shared_api: Api, *, is_channel: bool
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await (a_channel if is_channel else a_chat_group)(ada, bob, cat)
    await a_post(ada, path)
    messages = f"{path}/{'posts' if is_channel else 'messages'}"
    phone, laptop, other = await bob.socket(), await bob.socket(), await cat.socket()
    fire = part("🔥")
    for call, emoji in ((bob.put, LIKE), (bob.put, fire), (bob.delete, fire), (bob.delete, LIKE)):
        assert (await call(f"{messages}/1/reactions/{emoji}")).status == 200
    # A channel allows one emoji, so the second one replaces the first, and the last call changes nothing.
    held = [["👍"], ["🔥"], []] if is_channel else [["👍"], ["👍", "🔥"], ["👍"], []]
    fence = await phone.fence()
    for ears in (phone, laptop):
        heard = [one for one in await ears.until(fence) if one["type"] == "reactions.changed"]
        assert [event["mine"] for event in heard] == held
        assert [event["total"] for event in heard] == [len(event["mine"]) for event in heard]
        where = "channel_id" if is_channel else "group_id"
        assert {(event["seq"], event[where]) for event in heard} == {(1, id_of(path))}
    assert await other.until_now() == []
    for ears in (phone, laptop, other):
        await ears.close()


async def test_watching_needs_the_right_to_read(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    secret = await a_channel(ada, bob, settings={"visibility": "private"})
    chat, news = await a_chat_group(ada, bob), await a_channel(ada, bob)
    ears = await eve.socket()
    for path, kind, code in (
        (secret, "error", "group_not_found"),
        (chat, "error", "permission_denied"),
        (news, "watching", None),
    ):
        await ears.tell(type="watch", conversation_id=conversation_of(path))
        told = await ears.frame()
        assert (told["type"], told.get("code")) == (kind, code)
        assert told["conversation_id"] == conversation_of(path)
    for none in ("c2c_bob", id_of(news), ""):
        await ears.tell(type="watch", conversation_id=none)
        assert (await ears.frame())["code"] == "conversation_not_found"
    await ears.close()


async def test_one_frame_watches_many_and_is_answered_with_the_counts_as_they_are(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    news, tea = await a_channel(ada, bob), await a_chat_group(ada, bob)
    secret = await a_chat_group(ada, type="work")
    for _ in range(2):
        await a_post(ada, news)
        await a_post(ada, tea)
    for user, path in (
        (ada, f"{news}/posts/1"),
        (bob, f"{news}/posts/2"),
        (bob, f"{tea}/messages/2"),
    ):
        assert (await user.put(f"{path}/reactions/{LIKE}")).status == 200
    names = [conversation_of(path) for path in (news, tea, secret)]
    ears = await bob.socket()
    await ears.tell(type="watch", id=1, conversation_ids=[*names, "c2c_ada", names[0]])
    told = await ears.frame()
    one = {"counts": {"👍": 1}, "total": 1}
    none = {"code": "conversation_not_found", "detail": "No such conversation", "details": {}}
    assert told == {
        "type": "watching",
        "id": 1,
        "conversation_ids": [*names, "c2c_ada"],
        "conversations": [
            {
                "conversation_id": names[0],
                "reactions": [{"seq": 2, **one, "mine": ["👍"]}, {"seq": 1, **one, "mine": []}],
                "complete": True,
            },
            {
                "conversation_id": names[1],
                "reactions": [{"seq": 2, **one, "mine": ["👍"]}],
                "complete": True,
            },
            {
                "conversation_id": names[2],
                "error": {"code": "group_not_found", "detail": "No such group", "details": {}},
            },
            {"conversation_id": "c2c_ada", "error": none},
        ],
    }
    for path in (f"{news}/posts/1", f"{tea}/messages/1"):
        await ada.delete(f"{path}/reactions/{LIKE}")
        await ada.put(f"{path}/reactions/{LIKE}")
        await ears.hear("reactions.changed", seq=1)
    await ears.tell(type="unwatch", conversation_ids=names)
    while (told := await ears.frame())["type"] == "event":
        pass
    assert told == {"type": "unwatched", "conversation_ids": names}
    await ada.delete(f"{news}/posts/1/reactions/{LIKE}")
    assert await ears.until_now() == []
    await ears.close()


async def test_a_watch_counts_the_posts_that_it_names_and_none_that_are_hidden(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada, type="work", history_visible=False)
    posts = NEWEST_POSTS + 2
    for _ in range(posts):
        await a_post(ada, path)
    for seq in (1, 2, 3, posts):
        assert (await ada.put(f"{path}/messages/{seq}/reactions/{LIKE}")).status == 200
    name = conversation_of(path)
    ears = await ada.socket()

    async def counted(**more: object) -> list[int]:
        await ears.tell(type="watch", conversation_ids=[name], **more)
        (watched,) = (await ears.frame())["conversations"]
        return [one["seq"] for one in watched["reactions"]]

    assert await counted() == [posts, 3]
    assert await counted(seqs={}) == [posts, 3]
    assert await counted(seqs={name: [1, 3, 7, 10_000]}) == [3, 1]
    assert await counted(seqs={name: []}) == []
    await ears.close()
    # The group hides what was written before its members joined.
    await ada.put(f"{path}/members/{bob.id}")
    ears = await bob.socket()
    assert await counted() == []
    assert await counted(seqs={name: [1, posts]}) == []
    await ears.close()


async def test_the_answer_of_a_watch_is_cut_and_says_so(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.realtime.watching.ANSWER_BYTES", 250)
    ada = shared_api.new_user("ada")
    paths = [await a_channel(ada), await a_channel(ada)]
    for path in paths:
        for seq in (1, 2):
            await a_post(ada, path)
            await ada.put(f"{path}/posts/{seq}/reactions/{LIKE}")
    ears = await ada.socket()
    await ears.tell(type="watch", conversation_ids=[conversation_of(path) for path in paths])
    first, second = (await ears.answer())["conversations"]
    assert ([one["seq"] for one in first["reactions"]], first["complete"]) == ([2, 1], True)
    assert (second["reactions"], second["complete"]) == ([], False)
    await ears.close()


async def test_a_session_watches_streams_up_to_the_limit(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert WATCHED_STREAMS >= 20
    monkeypatch.setattr("channels.server.realtime.watching.WATCHED_STREAMS", 2)
    ada = shared_api.new_user("ada")
    names = [conversation_of(await a_channel(ada)) for _ in range(3)]
    ears = await ada.socket()
    for name, kind in zip(
        (*names, names[0]), ["watching"] * 2 + ["error", "watching"], strict=True
    ):
        await ears.tell(type="watch", conversation_id=name)
        told = await ears.frame()
        assert told["type"] == kind
        if kind == "error":
            assert (told["code"], told["details"]) == ("watch_limit_reached", {"limit": 2})
    # Of several, those that fit are watched; one that is watched already takes no place.
    await ears.tell(type="unwatch", conversation_id=names[1])
    await ears.frame()
    await ears.tell(type="watch", conversation_ids=[names[0], names[1], names[2]])
    results = (await ears.frame())["conversations"]
    codes = [one.get("error", {}).get("code") for one in results]
    assert codes == [None, None, "watch_limit_reached"]
    await ears.close()


# --- slow readers ---------------------------------------------------------------------------------------------------


class StuckConnection(asyncio.Transport):
    """A socket and its connection, whose client does not read: whatever is written stays here."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed_with: int | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written))

    def is_closing(self) -> bool:
        return False

    async def close(self, *, code: int, message: bytes, drain: bool) -> None:  # type: ignore[override]  # the socket's
        self.closed_with = code


async def test_a_session_takes_as_many_bytes_as_may_wait_and_more_closes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, metrics = StuckConnection(), Metrics()
    session = SocketSession(stuck, stuck, CLAIMS, metrics)  # type: ignore[arg-type]  # a fake socket
    session.push(b"too early to be told")
    session.begin()
    monkeypatch.setattr(
        "channels.server.realtime.session.UNREAD_BYTES", stuck.get_write_buffer_size() + 10
    )
    for _ in range(2):
        session.push(b"10 bytes..")
    assert (
        len(stuck.written) == 3
    )  # `ready` and what may wait, up to the limit and the one that passes it
    assert b"channels_slow_sockets_total 0.0" in metrics.text()
    for _ in range(5):
        session.push(b"10 bytes..")
    await session.end()
    assert len(stuck.written) == 3
    assert stuck.closed_with == CloseCode.SLOW
    assert b"channels_slow_sockets_total 1.0" in metrics.text()


def a_stuck_session(monkeypatch: pytest.MonkeyPatch) -> tuple[StuckConnection, SocketSession]:
    """A session whose client has read nothing yet, and may leave 100 bytes unread before it misses something."""
    for name, value in {"SKIP_BYTES": 100, "CAUGHT_UP_BYTES": 10, "LOOK_SECONDS": 0.001}.items():
        monkeypatch.setattr(f"channels.server.realtime.session.{name}", value)
    stuck = StuckConnection()
    session = SocketSession(stuck, stuck, CLAIMS, Metrics())  # type: ignore[arg-type]  # a fake socket
    session.begin()
    stuck.written.clear()
    return stuck, session


async def test_a_slow_session_gets_one_behind_frame_a_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, session = a_stuck_session(monkeypatch)
    piece = b"x" * 50
    for seq in (1, 2, 3, 4):
        session.push(piece, Skippable("group_a", seq))
    session.push(piece, Skippable("group_b", None))
    session.push(piece, Skippable("group_a", None))
    session.push(b"mine")  # what is for this user alone is never left out
    assert stuck.written == [piece, piece, b"mine"]
    await asyncio.sleep(0.01)
    assert len(stuck.written) == 3
    stuck.written[:] = [b"mine"]
    # Still behind: a newer one must not come before the word of what is missing.
    session.push(piece, Skippable("group_a", 5))
    assert stuck.written == [b"mine"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(stuck.written) < 3:
            await asyncio.sleep(0.001)
    told = [json.loads(frame[2:]) for frame in stuck.written[1:]]
    assert told == [
        {"type": "behind", "conversation_id": "group_a", "head_seq": 5},
        {"type": "behind", "conversation_id": "group_b", "head_seq": None},
    ]
    stuck.written.clear()
    session.push(piece, Skippable("group_a", 6))
    assert stuck.written == [piece]
    assert stuck.closed_with is None
    await session.end()


async def test_a_huge_event_reaches_a_client_that_has_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, session = a_stuck_session(monkeypatch)
    session.push(b"x" * 101, Skippable("group_a", 1))
    assert stuck.get_write_buffer_size() == 101
    await session.end()


@pytest.mark.parametrize("reason", ["time", "conversations"])
async def test_a_session_that_does_not_catch_up_is_closed(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    stuck, session = a_stuck_session(monkeypatch)
    session.push(b"x" * 100, Skippable("group_a", 1))
    if reason == "time":
        monkeypatch.setattr("channels.server.realtime.session.BEHIND_SECONDS", 0.01)
        session.push(b"x", Skippable("group_a", 2))
    else:
        for number in range(BEHIND_CONVERSATIONS):
            session.push(b"x", Skippable(f"group_{number}", 1))
        await asyncio.sleep(0.01)
        assert stuck.closed_with is None
        session.push(b"x", Skippable("group_one_more", 1))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while stuck.closed_with is None:
            await asyncio.sleep(0.001)
    assert stuck.closed_with == CloseCode.SLOW
    assert len(stuck.written) == 1
    await session.end()


async def until(condition: Any) -> None:
    """Wait until the condition holds; fail when it takes too long."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)


def stop_reading(ears: Ears) -> Any:
    """Let the client's side of the connection fill up; the transport, to read on with."""
    connection = ears.socket._response.connection
    assert connection is not None
    # uvloop's transports do not inherit from asyncio's classes.
    transport = cast(asyncio.Transport, connection.transport)
    transport.pause_reading()
    return transport


@own_loop
async def test_a_slow_client_is_closed_and_others_receive_everything(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.realtime.session.UNREAD_BYTES", 100_000)
    server = await api()
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    slow, fast = await bob.socket(), await cat.socket()
    transport = stop_reading(slow)
    text, seq = "x" * 12_000, 0
    while b"channels_slow_sockets_total 1.0" not in server.services.metrics.text():
        seq += 1
        assert seq < 3000
        await a_post(ada, path, text)
        assert (await fast.hear("message.posted"))["seq"] == seq
    transport.resume_reading()
    assert await slow.closed() == CloseCode.SLOW
    # What he missed is there to be read.
    await a_post(ada, path)
    assert (await fast.hear("message.posted"))["seq"] == seq + 1
    assert len((await bob.get(f"{path}/posts?after_seq={seq - 5}")).items) == 6


@own_loop
@pytest.mark.parametrize("is_dialogue", [False, True], ids=["a channel", "one-to-one"])
async def test_a_client_that_falls_behind_keeps_its_socket(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, is_dialogue: bool
) -> None:
    monkeypatch.setattr("channels.server.realtime.session.SKIP_BYTES", 100_000)
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    if is_dialogue:
        conversation_id = f"c2c_{ada.id}"
        post, read = (
            f"/v1/conversations/c2c_{bob.id}/messages",
            f"/v1/conversations/c2c_{ada.id}/messages",
        )
    else:
        path = await a_channel(ada, bob)
        conversation_id = conversation_of(path)
        post = read = f"{path}/posts"
    slow = await bob.socket()
    (session,) = server.hub.sessions_of(UserId(bob.id))
    assert isinstance(session, SocketSession)
    transport, seq = stop_reading(slow), 0
    while len(session.skipped) == 0 or seq % 10:
        seq += 1
        assert seq < 5000
        assert (await ada.post(post, {"kind": "text", "text": "x" * 12_000})).status == 201
    # A post is acknowledged before its event is delivered: the last ones must be skipped too, not sent after `behind`.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while session.skipped.get(conversation_id) != seq:
            await asyncio.sleep(0.01)
    transport.resume_reading()
    heard = 0
    while (frame := await slow.frame())["type"] == "event":
        if frame["event"]["type"] == "message.posted":
            assert frame["event"]["seq"] == heard + 1
            heard += 1
    assert frame == {"type": "behind", "conversation_id": conversation_id, "head_seq": seq}
    missed = (await bob.get(f"{read}?after_seq={heard}&limit=100")).items
    assert [message["seq"] for message in missed] == list(range(seq, heard, -1))
    await ada.post(post, {"kind": "text", "text": "again"})
    assert (await slow.hear("message.posted"))["seq"] == seq + 1
    await slow.close()


@own_loop
async def test_a_client_that_never_reads_its_close_frame_is_cut_off(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.realtime.session.CLOSE_SECONDS", 0.2)
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    slow = await bob.socket()
    stop_reading(slow)
    server.hub.resync()

    async def is_gone() -> bool:
        return "channels_sockets 0.0" in (await ada.get("/metrics")).text

    await until(is_gone)


# --- endings --------------------------------------------------------------------------------------------------------


@own_loop
async def test_a_session_ends_with_its_token(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada", hours=1)
    server.clock.move(seconds=3597)
    ears = await ada.socket()
    assert await ears.closed() == CloseCode.TOKEN_EXPIRED


@own_loop
async def test_lost_events_send_everyone_away_to_compare(api: OpenApi) -> None:
    server = await api()
    ears = await server.new_user("ada").socket()
    server.hub.resync()
    assert await ears.closed() == CloseCode.RESYNC


@own_loop
async def test_a_server_that_stops_says_so_to_everyone(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    ears = [
        await ada.socket(),
        await server.new_user().socket(),
        await ada.connect(with_token=False),
    ]
    stopping = asyncio.create_task(server.stop())
    assert [await each.closed() for each in ears] == [CloseCode.GOING_AWAY] * 3
    await stopping


async def test_a_session_whose_groups_cannot_be_read_closes_for_resync(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise AutoReconnect("the primary is gone")

    monkeypatch.setattr(MemberStore, "list_group_ids", away)
    ears = await shared_api.new_user("ada").connect()
    assert await ears.closed() == CloseCode.RESYNC


async def test_a_client_that_goes_away_is_forgotten(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.socket()
    connection = ears.socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()

    async def is_forgotten() -> bool:
        return not shared_api.hub.sessions_of(UserId(ada.id))

    await until(is_forgotten)
    await a_post(ada, await a_channel(ada))


@own_loop
async def test_two_processes_on_one_database_deliver_each_other_s_posts(
    api: OpenApi, second_database: Database
) -> None:
    here, there = await api(), await api(database=second_database)
    ada_here, bob_here = here.new_user("ada"), here.new_user("bob")
    bob_there = there.user_of(bob_here.id)
    path = await a_channel(ada_here, bob_here)
    ears = await bob_there.socket()
    await a_post(ada_here, path)
    assert (await ears.hear("message.posted"))["seq"] == 1
    await a_post(there.user_of(ada_here.id), path)
    assert (await ears.hear("message.posted"))["seq"] == 2
    other = await a_channel(there.user_of(ada_here.id))
    await bob_here.put(f"{other}/subscription")
    await ears.hear("channel.subscribed", channel_id=id_of(other))
    await a_post(ada_here, other)
    await ears.hear("message.posted", channel_id=id_of(other))
    # What a process remembers of a channel it forgets when another changes it.
    assert (await bob_there.get(path)).body["organization"] == ""
    await ada_here.patch(path, {"organization": "City", "name": "Other"})
    await ears.hear("channel.updated", channel_id=id_of(path))
    changed = (await bob_there.get(path)).body
    assert (changed["organization"], changed["name"]) == ("City", "Other")
    await ada_here.delete(path)
    await ears.hear("channel.deleted", channel_id=id_of(path))
    assert (await bob_there.get(path)).refusal == (404, "channel_not_found")
