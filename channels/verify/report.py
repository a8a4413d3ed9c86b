"""Prints the progress of `channels verify`, then a table of the checks, the findings and the repairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from groups.kernel.data_checks import Check, Finding


@dataclass(slots=True)
class Outcome:
    """The result of a check. `unfinished` is the reason if it did not end."""

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
        return not self.findings and self.unfinished is None


def progress_bar(console: Console) -> Progress:
    """A progress bar, shown only on a terminal and removed when the work is done."""
    return Progress(
        SpinnerColumn(),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print the table, then the findings and repairs."""
    table = Table(title_justify="left", box=None, pad_edge=False)
    table.add_column("Promise")
    table.add_column("What was checked")
    table.add_column("How many", justify="right")
    table.add_column("Findings", justify="right")
    for outcome in outcomes:
        table.add_row(
            outcome.check.promise,
            outcome.check.claim,
            f"{outcome.checked:,} {outcome.check.unit}",
            _verdict(outcome),
        )
    console.print(table)
    for outcome in outcomes:
        _show_details(console, outcome)
    console.print()
    console.print(_summary(outcomes))


def _verdict(outcome: Outcome) -> Text:
    if outcome.unfinished is not None:
        return Text("not finished", style="bold yellow")
    if outcome.findings:
        return Text(f"{outcome.findings:,}", style="bold red")
    return Text("none", style="green")


def _show_details(console: Console, outcome: Outcome) -> None:
    if outcome.unfinished is None and not outcome.findings:
        return
    # Ids and names come from users, so they are printed as text, not as markup, with control characters escaped.
    console.print()
    console.print(Text(f"{outcome.check.promise} {outcome.check.claim}", style="bold"))
    if outcome.unfinished is not None:
        console.print(Text(f"  not finished: {outcome.unfinished}"))
    repaired = {(f.subject, f.problem): what for f, what in outcome.repairs}
    for finding in outcome.first:
        what = repaired.get((finding.subject, finding.problem))
        line = f"  {_printable(finding.subject)}: {_printable(finding.problem)}"
        line += f"; repaired: {_printable(what)}" if what is not None else ""
        console.print(Text(line))
    if outcome.findings > len(outcome.first):
        console.print(Text(f"  … and {outcome.findings - len(outcome.first):,} more"))


def _summary(outcomes: Sequence[Outcome]) -> Text:
    findings = sum(outcome.findings for outcome in outcomes)
    repaired = sum(outcome.repaired for outcome in outcomes)
    repairable = sum(outcome.repairable for outcome in outcomes)
    unfinished = sum(outcome.unfinished is not None for outcome in outcomes)
    if not findings and not unfinished:
        return Text("Every promise that is visible in stored data holds.", style="green")
    said = [f"{findings:,} {'finding' if findings == 1 else 'findings'}."] if findings else []
    if repaired:
        said.append(f"{repaired:,} repaired.")
    elif repairable:
        said.append(f"--repair sets {repairable:,} right.")
    if unfinished:
        said.append(f"{unfinished} {'check' if unfinished == 1 else 'checks'} not finished.")
    return Text(" ".join(said), style="bold red")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
