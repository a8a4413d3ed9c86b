"""Says when a channel opens: pure, in the time of its zone, so that summer time moves nothing."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.self_service.automatic_messages.models import OpeningHours, OpenTime

MINUTES_A_DAY: Final = 24 * 60
NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The opening of a channel that does not open any more."""
_DAYS_AHEAD: Final = 120
"""How far ahead an opening is looked for: more than the dates on which a channel may be closed, and a week."""


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of this IANA name; None where there is none on this machine."""
    if name == "localtime":
        return None
    try:
        return ZoneInfo(name)
    # A name that leads out of the folder of zones, that is a folder in it, or a file that is no zone.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def opens_at(hours: OpeningHours, now: datetime) -> datetime | None:
    """When the channel opens next; None: it is open now. NEVER: not in the next months."""
    zone = zone_of(hours.time_zone) or UTC
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    for ahead in range(_DAYS_AHEAD):
        day = local.date() + timedelta(days=ahead)
        for each in _times_on(hours, day):
            if ahead == 0 and minute >= each.end:
                continue
            if ahead == 0 and each.start <= minute:
                return None
            at = time(each.start // 60, each.start % 60)
            opening = datetime.combine(day, at, tzinfo=zone)
            return opening.astimezone(UTC)
    return NEVER


def _times_on(hours: OpeningHours, day: date) -> list[OpenTime]:
    if day.isoformat() in hours.closed_dates:
        return []
    return [each for each in hours.times if each.day == day.weekday()]
