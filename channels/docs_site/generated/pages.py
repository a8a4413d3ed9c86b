"""The generated blocks of the guides, and the pages that have them.

A block may stand in any guide. What is between its two comments is replaced.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import channels
from channels.docs_site.generated.bench_tables import bench_cost, bench_rows
from channels.docs_site.generated.call_tables import calls, common_errors
from channels.docs_site.generated.client_tables import client_calls
from channels.docs_site.generated.command_sections import commands
from channels.docs_site.generated.error_sections import error_index, errors, problem
from channels.docs_site.generated.event_tables import event_index, events
from channels.docs_site.generated.limit_tables import fixed_limits, limits
from channels.docs_site.generated.metric_table import metrics
from channels.docs_site.generated.permission_tables import (
    account_permissions,
    channel_as_group_permissions,
    channel_permissions,
    dialogue_permissions,
    grants,
    group_permissions,
    private_channel_permissions,
)
from channels.docs_site.generated.setting_table import settings
from channels.docs_site.generated.socket_tables import (
    client_frames,
    close_codes,
    server_frames,
)

COMMAND: Final = "python -m channels.docs_site.generated"
DOCS: Final = Path(channels.__file__).parent / "docs"
BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings,
    "limits": limits,
    "fixed-limits": fixed_limits,
    "error-index": error_index,
    "errors": errors,
    "problem": problem,
    "commands": commands,
    "calls": calls,
    "common-errors": common_errors,
    "metrics": metrics,
    "event-index": event_index,
    "events": events,
    "grants": grants,
    "permissions-accounts": account_permissions,
    "permissions-channel": channel_permissions,
    "permissions-private-channel": private_channel_permissions,
    "permissions-dialogue": dialogue_permissions,
    "permissions-group": group_permissions,
    "permissions-channel-as-group": channel_as_group_permissions,
    "client-frames": client_frames,
    "server-frames": server_frames,
    "close-codes": close_codes,
    "client-calls": client_calls,
    "bench-rows": bench_rows,
    "bench-cost": bench_cost,
}
"""The text of each block, by its name in the pages."""

_BEGIN: Final = re.compile(r"^<!-- generated: ([\w-]+) -->$")
_END: Final = "<!-- end of generated -->"


class BadBlock(Exception):
    """A page has a block that is unknown or has no end."""


def renewed(page: str) -> str:
    """The page with all its blocks written anew. Raises: BadBlock."""
    lines = iter(page.split("\n"))
    done: list[str] = []
    for line in lines:
        done.append(line)
        begins = _BEGIN.match(line)
        if begins is None:
            continue
        name = begins[1]
        if name not in BLOCKS:
            raise BadBlock(f"there is no generated block {name!r}")
        if not any(rest == _END for rest in lines):
            raise BadBlock(f"the generated block {name!r} has no end")
        done += ["", BLOCKS[name](), "", _END]
    return "\n".join(done)


def _changed(docs: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(docs.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if "<!-- generated:" in text and (anew := renewed(text)) != text:
            yield path, anew


def outdated(docs: Path) -> list[str]:
    """The pages that differ from what the code says."""
    return [path.relative_to(docs).as_posix() for path, _ in _changed(docs)]


def write(docs: Path) -> list[str]:
    """Write the outdated pages anew. Returns their names."""
    found = list(_changed(docs))
    for path, text in found:
        path.write_text(text, encoding="utf-8")
    return [path.relative_to(docs).as_posix() for path, _ in found]
