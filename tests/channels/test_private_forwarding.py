"""Forwarding into one-to-one messages, out of them, and into drafts: over HTTP and the socket."""

from typing import Any, Final

import pytest

from tests.api import Api, User, a_channel, a_chat_group, a_post, id_of, part
from tests.channels.test_forwarding import HIDDEN, from_channel, origin_of
from tests.groups.test_media import an_image, load, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT: Final = {"kind": "text", "text": "Hello"}


def id_with(peer: User | str) -> str:
    return f"c2c_{id_of(peer) if isinstance(peer, str) else peer.id}"


def with_(peer: User | str) -> str:
    """The conversation with a user or a channel, as a path."""
    return f"/v1/conversations/{part(id_with(peer))}"


def from_talk(peer: User | str, seq: int = 1) -> dict[str, Any]:
    return {"forward": {"conversation_id": id_with(peer), "seq": seq}}


def thread(channel: str, user: User) -> str:
    return f"{channel}/inbox/{part(user.id)}"


async def copied(
    user: User, path: str, body: dict[str, Any], *, idempotency_key: str | None = None
) -> Any:
    answer = await user.post(path, body, idempotency_key=idempotency_key)
    assert answer.status == 201, answer
    return answer.body


async def test_a_post_forwarded_to_a_user_names_its_channel(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, name="News")
    await a_post(ada, path, "Hi")
    ears = await cat.socket()
    body = {**from_channel(path), "silent": True}
    said = await copied(bob, f"{with_(cat)}/messages", body, idempotency_key="k")
    assert (said["text"], said["sender_id"], said["silent"]) == ("Hi", bob.id, True)
    assert said["forwarded_from"] == origin_of(path)
    heard = await ears.hear("message.posted")
    assert (heard["message"]["forwarded_from"], heard["message"]["silent"]) == (
        origin_of(path),
        True,
    )
    [shown] = (await cat.get(f"{with_(bob)}/messages")).items
    assert (shown["text"], shown["forwarded_from"]) == ("Hi", origin_of(path))
    assert ada.id not in str(shown)
    # A repeat with its key writes nothing, and another message cannot use the key.
    again = await copied(bob, f"{with_(cat)}/messages", body, idempotency_key="k")
    assert again == said
    other = await bob.post(f"{with_(cat)}/messages", from_channel(path), idempotency_key="k")
    assert other.refusal == (409, "idempotency_conflict")
    # Further copies keep the first origin, and the copy does not depend on its source.
    await ada.delete(f"{path}/posts/1")
    chat = await a_chat_group(cat)
    on = await copied(cat, f"{chat}/messages", from_talk(bob))
    assert (on["text"], on["forwarded_from"]) == ("Hi", origin_of(path))
    gone = await bob.post(f"{with_(cat)}/messages", from_channel(path))
    assert gone.refusal == (409, "message_recalled")
    await bob.delete(f"{with_(cat)}/messages/1")
    recalled = (await cat.get(f"{with_(bob)}/messages/1")).body
    assert (recalled["forwarded_from"], recalled["silent"]) == (None, False)
    await ears.close()


