"""The errors of conversations."""

from typing import ClassVar

from groups.kernel.errors import Conflict, LimitReached, NotFound, PermissionDenied


class ConversationNotFound(NotFound):
    """The user has no such conversation: they are not a member, or the group was deleted."""

    code: ClassVar[str] = "conversation_not_found"
    summary: ClassVar[str] = "No such conversation"
    remedy: ClassVar[str] = "Take the conversation off the list that you show."


class ConversationGroupNotFound(NotFound):
    """The user has no conversation group of this name."""

    code: ClassVar[str] = "conversation_group_not_found"
    summary: ClassVar[str] = "No such conversation group"
    remedy: ClassVar[str] = (
        "Read the list of conversation groups anew: another device may have renamed or deleted it."
    )


class ConversationGroupTaken(Conflict):
    """The user already has a conversation group with the new name."""

    code: ClassVar[str] = "conversation_group_taken"
    summary: ClassVar[str] = "You already have a conversation group with this name"
    remedy: ClassVar[str] = "Choose another name."


class BuiltInConversationGroup(Conflict):
    """The name is built in or reserved; users cannot create, rename or delete such a group."""

    code: ClassVar[str] = "built_in_conversation_group"
    summary: ClassVar[str] = "This conversation group is built in and cannot be edited"
    remedy: ClassVar[str] = (
        "Do not offer to change `channels` and `chats`; they exist for every user."
    )


class ConversationGroupLimitReached(LimitReached):
    """The user already has `limit` conversation groups."""

    code: ClassVar[str] = "conversation_group_limit_reached"
    summary: ClassVar[str] = "You have too many conversation groups"
    remedy: ClassVar[str] = "Delete a conversation group first."


class ConversationsPerGroupReached(LimitReached):
    """The conversation group already holds `limit` conversations."""

    code: ClassVar[str] = "conversations_per_group_reached"
    summary: ClassVar[str] = "The conversation group is full"
    remedy: ClassVar[str] = "Remove conversations from the group first, or make another."


class MessagesNotAccepted(PermissionDenied):
    """The other side accepts no messages from the user. Does not say whether by a setting or a block."""

    code: ClassVar[str] = "messages_not_accepted"
    summary: ClassVar[str] = "This recipient does not accept messages from you"
    remedy: ClassVar[str] = (
        "Tell the user that the message was not delivered. Whether a setting or a block is the "
        "reason is not said."
    )


class PeerBlocked(Conflict):
    """The user blocks the other side, so they cannot write to it."""

    code: ClassVar[str] = "peer_blocked"
    summary: ClassVar[str] = "You block this recipient; unblock first"
    remedy: ClassVar[str] = "Offer to unblock the recipient (`DELETE /v1/blocks/{id}`)."


class CannotBlock(Conflict):
    """Users cannot block themselves."""

    code: ClassVar[str] = "cannot_block"
    summary: ClassVar[str] = "You cannot block yourself"
    remedy: ClassVar[str] = "Do not offer to block oneself."


class DialogueLimitReached(LimitReached):
    """The user already has `limit` one-to-one conversations."""

    code: ClassVar[str] = "dialogue_limit_reached"
    summary: ClassVar[str] = "You have too many one-to-one conversations"
    remedy: ClassVar[str] = (
        "Delete one-to-one conversations first. Others can still write to the user."
    )


class UnansweredLimitReached(LimitReached):
    """`limit` other users already wait for the recipient to answer their first message."""

    code: ClassVar[str] = "unanswered_limit_reached"
    summary: ClassVar[str] = "Too many users wait for an answer from this user; try again later"
    remedy: ClassVar[str] = (
        "Try again later, when the recipient has answered others or deleted their messages."
    )


class BlockLimitReached(LimitReached):
    """The user already has `limit` blocks."""

    code: ClassVar[str] = "block_limit_reached"
    summary: ClassVar[str] = "You block too many users and channels"
    remedy: ClassVar[str] = "Unblock a user or a channel first."
