"""The refusals of conversations."""

from typing import ClassVar

from groups.kernel.errors import Conflict, LimitReached, NotFound


class ConversationNotFound(NotFound):
    """The user has no such conversation: he is not a member, or the group is gone."""

    code: ClassVar[str] = "conversation_not_found"
    summary: ClassVar[str] = "No such conversation"


class ConversationGroupNotFound(NotFound):
    """The user has no conversation group of this name."""

    code: ClassVar[str] = "conversation_group_not_found"
    summary: ClassVar[str] = "No such conversation group"


class ConversationGroupTaken(Conflict):
    """The user has a conversation group of the new name already."""

    code: ClassVar[str] = "conversation_group_taken"
    summary: ClassVar[str] = "There is a conversation group of this name already"


class BuiltInConversationGroup(Conflict):
    """The name means something of its own; no user makes, renames or deletes it."""

    code: ClassVar[str] = "built_in_conversation_group"
    summary: ClassVar[str] = "This conversation group is built in and cannot be edited"


class ConversationGroupLimitReached(LimitReached):
    """The user already has `limit` conversation groups."""

    code: ClassVar[str] = "conversation_group_limit_reached"
    summary: ClassVar[str] = "You have too many conversation groups"


class ConversationsPerGroupReached(LimitReached):
    """The conversation group already holds `limit` conversations."""

    code: ClassVar[str] = "conversations_per_group_reached"
    summary: ClassVar[str] = "The conversation group is full"
