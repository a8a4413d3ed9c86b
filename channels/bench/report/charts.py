"""The charts as SVG: without scripts or links, and the same bytes for the same report."""

import math
import sys
from dataclasses import dataclass
from typing import Any, Final

import pygal
from pygal.style import Style

from channels.bench.models import Report, Series
from channels.bench.report import words

# pygal installs an import hook for maps, which we do not draw. Python warns about it whenever an optional module is
# missing.
sys.meta_path[:] = [
    finder for finder in sys.meta_path if type(finder).__module__.partition(".")[0] != "pygal"
]


@dataclass(frozen=True, slots=True)
class Chart:
    """The texts of a chart, and the marks of its logarithmic x axis. Points beyond them widen it."""

    title: str
    x: str
    y: str
    marks: tuple[int, ...]


_CALLERS: Final = (1, 16, 64, 256)


def _by_callers(what: str) -> Chart:
    return Chart(
        f"{what}: rate against callers, hot and spread",
        "callers at once",
        "calls a second",
        _CALLERS,
    )


CHARTS: Final = {
    "latency": Chart(
        "Latency of a post against the channel's size",
        "subscribers",
        "ms, median",
        (10, 100, 1_000, 10_000, 100_000, 1_000_000),
    ),
    "throughput": Chart(
        "Throughput against concurrency",
        "callers at once",
        "calls a second",
        (1, 4, 16, 64, 256, 1_024),
    ),
    "fanout": Chart(
        "One post, until the last socket has it", "sockets", "ms, median", (100, 1_000, 10_000)
    ),
    "workers": Chart(
        "Throughput of several server processes on one channel",
        "server processes",
        "calls a second",
        (1, 2, 4),
    ),
    "subscribes": _by_callers("Subscribe"),
    "reactions": _by_callers("React"),
    "cursors": _by_callers("Mark read"),
    "views": _by_callers("Report views"),
    "pages": _by_callers("Page of 20 posts"),
    "lists": _by_callers("Conversation list"),
    "syncs": _by_callers("Sync"),
    "posts": _by_callers("Post"),
    "mix": Chart(
        "A mix like an app's: rate against callers", "callers at once", "calls a second", _CALLERS
    ),
}
"""The charts by the names in `Series.chart`."""

_STYLE: Final = Style(
    background="white",  # of its own, so that the black text is readable on dark pages, too
    plot_background="white",
    foreground="#222",
    foreground_strong="#000",
    foreground_subtle="#777",
    guide_stroke_color="#ccc",
    major_guide_stroke_color="#ccc",
    font_family="system-ui, sans-serif",
    title_font_size=18,
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    value_font_size=13,
    stroke_width=2,
    stroke_opacity=1,
    opacity=1,
    transition="0s",
    colors=("#0b5cad", "#c2410c", "#15803d", "#7e22ce"),
    value_colors=("#222",) * 4,
)


def charts(report: Report) -> dict[str, bytes]:
    """The SVG of each chart that has points in the report. Series without a chart here stay in the JSON only."""
    found: dict[str, list[Series]] = {}
    for row in report.rows:
        for series in row.series:
            if series.points:
                found.setdefault(series.chart, []).append(series)
    return {name: _svg(name, chart, found[name]) for name, chart in CHARTS.items() if name in found}


def _svg(name: str, chart: Chart, lines: list[Series]) -> bytes:
    highest = max(y for line in lines for _, y in line.points)
    drawn = pygal.XY(
        style=_STYLE,
        js=[],
        disable_xml_declaration=True,
        explicit_size=True,
        width=760,
        height=400,
        margin_right=64,  # the last point's value stands beside it
        title=chart.title,
        x_title=f"{chart.x} (logarithmic)",
        y_title=chart.y,
        # pygal would make both axes logarithmic, so the exponents are drawn, under the labels of their powers.
        x_labels=[{"value": math.log10(mark), "label": f"{mark:,}"} for mark in chart.marks],
        range=(0, highest * 1.15 or 1),
        max_scale=8,
        value_formatter=lambda value: f"{value:,.10g}",
        print_values=True,
        show_x_guides=True,
        dots_size=4,
        legend_at_bottom=True,
        truncate_legend=-1,
        show_legend=len(lines) > 1,
    )
    drawn.uuid = name  # random otherwise; it also keeps the styles of charts on one page apart
    drawn.add_xml_filter(_bare)
    for line in lines:
        points = [
            {"value": (math.log10(x), y), "formatter": lambda point: words.number(point[1])}
            for x, y in line.points
        ]
        drawn.add(line.name, points)
    svg: str = drawn.render()
    return svg.encode()


def _bare(root: Any) -> Any:
    """Remove what pygal adds for its script: its settings, hidden values, and comments with addresses."""
    for parent in list(root.iter()):
        for child in list(parent):
            # The tag of a comment is a function.
            if callable(child.tag) or child.tag in {"script", "desc"}:
                parent.remove(child)
    return root
