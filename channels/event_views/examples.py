"""An example of each type of event, for the guide and for the documents that tools read.

The payloads come from `views_of` and `public_events_of`, which render what is sent, so the examples are those of the
code.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from channels.acknowledgements.events import (
    AcknowledgementReminded,
    AcknowledgementsChanged,
    OwnAcknowledgements,
)
from channels.broadcasts.events import BroadcastChanged, BroadcastEnded, BroadcastStarted
from channels.broadcasts.models import Failure, Reason, State
from channels.buttons.events import (
    ButtonPressed,
    ButtonsChanged,
    DialoguePressed,
    OwnPresses,
    Press,
)
from channels.comments.events import (
    CommentEdited,
    CommentPosted,
    CommentReacted,
    CommentRecalled,
)
from channels.comments.models import PostPlace
from channels.event_views.comments import comment_count_view
from channels.event_views.conversations import inbox_unread_view, unread_changed_view
from channels.event_views.public import public_events_of
from channels.event_views.registry import views_of
from channels.event_views.view import INBOX_PREFIX, EventView
from channels.events import DialogueReacted
from channels.reports.events import ReportOpened
from channels.reports.models import ReportReason, Target, TargetType
from channels.self_service.menus.events import MenuSelected
from channels.subscriber_tags.models import Segment
from channels.user_data.events import UserDeleted
from channels.webhooks.events import ChannelWebhookDisabled
from channels.webhooks.models import DisabledReason
from conversations.events import (
    BlockChanged,
    ConversationEnded,
    ConversationGroupChanged,
    ConversationGroupCreated,
    ConversationGroupDeleted,
    ConversationGroupRenamed,
    ConversationRead,
    ConversationUpdated,
    DialogueEdited,
    DialoguePosted,
    DialogueRecalled,
    ThreadRead,
    ThreadTagged,
)
from conversations.models import C2C_PREFIX, ConversationId, InboxUnread, ReadMark, Unread
from groups.events import (
    AdminInvited,
    GroupDisbanded,
    GroupReinstated,
    GroupSuspended,
    GroupUpdated,
    InvitationEnded,
    InviteLinkUsed,
    JoinAnswered,
    JoinRefused,
    JoinRequested,
    LeaveReason,
    MemberChanged,
    MemberInvited,
    MembersJoined,
    MembersLeft,
    MessageEdited,
    MessagePosted,
    MessageRecalled,
    UserRestricted,
    UserUnrestricted,
)
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import (
    Content,
    FormAnswer,
    FormAnswerValue,
    Grant,
    InvitationEnd,
    Kind,
    Message,
    RequestEnd,
    Role,
    SuspensionMode,
    stream_of,
)
from reactions.events import OwnReactions, ReactionsChanged
from reactions.polls.events import OwnVotes, PollChanged

_AT: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
_EVENT_ID: Final = "697df2c07b1e5a00c3f4a9d1_0"
_NEWS: Final = GroupId("@TOA#_news")
_TEA: Final = GroupId("@TGS#_tea")
_ADA: Final = UserId("ada")
_BOB: Final = UserId("bob")
_STAFF: Final = (_ADA,)
_CODE: Final = "Zk3vX9qLr2TgW8sYb1NcQe4h"
_PROFILE: Final[dict[str, object]] = {
    "name": "City News",
    "face_url": "",
    "introduction": "What happens in town",
    "verified": False,
    "created_at": "2026-01-01T12:00:00.000Z",
    "organization": "City of Bridges",
    "custom_data": "",
}


def named_forms(examples: Sequence[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    """The first of the examples for each kind of place: `channel`, `group`, `inbox`, `one_to_one`, or `user`."""
    found: dict[str, dict[str, Any]] = {}
    for payload in examples:
        found.setdefault(_place_of(payload), payload)
    return found


def _place_of(payload: Mapping[str, Any]) -> str:
    stream_id = payload["stream_id"] or ""
    if stream_id.startswith(INBOX_PREFIX):
        return "inbox" if "channel_id" in payload else "one_to_one"
    if stream_id.startswith(C2C_PREFIX):
        return "one_to_one"
    if "group_id" in payload:
        return "group"
    return "channel" if "channel_id" in payload else "user"


def as_lines(payload: Mapping[str, Any]) -> str:
    """The payload as JSON with a line for each field."""
    fields = [
        f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in payload.items()
    ]
    return "{\n" + ",\n".join(fields) + "\n}"


@cache
def payloads() -> Mapping[str, Sequence[dict[str, Any]]]:
    """Payloads of each type, in all its forms: of a channel, of a group, one-to-one, of an inbox."""
    found: dict[str, list[dict[str, Any]]] = {}
    views = [view for event in example_events() for view in views_of(event)]
    for view in (*views, *_comment_counts(), *_totals()):
        # Through JSON, as the socket sends it.
        payload = json.loads(view.json())["event"]
        found.setdefault(payload["type"], []).append(payload)
    return found


@cache
def public_payloads() -> Mapping[str, Sequence[dict[str, Any]]]:
    """The same of what back ends receive."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in (one for committed in example_events() for one in public_events_of(committed)):
        found.setdefault(event.type, []).append(json.loads(event.json()))
    return found


