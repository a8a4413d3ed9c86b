"""The files of a report: the figures as JSON, a page that can be mailed or published, and the charts."""

from pathlib import Path

import jinja2

from channels.bench.models import BUSY, Report
from channels.bench.report import words
from channels.bench.report.charts import charts


def page(report: Report) -> str:
    """The HTML of a whole page, charts and styles inside; all text is escaped, and nothing is fetched or run."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("channels.bench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawings = {name: svg.decode() for name, svg in charts(report).items()}
    return environment.get_template("report.html").render(
        report=report, drawings=drawings, words=words, limit=BUSY
    )


def write(report: Report, directory: Path) -> list[Path]:
    """Write `results.json`, `report.html` and a `.svg` for each chart. Returns the paths, in this order.

    Creates a missing directory. Files of these names are replaced, all others stay.

    Raises: OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # The figures first: if drawing fails, a long run is not lost.
    results = directory / "results.json"
    results.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    html = directory / "report.html"
    html.write_text(page(report), encoding="utf-8")
    written = [results, html]
    for name, svg in charts(report).items():
        written.append(directory / f"{name}.svg")
        written[-1].write_bytes(svg)
    return written
