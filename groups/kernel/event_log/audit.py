"""Checks of the event log: positions without holes, and consumers that are not ahead of it.

Nothing is repaired. Where a position is missing or twice, no other record tells what it was.
"""

from collections.abc import AsyncIterator
from typing import Final

from groups.kernel.data_checks import Check, Finding
from groups.kernel.mongo import event_log_audit as store
from groups.kernel.mongo.snapshot import Snapshot

LONG_SECONDS: Final = 600
"""How long after an event the last position may be given while the event has none; it takes a moment."""
_PROMISE: Final = "P13"
_SUBJECT: Final = "event log"


def checks() -> list[Check]:
    """Return all checks of the event log."""
    return [
        Check(
            _PROMISE,
            "events have positions without a hole, and no consumer is ahead",
            "transactions in the log",
            store.count_positions,
            _find_wrong_positions,
        )
    ]


async def _find_wrong_positions(snapshot: Snapshot) -> AsyncIterator[Finding]:
    async for before, position in store.gaps(snapshot):
        problem = (
            f"position {position} is given twice"
            if position == before
            else f"positions {before + 1} to {position - 1} are missing"
        )
        yield Finding(_PROMISE, _SUBJECT, problem)
    head, last = await store.find_head(snapshot), await store.find_last(snapshot)
    if last > head:
        problem = f"ends at position {head}, and holds events up to {last}"
        yield Finding(_PROMISE, _SUBJECT, problem)
    async for name, position in store.consumers(snapshot):
        if position > head:
            problem = f"has come to position {position}, and the log ends at {head}"
            yield Finding(_PROMISE, f"consumer {name}", problem)
    async for key in store.passed_over(snapshot, LONG_SECONDS):
        problem = "has no position, and later ones were given long after it"
        yield Finding(_PROMISE, f"event {key}", problem)
