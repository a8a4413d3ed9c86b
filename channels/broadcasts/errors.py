"""The errors of broadcasts."""

from collections.abc import Mapping
from typing import ClassVar

from groups.kernel.errors import Conflict, Detail, InvalidInput, LimitReached, NotFound


class BroadcastNotFound(NotFound):
    """The channel has no broadcast of this id. Broadcasts are deleted 90 days after their end."""

    code: ClassVar[str] = "broadcast_not_found"
    summary: ClassVar[str] = "No such broadcast"
    remedy: ClassVar[str] = "Read the list of the channel's broadcasts anew."


class BroadcastEnded(Conflict):
    """The broadcast is done, or failed: it cannot be stopped; one that is done cannot be resumed."""

    code: ClassVar[str] = "broadcast_ended"
    summary: ClassVar[str] = "The broadcast has ended"
    remedy: ClassVar[str] = (
        "Read the broadcast anew, and create another one if it must go out again."
    )


class BroadcastsAtOnceReached(LimitReached):
    """`limit` broadcasts of the channel are scheduled or running."""

    code: ClassVar[str] = "broadcasts_at_once_reached"
    summary: ClassVar[str] = "The channel has as many open broadcasts as it may have"
    remedy: ClassVar[str] = "Wait until a broadcast is done, or stop one."


class BroadcastsPerDayReached(LimitReached):
    """The channel created `limit` broadcasts in the last 24 hours."""

    code: ClassVar[str] = "broadcasts_per_day_reached"
    summary: ClassVar[str] = "The channel has created as many broadcasts as it may in 24 hours"
    remedy: ClassVar[str] = "Wait until the oldest of them is a day old."


class BadStartAt(InvalidInput):
    """The time is in the past or too far ahead."""

    code: ClassVar[str] = "bad_start_at"
    summary: ClassVar[str] = "start_at must be in the future, and not too far ahead"
    remedy: ClassVar[str] = (
        "Choose an instant after `now` and not after `latest`, or leave it out to begin at once."
    )
    fields: ClassVar[Mapping[str, Detail]] = {
        "now": Detail(str, "The server's time."),
        "latest": Detail(str, "The latest instant that is accepted."),
    }
