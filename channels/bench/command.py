"""Runs the cases on a deployment of its own, and reports the outcome."""

import importlib.metadata
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import rich.progress
from rich.console import Console

from channels.bench import machine
from channels.bench.cases import CASES, NAMES
from channels.bench.context import BenchContext, ImportFailed, opened
from channels.bench.load import Generator, Job, LoadFailed, request
from channels.bench.models import Figures, Report, Row, Verdict, figures
from channels.bench.plan import Plan
from channels.bench.processes import Deployment, StartFailed, baseline, server
from channels.bench.report import table, write
from channels.bench.store import BenchStore
from groups.kernel.mongo import Database

CEILING_CALLERS: Final = 256


async def run(
    deployment: Deployment,
    plan: Plan,
    *,
    names: Sequence[str] = (),
    directory: Path | None = None,
    console: Console | None = None,
) -> Report:
    """Measure the cases of these names (all when there are none), print the table, and write the report.

    It starts servers on the deployment and drops their database at the end, also after an interruption. The database of
    a server that is already running keeps what was made in it.

    Raises: StandaloneServer; Unavailable; StartFailed.
    """
    console = console or Console(highlight=False)
    started, started_at = time.monotonic(), datetime.now(UTC)
    load_before = machine.load()
    database = await Database.connect(deployment.mongodb_uri, deployment.database)
    store, generator = BenchStore(database), Generator()
    try:
        async with opened(generator):
            ceiling = await _ceiling(generator, plan)
            rows = await _measure(deployment, store, generator, plan, names or NAMES, console)
        version = await store.version()
    finally:
        if deployment.server is None:
            await store.drop()
        database.close()
    report = Report(
        version=importlib.metadata.version("channel-layer"),
        started_at=started_at,
        seconds=round(time.monotonic() - started, 1),
        is_quick=plan.is_quick,
        machine=machine.describe(version, load_before=load_before),
        ceiling=ceiling,
        rows=tuple(rows),
    )
    table.show(console, report)
    if directory is not None:
        for path in write(report, directory):
            console.print(f"Wrote {path}", soft_wrap=True)
    return report


def is_missed(report: Report) -> bool:
    """Whether any row missed its target."""
    return any(row.verdict is Verdict.MISSED for row in report.rows)


async def _measure(
    deployment: Deployment,
    store: BenchStore,
    generator: Generator,
    plan: Plan,
    names: Sequence[str],
    console: Console,
) -> list[Row]:
    rows: list[Row] = []
    async with server(deployment) as running, _progress(console, len(names)) as progress:
        context = BenchContext(plan, deployment, store, generator, running, progress.say)
        # In the order of `NAMES`: later cases use what earlier ones made.
        for name in [each for each in NAMES if each in names]:
            progress.say(name)
            try:
                rows += await CASES[name](context)
            # A case that fails has a row that says so, and the others are still measured.
            except (LoadFailed, ImportFailed, StartFailed) as error:
                rows.append(Row(name=name, what=name, skipped=f"failed: {error}"))
            progress.advance()
    return rows


async def _ceiling(generator: Generator, plan: Plan) -> Figures:
    """The most that the generator can do, which must be several times what it measures."""
    calls = [request("GET", f"/{number}", "x" * 150) for number in range(CEILING_CALLERS)]
    async with baseline("constant") as address:
        job = Job(address.host, address.port, calls, CEILING_CALLERS, plan.seconds / 2, True)
        outcome = await generator.drive(job)
    return figures("the generator against constant responses", "/s", [outcome.per_second])


class _Bar:
    def __init__(self, bar: rich.progress.Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total)

    def say(self, what: str) -> None:
        self._bar.update(self._task, description=what)

    def advance(self) -> None:
        self._bar.advance(self._task)


@asynccontextmanager
async def _progress(console: Console, total: int) -> AsyncIterator[_Bar]:
    """A progress bar over the cases. It is shown on a terminal only, and removed at the end."""
    bar = rich.progress.Progress(
        rich.progress.SpinnerColumn(),
        rich.progress.BarColumn(bar_width=20),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield _Bar(bar, total)
