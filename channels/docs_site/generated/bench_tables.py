"""The tables of the committed benchmark run."""

from pathlib import Path
from typing import Final

import channels
from channels.bench.models import Report, Row
from channels.bench.report import words
from channels.docs_site.generated.tables import table

RESULTS: Final = Path(channels.__file__).parent / "bench/results/results.json"


def committed_run() -> Report:
    """The run whose results are committed."""
    return Report.model_validate_json(RESULTS.read_bytes())


def bench_rows() -> str:
    """Each row: the figure, what it is compared with, the target, and the verdict."""
    return table(
        ["Row", "Ours", "Baseline", "Ratio", "Target", "Verdict"],
        [
            [
                row.what,
                words.median(row.ours),
                f"{words.median(row.baseline)} ({row.baseline.what})" if row.baseline else "",
                f"{row.ratio:.2f}" if row.ratio is not None else "",
                words.target(row) if row.target else "",
                row.verdict.value if row.target else "",
            ]
            for row in committed_run().rows
        ],
    )


def bench_cost() -> str:
    """The processor time of a request, and what was refused."""
    rows = [row for row in committed_run().rows if row.cpu is not None]
    return table(
        ["Row", "Server", "Database", "Refused"],
        [[row.what, *_cost(row), words.refused(row)] for row in rows],
    )


def _cost(row: Row) -> list[str]:
    ours, baseline = words.cpu(row.cpu), words.cpu(row.baseline_cpu)
    if row.baseline_cpu is None:
        return list(ours)
    return [f"{mine} ({other})" for mine, other in zip(ours, baseline, strict=True)]
