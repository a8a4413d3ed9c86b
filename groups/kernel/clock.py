"""The time, injected: services never read the machine's clock themselves, and tests move the time instead of sleeping.

Processes on one database decide by the database's time, whatever the clocks of their machines say (`DatabaseClock`),
since each compares the instants that others store with its own present.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

CLOCK_SYNC_SECONDS: Final = 60.0
"""Between two comparisons with the database's clock: a quartz drifts a few milliseconds a minute, and a new primary, or
a machine whose clock was set, is noticed as soon."""
OFF_SECONDS: Final = 1.0
"""A machine whose clock differs by more is worth a warning."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets; on Linux it also counts the time in which the machine slept."""

log = logging.getLogger(__name__)


def to_milliseconds(instant: datetime) -> datetime:
    """The instant cut to whole milliseconds, as the database stores it."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def milliseconds_since_1970(instant: datetime) -> int:
    """The instant as a number, which `instant_of` turns back."""
    return round(instant.timestamp() * 1000)


def instant_of(milliseconds: int) -> datetime:
    """The instant of a number of milliseconds since 1970, exactly."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def rfc3339(instant: datetime) -> str:
    """The instant, which is in UTC as all of ours are, as the API writes it: with milliseconds and `Z`."""
    # isoformat is written in C; strftime takes five times as long, and responses have many instants.
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Clock(Protocol):
    """A clock; its instants are in UTC, aware, and cut to milliseconds."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return to_milliseconds(datetime.now(UTC))


class SteadyClock:
    """The machine's time when this clock was made, plus the time since then, whatever the machine's clock is set to."""

    def __init__(self) -> None:
        self._began_ns = time.time_ns() - time.clock_gettime_ns(_STEADY)

    def now(self) -> datetime:
        milliseconds = (self._began_ns + time.clock_gettime_ns(_STEADY)) // 1_000_000
        return datetime.fromtimestamp(milliseconds / 1000, UTC)


class DatabaseClock:
    """The database's clock, as this process estimates it: a clock of its own, and its distance from the database's.

    Promises: it differs from the database's clock by half the duration of the fastest reading at most (`compare`).
    Reading it costs no command: `Database.read_clock` compares from time to time.
    """

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._own = machine or SteadyClock()
        self._offset = timedelta()
        self._warned_seconds = 0.0

    def now(self) -> datetime:
        return self._own.now() + self._offset

    def own_now(self) -> datetime:
        """The present instant by this process's own clock, for `compare`."""
        return self._own.now()

    @property
    def machine_ahead_seconds(self) -> float:
        """How far the machine's clock is ahead of the database's; negative when it is behind."""
        return (self._machine.now() - self.now()).total_seconds()

    def compare(self, asked_at: datetime, database_now: datetime, answered_at: datetime) -> None:
        """Correct this clock by a reading of the database's, which was asked and answered at these own instants.

        A difference that the duration of the reading explains changes nothing, so that the clock stays steady.
        """
        half = (answered_at - asked_at) / 2
        offset = database_now - (asked_at + half)
        # Both clocks cut their instants to milliseconds.
        if abs(offset - self._offset) > half + _MILLISECOND:
            self._offset = offset // _MILLISECOND * _MILLISECOND
        ahead = self.machine_ahead_seconds
        if abs(ahead) <= OFF_SECONDS:
            self._warned_seconds = 0.0
        elif abs(ahead - self._warned_seconds) > OFF_SECONDS:
            self._warned_seconds = ahead
            log.warning(
                "this machine's clock is %.1f s %s the database's, which the server uses; set it right",
                abs(ahead),
                "ahead of" if ahead > 0 else "behind",
            )
