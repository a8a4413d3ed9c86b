"""The report of an invented run: the files are complete and stand alone, and the table shows everything."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from channels.bench.models import CpuTime, Machine, Report, Row, Series, Target, figures
from channels.bench.report import table, words
from channels.bench.report.charts import CHARTS, charts
from channels.bench.report.files import page, write

HOSTILE = "<script>alert('1')</script> & [red]no markup[/red] </svg>"
SVG = "{http://www.w3.org/2000/svg}"

POST = Row(
    name="post",
    what="post latency p50, 1,000,000 / 10 subscribers",
    ours=figures("1,000,000 subscribers", "ms", [2.1, 2.3, 2.2]),
    baseline=figures("10 subscribers", "ms", [2.0, 2.2, 2.2]),
    target=Target(bound="at_most", value=1.1),
    generator_busy=0.12,
    notes=("10 subscribers: p50 2.20 ms",),
    series=(
        Series(
            chart="latency",
            name="post, p50",
            points=((10, 2.2), (1_000, 2.15), (100_000, 2.24), (1_000_000, 2.2)),
        ),
    ),
)
READ = Row(
    name="read",
    what="read 20 posts with tallies, 64 callers",
    ours=figures("GET …/posts", "/s", [1200, 1300, 1250]),
    baseline=figures("empty aiohttp handler", "/s", [9000, 9100, 9200]),
    target=Target(bound="at_least", value=0.3),
    generator_busy=0.41,
)
MEMORY = Row(
    name="memory",
    what="server memory, no sockets",
    ours=figures("resident memory", "MB", [118.4]),
    target=Target(bound="at_most", value=150),
)
BROKER = Row(name="fanout", what="one post to 1,000 sockets", skipped="mosquitto is not installed")
STORM = Row(
    name="storm",
    what="5,000 sockets at once",
    ours=figures("until the last is ready", "s", [3.4]),
    generator_busy=0.93,
    notes=("one too many",),
)


SPREAD = Row(
    name="subscribes",
    what="subscribe, spread / hot, 256 callers",
    ours=figures("over 200 channels", "/s", [453]),
    baseline=figures("on one channel", "/s", [5433]),
    target=Target(bound="at_least", value=0.6),
    cpu=CpuTime(server=2136, database=None),
    baseline_cpu=CpuTime(server=168, database=48.4),
    refused={"503": 1957, "no response": 2},
)


def report_of(*rows: Row) -> Report:
    return Report(
        version="0.1.0",
        started_at=datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
        seconds=754.2,
        is_quick=False,
        machine=Machine(
            processor="A processor of 2 cores",
            cores=2,
            memory_gb=7.8,
            kernel="6.1.0",
            python="3.11.9",
            mongodb="6.0.5",
            libraries={"aiohttp": "3.11.0", "uvloop": "0.21.0"},
            load_before=0.31,
            load_after=2.05,
        ),
        ceiling=figures("against constant answers", "/s", [38_000, 39_000, 38_500]),
        rows=rows,
    )


REPORT = report_of(POST, READ, MEMORY, BROKER, STORM)


def printed(report: Report, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    table.show(console, report)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def with_note(note: str) -> Report:
    return report_of(POST.model_copy(update={"notes": (note,), "what": note}), BROKER)


def with_series(chart: str, *points: tuple[float, float], name: str = "calls") -> Report:
    series = Series(chart=chart, name=name, points=points)
    return report_of(READ.model_copy(update={"series": (series,)}))


def measured_only(value: Any) -> Any:
    """The JSON of a model without its computed fields."""
    if isinstance(value, dict):
        computed = {"median", "ratio", "verdict"}
        return {key: measured_only(inner) for key, inner in value.items() if key not in computed}
    return [measured_only(inner) for inner in value] if isinstance(value, list) else value


def test_the_files_are_written_into_a_new_directory(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "report"
    paths = write(REPORT, directory)
    assert [path.name for path in paths] == ["results.json", "report.html", "latency.svg"]
    assert sorted(paths) == sorted(directory.iterdir())
    assert paths[1].read_text(encoding="utf-8") == page(REPORT)
    assert paths[2].read_bytes() == charts(REPORT)["latency"]


def test_files_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    write(report_of(POST), tmp_path)
    write(report_of(POST, READ), tmp_path)
    assert len(json.loads((tmp_path / "results.json").read_text())["rows"]) == 2


def test_the_json_holds_all_figures_and_verdicts(tmp_path: Path) -> None:
    results = write(REPORT, tmp_path)[0].read_text(encoding="utf-8")
    stored = json.loads(results)
    assert Report.model_validate(measured_only(stored)) == REPORT
    assert [row["verdict"] for row in stored["rows"]] == [row.verdict for row in REPORT.rows]
    assert [row["ratio"] for row in stored["rows"]] == [row.ratio for row in REPORT.rows]
    assert stored["ceiling"]["median"] == 38_500


def test_the_page_needs_no_script_and_no_other_file() -> None:
    html = page(REPORT)
    assert "<svg" in html
    assert "<script" not in html.lower()
    assert "<link" not in html
    assert "@import" not in html
    addresses = set(re.findall(r"https?://[^\"'\s)<]*", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!\#)""", html)


