"""Queries that return thousands of small rows as a few columns, with details of the few that changed.

Decoding a thousand documents and making a dict of each takes 3 ms, decoding their fields as arrays a tenth of it. What
changed since an instant needs more fields, and is little.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from groups.kernel.mongo.driver import Document

K = TypeVar("K")
V = TypeVar("V")

DETAILS: Final = "details"


def as_columns(
    columns: Mapping[str, Any], *, where: Any, details: Document, by: str | None = None
) -> Document:
    """The stage that makes one document of all rows: an array for each column, and details of the rows of a condition.

    Columns are expressions that have a value in every row; arrays leave out missing values. `by`: one document for the
    rows of each value of this expression, with the value as its `_id`.
    """
    arrays: Document = {name: {"$push": value} for name, value in columns.items()}
    chosen = {"$push": {"$cond": [where, details, "$$REMOVE"]}}
    return {"$group": {"_id": by, **arrays, DETAILS: chosen}}


def is_since(since: datetime, *fields: str) -> Document:
    """The condition that one of these instants is at or after `since`; a missing one is before."""
    return {"$gte": [{"$max": [*fields]}, since]}


class Changed(NamedTuple, Generic[K, V]):
    """All of a query's objects by their keys, and those of them that changed since its instant."""

    all: dict[K, V]
    changed: dict[K, V]


class Columns(NamedTuple):
    """The arrays of the columns, in the same order, and the details."""

    arrays: list[list[Any]]
    details: list[Document]


def columns_in(rows: list[Document], *names: str) -> Columns:
    """The columns of the one document that `as_columns` made, which is absent where there was no row."""
    if not rows:
        return Columns([[] for _ in names], [])
    return Columns([rows[0][name] for name in names], rows[0][DETAILS])
