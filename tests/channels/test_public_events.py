"""Events as back ends see them: one for each fact, with the same id wherever it is sent, and their declared types."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import pytest
from pydantic import TypeAdapter

from channels.event_views.catalogue import EVENT_TYPES
from channels.event_views.examples import example_events
from channels.event_views.public import (
    CHANNEL_EVENT_TYPES,
    PUBLIC_EVENT_TYPES,
    PublicEvent,
    public_events_of,
    wants_types,
)
from channels.event_views.registry import PUBLIC_VIEWS, has_views, views_of
from channels.event_views.shapes import EVENT_ID_CHARACTERS, AnyPublicEvent
from channels.limits import SOCKETS_PER_USER
from channels.reports.events import ReportOpened
from channels.server.metrics import Metrics
from channels.server.realtime.hub import Hub
from channels.user_data.events import UserDeleted
from conversations.events import DialoguePosted
from groups.events import GroupUpdated, LeaveReason, MembersJoined, MembersLeft
from groups.kernel.event_log.models import LAST, end_of
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Content, InvitationEnd, Kind, Message, Role
from tests.api import Api, a_channel, a_chat_group, a_post, id_of, part, undescribed
from tests.server.test_event_routes import KINDS, VARIANTS, sample
from tests.server.test_hub import AT, NEWS, an_ear

over_http = pytest.mark.asyncio(loop_scope="module")

EXAMPLES: Final = [pytest.param(event, id=event.type) for event in example_events()]


def samples(kind: type[Event]) -> Iterator[Event]:
    """Events of this kind, of groups, channels and users."""
    for changes in VARIANTS:
        if changes.get("audience", ()) is not None or kind.__name__ == "MemberChanged":
            event = sample(kind, **changes)
            event.identify("68f0c1_3")
            yield event


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_public_types_of_each_committed_event_are_exactly_those_declared(
    kind: type[Event],
) -> None:
    made = {public.type for event in samples(kind) for public in public_events_of(event)}
    declared = set(PUBLIC_VIEWS[kind].types) if kind in PUBLIC_VIEWS else set()
    assert made == declared
    if not made:
        # What some user receives, back ends receive too.
        assert not has_views(kind) or all(not list(views_of(event)) for event in samples(kind))
    name = kind.model_fields["type"].default
    assert all((name in wants_types([one])) == (one in made) for one in EVENT_TYPES)


def test_the_types_are_those_of_the_catalogue() -> None:
    assert set(EVENT_TYPES) - set(PUBLIC_EVENT_TYPES) == {
        "comments.counted",
        "inbox.unread",
        "unread.changed",
    }
    assert set(CHANNEL_EVENT_TYPES) < set(PUBLIC_EVENT_TYPES)
    schema = TypeAdapter(AnyPublicEvent).json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(PUBLIC_EVENT_TYPES)
    assert wants_types(["message.posted"]) == {"message.posted", "dialogue.posted"}
    assert wants_types(["channel.subscribed", "nothing"]) == {"members.joined"}
    assert wants_types([]) == set()


@pytest.mark.parametrize("event", EXAMPLES)
def test_a_public_event_has_the_shape_and_the_id_of_what_users_receive(event: Event) -> None:
    views = {view.payload["event_id"]: view.payload for view in views_of(event)}
    publics = [public.payload for public in public_events_of(event)]
    assert publics
    for payload in publics:
        assert undescribed(payload) == []
        if isinstance(event, ReportOpened | UserDeleted):
            assert views == {}  # nobody but the application learns of it
            continue
        seen = views[payload["event_id"]]
        only_back_ends = {"user_id", "blocker_id"} - seen.keys()
        same = payload.keys() - only_back_ends - {"stream_id", "conversation_id", "message", "mine"}
        assert {key: payload[key] for key in same} == {key: seen[key] for key in same}
        assert "mine" not in payload


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_receiver_gets_two_events_with_one_id(kind: type[Event]) -> None:
    for event in samples(kind):
        by_receiver: dict[str, list[str]] = defaultdict(list)
        views = list(views_of(event)) if has_views(kind) else []
        # A user may have any of the roles at once: the members, the staff, the two sides.
        for view in views:
            for user in view.users or ("ada", "bob", "gil", "a stranger"):
                if user not in view.except_users:
                    by_receiver[user].append(view.payload["event_id"])
        by_receiver["the back end"] = [one.event_id for one in public_events_of(event)]
        for ids in by_receiver.values():
            assert len(set(ids)) == len(ids)
            assert all(len(one) <= EVENT_ID_CHARACTERS for one in ids)


def test_a_join_of_a_thousand_has_an_id_for_each_user_whoever_is_connected() -> None:
    hub = Hub(Metrics(), SOCKETS_PER_USER)
    users = tuple(UserId(f"user {number}") for number in range(1_000))
    event = MembersJoined(
        at=AT, group_id=NEWS, user_ids=users, member_count=1_000, announce=False, is_channel=True
    )
    event.identify("68f0c1_3")
    ids = {one.payload["user_id"]: one.event_id for one in public_events_of(event)}
    assert len(set(ids.values())) == 1_000
    ears = [an_ear(hub, users[number]) for number in (998, 7)]
    hub.on_events([event])
    for ear in ears:
        assert [one["event_id"] for one in ear.events] == [ids[ear.user_id]]
    left = MembersLeft(
        at=AT,
        group_id=NEWS,
        user_ids=users[:1],
        reason=LeaveReason.LEFT,
        member_count=999,
        announce=True,
    )
    left.identify("68f0c1_4")
    (own, others) = views_of(left)
    (public,) = public_events_of(left)
    assert own.payload == others.payload == public.payload


def test_back_ends_receive_what_only_the_staff_sees_of_an_update() -> None:
    event = GroupUpdated(
        at=AT,
        group_id=NEWS,
        is_channel=True,
        changed={"name": "New", "reactions": "basic"},
        version=2,
        changed_for_staff={"owner_id": "cat"},
        staff=(UserId("bob"),),
    )
    (public,) = public_events_of(event)
    assert public.payload["changed"] == {
        "name": "New",
        "owner_id": "cat",
        "settings": {"reactions": "basic"},
    }


def a_letter(sender: str, user: str, peer: str) -> PublicEvent:
    """What a back end receives of a message between these two."""
    message = Message(
        stream_id=StreamId(""),
        seq=1,
        sender_id=UserId(sender),
        content=Content(kind=Kind.TEXT, text="Hello"),
        created_at=AT,
    )
    event = DialoguePosted(at=AT, user_id=UserId(user), peer_id=peer, message=message)
    event.identify("68f0c1_3")
    (public,) = public_events_of(event)
    assert undescribed(public.payload) == []
    return public


def test_a_one_to_one_message_is_one_event_of_its_receiver_in_one_stream() -> None:
    there, back = a_letter("ada", "ada", "bob"), a_letter("bob", "ada", "bob")
    assert there.stream_id == back.stream_id == "c2c_ada:bob"
    for public, receiver, writer in ((there, "bob", "ada"), (back, "ada", "bob")):
        assert public.payload["user_id"] == receiver
        assert public.payload["conversation_id"] == f"c2c_{writer}"
        assert public.payload["message"]["conversation_id"] == f"c2c_{writer}"
        assert public.channel_id is None
    assert a_letter("ada", "ada", "ada").payload["user_id"] == "ada"
    # Ids may hold the separator, so it is quoted.
    assert a_letter("a:b", "a:b", "c").stream_id != a_letter("a", "a", "b:c").stream_id


def test_that_a_user_declined_to_subscribe_belongs_to_no_channel() -> None:
    for reason, role, channel_id in (
        (InvitationEnd.DECLINED, Role.MEMBER, None),
        (InvitationEnd.DECLINED, Role.ADMIN, NEWS),
        (InvitationEnd.ACCEPTED, Role.MEMBER, NEWS),
    ):
        kind = Event.known["invitation.ended"]
        (public,) = public_events_of(sample(kind, is_channel=True, reason=reason, role=role))
        assert (public.channel_id, public.payload["channel_id"]) == (channel_id, NEWS)


@over_http
async def test_what_sockets_receive_has_the_ids_of_the_log(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    ears = [await ada.socket(), await bob.socket()]
    await shared_api.services.log.sequencer.run()
    start = end_of(await shared_api.services.log.head.read())
    channel = await a_channel(ada, bob)
    group = await a_chat_group(ada, bob)
    await a_post(ada, channel)
    await a_post(bob, group)
    for path in (f"c2c_{ada.id}", f"c2c_{part(id_of(channel))}"):
        sent = await bob.post(f"/v1/conversations/{path}/messages", {"kind": "text", "text": "Hi"})
        assert sent.status == 201, sent
    assert (await ada.put(f"{channel}/posts/1/reactions/{part('👍')}")).status == 200
    await ada.patch(channel, {"introduction": "Daily"})
    heard = [event for one in ears for event in await one.until_now()]
    await shared_api.services.log.sequencer.run()
    page = await shared_api.services.log.read(
        start, lambda _, __: True, most_read=LAST, most_events=1_000
    )
    public = {
        one.event_id: one.payload for entry in page.entries for one in public_events_of(entry.event)
    }
    assert [fault for payload in public.values() for fault in undescribed(payload)] == []
    own = {"reactions.changed", "conversation.read"}
    for event in heard:
        if event["event_id"] in public:
            assert public[event["event_id"]]["type"] == event["type"]
        else:
            # The part of one user alone: their own emoji, their own cursor, their side of an inbox.
            of_inbox = event.get("conversation_id") == f"c2c_{id_of(channel)}"
            assert event["type"] in own or of_inbox
    ids = {event["event_id"] for event in heard}
    told = {one["type"] for event_id, one in public.items() if event_id in ids}
    assert told == {
        "channel.subscribed",
        "channel.updated",
        "group.joined",
        "message.posted",
    } | ({"member.changed"} & told)
    for one in ears:
        await one.close()


def test_a_channel_s_own_events_name_it() -> None:
    publics = [one for event in example_events() for one in public_events_of(event)]
    of_channels = {one.type for one in publics if one.channel_id == GroupId("@TOA#_news")}
    of_inbox = {one.type for one in publics if one.is_of_inbox}
    messages = {"message.posted", "message.edited", "message.recalled"}
    of_buttons = {"buttons.changed", "button.pressed", "form.answered", "menu.selected"}
    assert of_inbox == {
        *messages,
        *of_buttons,
        *("reactions.changed", "inbox.read", "inbox.tagged"),
    }
    assert all("user_id" in one.payload for one in publics if one.is_of_inbox)
    # That a webhook was disabled is for the application; a channel's own webhooks need not hear of each other.
    assert of_channels - {"webhook.disabled"} == set(CHANNEL_EVENT_TYPES)
