"""Reactions to one-to-one messages, between users and with a channel, over HTTP and the socket."""

import asyncio
from typing import Any

import pytest

from groups.kernel.ids import GroupId, UserId
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER
from groups.models import inbox_stream_of
from tests.api import Api, User, a_channel, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = {"kind": "text", "text": "Hello"}
THUMB, HEART = "👍", "❤️"
EMOJI = [chr(0x1F400 + n) for n in range(60)]  # animals
NONE: dict[str, Any] = {"counts": {}, "total": 0, "mine": []}


def with_(peer: User | str) -> str:
    """The conversation with a user or a channel, as a path."""
    return f"/v1/conversations/{part(f'c2c_{id_of(peer) if isinstance(peer, str) else peer.id}')}"


def thread(channel: str, user: User) -> str:
    return f"{channel}/inbox/{part(user.id)}"


def on(path: str, emoji: str, seq: int = 1) -> str:
    return f"{path}/messages/{seq}/reactions/{part(emoji)}"


async def say(user: User, path: str) -> None:
    assert (await user.post(f"{path}/messages", TEXT)).status == 201


async def shown(user: User, path: str) -> Any:
    """The reactions to the first message, the same in a page and alone."""
    alone = (await user.get(f"{path}/messages/1")).body["reactions"]
    assert (await user.get(f"{path}/messages?after_seq=0&limit=1")).items[0]["reactions"] == alone
    return alone


