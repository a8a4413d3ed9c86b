"""Events of one user's conversations, of one-to-one messages, and of a channel's inbox."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from channels.event_views.view import NOT_IN_EVENTS, EventView, Rendering, payload_of
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
    ThreadRead,
)
from conversations.models import DialogueMessage, InboxUnread
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Tally


def _read(event: ConversationRead) -> Iterable[EventView]:
    for read in event.reads:
        stream_id = StreamId(read.conversation_id)
        payload = payload_of(
            "conversation.read",
            event,
            stream_id,
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
    yield _without_stream(event.type, event.at, (event.user_id,), **fields)


def _dialogue(event_type: str) -> Callable[[Any], Iterable[EventView]]:
    def render(event: DialogueEvent) -> Iterable[EventView]:
        message = event.message
        fields: dict[str, Any] = {"seq": message.seq}
        if not isinstance(event, DialoguePosted):
            fields["version"] = message.changed_version
        for side in event.dialogue.sides:
            stream_id = StreamId(side.conversation_id)
            response = dialogue_message_response(DialogueMessage(side, message), Tally())
            shown = response.model_dump(mode="json", exclude=NOT_IN_EVENTS)
            payload = payload_of(event_type, event, stream_id, **fields, message=shown)
            yield EventView(payload, stream_id, (side.user_id,))
            if isinstance(event, DialoguePosted) and message.sender_id == side.user_id:
                read = {"read_seq": message.seq, "unread_count": 0}
                own = payload_of("conversation.read", event, stream_id, **read)
                yield EventView(own, stream_id, (side.user_id,))
        if event.dialogue.channel_id is None:
            return
        thread = thread_message_response(DialogueMessage(event.dialogue, message), Tally())
        shown = thread.model_dump(mode="json", exclude=NOT_IN_EVENTS)
        yield _thread_view(event_type, event, **fields, message=shown)
        if isinstance(event, DialoguePosted) and message.sender_id == event.peer_id:
            yield _thread_view("inbox.read", event, read_seq=message.seq, unread_count=0)

    return render


def _dialogue_reacted(event: DialogueReacted) -> Iterable[EventView]:
    # Nobody watches a dialogue: both sides receive every change, each with their own reactions.
    event_type = "reactions.changed"
    counts = {"seq": event.seq, "counts": event.counts, "total": event.total}
    for side in event.dialogue.sides:
        stream_id = StreamId(side.conversation_id)
        mine = event.user_holds if side.user_id == event.user_id else event.peer_holds
        payload = payload_of(event_type, event, stream_id, **counts, mine=mine)
        yield EventView(payload, stream_id, (side.user_id,))
    if event.dialogue.channel_id is not None:
        yield _thread_view(event_type, event, **counts, mine=event.peer_holds)


def _without_stream(
    event_type: str, at: datetime, users: tuple[UserId, ...], **fields: Any
) -> EventView:
    """A view for these users, of no conversation."""
    payload = {"type": event_type, "stream_id": None, "at": rfc3339(at), **fields}
    return EventView(payload, StreamId(""), users)


def _thread_view(
    event_type: str, event: DialogueEvent | DialogueReacted | ThreadRead, **fields: Any
) -> EventView:
    """A view for the admins of a channel: it names the thread of the inbox, and no conversation of theirs."""
    channel_id = event.channel_id if isinstance(event, ThreadRead) else event.peer_id
    thread = {"channel_id": channel_id, "user_id": event.user_id}
    return _without_stream(event_type, event.at, event.staff, **thread, **fields)


def _thread_read(event: ThreadRead) -> Iterable[EventView]:
    read = {"read_seq": event.read_seq, "unread_count": event.unread_count}
    yield _thread_view("inbox.read", event, **read)


def inbox_unread_view(
    channel_id: GroupId, unread: InboxUnread, at: datetime, staff: tuple[UserId, ...]
) -> EventView:
    """The totals of an inbox, read after the change that was made `at` this instant."""
    return _without_stream(
        "inbox.unread",
        at,
        staff,
        channel_id=channel_id,
        unread_count=unread.messages,
        unread_threads=unread.threads,
    )


def _ended(event: ConversationEnded) -> Iterable[EventView]:
    stream_id = StreamId(event.conversation_id)
    yield EventView(payload_of(event.type, event, stream_id), stream_id, (event.user_id,))


def _block(event: BlockChanged) -> Iterable[EventView]:
    fields = {"user_id": event.peer_id, "blocked": event.is_blocked}
    yield _without_stream(event.type, event.at, (event.user_id,), **fields)


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
    ConversationEnded: _ended,
    BlockChanged: _block,
}
