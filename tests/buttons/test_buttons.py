"""Buttons over HTTP and the socket: who may write and press them, what is counted, what is sent, edits and forwards."""

import asyncio
from typing import Any, Final

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from tests.api import Api, User, a_channel, a_chat_group, conversation_of, group_path, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK: Final = {"text": "Site", "kind": "link", "url": "https://example.org/tea"}
REPLY: Final = {"text": "Call me", "kind": "reply", "reply": "Please call me"}
EVENT: Final = {"text": "Order tea", "kind": "event", "data": "tea:1"}
FORM: Final = {"text": "Form", "kind": "form", "form": "order"}
ROWS: Final = [[EVENT, REPLY], [LINK], [FORM]]


def with_buttons(*rows: list[dict[str, Any]], text: str = "Tea?") -> dict[str, Any]:
    return {"kind": "text", "text": text, "buttons": list(rows or ROWS)}


async def post_with_buttons(writer: User, channel: str, *rows: list[dict[str, Any]]) -> str:
    """Post buttons; returns the path of the post."""
    answer = await writer.post(f"{channel}/posts", with_buttons(*rows))
    assert answer.status == 201, answer
    return f"{channel}/posts/{answer.body['seq']}"


async def press(user: User, message: str, index: int = 0, query: str = "") -> Any:
    answer = await user.put(f"{message}/buttons/{index}/press{query}")
    assert answer.status == 200, answer
    return answer.body


async def read(user: User, message: str) -> list[list[dict[str, Any]]]:
    """The buttons as the user reads them: alone, and the same on a page."""
    alone = (await user.get(message)).body["buttons"]
    calls, _, seq = message.rpartition("/")
    [page] = (await user.get(f"{calls}?before_seq={int(seq) + 1}&limit=1")).items
    assert page["buttons"] == alone
    rows: list[list[dict[str, Any]]] = alone
    return rows


def presses(rows: list[list[dict[str, Any]]]) -> list[int | None]:
    return [button["presses"] for row in rows for button in row]


def pressed(rows: list[list[dict[str, Any]]]) -> list[bool]:
    return [button["pressed"] for row in rows for button in row]


async def thread_of(api: Api, owner: User, channel: str, user: User) -> list[dict[str, Any]]:
    items = (await owner.get(f"{channel}/inbox/{part(user.id)}/messages")).items
    return [item for item in items if not item["from_channel"]]


async def test_presses_under_a_post_count_once_a_user_and_each_sees_their_own(
    shared_api: Api,
) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(ada, bob, cy)
    post = await post_with_buttons(ada, channel)
    assert presses(await read(bob, post)) == [0, 0, None, None]
    answers = await asyncio.gather(*(press(user, post) for user in (bob, cy) for _ in range(4)))
    assert {answer["message_seq"] for answer in answers} == {None}
    await ada.put(f"{post}/reactions/{part('👍')}")
    for user, own in ((bob, True), (cy, True), (ada, False)):
        rows = await read(user, post)
        assert presses(rows) == [2, 0, None, None]
        assert pressed(rows) == [own, False, False, False]
    shown = (await bob.get(f"{group_path(channel)}/messages/1")).body["buttons"]
    assert presses(shown) == [2, 0, None, None]
    [row] = shown[1:2]
    assert row[0] | {"presses": None} == {
        **LINK,
        **dict.fromkeys(["reply", "data", "form", "presses"]),
        "pressed": False,
    }
    outcomes = await verify(
        shared_api.services.database, Limits(), console=Console(quiet=True), repair=False
    )
    assert all(outcome.is_clean for outcome in outcomes)


async def test_a_reply_is_sent_once_as_the_users_own_message(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob, settings={"accept_messages": "subscribers"})
    post = await post_with_buttons(ada, channel)
    answers = await asyncio.gather(*(press(bob, post, 1) for _ in range(4)))
    assert {answer["message_seq"] for answer in answers} == {1}
    [sent] = await thread_of(shared_api, ada, channel, bob)
    assert (sent["text"], sent["sender_id"]) == ("Please call me", bob.id)
    # The same press counts in the thread of the inbox, where the answer has buttons too.
    inbox = f"{channel}/inbox/{part(bob.id)}/messages"
    answered = await ada.post(inbox, with_buttons([EVENT, REPLY]))
    assert answered.status == 201, answered
    message = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages/{answered.body['seq']}"
    again = await press(bob, message, 1)
    assert again["message_seq"] == 3
    assert pressed(again["buttons"]) == [False, True]
    assert presses(await read(bob, message)) == [0, 1]
    assert presses((await ada.get(inbox)).items[1]["buttons"]) == [0, 1]


