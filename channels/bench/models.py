"""The figures of a benchmark run, and what follows from them: ratios, targets, verdicts."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

BUSY: Final = 0.8
"""A load generator that uses this share of a core may be the bottleneck."""


class Model(BaseModel):
    """The base of this package's models: the report is their JSON."""

    # Computed fields are written, and ignored when a report is read.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Verdict(StrEnum):
    """The result of a row."""

    MET = "met"
    MISSED = "missed"
    GENERATOR_BOUND = "generator-bound"
    """The load generator was too busy for the row to say anything about the server."""
    MEASURED = "measured"
    """There is no target."""
    SKIPPED = "skipped"


class Target(Model):
    """The target of a row: `at_most` or `at_least` a value."""

    bound: Literal["at_most", "at_least"]
    value: float

    def is_met(self, value: float) -> bool:
        """Whether this value meets the target."""
        return value <= self.value if self.bound == "at_most" else value >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.bound == 'at_most' else '≥'} {self.value:g}"


class Figures(Model):
    """Repeated measurements of one quantity."""

    what: str
    unit: str
    """`µs`, `ms`, `/s`, `MB` or `KB`."""
    values: Annotated[tuple[float, ...], Field(min_length=1)]

    @computed_field  # type: ignore[prop-decorator]  # mypy does not support decorated properties
    @property
    def median(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)


class Series(Model):
    """A line in a chart: pairs of x and y."""

    chart: str
    """The name of a chart in `report.charts`."""
    name: str
    points: tuple[tuple[float, float], ...]


class CpuTime(Model):
    """Processor time of one request, in microseconds; None where it is unknown.

    `server` is that of all server processes together, `database` that of the mongod they write to.
    """

    server: float | None
    database: float | None
    of: str = "request"
    """The act that takes this time, where it is no request."""

    @property
    def total(self) -> float | None:
        """Both together."""
        return None if self.server is None or self.database is None else self.server + self.database


class Row(Model):
    """One line of the table. The ratio is ours / baseline, the median over pairs measured one after the other."""

    name: str
    what: str
    ours: Figures | None = None
    baseline: Figures | None = None
    target: Target | None = None
    generator_busy: float = 0.0
    """The largest share of a core that a load generator of this row used."""
    cpu: CpuTime | None = None
    """Our costs; None in a row without a server."""
    baseline_cpu: CpuTime | None = None
    """The same of the baseline, where that is our server, too."""
    refused: dict[str, int] = {}
    """How often a status other than success came, by status, on both sides. Then the row does not meet its target."""
    notes: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    skipped: str | None = None
    """Why it was not measured."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.ours is not None and self.baseline is not None:
            if len(self.ours.values) != len(self.baseline.values):
                raise ValueError("ours and the baseline are measured in pairs")
            if not all(self.baseline.values):
                raise ValueError("a baseline must not be 0")
        return self

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def ratio(self) -> float | None:
        """Ours / baseline; None without a baseline."""
        if self.ours is None or self.baseline is None:
            return None
        pairs = zip(self.ours.values, self.baseline.values, strict=True)
        return statistics.median(ours / baseline for ours, baseline in pairs)

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def verdict(self) -> Verdict:
        """The result of the row. Without a baseline the target applies to our own figure.

        A target is for a server that serves: where requests were refused, it is missed.
        """
        if self.skipped is not None or self.ours is None:
            return Verdict.SKIPPED
        if self.generator_busy >= BUSY:
            return Verdict.GENERATOR_BOUND
        if self.target is None:
            return Verdict.MEASURED
        if self.refused:
            return Verdict.MISSED
        value = self.ours.median if self.ratio is None else self.ratio
        return Verdict.MET if self.target.is_met(value) else Verdict.MISSED


class Machine(Model):
    """The machine that was measured on."""

    processor: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    mongodb: str
    libraries: dict[str, str]
    load_before: float
    load_after: float
    """Runnable processes, averaged over a minute."""


class Report(Model):
    """One run."""

    version: str
    started_at: datetime
    seconds: float
    is_quick: bool
    machine: Machine
    ceiling: Figures
    """Requests a second that the generator makes against a server that does nothing."""
    rows: tuple[Row, ...]


def figures(what: str, unit: str, values: Sequence[float]) -> Figures:
    """The measured values, rounded to four digits."""
    return Figures(what=what, unit=unit, values=tuple(round(value, 4) for value in values))
