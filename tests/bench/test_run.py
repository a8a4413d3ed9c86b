"""The benchmark end to end, with a plan so small that it takes seconds, on a real database and real processes."""

import os
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from channels.bench.cases import NAMES, ORDINARY, chosen
from channels.bench.command import run
from channels.bench.models import Report, Verdict
from channels.bench.plan import OrdinaryPlan, Plan
from channels.bench.processes import Deployment
from groups.kernel.mongo import Database
from tests.mongod import DRIVER

TINY = Plan(
    is_quick=True,
    repeats=1,
    seconds=0.3,
    subscribers=(10, 50),
    posts=5,
    concurrency=(1, 4),
    sockets=(20,),
    fanout_posts=2,
    burst_posts=10,
    storm_sockets=20,
    imported=50,
    channels_of_a_user=5,
    readers=2,
    inbox_groups=10,
    workers=(1,),
    ordinary=OrdinaryPlan(
        repeats=1,
        seconds=0.15,
        callers=(1, 4),
        channels=4,
        users=40,
        channels_of_a_user=2,
        posts=3,
        writes=3,
        lone_repeats=1,
        processes=(2,),
    ),
    most_seconds=150,
)


RATES = ["subscribes", "reactions", "cursors", "views", "pages", "lists", "syncs", "posts"]
"""The cases that compare many channels with one."""


def deployment_of(uri: str) -> Deployment:
    return Deployment(uri, f"bench_{secrets.token_hex(4)}", secrets.token_hex(20), dict(os.environ))


@pytest.mark.timeout(200)
async def test_ordinary_load_is_measured_over_many_channels_beside_one(
    mongod_uri: str, tmp_path: Path
) -> None:
    deployment = deployment_of(mongod_uri)
    console = Console(record=True, width=200)
    report = await run(deployment, TINY, names=["ordinary"], directory=tmp_path, console=console)
    assert [row.skipped for row in report.rows if row.skipped] == []
    assert {row.name for row in report.rows} == set(ORDINARY)
    for row in report.rows:
        assert row.ours is not None
        if row.name != "bystander":
            assert row.ours.median > 0
            assert row.ratio is not None  # beside something in every row
        assert row.cpu is not None
        # Both run on this machine. So few requests may take less than the kernel counts.
        assert (row.cpu.server is None, row.cpu.database is None) == (False, False)
    for name in RATES:
        rows = [row for row in report.rows if row.name == name]
        both = {series.name: series.points for row in rows for series in row.series}
        assert len(both) == (3 if name == "lists" else 2)
        assert all([x for x, _ in points] == [1, 4] for points in both.values())
        assert (tmp_path / f"{name}.svg").exists()
    assert "Processor time" in console.export_text()


async def test_a_run_that_takes_too_long_skips_the_rest(mongod_uri: str) -> None:
    late = replace(TINY, most_seconds=0)
    report = await run(
        deployment_of(mongod_uri), late, names=["lone", "flood"], console=Console(quiet=True)
    )
    assert [row.skipped for row in report.rows] == ["the run had taken its 0 seconds"] * 2


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), NAMES),
        (("ordinary",), tuple(ORDINARY)),
        (("read", "subscribe"), ("subscribe", "read")),
        (("mix", "ordinary", "subscribe"), ("subscribe", *ORDINARY)),
    ],
)
def test_cases_are_chosen_by_their_names_and_groups(
    names: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert chosen(names) == list(expected)


@pytest.mark.timeout(200)
async def test_a_run_measures_reports_and_deletes_its_data(mongod_uri: str, tmp_path: Path) -> None:
    deployment = deployment_of(mongod_uri)
    console = Console(record=True, width=200)
    names = ["subscribe", "react", "read", "unread", "fanout", "burst", "storm", "import", "post"]
    report = await run(deployment, TINY, names=names, directory=tmp_path, console=console)
    assert {row.name for row in report.rows} == set(names)
    assert [row.what for row in report.rows if row.skipped] == []
    of_a_call = [row for row in report.rows if row.name in {"subscribe", "react", "read"}]
    # All by the best baseline: each is the same empty handler, and the machine may pause during one of them.
    empty = max(row.baseline.median for row in of_a_call if row.baseline)
    assert all(row.ours and 0 < row.ours.median < 2 * empty for row in of_a_call)
    assert all(row.ratio and row.ratio > 0 for row in of_a_call)
    assert all(row.verdict is not Verdict.SKIPPED for row in report.rows)
    assert Report.model_validate_json((tmp_path / "results.json").read_text()) == report
    assert "subscribe to one channel" in (tmp_path / "report.html").read_text()
    assert "subscribe to one channel" in console.export_text()
    assert all(row.cpu is not None for row in report.rows)
    database = await Database.connect(mongod_uri, deployment.database, driver=DRIVER)
    assert await database.collection("groups").find_one({}) is None
    await database.close()
