"""Why a channel is not exported or imported, for the person at the terminal.

No client meets these errors: only the command line moves channels.
"""

from typing import Literal

Reason = Literal[
    "not_an_export",
    "unknown_version",
    "bad_archive",
    "bad_line",
    "wrong_order",
    "wrong_count",
    "wrong_hash",
    "too_large",
    "limit_reached",
    "bad_media",
    "channel_not_found",
    "channel_exists",
    "import_running",
    "import_lost",
    "no_owner",
    "changed_meanwhile",
]


class MovingRefused(Exception):
    """The channel is not moved, and nothing of it can be seen. `line` is that of `channel.ndjson`, from 1."""

    def __init__(self, reason: Reason, detail: str, *, line: int | None = None) -> None:
        place = "" if line is None else f"line {line}: "
        super().__init__(f"{place}{detail}")
        self.reason = reason
        self.detail = detail
        self.line = line