def example_events() -> Iterator[Event]:
    """A committed event of each kind that is shown to somebody, those of channels first."""
    for event in _examples():
        event.identify(_EVENT_ID)
        yield event


def _comment_counts() -> Iterator[EventView]:
    for event in _of_comments():
        event.identify(_EVENT_ID)
        if isinstance(event, CommentPosted):
            yield comment_count_view(event)


def _totals() -> Iterator[EventView]:
    read = ThreadRead(
        at=_AT, channel_id=_NEWS, user_id=_ADA, staff=_STAFF, read_seq=7, unread_count=0
    )
    mark = ReadMark(conversation_id=ConversationId(stream_of(_NEWS)), read_seq=7, unread_count=0)
    marked = ConversationRead(at=_AT, user_id=_BOB, reads=(mark,))
    for cause in (read, marked):
        cause.identify(_EVENT_ID)
    yield inbox_unread_view(_NEWS, InboxUnread(3, 2), read)
    yield unread_changed_view(_BOB, Unread(5, 3, 2, {"Work": 1}), marked)


def _message(stream_id: StreamId, sender_id: UserId, *, is_deleted: bool = False) -> Message:
    content = None if is_deleted else Content(kind=Kind.TEXT, text="Fog until noon")
    recalled_at = _AT if is_deleted else None
    return Message(
        stream_id=stream_id,
        seq=7,
        sender_id=sender_id,
        content=content,
        created_at=_AT,
        recalled_at=recalled_at,
    )


def _examples() -> Iterator[Event]:
    for group_id, is_channel in ((_NEWS, True), (_TEA, False)):
        yield from _of_a_group(group_id, is_channel=is_channel)
    yield from _of_comments()
    yield from _of_one_to_one_messages()
    yield from _of_a_user()
    yield UserDeleted(at=_AT, user_id=_ADA)
    yield UserRestricted(at=_AT, user_id=_ADA, until=_AT + timedelta(days=7), reason="Spam")
    yield UserUnrestricted(at=_AT, user_id=_ADA)
    yield ReportOpened(
        at=_AT,
        report_id="mrp4ygk2hw7ceqf5tn3x6a2d-1",
        target=Target(type=TargetType.POST, channel_id=_NEWS, seq=7),
        reason=ReportReason.SPAM,
    )
    yield ChannelWebhookDisabled(
        at=_AT,
        channel_id=_NEWS,
        webhook_id="019c3b1d2a7f3e9d0c4b5a",
        reason=DisabledReason.FAILING,
        staff=_STAFF,
    )


