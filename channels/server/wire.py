"""Domain events as the socket tells them: names, audience, fields.

One event may be told twice in different words: who was removed hears of it, and so do those who stay. Rendering
knows no reader, so that a frame is encoded once for all who get it: nothing personal is in a frame for many, and a
channel's frame never names the admin who wrote.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import BaseModel

from channels.drafts.events import DraftScheduled
from channels.events import DialogueReacted
from channels.routes.dialogue_views import dialogue_message_view, thread_message_view
from channels.routes.views import anonymous_post_view
from channels.server.frames import text_frame
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
    DialogueEvent,
    DialoguePosted,
    DialogueRecalled,
    ThreadRead,
)
from conversations.models import InboxUnread, Said
from groups.events import (
    AdminInvited,
    GroupDisbanded,
    GroupEvent,
    GroupUpdated,
    InvitationEnded,
    JoinRefused,
    JoinRequested,
    MemberChanged,
    MembersJoined,
    MembersLeft,
    MessageEdited,
    MessagePosted,
    MessageRecalled,
    StrangerBanned,
)
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Tally, stream_of
from groups.routes.views import message_view
from reactions.events import ReactionsChanged


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and who hears it: these users, or everyone in the stream (`users` None), but for `besides`."""

    payload: dict[str, Any]
    stream_id: StreamId
    users: tuple[UserId, ...] | None = None
    besides: frozenset[UserId] = frozenset()

    def encode(self) -> bytes:
        """The frame as it goes over the wire, the same bytes for every session."""
        return text_frame(orjson.dumps({"type": "event", "event": self.payload}, default=_encode))


def _encode(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value)} in a frame")


def _payload(kind: str, event: Event, stream_id: StreamId, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "stream_id": stream_id,
        "conversation_id": stream_id,
        "at": rfc3339(event.at),
        **fields,
    }


def _of_group(
    group_word: str, channel_word: str, event: GroupEvent, **fields: Any
) -> dict[str, Any]:
    stream_id = stream_of(event.group_id)
    if event.is_channel:
        return _payload(channel_word, event, stream_id, channel_id=event.group_id, **fields)
    return _payload(group_word, event, stream_id, group_id=event.group_id, **fields)


def _joined(event: MembersJoined) -> Iterable[Frame]:
    stream_id = stream_of(event.group_id)
    fields: dict[str, Any] = {}
    if event.profile is not None:
        fields["channel"] = {
            "channel_id": event.group_id,
            **event.profile,
            "subscriber_count": event.member_count,
            "subscribed_at": rfc3339(event.at),
        }
    for user_id in event.user_ids:
        own = _of_group("group.joined", "channel.subscribed", event, user_id=user_id, **fields)
        yield Frame(own, stream_id, (user_id,))
        if event.announce:
            yield Frame(own, stream_id, besides=frozenset({user_id}))


def _left(event: MembersLeft) -> Iterable[Frame]:
    stream_id = stream_of(event.group_id)
    for user_id in event.user_ids:
        own = _of_group(
            "group.left", "channel.unsubscribed", event, user_id=user_id, reason=event.reason.value
        )
        yield Frame(own, stream_id, (user_id,))
        if event.announce:
            yield Frame(own, stream_id, besides=frozenset({user_id}))


def _member_changed(event: MemberChanged) -> Iterable[Frame]:
    payload = _of_group(
        "member.changed",
        "member.changed",
        event,
        user_id=event.user_id,
        role=event.role.value,
        muted_until=rfc3339(event.muted_until) if event.muted_until else None,
        name_card=event.name_card,
        grants=[grant.value for grant in event.grants],
    )
    users = None if event.audience is None else tuple(dict.fromkeys(event.audience))
    yield Frame(payload, stream_of(event.group_id), users)


def _updated(event: GroupUpdated) -> Iterable[Frame]:
    fields = {"changed": event.changed, "version": event.version}
    payload = _of_group("group.updated", "channel.updated", event, **fields)
    yield Frame(payload, stream_of(event.group_id))


def _disbanded(event: GroupDisbanded) -> Iterable[Frame]:
    payload = _of_group("group.disbanded", "channel.deleted", event)
    yield Frame(payload, stream_of(event.group_id))


