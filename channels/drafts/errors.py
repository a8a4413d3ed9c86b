"""The errors of drafts."""

from typing import ClassVar

from groups.kernel.errors import Conflict, InvalidInput, LimitReached, NotFound


class DraftNotFound(NotFound):
    """The channel has no such draft. It may have been published or deleted meanwhile."""

    code: ClassVar[str] = "draft_not_found"
    summary: ClassVar[str] = "No such draft"


class DraftPublished(Conflict):
    """The draft with this idempotency key was published as the post `seq`."""

    code: ClassVar[str] = "draft_published"
    summary: ClassVar[str] = "The draft created with this Idempotency-Key was already published"


class BadPublishAt(InvalidInput):
    """The time is in the past or too far ahead."""

    code: ClassVar[str] = "bad_publish_at"
    summary: ClassVar[str] = "publish_at must be in the future, and not too far ahead"


class DraftLimitReached(LimitReached):
    """The channel already has `limit` drafts that are not scheduled."""

    code: ClassVar[str] = "draft_limit_reached"
    summary: ClassVar[str] = "The channel has as many drafts as it may have"


class ScheduleLimitReached(LimitReached):
    """The channel already has `limit` scheduled posts, failed ones included."""

    code: ClassVar[str] = "schedule_limit_reached"
    summary: ClassVar[str] = "The channel has as many scheduled posts as it may have"