def _of_a_group(group_id: GroupId, *, is_channel: bool) -> Iterator[Event]:
    base: dict[str, Any] = {"at": _AT, "group_id": group_id, "is_channel": is_channel}
    stream_id = stream_of(group_id)
    message, deleted = (_message(stream_id, _ADA, is_deleted=gone) for gone in (False, True))
    yield MessagePosted(**base, message=message)
    yield MessageEdited(**base, message=message.model_copy(update={"edited_at": _AT}))
    yield MessageRecalled(**base, message=deleted)
    counts = {"👍": 5, "🎉": 1}
    own = (OwnReactions(("👍",), (_BOB,)),)
    yield ReactionsChanged(**base, stream_id=stream_id, seq=7, counts=counts, total=6, own=own)
    votes = (OwnVotes((0,), (_BOB,)),)
    yield PollChanged(**base, stream_id=stream_id, seq=7, votes=(3, 1), voters=4, own=votes)
    if is_channel:
        presses: dict[str, Any] = {"presses": (5, None), "own": (OwnPresses((0,), (_BOB,)),)}
        yield ButtonsChanged(**base, stream_id=stream_id, seq=7, **presses)
    yield AcknowledgementsChanged(
        **base, stream_id=stream_id, seq=7, count=3, own=(OwnAcknowledgements((_BOB,)),)
    )
    yield AcknowledgementReminded(**base, stream_id=stream_id, seq=7, sender_id=_ADA)
    profile = _PROFILE if is_channel else None
    joined: dict[str, Any] = {"user_ids": (_BOB,), "member_count": 12, "announce": not is_channel}
    yield MembersJoined(**base, **joined, profile=profile)
    yield MembersLeft(**base, **joined, reason=LeaveReason.LEFT)
    grants = (Grant.POST, Grant.EDIT_POSTS)
    for muted_until in (None, _AT + timedelta(hours=1)):
        yield MemberChanged(
            **base,
            user_id=_BOB,
            role=Role.ADMIN,
            muted_until=muted_until,
            name_card="",
            grants=grants,
            audience=(_BOB,),
        )
    yield GroupUpdated(**base, changed={"introduction": "What happens in town"}, version=3)
    if is_channel:
        mode, reason = SuspensionMode.READABLE, "Many reports of spam"
        yield GroupSuspended(**base, owner_id=_ADA, mode=mode, reason=reason, version=4)
        yield GroupReinstated(**base, version=5)
    yield GroupDisbanded(**base)
    invited: dict[str, Any] = {"user_id": _BOB, "audience": (_BOB, _ADA)}
    name: dict[str, Any] = {"group_name": "City News" if is_channel else "Tea"}
    ends = _AT + timedelta(days=7)
    yield MemberInvited(**base, **invited, **name, expires_at=ends)
    yield InvitationEnded(**base, **invited, role=Role.MEMBER, reason=InvitationEnd.ACCEPTED)
    if is_channel:
        yield AdminInvited(**base, **invited, **name, grants=grants, expires_at=ends)
    yield JoinRequested(**base, user_id=_BOB, text="May I?", audience=_STAFF)
    yield JoinAnswered(**base, user_id=_BOB, outcome=RequestEnd.APPROVED, audience=_STAFF)
    yield JoinRefused(**base, user_id=_BOB)
    yield InviteLinkUsed(
        **base, code=_CODE, user_ids=(_BOB,), uses=7, pending_requests=2, audience=_STAFF
    )


def _of_comments() -> Iterator[Event]:
    place = PostPlace(_NEWS, 7)
    base: dict[str, Any] = {"at": _AT, "channel_id": _NEWS, "post_seq": 7}
    comment, deleted = (_message(place.stream_id, _BOB, is_deleted=gone) for gone in (False, True))
    yield CommentPosted(**base, message=comment, comment_count=5, notified=(_ADA,))
    yield CommentEdited(**base, message=comment.model_copy(update={"edited_at": _AT}))
    yield CommentRecalled(**base, message=deleted, comment_count=4)
    yield CommentReacted(**base, seq=7, counts={"👍": 2}, total=2)


