"""A user with traces everywhere, and a search through all bytes of a database."""

import asyncio
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from PIL import Image

from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import Answer, Api, User, a_channel, a_chat_group, a_post, id_of, part

ORDER = {"title": "Order", "fields": [{"name": "size", "label": "Size"}]}


async def delete_user(caller: User, user: User, **more: Any) -> Answer:
    """Ask for the deletion of the user."""
    body = {"confirm": user.id, **more}
    return await caller.call("DELETE", f"/v1/users/{part(user.id)}", body)


async def until_deleted(app: User, user: User) -> dict[str, Any]:
    """The finished deletion of the user."""
    for _ in range(1_200):
        found = (await app.get(f"/v1/users/{part(user.id)}/deletion")).body
        if found["state"] == "done":
            assert isinstance(found, dict)
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("not deleted in time")


async def places_of(database: Database, text: str) -> set[str]:
    """The collections of which any document has these bytes; of events, those of the deletion itself aside."""
    names: list[str] = await database._database.list_collection_names()
    codec: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
    found = set()
    for name in names:
        raw: Any = database.collection(name).with_options(codec_options=codec)
        for row in await raw.find({}).to_list(None):
            if text.encode() in row.raw and not (
                name == "events" and [each["type"] for each in row["events"]] == ["user.deleted"]
            ):
                found.add(name)
    return found


@dataclass
class Traces:
    """A user who has left traces everywhere, others, and where they met."""

    leaver: User
    ada: User
    bob: User
    app: User
    channel: str
    group: str
    post_seq: int
    group_seq: int
    media_id: str
    shop: "Shop"


@dataclass
class Shop:
    """A channel with self-service, whose owner sends broadcasts."""

    path: str
    notice: str
    """The path of a post that has a button, and asks to be acknowledged."""
    broadcasts: tuple[str, ...]


def _succeeded(answer: Answer) -> None:
    assert answer.status < 300, answer


