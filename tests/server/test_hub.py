"""The hub by itself, with sessions that only remember: who hears what, in which order, encoded how often."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import pytest

import channels.server.app  # noqa: F401  # the composition root knows every package
from channels.event_views.catalogue import EVENT_TYPES
from channels.event_views.registry import has_views
from channels.limits import SOCKETS_PER_USER
from channels.server.metrics import Metrics
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.delivery import WRITES_A_TURN, Skippable
from channels.server.realtime.hub import Hub
from conversations.events import ConversationRead
from conversations.models import ReadMark
from groups.events import (
    GroupDisbanded,
    GroupEvent,
    GroupUpdated,
    LeaveReason,
    MembersJoined,
    MembersLeft,
    MessagePosted,
    TokensRevoked,
)
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Content, Kind, Message, stream_of
from reactions.events import OwnReactions, ReactionsChanged

NEWS = GroupId("@TOA#_news")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def texts_of(frames: bytes) -> Iterator[bytes]:
    """The payloads of whole, unmasked text frames."""
    place = 0
    while place < len(frames):
        assert frames[place] == 0x81
        size, place = frames[place + 1], place + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, place = int.from_bytes(frames[place : place + width]), place + width
        yield frames[place : place + size]
        place += size


_opened = itertools.count()


class Ear:
    """A session that remembers."""

    def __init__(self, name: str) -> None:
        self.user_id = UserId(name)
        self.streams: set[StreamId] = set()
        self.watched: set[StreamId] = set()
        self.frames: list[bytes] = []
        self.details: list[Skippable | None] = []
        self.closed_with: CloseCode | None = None
        self.opened_at = float(next(_opened))
        self.issued_at = AT

    def end_if_revoked(self, revoked_at: datetime) -> None:
        if self.issued_at <= revoked_at:
            self.close_soon(CloseCode.BAD_TOKEN)

    def end_if_other_kind(self, *, is_business: bool) -> None:
        if is_business:
            self.close_soon(CloseCode.BAD_TOKEN)

    def end_if_withdrawn(self, keys: Collection[str]) -> None:
        self.close_soon(CloseCode.BAD_TOKEN)

    def push(self, frames: bytes, detail: Skippable | None = None) -> None:
        self.frames.append(frames)
        self.details.append(detail)

    def close_soon(self, code: CloseCode) -> None:
        self.closed_with = code

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(text)["event"] for text in texts_of(b"".join(self.frames))]

    @property
    def heard(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def hub() -> Hub:
    return Hub(Metrics(), SOCKETS_PER_USER)


def an_ear(hub: Hub, name: str, *group_ids: GroupId) -> Ear:
    ear = Ear(name)
    hub.attach(ear)
    hub.receive_groups(ear, group_ids)
    return ear


def posted(group_id: GroupId = NEWS, *, seq: int = 1, is_channel: bool = True) -> MessagePosted:
    message = Message(
        stream_id=stream_of(group_id),
        seq=seq,
        sender_id=UserId("ada"),
        content=Content(kind=Kind.TEXT, text="Hello"),
        created_at=AT,
    )
    return MessagePosted(at=AT, group_id=group_id, is_channel=is_channel, message=message)


def joined(*names: str, announce: bool = False) -> MembersJoined:
    users = tuple(UserId(name) for name in names)
    return MembersJoined(
        at=AT, group_id=NEWS, user_ids=users, member_count=9, announce=announce, is_channel=True
    )


def left(*names: str, announce: bool = False) -> MembersLeft:
    users = tuple(UserId(name) for name in names)
    return MembersLeft(
        at=AT,
        group_id=NEWS,
        user_ids=users,
        reason=LeaveReason.LEFT,
        member_count=9,
        announce=announce,
        is_channel=True,
    )


def reacted(total: int, *own: OwnReactions, seq: int = 1) -> ReactionsChanged:
    return ReactionsChanged(
        at=AT,
        stream_id=stream_of(NEWS),
        group_id=NEWS,
        is_channel=True,
        seq=seq,
        counts={"👍": total},
        total=total,
        own=own,
    )


# --- who hears ------------------------------------------------------------------------------------------------------


def test_members_receive_a_post_and_others_do_not(hub: Hub) -> None:
    bob, eve = an_ear(hub, "bob", NEWS), an_ear(hub, "eve", GroupId("@TOA#_other"))
    hub.on_events([posted()])
    assert bob.heard == ["message.posted"]
    assert eve.heard == []


def test_every_session_of_a_user_receives_events(hub: Hub) -> None:
    phone, laptop = an_ear(hub, "bob", NEWS), an_ear(hub, "bob", NEWS)
    hub.on_events([posted()])
    assert phone.heard == laptop.heard == ["message.posted"]


def test_an_event_is_encoded_once_for_all_receivers(hub: Hub) -> None:
    ears = [an_ear(hub, f"user-{number}", NEWS) for number in range(50)]
    hub.on_events([posted()])
    first = ears[0].frames[0]
    assert all(ear.frames[0] is first for ear in ears)


def test_the_frame_of_a_channel_does_not_name_its_author(hub: Hub) -> None:
    bob = an_ear(hub, "bob", NEWS)
    hub.on_events([posted()])
    assert b"ada" not in bob.frames[0]
    hub.on_events([posted(is_channel=False)])
    assert bob.events[1]["message"]["sender_id"] == "ada"


def test_a_joining_user_gets_one_event_even_if_members_get_it_too(hub: Hub) -> None:
    ada, bob, cat = an_ear(hub, "ada", NEWS), an_ear(hub, "bob"), an_ear(hub, "cat")
    hub.on_events([joined("bob", "cat", announce=True)])
    assert [event["user_id"] for event in ada.events] == ["bob", "cat"]
    assert [event["user_id"] for event in bob.events] == ["bob", "cat"]
    assert [event["user_id"] for event in cat.events] == ["bob", "cat"]


def test_joins_to_a_channel_reach_the_joining_user_alone(hub: Hub) -> None:
    ada, bob = an_ear(hub, "ada", NEWS), an_ear(hub, "bob")
    hub.on_events([joined("bob")])
    hub.on_events([left("bob")])
    assert ada.heard == []
    assert bob.heard == ["channel.subscribed", "channel.unsubscribed"]


# --- coming and going -----------------------------------------------------------------------------------------------


def test_events_begin_with_joining_and_end_with_leaving(hub: Hub) -> None:
    bob = an_ear(hub, "bob")
    hub.on_events([posted(seq=1)])
    hub.on_events([joined("bob")])
    hub.on_events([posted(seq=2)])
    hub.on_events([left("bob")])
    hub.on_events([posted(seq=3)])
    assert bob.heard == ["channel.subscribed", "message.posted", "channel.unsubscribed"]
    assert bob.events[1]["seq"] == 2


def test_members_receive_the_end_of_a_group_and_then_nothing(hub: Hub) -> None:
    bob = an_ear(hub, "bob", NEWS)
    hub.watch(bob, stream_of(NEWS))
    hub.on_events([GroupDisbanded(at=AT, group_id=NEWS, is_channel=True)])
    hub.on_events([posted()])
    hub.on_events([reacted(1)])
    assert bob.heard == ["channel.deleted"]
    assert (bob.streams, bob.watched) == (set(), set())


@pytest.mark.parametrize(
    ("meanwhile", "read", "hears"),
    [
        pytest.param([], [NEWS], True, id="nothing"),
        pytest.param([left("bob")], [NEWS], False, id="left, and the reading began before"),
        pytest.param([left("bob")], [], False, id="left, and the reading saw it"),
        pytest.param([joined("bob")], [], True, id="joined, and the reading began before"),
        pytest.param([joined("bob")], [NEWS], True, id="joined, and the reading saw it"),
        pytest.param([left("bob"), joined("bob")], [NEWS], True, id="left and came back"),
        pytest.param([left("bob"), joined("bob")], [], True, id="left and came back, unseen"),
        pytest.param([joined("bob"), left("bob")], [NEWS], False, id="joined and left"),
        pytest.param(
            [GroupDisbanded(at=AT, group_id=NEWS, is_channel=True)], [NEWS], False, id="disbanded"
        ),
        pytest.param([left("eve")], [NEWS], True, id="somebody else left"),
    ],
)
def test_joins_and_leaves_during_loading_count(
    hub: Hub, meanwhile: list[GroupEvent], read: list[GroupId], hears: bool
) -> None:
    bob = Ear("bob")
    hub.attach(bob)
    for event in meanwhile:
        hub.on_events([event])
    hub.receive_groups(bob, read)
    hub.on_events([posted()])
    assert ("message.posted" in bob.heard) is hears


def test_a_session_that_ends_leaves_no_trace(hub: Hub) -> None:
    empty = {name: repr(value) for name, value in vars(hub).items()}
    bob, loading = an_ear(hub, "bob", NEWS), Ear("bob")
    hub.watch(bob, stream_of(NEWS))
    hub.attach(loading)
    hub.detach(bob)
    hub.detach(loading)
    hub.on_events([posted()])
    assert bob.frames == loading.frames == []
    assert {name: repr(value) for name, value in vars(hub).items()} == empty


def test_one_session_s_end_does_not_end_another_s(hub: Hub) -> None:
    phone, laptop = an_ear(hub, "bob", NEWS), an_ear(hub, "bob", NEWS)
    hub.detach(phone)
    hub.on_events([posted()])
    assert laptop.heard == ["message.posted"]


def test_lost_events_close_every_session_for_a_resync(hub: Hub) -> None:
    ears = [an_ear(hub, "bob", NEWS), an_ear(hub, "bob"), an_ear(hub, "eve")]
    hub.resync()
    assert [ear.closed_with for ear in ears] == [CloseCode.RESYNC] * 3


# --- reactions ------------------------------------------------------------------------------------------------------


class Timers:
    """Takes the loop's timers, and fires them when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self._take)

    def _take(self, delay: float, callback: Callable[..., None], *args: Any) -> None:
        assert delay >= 0.5  # at most two a second
        self.waiting.append((callback, args))

    def fire(self) -> None:
        due, self.waiting = self.waiting, []
        for callback, args in due:
            callback(*args)


