"""Routes of events: a process decodes no event that nobody there listens to, and each one that somebody needs."""

import random
from collections.abc import Sequence
from typing import Any, Final

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument

import channels.server.app  # noqa: F401  # the composition root knows every package
from channels.acknowledgements.events import AcknowledgementsChanged, OwnAcknowledgements
from channels.buttons.events import (
    ButtonPressed,
    ButtonsChanged,
    DialoguePressed,
    OwnPresses,
    Press,
)
from channels.event_views.registry import has_views, views_of
from channels.limits import SOCKETS_PER_USER
from channels.reports.events import ReportOpened
from channels.server.metrics import Metrics
from channels.server.realtime.hub import NEEDED_BY_HUBS, Hub
from channels.webhooks.events import ChannelWebhookDisabled
from channels.webhooks.models import DisabledReason
from conversations.events import DialoguePosted
from groups.events import GroupDisbanded, GroupUpdated, LeaveReason, MembersJoined, MembersLeft
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo.outbox import Committed, events_document
from groups.models import Content, FormAnswer, FormAnswerValue, Kind, Role, stream_of
from reactions.events import OwnReactions, ReactionsChanged
from reactions.polls.events import OwnVotes, PollChanged
from tests.server.test_hub import AT, NEWS, Ear, posted

VALUES: Final[dict[str, Any]] = {
    "account_kind": "business",
    "added": ("group_g1",),
    "announce": True,
    "audience": ("cat", "dan"),
    "broadcast_id": "b",
    "changed": {"name": "New"},
    "by_others": False,
    "code": "link",
    "conversation_id": stream_of(NEWS),
    "conversation_ids": (stream_of(NEWS),),
    "count": 2,
    "counts": {"👍": 2},
    "created_at": AT,
    "created_by": "gil",
    "data": "call",
    "due_at": AT,
    "ended_at": None,
    "entry": "2.1",
    "expires_at": AT,
    "failure": None,
    "grants": (),
    "group_id": NEWS,
    "group_name": "News",
    "invite_link": "link",
    "invite_links": {"ada": "link"},
    "is_blocked": True,
    "member_count": 3,
    "message": posted().message,
    "mode": "readable",
    "muted_until": None,
    "name": "work",
    "name_card": "",
    "new_name": "home",
    "not_reached": {"left": 1},
    "outcome": "refused",
    "owner_id": "ian",
    "own": (OwnReactions(("👍",), (UserId("eve"), UserId("fay"))),),
    "peer_holds": (),
    "pending_requests": 1,
    "place": "post",
    "presses": (2, None),
    "peer_id": "bob",
    "process_id": "p1",
    "rate": None,
    "read_seq": 1,
    "reads": ({"conversation_id": stream_of(NEWS), "read_seq": 1, "unread_count": 0},),
    "reason": "declined",
    "removed": (),
    "report_id": "r-1",
    "role": Role.ADMIN,
    "segment": {"all": ("vip",)},
    "sender_id": "gil",
    "sent": 1,
    "seq": 1,
    "silent": False,
    "spent": (),
    "staff": ("gil", "hal"),
    "start_at": None,
    "started_at": AT,
    "state": "running",
    "stream_id": stream_of(NEWS),
    "tags": ("order",),
    "target": {"type": "user", "user_id": "bob"},
    "text": "Let me in",
    "total": 2,
    "unread_count": 0,
    "until": AT,
    "user_holds": ("👍",),
    "user_id": "ada",
    "user_ids": ("ada", "bob"),
    "uses": 2,
    "version": 2,
    "voters": 3,
    "votes": (2, 1),
    "webhook_id": "w",
    "numbers": {NEWS: 1},
    "channel_id": NEWS,
    "comment_count": 1,
    "notified": ("ivy",),
    "post_seq": 1,
}
"""A value of each field of events. A new field needs its value here."""
ANSWERED: Final = Content(
    kind=Kind.FORM_ANSWER,
    form_answer=FormAnswer(
        form="order",
        title="Order",
        answers=(FormAnswerValue(name="size", label="Size", value="Large"),),
    ),
)
VARIANTS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"is_channel": True},
    {"announce": False},
    {"audience": None},
    {"peer_id": NEWS},
)
_STORED_ID: Final = 1
OURS: Final = ("groups.", "conversations.", "reactions.", "channels.")
KINDS: Final = [
    kind
    for kind in Event.known.values()
    if kind.__module__.startswith(OURS) and not kind.__subclasses__() and not kind.is_counted
]


def sample(kind: type[Event], **changes: Any) -> Event:
    values = {**VALUES, **changes}
    if kind is MembersLeft:
        values["reason"] = LeaveReason.LEFT
    if kind is ChannelWebhookDisabled:
        values["reason"] = DisabledReason.GONE
    if kind is ReportOpened:
        values["reason"] = "spam"
    if kind is AcknowledgementsChanged:
        values["own"] = tuple(OwnAcknowledgements(user_ids) for _, user_ids in values["own"])
    if kind is ButtonsChanged:
        values["own"] = tuple(OwnPresses((0,), user_ids) for _, user_ids in values["own"])
    if kind is DialoguePressed:
        values |= {"peer_id": NEWS, "user_holds": (0,)}
    if kind is DialoguePosted and values["peer_id"] == NEWS:
        values["message"] = values["message"].model_copy(update={"content": ANSWERED})
    if kind is ButtonPressed:
        values["presses"] = (Press(UserId("bob"), 0, "Order", "tea"),)
    if kind is PollChanged:
        values["own"] = tuple(OwnVotes((0,), user_ids) for _, user_ids in values["own"])
    named = {name: values[name] for name in kind.model_fields if name in values}
    return kind.model_validate({"at": AT, **named})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_receiver_of_an_event_is_among_its_routes(kind: type[Event]) -> None:
    for changes in VARIANTS:
        if changes.get("audience", ()) is None and kind.__name__ != "MemberChanged":
            continue
        event = sample(kind, **changes)
        routes = event.routes
        assert routes is not None, "every process would decode it"
        for view in views_of(event) if has_views(kind) else ():
            receivers = (view.stream_id,) if view.users is None else view.users
            assert set(receivers) <= set(routes)


