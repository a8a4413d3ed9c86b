"""The errors of the feed."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Detail, Expired


class EventsExpired(Expired):
    """Events after the cursor have expired, so a reader that went on would miss some."""

    code: ClassVar[str] = "events_expired"
    summary: ClassVar[str] = "Events after this cursor have expired"
    remedy: ClassVar[str] = (
        "Read what you keep anew (`GET /v1/channels`, the posts, the subscribers), then go on from `oldest`. Read more"
        " often, or raise `CHANNELS_EVENT_RETENTION_SECONDS`."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "oldest": Detail(str, "The cursor before the oldest event that is kept."),
    }

    def __init__(self, oldest: str) -> None:
        super().__init__(oldest=oldest)
