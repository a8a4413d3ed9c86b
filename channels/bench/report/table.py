"""The output of `channels bench`: a table, and below it the notes."""

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from channels.bench.models import Report, Row, Verdict
from channels.bench.report import words

STYLE: Final = {
    Verdict.MET: "green",
    Verdict.MISSED: "bold red",
    Verdict.GENERATOR_BOUND: "yellow",
    Verdict.MEASURED: "",
    Verdict.SKIPPED: "dim",
}
"""Colours repeat what the words say."""


def show(console: Console, report: Report) -> None:
    """Print the rows, what they cost, their notes and why some were skipped, the verdicts, and the machine."""
    console.print(_table(report))
    if any(row.cpu is not None or row.refused for row in report.rows):
        console.print()
        console.print(_cost(report))
    for row in report.rows:
        _show_details(console, row)
    console.print()
    for verdict, count in words.verdicts(report):
        console.print(
            Text(f"{count} ")
            .append(verdict.value, STYLE[verdict])
            .append(f": {words.MEANING[verdict]}")
        )
    console.print()
    console.print(
        Text(
            f"{words.machine(report)}. Busy: a load generator's share of a core;"
            f" its ceiling: {words.ceiling(report)}."
        )
    )


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Row", no_wrap=True)
    table.add_column("What", min_width=12)
    table.add_column("Ours", justify="right", no_wrap=True)
    table.add_column("Baseline", justify="right", no_wrap=True)
    table.add_column("Ratio", justify="right", no_wrap=True)
    table.add_column("Target", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Busy", justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            Text(row.name),
            Text(row.what),
            words.median(row.ours),
            words.median(row.baseline),
            words.ratio(row),
            words.target(row),
            Text(row.verdict.value, STYLE[row.verdict]),
            words.busy(row),
        )
    return table


def _cost(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Row", no_wrap=True)
    table.add_column("CPU of one", min_width=8)
    for title in ("Server", "mongod", "Server*", "mongod*"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Refused", justify="right")
    for row in report.rows:
        if row.cpu is not None or row.refused:
            table.add_row(
                Text(row.name),
                Text(row.what if row.cpu is None else f"{row.cpu.of}: {row.what}"),
                *words.cpu(row.cpu),
                *words.cpu(row.baseline_cpu),
                words.refused(row),
            )
    table.caption = "Processor time. * of the baseline, where that is this server, too."
    table.caption_justify = "left"
    return table


def _show_details(console: Console, row: Row) -> None:
    lines = [f"skipped: {row.skipped}"] if row.skipped is not None else []
    lines += [f"baseline: {row.baseline.what}"] if row.baseline is not None else []
    lines += row.notes
    if not lines:
        return
    console.print()
    # Reasons quote servers and libraries, so they are text, never markup.
    console.print(Text(f"{row.name}: {row.what}", style="bold"))
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
