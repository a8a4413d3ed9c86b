"""The table of metrics."""

from collections.abc import Iterator

from channels.docs_site.generated.tables import table
from channels.server.metrics import Metrics


def metrics() -> str:
    """Every metric of a server process."""
    return table(["Metric", "Type", "Labels", "Meaning"], _rows())


def _rows() -> Iterator[list[str]]:
    shown = Metrics()
    # Metrics with labels have no series before the first value.
    shown.request("GET", "/v1/unread", 200, 0.1)
    shown.batch("join", 1, 0)
    shown.refusal("unavailable")
    for family in shown.registry.collect():
        suffix = "_total" if family.type == "counter" else ""
        labels = [label for label in family.samples[0].labels if label != "le"]
        yield [
            f"`{family.name}{suffix}`",
            family.type,
            " ".join(f"`{label}`" for label in labels),
            family.documentation.rstrip("."),
        ]
