"""Checks of the stored data, and their findings.

Each package checks its own collections (`<package>.audit`); `channels.verify` runs all checks and reports. A check
reads one snapshot of the database (`groups.kernel.mongo.snapshot`), so writes of a running server cause no false
alarms. A repair reads again, in a transaction of its own, whether the finding still holds. So it is safe beside a
running server, and a second repair changes nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from groups.kernel.mongo import Database
from groups.kernel.mongo.snapshot import Snapshot

Repair = Callable[[], Awaitable[str | None]]
"""Repairs one finding; returns what it did, or None when there was nothing to do any more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise at `subject`; `repair` is None where no other record tells the correct value."""

    promise: str
    subject: str
    problem: str
    repair: Repair | None = None

    @property
    def repairable(self) -> bool:
        return self.repair is not None


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the stored data, made in one snapshot.

    `count` returns the number of things checked. `find` may renew the snapshot between parts that share nothing.
    """

    promise: str
    claim: str
    """The state of the data without findings, in a few words."""
    unit: str
    """The things counted, in the plural."""
    count: Callable[[Snapshot], Awaitable[int]]
    find: Callable[[Snapshot], AsyncIterator[Finding]]


async def repair_findings(database: Database, check: Check) -> None:
    """Run the check once and repair its findings; doing it again changes nothing. Raises: SnapshotLost."""
    async with Snapshot(database) as snapshot:
        found = [finding async for finding in check.find(snapshot)]
    for finding in found:
        if finding.repair is not None:
            await finding.repair()
