"""Pins, frozen reactions, silent posts and signatures."""

import asyncio
from typing import Any, Final

import pytest

from tests.api import Api, User, a_channel, a_chat_group, a_post, conversation_of, group_path, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

LIKE, HEART = part("👍"), part("❤️")
HELLO: Final = {"kind": "text", "text": "Hello"}


async def pins(user: User, path: str) -> list[int]:
    return [post["seq"] for post in (await user.get(f"{path}/pins")).items]


# --- pins -----------------------------------------------------------------------------------------------------------


async def test_pinned_posts_are_listed_newest_pin_first(
    shared_api: Api,
) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob)
    for _ in range(3):
        await a_post(ada, path)
    ears = await bob.socket()
    for seq in (2, 1, 2):
        pinned = await ada.put(f"{path}/posts/{seq}/pin")
        assert (pinned.status, pinned.body["pinned"]) == (200, True), pinned
    heard = [event["post"] for event in await ears.until_now()]
    assert [(post["seq"], post["pinned"], post["edited_at"]) for post in heard] == [
        (2, True, None),
        (1, True, None),
    ]
    for user in (ada, bob, eve):
        assert await pins(user, path) == [1, 2]
        shown = {post["seq"]: post["pinned"] for post in (await user.get(f"{path}/posts")).items}
        assert shown == {1: True, 2: True, 3: False}
    assert (await bob.get(f"{group_path(path)}/messages/2")).body["pinned"] is True
    for _ in range(2):
        assert (await ada.delete(f"{path}/posts/1/pin")).status == 204
    assert await pins(bob, path) == [2]
    assert (await bob.get(f"{path}/posts/1")).body["pinned"] is False
    (event,) = await ears.until_now()
    assert (event["type"], event["post"]["pinned"]) == ("message.edited", False)
    await ears.close()


