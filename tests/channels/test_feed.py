"""The feed of events: what a back end reads of a deployment or a channel, page by page, waiting, or as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from channels.event_views.public import PublicEvent
from channels.feed import recent as recent_module
from channels.feed import service as service_module
from channels.feed.models import FeedItem, FeedPosition
from channels.server.web.streams import event_stream
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo.outbox import OUTBOX
from tests.api import PATIENCE_SECONDS, User, a_channel, a_post, id_of, part, the_app
from tests.conftest import OpenApi

STREAM = {"Accept": "text/event-stream"}
THE_APP = UserId("the-app")


def texts(events: list[Any]) -> list[str]:
    """The texts of the posts among these events."""
    return [
        event.get("post", event.get("message", {})).get("text")
        for event in events
        if event["type"] == "message.posted"
    ]


async def cursor_now(reader: User, query: str = "") -> str:
    answer = await reader.get(f"/v1/events?{query}")
    assert answer.items == []
    cursor = answer.body["cursor"]
    assert isinstance(cursor, str)
    return cursor


async def read_on(reader: User, cursor: str, query: str, count: int) -> tuple[list[Any], str]:
    """The next events after the cursor, page by page, until there are `count`; and the cursor after them."""
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < count:
            answer = await reader.get(f"/v1/events?after={cursor}&wait=5&{query}")
            found += answer.items
            cursor = answer.body["cursor"]
    return found, cursor


class Stream:
    """A stream of server-sent events, read event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.first = ""
        """The cursor from which the stream begins."""

    async def block(self) -> dict[str, str]:
        """The fields of the next block; a comment is the field ""."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                line = (await self.response.content.readline()).decode()
                if not line:
                    return {"event": "eof"}
                if line == "\n":
                    return fields
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value.removeprefix(" ")

    async def event(self) -> dict[str, str]:
        """The next block that is dispatched; it skips comments and blocks that only move the cursor."""
        while "data" not in (block := await self.block()) and block.get("event") != "eof":
            pass
        return block


@asynccontextmanager
async def following(reader: User, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    async with reader.http.get(
        f"{reader.base}/v1/events?{query}",
        headers={"Authorization": f"Bearer {reader.token}", **STREAM, **headers},
        timeout=aiohttp.ClientTimeout(total=None),
    ) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        stream = Stream(response)
        stream.first = (await stream.block())["id"]
        yield stream


# --- pages ------------------------------------------------------------------------------------------------------------


async def test_a_reader_who_goes_on_with_each_cursor_gets_every_event_once(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    cursor = await cursor_now(app)
    path = await a_channel(ada)
    for number in range(5):
        await a_post(ada, path, str(number))
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(texts(found)) < 5:
            answer = await app.get(f"/v1/events?after={cursor}&limit=2&wait=5")
            assert len(answer.items) <= 2
            found += answer.items
            cursor = answer.body["cursor"]
    assert texts(found) == ["0", "1", "2", "3", "4"]
    assert len({event["event_id"] for event in found}) == len(found)
    # The end: nothing more, and a cursor all the same.
    answer = await app.get(f"/v1/events?after={cursor}")
    assert (answer.items, isinstance(answer.body["cursor"], str)) == ([], True)
    # And again from the oldest event on, in another way.
    answer = await app.get("/v1/events?after=start&limit=500&types=message.posted")
    assert texts(answer.items) == ["0", "1", "2", "3", "4"]


async def test_a_page_ends_inside_of_a_transaction_and_goes_on_there(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    users = [server.new_user("s") for _ in range(7)]
    await asyncio.gather(*(user.put(f"{path}/subscription") for user in users))
    await a_post(ada, path, "last")
    pages = {}
    for limit in (1, 3, 500):
        found: list[Any] = []
        cursor = "start"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "last" not in texts(found):
                answer = await app.get(f"/v1/events?after={cursor}&limit={limit}&wait=5")
                found += answer.items
                cursor = answer.body["cursor"]
        # What comes after the last post may be on the same page.
        last = next(n for n, event in enumerate(found) if texts([event]) == ["last"])
        pages[limit] = [event["event_id"] for event in found[: last + 1]]
    assert pages[1] == pages[3] == pages[500]
    assert len(set(pages[1])) == len(pages[1])


async def test_a_channel_has_its_own_events_and_types_select_among_them(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer than the other channel has.
    monkeypatch.setattr(service_module, "MOST_LOOKED_AT", 3)
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    app = the_app(ada)
    mine, other = await a_channel(ada), await a_channel(bob)
    start = await cursor_now(app)
    await a_post(ada, mine, "first")
    for number in range(8):
        await a_post(bob, other, f"other {number}")
    await a_post(ada, mine, "second")
    await app.patch(mine, {"introduction": "New"})
    found: list[Any] = []
    cursor, empty = start, 0
    query = f"channel_id={part(id_of(mine))}"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < 3:
            answer = await ada.get(f"/v1/events?after={cursor}&{query}")
            found += answer.items
            empty += not answer.items and answer.body["cursor"] != cursor
            cursor = answer.body["cursor"]
    assert texts(found) == ["first", "second"]
    assert {event["channel_id"] for event in found} == {id_of(mine)}
    # One call looks at a bounded part of the log, and moves on also where nothing was found.
    assert empty
    found, _ = await read_on(ada, start, f"{query}&types=channel.updated", 1)
    assert [event["type"] for event in found] == ["channel.updated"]


async def test_a_page_is_bounded_in_bytes(api: OpenApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "PAGE_BYTES", 4_000)
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    for _ in range(4):
        await a_post(ada, path, "x" * 1_500)
    cursor = "start"
    sizes: list[int] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(sizes) < 4:
            answer = await app.get(f"/v1/events?after={cursor}&types=message.posted&wait=5")
            assert len(answer.text) < 4_500
            sizes.append(len(answer.items))
            cursor = answer.body["cursor"]
    assert max(sizes) < 4


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("after=nonsense", (400, "bad_cursor")),
        ("after=WyJldmVudHMiLDEsMl0", (400, "bad_cursor")),  # two numbers
        ("after=WyJldmVudHMiLDEsMiwtM10", (400, "bad_cursor")),  # a negative one
        ("after=WyJldmVudHMiLDk5OTksMSwxXQ", (400, "bad_cursor")),  # beyond the end
        ("after=", (400, "bad_cursor")),
        ("types=message.posted,nothing.done", (400, "unknown_event_type")),
        ("types=", (400, "invalid_request")),
        ("wait=31", (400, "invalid_request")),
        ("limit=501", (400, "invalid_request")),
        ("limit=0", (400, "invalid_request")),
        ("channel_id=%40TOA%23_nowhere", (404, "channel_not_found")),
    ],
)
async def test_a_bad_request_is_refused_in_either_form(
    api: OpenApi, query: str, refusal: tuple[int, str]
) -> None:
    server = await api()
    app = the_app(server.new_user())
    assert (await app.get(f"/v1/events?{query}")).refusal == refusal
    assert (await app.get(f"/v1/events?{query}", headers=STREAM)).refusal == refusal
    assert (await app.get("/v1/events?limit=500&types=message.posted")).status == 200


async def test_a_reader_who_was_away_for_too_long_is_told_so_with_the_oldest_cursor(
    api: OpenApi,
) -> None:
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    own = f"channel_id={part(id_of(path))}"
    cursor = await cursor_now(app)
    for number in range(4):
        await a_post(ada, path, str(number))
    found, end = await read_on(app, cursor, "types=message.posted", 4)
    outbox = server.services.database.collection(OUTBOX)
    rows = await outbox.find({"events.type": "message.posted"}).sort("position", 1).to_list(None)
    # The first two, as if they had expired. The ring of recent events must not hide that for ever.
    await outbox.delete_many({"position": {"$lte": rows[1]["position"]}})
    server.services.feed.recent._begin_at(rows[-1]["position"])
    for query in (
        f"after={cursor}",
        f"after={cursor}&{own}",
        f"after={cursor}&types=message.posted",
    ):
        answer = await app.get(f"/v1/events?{query}")
        assert answer.refusal == (410, "events_expired"), query
        oldest = answer.body["details"]["oldest"]
        assert texts((await app.get(f"/v1/events?after={oldest}")).items) == ["2", "3"]
    assert texts((await app.get("/v1/events?after=start")).items) == ["2", "3"]
    # A reader in the middle of an expired transaction too, and one at the end of an empty log not.
    await outbox.delete_many({"position": {"$exists": True}})
    assert (await app.get(f"/v1/events?after={cursor}")).refusal == (410, "events_expired")
    answer = await app.get(f"/v1/events?after={end}")
    assert (answer.items, answer.status) == ([], 200)
    assert len(texts(found)) == 4


# --- rights -----------------------------------------------------------------------------------------------------------


async def test_a_channel_is_read_by_its_owner_and_admins_with_the_right(api: OpenApi) -> None:
    server = await api()
    ada, reader, writer, stranger = (server.new_user(name) for name in ("ada", "r", "w", "s"))
    path = await a_channel(ada, stranger, admins=(reader, writer))
    for admin, grants in ((reader, ["read_events"]), (writer, ["post", "read_inbox"])):
        answer = await ada.put(f"{path}/admins/{part(admin.id)}", {"grants": grants})
        assert answer.status == 200, answer
    own = f"/v1/events?channel_id={part(id_of(path))}"
    for user in (ada, reader, the_app(ada)):
        assert (await user.get(own)).status == 200
    assert (await writer.get(own)).refusal == (403, "permission_denied")
    assert (await writer.get(own)).body["details"] == {"grant": "read_events"}
    assert (await stranger.get(own)).refusal == (403, "permission_denied")
    assert (await ada.get("/v1/events")).refusal == (403, "permission_denied")
    assert (await the_app(ada).get("/v1/events")).status == 200
    hidden = await a_channel(ada, settings={"visibility": "private"})
    of_hidden = f"/v1/events?channel_id={part(id_of(hidden))}"
    assert (await stranger.get(of_hidden)).refusal == (404, "channel_not_found")
    assert (await ada.get(of_hidden)).status == 200


async def test_what_happens_in_the_inbox_is_for_those_who_may_read_it(api: OpenApi) -> None:
    server = await api()
    ada, reader, both, bob = (server.new_user(name) for name in ("ada", "r", "b", "bob"))
    path = await a_channel(
        ada, bob, admins=(reader, both), settings={"accept_messages": "everyone"}
    )
    for admin, grants in ((reader, ["read_events"]), (both, ["read_events", "read_inbox"])):
        await ada.put(f"{path}/admins/{part(admin.id)}", {"grants": grants})
    filters = [
        await server.services.feed._filter(Actor(UserId(user.id)), None, GroupId(id_of(path)))
        for user in (ada, reader, both)
    ]
    thread = {"event_id": "1", "type": "message.posted", "channel_id": id_of(path), "at": ""}
    position = FeedPosition(1, 0, 0)
    said = FeedItem.of(
        position, PublicEvent({**thread, "stream_id": f"inbox_{id_of(path)}:{bob.id}"})
    )
    of_channel = {**thread, "stream_id": f"group_{id_of(path)}"}
    posted = FeedItem.of(position, PublicEvent(of_channel))
    elsewhere = FeedItem.of(position, PublicEvent({**of_channel, "channel_id": "@TOA#_other"}))
    assert [each.matches(said) for each in filters] == [True, False, True]
    assert [each.matches(posted) for each in filters] == [True, True, True]
    assert not any(each.matches(elsewhere) for each in filters)


# --- waiting ----------------------------------------------------------------------------------------------------------


async def test_a_reader_waits_for_the_first_event_without_a_place_of_a_request(
    api: OpenApi,
) -> None:
    server = await api(feed_readers_per_user=2)
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    cursor = await cursor_now(app)
    cursor = (await app.get(f"/v1/events?after={cursor}&wait=1")).body["cursor"]
    waiting = [asyncio.create_task(app.get(f"/v1/events?after={cursor}&wait=30")) for _ in range(2)]
    await until(lambda: server.services.feed._readers[THE_APP] == 2)
    await until(lambda: server.app.load_shedder.at_work == 0)
    assert server.app.handlers.back_end_requests.keys == 0
    assert server.app._http._under_way == 0
    metrics = (await app.get("/metrics")).text
    assert "channels_feed_readers 2.0" in metrics
    refused = await app.get(f"/v1/events?after={cursor}&wait=30")
    assert refused.refusal == (429, "rate_limited")
    assert (await app.get(f"/v1/events?after={cursor}&wait=0")).items == []
    await a_post(ada, path, "now")
    for answer in await asyncio.gather(*waiting):
        assert texts(answer.items) == ["now"]
    await until(lambda: not server.services.feed._readers)


async def test_a_wait_without_events_ends_with_an_empty_page(api: OpenApi) -> None:
    server = await api()
    app = the_app(server.new_user())
    began = asyncio.get_running_loop().time()
    answer = await app.get("/v1/events?wait=1")
    assert answer.items == []
    assert 0.9 < asyncio.get_running_loop().time() - began < 10


async def test_readers_do_not_hold_up_a_stop(api: OpenApi) -> None:
    server = await api()
    app = the_app(server.new_user())
    waiting = asyncio.create_task(app.get("/v1/events?wait=30"))
    async with following(app) as stream:
        await until(lambda: server.services.feed._readers[THE_APP] == 2)
        began = asyncio.get_running_loop().time()
        await server.stop()
        assert asyncio.get_running_loop().time() - began < 4
        assert (await stream.event())["event"] == "eof"
    assert (await waiting).items == []


async def test_a_client_that_goes_away_is_a_reader_no_more(api: OpenApi) -> None:
    server = await api()
    app = the_app(server.new_user())
    waiting = asyncio.create_task(app.get("/v1/events?wait=30"))
    async with following(app):
        await until(lambda: server.services.feed._readers[THE_APP] == 2)
        waiting.cancel()
    await until(lambda: not server.services.feed._readers)


# --- streams ----------------------------------------------------------------------------------------------------------


async def test_a_stream_goes_on_after_the_last_event_id(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    query = f"types=message.posted&channel_id={part(id_of(path))}"
    async with following(ada, query) as stream:
        first = stream.first
        for number in range(3):
            await a_post(ada, path, str(number))
        events = [await stream.event() for _ in range(2)]
    assert [event["event"] for event in events] == ["message.posted"] * 2
    assert texts([json.loads(event["data"]) for event in events]) == ["0", "1"]
    last = {"Last-Event-ID": events[-1]["id"]}
    # It takes precedence over `after`.
    async with following(app, f"{query}&after=start", **last) as stream:
        assert texts([json.loads((await stream.event())["data"])]) == ["2"]
    # The stream began with a cursor too, for those that are cut off before the first event.
    async with following(ada, query, **{"Last-Event-ID": first}) as stream:
        assert stream.first == first
        assert texts([json.loads((await stream.event())["data"])]) == ["0"]
    # The id is a cursor of the pages too.
    found, _ = await read_on(ada, events[-1]["id"], query, 1)
    assert texts(found) == ["2"]


async def test_a_stream_without_events_sends_comments(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.1)
    server = await api()
    async with following(the_app(server.new_user())) as stream:
        assert await stream.block() == {"": ""}
        assert await stream.block() == {"": ""}


async def test_a_stream_ends_when_its_token_expires_or_is_revoked(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada", hours=1)
    path = await a_channel(ada)
    query = f"channel_id={part(id_of(path))}"
    async with following(ada, query) as stream:
        revoked = await the_app(ada).delete(f"/v1/users/{part(ada.id)}/tokens")
        assert revoked.status < 300, revoked
        assert await ended(stream) == "unauthenticated"
    again = server.user_of(ada.id, hours=1)
    async with following(again, query) as stream:
        server.clock.move(seconds=3_700)
        assert await ended(stream) == "unauthenticated"


async def test_a_stream_ends_when_the_right_is_withdrawn(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "ACCESS_SECONDS", 0.1)
    server = await api()
    ada, admin = server.new_user("ada"), server.new_user("admin")
    path = await a_channel(ada, admins=(admin,))
    async with following(admin, f"channel_id={part(id_of(path))}") as stream:
        await ada.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post"]})
        assert await ended(stream) == "permission_denied"


async def test_many_readers_at_the_end_share_the_reading(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api(feed_readers_per_user=100)
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    streams: list[Stream] = []
    reads = 0
    log_type = type(server.services.log)
    read = log_type.read

    async def counted(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(self, *args, **options)

    async with asyncio.timeout(PATIENCE_SECONDS):
        opened = [following(app, "types=message.posted") for _ in range(50)]
        for each in opened:
            streams.append(await each.__aenter__())
        await asyncio.sleep(0.3)
        monkeypatch.setattr(log_type, "read", counted)
        await a_post(ada, path, "for all")
        for stream in streams:
            assert texts([json.loads((await stream.event())["data"])]) == ["for all"]
        assert reads < 25
        for each in opened:
            await each.__aexit__(None, None, None)


async def test_readers_behind_the_kept_events_read_from_the_log(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two posts, more or less.
    monkeypatch.setattr(recent_module, "KEPT_BYTES", 1_500)
    server = await api()
    ada = server.new_user("ada")
    app = the_app(ada)
    path = await a_channel(ada)
    async with following(app, "types=message.posted") as stream:
        for number in range(12):
            await a_post(ada, path, str(number))
        live = [json.loads((await stream.event())["data"]) for _ in range(12)]
        assert texts(live) == [str(number) for number in range(12)]
        recent = server.services.feed.recent
        assert recent.start > 0
        assert recent._bytes <= 1_500
        found, _ = await read_on(app, "start", "types=message.posted&limit=5", 12)
        assert [event["event_id"] for event in found] == [event["event_id"] for event in live]


async def ended(stream: Stream) -> str:
    """The code with which the stream ends."""
    while (event := await stream.event())["event"] not in {"closed", "eof"}:
        pass
    assert event["event"] == "closed", event
    assert (await stream.event())["event"] == "eof"
    return str(json.loads(event["data"])["code"])


async def until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)
