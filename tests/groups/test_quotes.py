"""Quotes: a message that answers an earlier one of its conversation. And what previews of links hold."""

import io

import pytest
from PIL import Image

from tests.api import Api, User, a_channel, a_chat_group, id_of, join, part
from tests.groups.test_media import load, upload

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = {"kind": "text", "text": "Hello"}


def quoting(seq: int, text: str = "So I see") -> dict[str, object]:
    return {"kind": "text", "text": text, "quoted_seq": seq}


async def a_picture(user: User) -> str:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, "PNG")
    answer = await upload(user, file.getvalue())
    assert answer.status == 201, answer
    return str(answer.body["media_id"])


async def test_a_message_of_a_group_quotes_an_earlier_one_also_once_that_is_deleted(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada, bob)
    await ada.post(f"{path}/messages", HELLO)
    answer = await bob.post(f"{path}/messages", quoting(1), idempotency_key="once")
    assert (answer.status, answer.body["quoted_seq"]) == (201, 1)
    # A repeat is the same message; under its key, another quote is another message.
    assert (await bob.post(f"{path}/messages", quoting(1), idempotency_key="once")).body["seq"] == 2
    assert (await bob.post(f"{path}/messages", quoting(2), idempotency_key="once")).refusal == (
        409,
        "idempotency_conflict",
    )
    # An edit keeps it, a forward does not take it along.
    edited = await bob.patch(f"{path}/messages/2", {"kind": "text", "text": "I see"})
    assert edited.body["quoted_seq"] == 1
    forward = {"forward": {"group_id": id_of(path), "seq": 2}}
    assert (await bob.post(f"{path}/messages", forward)).body["quoted_seq"] is None
    # What is not there cannot be quoted, nor what is deleted.
    assert (await bob.post(f"{path}/messages", quoting(99))).refusal == (404, "message_not_found")
    assert (await bob.post(f"{path}/messages", quoting(4))).refusal == (404, "message_not_found")
    assert (await bob.post(f"{path}/messages", quoting(0))).refusal == (400, "invalid_request")
    await ada.delete(f"{path}/messages/1")
    assert (await bob.post(f"{path}/messages", quoting(1))).refusal == (409, "message_recalled")
    # The quote stays, and says only where it was.
    assert (await ada.get(f"{path}/messages/2")).body["quoted_seq"] == 1
    await bob.delete(f"{path}/messages/2")
    assert (await ada.get(f"{path}/messages/2")).body["quoted_seq"] is None


async def test_one_quotes_only_what_one_may_read_and_posts_quote_nothing(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada)
    await ada.patch(path, {"history_visible": False})
    await ada.post(f"{path}/messages", HELLO)
    await join(bob, f"{path}/members/me", f"{path}/members/{part(bob.id)}")
    await ada.post(f"{path}/messages", HELLO)
    assert (await bob.post(f"{path}/messages", quoting(1))).refusal == (404, "message_not_found")
    assert (await bob.post(f"{path}/messages", quoting(2))).status == 201
    channel = await a_channel(ada)
    await ada.post(f"{channel}/posts", HELLO)
    assert (await ada.post(f"{channel}/posts", quoting(1))).refusal == (400, "invalid_request")
    as_group = f"/v1/groups/{part(id_of(channel))}/messages"
    assert (await ada.post(as_group, quoting(1))).refusal == (400, "invalid_request")


async def test_one_to_one_messages_and_answers_of_a_channel_quote(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    with_bob, with_ada = (f"/v1/conversations/c2c_{part(user.id)}/messages" for user in (bob, ada))
    # Nothing can be quoted before there is a conversation.
    assert (await ada.post(with_bob, quoting(1))).refusal == (404, "message_not_found")
    await ada.post(with_bob, HELLO)
    assert (await bob.post(with_ada, quoting(1))).body["quoted_seq"] == 1
    assert [each["quoted_seq"] for each in (await ada.get(with_bob)).body["items"]] == [1, None]
    await ada.delete(f"{with_bob}/1")
    assert (await bob.post(with_ada, quoting(1))).refusal == (409, "message_recalled")
    channel = await a_channel(ada, bob, settings={"accept_messages": "subscribers"})
    await bob.post(f"/v1/conversations/c2c_{part(id_of(channel))}/messages", HELLO)
    thread = f"{channel}/inbox/{part(bob.id)}/messages"
    assert (await ada.post(thread, quoting(1))).body["quoted_seq"] == 1


async def test_a_link_has_a_description_and_a_picture_that_lives_with_its_message(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    own, of_link, of_bob = await a_picture(ada), await a_picture(ada), await a_picture(bob)
    plain = {"title": "Bread", "url": "https://example.org/bread"}
    link = {
        "title": "Tea",
        "url": "https://example.org/tea",
        "description": "A drink",
        "image": of_link,
    }
    body = {"kind": "text_and_image", "text": "Both", "images": [own], "links": [plain, link]}
    posted = await ada.post(f"{path}/posts", body)
    assert posted.status == 201, posted
    shown = (await bob.get(f"{path}/posts/1")).body
    assert [image["media_id"] for image in shown["images"]] == [own]
    assert shown["links"][0] == {**plain, "description": None, "image": None}
    assert shown["links"][1]["description"] == "A drink"
    assert shown["links"][1]["image"]["media_id"] == of_link
    assert shown["links"][1]["image"]["width"] == 40
    # A text may have the preview of a link and is still a text.
    text = await ada.post(f"{path}/posts", {"kind": "text", "text": "Tea", "links": [link]})
    assert (text.body["images"], text.body["links"][0]["image"]["media_id"]) == (None, of_link)
    drawn = await ada.post(
        f"{path}/posts/preview", {"kind": "text", "text": "Tea", "links": [link]}
    )
    assert drawn.body["links"] == text.body["links"]
    # Uploads of others, and what is no picture, are refused as they are elsewhere.
    for image, refusal in (
        (of_bob, (404, "media_not_found")),
        ("nothing", (404, "media_not_found")),
    ):
        refused = await ada.post(
            f"{path}/posts", {"kind": "text", "text": "x", "links": [{**plain, "image": image}]}
        )
        assert refused.refusal == refusal
    sheet = await upload(ada, b"a,b")
    wrong = {"kind": "text", "text": "x", "links": [{**plain, "image": sheet.body["media_id"]}]}
    assert (await ada.post(f"{path}/posts", wrong)).refusal == (400, "wrong_media_kind")
    # A forward carries it along, and it stays with the copy.
    group = await a_chat_group(bob)
    forward = {"forward": {"channel_id": id_of(path), "seq": 1}}
    copy = await bob.post(f"{group}/messages", forward)
    assert copy.body["links"] == shown["links"]
    # An edit without it lets it go; the other uses stay.
    edited = await ada.patch(f"{path}/posts/2", {"kind": "text", "text": "Tea", "links": [plain]})
    assert edited.body["links"][0]["image"] is None
    assert (await load(bob, f"/v1/media/{of_link}?size=thumb"))[0] == 200
