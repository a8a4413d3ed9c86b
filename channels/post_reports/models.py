"""The models of delivery reports."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PostFigures:
    """What is counted of a post's delivery."""

    pushed: int = 0
    rejected: int = 0
    failed: int = 0
    sockets: int = 0


NO_FIGURES = PostFigures()


@dataclass(frozen=True, slots=True)
class PostReport:
    """A post and its delivery. `subscribers` None: an older version posted it, which did not store their number."""

    seq: int
    created_at: datetime
    is_silent: bool
    subscribers: int | None
    figures: PostFigures
    views: int
