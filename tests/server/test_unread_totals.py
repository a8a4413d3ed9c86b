"""Unread totals over the socket: which changes send them, to whom, and what they cost when many users read."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pytest
from pymongo.errors import AutoReconnect

from channels.limits import SOCKETS_PER_USER
from channels.server.metrics import Metrics
from channels.server.realtime import unread
from channels.server.realtime.hub import Hub
from channels.server.realtime.unread import UnreadFeed
from conversations.events import ConversationRead, ConversationUpdated
from conversations.models import ConversationId, Unread
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from tests.api import Ears, a_channel, a_chat_group, a_post, conversation_of, part
from tests.conftest import OpenApi
from tests.server.test_hub import Ear, an_ear, posted, texts_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
NAME: Final = ConversationId("group_@TOA#_news")


def at(path: str) -> str:
    return f"/v1/conversations/{part(conversation_of(path))}"


async def totals_on(ears: Ears, total: int, channels: int) -> dict[str, Any]:
    """The event with these totals."""
    return await ears.hear("unread.changed", total=total, channels=channels, chats=total - channels)


@own_loop
async def test_all_devices_receive_the_totals_after_a_change_on_one(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "REST_SECONDS", 0.01)
    here, there = await api(), await api()
    ada, bob, cat = (here.new_user(name) for name in ("ada", "bob", "cat"))
    news, tea = await a_channel(ada, bob, cat), await a_chat_group(ada, bob, cat)
    for path in (news, news, news, tea, tea):
        await a_post(ada, path)
    assert (await bob.put("/v1/conversation-groups/Papers")).status == 201
    await bob.post("/v1/conversation-groups/Papers/conversations", {"conversation_ids": []})
    devices = [await bob.socket(), await there.user_of(bob.id).socket()]
    other = await cat.socket()

    async def told(total: int, channels: int) -> None:
        for ears in devices:
            event = await totals_on(ears, total, channels)
            assert event["conversation_groups"] == {"Papers": 0}
        shown = (await bob.get("/v1/unread")).body
        assert (shown["total"], shown["channels"]) == (total, channels)

    await bob.post(f"{at(news)}/read", {"seq": 1})
    await told(4, 2)
    await bob.patch(at(news), {"muted": True})
    await told(2, 0)
    await a_post(bob, tea)
    await told(0, 0)
    await bob.patch(at(news), {"muted": False})
    await told(2, 2)
    await bob.patch(at(news), {"hidden": True})
    await told(0, 0)
    await a_post(ada, tea)
    await bob.post("/v1/read", {"scope": "all"})
    await told(0, 0)
    # Drafts and pins change no totals, and a repeated read changes nothing.
    await bob.patch(at(tea), {"draft": "Dear", "pinned": True})
    await bob.post(f"{at(tea)}/read")
    await asyncio.sleep(0.1)
    for ears in (*devices, other):
        await ears.tell(type="ping")
        while (frame := await ears.frame())["type"] != "pong":
            assert frame["event"]["type"] != "unread.changed"
        await ears.close()


# --- by itself --------------------------------------------------------------------------------------------------------


class Totals:
    """Reads totals, and counts for whom."""

    def __init__(self) -> None:
        self.read_for: Counter[UserId] = Counter()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.failures: list[Exception] = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, user_id: UserId) -> Unread:
        self.read_for[user_id] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.go_on.wait()
            await asyncio.sleep(0)
            if self.failures:
                raise self.failures.pop()
        finally:
            self.at_once -= 1
        return Unread(self.read_for[user_id], 0, 0, {})


def read_by(name: str) -> Event:
    return ConversationRead(at=AT, user_id=UserId(name), reads=())


def totals_told(ear: Ear) -> list[int]:
    return [
        event["total"]
        for frames in ear.frames
        for text in texts_of(frames)
        if (event := orjson.loads(text)["event"])["type"] == "unread.changed"
    ]


async def settled(feed: UnreadFeed) -> None:
    """Wait until nothing is read, and nobody's rest is over with a change."""
    async with asyncio.timeout(5):
        while feed._task is not None or feed._waiting or any(feed._resting.values()):
            await asyncio.sleep(0.001)


@own_loop
async def test_totals_are_read_once_for_changes_in_quick_succession_and_again_for_a_later_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unread, "REST_SECONDS", 0.02)
    hub, totals = Hub(Metrics(), SOCKETS_PER_USER), Totals()
    feed, bob = UnreadFeed(hub, totals), an_ear(hub, "bob")
    for _ in range(100):
        feed.on_events([read_by("bob"), read_by("nobody here")])
    totals.go_on.clear()
    await asyncio.sleep(0.001)
    feed.on_events([read_by("bob")])  # while they are read
    totals.go_on.set()
    await settled(feed)
    assert totals.read_for == {UserId("bob"): 2}
    assert totals_told(bob) == [1, 2]
    await feed.close()


@own_loop
async def test_what_changes_no_totals_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, totals = Hub(Metrics(), SOCKETS_PER_USER), Totals()
    feed = UnreadFeed(hub, totals)
    an_ear(hub, "bob")
    for changed in ({"draft": None}, {"pinned_at": None}, {"custom_data": ""}):
        feed.on_events(
            [
                ConversationUpdated(
                    at=AT, user_id=UserId("bob"), conversation_id=NAME, changed=dict(changed)
                )
            ]
        )
    feed.on_events([posted()])  # by another user
    await settled(feed)
    assert totals.read_for == {}
    await feed.close()


@own_loop
async def test_a_thousand_readers_are_served_one_at_a_time_with_pauses() -> None:
    hub, totals = Hub(Metrics(), SOCKETS_PER_USER), Totals()
    feed, readers = UnreadFeed(hub, totals), [f"u{number}" for number in range(1_000)]
    ears = [an_ear(hub, name) for name in readers]
    began = time.monotonic()
    for name in readers:
        feed.on_events([read_by(name)])
    assert time.monotonic() - began < 1  # the bus does not wait for any of it
    hub.detach(ears[-1])
    await settled(feed)
    assert totals.most_at_once == 1
    assert [totals_told(ear) for ear in ears] == [[1]] * 999 + [[]]
    await feed.close()


@own_loop
async def test_totals_that_cannot_be_read_are_read_later_and_withhold_no_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unread, "REST_SECONDS", 0.02)
    hub, totals = Hub(Metrics(), SOCKETS_PER_USER), Totals()
    feed, bob, cat = UnreadFeed(hub, totals), an_ear(hub, "bob"), an_ear(hub, "cat")
    totals.failures.append(AutoReconnect("away"))
    feed.on_events([read_by("bob"), read_by("cat")])
    await settled(feed)
    assert totals_told(bob) == [2]
    assert totals_told(cat) == [1]
    totals.failures.append(RuntimeError("a defect"))
    feed.on_events([read_by("cat")])
    await settled(feed)
    assert "a defect" in caplog.text
    await feed.close()
