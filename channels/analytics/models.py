"""What is counted of a channel's reach, as services speak of it: frozen, without a trace of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from channels.analytics.hyperloglog import HyperLogLog

HOURS: Final = 24
MUTED_SHARES: Final = 8
"""Documents a group that count who has muted it, chosen by the user."""


@dataclass(slots=True)
class PostViews:
    """Who saw a post, as far as it is kept: a salt, the sketch made with it, and the count as it was told last.

    `count` never falls: where the sketch goes over to an estimate, this may begin below what was counted exactly.
    """

    salt: bytes
    sketch: HyperLogLog
    count: int = 0

    def recount(self) -> int:
        """Count again after the sketch changed; how many more there are than before."""
        before, self.count = self.count, max(self.count, self.sketch.count())
        return self.count - before


class Part(StrEnum):
    """What a day's document counts: one for each source, so that batches of different sources never meet in one."""

    MEMBERS = "members"
    POSTS = "posts"
    VIEWS = "views"
    REACTIONS = "reactions"


@dataclass(frozen=True, slots=True)
class Day:
    """A channel's day (UTC). `subscribers` is how many there were at its end; None before anything was counted."""

    day: date
    subscribers: int | None
    joined: int = 0
    left: int = 0
    removed: int = 0
    posts: int = 0
    views: int = 0
    reactions: int = 0

    @property
    def net(self) -> int:
        """By how many subscribers the channel grew, or shrank."""
        return self.joined - self.left - self.removed


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day (UTC), summed over the days of a range."""

    hour: int
    views: int = 0
    reactions: int = 0


@dataclass(frozen=True, slots=True)
class Muted:
    """How many of the subscribers have muted the channel, now."""

    count: int
    subscribers: int

    @property
    def share(self) -> float:
        """The muted ones among all, from 0 to 1."""
        return self.count / self.subscribers if self.subscribers else 0.0


@dataclass(frozen=True, slots=True)
class Insights:
    """How a channel fared on the days of a range."""

    first: date
    last: date
    days: Sequence[Day]
    hours: Sequence[Hour]
    muted: Muted


@dataclass(frozen=True, slots=True)
class PostInsights:
    """How far a post came."""

    seq: int
    created_at: datetime
    preview: str
    views: int
    reactions: int
