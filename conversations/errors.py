"""The refusals of conversations."""

from typing import ClassVar

from groups.kernel.errors import Conflict, LimitReached, NotFound, PermissionDenied


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


class MessagesNotAccepted(PermissionDenied):
    """The other side takes no messages from the actor; whether by a setting or by blocking him is not told."""

    code: ClassVar[str] = "messages_not_accepted"
    summary: ClassVar[str] = "Messages from you are not accepted here"


class PeerBlocked(Conflict):
    """The actor blocks the other side, so he cannot write to it."""

    code: ClassVar[str] = "peer_blocked"
    summary: ClassVar[str] = "You block this user; unblock first"


class CannotBlock(Conflict):
    """One's own id is not to be blocked."""

    code: ClassVar[str] = "cannot_block"
    summary: ClassVar[str] = "You cannot block yourself"


class DialogueLimitReached(LimitReached):
    """The user already has `limit` one-to-one conversations, and cannot begin one more."""

    code: ClassVar[str] = "dialogue_limit_reached"
    summary: ClassVar[str] = "You have too many one-to-one conversations"


class UnansweredLimitReached(LimitReached):
    """`limit` others wait already for the other side to answer their first words; one more has to wait his turn."""

    code: ClassVar[str] = "unanswered_limit_reached"
    summary: ClassVar[str] = "Too many wait for this user's answer; try again later"


class BlockLimitReached(LimitReached):
    """The user already blocks `limit` others."""

    code: ClassVar[str] = "block_limit_reached"
    summary: ClassVar[str] = "You block too many"
