"""Pure rules of conversations: their order, the conversation groups they belong to, and the unread totals."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final

from conversations.errors import (
    BadMutedUntil,
    ConversationNotFound,
    DailyThreadLimitReached,
    MessagesNotAccepted,
    NotAccepted,
)
from conversations.limits import MUTE_DAYS
from conversations.models import (
    BUILT_IN_GROUPS,
    CHANNEL_SIGN,
    CHANNELS,
    CHATS,
    Conversation,
    ConversationSettings,
    ConversationSnapshot,
    GroupTotal,
    NotificationLevel,
    ReadScope,
    Unread,
    unread_of,
)
from groups.kernel.clock import rfc3339
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.models import MembershipRow

_JOINED_AT_START: Final = MembershipRow(GroupId(""), 0)

SortKey = tuple[int, int, str]
"""Pinned first, the latest pinned first; then the latest active first; then by id. Instants as negated milliseconds."""


def sort_key(conversation: Conversation) -> SortKey:
    """Return the conversation's position in the list."""
    pinned_at = conversation.settings.pinned_at
    pinned_ms = round(pinned_at.timestamp() * 1000) if pinned_at else 0
    return -pinned_ms, -conversation.active_ms, conversation.conversation_id


def belongs_to(conversation: Conversation, group_name: str) -> bool:
    """Whether the conversation is in the conversation group; with an empty name: in none of the user's own."""
    if group_name == CHANNELS:
        return conversation.is_channel
    if group_name == CHATS:
        return not conversation.is_channel
    if not group_name:
        return not conversation.settings.groups
    return group_name in conversation.settings.groups


def is_in_scope(conversation: Conversation, scope: str) -> bool:
    """Whether marking this scope as read includes the conversation."""
    if scope == ReadScope.ALL:
        return True
    if scope in (ReadScope.GROUP, ReadScope.C2C):
        return (conversation.group_id is None) is (scope == ReadScope.C2C)
    return belongs_to(conversation, scope)


def channel_message_refusal(
    user_id: UserId,
    settings: ConversationSettings,
    *,
    is_begun: bool,
    is_subscriber: bool,
    is_blocked: bool,
) -> DomainError | None:
    """The error of a channel's message to a user with these settings of the dialogue.

    Of several reasons the one that says least about the user. Who wrote to the channel gets answers, subscribed or not.
    """
    if user_id.startswith(CHANNEL_SIGN):
        return ConversationNotFound()  # they have no dialogues
    if not is_subscriber and (not is_begun or settings.begun_by_channel):
        return MessagesNotAccepted(NotAccepted.NOT_SUBSCRIBED)
    if is_blocked:
        return MessagesNotAccepted(NotAccepted.BLOCKED)
    if not settings.accept:
        return MessagesNotAccepted(NotAccepted.SWITCHED_OFF)
    return None


def opening_refusal(opened: int, limit: int, now: datetime) -> DailyThreadLimitReached | None:
    """The error of beginning one more thread today for a channel that has begun so many."""
    if opened < limit:
        return None
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    wait = (midnight - now).total_seconds()
    return DailyThreadLimitReached(limit=limit, retry_after_seconds=wait)


def muting_refusal(until: datetime, now: datetime) -> DomainError | None:
    """The error of muting until this instant: it must come, and not too late."""
    latest = now + timedelta(days=MUTE_DAYS)
    if now < until <= latest:
        return None
    return BadMutedUntil(now=rfc3339(now), latest=rfc3339(latest))


def rings(settings: ConversationSettings, now: datetime, *, is_silent: bool) -> bool:
    """Whether a message that is posted now rings on the devices of a user with these settings of the conversation.

    `is_silent`: the message was posted so (`silent`). The author's own devices do not ring, which the caller knows.
    """
    return (
        not is_silent
        and settings.notifications is not NotificationLevel.NONE
        and not settings.is_muted(now)
    )


def unread_totals(
    snapshot: ConversationSnapshot, names: Iterable[str], now: datetime, *, include_muted: bool
) -> Unread:
    """Return the user's totals, with those of these conversation groups of their own."""
    return sum_of(group_totals(snapshot, names, now, include_muted=include_muted))


def sum_of(group_list: Iterable[GroupTotal]) -> Unread:
    """Return the user's totals from those of all their conversation groups, the built-in ones included."""
    totals = {total.name: total.unread_count for total in group_list}
    channels, chats = totals.pop(CHANNELS), totals.pop(CHATS)
    return Unread(channels + chats, channels, chats, totals)


def group_totals(
    snapshot: ConversationSnapshot,
    names: Iterable[str],
    now: datetime,
    *,
    include_muted: bool = False,
) -> list[GroupTotal]:
    """Return the totals of the built-in conversation groups, then of those with these names.

    A hidden conversation counts among the conversations but not towards unread; a muted one only with `include_muted`.
    One that was muted until an instant before `now` counts again: nothing has to happen at that instant.
    """
    counts = dict.fromkeys((*BUILT_IN_GROUPS, *names), 0)
    unread = dict.fromkeys(counts, 0)
    user_id = snapshot.user_id
    read_seqs, settings_of = snapshot.user_settings.read_seqs, snapshot.user_settings.settings
    # A dialogue counts like a membership from the start, so one loop serves both: a user may have thousands.
    dialogues = dict.fromkeys(snapshot.dialogues, _JOINED_AT_START)
    for memberships, heads in (
        (snapshot.memberships, snapshot.heads),
        (dialogues, snapshot.dialogues),
    ):
        for conversation_id, membership in memberships.items():
            head = heads.get(conversation_id)
            if head is None:
                continue
            read_seq = read_seqs.get(conversation_id, 0)
            if head.author_id == user_id and head.author_seq > read_seq:
                read_seq = head.author_seq
            more = unread_of(head.head_seq, read_seq, membership.joined_seq)
            built_in = CHANNELS if head.is_channel else CHATS
            settings = settings_of.get(conversation_id)
            if settings is not None:
                is_muted = not include_muted and settings.is_muted(now)
                if is_muted or settings.hides(head.head_seq):
                    more = 0
                for name in settings.groups:
                    if name in counts:
                        counts[name] += 1
                        unread[name] += more
            counts[built_in] += 1
            unread[built_in] += more
    return [GroupTotal(n, unread[n], counts[n], n in BUILT_IN_GROUPS) for n in counts]
