"""Forwarding: the copy, the origin that it names, and who may not forward."""

from typing import Any, Final

import pytest

from tests.api import (
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    group_path,
    id_of,
    join,
)
from tests.conftest import OpenApi
from tests.groups.test_media import an_image, load, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

HIDDEN: Final = dict.fromkeys(("channel_id", "group_id", "name", "seq", "message_id"))


def from_channel(path: str, seq: int = 1) -> dict[str, Any]:
    return {"forward": {"channel_id": id_of(path), "seq": seq}}


def from_group(path: str, seq: int = 1) -> dict[str, Any]:
    return {"forward": {"group_id": id_of(path), "seq": seq}}


def origin_of(path: str, name: str = "News", seq: int = 1) -> dict[str, Any]:
    return {
        "channel_id": id_of(path),
        "group_id": None,
        "name": name,
        "seq": seq,
        "message_id": f"{id_of(path)}:{seq}",
    }


async def test_a_forward_names_the_channel_and_never_the_author(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, name="News")
    chat = await a_chat_group(bob, cat)
    bare = {"description": None, "image": None}
    links = [{"title": "x", "url": "https://example.org", **bare}]
    said = {"kind": "text", "title": "T", "text": "Hi", "links": links, "custom": {"a": 1}}
    await ada.post(f"{path}/posts", said)
    ears = await cat.socket()
    copied = await bob.post(f"{chat}/messages", {**from_channel(path), "silent": True})
    assert copied.status == 201, copied
    assert copied.body == copied.body | said | {"silent": True, "sender_id": bob.id}
    assert copied.body["forwarded_from"] == origin_of(path)
    (event,) = await ears.until_now()
    assert event["message"]["forwarded_from"] == origin_of(path)
    shown = await cat.get(f"{chat}/messages")
    assert shown.items == [copied.body]
    assert ada.id not in shown.text
    # The copy does not depend on its source, and a copy of it still names the first origin.
    await ada.delete(f"{path}/posts/1")
    again = await cat.post(f"{chat}/messages", from_group(chat))
    assert (again.body["text"], again.body["forwarded_from"]) == ("Hi", origin_of(path))
    gone = await bob.post(f"{chat}/messages", from_channel(path))
    assert gone.refusal == (409, "message_recalled")
    conversation = await cat.get("/v1/conversations")
    assert conversation.items[0]["conversation_id"] == conversation_of(chat)


