"""Events of one user's conversations, of one-to-one messages, and of a channel's inbox.

Users receive `CONVERSATION_EVENTS`, and back ends `PUBLIC_CONVERSATION_EVENTS`. A back end receives events of all
users, so there `user_id` says whose conversation an event is of, and `stream_id` is different for each pair of users.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from channels.event_views.view import (
    INBOX_PREFIX,
    NOT_IN_EVENTS,
    EventView,
    PublicRendering,
    PublicViews,
    Rendering,
    event_id_of,
    payload_of,
)
from channels.events import DialogueReacted
from channels.routes.dialogue_responses import dialogue_message_response, thread_message_response
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
    PersonalEvent,
    ThreadRead,
    ThreadTagged,
)
from conversations.models import C2C_PREFIX, Dialogue, DialogueMessage, InboxUnread, Unread
from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId


def _read(event: ConversationRead) -> Iterable[EventView]:
    for place, read in enumerate(event.reads):
        stream_id = StreamId(read.conversation_id)
        payload = payload_of(
            "conversation.read",
            event,
            stream_id,
            part=str(place),
            read_seq=read.read_seq,
            unread_count=read.unread_count,
        )
        yield EventView(payload, stream_id, (event.user_id,))


def _conversation(event: ConversationUpdated) -> Iterable[EventView]:
    stream_id = StreamId(event.conversation_id)
    payload = payload_of("conversation.updated", event, stream_id, changed=event.changed)
    yield EventView(payload, stream_id, (event.user_id,))


def _conversation_group(
    event: ConversationGroupCreated
    | ConversationGroupRenamed
    | ConversationGroupDeleted
    | ConversationGroupChanged,
) -> Iterable[EventView]:
    fields = event.model_dump(mode="json", exclude={"type", "at", "user_id"})
    yield _without_stream(event.type, event, (event.user_id,), **fields)


def _message_fields(event: DialogueEvent) -> dict[str, Any]:
    message = event.message
    fields: dict[str, Any] = {"seq": message.seq}
    if not isinstance(event, DialoguePosted):
        fields["version"] = message.changed_version
    return fields


def _side_payload(event_type: str, event: DialogueEvent, side: Dialogue) -> dict[str, Any]:
    """A message as the user of this side sees it."""
    response = dialogue_message_response(DialogueMessage(side, event.message), None)
    shown = response.model_dump(mode="json", exclude=NOT_IN_EVENTS)
    fields = _message_fields(event)
    return payload_of(event_type, event, StreamId(side.conversation_id), **fields, message=shown)


def _message_in_thread(event_type: str, event: DialogueEvent) -> EventView:
    """A message as the admins of the channel see it."""
    thread = thread_message_response(DialogueMessage(event.dialogue, event.message), None)
    shown = thread.model_dump(mode="json", exclude=NOT_IN_EVENTS)
    fields = _message_fields(event)
    return _thread_view(event_type, event, part=_IN_INBOX, **fields, message=shown)


def _dialogue(event_type: str) -> Callable[[Any], Iterable[EventView]]:
    def render(event: DialogueEvent) -> Iterable[EventView]:
        message = event.message
        read: dict[str, Any] = {"read_seq": message.seq, "unread_count": 0}
        for side in event.dialogue.sides:
            stream_id = StreamId(side.conversation_id)
            yield EventView(_side_payload(event_type, event, side), stream_id, (side.user_id,))
            if isinstance(event, DialoguePosted) and message.sender_id == side.user_id:
                own = payload_of("conversation.read", event, stream_id, part="read", **read)
                yield EventView(own, stream_id, (side.user_id,))
        if event.dialogue.channel_id is None:
            return
        yield _message_in_thread(event_type, event)
        yield from _form_answered(event)
        if isinstance(event, DialoguePosted) and message.sender_id == event.peer_id:
            yield _thread_view("inbox.read", event, part="inbox_read", **read)

    return render


def _form_answered(event: DialogueEvent) -> Iterable[EventView]:
    """The answer to a form, which is a new message of the user, as an event of its own."""
    content = event.message.content
    if not isinstance(event, DialoguePosted) or content is None or content.form_answer is None:
        return
    fields = content.form_answer.model_dump(mode="json")
    yield _thread_view("form.answered", event, part="form", seq=event.message.seq, **fields)


def _public_dialogue(event_type: str) -> Callable[[Any], Iterable[dict[str, Any]]]:
    def payloads(event: DialogueEvent) -> Iterable[dict[str, Any]]:
        if event.dialogue.channel_id is not None:
            yield _message_in_thread(event_type, event).payload
            for view in _form_answered(event):
                yield view.payload
            return
        sides = event.dialogue.sides
        receiver = next((one for one in sides if one.user_id != event.message.sender_id), sides[0])
        yield _for_back_ends(_side_payload(event_type, event, receiver), receiver.user_id)

    return payloads


def _dialogue_reacted(event: DialogueReacted) -> Iterable[EventView]:
    # Nobody watches a dialogue: both sides receive every change, each with their own reactions.
    event_type = "reactions.changed"
    counts: dict[str, Any] = {"seq": event.seq, "counts": event.counts, "total": event.total}
    for side in event.dialogue.sides:
        stream_id = StreamId(side.conversation_id)
        mine = event.user_holds if side.user_id == event.user_id else event.peer_holds
        payload = payload_of(event_type, event, stream_id, **counts, mine=mine)
        yield EventView(payload, stream_id, (side.user_id,))
    if event.dialogue.channel_id is not None:
        yield _thread_view(event_type, event, part=_IN_INBOX, **counts, mine=event.peer_holds)


def _public_dialogue_reacted(event: DialogueReacted) -> Iterable[dict[str, Any]]:
    event_type = "reactions.changed"
    counts: dict[str, Any] = {"seq": event.seq, "counts": event.counts, "total": event.total}
    if event.dialogue.channel_id is not None:
        yield _thread_view(event_type, event, part=_IN_INBOX, **counts).payload
        return
    receiver = event.dialogue.sides[-1]
    payload = payload_of(event_type, event, StreamId(receiver.conversation_id), **counts)
    yield _for_back_ends(payload, receiver.user_id)


_IN_INBOX: Final = "inbox"
"""The part that the admins of a channel receive of a one-to-one message with it.

