"""What the operators' guides name is there: metrics, codes, routes, settings, log lines. Their figures hold."""

import re
from pathlib import Path
from typing import Final

import pytest

from channels.bench.report import words
from channels.docs_site.generated.bench_tables import committed_run
from channels.docs_site.generated.tables import all_errors
from channels.limits import Limits
from channels.server.limits import load_shedding, rate_sharing
from channels.server.metrics import Metrics
from channels.server.open_files import MONGOD_NEEDS
from channels.server.realtime import socket
from channels.server.run import DRAIN_SECONDS
from channels.server.settings import Settings
from channels.server.tokens import AHEAD_SECONDS
from channels.server.web import protocol, server
from channels.server.web.pages import public
from channels.server.web.problems import status_of
from channels.server.web.streams import uploads
from groups.kernel.mongo.schema import LEASE_SECONDS
from groups.kernel.paging import PAGE_BYTES
from tests.cost.shapes import SHARD_KEY
from tests.docs.pages import read

ROOT: Final = Path(__file__).parents[2]
GUIDES: Final = ROOT / "channels/docs"
MONITOR: Final = read(GUIDES / "how-to/monitor.md", ROOT)
PAGES: Final = [
    "how-to/deploy.md",
    "how-to/monitor.md",
    "how-to/several-processes.md",
    "how-to/backup.md",
    "how-to/upgrade.md",
    "how-to/recover.md",
    "how-to/security-checklist.md",
    "explanation/security.md",
    "explanation/scaling.md",
    "explanation/benchmarks.md",
]
LIMITS: Final = Limits()
MIB: Final = 1024**2

FIGURES: Final = {
    "how-to/deploy.md": [
        f"(up to {LIMITS.image_memory_bytes // MIB} MB)",
        f"uploads of up to {LIMITS.file_bytes // MIB} MB",
        f"the {socket.HEARTBEAT_SECONDS:.0f} seconds between two pings",
        f"get {DRAIN_SECONDS:.0f} seconds to finish",
    ],
    "how-to/several-processes.md": [
        f"requests under way {DRAIN_SECONDS:.0f} seconds",
        f"{LIMITS.posts_per_second} messages a second",
    ],
    "how-to/upgrade.md": [f"another takes over after {LEASE_SECONDS:.0f} seconds"],
    "how-to/monitor.md": [
        "longer than a second" if server.SLOW_SECONDS == 1 else "",
        "in the last five seconds" if server.LOG_SECONDS == 5 else "",
    ],
    "how-to/recover.md": [f"more than {AHEAD_SECONDS} seconds ahead"],
    "how-to/security-checklist.md": [
        f"all uploads together is {LIMITS.deployment_media_bytes // MIB**2} TiB"
    ],
    "explanation/security.md": [
        f"more than {AHEAD_SECONDS} seconds ahead",
        f"{protocol.HEAD_SECONDS:.0f} seconds for a request's head,"
        f" {uploads.PAUSE_SECONDS:.0f} for a JSON body",
        "eight requests of one user" if LIMITS.requests_at_work_per_user == 8 else "",
        f"{LIMITS.posts_per_second} of each a second,"
        f" and {LIMITS.stream_bytes_per_second // 1024} KiB a second",
        f"ends before {PAGE_BYTES // MIB} MiB of JSON",
        f"kept for {public.KEPT_SECONDS:.0f} seconds",
    ],
    "explanation/scaling.md": [
        f"`CHANNELS_LIMIT_WAITING_MILLISECONDS` ({LIMITS.waiting_milliseconds})",
        f"between {load_shedding.FEWEST} and"
        f" `CHANNELS_LIMIT_CONCURRENT_REQUESTS` ({LIMITS.concurrent_requests})",
        "answered after half a second" if load_shedding.DELAY_SECONDS == 0.5 else "",
        "one, two or three seconds" if load_shedding.RETRY_SECONDS == 3 else "",
        "more than a quarter of a rate" if rate_sharing.MUCH == 0.25 else "",
        f"is below {MONGOD_NEEDS:,}",
    ],
}
NOT_SETTINGS: Final = {"SERVICE_HOST", "IS_WORKER"}


def alerts() -> dict[str, str]:
    """The expression of each alert on the page."""
    (rules,) = [
        block.text
        for block in MONITOR.blocks
        if block.directives.get("file") == "channels.rules.yml"
    ]
    found = dict(re.findall(r"- alert: (\w+)\n +expr: (.*?)\n +(?:for|labels):", rules, re.DOTALL))
    assert len(found) == rules.count("- alert:")
    return found


