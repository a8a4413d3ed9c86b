"""The errors of automatic messages."""

from typing import ClassVar

from groups.kernel.errors import LimitReached, NotFound


class AutoReplyNotFound(NotFound):
    """The channel has no automatic answer of this name. It may have been deleted meanwhile."""

    code: ClassVar[str] = "auto_reply_not_found"
    summary: ClassVar[str] = "No such automatic answer"
    remedy: ClassVar[str] = "Read the list anew: the automatic answer was deleted."


class AutoReplyLimitReached(LimitReached):
    """The channel already has `limit` automatic answers."""

    code: ClassVar[str] = "auto_reply_limit_reached"
    summary: ClassVar[str] = "The channel has as many automatic answers as it may have"
    remedy: ClassVar[str] = "Delete an automatic answer first, or add the keywords to another one."