async def test_both_sides_react_and_each_sees_its_own(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    await say(ada, with_(bob))
    assert await shown(bob, with_(ada)) == NONE
    for _ in range(2):
        put = await bob.put(on(with_(ada), THUMB))
        assert (put.status, put.body) == (200, {"counts": {THUMB: 1}, "total": 1, "mine": [THUMB]})
    own = await ada.put(on(with_(bob), THUMB))
    assert own.body == {"counts": {THUMB: 2}, "total": 2, "mine": [THUMB]}
    await ada.put(on(with_(bob), HEART))
    both = {"counts": {THUMB: 2, HEART: 1}, "total": 3}
    assert await shown(ada, with_(bob)) == both | {"mine": sorted([THUMB, HEART])}
    assert await shown(bob, with_(ada)) == both | {"mine": [THUMB]}
    for _ in range(2):
        gone = await ada.delete(on(with_(bob), THUMB))
        assert gone.body == {"counts": {THUMB: 1, HEART: 1}, "total": 2, "mine": [HEART]}
    # What was edited keeps them; what was recalled shows none, and takes none.
    await ada.patch(f"{with_(bob)}/messages/1", {"kind": "text", "text": "Better"})
    assert (await shown(bob, with_(ada)))["total"] == 2
    await ada.delete(f"{with_(bob)}/messages/1")
    assert await shown(bob, with_(ada)) == NONE
    assert (await bob.put(on(with_(ada), HEART))).refusal == (409, "message_recalled")
    assert (await bob.delete(on(with_(ada), THUMB))).body["counts"] == {HEART: 1}


async def test_notes_to_oneself_have_one_side(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    await say(ada, with_(ada))
    ears = await ada.socket()
    assert (await ada.put(on(with_(ada), THUMB))).body["total"] == 1
    assert [event["mine"] for event in await ears.until_now()] == [[THUMB]]


async def test_a_missing_message_and_text_that_is_no_emoji_are_refused(shared_api: Api) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    channel = await a_channel(ada, bob, settings={"visibility": "private"})
    await say(ada, with_(bob))
    for call in (eve.put, eve.delete):
        assert (await call(on(with_(bob), THUMB))).refusal == (404, "message_not_found")
        assert (await call(on(with_(channel), THUMB))).refusal == (404, "conversation_not_found")
        none = await call(on("/v1/conversations/nothing", THUMB))
        assert none.refusal == (404, "conversation_not_found")
    for call in (bob.put, bob.delete):
        assert (await call(on(with_(ada), THUMB, 2))).refusal == (404, "message_not_found")
        assert (await call(on(with_(ada), "no"))).refusal == (400, "bad_emoji")
    for call in (ada.put, ada.delete):
        none = await call(on(thread(channel, bob), THUMB))
        assert none.refusal == (404, "conversation_not_found")
    assert await shown(bob, with_(ada)) == NONE


async def test_each_side_holds_at_most_ten_emoji(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    await say(ada, with_(bob))
    for emoji in EMOJI[:REACTIONS_PER_USER]:
        assert (await bob.put(on(with_(ada), emoji))).status == 200
    more = await bob.put(on(with_(ada), EMOJI[REACTIONS_PER_USER]))
    assert more.refusal == (409, "reactions_per_user_reached")
    assert more.body["details"]["limit"] == REACTIONS_PER_USER
    # The other side has ten of its own.
    for emoji in EMOJI[REACTIONS_PER_USER : 2 * REACTIONS_PER_USER]:
        assert (await ada.put(on(with_(bob), emoji))).status == 200
    assert 2 * REACTIONS_PER_USER <= DISTINCT_REACTIONS  # so two sides never reach it
    assert (await shown(ada, with_(bob)))["total"] == 2 * REACTIONS_PER_USER


async def test_after_a_block_both_sides_can_only_take_back(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    await say(ada, with_(bob))
    await ada.put(on(with_(bob), THUMB))
    await bob.put(on(with_(ada), THUMB))
    await bob.put(f"/v1/blocks/{part(ada.id)}")
    refused = await ada.put(on(with_(bob), HEART))
    assert refused.refusal == (403, "messages_not_accepted")
    assert (await bob.put(on(with_(ada), HEART))).refusal == (409, "peer_blocked")
    assert (await ada.delete(on(with_(bob), THUMB))).body["counts"] == {THUMB: 1}
    assert (await bob.delete(on(with_(ada), THUMB))).body == NONE
    await bob.delete(f"/v1/blocks/{part(ada.id)}")
    assert (await ada.put(on(with_(bob), HEART))).status == 200


async def test_the_channel_is_one_side_whichever_admin_acts_for_it(shared_api: Api) -> None:
    ada, cat, bob, dan = (shared_api.new_user(name) for name in ("ada", "cat", "bob", "dan"))
    channel = await a_channel(ada, bob, dan, admins=(cat,))
    await say(bob, with_(channel))
    inbox = thread(channel, bob)
    assert (await cat.put(on(inbox, THUMB))).body["mine"] == [THUMB]
    # Another admin finds it there, and takes it back.
    assert (await ada.put(on(inbox, THUMB))).body["counts"] == {THUMB: 1}
    assert await shown(ada, inbox) == {"counts": {THUMB: 1}, "total": 1, "mine": [THUMB]}
    assert await shown(bob, with_(channel)) == {"counts": {THUMB: 1}, "total": 1, "mine": []}
    await bob.put(on(with_(channel), HEART))
    assert (await ada.delete(on(inbox, THUMB))).body == {
        "counts": {HEART: 1},
        "total": 1,
        "mine": [],
    }
    timeline = (await bob.get(f"{with_(channel)}/messages?with_posts=true")).items
    assert timeline[0]["reactions"] == {"counts": {HEART: 1}, "total": 1, "mine": [HEART]}
    for stranger in (bob, dan):
        for call in (stranger.put, stranger.delete):
            assert (await call(on(inbox, THUMB))).refusal == (403, "permission_denied")
    # Without the grant, an admin does not read the inbox.
    narrowed = await ada.put(f"{channel}/admins/{part(cat.id)}", {"grants": ["post"]})
    assert narrowed.status == 200
    for call in (cat.put, cat.delete):
        assert (await call(on(inbox, THUMB))).refusal == (403, "permission_denied")


async def test_a_user_who_may_not_write_can_only_take_back(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    await say(bob, with_(channel))
    inbox = thread(channel, bob)
    await bob.put(on(with_(channel), THUMB))
    await ada.put(on(inbox, THUMB))
    await ada.patch(channel, {"settings": {"accept_messages": "nobody"}})
    assert (await bob.put(on(with_(channel), HEART))).refusal == (403, "messages_not_accepted")
    assert (await bob.delete(on(with_(channel), THUMB))).body["counts"] == {THUMB: 1}
    await bob.put(f"/v1/blocks/{part(id_of(channel))}")
    assert (await ada.put(on(inbox, HEART))).refusal == (403, "messages_not_accepted")
    assert (await ada.delete(on(inbox, THUMB))).body == NONE


async def test_every_device_of_both_sides_gets_the_event(shared_api: Api) -> None:
    ada, cat, bob, eve = (shared_api.new_user(name) for name in ("ada", "cat", "bob", "eve"))
    channel = await a_channel(ada, bob, eve, admins=(cat,))
    channel_id = id_of(channel)
    await say(bob, with_(channel))
    await say(bob, with_(ada))
    hers, his, theirs, phone, other = [await u.socket() for u in (ada, cat, bob, bob, eve)]
    await cat.put(on(thread(channel, bob), THUMB))
    counts = {"counts": {THUMB: 1}, "total": 1, "seq": 1}
    for staff in (hers, his):
        heard = await staff.hear("reactions.changed", channel_id=channel_id, user_id=bob.id)
        assert heard.items() >= (counts | {"mine": [THUMB]}).items()
        assert heard["stream_id"] == f"inbox_{channel_id}:{bob.id}"
    for ears in (theirs, phone):
        heard = await ears.hear("reactions.changed", conversation_id=f"c2c_{channel_id}")
        assert heard.items() >= (counts | {"mine": []}).items()
        assert cat.id not in str(heard)
    await bob.put(on(with_(ada), THUMB))
    for ears in (theirs, phone):
        heard = await ears.hear("reactions.changed", conversation_id=f"c2c_{ada.id}")
        assert heard["mine"] == [THUMB]
    heard = await hers.hear("reactions.changed", conversation_id=f"c2c_{bob.id}")
    assert (heard["counts"], heard["mine"]) == ({THUMB: 1}, [])
    # A repeat is published once, and so is taking back twice.
    for call in (bob.put, bob.delete, bob.delete):
        await call(on(with_(ada), THUMB))
    for ears in (theirs, phone, hers):
        told = [e for e in await ears.until_now() if e["type"] == "reactions.changed"]
        assert [event["counts"] for event in told] == [{}]
    assert await other.until_now() == await his.until_now() == []
    for ears in (hers, his, theirs, phone, other):
        await ears.close()


@pytest.mark.asyncio(loop_scope="function")
async def test_reactions_through_two_processes_leave_an_exact_tally(
    api: OpenApi,
) -> None:
    one, two = await api(), await api()
    ada, bob, cat = (one.new_user(name) for name in ("ada", "bob", "cat"))
    channel = await a_channel(ada, bob, admins=(cat,))
    await say(bob, with_(channel))
    inbox = thread(channel, bob)
    calls = [
        two.user_of(user.id).put(on(path, emoji)) if n % 2 else user.put(on(path, emoji))
        for n, emoji in enumerate(EMOJI[:7])
        for user, path in ((ada, inbox), (cat, inbox), (bob, with_(channel)))
    ]
    assert {answer.status for answer in await asyncio.gather(*calls)} == {200}
    seen = await shown(bob, with_(channel))
    assert seen["counts"] == dict.fromkeys(EMOJI[:7], 2)
    database = one.services.database
    stream = inbox_stream_of(GroupId(id_of(channel)), UserId(bob.id))
    rows = (
        await database.collection("reactions").find({"message_id": f"{stream}\x1f1"}).to_list(None)
    )
    assert len(rows) == seen["total"] == 14
    assert {row["user_id"] for row in rows} == {bob.id, id_of(channel)}
    # The channel's end takes them along.
    assert (await ada.delete(channel)).status == 204
    await one.services.chat.cleanup.wait()
    for name in ("reactions", "tallies"):
        assert await database.collection(name).find_one({}) is None
    assert (await bob.delete(on(with_(channel), EMOJI[0]))).refusal == (
        404,
        "conversation_not_found",
    )
