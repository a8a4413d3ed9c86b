"""Runs the cases on a deployment of its own, and reports the outcome."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from rich import progress
from rich.console import Console

from channels.bench.cases import CASES, ORDINARY, chosen
from channels.bench.context import BenchContext
from channels.bench.load import Generator, Job, LoadFailed, request
from channels.bench.models import Figures, Machine, Report, Row, Verdict, figures
from channels.bench.plan import Plan
from channels.bench.processes import Deployment, StartFailed, baseline, server, usable_cores
from channels.bench.report import table
from channels.bench.report.files import write
from channels.bench.store import BenchStore
from groups.kernel.mongo import Database

CEILING_CALLERS: Final = 256
LIBRARIES: Final = ("aiohttp", "uvloop", "motor", "pymongo", "pydantic", "orjson")


async def run(
    deployment: Deployment,
    plan: Plan,
    *,
    names: Sequence[str] = (),
    directory: Path | None = None,
    console: Console | None = None,
) -> Report:
    """Measure the cases of these names or groups (all when there are none), print the table, and write the report.

    It starts servers on the deployment and drops their database at the end, also after an interruption. The database of
    a server that is already running keeps what was made in it.

    Raises: StandaloneServer; OldServer; Unavailable; StartFailed.
    """
    console = console or Console(highlight=False)
    started, started_at = time.monotonic(), datetime.now(UTC)
    load_before = _load()
    database = await Database.connect(deployment.mongodb_uri, deployment.database)
    rows: list[Row] = []
    try:
        with closing(Generator()) as generator:
            ceiling = await _ceiling(generator, plan)
            cases = chosen(names)
            store = BenchStore(database)
            with _progress(console) as bar:
                task = bar.add_task("", total=len(cases))
                context = BenchContext(
                    plan=plan,
                    deployment=deployment,
                    store=store,
                    generator=generator,
                    say=lambda text: bar.update(task, description=text),
                    mongod=await store.mongod(),
                )
                for is_ordinary, several in groupby(cases, ORDINARY.__contains__):
                    if time.monotonic() > started + plan.most_seconds:
                        rows += [_skipped(name, plan) for name in several]
                        continue
                    # One server at a time: another one would follow all events, too.
                    async with server(deployment, sheds_load=is_ordinary) as context.server:
                        for name in several:
                            if time.monotonic() > started + plan.most_seconds:
                                rows.append(_skipped(name, plan))
                            else:
                                rows += await _measure(context, name)
                            bar.advance(task)
        version = await database.server_version()
    finally:
        if deployment.server is None:
            await database.drop()
        await database.close()
    report = Report(
        version=importlib.metadata.version("channel-layer"),
        started_at=started_at,
        seconds=round(time.monotonic() - started, 1),
        is_quick=plan.is_quick,
        machine=_machine(version, load_before),
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


def _skipped(name: str, plan: Plan) -> Row:
    why = f"the run had taken its {plan.most_seconds:.0f} seconds"
    return Row(name=name, what=name, skipped=why)


async def _measure(context: BenchContext, name: str) -> list[Row]:
    context.say(name)
    try:
        return await CASES[name](context)
    # A case that fails has a row that says so, and the others are still measured.
    except (LoadFailed, StartFailed) as error:
        return [Row(name=name, what=name, skipped=f"failed: {error}")]


async def _ceiling(generator: Generator, plan: Plan) -> Figures:
    """The most that the generator can do, which must be several times what it measures."""
    calls = [request("GET", f"/{number}", "x" * 150) for number in range(CEILING_CALLERS)]
    async with baseline("constant") as address:
        job = Job(address.host, address.port, calls, CEILING_CALLERS, plan.seconds / 2, True)
        outcome = await generator.drive(job)
    return figures("the generator against constant responses", "/s", [outcome.per_second])


def _progress(console: Console) -> progress.Progress:
    """A progress bar over the cases. It is shown on a terminal only, and removed at the end."""
    return progress.Progress(
        progress.SpinnerColumn(),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _machine(mongodb: str, load_before: float) -> Machine:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return Machine(
        processor=_processor(),
        cores=usable_cores(),
        memory_gb=round(memory, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        mongodb=mongodb,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        load_before=load_before,
        load_after=_load(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