They may have written to their own channel. Then they also receive what its user receives.
"""


def _without_stream(
    event_type: str, event: Event, users: tuple[UserId, ...], **fields: Any
) -> EventView:
    """A view for these users, of no conversation."""
    return _totals(event_type, event.event_id, event.at, users, **fields)


def _totals(
    event_type: str, event_id: str, at: datetime, users: tuple[UserId, ...], **fields: Any
) -> EventView:
    stem = {"event_id": event_id, "type": event_type, "stream_id": None, "at": rfc3339(at)}
    return EventView({**stem, **fields}, StreamId(""), users)


def _thread_view(
    event_type: str,
    event: DialogueEvent | DialogueReacted | ThreadRead | ThreadTagged,
    *,
    part: str = "",
    **fields: Any,
) -> EventView:
    """A view for the admins of a channel: it names the thread of the inbox, and no conversation of theirs."""
    channel_id = event.channel_id if isinstance(event, ThreadRead | ThreadTagged) else event.peer_id
    payload = {
        "event_id": event_id_of(event, part),
        "type": event_type,
        "stream_id": thread_stream_id(channel_id, event.user_id),
        "at": rfc3339(event.at),
        "channel_id": channel_id,
        "user_id": event.user_id,
        **fields,
    }
    return EventView(payload, StreamId(""), event.staff)


def thread_stream_id(channel_id: str, user_id: UserId) -> str:
    """The stream of a user's thread in a channel's inbox, as those who read the inbox know it."""
    # The stored id has a separator that nobody can print. Ids may hold colons, so they are quoted.
    return f"{INBOX_PREFIX}{_quoted(channel_id)}:{_quoted(user_id)}"


def _quoted(part: str) -> str:
    return quote(part, safe="@#")


def _public_stream_id(user_id: UserId, conversation_id: str) -> str:
    """The stream of a user's conversation: what `conversation_id` is for the user alone, for everybody.

    A user calls each one-to-one conversation by its other side, so many users have conversations of the same id.
    """
    if not conversation_id.startswith(C2C_PREFIX):
        return conversation_id
    dialogue = Dialogue(user_id, conversation_id.removeprefix(C2C_PREFIX))
    if dialogue.channel_id is not None:
        return thread_stream_id(dialogue.channel_id, user_id)
    return C2C_PREFIX + ":".join(map(_quoted, sorted((user_id, dialogue.peer_id))))


def _for_back_ends(payload: dict[str, Any], user_id: UserId) -> dict[str, Any]:
    """What the user receives, with the user, whose it is."""
    conversation_id = payload.get("conversation_id")
    if conversation_id is None:
        return {**payload, "user_id": user_id}
    stream_id = _public_stream_id(user_id, conversation_id)
    return {**payload, "stream_id": stream_id, "user_id": user_id}


def _thread_read(event: ThreadRead) -> Iterable[EventView]:
    read: dict[str, Any] = {"read_seq": event.read_seq, "unread_count": event.unread_count}
    yield _thread_view("inbox.read", event, **read)


def _thread_tagged(event: ThreadTagged) -> Iterable[EventView]:
    yield _thread_view("inbox.tagged", event, tags=list(event.tags))


def inbox_unread_view(
    channel_id: GroupId, unread: InboxUnread, cause: DialoguePosted | ThreadRead
) -> EventView:
    """The totals of an inbox, read after this event, which changed them."""
    return _totals(
        "inbox.unread",
        event_id_of(cause, "inbox_unread"),
        cause.at,
        cause.staff,
        channel_id=channel_id,
        unread_count=unread.messages,
        unread_threads=unread.threads,
    )


def unread_changed_view(user_id: UserId, unread: Unread, cause: Event) -> EventView:
    """The user's totals, read after this event, by which they changed them."""
    event_id = event_id_of(cause, "unread")
    return _totals("unread.changed", event_id, cause.at, (user_id,), **unread._asdict())


