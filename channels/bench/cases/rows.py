"""Outcomes of load as fields of a row: processor time of a request, and refusals."""

from collections import Counter
from collections.abc import Sequence

from channels.bench.cpu import CpuSeconds
from channels.bench.load import Outcome
from channels.bench.models import CpuTime

_MICROSECONDS = 1e6


def cpu_of(outcomes: Sequence[Outcome]) -> CpuTime:
    """Processor time of a successful request: what was refused cost something, too, and is in it."""
    spent = CpuSeconds(0, 0)
    for outcome in outcomes:
        spent += outcome.spent
    return cpu_for(spent, sum(len(outcome.latencies) for outcome in outcomes))


def cpu_for(spent: CpuSeconds, count: int, of: str = "request") -> CpuTime:
    """Processor time of each of so many."""

    def each(seconds: float | None) -> float | None:
        return None if seconds is None or not count else round(seconds / count * _MICROSECONDS, 1)

    return CpuTime(server=each(spent.server), database=each(spent.database), of=of)


def refused_by(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How often which status other than success came."""
    found: Counter[str] = Counter()
    for outcome in outcomes:
        found += outcome.refused
    return dict(found)
