"""Insights as CSV (RFC 4180, UTF-8), safe to open in spreadsheets.

A spreadsheet reads a cell that begins with one of `=+-@`, a tab or a line end as a formula, and a post may begin with
any of them. Such a text gets an apostrophe in front, which makes it text. Numbers come from the server and stay as they
are.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from groups.kernel.clock import rfc3339
from groups.kernel.endpoint import Table

Cell = str | int | date | datetime | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The first characters of formulas, with the full-width forms that some spreadsheets accept."""


def table_of(
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    next_cursor: str | None = None,
) -> Table:
    """Build a CSV file `<name>.csv` with these columns and rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_shown(cell) for cell in row] for row in rows)
    return Table(text.getvalue().encode(), f"{name}.csv", next_cursor)


def wants_table(accept: str) -> bool:
    """Whether the `Accept` header prefers CSV to JSON."""
    wishes: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        wishes[kind] = _quality(parameters)
    asked = wishes.get("text/csv", 0.0)
    return asked > 0 and asked >= wishes.get("application/json", 0.0)


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _shown(cell: Cell) -> str | int:
    match cell:
        case None:
            return ""
        case datetime():
            return rfc3339(cell)
        case date():
            return cell.isoformat()
        case str():
            # Leading spaces are skipped, as some spreadsheets do.
            return "'" + cell if cell.lstrip(" ").startswith(_FORMULA) else cell
        case int():
            return cell
