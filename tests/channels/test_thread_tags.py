"""Tags of the threads of an inbox, which all who read the inbox share."""

import asyncio

import pytest

from groups.kernel.mongo import Database
from tests.api import User, a_channel, all_pages, id_of, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="function")


async def _writes(user: User, path: str) -> str:
    """The user writes to the channel; returns the path of the thread's tags."""
    dialogue = f"/v1/conversations/c2c_{part(id_of(path))}/messages"
    assert (await user.post(dialogue, {"kind": "text", "text": "Hello"})).status == 201
    return f"{path}/inbox/{part(user.id)}/tags"


async def test_tags_are_shared_listed_filtered_and_end_with_the_channel(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    ada, bob, *readers = (server.new_user(name) for name in ("ada", "bob", "cat", "dan", "eve"))
    path = await a_channel(ada, *readers, admins=(bob,))
    cat, dan, eve = [await _writes(reader, path) for reader in readers]
    hers, theirs = await ada.socket(), await readers[0].socket()
    put = await bob.put(cat, {"tags": ["order", "<b>café</b>"]})
    of_cat = {"channel_id": id_of(path), "user_id": readers[0].id}
    assert put.body == {**of_cat, "tags": ["order", "<b>café</b>"]}
    heard = await hers.hear("inbox.tagged", **of_cat)
    assert heard["tags"] == ["order", "<b>café</b>"]
    for tags in (dan, eve):
        assert (await ada.put(tags, {"tags": ["order"]})).status == 200
    assert (await ada.put(tags, {"tags": ["order"]})).status == 200
    told = [event["type"] for event in await hers.until_now()]
    assert told == ["inbox.tagged"] * 2  # none for the repeat
    assert await theirs.until_now() == []
    pages = await all_pages(bob, f"{path}/inbox?tag=order", limit=2)
    shown = [thread["user_id"] for page in pages for thread in page]
    assert shown == [reader.id for reader in reversed(readers)]
    assert pages[1][0]["tags"] == ["order", "<b>café</b>"]
    for tag, count in (("<b>café</b>", 1), ("none", 0)):
        assert len((await bob.get(f"{path}/inbox?tag={part(tag)}")).items) == count
    pages = await all_pages(bob, f"{path}/inbox/tags", limit=1)
    assert [item["tag"] for page in pages for item in page] == ["<b>café</b>", "order"]
    # A tag exists as long as a thread has it.
    assert (await ada.put(cat, {"tags": []})).body["tags"] == []
    assert (await ada.get(f"{path}/inbox/tags")).items == [{"tag": "order"}]
    none = await ada.put(f"{path}/inbox/{part(bob.id)}/tags", {"tags": ["order"]})
    assert none.refusal == (404, "conversation_not_found")
    assert (await ada.delete(path)).status == 204
    await server.services.chat.cleanup.wait()
    for name in ("inbox_tags", "threads"):
        assert await database.collection(name).find_one({}) is None


async def test_tags_have_limits_under_any_race(api: OpenApi) -> None:
    server = await api(inbox_tags=3)
    ada, bob, *readers = (server.new_user(name) for name in ("ada", "bob", "cat", "dan"))
    path = await a_channel(ada, *readers, admins=(bob,))
    cat, dan = [await _writes(reader, path) for reader in readers]
    for tags, status in (
        (["t" * 30], 200),
        (["t" * 31], 400),
        ([""], 400),
        ([" "], 400),
        (["two\nlines"], 400),
        (["a", "a"], 400),
        ([str(number) for number in range(6)], 400),
        (["a", "b", "c"], 200),
        (["a", "b", "d"], 200),  # the last `c` makes room
    ):
        assert (await ada.put(cat, {"tags": tags})).status == status, tags
    refused = await ada.put(dan, {"tags": ["a", "e"]})
    assert refused.refusal == (409, "inbox_tag_limit_reached")
    assert refused.body["details"]["limit"] == 3
    # Two admins who set the tags of two threads at once: neither sees the other's, and the limit holds.
    assert (await ada.put(cat, {"tags": ["a", "b"]})).status == 200
    both = await asyncio.gather(
        ada.put(cat, {"tags": ["a", "b", "ada"]}), bob.put(dan, {"tags": ["a", "bob"]})
    )
    assert sorted(answer.status for answer in both) == [200, 409]
    # Two admins who set the tags of one thread: those of one of them stay, and no other tag is in use.
    for place in (cat, dan):
        assert (await ada.put(place, {"tags": []})).status == 200
    assert (await ada.get(f"{path}/inbox/tags")).items == []
    await asyncio.gather(
        *(user.put(cat, {"tags": [user.id[:1], "x"]}) for user in (ada, bob) for _ in range(3))
    )
    threads = {
        thread["user_id"]: thread["tags"] for thread in (await ada.get(f"{path}/inbox")).items
    }
    used = [item["tag"] for item in (await ada.get(f"{path}/inbox/tags")).items]
    assert sorted(threads[readers[0].id]) == used
    assert used in (["a", "x"], ["b", "x"])


async def test_a_thread_has_at_most_five_tags(api: OpenApi) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    tags = await _writes(bob, path)
    for count, status in ((5, 200), (6, 400)):
        put = await ada.put(tags, {"tags": [str(number) for number in range(count)]})
        assert put.status == status
    assert (await bob.put(tags, {"tags": []})).refusal == (403, "permission_denied")
