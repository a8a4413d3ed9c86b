"""The models of analytics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from channels.analytics.hyperloglog import HyperLogLog

HOURS: Final = 24
MUTED_SHARES: Final = 8
"""Documents a group that count the members who have muted it. A hash of the user id chooses one of them."""


@dataclass(slots=True)
class PostViews:
    """The views of a post: a salt, the sketch of the viewers' hashes, and the last count.

    `count` never falls, even where the first estimate is lower than the last exact count.
    """

    salt: bytes
    sketch: HyperLogLog
    count: int = 0

    def recount(self) -> int:
        """Count again after the sketch changed. Returns by how many the count grew."""
        before, self.count = self.count, max(self.count, self.sketch.count())
        return self.count - before


class Part(StrEnum):
    """The kinds of counts of a day; each has a document of its own."""

    MEMBERS = "members"
    POSTS = "posts"
    VIEWS = "views"
    REACTIONS = "reactions"
    CLICKS = "clicks"


@dataclass(frozen=True, slots=True)
class Day:
    """A channel's day (UTC). `subscribers`: how many there were at its end; None before counting began."""

    day: date
    subscribers: int | None
    joined: int = 0
    left: int = 0
    removed: int = 0
    posts: int = 0
    views: int = 0
    reactions: int = 0
    clicks: int = 0

    @property
    def net(self) -> int:
        return self.joined - self.left - self.removed


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day (UTC), summed over the days of a range."""

    hour: int
    views: int = 0
    reactions: int = 0


@dataclass(frozen=True, slots=True)
class Muted:
    """How many subscribers have muted the channel now."""

    count: int
    subscribers: int

    @property
    def share(self) -> float:
        return self.count / self.subscribers if self.subscribers else 0.0


@dataclass(frozen=True, slots=True)
class Insights:
    """The counts of a channel for a range of days."""

    first: date
    last: date
    days: Sequence[Day]
    hours: Sequence[Hour]
    muted: Muted


@dataclass(frozen=True, slots=True)
class PostInsights:
    """The views and reactions of a post, and the clicks on its links."""

    seq: int
    created_at: datetime
    preview: str
    views: int
    reactions: int
    clicks: int
