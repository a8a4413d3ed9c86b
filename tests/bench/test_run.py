"""The benchmark end to end, with a plan so small that it takes seconds, on a real database and real processes."""

import os
import secrets
from pathlib import Path

import pytest
from rich.console import Console

from channels.bench.command import run
from channels.bench.models import Report, Verdict
from channels.bench.plan import Plan
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
)


@pytest.mark.timeout(200)
async def test_a_run_measures_reports_and_deletes_its_data(mongod_uri: str, tmp_path: Path) -> None:
    name = f"bench_{secrets.token_hex(4)}"
    deployment = Deployment(mongod_uri, name, secrets.token_hex(20), dict(os.environ))
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
    database = await Database.connect(mongod_uri, name, driver=DRIVER)
    assert await database.collection("groups").find_one({}) is None
    await database.close()
