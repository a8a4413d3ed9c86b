"""The events of comments. `stream_id` is that of the post's comments, which clients watch."""

from typing import Literal

from channels.comments.models import PostPlace
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.models import Message, stream_of


class CommentEvent(Event):
    """The base of the events of comments: they go to those who watch the comments, or for counts the channel."""

    type: str = "comment.event"
    channel_id: GroupId
    post_seq: int

    @property
    def place(self) -> PostPlace:
        return PostPlace(self.channel_id, self.post_seq)

    @property
    def stream_id(self) -> StreamId:
        return self.place.stream_id

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id,)


class CommentPosted(CommentEvent):
    """Somebody commented. `notified` receive it everywhere: the authors of the post and of the quoted comment."""

    type: Literal["comment.posted"] = "comment.posted"
    message: Message
    comment_count: int
    """The comments on the post after the transaction."""
    notified: tuple[UserId, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, stream_of(self.channel_id), *self.notified)


class CommentEdited(CommentEvent):
    """A comment's content was replaced."""

    type: Literal["comment.edited"] = "comment.edited"
    message: Message


class CommentRecalled(CommentEvent):
    """A comment was deleted."""

    type: Literal["comment.recalled"] = "comment.recalled"
    message: Message
    comment_count: int

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.stream_id, stream_of(self.channel_id))


class CommentReacted(CommentEvent):
    """The reactions to a comment after a transaction."""

    type: Literal["comment.reacted"] = "comment.reacted"
    seq: int
    counts: dict[str, int]
    total: int
