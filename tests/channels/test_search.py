"""Search in messages: what is found, by whom, how it is paged, and what it costs at most."""

import asyncio
from typing import Any

import aiohttp
import pytest
from pymongo.errors import ExecutionTimeout

from channels.search import service as service_module
from groups.kernel.ids import StreamId
from groups.models import Place
from groups.service.messages import many_streams as many_streams_module
from groups.store import message_search as store_module
from tests.api import (
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    conversation_of,
    fresh,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

MESSAGES = "/v1/search/messages"


def path_of(q: str, **filters: object) -> str:
    """The path of a search; `from_` and `to` are filters too."""
    more = "".join(f"&{name.rstrip('_')}={part(str(value))}" for name, value in filters.items())
    return f"{MESSAGES}?q={part(q)}{more}"


async def search(user: User, q: str, *, page: int = 50, **filters: object) -> list[Any]:
    """All messages that a search finds, page by page."""
    pages = await all_pages(user, path_of(q, **filters), limit=page)
    return [item for page_of_items in pages for item in page_of_items]


async def found(user: User, q: str, *, page: int = 50, **filters: object) -> list[str]:
    """The texts of the messages that a search finds."""
    return [item["message"]["text"] for item in await search(user, q, page=page, **filters)]


def dialogue(peer_id: str) -> str:
    return f"/v1/conversations/{part(f'c2c_{peer_id}')}/messages"


async def say(user: User, path: str, text: str) -> dict[str, Any]:
    said = await user.post(path, {"kind": "text", "text": text})
    assert said.status == 201, said
    body = said.body
    assert isinstance(body, dict)
    return body


async def test_a_search_finds_messages_of_channels_groups_and_chats_newest_first(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel, group = await a_channel(ada, bob), await a_chat_group(ada, bob)
    post = await a_post(ada, channel, "Hello, Wörld of posts")
    message = await say(ada, f"{group}/messages", "a group says hello world")
    said = await say(ada, dialogue(bob.id), "🌍 hello again, world")
    await say(bob, f"{channel.replace('/v1/channels/', '/v1/conversations/c2c_')}/messages", "hi")
    await bob.put(f"{channel}/posts/1/reactions/{part('👍')}")

    items = await search(bob, "HELLO worl")
    assert [item["message"]["text"] for item in items] == [
        "🌍 hello again, world",
        "a group says hello world",
        "Hello, Wörld of posts",
    ]
    chat, grouped, posted = items
    # Each message is as in its own list.
    for item, listed in (
        (chat, (await bob.get(dialogue(ada.id))).items[0]),
        (grouped, (await bob.get(f"{group}/messages")).items[0]),
        (posted, (await bob.get(f"{channel}/posts")).items[0]),
    ):
        assert item["message"] == listed
    assert posted["message"]["reactions"]["mine"] == ["👍"]
    # Highlights count UTF-16 code units: the globe has two of them.
    assert chat["highlights"] == [{"start": 3, "end": 8}, {"start": 16, "end": 20}]
    names = ("conversation_id", "channel_id", "group_id", "peer_id", "title", "is_channel")
    assert [tuple(item[name] for name in names) for item in items] == [
        (f"c2c_{ada.id}", None, None, ada.id, ada.id, False),
        (conversation_of(group), None, id_of(group), None, "Tea", False),
        (conversation_of(channel), id_of(channel), None, None, "News", True),
    ]
    assert {post["seq"], message["seq"], said["seq"]} == {1}

    # In one conversation, and by the other filters.
    assert await found(bob, "hello", conversation_id=conversation_of(group)) == [message["text"]]
    assert await found(bob, "hello", conversation_id=f"c2c_{ada.id}") == [said["text"]]
    assert await found(bob, "hello", conversation_id=f"c2c_{fresh('nobody')}") == []
    assert len(await found(bob, "hello", kind="text")) == 3
    assert await found(bob, "hello", kind="image") == []
    assert await found(bob, "hello", to=post["created_at"]) == [post["text"]]
    assert await found(bob, "hello", from_=said["created_at"]) == [said["text"]]
    first_two: dict[str, Any] = {"from_": post["created_at"], "to": message["created_at"]}
    assert await found(bob, "hello", **first_two) == [message["text"], post["text"]]
    # Nobody learns by a search who wrote a post.
    by_ada = await found(bob, "hello", sender_id=ada.id)
    assert by_ada == [said["text"], message["text"]]
    in_channel: dict[str, Any] = {"conversation_id": conversation_of(channel), "sender_id": ada.id}
    assert (await bob.get(path_of("hello", **in_channel))).refusal == (403, "permission_denied")
    assert await found(ada, "hello", **in_channel) == [post["text"]]


async def test_nothing_is_found_that_one_may_not_read(api: OpenApi) -> None:
    server = await api()
    ada, bob, cid = (server.new_user(name) for name in ("ada", "bob", "cid"))
    private = await a_channel(ada, bob, settings={"visibility": "private"})
    public, group = await a_channel(ada, bob), await a_chat_group(ada, bob, history_visible=False)
    for path in (private, public, group):
        await a_post(ada, path, f"secret of {path}")
    await say(ada, dialogue(bob.id), "secret of ours")
    # Bob has joined the group before it was written, so it is his.
    assert len(await found(bob, "secret")) == 4
    assert len(await found(ada, "secret")) == 4
    assert await found(cid, "secret") == []
    # A stranger may search where they may read.
    assert len(await found(cid, "secret", conversation_id=conversation_of(public))) == 1
    for hidden in (conversation_of(private), "group_none", "nothing"):
        refused = await cid.get(path_of("secret", conversation_id=hidden))
        assert refused.refusal == (404, "conversation_not_found"), hidden
    refused = await cid.get(path_of("secret", conversation_id=conversation_of(group)))
    assert refused.refusal[0] in {403, 404}

    # Who joins later does not find what the group hides from them, but what comes then.
    await cid.put(f"{group}/members/me")
    await the_app(cid).put(f"{group}/members/{part(cid.id)}")
    of_group: dict[str, Any] = {"conversation_id": conversation_of(group)}
    assert await found(cid, "secret") == await found(cid, "secret", **of_group) == []
    await a_post(ada, group, "secret for all")
    assert (
        await found(cid, "secret") == await found(cid, "secret", **of_group) == ["secret for all"]
    )

    # Who leaves, is removed or banned finds nothing any more.
    assert (await bob.delete(f"{private}/subscription")).status == 204
    assert len(await found(bob, "secret")) == 4
    assert (await ada.delete(f"{public}/subscribers/{part(bob.id)}?ban=true")).status == 204
    assert await found(bob, "secret of /v1/channels/") == []
    refused = await bob.get(path_of("secret", conversation_id=conversation_of(public)))
    assert refused.refusal == (403, "banned")
    assert (await ada.delete(group)).status == 204
    assert await found(bob, "secret") == ["secret of ours"]


async def test_edits_and_deletions_count_at_once_and_verify_finds_the_terms_right(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    post = f"{channel}/posts/{(await a_post(ada, channel, 'the first draft'))['seq']}"
    assert await found(bob, "draft") == ["the first draft"]
    await ada.patch(post, {"kind": "text", "text": "the second version"})
    assert await found(bob, "draft") == []
    assert await found(bob, "vers") == ["the second version"]
    said = await say(ada, dialogue(bob.id), "a version of mine")
    assert len(await found(bob, "version")) == 2
    assert (await ada.delete(f"{dialogue(bob.id)}/{said['seq']}")).status == 204
    assert (await ada.delete(post)).status == 204
    assert await found(bob, "version") == []


async def test_captions_titles_and_names_of_files_and_places_are_searched(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    link = {"title": "Timetable", "url": "https://example.com/x"}
    place = {"latitude": 52.5, "longitude": 13.4, "name": "Alexanderplatz", "address": "Berlin"}
    for body in (
        {"kind": "text", "text": "see here", "links": [link]},
        {"kind": "location", "location": place},
    ):
        posted = await ada.post(f"{channel}/posts", body)
        assert posted.status == 201, posted
    form = aiohttp.FormData()
    form.add_field("file", b"a,b", filename="Budget-2030.csv", content_type="text/csv")
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.http.post(ada.base + "/v1/media", data=form, headers=headers) as response:
        assert response.status == 201
        uploaded = await response.json()
    body = {"kind": "file", "file": uploaded["media_id"]}
    posted = await ada.post(f"{channel}/posts", body)
    assert posted.status == 201, posted
    for q, seq in (("timetab", 1), ("berlin alexander", 2), ("here timetable", 1)):
        assert [item["message"]["seq"] for item in await search(bob, q)] == [seq], q
    [item] = await search(bob, "alexander")
    assert item["highlights"] == []
    assert [item["message"]["seq"] for item in await search(bob, "budget 2030")] == [3]


async def test_pages_go_on_where_they_ended_whatever_is_posted_edited_or_deleted_meanwhile(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock()
    server = await api(clock=clock)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    # Four streams a command, so that the pages need several.
    monkeypatch.setattr(many_streams_module, "STREAMS_A_COMMAND", 4)
    paths = [await a_channel(ada, bob) for _ in range(10)]
    frozen = clock.now()
    monkeypatch.setattr(clock, "now", lambda: frozen)
    # All of the same instant and seq: only the streams tell them apart.
    await asyncio.gather(*(a_post(ada, path, f"word {path}") for path in paths))
    monkeypatch.undo()
    monkeypatch.setattr(many_streams_module, "STREAMS_A_COMMAND", 4)
    for number in range(10):
        await a_post(ada, paths[number % 3], f"word {number}")
    every = await found(bob, "word", page=100)
    assert len(every) == len(set(every)) == 20
    assert every[:10] == [f"word {number}" for number in range(9, -1, -1)]
    for page in (1, 3, 7):
        assert await found(bob, "word", page=page) == every

    first = await bob.get(path_of("word") + "&limit=5")
    assert first.body["searched_until"] == first.items[-1]["message"]["created_at"]
    await a_post(ada, paths[0], "word later")
    shown = {item["message"]["post_id"] for item in first.items}
    gone = next(item for item in await search(bob, "word 3"))["message"]
    await ada.delete(f"/v1/channels/{part(gone['channel_id'])}/posts/{gone['seq']}")
    rest = await search(bob, "word", cursor=first.body["next_cursor"])
    assert [item["message"]["text"] for item in rest] == [t for t in every[5:] if t != "word 3"]
    assert shown.isdisjoint(item["message"]["post_id"] for item in rest)
    last = await bob.get(path_of("word") + "&limit=100")
    assert (last.body["next_cursor"], last.body["searched_until"]) == (None, None)
    assert (last.body["is_complete"], last.body["indexed"]) == (True, 1.0)


async def test_a_search_that_must_look_far_ends_early_and_goes_on_behind_the_cursor(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(3)]
    for number in range(30):
        await a_post(ada, paths[number % 3], f"common words {number}")
    await a_post(ada, paths[0], "common needle")
    for number in range(30):
        await a_post(ada, paths[number % 3], f"common words {number + 30}")
    monkeypatch.setattr(many_streams_module, "MOST_LOOKED_AT", 6)
    monkeypatch.setattr(service_module, "ROUNDS", 1)
    # "needle" is as long as "common", so either may lead; a phrase that is nowhere looks through all.
    for q, expected in (('"needle common"', []), ("common needle", ["common needle"])):
        texts, pages, cursor = [], 0, ""
        while cursor is not None:
            answer = await bob.get(path_of(q) + (f"&cursor={cursor}" if cursor else ""))
            texts += [item["message"]["text"] for item in answer.items]
            cursor = answer.body["next_cursor"]
            assert (cursor is None) == (answer.body["searched_until"] is None)
            pages += 1
        assert (texts, pages < 20) == (expected, True)
    # Only the conversations that were active last, and the answer says so.
    monkeypatch.setattr(service_module, "MOST_STREAMS", 2)
    answer = await bob.get(path_of("common"))
    assert answer.body["is_complete"] is False
    assert {item["channel_id"] for item in answer.items} == {id_of(paths[1]), id_of(paths[2])}
    # A text beyond the budget of a call is compared by the next one.
    monkeypatch.setattr(service_module, "MOST_CHARACTERS", 40)
    assert len(await found(bob, "common", conversation_id=conversation_of(paths[0]))) == 21


@pytest.mark.parametrize("q", ["...", '"', "ก", " "])
async def test_a_query_without_anything_to_find_is_refused(api: OpenApi, q: str) -> None:
    ada = (await api()).new_user("ada")
    assert (await ada.get(path_of(q))).refusal == (400, "search_too_short")
    assert (await ada.get(path_of("a"))).status == 200


async def test_hostile_searches_are_refused_or_cost_little(api: OpenApi) -> None:
    server = await api(searches_per_second=3)
    ada = server.new_user("ada")
    channel = await a_channel(ada)
    for q in ("a" * 101, ""):
        assert (await ada.get(path_of(q))).refusal == (400, "invalid_request")
    assert (
        await ada.get(path_of("x", from_="2030-01-02T00:00:00Z", to="2030-01-01T00:00:00Z"))
    ).status == 400
    assert (await ada.get(path_of("x", cursor="x"))).refusal == (400, "bad_cursor")
    # Refused requests are not counted; at the limit and one more.
    words = " ".join("abcdefghijklmnopqrstuvwxyz0123456789ßäöüñçéàêîôåøæ")  # 99 characters
    for q in (f"{words}x", '"' * 50 + "a", "$where {$ne: 1}"):
        assert (await ada.get(path_of(q, sender_id="$sender_id"))).status == 200
    refused = await ada.get(path_of("x"))
    assert refused.refusal == (429, "rate_limited")
    assert (await the_app(ada).get(path_of("x"))).status == 200
    assert (await ada.get(channel)).status == 200


async def test_a_search_that_the_database_ends_says_so(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = (await api()).new_user("ada")
    await a_post(ada, await a_channel(ada), "two words")
    assert await found(ada, "two words") == ["two words"]

    async def too_slow(*_: object, **__: object) -> None:
        raise ExecutionTimeout("operation exceeded time limit", 50)

    monkeypatch.setattr(store_module, "aggregate", too_slow)
    answer = await ada.get(path_of("two words"))
    assert answer.refusal == (503, "search_too_slow")
    assert answer.headers["Retry-After"] == "2"


async def test_messages_of_an_older_version_are_indexed_in_the_background_and_resumed(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    channel = await a_channel(ada, bob)
    for number in range(7):
        await a_post(ada, channel, f"old words {number}")
    await ada.delete(f"{channel}/posts/3")
    database = server.services.database
    messages, state = database.collection("messages"), database.collection("search_index")
    # As the older version left it.
    await messages.update_many({}, {"$unset": {"terms": ""}})
    await state.delete_many({})
    assert await found(bob, "words") == []

    indexing = server.services.chat.indexing
    monkeypatch.setattr(indexing, "step", 2)
    await indexing.start()
    await indexing.close()
    assert await indexing.store.lease("another process", 60)
    await indexing.run()
    assert indexing.progress == 0
    answer = await bob.get(path_of("words"))
    assert (answer.body["is_complete"], answer.body["indexed"]) == (False, 0)
    # It dies in the middle: what it had done stays, and the lease ends.
    assert await database.run(lambda tx: indexing.store.index_some("another process", 2, tx))
    await state.update_one({}, {"$unset": {"leased_until": ""}})
    await a_post(ada, channel, "new words")
    assert len(await found(bob, "words")) == 3
    await indexing.run()
    assert indexing.progress == 1
    assert len(await found(bob, "words")) == 7
    answer = await bob.get(path_of("words"))
    assert (answer.body["is_complete"], answer.body["indexed"]) == (True, 1)
    assert "channels_search_indexed_share 1.0" in server.services.metrics.text().decode()
    # Done is done.
    assert not await indexing.store.lease("another process", 60)


async def test_places_without_a_stream_are_before_all_of_their_time() -> None:
    places = [Place(5, 1, StreamId("b")), Place(5, 1, StreamId("")), Place(5, 2, StreamId("a"))]
    assert sorted(places, key=lambda place: place.order) == [places[2], places[1], places[0]]
