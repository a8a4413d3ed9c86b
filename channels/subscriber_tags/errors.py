"""The errors of tags on subscribers."""

from typing import ClassVar

from groups.kernel.errors import LimitReached


class SubscriberTagLimitReached(LimitReached):
    """The subscribers of the channel already have `limit` different tags."""

    code: ClassVar[str] = "subscriber_tag_limit_reached"
    summary: ClassVar[str] = "The channel has as many different tags as it may have"
    remedy: ClassVar[str] = "Use a tag that is in use, or take one away from all its subscribers."
