"""Names of what several callers may write at once, as keys of transactions (`Database.run`).

A transaction that takes several takes them in the order of this page. The batches of memberships, posts and reactions
hold theirs too: beside a storm of changes they wait for one change at a time, and not for all.
"""

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import message_key


def user_lock(user_id: UserId) -> str:
    """What a user alone writes: their profile, and in packages above their conversations and blocks."""
    return f"user {user_id}"


def group_lock(group_id: GroupId) -> str:
    """A group's profile, settings, and count of members; in `channels` also a channel's document and drafts."""
    return f"group {group_id}"


def stream_lock(stream_id: StreamId) -> str:
    """A stream's head, pins, and the preview of its last message."""
    return f"stream {stream_id}"


def message_lock(stream_id: StreamId, seq: int) -> str:
    """A message."""
    return f"message {message_key(stream_id, seq)}"


def message_change_locks(stream_id: StreamId, seq: int) -> tuple[str, str]:
    """A message that is edited, recalled or pinned: it may be among the pins, or the last one."""
    return stream_lock(stream_id), message_lock(stream_id, seq)