def _ended(event: ConversationEnded) -> Iterable[EventView]:
    stream_id = StreamId(event.conversation_id)
    yield EventView(payload_of(event.type, event, stream_id), stream_id, (event.user_id,))


def _block(event: BlockChanged) -> Iterable[EventView]:
    fields = {"user_id": event.peer_id, "blocked": event.is_blocked}
    yield _without_stream(event.type, event, (event.user_id,), **fields)


def _public_block(event: BlockChanged) -> Iterable[dict[str, Any]]:
    # In what the user receives, `user_id` is the other side.
    for view in _block(event):
        yield {**view.payload, "blocker_id": event.user_id}


def _personal(
    render: Callable[[Any], Iterable[EventView]],
) -> Callable[[Any], Iterable[dict[str, Any]]]:
    def payloads(event: PersonalEvent) -> Iterable[dict[str, Any]]:
        for view in render(event):
            yield _for_back_ends(view.payload, event.user_id)

    return payloads


def _personal_views(event: type[PersonalEvent]) -> PublicViews:
    event_type: str = event.model_fields["type"].default
    return PublicViews((event_type,), _personal(CONVERSATION_EVENTS[event]))


CONVERSATION_EVENTS: Final[Rendering] = {
    ConversationRead: _read,
    ConversationUpdated: _conversation,
    ConversationGroupCreated: _conversation_group,
    ConversationGroupRenamed: _conversation_group,
    ConversationGroupDeleted: _conversation_group,
    ConversationGroupChanged: _conversation_group,
    DialoguePosted: _dialogue("message.posted"),
    DialogueEdited: _dialogue("message.edited"),
    DialogueRecalled: _dialogue("message.recalled"),
    DialogueReacted: _dialogue_reacted,
    ThreadRead: _thread_read,
    ThreadTagged: _thread_tagged,
    ConversationEnded: _ended,
    BlockChanged: _block,
}

PUBLIC_CONVERSATION_EVENTS: Final[PublicRendering] = {
    ConversationRead: _personal_views(ConversationRead),
    ConversationUpdated: _personal_views(ConversationUpdated),
    ConversationGroupCreated: _personal_views(ConversationGroupCreated),
    ConversationGroupRenamed: _personal_views(ConversationGroupRenamed),
    ConversationGroupDeleted: _personal_views(ConversationGroupDeleted),
    ConversationGroupChanged: _personal_views(ConversationGroupChanged),
    ConversationEnded: _personal_views(ConversationEnded),
    BlockChanged: PublicViews(("block.changed",), _public_block),
    DialoguePosted: PublicViews(
        ("message.posted", "form.answered"), _public_dialogue("message.posted")
    ),
    DialogueEdited: PublicViews(("message.edited",), _public_dialogue("message.edited")),
    DialogueRecalled: PublicViews(("message.recalled",), _public_dialogue("message.recalled")),
    DialogueReacted: PublicViews(("reactions.changed",), _public_dialogue_reacted),
    # An answer marks the thread as read, and is no event of its own to back ends.
    ThreadRead: PublicViews(
        ("inbox.read",), lambda event: (view.payload for view in _thread_read(event))
    ),
    ThreadTagged: PublicViews(
        ("inbox.tagged",), lambda event: (view.payload for view in _thread_tagged(event))
    ),
}
