"""The models of deletions and exports."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, UserId

ALIAS_PREFIX: Final = "deleted:"
"""How the random ids begin that take the place of deleted users."""


class Messages(StrEnum):
    """Says what becomes of the posts and group messages that the user wrote."""

    KEEP = "keep"
    """They stay, and a random id takes the place of the sender."""
    DELETE = "delete"
    """They are deleted for everyone, as the sender can do."""


class DeletionState(StrEnum):
    """How far a deletion is."""

    RUNNING = "running"
    BLOCKED = "blocked"
    """The user came to own a group or channel meanwhile; it goes on once they own none."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a deletion is: the steps that are done, in all rounds, and the position in the present one."""

    step: int = 0
    clean_from: int = 0
    """The step after the last one that found anything of the user."""
    after: str = ""
    """The last document of the step that it has seen."""
    walked: int = 0
    """Documents that it has looked at."""
    changed: int = 0
    """Documents that it has deleted or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The deletion of a user. Once it is done, the digest alone tells of whom it was."""

    digest: str
    user_id: UserId | None
    alias: str
    messages: Messages
    started_at: datetime
    started_by_app: bool
    state: DeletionState = DeletionState.RUNNING
    finished_at: datetime | None = None
    progress: Progress = field(default_factory=Progress)


def digest_of(key: bytes, user_id: str) -> str:
    """The keyed hash by which the record of a deletion is found."""
    return hmac.digest(key, user_id.encode(), "sha256").hex()


def parts_of(text: str) -> list[str]:
    """The ids in a stored text: itself, the parts of a joined key, and those without the prefix of a conversation."""
    parts = text.replace(PAIR_SEPARATOR, SEPARATOR).split(SEPARATOR)
    bare = [
        part.removeprefix(prefix)
        for part in parts
        for prefix in _PREFIXES
        if part.startswith(prefix)
    ]
    return [*parts, *bare]


_PREFIXES: Final = ("c2c_", "inbox_")


def with_alias(text: str, user_id: str, alias: str) -> str:
    """The text with the alias in the place of the user's id, wherever that is a whole part of it."""
    if user_id not in text:
        return text
    return SEPARATOR.join(
        PAIR_SEPARATOR.join(_one(part, user_id, alias) for part in piece.split(PAIR_SEPARATOR))
        for piece in text.split(SEPARATOR)
    )


def _one(part: str, user_id: str, alias: str) -> str:
    if part == user_id:
        return alias
    for prefix in _PREFIXES:
        if part == prefix + user_id:
            return prefix + alias
    return part
