"""What a client that was away reads: the changes since a version, and the page around the first unread message.

The same for posts, messages of groups, one-to-one messages and threads of an inbox.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.api import Api, User, a_channel, a_chat_group, a_post, conversation_of, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = {"kind": "text", "text": "Hello"}
BETTER = {"kind": "text", "text": "Better"}
FORMS = ("posts", "messages", "dialogue", "inbox")


@dataclass(frozen=True, slots=True)
class Place:
    """A stream as its reader sees it: `messages` for the reader, `written` for the writer, and `about` the stream."""

    writer: User
    reader: User
    written: str
    messages: str
    about: str

    async def write(self, number: int = 1) -> None:
        for _ in range(number):
            assert (await self.writer.post(self.written, HELLO)).status == 201

    async def edit(self, seq: int) -> dict[str, Any]:
        edited = await self.writer.patch(f"{self.written}/{seq}", BETTER)
        assert edited.status == 200, edited
        body: dict[str, Any] = edited.body
        return body

    async def recall(self, seq: int) -> None:
        assert (await self.writer.delete(f"{self.written}/{seq}")).status == 204

    async def page(self, query: str) -> dict[str, Any]:
        answer = await self.reader.get(f"{self.messages}?{query}")
        assert answer.status == 200, answer
        body: dict[str, Any] = answer.body
        return body

    async def version(self) -> int:
        body = (await self.reader.get(self.about)).body
        shown = body["items"][0] if "items" in body else body
        version: int = shown["version"]
        return version


async def a_place(api: Api, form: str) -> Place:
    ada, bob = api.new_user("ada"), api.new_user("bob")
    if form == "posts":
        path = await a_channel(ada, bob)
        return Place(ada, bob, f"{path}/posts", f"{path}/posts", path)
    if form == "messages":
        path = await a_chat_group(ada, bob)
        return Place(ada, bob, f"{path}/messages", f"{path}/messages", path)
    if form == "dialogue":
        to_bob, to_ada = (f"/v1/conversations/{part(f'c2c_{user.id}')}" for user in (bob, ada))
        return Place(ada, bob, f"{to_bob}/messages", f"{to_ada}/messages", to_ada)
    path = await a_channel(bob, ada)
    dialogue = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    return Place(ada, bob, dialogue, f"{path}/inbox/{ada.id}/messages", f"{path}/inbox")


@pytest_asyncio.fixture(params=FORMS, loop_scope="module")
async def place(request: pytest.FixtureRequest, shared_api: Api) -> AsyncIterator[Place]:
    yield await a_place(shared_api, request.param)


def seqs_of(page: dict[str, Any]) -> list[int]:
    return [item["seq"] for item in page["items"]]


async def test_changes_made_while_away_are_read_page_by_page(place: Place) -> None:
    await place.write(4)
    known = await place.version()
    assert known == 0
    assert (await place.page("changed_since=0"))["items"] == []
    for version, seq in ((1, 3), (3, 1), (5, 3)):
        assert (await place.edit(seq))["version"] == version
        await place.writer.patch(f"{place.written}/{seq}", HELLO)
    await place.recall(4)
    assert await place.version() == 7
    first = await place.page("changed_since=0&limit=2")
    assert [(item["seq"], item["version"]) for item in first["items"]] == [(1, 4), (3, 6)]
    assert first["version"] == 6
    rest = await place.page(f"changed_since=0&limit=2&cursor={first['next_cursor']}")
    [tombstone] = rest["items"]
    assert (tombstone["seq"], tombstone["version"], tombstone["text"]) == (4, 7, None)
    assert tombstone["recalled_at"] is not None
    assert (rest["version"], rest["next_cursor"]) == (7, None)
    assert await place.page(f"changed_since={first['version']}") == rest
    assert (await place.page("changed_since=7"))["items"] == []
    newest = await place.page("limit=1")
    assert newest["items"] == [tombstone]
    others = (newest["version"], newest["newer_cursor"], newest["first_unread_seq"])
    assert others == (None, None, None)


@pytest.mark.parametrize(
    "query",
    [
        "changed_since=0&before_seq=2",
        "changed_since=0&after_seq=1",
        "changed_since=0&around_seq=1",
        "changed_since=0&around=unread",
        "around_seq=1&around=unread",
        "around_seq=1&before_seq=2",
        "around=unread&after_seq=0",
        "changed_since=-1",
        f"changed_since={2**53}",
        "around_seq=0",
        f"around_seq={2**53}",
        "around=1",
    ],
)
async def test_places_that_exclude_each_other_are_refused(shared_api: Api, query: str) -> None:
    for form in FORMS:
        place = await a_place(shared_api, form)
        await place.write()
        for alone in ("changed_since=0", "around_seq=1", "around=unread", "before_seq=2"):
            await place.page(alone)
        refused = await place.reader.get(f"{place.messages}?{query}")
        assert refused.refusal == (400, "invalid_request")


async def test_a_page_around_a_seq_has_both_sides_in_one_call(place: Place) -> None:
    await place.write(7)
    page = await place.page("around_seq=4&limit=3")
    assert (seqs_of(page), page["first_unread_seq"]) == ([5, 4, 3], None)
    assert seqs_of(await place.page(f"limit=3&cursor={page['newer_cursor']}")) == [7, 6]
    assert seqs_of(await place.page(f"limit=3&cursor={page['next_cursor']}")) == [2, 1]
    page = await place.page("around_seq=99&limit=3")
    assert (seqs_of(page), page["newer_cursor"]) == ([7, 6, 5], None)


async def test_a_page_around_the_first_unread_message_names_it(place: Place) -> None:
    await place.write(7)
    page = await place.page("around=unread&limit=4")
    assert (page["first_unread_seq"], seqs_of(page)) == (1, [3, 2, 1])
    read = place.about if "conversations" in place.about else None
    if "inbox" in place.messages:
        read = place.messages.removesuffix("/messages")
    elif read is None:
        read = f"/v1/conversations/{part(conversation_of(place.about))}"
    for seq, first_unread, shown in ((4, 5, [7, 6, 5, 4]), (7, None, [7, 6, 5, 4])):
        marked = await place.reader.post(f"{read}/read", {"seq": seq})
        assert (marked.status, marked.body["read_seq"]) == (200, seq), marked
        page = await place.page("around=unread&limit=4")
        assert (page["first_unread_seq"], seqs_of(page)) == (first_unread, shown)


async def test_nothing_is_around_where_nothing_was_written(shared_api: Api) -> None:
    for form in ("posts", "messages", "dialogue"):
        place = await a_place(shared_api, form)
        for query in ("around=unread", "around_seq=5", "changed_since=3"):
            page = await place.page(query)
            assert (page["items"], page["next_cursor"], page["newer_cursor"]) == (
                [],
                None,
                None,
            )
            assert page["first_unread_seq"] is None


async def test_unread_begins_where_a_user_subscribed_and_strangers_get_the_newest(
    shared_api: Api,
) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada)
    for _ in range(5):
        await a_post(ada, path)
    assert (await bob.put(f"{path}/subscription")).status in {200, 201}
    page = (await bob.get(f"{path}/posts?around=unread&limit=2")).body
    assert (page["first_unread_seq"], seqs_of(page)) == (None, [5, 4])
    await a_post(ada, path)
    for user, first_unread in ((bob, 6), (ada, None), (eve, None)):
        page = (await user.get(f"{path}/posts?around=unread&limit=2")).body
        assert (page["first_unread_seq"], seqs_of(page)) == (first_unread, [6, 5])


async def test_pages_of_changes_and_around_show_reactions_and_authors_as_lists_do(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    await a_post(ada, path)
    await bob.put(f"{path}/posts/1/reactions/{part('👍')}")
    assert (await ada.put(f"{path}/posts/1/pin")).status == 200
    assert (await ada.put(f"{path}/posts/1/reactions-freeze")).status == 200
    for user in (ada, bob):
        [listed] = (await user.get(f"{path}/posts")).items
        assert listed["reactions"]["total"] == 1
        for query in ("changed_since=0", "around_seq=1", "around=unread"):
            assert (await user.get(f"{path}/posts?{query}")).items == [listed]


async def test_strangers_read_changes_of_a_channel_only_where_they_read_it(
    shared_api: Api,
) -> None:
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    for visibility, status in (("public", 200), ("private", 404)):
        path = await a_channel(ada, settings={"visibility": visibility})
        await a_post(ada, path)
        for query in ("changed_since=0", "around_seq=1", "around=unread"):
            assert (await eve.get(f"{path}/posts?{query}")).status == status


async def test_live_changes_tell_their_version(place: Place) -> None:
    await place.write(2)
    ears = await place.reader.socket()
    await place.edit(2)
    await place.recall(1)
    heard = [event for event in await ears.until_now() if event["type"].startswith("message.")]
    shown = [(event["type"], event["seq"], event["version"]) for event in heard]
    assert shown == [("message.edited", 2, 1), ("message.recalled", 1, 2)]
    for event in heard:
        message = event["post"] if "post" in event else event["message"]
        assert message["version"] == event["version"]
    await place.write()
    [posted] = [e for e in await ears.until_now() if e["type"] == "message.posted"]
    message = posted["post"] if "post" in posted else posted["message"]
    assert ("version" in posted, message["version"]) == (False, 0)
    await ears.close()


async def test_lists_tell_the_kind_of_the_last_message_until_it_is_recalled(place: Place) -> None:
    await place.write()
    where = {"posts": "last_post"}.get(place.messages.rpartition("/")[2], "last_message")
    paths = [place.about, "/v1/conversations"]
    if where == "last_message" and "/groups/" in place.about:
        paths = ["/v1/conversations"]

    async def last(path: str) -> dict[str, Any]:
        body = (await place.reader.get(path)).body
        shown = body["items"][0] if "items" in body else body
        found: dict[str, Any] = shown[where if path == place.about else "last_message"]
        return found

    if "/inbox/" in place.messages:
        paths = [place.about]
    for path in paths:
        shown = await last(path)
        assert (shown["kind"], shown["recalled"], shown["preview"]) == ("text", False, "Hello")
    await place.recall(1)
    for path in paths:
        shown = await last(path)
        assert (shown["kind"], shown["recalled"], shown["preview"]) == (None, True, "")
        assert shown["seq"] == 1