async def traces(api: Api) -> Traces:
    """Let a user do all that leaves something behind, in a channel and a group of somebody else."""
    ada, bob, app = api.new_user("ada"), api.new_user("bob"), api.new_user("app", admin=True)
    leaver, guest, enemy = (api.new_user(name) for name in ("leaver", "guest", "enemy"))
    for user in (ada, bob, app, leaver, guest, enemy):
        user.on_answer = [*user.on_answer, _succeeded]
    text = {"kind": "text", "text": "Secret words"}
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    ids = []
    for _ in range(3):
        upload = await leaver.call("POST", "/v1/media", data=picture.getvalue())
        ids.append(upload.body["media_id"])
    assert (
        await leaver.patch("/v1/users/me", {"name": "Lea Ver", "face_url": f"/v1/media/{ids[0]}"})
    ).status == 200
    channel = await a_channel(
        ada, bob, admins=(leaver,), settings={"comments": "everyone", "signatures": True}
    )
    group = await a_chat_group(ada, leaver, bob)
    # Posts, as their author and under the channel's name.
    posted = await leaver.post(f"{channel}/posts", text)
    post = f"{channel}/posts/{posted.body['seq']}"
    message = await leaver.post(f"{group}/messages", {"kind": "image", "images": [ids[1]]})
    assert message.status == 201, message
    await leaver.post(f"{group}/messages", text, idempotency_key="once")
    poll = {"question": "Tea?", "options": ["Yes", "No"]}
    asked = (await ada.post(f"{channel}/posts", {"kind": "poll", "poll": poll})).body["seq"]
    for user in (leaver, bob):
        assert (await user.put(f"{channel}/posts/{asked}/vote", {"options": [0]})).status == 200
        assert (await user.put(f"{post}/reactions/{part('👍')}")).status == 200
        assert (await user.post(f"{post}/comments", text)).status == 201
    await leaver.put(f"{post}/comments/2/reactions/{part('👍')}")
    await leaver.post(f"{post}/comments", {**text, "as_channel": True})
    # One-to-one, with a person and with channels, and as a channel.
    for peer, other in ((bob.id, leaver.id),):
        to_peer = f"/v1/conversations/{part('c2c_' + peer)}"
        to_leaver = f"/v1/conversations/{part('c2c_' + other)}"
        assert (await leaver.post(f"{to_peer}/messages", text)).status == 201
        assert (await bob.post(f"{to_leaver}/messages", text)).status == 201
        await bob.put(f"{to_leaver}/messages/1/reactions/{part('👍')}")
    shop = await a_channel(bob, leaver)
    to_shop = f"/v1/conversations/{part('c2c_' + id_of(shop))}"
    assert (await leaver.post(f"{to_shop}/messages", text)).status == 201
    assert (
        await bob.put(f"{shop}/inbox/{part(leaver.id)}/tags", {"tags": ["order"]})
    ).status == 200
    await ada.post(f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages", text)
    to_channel = f"/v1/conversations/{part('c2c_' + id_of(channel))}"
    await guest.put(f"{channel}/subscription")
    await guest.post(f"{to_channel}/messages", text)
    await leaver.post(f"{channel}/inbox/{part(guest.id)}/messages", text, idempotency_key="two")
    # Settings, blocks, devices, reports, requests, invitations, drafts, links, canned replies.
    conversation = f"/v1/conversations/{part('group_' + id_of(channel))}"
    await leaver.patch(conversation, {"muted": True, "draft": "Dear", "pinned": True})
    filed = {"conversation_ids": ["group_" + id_of(group)]}
    tab = await leaver.put("/v1/conversation-groups/Mine", filed)
    assert tab.status < 300, tab
    await leaver.put(f"/v1/blocks/{part(enemy.id)}")
    await enemy.put(f"/v1/blocks/{part(leaver.id)}")
    target = {"type": "user", "user_id": enemy.id}
    reported = await leaver.post("/v1/reports", {"target": target, "reason": "spam", "text": "Bad"})
    assert reported.status < 300, reported
    target = {"type": "user", "user_id": leaver.id}
    await enemy.post("/v1/reports", {"target": target, "reason": "spam", "text": "Worse"})
    target = {"type": "post", "channel_id": id_of(channel), "seq": posted.body["seq"]}
    await enemy.post("/v1/reports", {"target": target, "reason": "spam", "text": "Worst"})
    closed = await a_chat_group(ada, join_option="approval")
    await leaver.put(f"{closed}/members/me")
    other = await a_channel(ada)
    await ada.post(f"{other}/invitations", {"user_id": leaver.id, "grants": ["post"]})
    await leaver.post(f"{channel}/drafts", {"post": {"kind": "image", "images": [ids[2]]}})
    soon = rfc3339(api.clock.now() + timedelta(days=1))
    await leaver.post(f"{channel}/drafts", {"post": text, "publish_at": soon})
    await leaver.post(f"{channel}/invite-links", {}, idempotency_key="link")
    await leaver.put(f"{channel}/canned-replies/hours", {"text": "We open at nine"})
    device = {"platform": "gateway", "app_id": "app", "pushkey": "key", "locale": "en"}
    await leaver.put("/v1/devices/phone", device)
    # As one of the staff: what they set up for others.
    await leaver.put(
        f"{channel}/menu", {"entries": [{"text": "Hi", "kind": "reply", "reply": "Hi"}]}
    )
    await leaver.put(f"{channel}/forms/order", ORDER)
    answer = {"keywords": ["price"], "answer": {"text": "Ask at the desk"}}
    await leaver.put(f"{channel}/auto-replies/price", answer)
    soon = rfc3339(api.clock.now() + timedelta(days=1))
    await leaver.post(f"{channel}/broadcasts", {**text, "start_at": soon})
    served = await _a_shop(bob, leaver, guest)
    # What others and admins did to them elsewhere, and posts that they leave behind in a group.
    left = await a_chat_group(ada, leaver)
    assert (await a_post(leaver, left, "Left words"))["seq"]
    await bob.put(f"{left}/members/me")
    await leaver.put(f"{left}/messages/1/reactions/{part('👍')}")
    await ada.delete(f"{left}/members/{part(leaver.id)}?ban=true")
    await app.put(f"/v1/users/{part(leaver.id)}/restriction", {"reason": "Spam"})
    await app.delete(f"/v1/users/{part(leaver.id)}/restriction")
    for user in (ada, bob, app, leaver, guest, enemy):
        user.on_answer.remove(_succeeded)
    return Traces(
        leaver=leaver,
        ada=ada,
        bob=bob,
        app=app,
        channel=channel,
        group=group,
        post_seq=posted.body["seq"],
        group_seq=message.body["seq"],
        media_id=ids[1],
        shop=served,
    )


async def _a_shop(owner: User, leaver: User, other: User) -> Shop:
    """A channel in which two users press, acknowledge, choose, answer a form, have tags, and receive a broadcast."""
    path = await a_channel(owner)
    talk = f"/v1/conversations/{part('c2c_' + id_of(path))}/messages"
    await owner.put(f"{path}/greeting", {"text": "Welcome"})
    entries = [{"text": "Call", "kind": "reply", "reply": "Call me"}]
    await owner.put(f"{path}/menu", {"entries": entries})
    await owner.put(f"{path}/forms/order", ORDER)
    button = {"text": "Order", "kind": "event", "data": "tea"}
    content = {"kind": "text", "text": "Tea?", "buttons": [[button]]}
    posted = await owner.post(f"{path}/posts", {**content, "acknowledge": True})
    notice = f"{path}/posts/{posted.body['seq']}"
    for user in (other, leaver):
        await user.put(f"{path}/subscription")
        await user.put(f"{notice}/buttons/0/press")
        await user.put(f"{notice}/acknowledgement")
        await owner.put(f"{path}/subscribers/{part(user.id)}/tags", {"tags": ["vip"]})
    while not (await leaver.get(talk)).items:  # the greeting
        await asyncio.sleep(0.02)
    sent = await owner.post(f"{path}/inbox/{part(leaver.id)}/messages", content)
    await leaver.put(f"{talk}/{sent.body['seq']}/buttons/0/press")
    await leaver.post(f"{path}/menu/selections", {"entry": "1"})
    await leaver.post(f"{path}/forms/order/answers", {"answers": {"size": "Large"}})
    sent = await owner.post(f"{path}/broadcasts", {"kind": "text", "text": "News", "rate": 4})
    await _until_sent(owner, path, sent.body["broadcast_id"])
    await leaver.put(f"{path}/broadcast-opt-out")
    missed = await owner.post(f"{path}/broadcasts", {"kind": "text", "text": "More"})
    await _until_sent(owner, path, missed.body["broadcast_id"])
    of_both = sent.body["broadcast_id"], missed.body["broadcast_id"]
    return Shop(path=path, notice=notice, broadcasts=of_both)


async def _until_sent(owner: User, path: str, broadcast_id: str) -> None:
    async with asyncio.timeout(30):
        while (await owner.get(f"{path}/broadcasts/{broadcast_id}")).body["state"] != "done":
            await asyncio.sleep(0.02)