async def test_a_reply_that_the_channel_does_not_accept_is_not_counted(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    post = await post_with_buttons(ada, channel)
    refused = await ada.patch(channel, {"settings": {"accept_messages": "nobody"}})
    assert refused.status == 200, refused
    assert (await bob.put(f"{post}/buttons/1/press")).status == 403
    assert presses(await read(bob, post)) == [0, 0, None, None]


async def test_staff_and_back_ends_receive_each_first_press_with_its_data(shared_api: Api) -> None:
    ada, bob, cy, admin = (shared_api.new_user() for _ in range(4))
    channel = await a_channel(ada, bob, cy, admins=(admin,))
    post = await post_with_buttons(ada, channel)
    staff, watcher, device = await ada.socket(), await cy.socket(), await bob.socket()
    await watcher.tell(type="watch", conversation_id=conversation_of(channel))
    await watcher.answer()
    await press(bob, post)
    heard = await staff.hear("button.pressed")
    assert {
        name: heard[name] for name in ("user_id", "place", "seq", "button", "text", "data")
    } == {
        "user_id": bob.id,
        "place": "post",
        "seq": 1,
        "button": 0,
        "text": "Order tea",
        "data": "tea:1",
    }
    told = await watcher.hear("buttons.changed")
    assert (told["seq"], told["presses"]) == (1, [1, 0, None, None])
    assert bob.id not in str(told)
    assert (await device.hear("buttons.changed"))["pressed"] == [0]
    # A repeat announces nothing, and a reply is a message, not a press with data.
    await press(bob, post)
    await press(bob, post, 1)
    types = [event["type"] for event in await staff.until_now()]
    assert types.count("button.pressed") == 0
    assert types.count("message.posted") == 1
    # Those who watch now get the counts as they are.
    late = await bob.socket()
    await late.tell(type="watch", conversation_id=conversation_of(channel))
    [watched] = (await late.answer())["conversations"]
    assert watched["buttons"] == [{"seq": 1, "presses": [1, 1, None, None], "pressed": [0, 1]}]
    # Under a one-to-one message the staff receive it in the same way.
    sent = await ada.post(f"{channel}/inbox/{part(bob.id)}/messages", with_buttons([EVENT]))
    message = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages/{sent.body['seq']}"
    await press(bob, message)
    heard = await staff.hear("button.pressed")
    assert (heard["place"], heard["seq"]) == ("message", sent.body["seq"])
    own = await device.hear("buttons.changed", conversation_id=f"c2c_{id_of(channel)}")
    assert (own["presses"], own["pressed"]) == ([1], [0])
    query = f"after=start&channel_id={part(id_of(channel))}&types=button.pressed"
    found: list[dict[str, Any]] = []
    while len(found) < 2:  # the sequencer is a moment behind
        found = (await ada.get(f"/v1/events?{query}")).items
    assert [(event["place"], event["user_id"]) for event in found] == [
        ("post", bob.id),
        ("message", bob.id),
    ]


@pytest.mark.parametrize(
    ("index", "query", "refusal"),
    [
        (2, "", (409, "nothing_to_press")),
        (3, "", (409, "nothing_to_press")),
        (4, "", (404, "button_not_found")),
        (0, "?text=Order%20cake", (409, "button_changed")),
        (0, "?text=Order%20tea", None),
        (-1, "", (400, "invalid_request")),
    ],
)
async def test_what_cannot_be_pressed_is_refused(
    shared_api: Api, index: int, query: str, refusal: tuple[int, str] | None
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    post = await post_with_buttons(ada, channel)
    answer = await bob.put(f"{post}/buttons/{index}/press{query}")
    assert (answer.refusal if refusal else answer.status) == (refusal or 200)


async def test_members_press_and_nobody_else(shared_api: Api) -> None:
    ada, bob, stranger = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(ada, bob)
    post = await post_with_buttons(ada, channel)
    assert (await stranger.put(f"{post}/buttons/0/press")).refusal == (403, "permission_denied")
    await press(bob, post)
    await ada.delete(post)
    assert (await bob.put(f"{post}/buttons/0/press")).refusal == (409, "message_recalled")
    assert (await bob.get(post)).body["buttons"] is None
    own = await bob.post(
        f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages",
        {"kind": "text", "text": "Hi"},
    )
    message = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages/{own.body['seq']}"
    assert (await bob.put(f"{message}/buttons/0/press")).refusal == (404, "button_not_found")


async def test_counts_follow_a_button_through_edits_and_begin_anew_where_it_changed(
    shared_api: Api,
) -> None:
    ada, bob, cy = (shared_api.new_user() for _ in range(3))
    channel = await a_channel(ada, bob, cy)
    post = await post_with_buttons(ada, channel, [EVENT, REPLY])
    for user in (bob, cy):
        await press(user, post)
    moved = {"text": "New", "kind": "event", "data": "new"}
    edited = await ada.patch(post, with_buttons([moved], [REPLY, EVENT]))
    assert edited.status == 200, edited
    assert presses(await read(bob, post)) == [0, 0, 2]
    assert pressed(await read(bob, post)) == [False, False, True]
    await ada.patch(post, with_buttons([{**EVENT, "data": "tea:2"}]))
    assert presses(await read(bob, post)) == [0]
    await ada.patch(post, with_buttons([EVENT]))
    assert presses(await read(bob, post)) == [2]


async def test_buttons_stand_in_channels_only_and_forwards_keep_their_links(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    refused = (403, "buttons_not_allowed")
    assert (await ada.post(f"{group}/messages", with_buttons())).refusal == refused
    dialogue = f"/v1/conversations/{part('c2c_' + bob.id)}/messages"
    assert (await ada.post(dialogue, with_buttons())).refusal == refused
    plain = await ada.post(dialogue, {"kind": "text", "text": "Hi"})
    assert (await ada.patch(f"{dialogue}/{plain.body['seq']}", with_buttons())).refusal == refused
    said = await ada.post(f"{group}/messages", {"kind": "text", "text": "Hi"})
    assert (
        await ada.patch(f"{group}/messages/{said.body['seq']}", with_buttons())
    ).refusal == refused
    await post_with_buttons(ada, channel)
    forward = {"forward": {"channel_id": id_of(channel), "seq": 1}}
    for calls in (f"{group}/messages", f"/v1/conversations/{part('c2c_' + ada.id)}/messages"):
        copied = await bob.post(calls, forward)
        assert [[each["text"] for each in row] for row in copied.body["buttons"]] == [["Site"]]
    # A draft keeps them all, and so does its post.
    draft = (await ada.post(f"{channel}/drafts", {"post": with_buttons()})).body
    assert presses(draft["post"]["buttons"]) == [None] * 4
    published = await ada.post(f"{channel}/drafts/{draft['draft_id']}/publish")
    assert presses(published.body["buttons"]) == [0, 0, None, None]
    preview = await ada.post(f"{channel}/posts/preview", with_buttons())
    assert presses(preview.body["buttons"]) == [0, 0, None, None]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([[EVENT, REPLY, LINK]] + [[{**EVENT, "data": str(n)}] for n in range(4)], None),
        ([[EVENT, REPLY, LINK, FORM]], "invalid_request"),
        ([[{**EVENT, "data": str(n)}] for n in range(6)], "invalid_request"),
        ([[EVENT], [EVENT]], "invalid_request"),
        ([[]], "invalid_request"),
        ([[{**EVENT, "text": "é" * 20}]], None),
        ([[{**EVENT, "text": "é" * 20 + "a"}]], "field_too_long"),
        ([[{**EVENT, "data": "d" * 256}]], None),
        ([[{**EVENT, "data": "d" * 257}]], "field_too_long"),
        ([[{**REPLY, "reply": " "}]], "invalid_request"),
        ([[{**LINK, "url": "javascript:alert(1)"}]], "invalid_request"),
        ([[{**EVENT, "url": "https://example.org"}]], "invalid_request"),
        ([[{"text": "Nothing", "kind": "event"}]], "invalid_request"),
        ([[{**FORM, "form": "No Name"}]], "invalid_request"),
    ],
)
async def test_buttons_are_bounded(
    shared_api: Api, rows: list[list[dict[str, Any]]], code: str | None
) -> None:
    ada = shared_api.new_user("bounds")
    channel = await a_channel(ada)
    answer = await ada.post(f"{channel}/posts", with_buttons(*rows))
    assert (answer.body.get("code"), answer.status) == (code, 400 if code else 201)


async def test_a_poll_has_no_buttons(shared_api: Api) -> None:
    ada = shared_api.new_user()
    channel = await a_channel(ada)
    poll = {"kind": "poll", "poll": {"question": "Tea?", "options": ["Yes", "No"]}}
    assert (await ada.post(f"{channel}/posts", poll)).status == 201
    refused = await ada.post(f"{channel}/posts", {**poll, "buttons": ROWS})
    assert refused.refusal == (400, "invalid_request")


async def test_buttons_are_found_by_their_words(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    channel = await a_channel(ada, bob)
    await post_with_buttons(ada, channel, [{**EVENT, "text": "Zinnoberrot"}])
    [found] = (await bob.get("/v1/search/messages?q=zinnoberrot")).items
    assert found["message"]["buttons"][0][0]["text"] == "Zinnoberrot"