def test_the_page_escapes_names_and_notes() -> None:
    html = page(with_note(HOSTILE))
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; [red]") == 4


def test_the_chart_and_the_page_escape_the_name_of_a_series() -> None:
    report = with_series("throughput", (1, 2), (4, 6), name=HOSTILE)
    two = report_of(*report.rows, *with_series("throughput", (1, 3), (4, 5)).rows)
    root = ElementTree.fromstring(charts(two)["throughput"])
    assert HOSTILE in [text.text for text in root.iter(f"{SVG}text")]
    assert "<script" not in page(two)


def test_the_page_shows_all_rows_values_and_the_machine() -> None:
    html = page(REPORT)
    for row in REPORT.rows:
        assert row.what in html
        assert f'<span class="verdict {row.verdict.value}">' in html
        for figure in (row.ours, row.baseline):
            assert figure is None or ", ".join(map(str, figure.values)) in html
    for expected in (
        *("A processor of 2 cores", "MongoDB", "38,500/s", "12 min 34 s", "2030-01-02 03:04 UTC"),
        *("mosquitto is not installed", "10 subscribers: p50 2.20 ms", "93% (storm"),
    ):
        assert expected in html


def test_the_page_says_that_a_run_is_quick() -> None:
    assert "A quick run" not in page(REPORT)
    assert "A quick run" in page(REPORT.model_copy(update={"is_quick": True}))


def test_a_run_without_rows_has_a_page_and_a_table() -> None:
    assert "Results" in page(report_of())
    assert "A processor of 2 cores" in printed(report_of())


def test_the_table_has_a_line_for_each_row() -> None:
    lines = [" ".join(line.split()) for line in printed(REPORT).splitlines()]
    for row in REPORT.rows:
        expected = [
            *(row.name, row.what, words.median(row.ours), words.median(row.baseline)),
            *(words.ratio(row), words.target(row), row.verdict.value, words.busy(row)),
        ]
        assert " ".join(expected) in lines


def test_a_second_table_has_the_processor_time_and_the_refusals() -> None:
    lines = [" ".join(line.split()) for line in printed(report_of(SPREAD, POST)).splitlines()]
    (line,) = [line for line in lines if line.startswith("subscribes request: ")]
    assert line.endswith("2,136 µs unknown 168 µs 48.4 µs 1,957 x 503, 2 x no response")
    assert not any(line.startswith("post request: ") for line in lines)  # it has none
    assert "Processor time" not in printed(REPORT)


def test_the_page_has_the_processor_time_and_the_refusals() -> None:
    html = page(report_of(SPREAD, POST))
    for expected in (
        *("<b>2,136 µs</b><small>mongod unknown</small>", "<b>168 µs</b><small>mongod 48.4 µs"),
        "refused: 1,957 x 503, 2 x no response",
    ):
        assert expected in html


