"""One feed of the posts of all channels to which a user subscribes."""

import asyncio
from typing import Any

import pytest

from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Kind
from groups.service.messages import many_streams as many_streams_module
from tests.api import (
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

MANY = 500


def texts(items: list[Any]) -> list[str]:
    return [item["post"]["text"] for item in items]


async def whole_feed(
    reader: User, query: str = "", *, limit: int = 100, cursor: str | None = ""
) -> list[Any]:
    """All items of the feed behind the cursor, page by page."""
    items: list[Any] = []
    while cursor is not None:
        place = f"&cursor={cursor}" if cursor else ""
        answer = await reader.get(f"/v1/feed?limit={limit}{place}&{query}")
        items += answer.items
        cursor = answer.body["next_cursor"]
    return items


async def test_the_feed_merges_the_posts_of_subscribed_channels_as_their_lists_show_them(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    assert (await bob.get("/v1/feed")).body == {"items": [], "next_cursor": None}
    paths = [await a_channel(ada, bob, name=name) for name in ("One", "Two", "Three")]
    stranger, group = await a_channel(ada), await a_chat_group(ada, bob)
    for number in range(9):
        await a_post(ada, paths[number % 3], str(number))
    await a_post(ada, stranger, "not mine")
    await a_post(ada, group, "no post")
    await bob.put(f"{paths[2]}/posts/3/reactions/{part('👍')}")
    await bob.post(f"{paths[2]}/posts/views", {"seqs": [3]})
    answer = await bob.get("/v1/feed")
    assert texts(answer.items) == [str(number) for number in range(8, -1, -1)]
    assert answer.body["next_cursor"] is None
    first = answer.items[0]
    assert first["channel"] == {
        "channel_id": id_of(paths[2]),
        "name": "Three",
        "face_url": "",
        "verified": False,
    }
    assert first["post"] == (await bob.get(f"{paths[2]}/posts")).items[0]
    assert (first["post"]["reactions"]["mine"], first["post"]["views"]) == (["👍"], 1)
    assert first["post"]["author_id"] is None
    assert (await ada.get("/v1/feed")).items[1]["post"]["author_id"] == ada.id
    for limit in (1, 2, 4, 9):
        assert texts(await whole_feed(bob, limit=limit)) == texts(answer.items)


async def test_the_feed_leaves_out_what_the_list_hides_and_what_may_not_be_read(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(4)]
    muted, hidden, left, folded = paths
    for path in paths:
        await a_post(ada, path, path)
    settings = f"/v1/conversations/{part(conversation_of(muted))}"
    assert (await bob.patch(settings, {"muted": True})).status == 200
    settings = f"/v1/conversations/{part(conversation_of(hidden))}"
    assert (await bob.patch(settings, {"hidden": True})).status == 200
    assert (await bob.delete(f"{left}/subscription")).status == 204
    assert texts(await whole_feed(bob)) == [folded, muted]
    await a_post(ada, hidden, "it posts again")
    assert texts(await whole_feed(bob)) == ["it posts again", folded, hidden, muted]
    await bob.put("/v1/conversation-groups/Papers")
    added = {"add": [conversation_of(folded)]}
    await bob.post("/v1/conversation-groups/Papers/conversations", added)
    assert texts(await whole_feed(bob, "conversation_group=Papers")) == [folded]
    assert folded not in texts(await whole_feed(bob, "conversation_group="))
    assert len(await whole_feed(bob, "conversation_group=channels")) == 4
    assert (await bob.get("/v1/feed?conversation_group=none")).refusal == (
        404,
        "conversation_group_not_found",
    )
    assert (await bob.get("/v1/feed?cursor=x")).refusal == (400, "bad_cursor")

    # What was written before a group became a channel stays hidden from those who came later.
    group = await a_chat_group(ada)
    await a_post(ada, group, "among us")
    marked = await ada.post("/v1/channels", {"group_id": id_of(group), "name": "Open"})
    assert marked.status == 201, marked
    channel = f"/v1/channels/{part(id_of(group))}"
    await a_post(ada, channel, "to all")
    await the_app(bob).put(f"{channel}/subscribers/{part(bob.id)}")
    assert texts(await whole_feed(bob))[:2] == ["to all", "it posts again"]
    assert "among us" in texts(await whole_feed(ada))


async def test_pages_stay_stable_over_500_channels_while_posts_come_change_and_go(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    app, services = the_app(ada), server.services
    paths = [await a_channel(ada) for _ in range(3)]
    ids = [GroupId(f"@TOA#_{fresh('many')}") for _ in range(MANY)]
    created = [
        app.post("/v1/channels", {"channel_id": i, "name": "Many", "owner_id": ada.id}) for i in ids
    ]
    for start in range(0, MANY, 100):
        assert {each.status for each in await asyncio.gather(*created[start : start + 100])} == {
            201
        }
    ids += [GroupId(id_of(path)) for path in paths]
    for start in range(0, len(ids), 100):
        joined = [bob.put(f"/v1/channels/{part(i)}/subscription") for i in ids[start : start + 100]]
        assert {each.status for each in await asyncio.gather(*joined)} == {200}

    async def publish(number: int, channel_id: GroupId) -> None:
        content = Content(kind=Kind.TEXT, text=str(number))
        await services.chat.messages.post(Actor(UserId(ada.id)), channel_id, content)

    # One post in each, most of them of the same instants; then some more in a few.
    await asyncio.gather(*(publish(number, i) for number, i in enumerate(ids)))
    clock.move(seconds=1)
    for number in range(30):
        clock.move(seconds=1)
        await publish(1_000 + number, ids[number % 7])
    every = texts(await whole_feed(bob))
    assert len(every) == len(set(every)) == len(ids) + 30
    assert every[:30] == [str(1_029 - number) for number in range(30)]
    assert texts(await whole_feed(bob, limit=37)) == every

    first = await bob.get("/v1/feed?limit=20")
    await publish(5_000, ids[3])
    edited, deleted = every[25], every[26]
    places = {item["post"]["text"]: item["post"] for item in await whole_feed(bob)}
    for text, change in ((edited, "patch"), (deleted, "delete")):
        post = places[text]
        path = f"/v1/channels/{part(post['channel_id'])}/posts/{post['seq']}"
        if change == "patch":
            assert (await ada.patch(path, {"kind": "text", "text": "edited"})).status == 200
        else:
            assert (await ada.delete(path)).status == 204
    gone = ids[MANY - 1]
    assert (await bob.delete(f"/v1/channels/{part(gone)}/subscription")).status == 204
    rest = texts(await whole_feed(bob, cursor=first.body["next_cursor"]))
    expected = ["edited" if text == edited else text for text in every[20:]]
    expected = [text for text in expected if text not in {deleted, str(MANY - 1)}]
    assert rest == expected
    # With few streams a command, the result is the same.
    monkeypatch.setattr(many_streams_module, "STREAMS_A_COMMAND", 50)
    assert texts(await whole_feed(bob, cursor=first.body["next_cursor"])) == rest
