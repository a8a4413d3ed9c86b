"""What is read from the event log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from groups.kernel.events import Event


class LogPosition(NamedTuple):
    """The place of an event: the number of its transaction in the log, and its place among the events of that one.

    Positions compare in the order of the log. Reading goes on after a position.
    """

    number: int
    place: int


LAST: Final = 2**31
"""As a place: after all events of a transaction, which has fewer."""


def end_of(number: int) -> LogPosition:
    """The position after all events of the transaction with this number."""
    return LogPosition(number, LAST)


@dataclass(frozen=True, slots=True)
class Subject:
    """What events must be about: one of these fields of theirs has one of these values."""

    fields: Sequence[str]
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A committed event and its position. `event.event_id` is the same wherever the event is seen."""

    position: LogPosition
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The wanted events of a part of the log, in order.

    `end` is the position up to which everything was read, also where nothing was wanted. `lost` counts the transactions
    of this part that expired before they were read. `is_full`: more may follow at once.
    """

    entries: Sequence[LogEntry]
    end: LogPosition
    lost: int
    is_full: bool
