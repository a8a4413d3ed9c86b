"""The wording of figures on the terminal and on the page: three significant digits, and the unit."""

from collections import Counter
from typing import Final

from channels.bench.models import BUSY, CpuTime, Figures, Report, Row, Verdict

NONE: Final = "–"  # shown when there is no value

MEANING: Final = {
    Verdict.MET: "the target is met",
    Verdict.MISSED: "the target is missed, or requests were refused",
    Verdict.GENERATOR_BOUND: (
        f"a load generator used {BUSY:.0%} of a core or more,"
        " so the figure may be its own and is not judged"
    ),
    Verdict.MEASURED: "there is no target, or nothing to compare with",
    Verdict.SKIPPED: "not measured in this run",
}


def number(value: float) -> str:
    """The value with three digits, or more above a thousand."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    if abs(value) >= 0.9995:
        return f"{value:.2f}"
    return f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """The value with its unit. Counts have no unit, and all digits."""
    if not unit:
        return f"{value:,g}" if abs(value) < 1e5 else f"{value:,.0f}"
    return f"{number(value)}{unit}" if unit.startswith("/") else f"{number(value)} {unit}"


def median(figures: Figures | None) -> str:
    """The median of the values."""
    return NONE if figures is None else amount(figures.median, figures.unit)


def ratio(row: Row) -> str:
    """Ours / baseline, with enough digits to compare it with a target."""
    return NONE if row.ratio is None else f"{row.ratio:,.3f}"


def target(row: Row) -> str:
    """The target of the ratio. Without a baseline it is one for our own figure, with its unit."""
    if row.target is None:
        return NONE
    unit = row.ours.unit if row.ours and row.ratio is None else ""
    return f"{row.target} {unit}".rstrip()


def busy(row: Row) -> str:
    """The generator's share of a core in per cent."""
    return f"{row.generator_busy:.0%}" if row.generator_busy else NONE


def cpu(time: CpuTime | None) -> tuple[str, str]:
    """The processor time of the server and of the database: what was not read is `unknown`."""
    if time is None:
        return NONE, NONE
    return _microseconds(time.server), _microseconds(time.database)


def _microseconds(value: float | None) -> str:
    return "unknown" if value is None else f"{number(value)} µs"


def refused(row: Row) -> str:
    """Answers that are no success, and how often each came."""
    return ", ".join(f"{count:,} x {status}" for status, count in row.refused.items()) or NONE


def verdicts(report: Report) -> list[tuple[Verdict, int]]:
    """How many rows got each of the verdicts that were given."""
    counted = Counter(row.verdict for row in report.rows)
    return [(verdict, counted[verdict]) for verdict in Verdict if counted[verdict]]


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def machine(report: Report) -> str:
    """The facts about the machine, in one line."""
    facts = report.machine
    libraries = ", ".join(f"{name} {version}" for name, version in facts.libraries.items())
    return (
        f"{facts.processor}, {facts.cores} cores, {facts.memory_gb:g} GB;"
        f" Linux {facts.kernel}, Python {facts.python}, MongoDB {facts.mongodb}; {libraries};"
        f" load {facts.load_before:.2f} before, {facts.load_after:.2f} after"
    )


def ceiling(report: Report) -> str:
    """The rate of the generator when the server costs nothing."""
    return f"{median(report.ceiling)} ({report.ceiling.what})"


def busiest(report: Report) -> Row | None:
    """The row whose load generators worked hardest."""
    rows = [row for row in report.rows if row.generator_busy]
    return max(rows, key=lambda row: row.generator_busy, default=None)
