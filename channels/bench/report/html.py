"""The page: one file that can be mailed or published, and tells how the figures came about."""

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
