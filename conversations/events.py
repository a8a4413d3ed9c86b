"""What changed in one user's view, once it is committed; only his own sessions hear it (`user_id`).

Posting moves the author's own cursor too, and has no event here: `message.posted` says whose message it is.
"""

from typing import Literal

from pydantic import JsonValue

from conversations.models import ConversationId, ReadMark
from groups.kernel.events import Event
from groups.kernel.ids import UserId


class PersonalEvent(Event):
    """The base of this package's events: heard by the sessions of this user, and nobody else's."""

    type: str = "personal.event"
    user_id: UserId


class ConversationRead(PersonalEvent):
    """The user read on, in one conversation or in many at once; each as it then stood."""

    type: Literal["conversation.read"] = "conversation.read"
    reads: tuple[ReadMark, ...]


class ConversationUpdated(PersonalEvent):
    """The user set something; `changed` holds the new values by field name as the API answers them."""

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
