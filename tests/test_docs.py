"""The guides name only what exists, and their lists and figures are those of the code and of the committed run."""

import importlib
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from channels.bench.models import Report
from channels.bench.report import words
from channels.event_views.catalogue import EVENT_TYPES
from channels.limits import Limits
from channels.verify.command import all_checks
from tests.builders import mock_database
from tests.cost.test_commands import COMMANDS
from tests.cost.test_flat_cost import post

ROOT: Final = Path(__file__).parents[1]
GUIDES: Final = sorted([*(ROOT / "channels/docs").rglob("*.md"), *(ROOT / ".github").glob("*.md")])

PACKAGES: Final = "channels|conversations|groups|reactions"
DOTTED: Final = re.compile(rf"(?:{PACKAGES})(?:\.[A-Za-z_]\w*)+")
PATH: Final = re.compile(rf"(?:{PACKAGES}|tests)/[\w./-]*")
CODE: Final = re.compile(r"`([^`\n]+)`")
LINK: Final = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def exists(dotted: str) -> bool:
    """Whether the dotted name is a module, an attribute in one, or a type of event."""
    if dotted in EVENT_TYPES:
        return True
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


def missing_in(text: str, folder: Path) -> list[str]:
    """The names in a guide of this folder that do not exist."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    names = CODE.findall(prose)
    missing = [name for name in names if DOTTED.fullmatch(name) and not exists(name)]
    # Also the files that commands in code blocks name.
    words = [word.partition("::")[0] for word in (*names, *text.split())]
    missing += [w for w in words if PATH.fullmatch(w) and not (ROOT / w).exists()]
    missing += [
        link
        for link in LINK.findall(prose)
        if "://" not in link and not link.startswith("/") and not (folder / link).exists()
    ]
    return sorted(set(missing))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.relative_to(ROOT).as_posix())
def test_a_guide_names_only_what_exists(guide: Path) -> None:
    missing = missing_in(guide.read_text(encoding="utf-8"), guide.parent)
    assert missing == [], f"{guide.name} names what does not exist"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("`groups.models` `groups.models.Group` `channels/server` [it](reference/glossary.md)", []),
        ("`reactions.changed`", []),
        ("`groups.modles`", ["groups.modles"]),
        ("`groups.models.Goup`", ["groups.models.Goup"]),
        ("`groups/modles.py`", ["groups/modles.py"]),
        ("```sh\npytest tests/cast\n```", ["tests/cast"]),
        ("[it](glossery.md) [API](/docs) [far](https://example.org)", ["glossery.md"]),
    ],
)
def test_a_name_that_does_not_exist_is_found(text: str, missing: list[str]) -> None:
    assert missing_in(text, ROOT / "channels/docs") == missing


def test_the_guides_are_part_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "docs/**/*.md" in project["tool"]["setuptools"]["package-data"]["channels"]


def test_the_glossary_has_each_word_once_with_its_place_in_the_code() -> None:
    text = (ROOT / "channels/docs/reference/glossary.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    words = [word for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row.split("|")[1])]
    assert len(words) == len(set(words))
    assert all(CODE.search(row.split("|")[3]) for row in rows)


def test_the_promises_list_every_check_of_verify() -> None:
    text = (ROOT / "channels/docs/explanation/promises.md").read_text(encoding="utf-8")
    table = text.partition("\n## What `channels verify` checks\n")[2]
    listed = re.findall(r"^\| (P\d+) \| (.+) \|$", table, re.MULTILINE)
    assert listed == [(each.promise, each.claim) for each in all_checks(mock_database(), Limits())]


FIGURES: Final = [
    ("explanation/cost", "server memory with a channel of 1,000,000"),
    ("explanation/cost", "one post to 1,000 sockets"),
    ("explanation/cost", "one post to 10,000 sockets"),
    ("explanation/cost", "200 posts in a row to 1,000 sockets"),
    ("explanation/cost", "memory of an idle socket"),
    ("explanation/cost", "subscribe to one channel, 256 callers"),
    ("explanation/cost", "unread totals with 1,000 channels"),
    ("explanation/cost", "the inbox of a user in 5,000 groups: unread totals"),
    ("explanation/unread", "unread totals with 1,000 channels"),
    ("explanation/unread", "the inbox of a user in 5,000 groups: unread totals"),
    ("decisions/no-row-per-recipient", "post latency p50"),
    ("decisions/no-row-per-recipient", "unread totals with 1,000 channels"),
    ("decisions/no-row-per-recipient", "the inbox of a user in 5,000 groups: conversation"),
    ("decisions/transactions", "post latency p50"),
    ("decisions/group-commit", "subscribe to one channel, 256 callers"),
]
"""A page that quotes a row of the committed run, and how the row begins."""


@pytest.mark.parametrize(("page", "what"), FIGURES)
def test_the_figures_of_a_page_are_those_of_the_committed_run(page: str, what: str) -> None:
    results = (ROOT / "channels/bench/results/results.json").read_bytes()
    rows = Report.model_validate_json(results).rows
    figure = words.median(next(row for row in rows if row.what.startswith(what)).ours)
    assert figure in (ROOT / f"channels/docs/{page}.md").read_text(encoding="utf-8")


def test_a_post_costs_what_the_committed_run_says() -> None:
    results = (ROOT / "channels/bench/results/results.json").read_bytes()
    (row,) = [r for r in Report.model_validate_json(results).rows if r.name == "post"]
    text = (ROOT / "channels/docs/explanation/cost.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([\d,]+) \| ([\d.]+) ms \|$", text, re.MULTILINE)
    expected = [(f"{members:,.0f}", f"{ms:.2f}") for members, ms in row.series[0].points]
    assert listed == expected


def test_a_post_sends_the_commands_that_the_page_lists() -> None:
    text = (ROOT / "channels/docs/explanation/cost.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+(?: \w+)?)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(Counter(COMMANDS[post]).elements())


def test_the_changelog_has_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "channels/docs/changelog.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert entries[0] == "Unreleased"
    assert project["version"] in entries[1:]


HEADINGS: Final = [
    "Context",
    "Decision",
    "What else there is",
    "Consequences",
    "When to think again",
]
"""Of every decision, in this order."""


def test_every_decision_is_in_their_index_and_has_the_five_headings() -> None:
    folder = ROOT / "channels/docs/decisions"
    listed = re.findall(r"^- \[.+?\]\((.+?)\): ", (folder / "index.md").read_text("utf-8"), re.M)
    pages = {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.md")}
    del pages["index.md"]
    assert sorted(listed) == sorted(pages)
    for name, text in pages.items():
        found = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert [each for each in found if each in HEADINGS] == HEADINGS, name
