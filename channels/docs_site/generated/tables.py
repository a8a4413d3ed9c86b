"""Markdown of tables, and texts that several pages share."""

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic.fields import FieldInfo

from groups.kernel.errors import DomainError

_SPACE: Final = re.compile(r"\s+")
_KIBI: Final = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_TIMES: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table. Cells are Markdown without line ends."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def one_line(text: str) -> str:
    """The text without line ends."""
    return _SPACE.sub(" ", text).strip()


def docstring_of(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return one_line((inspect.getdoc(thing) or "").partition("\n\n")[0])


def readable(name: str, value: int) -> str:
    """The value of a limit in a larger unit, where that is a round number: `28 MiB`, `30 days`. Else empty."""
    units = _KIBI if "bytes" in name else _TIMES if name.endswith("seconds") else ()
    for size, unit in units:
        if value >= size and value % size == 0:
            count = value // size
            return f"{count} {unit if count > 1 else unit.removesuffix('s')}"
    return ""


def bound_of(field: FieldInfo, name: str) -> Any:
    """The bound of a field with this name in pydantic (`ge`, `le`); None if it has none."""
    return next((getattr(mark, name) for mark in field.metadata if hasattr(mark, name)), None)


def all_errors(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """Every error with a code that this program may return, by code."""
    found = {kind}.union(*(all_errors(child) for child in kind.__subclasses__()))
    ours = [e for e in found if "code" in vars(e) and not e.__module__.startswith("tests.")]
    return sorted(ours, key=lambda error: error.code)
