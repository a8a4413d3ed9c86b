"""The errors of conversations."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final

from groups.kernel.errors import (
    Conflict,
    Detail,
    InvalidInput,
    LimitReached,
    NotFound,
    PermissionDenied,
    RateLimited,
)


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


class InboxTagLimitReached(LimitReached):
    """Threads of the channel already have `limit` different tags."""

    code: ClassVar[str] = "inbox_tag_limit_reached"
    summary: ClassVar[str] = "The channel has as many tags as it may have"
    remedy: ClassVar[str] = "Use a tag that exists, or take one from all threads that have it."


class ConversationsPerGroupReached(LimitReached):
    """The conversation group already holds `limit` conversations."""

    code: ClassVar[str] = "conversations_per_group_reached"
    summary: ClassVar[str] = "The conversation group is full"
    remedy: ClassVar[str] = "Remove conversations from the group first, or make another."


class NotAccepted(StrEnum):
    """Why a user gets no message of a channel. Only the channel is told."""

    NOT_SUBSCRIBED = "not_subscribed"
    BLOCKED = "blocked"
    SWITCHED_OFF = "switched_off"


_NOT_ACCEPTED: Final = {
    NotAccepted.NOT_SUBSCRIBED: "The user is not subscribed to the channel, and has not written to it",
    NotAccepted.BLOCKED: "The user blocks the channel",
    NotAccepted.SWITCHED_OFF: "The user has switched off messages of the channel",
}


class MessagesNotAccepted(PermissionDenied):
    """The other side accepts no messages from the writer.

    A channel is told the `reason`. A user is not told whether by a setting or a block.
    """

    code: ClassVar[str] = "messages_not_accepted"
    summary: ClassVar[str] = "This recipient does not accept messages from you"
    remedy: ClassVar[str] = (
        "Tell the user that the message was not delivered. Whether a setting or a block is the "
        "reason is not said to them. A channel gets a `reason`, and does not try again while it "
        "lasts."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "reason": Detail(
            str,
            "Where a channel writes: `not_subscribed`, `blocked` or `switched_off`. Absent where a "
            "user writes.",
        ),
    }

    def __init__(self, reason: NotAccepted | None = None) -> None:
        if reason is None:
            super().__init__()
        else:
            super().__init__(_NOT_ACCEPTED[reason], reason=reason.value)


class DailyThreadLimitReached(RateLimited):
    """The channel has already begun `limit` threads today (UTC). It may still write in those that exist."""

    code: ClassVar[str] = "daily_thread_limit_reached"
    summary: ClassVar[str] = "The channel has begun as many threads today as it may"
    remedy: ClassVar[str] = (
        "Wait for the seconds in `Retry-After`, which end at midnight UTC, or raise the limit "
        "`OPENED_THREADS_PER_DAY`."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        **RateLimited.fields,
        "limit": Detail(int, "The threads that a channel may begin in a day."),
    }

    def __init__(self, *, limit: int, retry_after_seconds: float) -> None:
        super().__init__(
            f"A channel begins at most {limit} threads a day",
            retry_after_seconds=retry_after_seconds,
        )
        self.details["limit"] = limit


class AmbiguousConversationId(InvalidInput):
    """`c2c_<name>` names a user, but a channel has this name as its short id, and there is no such conversation yet.

    A message may be meant for the channel, and must not reach a user who happens to be called so.
    """

    code: ClassVar[str] = "ambiguous_conversation_id"
    summary: ClassVar[str] = "A channel and a user may be meant by this conversation id"
    remedy: ClassVar[str] = (
        "For the channel, use `channel_conversation_id`. To begin a conversation with the user of "
        "this id, write with `?to=user`."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "channel_conversation_id": Detail(str, "The conversation with the channel."),
    }

    def __init__(self, conversation_id: str, channel_conversation_id: str) -> None:
        super().__init__(
            f"{conversation_id} is a conversation with a user, which has not begun. For the channel, use"
            f" {channel_conversation_id}; to write to the user, add ?to=user",
            channel_conversation_id=channel_conversation_id,
        )


class AcceptNotForThis(InvalidInput):
    """`accept` goes with the conversation with a channel, `c2c_<channel id>`, and with no other."""

    code: ClassVar[str] = "accept_not_for_this"
    summary: ClassVar[str] = "Only messages of a channel can be switched off with accept"
    remedy: ClassVar[str] = (
        "Name the conversation with the channel in full (`c2c_@TOA#_news`). To get no more "
        "messages of a person, block them (`PUT /v1/blocks/{id}`)."
    )


class BadMutedUntil(InvalidInput):
    """The instant is in the past or too far ahead."""

    code: ClassVar[str] = "bad_muted_until"
    summary: ClassVar[str] = "muted_until must be in the future, and not too far ahead"
    remedy: ClassVar[str] = (
        "Choose an instant after `now` and not after `latest`. To mute for ever, send `muted: true`."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "now": Detail(str, "The server's time."),
        "latest": Detail(str, "The latest instant that is accepted."),
    }


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