async def test_a_forward_into_a_channel_can_be_previewed(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path, other = await a_channel(bob, name="News"), await a_channel(ada, bob, name="Other")
    await a_post(bob, path, "Hi")
    preview = (await ada.post(f"{other}/posts/preview", from_channel(path))).body
    assert (await ada.get(other)).body["head_seq"] == 0
    posted = (await ada.post(f"{other}/posts", from_channel(path))).body
    assert posted["forwarded_from"] == preview["forwarded_from"] == origin_of(path)
    assert (posted["text"], posted["channel_name"]) == ("Hi", "Other")
    assert bob.id not in str((await ada.get(f"{other}/posts")).items)


async def test_a_forward_does_not_name_a_private_channel(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob, settings={"visibility": "private"})
    chat = await a_chat_group(bob, ada)
    other = await a_chat_group(bob)
    await a_post(ada, path, "Hi")
    copied = (await bob.post(f"{chat}/messages", from_channel(path))).body
    assert (copied["text"], copied["forwarded_from"]) == ("Hi", HIDDEN)
    again = (await bob.post(f"{other}/messages", from_group(chat))).body
    assert again["forwarded_from"] == HIDDEN
    plain = (await bob.post(f"{chat}/messages", {"kind": "text", "text": "Hi"})).body
    assert plain["forwarded_from"] is None
    of_chat = await a_post(bob, chat)
    third = (await bob.post(f"{other}/messages", from_group(chat, of_chat["seq"]))).body
    assert third["forwarded_from"]["group_id"] == id_of(chat)
    assert third["forwarded_from"]["channel_id"] is None


async def test_users_forward_only_what_they_may_read(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    private = await a_channel(ada, bob, settings={"visibility": "private"})
    group_chat = await a_chat_group(ada, bob)
    own = await a_channel(eve)
    mine = await a_chat_group(eve, bob)
    for place in (private, group_chat):
        await a_post(ada, place)
    # A new member sees no earlier messages here, and cannot forward them.
    late = shared_api.new_user("late")
    for place in (group_chat, mine):
        await join(late, f"{place}/members/me", f"{place}/members/{late.id}")
    for source in (from_channel(private), from_group(group_chat)):
        assert (await bob.post(f"{mine}/messages", source)).status == 201
    refusals = [
        (await eve.post(f"{mine}/messages", from_channel(private))).refusal,
        (await eve.post(f"{own}/posts", from_channel(private))).refusal,
        (await eve.post(f"{mine}/messages", from_group(group_chat))).refusal,
        (await late.post(f"{mine}/messages", from_group(group_chat))).refusal,
        (await bob.post(f"{mine}/messages", from_group(group_chat, 99))).refusal,
        (await eve.post(f"{group_chat}/messages", from_group(mine))).refusal,
        (await bob.post(f"{private}/posts", from_group(mine))).refusal,
    ]
    assert refusals == [
        (404, "group_not_found"),
        (404, "channel_not_found"),
        (403, "permission_denied"),
        (404, "message_not_found"),
        (404, "message_not_found"),
        (403, "posting_not_allowed"),
        (403, "posting_not_allowed"),
    ]


async def test_protected_content_cannot_be_forwarded(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    chat = await a_chat_group(bob, ada)
    await a_post(ada, path)
    for protected, answer in ((True, (403, "forwarding_not_allowed")), (False, (201, None))):
        await ada.patch(path, {"settings": {"protect_content": protected}})
        for user in (bob, ada):
            for source in (from_channel(path), from_group(group_path(path))):
                assert (await user.post(f"{chat}/messages", source)).refusal == answer
    assert (await ada.post(f"{path}/posts/preview", from_channel(path))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"forward": {"seq": 1}},
        {"forward": {"group_id": "a", "channel_id": "b", "seq": 1}},
        {"forward": {"group_id": "a"}},
        {"forward": {"group_id": "a", "seq": 0}},
        {"forward": {"group_id": "a", "seq": 1}, "kind": "text", "text": "x"},
        {"forward": {"group_id": "a", "seq": 1}, "text": "x"},
        {"silent": True},
        {},
    ],
)
async def test_a_forward_names_one_message_and_nothing_else(
    shared_api: Api, body: dict[str, Any]
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    await a_post(ada, path)
    assert (await ada.post(f"{path}/posts", from_channel(path))).status == 201
    assert (await ada.post(f"{path}/posts", body)).refusal == (400, "invalid_request")


async def test_a_forward_repeated_with_its_key_happens_once(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path, chat = await a_channel(ada), await a_chat_group(ada)
    await a_post(ada, path)
    await a_post(ada, path)

    async def send(seq: int) -> Any:
        body = from_channel(path, seq)
        return await ada.post(f"{chat}/messages", body, idempotency_key="k")

    first = await send(1)
    # The source may be gone by then.
    await ada.delete(f"{path}/posts/1")
    assert (await send(1)).body == first.body
    assert (await send(2)).refusal == (409, "idempotency_conflict")
    assert (await ada.get(f"{chat}/messages")).items == [first.body]


@own_loop
async def test_an_upload_is_kept_until_its_last_copy_is_deleted(api: OpenApi) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path, chat = await a_channel(ada, bob), await a_chat_group(bob)
    media = (await upload(ada, an_image())).body
    await ada.post(f"{path}/posts", {"kind": "image", "images": [media["media_id"]]})
    copied = await bob.post(f"{chat}/messages", from_channel(path))
    assert copied.body["images"][0]["media_id"] == media["media_id"]

    async def is_there(user: User) -> bool:
        clock.move(seconds=60)
        await server.services.chat.media.sweep()
        return (await load(user, media["url"]))[0] == 200

    await ada.delete(f"{path}/posts/1")
    assert await is_there(bob)
    await bob.delete(f"{chat}/messages/1")
    assert not await is_there(bob)


async def test_an_edited_forward_names_no_origin(shared_api: Api) -> None:
    ada, bob = (shared_api.new_user(name) for name in ("ada", "bob"))
    path = await a_channel(ada, bob, name="News")
    await a_post(ada, path, "Hi")
    own = await a_channel(bob, name="Echo")
    await bob.post(f"{own}/posts", from_channel(path))
    same = await bob.patch(f"{own}/posts/1", {"kind": "text", "text": "Hi"})
    assert same.body["forwarded_from"] == origin_of(path)
    edited = await bob.patch(f"{own}/posts/1", {"kind": "text", "text": "We resign"})
    assert edited.body["forwarded_from"] is None
    shown = await ada.get(f"{own}/posts")
    assert [post["forwarded_from"] for post in shown.items] == [None]
