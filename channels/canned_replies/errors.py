"""The errors of canned replies."""

from typing import ClassVar

from groups.kernel.errors import LimitReached, NotFound


class CannedReplyNotFound(NotFound):
    """The channel has no canned reply of this name. It may have been deleted meanwhile."""

    code: ClassVar[str] = "canned_reply_not_found"
    summary: ClassVar[str] = "No such canned reply"
    remedy: ClassVar[str] = "Read the list anew: the canned reply was deleted."


class CannedReplyLimitReached(LimitReached):
    """The channel already has `limit` canned replies."""

    code: ClassVar[str] = "canned_reply_limit_reached"
    summary: ClassVar[str] = "The channel has as many canned replies as it may have"
    remedy: ClassVar[str] = "Delete a canned reply first, or change one."
