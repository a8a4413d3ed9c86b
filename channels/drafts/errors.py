"""The refusals of drafts."""

from typing import ClassVar

from groups.kernel.errors import Conflict, InvalidInput, LimitReached, NotFound


class DraftNotFound(NotFound):
    """The channel has no such draft; perhaps it was published meanwhile, or thrown away."""

    code: ClassVar[str] = "draft_not_found"
    summary: ClassVar[str] = "No such draft"


class DraftPublished(Conflict):
    """The draft that was made under this idempotency key is out already, as the post `seq`."""

    code: ClassVar[str] = "draft_published"
    summary: ClassVar[str] = "The draft made under this Idempotency-Key was published"


class BadPublishAt(InvalidInput):
    """The hour is past already, or too far ahead."""

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
