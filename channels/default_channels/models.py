"""The models of default channels."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from groups.kernel.ids import GroupId, UserId


class Phase(StrEnum):
    """The part of the users over which a sweep goes."""

    USERS = "users"
    """Users of whom anything is stored, such as a name."""
    MEMBERS = "members"
    """Users who are members of any group; most of them were among `USERS`."""
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the sweep of a channel is, and what it did so far."""

    phase: Phase = Phase.USERS
    after: str = ""
    """The last user of the phase whom the sweep has seen."""
    walked: int = 0
    """Users whom the sweep has seen; a user of both phases counts twice."""
    subscribed: int = 0
    passed_over: int = 0
    """Users who were not subscribed and never will be: banned, gone before, blocking, at their limit, no person."""
    is_full: bool = False
    """Whether the sweep waits, since the channel has as many subscribers as it may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultChannel:
    """A channel that is a default, or was one."""

    channel_id: GroupId
    number: int
    """Stands for the channel in what is remembered of each user. It stays the same when the channel is no default."""
    is_on: bool
    since: datetime
    set_by: UserId
    entry_id: str
    """The entry of the channel's admin log that counts the subscriptions of the sweep."""
    progress: Progress


@dataclass(frozen=True, slots=True)
class Guard:
    """The version of all default channels, and the last number that one of them got."""

    version: int
    last_number: int
