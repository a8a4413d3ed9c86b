"""The guides name only modules, classes, functions, files and pages that exist."""

import importlib
import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from channels.event_views.registry import EVENT_TYPES

ROOT: Final = Path(__file__).parents[1]
GUIDES: Final = sorted((ROOT / "channels/docs").rglob("*.md"))

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


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_names_only_what_exists(guide: Path) -> None:
    missing = missing_in(guide.read_text(encoding="utf-8"), guide.parent)
    assert missing == [], f"{guide.name} names what does not exist"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("`groups.models` `groups.models.Group` `channels/server` [it](glossary.md)", []),
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
    assert "docs/*.md" in project["tool"]["setuptools"]["package-data"]["channels"]


def test_the_glossary_has_each_word_once_with_its_place_in_the_code() -> None:
    text = (ROOT / "channels/docs/glossary.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    words = [word for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row.split("|")[1])]
    assert len(words) == len(set(words))
    assert all(CODE.search(row.split("|")[3]) for row in rows)
