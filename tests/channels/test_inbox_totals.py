"""The unread totals of a channel's inbox: what they count, who receives them, and that races keep them exact."""

import asyncio
import random
from typing import Any

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from tests.api import Api, User, a_channel, all_pages, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

TEXT = {"kind": "text", "text": "Hello"}


def with_(channel: str) -> str:
    return f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}"


def thread(channel: str, user: User) -> str:
    return f"{channel}/inbox/{part(user.id)}"


async def say(user: User, path: str) -> int:
    said = await user.post(f"{path}/messages", TEXT)
    assert said.status == 201, said
    seq = said.body["seq"]
    assert isinstance(seq, int)
    return seq


async def unread(user: User, channel: str) -> tuple[int, int]:
    """Messages and threads."""
    body = (await user.get(f"{channel}/inbox/unread")).body
    assert body["channel_id"] == id_of(channel)
    return body["unread_count"], body["unread_threads"]


async def summed(user: User, channel: str) -> tuple[int, int]:
    """The same, thread by thread."""
    pages = await all_pages(user, f"{channel}/inbox")
    counts = [shown["unread_count"] for page in pages for shown in page]
    return sum(counts), sum(count > 0 for count in counts)


async def test_totals_count_messages_that_no_admin_has_read(shared_api: Api) -> None:
    ada, cat, bob, dan = (shared_api.new_user(name) for name in ("ada", "cat", "bob", "dan"))
    channel = await a_channel(ada, bob, dan, admins=(cat,))
    assert await unread(ada, channel) == (0, 0)
    for user in (bob, bob, dan):
        await say(user, with_(channel))
    assert await unread(ada, channel) == await unread(cat, channel) == (3, 2)
    await cat.post(f"{thread(channel, bob)}/read", {"seq": 1})
    assert await unread(ada, channel) == (2, 2)
    # Backwards, again, or refused, nothing changes; nor by an edit or a recall, which keep the seq.
    await cat.post(f"{thread(channel, bob)}/read", {"seq": 1})
    await bob.patch(f"{with_(channel)}/messages/2", {"kind": "text", "text": "Better"})
    await bob.delete(f"{with_(channel)}/messages/2")
    await dan.post(f"{with_(channel)}/messages", {"kind": "image", "images": ["none"]})
    assert await unread(ada, channel) == (2, 2)
    # Who answers has read.
    await say(ada, thread(channel, bob))
    assert await unread(cat, channel) == (1, 1)
    await say(dan, with_(channel))
    assert await unread(cat, channel) == await summed(cat, channel) == (2, 1)
    await ada.post(f"{thread(channel, dan)}/read")
    assert await unread(cat, channel) == await summed(cat, channel) == (0, 0)


async def test_only_devices_of_admins_receive_the_totals(shared_api: Api) -> None:
    ada, cat, bob, dan = (shared_api.new_user(name) for name in ("ada", "cat", "bob", "dan"))
    channel = await a_channel(ada, bob, admins=(cat, dan))
    await ada.put(f"{channel}/admins/{part(dan.id)}", {"grants": ["post"]})
    hers, phone, his, others, theirs = [await u.socket() for u in (ada, ada, cat, dan, bob)]
    await say(bob, with_(channel))
    for ears in (hers, phone, his):
        heard = await ears.hear("inbox.unread", channel_id=id_of(channel))
        assert (heard["unread_count"], heard["unread_threads"]) == (1, 1)
    # However many come at once, the last that is told is what there is.
    await asyncio.gather(*(say(bob, with_(channel)) for _ in range(20)))
    for ears in (hers, phone, his):
        await ears.hear("inbox.unread", unread_count=21, unread_threads=1)
    await cat.post(f"{thread(channel, bob)}/read")
    for ears in (hers, phone, his):
        await ears.hear("inbox.unread", unread_count=0, unread_threads=0)
    # To those it was never to be told: the others have heard the last of it by now.
    for ears in (others, theirs):
        await ears.tell(type="ping")
        while (frame := await ears.frame())["type"] != "pong":
            assert frame["event"]["type"] != "inbox.unread"
    for ears in (hers, phone, his, others, theirs):
        await ears.close()


@own_loop
async def test_races_in_two_processes_keep_totals_exact_and_published(api: OpenApi) -> None:
    one, two = await api(), await api()
    ada, cat = one.new_user("ada"), one.new_user("cat")
    users = [one.new_user(f"u{n}") for n in range(12)]
    channel = await a_channel(ada, *users, admins=(cat,))
    ears = [await ada.socket(), await two.user_of(cat.id).socket()]
    chance = random.Random(5)

    async def write(user: User) -> None:
        for _ in range(6):
            await say(user if chance.random() < 0.5 else two.user_of(user.id), with_(channel))

    async def serve(admin: User) -> None:
        for _ in range(30):
            user = chance.choice(users)
            path = thread(channel, user)
            call = admin if chance.random() < 0.5 else two.user_of(admin.id)
            if chance.random() < 0.3:
                answer = await call.post(f"{path}/messages", TEXT)
            else:
                answer = await call.post(f"{path}/read", {"seq": chance.randint(1, 6)})
            assert answer.status in {200, 201, 404}, answer

    await asyncio.gather(*map(write, users), serve(ada), serve(cat))
    totals = await unread(ada, channel)
    assert totals == await summed(cat, channel)
    for each in ears:
        await each.hear("inbox.unread", unread_count=totals[0], unread_threads=totals[1])
    outcomes = await verify(
        one.services.database, Limits(), console=Console(quiet=True), repair=False
    )
    assert [found.problem for outcome in outcomes for found in outcome.first] == []


@own_loop
async def test_totals_are_deleted_with_the_channel(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    new: dict[str, Any] = {"channel_id": "@TOA#_news", "name": "News"}
    for _ in range(2):
        assert (await ada.post("/v1/channels", new)).status == 201
        channel = "/v1/channels/%40TOA%23_news"
        await bob.put(f"{channel}/subscription")
        assert await unread(ada, channel) == (0, 0)
        await say(bob, with_(channel))
        assert await unread(ada, channel) == (1, 1)
        await ada.delete(channel)
        await server.services.chat.cleanup.wait()
        assert (await ada.get(f"{channel}/inbox/unread")).refusal == (404, "channel_not_found")
        assert await server.services.database.collection("inbox_totals").find_one({}) is None