async def test_a_private_message_is_forwarded_without_a_name(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    await copied(ada, f"{with_(bob)}/messages", TEXT)
    path, chat = await a_channel(bob), await a_chat_group(bob)
    for place in (f"{chat}/messages", f"{with_(cat)}/messages", f"{path}/posts"):
        body = await copied(bob, place, from_talk(ada))
        assert (body["text"], body["forwarded_from"]) == ("Hello", HIDDEN)
        assert ada.id not in str(body)
    preview = await bob.post(f"{path}/posts/preview", from_talk(ada))
    assert preview.body["forwarded_from"] == HIDDEN
    # Each side names the conversation by the other side; nobody else can read it.
    own = await a_chat_group(ada)
    await copied(ada, f"{own}/messages", from_talk(bob))
    theirs = await a_chat_group(cat)
    for body in (from_talk(ada), from_talk(bob, 2)):
        refused = await cat.post(f"{theirs}/messages", body)
        assert refused.refusal == (404, "message_not_found")
    nobody = {"forward": {"conversation_id": f"group_{id_of(chat)}", "seq": 1}}
    assert (await bob.post(f"{chat}/messages", nobody)).refusal == (404, "message_not_found")
    two = {"forward": {"conversation_id": id_with(ada), "group_id": id_of(chat), "seq": 1}}
    assert (await bob.post(f"{chat}/messages", two)).refusal == (400, "invalid_request")
    await ada.delete(f"{with_(bob)}/messages/1")
    gone = await bob.post(f"{chat}/messages", from_talk(ada))
    assert gone.refusal == (409, "message_recalled")


async def test_protected_content_is_not_forwarded_in_private(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    await copied(bob, f"{with_(path)}/messages", {"kind": "text", "text": "asked"})
    await copied(ada, f"{thread(path, bob)}/messages", {"kind": "text", "text": "answered"})
    chat, own = await a_chat_group(bob), await a_channel(bob)
    places = (f"{chat}/messages", f"{with_(cat)}/messages", f"{own}/drafts")

    async def tried(place: str, body: dict[str, Any]) -> Any:
        return await bob.post(place, {"post": body} if place.endswith("/drafts") else body)

    for protects, refusal in ((True, (403, "forwarding_not_allowed")), (False, (201, None))):
        await ada.patch(path, {"settings": {"protect_content": protects}})
        for place in places:
            for body in (from_channel(path), from_talk(path, 2)):
                answer = await tried(place, body)
                assert answer.refusal == refusal
            # Users may forward their own question.
            assert (await tried(place, from_talk(path))).status == 201
    assert (
        await shared_api.new_user("eve").post(f"{with_(bob)}/messages", from_talk(path))
    ).refusal == (
        404,
        "message_not_found",
    )


async def test_an_admin_forwards_a_post_in_the_channel_s_name(shared_api: Api) -> None:
    ada, cat, bob = (shared_api.new_user(name) for name in ("ada", "cat", "bob"))
    path = await a_channel(ada, bob, admins=(cat,), name="News")
    await a_post(ada, path, "Hours")
    await copied(bob, f"{with_(path)}/messages", TEXT)
    answer = await copied(cat, f"{thread(path, bob)}/messages", from_channel(path))
    assert (answer["author_id"], answer["forwarded_from"]) == (cat.id, origin_of(path))
    shown = (await bob.get(f"{with_(path)}/messages/2")).body
    assert (shown["sender_id"], shown["text"]) == (id_of(path), "Hours")
    assert shown["forwarded_from"] == origin_of(path)
    # A forward fails as a message would.
    refused = await bob.post(f"{thread(path, bob)}/messages", from_channel(path))
    assert refused.refusal == (403, "permission_denied")
    await ada.patch(path, {"settings": {"accept_messages": "nobody"}})
    refused = await bob.post(f"{with_(path)}/messages", from_channel(path))
    assert refused.refusal == (403, "messages_not_accepted")


async def test_copies_keep_uploads_alive(shared_api: Api) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    media = (await upload(ada, an_image())).body

    async def uses() -> int:
        rows = shared_api.services.database.collection("media")
        row = await rows.find_one({"_id": media["media_id"]})
        return row["uses"] if row else -1

    await copied(ada, f"{with_(bob)}/messages", {"kind": "image", "images": [media["media_id"]]})
    chat = await a_chat_group(bob)
    await copied(bob, f"{with_(cat)}/messages", from_talk(ada))
    await copied(bob, f"{chat}/messages", from_talk(ada))
    assert await uses() == 3
    path = await a_channel(bob)
    draft = await copied(bob, f"{path}/drafts", {"post": from_talk(ada)})
    await ada.delete(f"{with_(bob)}/messages/1")
    await bob.delete(f"{with_(cat)}/messages/1")
    await bob.delete(f"{chat}/messages/1")
    assert (await load(cat, media["url"]))[0] == 200  # the draft still uses it
    assert await uses() == 1
    await bob.delete(f"{path}/drafts/{draft['draft_id']}")
    assert await uses() == 0


async def test_a_draft_may_be_a_forward_and_keeps_its_origin(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path, other = await a_channel(ada, bob, name="News"), await a_channel(bob, name="Other")
    await a_post(ada, path, "Hi")
    body = {"post": {**from_channel(path), "silent": True}}
    draft = await copied(bob, f"{other}/drafts", body, idempotency_key="k")
    post = draft["post"]
    assert (post["text"], post["silent"], post["forwarded_from"]) == ("Hi", True, origin_of(path))
    assert await copied(bob, f"{other}/drafts", body, idempotency_key="k") == draft
    differs = await bob.post(f"{other}/drafts", {"post": from_channel(path)}, idempotency_key="k")
    assert differs.refusal == (409, "idempotency_conflict")
    mixed = await bob.post(f"{other}/drafts", {"post": {**from_channel(path), "text": "x"}})
    assert mixed.refusal == (400, "invalid_request")
    none = await bob.post(f"{other}/drafts", {"post": from_channel(path, 7)})
    assert none.refusal == (404, "post_not_found")
    # The draft has a copy, so the source may be deleted.
    await ada.delete(f"{path}/posts/1")
    gone = await bob.post(f"{other}/drafts", {"post": from_channel(path)})
    assert gone.refusal == (409, "message_recalled")
    published = await bob.post(f"{other}/drafts/{draft['draft_id']}/publish")
    assert published.status == 201
    assert (published.body["text"], published.body["forwarded_from"]) == ("Hi", origin_of(path))
    # New text makes it the channel's own; a new forward names its own origin.
    await a_post(ada, path, "Ho")
    place = f"{other}/drafts/{(await copied(bob, f'{other}/drafts', {'post': TEXT}))['draft_id']}"
    changed = (await bob.patch(place, {"post": from_channel(path, 2)})).body["post"]
    assert (changed["text"], changed["forwarded_from"]) == ("Ho", origin_of(path, seq=2))
    changed = (await bob.patch(place, {"post": TEXT})).body["post"]
    assert (changed["text"], changed["forwarded_from"]) == ("Hello", None)
