"""The errors of drafts."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Conflict, Detail, InvalidInput, LimitReached, NotFound


class DraftNotFound(NotFound):
    """The channel has no such draft. It may have been published or deleted meanwhile."""

    code: ClassVar[str] = "draft_not_found"
    summary: ClassVar[str] = "No such draft"
    remedy: ClassVar[str] = "Read the list of drafts anew: the draft was published or deleted."


class DraftPublished(Conflict):
    """The draft with this idempotency key was published as the post `seq`."""

    code: ClassVar[str] = "draft_published"
    summary: ClassVar[str] = "The draft created with this Idempotency-Key was already published"
    remedy: ClassVar[str] = "Nothing is to do: the draft is the post `seq`."
    fields: ClassVar[Mapping[str, Detail]] = {
        "seq": Detail(int, "The post."),
    }


class BadPublishAt(InvalidInput):
    """The time is in the past or too far ahead."""

    code: ClassVar[str] = "bad_publish_at"
    summary: ClassVar[str] = "publish_at must be in the future, and not too far ahead"
    remedy: ClassVar[str] = "Choose an instant after `now` and not after `latest`."
    fields: ClassVar[Mapping[str, Detail]] = {
        "now": Detail(str, "The server's time."),
        "latest": Detail(str, "The latest instant that is accepted."),
    }


class DraftLimitReached(LimitReached):
    """The channel already has `limit` drafts that are not scheduled."""

    code: ClassVar[str] = "draft_limit_reached"
    summary: ClassVar[str] = "The channel has as many drafts as it may have"
    remedy: ClassVar[str] = "Publish or delete a draft first."


class ScheduleLimitReached(LimitReached):
    """The channel already has `limit` scheduled posts, failed ones included."""

    code: ClassVar[str] = "schedule_limit_reached"
    summary: ClassVar[str] = "The channel has as many scheduled posts as it may have"
    remedy: ClassVar[str] = "Cancel a scheduled post first, or wait until one is published."