def _requested(event: JoinRequested) -> Iterable[Frame]:
    payload = _of_group(
        "join.requested", "join.requested", event, user_id=event.user_id, text=event.text
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


def _refused(event: JoinRefused) -> Iterable[Frame]:
    payload = _of_group("join.refused", "join.refused", event, user_id=event.user_id)
    yield Frame(payload, stream_of(event.group_id), (event.user_id,))


def _invited(event: AdminInvited) -> Iterable[Frame]:
    payload = _payload(
        "channel.invited",
        event,
        stream_of(event.group_id),
        channel_id=event.group_id,
        channel_name=event.group_name,
        user_id=event.user_id,
        grants=[grant.value for grant in event.grants],
        expires_at=rfc3339(event.expires_at),
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


def _invitation_ended(event: InvitationEnded) -> Iterable[Frame]:
    payload = _payload(
        "channel.invitation_ended",
        event,
        stream_of(event.group_id),
        channel_id=event.group_id,
        user_id=event.user_id,
        reason=event.reason.value,
    )
    yield Frame(payload, stream_of(event.group_id), event.audience)


_NOT_IN_FRAMES: Final = {"reactions", "views", "channel_name", "sender_name", "sender_face_url"}


def _message(kind: str) -> Callable[[Any], Iterable[Frame]]:
    def render(event: MessagePosted | MessageEdited | MessageRecalled) -> Iterable[Frame]:
        message = event.message
        group_id: GroupId = event.group_id
        if event.is_channel:
            field = "post"
            view: BaseModel = anonymous_post_view(message, group_id, "", Tally())
        else:
            field = "message"
            view = message_view(message, group_id, None, None, with_sender=True)
        # Reactions and views are left out: a new message has none, and an edit or recall does not change them. What the
        # sender shows of himself is for whoever asks: it may be another by the time that this is read.
        shown = view.model_dump(mode="json", exclude=_NOT_IN_FRAMES)
        payload = _of_group(kind, kind, event, seq=message.seq, **{field: shown})
        yield Frame(payload, message.stream_id)
        if isinstance(event, MessagePosted):
            # Posting moved the author's own cursor; his other devices cannot tell from a post whose it is.
            read = {"read_seq": message.seq, "unread_count": 0}
            own = _payload("conversation.read", event, message.stream_id, **read)
            yield Frame(own, message.stream_id, (message.sender_id,))

    return render


def _reactions(event: ReactionsChanged) -> Iterable[Frame]:
    payload = _payload(
        "reactions.changed",
        event,
        event.stream_id,
        seq=event.seq,
        counts=event.counts,
        total=event.total,
    )
    yield Frame(payload, event.stream_id)


def _read(event: ConversationRead) -> Iterable[Frame]:
    for read in event.reads:
        stream_id = StreamId(read.conversation_id)
        payload = _payload(
            "conversation.read",
            event,
            stream_id,
            read_seq=read.read_seq,
            unread_count=read.unread_count,
        )
        yield Frame(payload, stream_id, (event.user_id,))


def _conversation(event: ConversationUpdated) -> Iterable[Frame]:
    stream_id = StreamId(event.conversation_id)
    payload = _payload("conversation.updated", event, stream_id, changed=event.changed)
    yield Frame(payload, stream_id, (event.user_id,))


def _conversation_group(
    event: ConversationGroupCreated
    | ConversationGroupRenamed
    | ConversationGroupDeleted
    | ConversationGroupChanged,
) -> Iterable[Frame]:
    fields = event.model_dump(mode="json", exclude={"type", "at", "user_id"})
    payload = {"type": event.type, "stream_id": None, "at": rfc3339(event.at), **fields}
    yield Frame(payload, StreamId(""), (event.user_id,))


def _dialogue(kind: str) -> Callable[[Any], Iterable[Frame]]:
    def render(event: DialogueEvent) -> Iterable[Frame]:
        message = event.message
        for side in event.dialogue.sides:
            stream_id = StreamId(side.conversation_id)
            said = dialogue_message_view(Said(side, message), Tally())
            shown = said.model_dump(mode="json", exclude=_NOT_IN_FRAMES)
            payload = _payload(kind, event, stream_id, seq=message.seq, message=shown)
            yield Frame(payload, stream_id, (side.user_id,))
            if isinstance(event, DialoguePosted) and message.sender_id == side.user_id:
                read = {"read_seq": message.seq, "unread_count": 0}
                own = _payload("conversation.read", event, stream_id, **read)
                yield Frame(own, stream_id, (side.user_id,))
        if event.dialogue.channel_id is None:
            return
        thread = thread_message_view(Said(event.dialogue, message), Tally())
        shown = thread.model_dump(mode="json", exclude=_NOT_IN_FRAMES)
        payload = _of_thread(kind, event, seq=message.seq, message=shown)
        yield Frame(payload, StreamId(""), event.staff)
        if isinstance(event, DialoguePosted) and message.sender_id == event.peer_id:
            read = {"read_seq": message.seq, "unread_count": 0}
            yield Frame(_of_thread("inbox.read", event, **read), StreamId(""), event.staff)

    return render


def _dialogue_reacted(event: DialogueReacted) -> Iterable[Frame]:
    # Nobody watches a dialogue: its two sides hear it wherever they are, and each is told its own.
    kind = "reactions.changed"
    counts = {"seq": event.seq, "counts": event.counts, "total": event.total}
    for side in event.dialogue.sides:
        stream_id = StreamId(side.conversation_id)
        mine = event.user_holds if side.user_id == event.user_id else event.peer_holds
        payload = _payload(kind, event, stream_id, **counts, mine=mine)
        yield Frame(payload, stream_id, (side.user_id,))
    if event.dialogue.channel_id is not None:
        payload = _of_thread(kind, event, **counts, mine=event.peer_holds)
        yield Frame(payload, StreamId(""), event.staff)


def _of_thread(
    kind: str, event: DialogueEvent | DialogueReacted | ThreadRead, **fields: Any
) -> dict[str, Any]:
    """What a channel's admins hear: it is in none of their conversations, but in the channel's inbox."""
    channel_id = event.channel_id if isinstance(event, ThreadRead) else event.peer_id
    thread = {"stream_id": None, "channel_id": channel_id, "user_id": event.user_id}
    return {"type": kind, "at": rfc3339(event.at), **thread, **fields}


def _thread_read(event: ThreadRead) -> Iterable[Frame]:
    read = {"read_seq": event.read_seq, "unread_count": event.unread_count}
    yield Frame(_of_thread("inbox.read", event, **read), StreamId(""), event.staff)


def inbox_unread_frame(
    channel_id: GroupId, unread: InboxUnread, at: datetime, staff: tuple[UserId, ...]
) -> Frame:
    """The frame that tells an inbox's totals, as they were read after the change of this instant."""
    payload = {
        "type": "inbox.unread",
        "stream_id": None,
        "at": rfc3339(at),
        "channel_id": channel_id,
        "unread_count": unread.messages,
        "unread_threads": unread.threads,
    }
    return Frame(payload, StreamId(""), staff)


def _ended(event: ConversationEnded) -> Iterable[Frame]:
    stream_id = StreamId(event.conversation_id)
    yield Frame(_payload(event.type, event, stream_id), stream_id, (event.user_id,))


def _block(event: BlockChanged) -> Iterable[Frame]:
    fields = {"user_id": event.peer_id, "blocked": event.is_blocked}
    payload = {"type": event.type, "stream_id": None, "at": rfc3339(event.at), **fields}
    yield Frame(payload, StreamId(""), (event.user_id,))


_RENDER: Final[dict[type[Event], Callable[[Any], Iterable[Frame]]]] = {
    MembersJoined: _joined,
    MembersLeft: _left,
    MemberChanged: _member_changed,
    GroupUpdated: _updated,
    GroupDisbanded: _disbanded,
    JoinRequested: _requested,
    JoinRefused: _refused,
    AdminInvited: _invited,
    InvitationEnded: _invitation_ended,
    MessagePosted: _message("message.posted"),
    MessageEdited: _message("message.edited"),
    MessageRecalled: _message("message.recalled"),
    ReactionsChanged: _reactions,
    ConversationRead: _read,
    ConversationUpdated: _conversation,
    ConversationGroupCreated: _conversation_group,
    ConversationGroupRenamed: _conversation_group,
    ConversationGroupDeleted: _conversation_group,
    ConversationGroupChanged: _conversation_group,
    DraftScheduled: lambda _: (),  # for the schedulers only
    StrangerBanned: lambda _: (),  # for the hubs only
    DialoguePosted: _dialogue("message.posted"),
    DialogueEdited: _dialogue("message.edited"),
    DialogueRecalled: _dialogue("message.recalled"),
    DialogueReacted: _dialogue_reacted,
    ThreadRead: _thread_read,
    ConversationEnded: _ended,
    BlockChanged: _block,
}


RENDERED: Final = (
    "message.posted",
    "message.edited",
    "message.recalled",
    "reactions.changed",
    "channel.subscribed",
    "channel.unsubscribed",
    "channel.updated",
    "channel.deleted",
    "channel.invited",
    "channel.invitation_ended",
    "group.joined",
    "group.left",
    "group.updated",
    "group.disbanded",
    "member.changed",
    "join.requested",
    "join.refused",
    "conversation.read",
    "conversation.updated",
    "conversation_group.created",
    "conversation_group.renamed",
    "conversation_group.deleted",
    "conversation_group.changed",
    "conversation.ended",
    "inbox.read",
    "inbox.unread",
    "block.changed",
)
"""Every type of event that the socket tells."""


def frames_of(event: Event) -> Iterable[Frame]:
    """The frames that tell the event, in the order to send them."""
    return _RENDER[type(event)](event)


def is_told(event: type[Event]) -> bool:
    """Whether the socket knows how to tell such an event (a test asks it of all)."""
    return event in _RENDER
