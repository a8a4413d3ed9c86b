"""Message streams: their ids, their heads, and the line that lists show of the newest message."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, StreamId, UserId


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a stream, for lists."""

    seq: int
    sender_id: UserId
    preview: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stream:
    """The head of a stream, apart from the group so that posting and joining do not collide."""

    stream_id: StreamId
    head_seq: int = 0
    is_channel: bool = False
    last: LastMessage | None = None


class Head(NamedTuple):
    """How far a stream has come; `active_ms` is when, in milliseconds since 1970.

    It is 0 where nothing was said, or it was not asked for.
    """

    head_seq: int
    is_channel: bool
    active_ms: int = 0


def stream_of(group_id: GroupId) -> StreamId:
    """The stream of a group; also the id of its conversation, which is the same for all members."""
    return StreamId(f"group_{group_id}")


def post_id_of(group_id: GroupId, seq: int) -> str:
    """The id of a channel's post, as readers and the admin log name it."""
    return f"{group_id}:{seq}"


INBOX_PREFIX: Final = "inbox_"


def inbox_stream_of(group_id: GroupId, user_id: UserId) -> StreamId:
    """The stream in which a user and those who run a channel talk in private; it ends with the channel."""
    return StreamId(f"{INBOX_PREFIX}{group_id}{PAIR_SEPARATOR}{user_id}")


def message_key(stream_id: StreamId, seq: int) -> str:
    """The stored key of a message."""
    return f"{stream_id}{SEPARATOR}{seq}"  # as `join_key` does, twenty times for every reader


def split_message_key(message_id: str) -> tuple[StreamId, int]:
    """The stream and the seq in the stored key of a message."""
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq)


def seq_in(message_id: str) -> int:
    """The seq in the stored key of a message."""
    return int(message_id.rpartition(SEPARATOR)[2])
