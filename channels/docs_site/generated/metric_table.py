"""The table of metrics."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from channels.docs_site.generated.tables import table
from channels.server.metrics import Metrics
from groups.kernel.byte_cache import ByteCache

_OURS: Final = "channels_"
_OF_THE_TYPE: Final = {"le"}
"""The label of a histogram's buckets."""


class _Metric(NamedTuple):
    name: str
    kind: str
    labels: Sequence[str]
    meaning: str


def metrics() -> str:
    """Every metric of the server itself, by name: as Prometheus shows it, so with `_total` where it counts."""
    return table(
        ["Metric", "Type", "Labels", "Meaning"],
        [
            [
                f"`{metric.name}`",
                metric.kind,
                " ".join(f"`{label}`" for label in metric.labels),
                f"{metric.meaning}.",
            ]
            for metric in sorted(_metrics())
        ],
    )


def _metrics() -> list[_Metric]:
    # A metric with labels shows these once it has a value.
    shown = Metrics()
    shown.request("GET", "/healthz", 200, 0.001)
    shown.batch("", 1, 0)
    shown.refusal("")
    cache: ByteCache[str, bytes] = ByteCache("", 0, lambda *_: 0)
    found: list[_Metric] = []
    for family in shown.registry.collect():
        if family.name.startswith(_OURS):
            labels = {label: None for sample in family.samples for label in sample.labels}
            name = family.name + ("_total" if family.type == "counter" else "")
            told = [label for label in labels if label not in _OF_THE_TYPE]
            found.append(_Metric(name, family.type, told, family.documentation))
    del cache  # It is among the sizes of caches as long as it lives.
    return found
