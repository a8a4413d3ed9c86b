"""What counts, where it belongs and in which order it is shown: pure, and the only place that says it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from conversations.errors import BuiltInConversationGroup
from conversations.models import (
    CHANNELS,
    CHATS,
    RESERVED_NAMES,
    Conversation,
    GroupTotal,
    ReadScope,
    Unread,
)

SortKey = tuple[int, int, str]
"""Pinned first, the latest pinned first; then the latest active first; then by id. Instants as negated milliseconds."""


def sort_key(conversation: Conversation) -> SortKey:
    """The conversation's place in the list."""
    pinned, active = conversation.overlay.pinned_at, conversation.active_at
    return -_milliseconds(pinned), -_milliseconds(active), conversation.conversation_id


def _milliseconds(instant: datetime | None) -> int:
    return round(instant.timestamp() * 1000) if instant else 0


def belongs_to(conversation: Conversation, group_name: str) -> bool:
    """Whether the conversation is in the conversation group; the empty name: in none that the user made."""
    if group_name == CHANNELS:
        return conversation.is_channel
    if group_name == CHATS:
        return not conversation.is_channel
    if not group_name:
        return not conversation.overlay.groups
    return group_name in conversation.overlay.groups


def is_in_scope(conversation: Conversation, scope: str) -> bool:
    """Whether reading this scope reads the conversation; all of today's conversations are with groups."""
    if scope in (ReadScope.ALL, ReadScope.GROUP):
        return True
    if scope == ReadScope.C2C:
        return False
    return belongs_to(conversation, scope)


def counts(conversation: Conversation, *, include_muted: bool) -> bool:
    """Whether the conversation is part of unread totals: not when hidden, and muted only where asked for."""
    return not conversation.is_hidden and (include_muted or not conversation.overlay.muted)


def unread_totals(
    conversations: Iterable[Conversation], names: Sequence[str], *, include_muted: bool
) -> Unread:
    """The totals over the user's conversations, for each of his conversation groups too."""
    channels = chats = 0
    of_group = dict.fromkeys(names, 0)
    for conversation in conversations:
        unread = conversation.unread_count
        if not unread or not counts(conversation, include_muted=include_muted):
            continue
        if conversation.is_channel:
            channels += unread
        else:
            chats += unread
        for name in conversation.overlay.groups:
            if name in of_group:
                of_group[name] += unread
    return Unread(channels + chats, channels, chats, of_group)


def group_total(conversations: Iterable[Conversation], name: str, *, built_in: bool) -> GroupTotal:
    """One conversation group's totals."""
    members = [conversation for conversation in conversations if belongs_to(conversation, name)]
    unread = sum(c.unread_count for c in members if counts(c, include_muted=False))
    return GroupTotal(name, unread, len(members), built_in)


def editing_refusal(name: str) -> BuiltInConversationGroup | None:
    """Making, renaming, filling or deleting a conversation group: any but the built-in and reserved names."""
    return BuiltInConversationGroup() if name in RESERVED_NAMES else None
