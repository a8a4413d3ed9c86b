"""The errors of comments."""

from typing import ClassVar

from groups.kernel.errors import Conflict, LimitReached, NotFound, PermissionDenied


class CommentNotFound(NotFound):
    """The post has no comment with this number."""

    code: ClassVar[str] = "comment_not_found"
    summary: ClassVar[str] = "No such comment"
    remedy: ClassVar[str] = "Take the comment off the list that you show, or read the list anew."


class CommentsOff(PermissionDenied):
    """The channel has no comments: its setting `comments` is `off`."""

    code: ClassVar[str] = "comments_off"
    summary: ClassVar[str] = "Comments are off in this channel"
    remedy: ClassVar[str] = "Hide the comments. Where they are off, `comment_count` is null."


class CommentsFrozen(Conflict):
    """Nobody may comment on this post any more."""

    code: ClassVar[str] = "comments_frozen"
    summary: ClassVar[str] = "Comments on this post are closed"
    remedy: ClassVar[str] = (
        "Hide the input: where comments are closed, `comments_open` is false. The comments can still be read."
    )


class CommentingBanned(PermissionDenied):
    """The user is banned from commenting, and may still read."""

    code: ClassVar[str] = "commenting_banned"
    summary: ClassVar[str] = "You are banned from commenting here"
    remedy: ClassVar[str] = (
        "Hide the input of comments for this user. Deleting their own comments still works."
    )


class CommentLimitReached(LimitReached):
    """The post already has `limit` comments, deleted ones included."""

    code: ClassVar[str] = "comment_limit_reached"
    summary: ClassVar[str] = "This post has as many comments as it may have"
    remedy: ClassVar[str] = "Nobody can comment on this post any more. Hide the input."
