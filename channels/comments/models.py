"""The models of comments, and their ids."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import AccessContext, Group, Message, Tally, User, message_key, stream_of

COMMENTS_PREFIX: Final = "comments_"
"""How the ids of streams of comments begin."""


class PostPlace(NamedTuple):
    """A post: its channel and its seq."""

    channel_id: GroupId
    seq: int

    @property
    def stream_id(self) -> StreamId:
        """The stream of the comments on the post; clients watch it under this name."""
        return StreamId(f"{COMMENTS_PREFIX}{self.channel_id}:{self.seq}")

    @property
    def message_id(self) -> str:
        """The stored key of the post."""
        return message_key(stream_of(self.channel_id), self.seq)


def place_of(stream_id: str) -> PostPlace | None:
    """The post whose comments are in the stream; None for another stream."""
    channel_id, _, seq = stream_id.removeprefix(COMMENTS_PREFIX).rpartition(":")
    # As `PostPlace.stream_id` writes it, so that one post has one id.
    is_seq = seq.isascii() and seq.isdecimal() and not seq.startswith("0") and len(seq) <= 16
    if not stream_id.startswith(COMMENTS_PREFIX) or not channel_id or not is_seq:
        return None
    return PostPlace(GroupId(channel_id), int(seq))


def comment_id_of(place: PostPlace, seq: int) -> str:
    """The public id of a comment."""
    return f"{place.channel_id}:{place.seq}:{seq}"


def is_from_channel(comment: Message, channel_id: GroupId) -> bool:
    """Whether the channel is the sender, and not the user who wrote it."""
    return comment.sender_id == UserId(channel_id)


def writer_of(comment: Message) -> UserId:
    """The user who wrote the comment, also where its sender is the channel."""
    return comment.author_id or comment.sender_id


@dataclass(frozen=True, slots=True)
class Quote:
    """The comment that another one quotes, with the profile of its sender."""

    message: Message
    sender: User | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleComment:
    """A comment as a reader sees it. `is_sender_blocked`: the reader blocks the user who sent it."""

    place: PostPlace
    message: Message
    access: AccessContext
    tally: Tally
    sender: User | None
    quote: Quote | None
    is_sender_blocked: bool

    @property
    def group(self) -> Group:
        """The channel's group."""
        return self.access.group


@dataclass(frozen=True, slots=True)
class CommentStream:
    """That a stream of comments exists. `is_ended`: its post is deleted, and its remains are."""

    place: PostPlace
    is_ended: bool = False
