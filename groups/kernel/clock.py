"""The time, injected: services never ask the machine themselves, and tests move it instead of sleeping.

Processes on one database decide by the database's time, whatever the clocks of their machines say (`DatabaseClock`):
what one stores, the others compare with their own present.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

CLOCK_SYNC_SECONDS: Final = 60.0
"""Between two comparisons with the database's clock: a quartz drifts a few milliseconds a minute, and a new primary, or
a machine whose clock was set, is noticed as soon."""
OFF_SECONDS: Final = 1.0
"""A machine whose clock is further off is worth a warning."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_PASSED: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts what a machine slept through, where there is such a clock (Linux)."""

log = logging.getLogger(__name__)


def to_milliseconds(instant: datetime) -> datetime:
    """The instant cut to whole milliseconds, as the database keeps it."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def rfc3339(instant: datetime) -> str:
    """The instant, which is in UTC as all of ours are, as the API tells it: milliseconds, `Z`."""
    # isoformat is written in C; strftime costs five times as much, and answers hold many instants.
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Clock(Protocol):
    """Tells the present instant: UTC, aware, cut to milliseconds."""

    def now(self) -> datetime:
        """The present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, UTC, whole milliseconds."""
        return to_milliseconds(datetime.now(UTC))


class SteadyClock:
    """The machine's clock as it stood when this was made, carried on by what has passed since.

    Whoever sets the machine's clock does not move it.
    """

    def __init__(self) -> None:
        self._began_ns = time.time_ns() - time.clock_gettime_ns(_PASSED)

    def now(self) -> datetime:
        """The present instant, UTC, whole milliseconds."""
        milliseconds = (self._began_ns + time.clock_gettime_ns(_PASSED)) // 1_000_000
        return datetime.fromtimestamp(milliseconds / 1000, UTC)


class DatabaseClock:
    """The database's clock, as far as this process can tell: a clock of its own, and how far the other is from it.

    Promises: as near to the database's clock as half of what the fastest question took (`compare`). It costs no
    command: whoever owns the connection asks the database now and then.
    """

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._own = machine or SteadyClock()
        self._offset = timedelta()
        self._warned_seconds = 0.0

    def now(self) -> datetime:
        """The present instant by the database's clock, UTC, whole milliseconds."""
        return self._own.now() + self._offset

    def own_now(self) -> datetime:
        """The present instant by the clock that `compare` compares."""
        return self._own.now()

    @property
    def machine_ahead_seconds(self) -> float:
        """How far the machine's clock is ahead of the database's; negative: behind."""
        return (self._machine.now() - self.now()).total_seconds()

    def compare(self, asked_at: datetime, database_now: datetime, answered_at: datetime) -> None:
        """Take in what the database answered as its time to a question asked and answered at these own instants.

        What the answer cannot tell from the offset known so far changes nothing, so the clock does not tremble.
        """
        half = (answered_at - asked_at) / 2
        offset = database_now - (asked_at + half)
        # Either side cuts its instants to milliseconds.
        if abs(offset - self._offset) > half + _MILLISECOND:
            self._offset = offset // _MILLISECOND * _MILLISECOND
        ahead = self.machine_ahead_seconds
        if abs(ahead) <= OFF_SECONDS:
            self._warned_seconds = 0.0
        elif abs(ahead - self._warned_seconds) > OFF_SECONDS:
            self._warned_seconds = ahead
            log.warning(
                "this machine's clock is %.1f s %s the database's, by which the server goes; set it right",
                abs(ahead),
                "ahead of" if ahead > 0 else "behind",
            )