def stored(*events: Event) -> Committed:
    """The transaction as a process reads it."""
    document = events_document(events, process_id="p")
    return Committed(RawBSONDocument(encode({"_id": _STORED_ID, **document})))


@pytest.fixture
def hub() -> Hub:
    return Hub(Metrics(), SOCKETS_PER_USER)


def connect(hub: Hub, name: str, *group_ids: GroupId) -> Ear:
    ear = Ear(name)
    hub.attach(ear)
    hub.receive_groups(ear, group_ids)
    return ear


def joined(*users: str, group_id: GroupId = NEWS) -> MembersJoined:
    user_ids = tuple(UserId(user) for user in users)
    return MembersJoined(
        at=AT, group_id=group_id, user_ids=user_ids, member_count=1, announce=False
    )


def test_nothing_is_decoded_where_nobody_listens(hub: Hub) -> None:
    transaction = stored(*(sample(kind) for kind in KINDS))
    assert transaction.events(hub.wants) == []
    connect(hub, "stranger", GroupId("@TOA#_other"))
    assert transaction.events(hub.wants) == []
    assert len(transaction.events()) == len(KINDS)


def test_only_what_somebody_listens_to_is_decoded(hub: Hub) -> None:
    others = [posted(GroupId(f"@TOA#_{number}")) for number in range(3)]
    transaction = stored(others[0], joined("ada", "bob"), others[1], posted(), others[2])
    connect(hub, "bob")
    connect(hub, "cat", GroupId("@TOA#_1"))
    # Bob receives the channel that he joins from this event on.
    assert transaction.events(hub.wants) == [joined("ada", "bob"), others[1], posted()]


def test_events_without_heads_of_an_older_process_are_all_decoded(hub: Hub) -> None:
    document = {"_id": 1, **events_document([posted(), joined("ada")], process_id="p")}
    del document["heads"]
    older = Committed(RawBSONDocument(encode(document)))
    assert older.events(hub.wants) == [posted(), joined("ada")]


async def test_routing_changes_nothing_that_any_session_receives() -> None:
    # Posts of one stream are written together, until an event that this process decodes: so in transactions that mix
    # streams as no real one does, a reaction may overtake a post of another stream. Not with this seed.
    chance = random.Random(19)
    users = [f"u{number}" for number in range(12)]
    groups = [GroupId(f"@TOA#_{number}") for number in range(6)]
    routed, complete = (Hub(Metrics(), SOCKETS_PER_USER) for _ in range(2))
    ears: list[tuple[Ear, Ear]] = []
    decoded = total = 0
    for _ in range(400):
        if chance.random() < 0.1 and len(ears) < 6:
            user, group = chance.choice(users), chance.choice(groups)
            ears.append((connect(routed, user, group), connect(complete, user, group)))
            if chance.random() < 0.5:
                for hub, ear in zip((routed, complete), ears[-1], strict=True):
                    hub.watch(ear, stream_of(chance.choice(groups[:1])))
        events = [_random_event(chance, users, groups) for _ in range(chance.randint(1, 5))]
        for place, event in enumerate(events):
            event.identify(f"{_STORED_ID}_{place}")
        listened = _listen(routed, stored(*events))
        complete.on_events(events)
        decoded, total = decoded + listened, total + len(events)
    for one, other in ears:
        assert b"".join(one.frames) == b"".join(other.frames)
        assert one.streams == other.streams
        assert one.watched == other.watched
    assert any(one.frames for one, _ in ears)
    assert decoded < total


def _listen(hub: Hub, transaction: Committed) -> int:
    needed = {kind.model_fields["type"].default for kind in NEEDED_BY_HUBS}
    events = transaction.events(lambda name, routes: name in needed or hub.wants(name, routes))
    hub.on_events(events)
    return len(events)


def _random_event(chance: random.Random, users: Sequence[str], groups: Sequence[GroupId]) -> Event:
    group_id = chance.choice(groups)
    some = tuple(chance.sample(users, chance.randint(1, 3)))
    kinds: list[type[Event]] = [*KINDS, MembersJoined, MembersLeft, MembersJoined]
    kind = chance.choice(kinds)
    if kind is GroupDisbanded and chance.random() < 0.8:
        kind = ReactionsChanged
    message = posted(group_id).message.model_copy(update={"sender_id": UserId(some[0])})
    changes: dict[str, Any] = {
        "group_id": group_id,
        "stream_id": stream_of(group_id),
        "user_ids": some,
        "user_id": some[0],
        "staff": some,
        "audience": some,
        "announce": chance.random() < 0.3,
        "message": message,
        "own": (OwnReactions(("👍",), tuple(map(UserId, some))),),
    }
    if kind is GroupUpdated and chance.random() < 0.5:
        changes["changed"] = {"visibility": "private"}
    return sample(kind, **changes)
