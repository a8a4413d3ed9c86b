"""How a package declares where its collections hold the ids of users, so that a user's data can be shown and deleted.

Each package lists its places in its `personal_data`, and `channels.user_data.registry` lists the packages. The deletion
of a user walks the collections of all places. A test walks stored documents of every kind, and fails where one holds
the id of a user in a field that no place declares.

Promises: a place says what becomes of the document, and nothing else; what must be announced or counted when a document
goes is done by the package's service before (`channels.user_data.service.steps`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Then(StrEnum):
    """Says what the deletion of a user does to a document that holds their id at a place."""

    DELETE = "delete"
    """The document is about the user: it is deleted."""
    RENAME = "rename"
    """The document stays: a random id takes the place of the user's."""
    PASSES = "passes"
    """The id is there for moments only, such as a position in a walk: nothing is done."""


class Find(StrEnum):
    """How the documents of a user are found at a place, for the export."""

    WALK = "walk"
    """By a walk over the collection, in bounded steps."""
    FIELD = "field"
    """By an index that begins with the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Says what the export of a user shows of the documents at a place: lines of this type, with these fields."""

    type: str
    fields: tuple[str, ...]
    find: Find = Find.FIELD


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a collection's documents that holds the id of a user.

    `path` leads through objects by dots, and through arrays without a sign: `events.user_ids`.
    """

    collection: str
    path: str
    then: Then
    is_part: bool = field(default=False, kw_only=True)
    """The field is a joined key (`groups.kernel.ids`), or a conversation's id, of which the user's id is a part."""
    at: str | None = field(default=None, kw_only=True)
    """The field with the time since when the document holds the id. `channels verify` needs it."""
    clears: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Further fields that tell of the user, and the values that they get when the id is replaced."""
    export: Export | None = field(default=None, kw_only=True)
