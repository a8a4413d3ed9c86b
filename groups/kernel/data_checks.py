"""What checking stored data has in common: a check, and what it finds.

Each package checks its own collections (`<package>.audit`); `channels.verify` runs the checks of all and reports. A
check reads one snapshot of the database (`groups.kernel.mongo.snapshot`), so a server that writes meanwhile gives no
false alarm. A repair reads again, in a transaction of its own, whether the finding still holds, so it is safe beside a
running server, and doing it twice changes nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from groups.kernel.mongo import Database
from groups.kernel.mongo.snapshot import Snapshot

Repair = Callable[[], Awaitable[str | None]]
"""Sets one finding right; what was done, or None when by then there was nothing to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise is broken at `subject`; `repair` is None where the truth cannot be derived from other records."""

    promise: str
    subject: str
    problem: str
    repair: Repair | None = None

    @property
    def repairable(self) -> bool:
        """Whether `repair` can set it right."""
        return self.repair is not None


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the stored data, answered from one snapshot.

    `count` tells how many things the answer is about. `find` may renew the snapshot between parts that share nothing.
    """

    promise: str
    claim: str
    """What holds when nothing is found, in a few words."""
    unit: str
    """What is counted, in the plural."""
    count: Callable[[Snapshot], Awaitable[int]]
    find: Callable[[Snapshot], AsyncIterator[Finding]]


async def repair_findings(database: Database, check: Check) -> None:
    """Repair what the check finds and can repair, once; doing it again changes nothing.

    Raises: SnapshotLost when reading took longer than the database keeps a state.
    """
    async with Snapshot(database) as snapshot:
        found = [finding async for finding in check.find(snapshot)]
    for finding in found:
        if finding.repair is not None:
            await finding.repair()
