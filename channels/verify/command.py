"""Runs all checks of stored data, and their repairs if asked to."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from rich.console import Console

import channels.wiring
import groups.wiring
from channels.analytics.audit.service import checks as analytics_checks
from channels.audit import checks as channel_checks
from channels.broadcasts.audit import HOLDER as BROADCASTS
from channels.broadcasts.audit import checks as broadcast_checks
from channels.comments.audit import checks as comment_checks
from channels.default_channels.audit import checks as default_channel_checks
from channels.drafts.audit import HOLDER
from channels.drafts.audit import checks as draft_checks
from channels.limits import Limits
from channels.link_clicks.audit import checks as click_checks
from channels.push.audit import checks as push_checks
from channels.reports.audit import checks as report_checks
from channels.self_service.automatic_messages.audit import checks as automatic_checks
from channels.self_service.menus.audit import checks as menu_checks
from channels.subscriber_tags.audit import checks as subscriber_tag_checks
from channels.user_data.audit import checks as user_data_checks
from channels.user_data.audit import checks_of_user
from channels.verify.report import Outcome, progress_bar, show
from channels.webhooks.audit import checks as webhook_checks
from conversations.audit.service import checks as conversation_checks
from groups.audit.service import checks as group_checks
from groups.kernel.data_checks import Check, Finding
from groups.kernel.event_log.audit import checks as log_checks
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from groups.kernel.mongo.snapshot import Snapshot, SnapshotLost
from reactions.audit.service import checks as reaction_checks

KEPT: Final = 20
"""Findings of one check that are printed; all are counted."""
REPAIRS_AT_ONCE: Final = 16
PATIENCE_SECONDS: Final = 20.0
"""How long a check is tried again while the database has no snapshot: it just started, or is building an index."""


async def run(
    uri: str,
    database: str,
    *,
    repair: bool,
    limits: Limits | None = None,
    console: Console | None = None,
    user_id: UserId | None = None,
) -> int:
    """Check the database and print the findings. Returns the exit code: 0 if every promise holds, else 1.

    With a `user_id`, check only that nothing holds this id.

    Raises: StandaloneServer; OldServer; Unavailable.
    """
    console = console or Console(highlight=False)
    connected = await Database.connect(uri, database)
    try:
        if user_id is not None:
            outcomes = [Outcome(check) for check in checks_of_user(connected, user_id)]
            await _check_all(outcomes, connected, console=console, repair=False)
            show(console, outcomes)
            return 0 if all(outcome.is_clean for outcome in outcomes) else 1
        outcomes = await verify(connected, limits or Limits(), console=console, repair=repair)
        if repair and any(outcome.repaired for outcome in outcomes):
            show(console, outcomes)
            console.print("\nChecking again.")
            outcomes = await verify(connected, limits or Limits(), console=console, repair=False)
    finally:
        await connected.close()
    show(console, outcomes)
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


async def verify(
    database: Database, limits: Limits, *, console: Console, repair: bool
) -> list[Outcome]:
    """Run every check, and with `repair` its repairs; returns the outcomes."""
    outcomes = [Outcome(check) for check in all_checks(database, limits)]
    await _check_all(outcomes, database, console=console, repair=repair)
    return outcomes


async def _check_all(
    outcomes: Sequence[Outcome], database: Database, *, console: Console, repair: bool
) -> None:
    with progress_bar(console) as bar:
        task = bar.add_task("", total=len(outcomes))
        async with Snapshot(database) as snapshot:
            for outcome in outcomes:
                bar.update(task, description=outcome.check.claim)
                await _check(outcome, snapshot, repair=repair)
                bar.advance(task)


def all_checks(database: Database, limits: Limits) -> list[Check]:
    """Return the checks of all packages, in the order in which their repairs build on each other."""
    clock = database.clock
    chat = groups.wiring.build_core(database, limits, clock)
    return [
        *group_checks(database, limits, holders=[HOLDER, BROADCASTS]),
        *reaction_checks(database, chat.streams, clock),
        *conversation_checks(database, chat.membership_reader, limits),
        *channel_checks(database, chat.updates, limits),
        *comment_checks(database, chat.streams),
        *default_channel_checks(database, chat.streams, limits, clock),
        *subscriber_tag_checks(database, chat.membership_reader, chat.streams, clock),
        *broadcast_checks(),
        *draft_checks(database, chat.draft_content, chat.streams),
        *automatic_checks(database, chat.streams),
        *menu_checks(database, chat.streams, channels.wiring.build_core(chat, limits).store),
        *analytics_checks(database, chat, limits),
        *click_checks(database, chat.streams),
        *log_checks(),
        *push_checks(database, limits, clock),
        *report_checks(database),
        *webhook_checks(database, clock),
        *user_data_checks(database),
    ]


async def _check(outcome: Outcome, snapshot: Snapshot, *, repair: bool) -> None:
    started = time.monotonic()
    # Checks share a snapshot while it is young. No check relies on what another one read.
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
        # Repairs run during the check, not at its end, so a million findings need not be kept in memory.
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