def families() -> set[str]:
    """The names of all series that a process offers."""
    text = Metrics().text().decode()
    names = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    return names | {f"{name}_{part}" for name in names for part in ("bucket", "count")}


def test_the_alerts_watch_metrics_that_are_there() -> None:
    named = set(re.findall(r"\b((?:channels|process)_[a-z_]+)", " ".join(alerts().values())))
    assert named <= families()
    assert {"channels_events_reach", "channels_refusals_total"} <= named


def test_the_alerts_count_codes_that_are_there() -> None:
    codes = {error.code for error in all_errors()}
    text = " ".join(alerts().values())
    named = [code for group in re.findall(r'code=~?"([^"]+)"', text) for code in group.split("|")]
    assert "unavailable" in named
    assert set(named) <= codes


def test_the_alert_on_failures_leaves_out_used_up_quotas() -> None:
    statuses = {int(status_of(error)) for error in all_errors()}
    assert 507 in statuses
    assert 'status!="507"' in alerts()["ChannelsFails"]


def test_the_alert_on_posts_names_the_route() -> None:
    (route,) = re.findall(r'route="([^"]+)"', alerts()["ChannelsPostsAreSlow"])
    routes = "\n".join(path.read_text() for path in (ROOT / "channels/routes").glob("*.py"))
    assert f'"{route}"' in routes


def test_the_log_lines_are_those_of_the_code() -> None:
    folders = ("channels", "conversations", "groups", "reactions")
    code = "\n".join(path.read_text() for name in folders for path in (ROOT / name).rglob("*.py"))
    named = [row[0].strip("`") for row in rows_of("how-to/monitor.md", "Logs")]
    assert len(named) > 5
    assert [name for name in named if name.split("…")[0] not in code] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page: str) -> None:
    text = (GUIDES / page).read_text(encoding="utf-8")
    metrics = set(re.findall(r"`(channels_[a-z_]+)`", text))
    assert metrics <= families()
    settings = set(re.findall(r"\bCHANNELS_([A-Z][A-Z_]*[A-Z])\b", text))
    limits = {name.removeprefix("LIMIT_") for name in settings if name.startswith("LIMIT_")}
    assert {name.lower() for name in limits} <= set(Limits.model_fields)
    others = {name for name in settings if not name.startswith("LIMIT_")} - NOT_SETTINGS
    assert {name.lower() for name in others} <= set(Settings.model_fields)


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the tables under a heading, cell by cell."""
    text = (GUIDES / page).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_the_committed_run_is_a_whole_one() -> None:
    assert not committed_run().is_quick


def test_every_missed_target_has_its_reason() -> None:
    missed = [row for row in committed_run().rows if row.verdict.value == "missed"]
    text = (GUIDES / "explanation/benchmarks.md").read_text(encoding="utf-8")
    reasons = text.split("\n## What was missed, and why\n")[1].split("\n## ")[0]
    assert f"{len(missed)} targets were missed" in reasons
    rates = [row for row in missed if row.ours and row.ours.unit == "/s"]
    assert [row.what for row in rates if f"{row.ratio:.2f}" not in reasons] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("how-to/deploy.md", ["memory of an idle socket"]),
        ("how-to/monitor.md", ["memory of an idle socket"]),
        (
            "explanation/scaling.md",
            [
                "memory of an idle socket",
                "one post to 10,000 sockets, until the last has it",
                "subscribe on one channel, 2 processes / 1",
                "subscribe on one channel, 4 processes / 1",
                "react on one channel, 2 processes / 1",
                "react on one channel, 4 processes / 1",
            ],
        ),
        ("explanation/benchmarks.md", ["memory of an idle socket"]),
    ],
)
def test_a_page_quotes_the_committed_run(page: str, names: list[str]) -> None:
    rows = {row.what: row for row in committed_run().rows}
    text = (GUIDES / page).read_text(encoding="utf-8")
    assert [name for name in names if words.median(rows[name].ours) not in text] == []


def test_the_table_of_shard_keys_is_the_one_that_queries_are_tested_with() -> None:
    rows = rows_of("explanation/scaling.md", "More database")
    listed = {
        name: key.split("`")[1] if "`" in key else None
        for key, names in rows
        for name in re.findall(r"`([\w.]+)`", re.sub(r"\(then [^)]*\)", "", names))
    }
    assert listed == SHARD_KEY


@pytest.mark.parametrize("page", FIGURES)
def test_a_page_states_the_figures_of_the_code(page: str) -> None:
    text = " ".join((GUIDES / page).read_text(encoding="utf-8").split())
    assert [figure for figure in FIGURES[page] if not figure or figure not in text] == []
