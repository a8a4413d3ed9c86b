"""The error of default channels."""

from typing import ClassVar

from groups.kernel.errors import LimitReached


class DefaultChannelLimitReached(LimitReached):
    """The deployment already has `limit` default channels."""

    code: ClassVar[str] = "default_channel_limit_reached"
    summary: ClassVar[str] = "There are as many default channels as there may be"
    remedy: ClassVar[str] = "Take another channel out of the default channels first."
