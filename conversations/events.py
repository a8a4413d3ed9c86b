"""What changed in one user's view, or between two sides, once it is committed; only their sessions hear it.

Posting moves the author's own cursor too, and has no event here: `message.posted` says whose message it is.
"""

from typing import Literal

from pydantic import JsonValue

from conversations.models import ConversationId, Dialogue, ReadMark
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import Message


class PersonalEvent(Event):
    """The base of this package's events: heard by the sessions of this user, and nobody else's."""

    type: str = "personal.event"
    user_id: UserId


class ConversationRead(PersonalEvent):
    """The user read on, in one conversation or in many at once; each as it then stood."""

    type: Literal["conversation.read"] = "conversation.read"
    reads: tuple[ReadMark, ...]


class ConversationUpdated(PersonalEvent):
    """The user set something; `changed` holds the new values by field name as the API answers them.

    A `draft` is "" where it was cleared and None where it has a text, which no event holds: nobody has sent it.
    """

    type: Literal["conversation.updated"] = "conversation.updated"
    conversation_id: ConversationId
    changed: dict[str, JsonValue]


class ConversationGroupCreated(PersonalEvent):
    """The user made a conversation group, with these conversations in it."""

    type: Literal["conversation_group.created"] = "conversation_group.created"
    name: str
    conversation_ids: tuple[ConversationId, ...]


class ConversationGroupRenamed(PersonalEvent):
    """The conversation group `name` is now called `new_name`."""

    type: Literal["conversation_group.renamed"] = "conversation_group.renamed"
    name: str
    new_name: str


class ConversationGroupDeleted(PersonalEvent):
    """The conversation group is gone; its conversations stay."""

    type: Literal["conversation_group.deleted"] = "conversation_group.deleted"
    name: str


class ConversationGroupChanged(PersonalEvent):
    """Conversations were put into the conversation group, or taken out."""

    type: Literal["conversation_group.changed"] = "conversation_group.changed"
    name: str
    added: tuple[ConversationId, ...]
    removed: tuple[ConversationId, ...]


class ConversationEnded(PersonalEvent):
    """A one-to-one conversation is gone, since the channel is: told to its user, who need not subscribe to hear it."""

    type: Literal["conversation.ended"] = "conversation.ended"
    conversation_id: ConversationId


class BlockChanged(PersonalEvent):
    """The user blocks, or no longer blocks, another user or a channel."""

    type: Literal["block.changed"] = "block.changed"
    peer_id: str
    is_blocked: bool


class DialogueEvent(Event):
    """The base of what happens between a user and the other side: a user, or a channel, whose `staff` hears it then."""

    type: str = "dialogue.event"
    user_id: UserId
    peer_id: str
    staff: tuple[UserId, ...] = ()
    message: Message

    @property
    def dialogue(self) -> Dialogue:
        """Between whom."""
        return Dialogue(self.user_id, self.peer_id)


class DialoguePosted(DialogueEvent):
    """A one-to-one message was sent."""

    type: Literal["dialogue.posted"] = "dialogue.posted"


class DialogueEdited(DialogueEvent):
    """A one-to-one message's content was replaced."""

    type: Literal["dialogue.edited"] = "dialogue.edited"


class DialogueRecalled(DialogueEvent):
    """A one-to-one message was recalled; its seq stays."""

    type: Literal["dialogue.recalled"] = "dialogue.recalled"


class ThreadRead(Event):
    """A channel's side of a dialogue was read on; all its `staff` hear it, since they share the cursor."""

    type: Literal["thread.read"] = "thread.read"
    channel_id: GroupId
    user_id: UserId
    staff: tuple[UserId, ...]
    read_seq: int
    unread_count: int
