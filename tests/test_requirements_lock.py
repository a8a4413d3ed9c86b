"""The lock file pins every dependency of the project with its hashes, and names no other source."""

import re
import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK: Final = (ROOT / "channels/requirements.lock").read_text()

ENTRY: Final = re.compile(
    r"(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.+?))? "
    r"(?:--hash=sha256:[0-9a-f]{64} ?)+"
)


def entries() -> dict[str, tuple[Version, str | None]]:
    """The version of each package, and the marker of the platforms that need it (None: all)."""
    lines = (line for line in LOCK.splitlines() if not line.startswith("#"))
    found: dict[str, tuple[Version, str | None]] = {}
    for line in re.sub(r"\\\n +", "", "\n".join(lines)).splitlines():
        entry = ENTRY.fullmatch(line)
        assert entry is not None, f"not one pinned version with hashes: {line[:100]}"
        assert entry["name"] not in found
        found[entry["name"]] = (Version(entry["version"]), entry["marker"])
    return found


def test_the_lock_satisfies_the_project() -> None:
    locked = entries()
    for line in PROJECT["project"]["dependencies"]:
        wanted = Requirement(line)
        version, marker = locked[canonicalize_name(wanted.name)]
        assert version in wanted.specifier, f"{wanted} is locked at {version}: make the lock again"
        assert marker is None, f"{wanted} is locked for {marker} only"


def test_the_lock_holds_nothing_that_no_dependency_needs() -> None:
    needed: set[str] = set()
    waiting = [Requirement(line).name for line in PROJECT["project"]["dependencies"]]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in needed:
            continue
        needed.add(name)
        # What is not installed here, another platform needs. The lock follows markers of platforms, as this does.
        with suppress(metadata.PackageNotFoundError):
            wanted = map(Requirement, metadata.requires(name) or [])
            waiting += [each.name for each in wanted if "extra" not in str(each.marker)]
    assert entries().keys() - needed == set()


def test_the_lock_names_no_place_to_download_from() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK


def test_the_lock_is_part_of_the_package() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    assert "requirements.lock" in data["channels"]


def test_the_lock_says_how_it_is_made_as_the_guide_does() -> None:
    command = next(line for line in LOCK.splitlines() if "uv pip compile" in line).lstrip("# ")
    guide = (ROOT / "channels/docs/contributing.md").read_text(encoding="utf-8")
    assert command in guide.replace("\\\n  ", "")