def _of_one_to_one_messages() -> Iterator[Event]:
    for peer_id, staff in ((_BOB, ()), (_NEWS, _STAFF)):
        base: dict[str, Any] = {"at": _AT, "user_id": _ADA, "peer_id": peer_id, "staff": staff}
        stream_id = StreamId("")
        message, deleted = (_message(stream_id, _ADA, is_deleted=gone) for gone in (False, True))
        yield DialoguePosted(**base, message=message)
        yield DialoguePosted(**base, message=message.model_copy(update={"sender_id": peer_id}))
        yield DialogueEdited(**base, message=message)
        yield DialogueRecalled(**base, message=deleted)
        yield DialogueReacted(
            **base, seq=7, counts={"👍": 1}, total=1, user_holds=("👍",), peer_holds=()
        )
    answer = FormAnswer(
        form="order",
        title="Order tea",
        answers=(FormAnswerValue(name="size", label="Which size?", value="Large"),),
    )
    yield DialoguePosted(
        at=_AT,
        user_id=_ADA,
        peer_id=_NEWS,
        staff=_STAFF,
        message=_message(StreamId(""), _ADA, is_deleted=False).model_copy(
            update={"content": Content(kind=Kind.FORM_ANSWER, form_answer=answer)}
        ),
    )
    yield DialoguePressed(
        at=_AT,
        user_id=_ADA,
        peer_id=_NEWS,
        staff=_STAFF,
        seq=7,
        presses=(1, None),
        user_holds=(0,),
    )
    yield ButtonPressed(
        at=_AT,
        channel_id=_NEWS,
        staff=_STAFF,
        place="post",
        seq=7,
        presses=(Press(_BOB, 0, "Order tea", "tea"),),
    )
    yield MenuSelected(
        at=_AT,
        channel_id=_NEWS,
        user_id=_BOB,
        staff=_STAFF,
        entry="2.1",
        text="Call me",
        data="call",
    )
    yield ThreadRead(
        at=_AT, channel_id=_NEWS, user_id=_ADA, staff=_STAFF, read_seq=7, unread_count=0
    )
    base_of_broadcasts: dict[str, Any] = {
        "at": _AT,
        "channel_id": _NEWS,
        "staff": _STAFF,
        "broadcast_id": "0190a3c4d5e6broadcas",
        "segment": Segment(all=("customer",)),
        "silent": False,
        "rate": 50,
        "created_by": _ADA,
        "created_at": _AT,
        "start_at": None,
        "started_at": _AT,
    }
    running: dict[str, Any] = {"state": State.RUNNING, "ended_at": None, "failure": None}
    yield BroadcastStarted(**base_of_broadcasts, **running, total=1200, sent=0, not_reached={})
    yield BroadcastChanged(
        **base_of_broadcasts, **running, total=1200, sent=300, not_reached={Reason.OPTED_OUT: 2}
    )
    yield BroadcastEnded(
        **base_of_broadcasts,
        state=State.FAILED,
        ended_at=_AT,
        failure=Failure(code="channel_suspended", detail="The channel is suspended"),
        total=1200,
        sent=600,
        not_reached={Reason.OPTED_OUT: 2},
    )
    yield ThreadTagged(
        at=_AT, channel_id=_NEWS, user_id=_ADA, staff=_STAFF, tags=("order", "urgent")
    )


def _of_a_user() -> Iterator[Event]:
    base: dict[str, Any] = {"at": _AT, "user_id": _ADA}
    conversation_id = ConversationId(stream_of(_NEWS))
    mark = ReadMark(conversation_id=conversation_id, read_seq=7, unread_count=0)
    yield ConversationRead(**base, reads=(mark,))
    yield ConversationUpdated(
        **base,
        conversation_id=conversation_id,
        changed={"pinned_at": "2026-01-31T12:00:00.000Z", "draft": None},
    )
    yield ConversationGroupCreated(**base, name="Work", conversation_ids=(conversation_id,))
    yield ConversationGroupRenamed(**base, name="Work", new_name="Office")
    yield ConversationGroupDeleted(**base, name="Work")
    yield ConversationGroupChanged(**base, name="Work", added=(conversation_id,), removed=())
    yield ConversationEnded(**base, conversation_id=ConversationId(f"c2c_{_NEWS}"))
    yield BlockChanged(**base, peer_id=_BOB, is_blocked=True)