async def test_many_reactions_are_two_frames_and_the_newest_counts_are_last(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    bob = an_ear(hub, "bob", NEWS)
    hub.watch(bob, stream_of(NEWS))
    for total in range(1, 11):
        hub.on_events([reacted(total)])
    assert [event["total"] for event in bob.events] == [1]
    timers.fire()
    assert [event["total"] for event in bob.events] == [1, 10]
    hub.on_events([reacted(11)])
    assert [event["total"] for event in bob.events] == [1, 10]
    timers.fire()
    timers.fire()
    assert [event["total"] for event in bob.events] == [1, 10, 11]
    assert timers.waiting == []
    hub.on_events([reacted(12)])
    assert [event["total"] for event in bob.events] == [1, 10, 11, 12]


async def test_reactions_to_two_messages_do_not_wait_for_each_other(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    Timers(monkeypatch)
    bob = an_ear(hub, "bob", NEWS)
    hub.watch(bob, stream_of(NEWS))
    hub.on_events([reacted(1, seq=1)])
    hub.on_events([reacted(1, seq=2)])
    assert [event["seq"] for event in bob.events] == [1, 2]


async def test_reaction_events_go_to_watchers_and_hold_counts_only(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    bob, cat = an_ear(hub, "bob", NEWS), an_ear(hub, "cat", NEWS)
    hub.on_events([reacted(1)])
    hub.watch(bob, stream_of(NEWS))
    hub.on_events([reacted(2)])
    assert (len(bob.frames), len(cat.frames)) == (1, 0)
    (event,) = bob.events
    assert set(event) == {
        *(
            "event_id",
            "type",
            "stream_id",
            "conversation_id",
            "at",
            "channel_id",
            "seq",
            "counts",
            "total",
        ),
    }
    hub.unwatch(bob, stream_of(NEWS))
    timers.fire()
    hub.on_events([reacted(3)])
    assert len(bob.frames) == 1


async def test_own_reactions_reach_all_devices_of_their_user_at_once_and_name_nobody(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    Timers(monkeypatch)
    phone, laptop, cat, eve = (an_ear(hub, name, NEWS) for name in ("bob", "bob", "cat", "eve"))
    hub.watch(eve, stream_of(NEWS))
    bob, somebody = UserId("bob"), UserId("somebody elsewhere")
    for total in (1, 2):
        hub.on_events([reacted(total, OwnReactions(("👍",), (somebody, bob)))])
    hub.on_events([reacted(1, OwnReactions((), (bob, UserId("cat"))))])
    for ear in (phone, laptop):
        told = [(event["total"], event["mine"]) for event in ear.events]
        assert told == [(1, ["👍"]), (2, ["👍"]), (1, [])]
    assert [event["mine"] for event in cat.events] == [[]]
    assert ["mine" in event for event in eve.events] == [False]
    everything = b"".join(frame for ear in (phone, laptop, cat, eve) for frame in ear.frames)
    assert b"bob" not in everything
    assert b"somebody" not in everything
    assert phone.details == [Skippable(stream_of(NEWS), None)] * 3


async def test_leaving_ends_watching(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    Timers(monkeypatch)
    bob = an_ear(hub, "bob", NEWS)
    hub.watch(bob, stream_of(NEWS))
    hub.on_events([left("bob")])
    hub.on_events([reacted(1)])
    assert bob.heard == ["channel.unsubscribed"]


async def test_strangers_watch_no_more_when_a_channel_becomes_private(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    Timers(monkeypatch)
    bob, stranger = an_ear(hub, "bob", NEWS), an_ear(hub, "eve")
    for ear in (bob, stranger):
        hub.watch(ear, stream_of(NEWS))
    change: dict[str, object] = {"visibility": "private"}
    hub.on_events([GroupUpdated(at=AT, group_id=NEWS, is_channel=True, changed=change, version=2)])
    hub.on_events([reacted(1)])
    assert bob.heard == ["channel.updated", "reactions.changed"]
    assert stranger.heard == []


# --- words ----------------------------------------------------------------------------------------------------------


def test_every_published_event_has_its_views() -> None:
    ours = ("groups.", "conversations.", "reactions.", "channels.")
    concrete = [
        kind
        for kind in Event.known.values()
        if kind.__module__.startswith(ours) and not kind.__subclasses__() and not kind.is_counted
    ]
    assert [kind for kind in concrete if not has_views(kind)] == [TokensRevoked]
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES))


def test_close_codes_say_whether_to_come_back() -> None:
    final = {code for code in CloseCode if not code.should_reconnect}
    assert final == {CloseCode.BAD_TOKEN, CloseCode.BAD_FRAME, CloseCode.REPLACED}
    assert all(code == 1001 or 4000 <= code <= 4999 for code in CloseCode)


# --- crowds -----------------------------------------------------------------------------------------------------------


def test_posts_of_one_transaction_are_written_as_one_piece_in_order(hub: Hub) -> None:
    bob, ada = an_ear(hub, "bob", NEWS), an_ear(hub, "ada", NEWS)
    hub.on_events([posted(seq=seq) for seq in (1, 2, 3)])
    assert len(bob.frames) == 1
    assert [event["seq"] for event in bob.events] == [1, 2, 3]
    # The author hears of his own cursor behind what moved it.
    assert ada.heard == ["message.posted"] * 3 + ["conversation.read"] * 3


def test_skippable_frames_name_their_conversation_and_newest_message(
    hub: Hub,
) -> None:
    bob = an_ear(hub, "bob", NEWS)
    hub.on_events([posted(seq=seq) for seq in (7, 8, 9)])
    hub.on_events([left("cat", announce=True)])
    hub.on_events([left("bob")])
    conversation_id = stream_of(NEWS)
    assert bob.details == [Skippable(conversation_id, 9), Skippable(conversation_id, None), None]


def test_a_user_who_leaves_between_two_posts_receives_the_first(hub: Hub) -> None:
    bob, cat = an_ear(hub, "bob", NEWS), an_ear(hub, "cat", NEWS)
    hub.on_events([posted(seq=1), left("bob"), posted(seq=2)])
    assert bob.heard == ["message.posted", "channel.unsubscribed"]
    assert [event["seq"] for event in cat.events] == [1, 2]


def test_reading_everything_is_one_write_to_the_other_devices(hub: Hub) -> None:
    bob = an_ear(hub, "bob")
    marks = tuple(
        ReadMark(conversation_id=stream_of(GroupId(f"g{n}")), read_seq=1, unread_count=0)
        for n in range(5_000)
    )
    hub.on_events([ConversationRead(at=AT, user_id=UserId("bob"), reads=marks)])
    assert len(bob.frames) == 1
    assert len(bob.events) == 5_000


def test_an_event_that_cannot_be_rendered_withholds_no_other(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    class Unheard(GroupEvent):
        type: Literal["unheard.of"] = "unheard.of"

    try:
        bob = an_ear(hub, "bob", NEWS)
        hub.on_events([posted(seq=1), Unheard(at=AT, group_id=NEWS), posted(seq=2)])
    finally:
        del Event.known["unheard.of"]
    assert [event["seq"] for event in bob.events] == [1, 2]
    assert "cannot render the event unheard.of" in caplog.text


async def test_a_crowd_is_served_in_turns_and_in_order(hub: Hub) -> None:
    crowd = [an_ear(hub, f"u{number}", NEWS) for number in range(WRITES_A_TURN * 2 + 1)]
    hub.on_events([posted(seq=1)])
    hub.on_events([posted(seq=2)])
    assert sum(len(ear.frames) for ear in crowd) == WRITES_A_TURN
    turns = 0
    while sum(len(ear.frames) for ear in crowd) < 2 * len(crowd):
        await asyncio.sleep(0)
        turns += 1
    assert turns <= 6
    assert all([event["seq"] for event in ear.events] == [1, 2] for ear in crowd)
