"""The keys of documents that several callers may write at once, for the locks of `Database.run`.

A transaction that takes several locks takes them in the order of this module. The batches of memberships, posts and
reactions take theirs too: beside a storm of changes a batch waits for one change, not for all.
"""

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import message_key


def user_lock(user_id: UserId) -> str:
    """The documents that only one user writes: the profile, and in higher packages conversations and blocks."""
    return f"user {user_id}"


def group_lock(group_id: GroupId) -> str:
    """A group's profile, settings and member count; in `channels` also a channel's document and drafts."""
    return f"group {group_id}"


def stream_lock(stream_id: StreamId) -> str:
    """A stream's head, pins, and the preview of its last message."""
    return f"stream {stream_id}"


def message_lock(stream_id: StreamId, seq: int) -> str:
    """A message."""
    return f"message {message_key(stream_id, seq)}"


def message_change_locks(stream_id: StreamId, seq: int) -> tuple[str, str]:
    """The documents that a change of a message writes: it, and the stream where it is pinned or the last one."""
    return stream_lock(stream_id), message_lock(stream_id, seq)