def test_the_json_keeps_the_processor_time_and_the_refusals(tmp_path: Path) -> None:
    stored = write(report_of(SPREAD), tmp_path)[0].read_text(encoding="utf-8")
    assert Report.model_validate_json(stored).rows == (SPREAD,)


def test_notes_reasons_machine_and_ceiling_follow_the_table() -> None:
    text = printed(REPORT, width=400)
    for expected in (
        *(
            "  10 subscribers: p50 2.20 ms",
            "  one too many",
            "  skipped: mosquitto is not installed",
        ),
        "  baseline: empty aiohttp handler",
        *("A processor of 2 cores, 2 cores, 7.8 GB", "load 0.31 before, 2.05 after"),
        "its ceiling: 38,500/s",
    ):
        assert expected in text


def test_a_narrow_terminal_shows_all_figures_and_verdicts() -> None:
    text = printed(REPORT, width=80)
    for row in REPORT.rows:
        assert row.verdict.value in text
        assert words.median(row.ours) in text
        assert words.target(row) in text
        assert words.busy(row) in text


def test_the_table_shows_names_and_notes_as_plain_text() -> None:
    # In the table, above the notes, and as one of them.
    assert printed(with_note(HOSTILE), width=400).count(HOSTILE) == 3


@pytest.mark.parametrize(
    ("row", "target"),
    [(POST, "≤ 1.1"), (READ, "≥ 0.3"), (MEMORY, "≤ 150 MB"), (STORM, "–"), (BROKER, "–")],
)
def test_only_a_target_for_our_own_figure_has_a_unit(row: Row, target: str) -> None:
    assert words.target(row) == target


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        *((0, "ms", "0 ms"), (0.0412, "ms", "0.0412 ms"), (2.304, "ms", "2.30 ms")),
        *((0.9996, "ms", "1.00 ms"), (9.996, "ms", "10.0 ms"), (99.96, "ms", "100 ms")),
        *((38_512.4, "/s", "38,512/s"), (118.44, "MB", "118 MB")),
        *((1, "", "1"), (1_000_000, "", "1,000,000"), (2.5, "", "2.5")),
    ],
)
def test_amounts_have_three_digits_and_their_unit(value: float, unit: str, expected: str) -> None:
    assert words.amount(value, unit) == expected


def test_only_rows_with_points_have_charts() -> None:
    assert set(charts(REPORT)) == {"latency"}
    assert charts(report_of(READ, MEMORY, BROKER)) == {}
    assert charts(with_series("fanout")) == {}
    assert charts(with_series("of no chart", (1, 2))) == {}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_needs_no_other_file_and_names_its_axes(name: str) -> None:
    svg = charts(with_series(name, (1, 20), (10, 30), (1_000, 25)))[name]
    assert charts(with_series(name, (1, 20), (10, 30), (1_000, 25)))[name] == svg
    assert set(re.findall(rb"https?://[^\"'\s)<]*", svg)) <= {
        b"http://www.w3.org/2000/svg",
        b"http://www.w3.org/1999/xlink",
    }
    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    chart = CHARTS[name]
    assert {chart.title, f"{chart.x} (logarithmic)", chart.y} <= set(texts)
    assert {f"{mark:,}" for mark in chart.marks} <= set(texts)
    assert {"20.0", "30.0", "25.0", "0"} <= set(texts)


@pytest.mark.parametrize("points", [[(1_000, 31.5)], [(1_000, 0.0)], [(1_000, 31.5)] * 2])
def test_a_single_point_makes_a_chart(points: list[tuple[float, float]]) -> None:
    assert charts(with_series("fanout", *points))["fanout"].startswith(b"<svg")


def test_the_series_of_several_rows_share_their_chart() -> None:
    both = report_of(
        *with_series("throughput", (1, 2), (4, 6), name="subscribe").rows,
        *with_series("throughput", (1, 3), (4, 5), name="react").rows,
    )
    root = ElementTree.fromstring(charts(both)["throughput"])
    assert {"subscribe", "react"} <= {text.text for text in root.iter(f"{SVG}text")}
