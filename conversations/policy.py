"""What counts, where it belongs and in which order it is shown: pure, and the only place that says it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from conversations.errors import BuiltInConversationGroup
from conversations.models import (
    BUILT_IN_GROUPS,
    CHANNELS,
    CHATS,
    RESERVED_NAMES,
    Conversation,
    GroupTotal,
    ReadScope,
    Response,
    Unread,
    unread_of,
)
from groups.kernel.ids import GroupId
from groups.models import MembershipRow

_FROM_THE_START: Final = MembershipRow(GroupId(""), 0)

SortKey = tuple[int, int, str]
"""Pinned first, the latest pinned first; then the latest active first; then by id. Instants as negated milliseconds."""


def sort_key(conversation: Conversation) -> SortKey:
    """The conversation's place in the list."""
    pinned_at = conversation.overlay.pinned_at
    pinned_ms = _milliseconds(pinned_at) if pinned_at else 0
    return -pinned_ms, -conversation.active_ms, conversation.conversation_id


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


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
    """Whether reading this scope reads the conversation."""
    if scope == ReadScope.ALL:
        return True
    if scope in (ReadScope.GROUP, ReadScope.C2C):
        return (conversation.group_id is None) is (scope == ReadScope.C2C)
    return belongs_to(conversation, scope)


def unread_totals(view: Response, names: Iterable[str], *, include_muted: bool) -> Unread:
    """The totals over the user's conversations, for each of his conversation groups too."""
    found = group_totals(view, names, include_muted=include_muted)
    totals = {total.name: total.unread_count for total in found}
    channels, chats = totals.pop(CHANNELS), totals.pop(CHATS)
    return Unread(channels + chats, channels, chats, totals)


def group_totals(
    view: Response,
    names: Iterable[str],
    *,
    include_muted: bool = False,
) -> list[GroupTotal]:
    """The totals of the built-in conversation groups and of these of the user's own, in this order.

    A hidden conversation counts among the conversations but not towards unread; a muted one only where asked for.
    """
    counts = dict.fromkeys((*BUILT_IN_GROUPS, *names), 0)
    unread = dict.fromkeys(counts, 0)
    read_seqs, overlays = view.touched.read_seqs, view.touched.overlays
    # Dialogues as if seated from the start, so that one loop serves both: a user may have thousands.
    dialogues = dict.fromkeys(view.dialogues, _FROM_THE_START)
    for seats, heads in ((view.seats, view.heads), (dialogues, view.dialogues)):
        for conversation_id, seat in seats.items():
            head = heads.get(conversation_id)
            if head is None:
                continue
            more = unread_of(head.head_seq, read_seqs.get(conversation_id, 0), seat.joined_seq)
            built_in = CHANNELS if head.is_channel else CHATS
            overlay = overlays.get(conversation_id)
            if overlay is not None:
                if (overlay.muted and not include_muted) or overlay.hides(head.head_seq):
                    more = 0
                for name in overlay.groups:
                    if name in counts:
                        counts[name] += 1
                        unread[name] += more
            counts[built_in] += 1
            unread[built_in] += more
    return [GroupTotal(n, unread[n], counts[n], n in BUILT_IN_GROUPS) for n in counts]


def editing_refusal(name: str) -> BuiltInConversationGroup | None:
    """Making, renaming, filling or deleting a conversation group: any but the built-in and reserved names."""
    return BuiltInConversationGroup() if name in RESERVED_NAMES else None