async def test_deleting_a_post_unpins_it(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    for _ in range(2):
        await a_post(ada, path)
        assert (await ada.put(f"{path}/posts/1/pin")).status == 200
    await ada.delete(f"{path}/posts/1")
    assert await pins(ada, path) == []
    assert (await ada.get(f"{path}/posts/1")).body["pinned"] is False
    assert (await ada.put(f"{path}/posts/1/pin")).refusal == (409, "message_recalled")
    assert (await ada.put(f"{path}/posts/9/pin")).refusal == (404, "post_not_found")


@own_loop
async def test_racing_pins_never_exceed_the_limit(api: OpenApi, second_database: Any) -> None:
    here, there = (
        await api(pinned_messages=3),
        await api(database=second_database, pinned_messages=3),
    )
    ada = here.new_user("ada")
    path = await a_channel(ada)
    for _ in range(8):
        await a_post(ada, path)
    elsewhere = there.user_of(ada.id)
    answers = await asyncio.gather(
        *((ada, elsewhere)[seq % 2].put(f"{path}/posts/{seq}/pin") for seq in range(1, 9))
    )
    pinned = [seq for seq, answer in enumerate(answers, 1) if answer.status == 200]
    refused = [answer for answer in answers if answer.status != 200]
    assert sorted(await pins(ada, path)) == pinned
    assert len(pinned) == 3
    assert {answer.refusal for answer in refused} == {(409, "pin_limit_reached")}
    assert refused[0].body["details"]["limit"] == 3
    await ada.delete(f"{path}/posts/{pinned[0]}/pin")
    again = await asyncio.gather(
        *(ada.put(f"{path}/posts/{seq}/pin") for seq in range(1, 9) if seq not in pinned)
    )
    assert [answer.status for answer in again].count(200) == 1


# --- frozen reactions -----------------------------------------------------------------------------------------------


async def test_a_frozen_post_takes_no_reactions_but_lets_users_remove_theirs(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    await a_post(ada, path)
    await a_post(ada, path)
    reaction = f"{path}/posts/1/reactions/{LIKE}"
    assert (await bob.put(reaction)).status == 200
    ears = await cat.socket()
    for _ in range(2):
        frozen = await ada.put(f"{path}/posts/1/reactions-freeze")
        assert (frozen.status, frozen.body["reactions_frozen"]) == (200, True)
    (event,) = await ears.until_now()
    assert (event["type"], event["post"]["reactions_frozen"]) == ("message.edited", True)
    for user in (ada, bob, cat):
        assert (await user.put(reaction)).refusal == (403, "reactions_frozen")
    by_group = f"{group_path(path)}/messages/1/reactions/{LIKE}"
    assert (await cat.put(by_group)).refusal == (403, "reactions_frozen")
    post = (await cat.get(f"{path}/posts/1")).body
    assert (post["reactions_frozen"], post["reactions"]["counts"]) == (True, {"👍": 1})
    assert (await cat.put(f"{path}/posts/2/reactions/{LIKE}")).status == 200
    assert (await bob.delete(reaction)).body["counts"] == {}
    for _ in range(2):
        assert (await ada.delete(f"{path}/posts/1/reactions-freeze")).status == 204
    assert (await cat.put(reaction)).body["counts"] == {"👍": 1}
    await ears.close()


@own_loop
async def test_no_reaction_is_accepted_after_the_response_to_a_freeze(
    api: OpenApi, second_database: Any
) -> None:
    here, there = await api(), await api(database=second_database)
    ada = here.new_user("ada")
    users = [here.new_user(f"u{number}") for number in range(24)]
    path = await a_channel(ada, *users)
    await a_post(ada, path)
    elsewhere = [there.user_of(user.id) for user in users]

    async def react(number: int) -> int:
        # Some react before the freeze, some after it, and some at the same moment.
        user = (users, elsewhere)[number % 2][number]
        answer = await user.put(f"{path}/posts/1/reactions/{LIKE}")
        assert answer.status == 200 or answer.refusal == (403, "reactions_frozen"), answer
        return answer.status

    early = [asyncio.create_task(react(number)) for number in range(12)]
    frozen = await ada.put(f"{path}/posts/1/reactions-freeze")
    assert frozen.status == 200
    late = await asyncio.gather(*(react(number) for number in range(12, 24)))
    accepted = (await asyncio.gather(*early)).count(200)
    assert set(late) == {403}
    tally = (await ada.get(f"{path}/posts/1/reactions")).body
    assert tally["total"] == accepted


# --- silent posts, signatures -----------------------------------------------------------------------------------------


async def test_a_silent_post_still_counts_as_unread(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    chat = await a_chat_group(ada, bob)
    ears = await bob.socket()
    for place, calls, field in ((path, "posts", "post"), (chat, "messages", "message")):
        for silent in (True, False):
            posted = await ada.post(f"{place}/{calls}", {**HELLO, "silent": silent})
            assert (posted.status, posted.body["silent"]) == (201, silent)
            (event,) = await ears.until_now()
            assert event[field]["silent"] is silent
        shown = [item["silent"] for item in (await bob.get(f"{place}/{calls}")).items]
        assert shown == [False, True]
        conversation = await bob.get(f"/v1/conversations/{part(conversation_of(place))}")
        assert conversation.body["unread_count"] == 2
    preview = await ada.post(f"{path}/posts/preview", {**HELLO, "silent": True})
    assert preview.body["silent"] is True
    edited = await ada.patch(f"{path}/posts/1", {**HELLO, "silent": False})
    assert edited.refusal == (400, "invalid_request")
    await ears.close()


async def test_a_silent_and_a_loud_post_cannot_share_a_key(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    first = await ada.post(f"{path}/posts", {**HELLO, "silent": True}, idempotency_key="k")
    again = await ada.post(f"{path}/posts", {**HELLO, "silent": True}, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    other = await ada.post(f"{path}/posts", HELLO, idempotency_key="k")
    assert other.refusal == (409, "idempotency_conflict")


async def test_a_signature_keeps_the_name_the_author_had_then(shared_api: Api) -> None:
    ada, adm, bob = (shared_api.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,))
    await adm.patch("/v1/users/me", {"name": "Adam"})
    await adm.post(f"{path}/posts", HELLO)
    await ada.patch(path, {"settings": {"signatures": True}})
    ears = await bob.socket()
    preview = await adm.post(f"{path}/posts/preview", HELLO)
    await adm.post(f"{path}/posts", HELLO)
    await adm.post(f"{group_path(path)}/messages", HELLO)
    heard = [event["post"]["signature"] for event in await ears.until_now()]
    assert (preview.body["signature"], heard) == ("Adam", ["Adam", "Adam"])
    await adm.patch("/v1/users/me", {"name": "Eve"})
    await ada.post(f"{path}/posts", HELLO)  # Ada has set no name, so she does not sign
    await ada.patch(path, {"settings": {"signatures": False}})
    await adm.post(f"{path}/posts", HELLO)
    for user in (ada, bob):
        posts = (await user.get(f"{path}/posts")).items
        assert [post["signature"] for post in posts] == [None, None, "Adam", "Adam", None]
    assert all(post["author_id"] is None for post in (await bob.get(f"{path}/posts")).items)
    await ada.delete(f"{path}/posts/2")
    assert (await bob.get(f"{path}/posts/2")).body["signature"] is None
    await ears.close()
