"""One-to-one messages between users, over HTTP and the socket."""

import asyncio
from typing import Any

import pytest

from tests.api import Api, User, all_pages, fresh, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNSEEN = {"total": 0, "channels": 0, "chats": 0, "conversation_groups": {}}


def with_(peer: User | str) -> str:
    """The conversation with somebody, as a path."""
    return f"/v1/conversations/{part(f'c2c_{peer if isinstance(peer, str) else peer.id}')}"


async def say(
    user: User, peer: User | str, text: str = "Hello", *, idempotency_key: str | None = None
) -> dict[str, Any]:
    """What the user is answered for writing this to somebody."""
    said = await user.post(
        f"{with_(peer)}/messages", {"kind": "text", "text": text}, idempotency_key=idempotency_key
    )
    assert said.status == 201, said
    body = said.body
    assert isinstance(body, dict)
    return body


async def texts(user: User, peer: User | str) -> list[str]:
    return [item["text"] for item in (await user.get(f"{with_(peer)}/messages")).items]


def two(api: Api) -> tuple[User, User]:
    return api.new_user("ada"), api.new_user("bob")


async def test_both_sides_read_one_stream_with_unread_counts_of_their_own(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await ada.patch("/v1/users/me", {"name": "Ada L.", "face_url": "https://example.org/a.png"})
    first = await say(ada, bob, "Hi Bob")
    assert (first["conversation_id"], first["sender_id"]) == (f"c2c_{bob.id}", ada.id)
    assert (first["type"], first["seq"]) == ("message", 1)
    await say(ada, bob, "Are you there?")

    [shown] = (await bob.get("/v1/conversations")).items
    assert (shown["conversation_id"], shown["type"]) == (f"c2c_{ada.id}", "c2c")
    assert (shown["peer_id"], shown["group_id"], shown["is_channel"]) == (ada.id, None, False)
    assert (shown["title"], shown["face_url"]) == ("Ada L.", "https://example.org/a.png")
    assert (shown["unread_count"], shown["head_seq"], shown["read_seq"]) == (2, 2, 0)
    assert shown["last_message"]["preview"] == "Are you there?"
    assert shown["last_message"]["sender_id"] == ada.id
    assert (await bob.get("/v1/unread")).body == UNSEEN | {"total": 2, "chats": 2}
    # A user without a name is shown by id; writing marks as read.
    [own] = (await ada.get("/v1/conversations?type=c2c")).items
    assert (own["title"], own["unread_count"], own["read_seq"]) == (bob.id, 0, 2)

    read = await bob.post(f"{with_(ada)}/read", {"seq": 1})
    assert read.body == {"conversation_id": f"c2c_{ada.id}", "read_seq": 1, "unread_count": 1}
    await say(bob, ada, "Yes")
    assert (await bob.get("/v1/unread")).body == UNSEEN
    assert (await ada.get("/v1/unread")).body == UNSEEN | {"total": 1, "chats": 1}
    assert await texts(ada, bob) == await texts(bob, ada) == ["Yes", "Are you there?", "Hi Bob"]
    stored = shared_api.services.database.collection("messages")
    rows = await stored.find({"sender_id": {"$in": [ada.id, bob.id]}}).to_list(None)
    assert sorted(row["seq"] for row in rows) == [1, 2, 3]


async def test_a_dialogue_is_a_conversation_like_any_other(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await say(ada, bob)
    tea = await ada.post("/v1/groups", {"type": "community", "name": "Tea"})
    group = f"group_{tea.body['group_id']}"
    assert (await ada.get(with_(bob))).status == 200
    for peer in (bob, ada):
        assert (await peer.get(with_("nobody"))).refusal == (404, "conversation_not_found")
    changed = await bob.patch(
        with_(ada), {"pinned": True, "muted": True, "draft": "Dear", "custom_data": "x"}
    )
    assert (changed.body["draft"], changed.body["custom_data"]) == ("Dear", "x")
    assert (await bob.get("/v1/unread")).body == UNSEEN
    assert (await bob.get("/v1/unread?include_muted=true")).body["chats"] == 1
    filed = await bob.put("/v1/conversation-groups/Dear", {"conversation_ids": [f"c2c_{ada.id}"]})
    assert (filed.status, filed.body["conversation_count"]) == (201, 1)
    assert len((await bob.get("/v1/conversations?conversation_group=Dear")).items) == 1
    assert len((await bob.get("/v1/conversations?conversation_group=chats")).items) == 1
    assert (await bob.get("/v1/conversations?conversation_group=channels")).items == []
    assert (await bob.get("/v1/conversations?type=group")).items == []
    listed = (await ada.get("/v1/conversations")).items
    assert {c["conversation_id"] for c in listed} == {group, f"c2c_{bob.id}"}
    # Hidden until the next message.
    assert (await bob.delete(with_(ada))).status == 204
    assert (await bob.get("/v1/conversations")).items == []
    await say(ada, bob, "again")
    [shown] = (await bob.get("/v1/conversations?unread=true")).items
    assert (shown["unread_count"], shown["draft"], shown["conversation_groups"]) == (
        1,
        "",
        ["Dear"],
    )
    await bob.patch(with_(ada), {"muted": False})
    assert (await bob.get("/v1/unread")).body == {
        "total": 1,
        "channels": 0,
        "chats": 1,
        "conversation_groups": {"Dear": 1},
    }


async def test_reading_all_reads_only_the_scope(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await say(ada, bob)
    tea = await ada.post("/v1/groups", {"type": "community", "name": "Tea"})
    group = f"/v1/groups/{part(tea.body['group_id'])}"
    await bob.put(f"{group}/members/me")
    await ada.post(f"{group}/messages", {"kind": "text", "text": "all"})
    assert (await bob.get("/v1/unread")).body["chats"] == 2
    assert (await bob.post("/v1/read", {"scope": "c2c"})).body["chats"] == 1
    assert (await bob.get(with_(ada))).body["unread_count"] == 0
    await say(ada, bob)
    assert (await bob.post("/v1/read", {"scope": "group"})).body["chats"] == 1
    assert (await bob.post("/v1/read", {"scope": "chats"})).body == UNSEEN


async def test_every_device_of_both_sides_gets_each_event(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    eve = await shared_api.new_user("eve").socket()
    phone, laptop, desk = await bob.socket(), await bob.socket(), await ada.socket()
    await say(ada, bob, "one")
    for ears in (phone, laptop):
        heard = await ears.hear("message.posted", conversation_id=f"c2c_{ada.id}")
        assert (heard["seq"], heard["message"]["text"]) == (1, "one")
        assert heard["message"]["sender_id"] == ada.id
    own = await desk.hear("message.posted", conversation_id=f"c2c_{bob.id}")
    assert own["message"]["message_id"] == f"c2c_{bob.id}:1"
    read = await desk.hear("conversation.read", conversation_id=f"c2c_{bob.id}")
    assert (read["read_seq"], read["unread_count"]) == (1, 0)
    await ada.patch(f"{with_(bob)}/messages/1", {"kind": "text", "text": "One"})
    assert (await phone.hear("message.edited"))["message"]["text"] == "One"
    await ada.delete(f"{with_(bob)}/messages/1")
    recalled = (await phone.hear("message.recalled"))["message"]
    assert (recalled["text"], recalled["sender_id"], recalled["seq"]) == (None, None, 1)
    await bob.post(f"{with_(ada)}/read")
    for ears in (phone, laptop):
        assert (await ears.hear("conversation.read"))["conversation_id"] == f"c2c_{ada.id}"
    assert await eve.until_now() == []
    # Reading is published to the reader alone.
    assert [event["type"] for event in await desk.until_now()] == [
        "message.edited",
        "message.recalled",
    ]


@pytest.mark.asyncio(loop_scope="function")
async def test_an_event_reaches_the_other_side_in_another_process(api: OpenApi) -> None:
    one, other = await api(), await api()
    ada, bob = one.new_user("ada"), other.user_of(fresh("bob"))
    ears = await bob.socket()
    await say(ada, bob, "from afar")
    heard = await ears.hear("message.posted", conversation_id=f"c2c_{ada.id}")
    assert heard["message"]["text"] == "from afar"
    await say(bob, ada, "and back")
    assert await texts(ada, bob) == ["and back", "from afar"]


async def test_pages_go_both_ways(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    for number in range(1, 8):
        await say(*((ada, bob) if number % 2 else (bob, ada)), text=str(number))
    pages = await all_pages(bob, f"{with_(ada)}/messages", limit=3)
    assert [[m["seq"] for m in page] for page in pages] == [[7, 6, 5], [4, 3, 2], [1]]
    forward = await bob.get(f"{with_(ada)}/messages?after_seq=2&limit=2")
    assert [m["seq"] for m in forward.items] == [4, 3]
    assert (await bob.get(f"{with_(ada)}/messages?before_seq=2")).items[0]["seq"] == 1
    assert (await bob.get(f"{with_(ada)}/messages/4")).body["text"] == "4"
    assert (await bob.get(f"{with_(ada)}/messages/9")).refusal == (404, "message_not_found")
    assert (await bob.get(f"{with_('someone')}/messages")).items == []


async def test_repeats_with_one_key_make_one_message(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    first = await say(ada, bob, "once", idempotency_key="k")
    assert await say(ada, bob, "once", idempotency_key="k") == first
    again = await ada.post(
        f"{with_(bob)}/messages", {"kind": "text", "text": "other"}, idempotency_key="k"
    )
    assert again.refusal == (409, "idempotency_conflict")
    # The same key of the other side is another key.
    assert (await say(bob, ada, "once", idempotency_key="k"))["seq"] == 2
    assert len(await texts(ada, bob)) == 2


async def test_only_the_sender_edits_and_deletes_and_only_for_a_while(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await say(ada, bob)
    path, text = f"{with_(bob)}/messages/1", {"kind": "text", "text": "Better"}
    theirs = f"{with_(ada)}/messages/1"
    assert (await bob.patch(theirs, text)).refusal == (403, "permission_denied")
    assert (await bob.delete(theirs)).refusal == (403, "permission_denied")
    edited = await ada.patch(path, text)
    assert (edited.status, edited.body["text"]) == (200, "Better")
    assert edited.body["edited_at"] is not None
    assert (await ada.patch(path, text)).body == edited.body
    assert (await bob.get(with_(ada))).body["last_message"]["preview"] == "Better"
    assert (await ada.delete(path)).status == 204
    assert (await ada.delete(path)).status == 204
    assert (await ada.patch(path, text)).refusal == (409, "message_recalled")
    assert (await bob.get(with_(ada))).body["last_message"]["preview"] == ""
    await say(ada, bob)
    recall_seconds = shared_api.services.limits.recall_seconds
    shared_api.clock.move(seconds=recall_seconds + 1)
    ada = shared_api.user_of(ada.id)
    late = await ada.delete(f"{with_(bob)}/messages/2")
    assert late.refusal == (403, "recall_too_late")


async def test_several_dialogues_are_read_at_once_begun_or_not(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await say(ada, bob)
    tea = await ada.post("/v1/groups", {"type": "community", "name": "Tea"})
    group = f"group_{tea.body['group_id']}"
    ids = ["c2c_nobody", f"c2c_{bob.id}", "nothing", group, "group_none", "a\tb"]
    query = ",".join(part(each) for each in ids)
    await ada.patch(with_(bob), {"hidden": True, "draft": "Dear"})
    items = (await ada.get(f"/v1/conversations?ids={query}&unread=true")).items
    assert [item["conversation_id"] for item in items] == ids
    assert items[1] == (await ada.get(with_(bob))).body
    assert items[3] == (await ada.get(f"/v1/conversations/{part(group)}")).body
    alone = (await ada.get(with_("nobody"))).body
    error = {"code": "conversation_not_found", "detail": alone["detail"]}
    assert [items[place].get("error") for place in (0, 2, 4, 5)] == [error] * 4
    # Whose it is decides, not who knows the name.
    assert all("error" in item for item in (await bob.get(f"/v1/conversations?ids={query}")).items)
    query = ",".join(f"c2c_none{number}" for number in range(50))
    assert len((await ada.get(f"/v1/conversations?ids={query}")).items) == 50
    refused = await ada.get(f"/v1/conversations?ids={query},more")
    assert refused.refusal == (400, "invalid_request")


async def test_a_stranger_cannot_read_a_dialogue(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    eve = shared_api.new_user("eve")
    await say(ada, bob)
    assert (await eve.get(f"{with_(ada)}/messages")).items == []
    assert (await eve.get(with_(ada))).refusal == (404, "conversation_not_found")
    for method in ("GET", "DELETE"):
        gone = await eve.call(method, f"{with_(ada)}/messages/1")
        assert gone.refusal == (404, "message_not_found")
    # Not by the name of the stream either, which holds a control character.
    stream = f"/v1/conversations/{part(f'c2c_{ada.id}{chr(0x1E)}{bob.id}')}/messages"
    assert (await eve.get(stream)).status == 400
    root = shared_api.new_user("root", admin=True)
    assert (await root.get(f"{with_(ada)}/messages")).items == []


async def test_notes_to_oneself_are_never_unread(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ears = await ada.socket()
    await say(ada, ada, "milk")
    [shown] = (await ada.get("/v1/conversations")).items
    assert (shown["conversation_id"], shown["unread_count"]) == (f"c2c_{ada.id}", 0)
    heard = [event["type"] for event in await ears.until_now()]
    assert heard == ["message.posted", "conversation.read"]
    assert await texts(ada, ada) == ["milk"]


@pytest.mark.parametrize("peer", ["", ".", " x", "x" * 33, "@", "@TOA#_none", "@TGS#_none"])
async def test_an_id_that_cannot_be_the_other_side_is_not_found(shared_api: Api, peer: str) -> None:
    ada = shared_api.new_user("ada")
    for call in (
        ada.get(f"{with_(peer)}/messages"),
        ada.post(f"{with_(peer)}/messages", {"kind": "text", "text": "Hello"}),
        ada.get(with_(peer)),
        ada.post(f"{with_(peer)}/read"),
    ):
        assert (await call).refusal == (404, "conversation_not_found")


async def test_a_user_id_like_a_channels_has_no_dialogues(
    shared_api: Api,
) -> None:
    ada, fake = shared_api.new_user("ada"), shared_api.user_of(f"@TOA#_{fresh('f')}")
    refused = await fake.post(f"{with_(ada)}/messages", {"kind": "text", "text": "I am a channel"})
    assert refused.refusal == (404, "conversation_not_found")
    assert (await fake.get(f"{with_(ada)}/messages")).refusal == (404, "conversation_not_found")


async def test_a_dialogue_message_has_the_limits_of_any_message(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    limit = shared_api.services.limits.message_body_bytes
    assert (await say(ada, bob, "é" * (limit // 2)))["seq"] == 1
    long = await ada.post(
        f"{with_(bob)}/messages", {"kind": "text", "text": "é" * (limit // 2) + "x"}
    )
    assert (long.refusal, long.body["details"]["limit_bytes"]) == ((400, "field_too_long"), limit)
    place = {"kind": "location", "location": {"latitude": 1, "longitude": 2, "name": "Here"}}
    located = await ada.post(f"{with_(bob)}/messages", place)
    assert located.body["location"]["name"] == "Here"


async def test_an_upload_is_used_by_the_message_and_released_with_it(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    sent = await ada.call("POST", "/v1/media", data=b"some bytes of a file", headers={})
    assert sent.status == 201, sent
    media_id = sent.body["media_id"]
    body = {"kind": "file", "file": media_id}
    theirs = await bob.post(f"{with_(ada)}/messages", body)
    assert theirs.refusal == (404, "media_not_found")
    said = await ada.post(f"{with_(bob)}/messages", body)
    assert said.body["file"]["media_id"] == media_id
    media = shared_api.services.database.collection("media")

    async def uses() -> int:
        row = await media.find_one({"_id": media_id})
        assert row is not None
        return int(row["uses"])

    assert await uses() == 1
    assert (await bob.get(f"/v1/media/{media_id}")).status == 200
    assert (await ada.delete(f"{with_(bob)}/messages/1")).status == 204
    assert await uses() == 0


@pytest.mark.asyncio(loop_scope="function")
async def test_the_posting_rate_is_each_conversations_own(api: OpenApi) -> None:
    server = await api(posts_per_second=2)
    ada, bob, cat = server.new_user("ada"), server.new_user("bob"), server.new_user("cat")
    text = {"kind": "text", "text": "Hello"}
    answers = [await ada.post(f"{with_(bob)}/messages", text) for _ in range(2)]
    third = await ada.post(f"{with_(bob)}/messages", text)
    if third.status == 201:  # a second went by on a busy machine
        third = (await asyncio.gather(*(ada.post(f"{with_(bob)}/messages", text) for _ in "123")))[
            2
        ]
    assert [answer.status for answer in answers] == [201, 201]
    assert third.refusal == (429, "rate_limited")
    assert (await ada.post(f"{with_(cat)}/messages", text)).status == 201


@pytest.mark.asyncio(loop_scope="function")
async def test_edits_and_deletions_have_the_rates_of_a_group(api: OpenApi) -> None:
    # One a second: even a busy machine sends three in less than two.
    server = await api(posts_per_second=1)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    for number in range(3):
        server.clock.move(seconds=2)
        await say(ada, bob, f"m{number}")
    edits = [
        ada.patch(f"{with_(bob)}/messages/1", {"kind": "text", "text": f"edit {number}"})
        for number in range(6)
    ]
    statuses = {answer.status for answer in await asyncio.gather(*edits)}
    assert statuses == {200, 429}
    recalls = [ada.delete(f"{with_(bob)}/messages/{seq}") for seq in (1, 2, 3)]
    statuses = {answer.status for answer in await asyncio.gather(*recalls)}
    assert statuses == {204, 429}


# --- blocks -----------------------------------------------------------------------------------------------------------


async def test_a_blocked_user_cannot_write_and_does_not_learn_why(shared_api: Api) -> None:
    ada, bob = two(shared_api)
    await say(bob, ada, "before")
    ears, theirs = await ada.socket(), await bob.socket()
    blocked = await ada.put(f"/v1/blocks/{part(bob.id)}")
    assert (blocked.status, blocked.body["user_id"]) == (200, bob.id)
    assert (await ada.put(f"/v1/blocks/{part(bob.id)}")).body == blocked.body
    heard = await ears.until_now()
    assert [(e["type"], e["user_id"], e["blocked"]) for e in heard] == [
        ("block.changed", bob.id, True)
    ]
    text = {"kind": "text", "text": "Hello?"}
    refused = await bob.post(f"{with_(ada)}/messages", text)
    assert refused.refusal == (403, "messages_not_accepted")
    assert refused.body["details"] == {}
    assert (await bob.patch(f"{with_(ada)}/messages/1", text)).refusal[0] == 403
    assert (await ada.post(f"{with_(bob)}/messages", text)).refusal == (409, "peer_blocked")
    # Both keep the messages, and each can still delete their own.
    assert await texts(bob, ada) == await texts(ada, bob) == ["before"]
    assert await theirs.until_now() == []
    root = shared_api.new_user("root", admin=True)
    await ada.put(f"/v1/blocks/{part(root.id)}")
    await say(root, ada, "from the application")
    assert (await bob.delete(f"{with_(ada)}/messages/1")).status == 204
    assert (await ada.delete(f"/v1/blocks/{part(bob.id)}")).status == 204
    assert (await ada.delete(f"/v1/blocks/{part(bob.id)}")).status == 204
    assert (await say(bob, ada, "after"))["seq"] == 2


async def test_blocks_are_listed_by_page(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    wanted = sorted(["@TOA#_spam", *(fresh("x") for _ in range(4))])
    for peer in wanted:
        assert (await ada.put(f"/v1/blocks/{part(peer)}")).status == 200
    pages = await all_pages(ada, "/v1/blocks", limit=2)
    assert [[b["user_id"] for b in page] for page in pages] == [wanted[:2], wanted[2:4], wanted[4:]]
    assert (await ada.put(f"/v1/blocks/{part(ada.id)}")).refusal == (409, "cannot_block")
    assert (await shared_api.new_user("bob").get("/v1/blocks")).items == []


@pytest.mark.asyncio(loop_scope="function")
async def test_the_limit_of_blocks_holds_for_two_devices_at_once(api: OpenApi) -> None:
    servers = [await api(blocks_per_user=3) for _ in range(2)]
    ada = [server.user_of("ada") for server in servers]
    assert (await ada[0].put("/v1/blocks/x0")).status == 200
    answers = await asyncio.gather(*(ada[n % 2].put(f"/v1/blocks/x{n}") for n in range(1, 7)))
    assert sorted(answer.status for answer in answers) == [200, 200, 409, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.refusal == (409, "block_limit_reached")
    assert refused.body["details"] == {"limit": 3}
    assert len((await ada[0].get("/v1/blocks")).items) == 3
    assert (await ada[0].put("/v1/blocks/x0")).status == 200


@pytest.mark.asyncio(loop_scope="function")
async def test_a_user_at_the_limit_of_dialogues_cannot_begin_one(api: OpenApi) -> None:
    servers = [await api(dialogues_per_user=2) for _ in range(2)]
    ada = [server.user_of("ada") for server in servers]
    text = {"kind": "text", "text": "Hello"}
    await say(ada[0], "p0")
    answers = await asyncio.gather(
        *(ada[n % 2].post(f"{with_(f'p{n}')}/messages", text) for n in range(1, 5))
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused.refusal == (409, "dialogue_limit_reached")
    # Existing dialogues go on, and others may still begin one with this user.
    await say(ada[0], "p0")
    await say(servers[1].user_of("new"), "ada")
    assert len((await ada[1].get("/v1/conversations")).items) == 3


@pytest.mark.asyncio(loop_scope="function")
async def test_strangers_who_wait_for_an_answer_have_a_limit(api: OpenApi) -> None:
    servers = [await api(unanswered_per_user=2) for _ in range(2)]
    bob, text = servers[0].user_of("bob"), {"kind": "text", "text": "Hello"}

    async def tries(name: str, number: int = 0, *, admin: bool = False) -> tuple[int, str | None]:
        user = servers[number % 2].user_of(name, admin=admin)
        return (await user.post(f"{with_('bob')}/messages", text)).refusal

    refused = (409, "unanswered_limit_reached")
    answers = await asyncio.gather(*(tries(f"s{n}", n) for n in range(6)))
    assert sorted(status for status, _ in answers) == [201, 201, 409, 409, 409, 409]
    assert set(answers) == {(201, None), refused}
    first, second = (f"s{n}" for n, answer in enumerate(answers) if answer[0] == 201)
    # Strangers who wait go on writing; the user and the application get through.
    assert await tries(first) == (201, None)
    assert await tries("app", admin=True) == (201, None)
    await say(bob, "friend")
    await say(bob, "bob")
    assert await tries("late") == refused
    # The application waits like the others: two places are to be freed for one more to get in.
    await say(bob, first)
    assert await tries("late") == refused
    assert (await bob.delete(with_(second))).status == 204
    assert await tries("late") == (201, None)
    assert await tries("later") == refused
    # Deleted or answered it is for good: what is said there later takes no place.
    assert await tries(second) == await tries(first) == (201, None)
    await say(bob, "late")
    assert await tries("later") == (201, None)
    detail = await servers[0].user_of("last").post(f"{with_('bob')}/messages", text)
    assert detail.body["details"] == {"limit": 2}


# --- races ------------------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="function")
async def test_first_messages_of_both_sides_at_once_make_one_dense_stream(api: OpenApi) -> None:
    servers = [await api() for _ in range(2)]
    for _ in range(5):
        ada, bob = servers[0].new_user("ada"), servers[1].new_user("bob")
        said = await asyncio.gather(
            *(say(ada, bob, f"a{n}", idempotency_key=f"{n}") for n in range(4)),
            *(say(bob, ada, f"b{n}", idempotency_key=f"{n}") for n in range(4)),
        )
        assert sorted(message["seq"] for message in said) == list(range(1, 9))
        assert await texts(ada, bob) == await texts(bob, ada)
        for user, peer in ((ada, bob), (bob, ada)):
            shown = (await user.get(with_(peer))).body
            newest = max(m["seq"] for m in said if m["sender_id"] == user.id)
            assert (shown["head_seq"], shown["read_seq"]) == (8, newest)
            assert shown["unread_count"] == 8 - newest
