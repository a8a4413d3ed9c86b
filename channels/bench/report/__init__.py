"""A run's outcome for its readers: a table on the terminal, and files to keep, to publish and to compare.

Promises: everything shown is in the `Report`, nothing is measured or judged here. The files stand alone: no script, and
nothing to fetch from anywhere. One report gives the same bytes each time.

Depends on `channels.bench.models`; rich draws the table, pygal the charts, jinja the page.
"""

from pathlib import Path

from channels.bench.models import Report
from channels.bench.report.charts import charts
from channels.bench.report.html import page

__all__ = ["write"]


def write(report: Report, directory: Path) -> list[Path]:
    """Write `results.json`, `report.html` and a `.svg` for each chart; the paths, in this order.

    The directory is made where it is missing. Files of these names are replaced, all others stay.

    Raises: OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # The figures first: whatever becomes of the drawing, a long run is not lost.
    results = directory / "results.json"
    results.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    html = directory / "report.html"
    html.write_text(page(report), encoding="utf-8")
    written = [results, html]
    for name, svg in charts(report).items():
        written.append(directory / f"{name}.svg")
        written[-1].write_bytes(svg)
    return written
