"""Events of one user's conversations and of one-to-one messages, published after the commit to their sessions only.

Posting also moves the author's own cursor. That has no event here: `message.posted` names the author.
"""

from typing import Literal

from pydantic import JsonValue

from conversations.models import ConversationId, Dialogue, ReadMark
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import Message


class PersonalEvent(Event):
    """The base of events that only the sessions of this user receive."""

    type: str = "personal.event"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class ConversationRead(PersonalEvent):
    """The user marked one or many conversations as read; `reads` is the state of each after it."""

    type: Literal["conversation.read"] = "conversation.read"
    reads: tuple[ReadMark, ...]


class ConversationUpdated(PersonalEvent):
    """The user changed settings; `changed` has the new values by the field names of the API.

    A `draft` is "" if it was cleared and None if it has a text: events do not contain unsent text.
    """

    type: Literal["conversation.updated"] = "conversation.updated"
    conversation_id: ConversationId
    changed: dict[str, JsonValue]


class ConversationGroupCreated(PersonalEvent):
    """The user created a conversation group with these conversations."""

    type: Literal["conversation_group.created"] = "conversation_group.created"
    name: str
    conversation_ids: tuple[ConversationId, ...]


class ConversationGroupRenamed(PersonalEvent):
    """The conversation group `name` is now called `new_name`."""

    type: Literal["conversation_group.renamed"] = "conversation_group.renamed"
    name: str
    new_name: str


class ConversationGroupDeleted(PersonalEvent):
    """The user deleted the conversation group; its conversations stay."""

    type: Literal["conversation_group.deleted"] = "conversation_group.deleted"
    name: str


class ConversationGroupChanged(PersonalEvent):
    """The user added conversations to the conversation group, or removed some."""

    type: Literal["conversation_group.changed"] = "conversation_group.changed"
    name: str
    added: tuple[ConversationId, ...]
    removed: tuple[ConversationId, ...]


class ConversationEnded(PersonalEvent):
    """A one-to-one conversation ended because the channel was deleted. Its user need not be a subscriber."""

    type: Literal["conversation.ended"] = "conversation.ended"
    conversation_id: ConversationId


class BlockChanged(PersonalEvent):
    """The user blocks, or no longer blocks, another user or a channel."""

    type: Literal["block.changed"] = "block.changed"
    peer_id: str
    is_blocked: bool


class DialogueEvent(Event):
    """The base of events of one-to-one messages. `staff`: the users who receive it for a channel `peer_id`."""

    type: str = "dialogue.event"
    user_id: UserId
    peer_id: str
    staff: tuple[UserId, ...] = ()
    message: Message

    @property
    def dialogue(self) -> Dialogue:
        return Dialogue(self.user_id, self.peer_id)

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id, self.peer_id, *self.staff)


class DialoguePosted(DialogueEvent):
    """A one-to-one message was sent."""

    type: Literal["dialogue.posted"] = "dialogue.posted"


class DialogueEdited(DialogueEvent):
    """A one-to-one message's content was replaced."""

    type: Literal["dialogue.edited"] = "dialogue.edited"


class DialogueRecalled(DialogueEvent):
    """A one-to-one message was deleted for everyone; its seq stays."""

    type: Literal["dialogue.recalled"] = "dialogue.recalled"


class ThreadRead(Event):
    """A channel's side of a dialogue was read. All its `staff` receive it, since they share the cursor."""

    type: Literal["thread.read"] = "thread.read"
    channel_id: GroupId
    user_id: UserId
    staff: tuple[UserId, ...]
    read_seq: int
    unread_count: int

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff


class ThreadTagged(Event):
    """A channel's side of a dialogue got other tags. All its `staff` receive it, since they share them."""

    type: Literal["thread.tagged"] = "thread.tagged"
    channel_id: GroupId
    user_id: UserId
    staff: tuple[UserId, ...]
    tags: tuple[str, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.staff
