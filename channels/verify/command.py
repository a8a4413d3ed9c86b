"""Runs every check, repairs what it may, and tells the outcome."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

import groups.wiring
from channels.analytics.audit.service import checks as reach_checks
from channels.audit.service import checks as channel_checks
from channels.drafts.audit import HOLDER
from channels.drafts.audit import checks as draft_checks
from channels.limits import Limits
from channels.verify.report import Progress, show
from conversations.audit.service import checks as conversation_checks
from groups.audit.service import checks as group_checks
from groups.kernel.audit import Check, Finding
from groups.kernel.mongo import Database
from groups.kernel.mongo.snapshot import Snapshot, SnapshotLost
from reactions.audit.service import checks as reaction_checks

KEPT: Final = 20
"""Findings of one check that are shown; all are counted."""
REPAIRS_AT_ONCE: Final = 16
PATIENCE_SECONDS: Final = 20.0
"""How long a state that the database cannot give yet is asked for: it was just started, or makes an index."""


@dataclass(slots=True)
class Outcome:
    """What a check found. `unfinished` tells why it could not end."""

    check: Check
    checked: int = 0
    findings: int = 0
    repairable: int = 0
    first: list[Finding] = field(default_factory=list)
    repairs: list[tuple[Finding, str]] = field(default_factory=list)
    repaired: int = 0
    unfinished: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether the promise holds, as far as this check sees."""
        return not self.findings and self.unfinished is None


async def run(
    uri: str,
    database: str,
    *,
    repair: bool,
    limits: Limits | None = None,
    console: Console | None = None,
) -> int:
    """Check the database, print what was found, and answer the exit code: 0 when every promise holds, else 1.

    Raises: StandaloneServer; Unavailable.
    """
    console = console or Console(highlight=False)
    connected = await Database.connect(uri, database)
    try:
        outcomes = await verify(connected, limits or Limits(), console=console, repair=repair)
        if repair and any(outcome.repaired for outcome in outcomes):
            show(console, outcomes)
            console.print("\nChecking again.")
            outcomes = await verify(connected, limits or Limits(), console=console, repair=False)
    finally:
        connected.close()
    show(console, outcomes)
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


async def verify(
    database: Database, limits: Limits, *, console: Console, repair: bool
) -> list[Outcome]:
    """The outcome of every check; with `repair`, of the repairs made on the way too."""
    outcomes = [Outcome(check) for check in all_checks(database, limits)]
    with Progress(console, len(outcomes)) as progress:
        async with Snapshot(database) as snapshot:
            for outcome in outcomes:
                progress.start(outcome.check.claim)
                await _check(outcome, snapshot, repair=repair)
                progress.finish()
    return outcomes


def all_checks(database: Database, limits: Limits) -> list[Check]:
    """The checks of all packages, in the order in which their repairs build on each other."""
    clock = database.clock
    chat = groups.wiring.build_core(database, limits, clock)
    return [
        *group_checks(database, limits, holders=[HOLDER]),
        *reaction_checks(database, chat.streams, clock),
        *conversation_checks(database, chat.membership_reader, limits),
        *channel_checks(database, chat.updates, limits),
        *draft_checks(database, chat.draft_content, chat.streams),
        *reach_checks(database, chat),
    ]


async def _check(outcome: Outcome, snapshot: Snapshot, *, repair: bool) -> None:
    started = time.monotonic()
    # One state for all checks while it is young; no check compares what it read with what another one did.
    await snapshot.renew()
    while True:
        try:
            outcome.checked = await outcome.check.count(snapshot)
            await _read(outcome, snapshot, repair=repair)
        except SnapshotLost as lost:
            if time.monotonic() - started > PATIENCE_SECONDS:
                outcome.unfinished = (
                    "took longer than the database keeps a state; raise its parameter"
                    f" minSnapshotHistoryWindowInSeconds ({lost})"
                )
                return
            await asyncio.sleep(0.2)
            await snapshot.renew(older_than=0)
        else:
            return


async def _read(outcome: Outcome, snapshot: Snapshot, *, repair: bool) -> None:
    outcome.findings = outcome.repairable = 0
    outcome.first.clear()
    waiting: list[Finding] = []
    findings: AsyncIterator[Finding] = outcome.check.find(snapshot)
    async for finding in findings:
        outcome.findings += 1
        outcome.repairable += finding.repairable
        if len(outcome.first) < KEPT:
            outcome.first.append(finding)
        if repair and finding.repairable:
            waiting.append(finding)
        # On the way, not at the end: of a million findings none has to be kept.
        if len(waiting) == REPAIRS_AT_ONCE:
            await _repair(outcome, waiting)
            waiting.clear()
    await _repair(outcome, waiting)


async def _repair(outcome: Outcome, findings: list[Finding]) -> None:
    done = await asyncio.gather(*(finding.repair() for finding in findings if finding.repair))
    for finding, what in zip(findings, done, strict=True):
        if what is None:
            continue
        outcome.repaired += 1
        if len(outcome.repairs) < KEPT:
            outcome.repairs.append((finding, what))
