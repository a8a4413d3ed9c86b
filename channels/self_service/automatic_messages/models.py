"""The models of automatic messages. A channel has one greeting, one answer for closed hours, and many for keywords."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Model

GREETING: Final = "greeting"
"""The key of greetings: a thread has one message of it, whatever happens."""


class Rule(StrEnum):
    """When a message is sent."""

    GREETING = "greeting"
    ANSWER = "answer"
    AWAY = "away"


class Match(StrEnum):
    """How a keyword is compared with a message."""

    EXACT = "exact"
    CONTAINS = "contains"


class OpenTime(Model):
    """A time of a week: on a day from 0 (Monday) to 6, from a minute of the day up to another one."""

    day: int
    start: int
    end: int


class OpeningHours(Model):
    """When a channel is open, in its own time zone.

    `times` are in order and apart. `closed_dates` are ISO dates on which it is closed all day.
    """

    time_zone: str
    times: tuple[OpenTime, ...]
    closed_dates: tuple[str, ...] = ()


class AutomaticMessage(Model):
    """A rule of a channel and what it sends. `name` is empty but for answers, `keywords` and `match` are theirs.

    `hours` are of the answer for closed hours. What happened before `created_at` is not answered.
    """

    channel_id: GroupId
    rule: Rule
    name: str = ""
    content: Content
    enabled: bool = True
    keywords: tuple[str, ...] = ()
    match: Match = Match.CONTAINS
    hours: OpeningHours | None = None
    created_at: datetime
    changed_at: datetime
    changed_by: UserId

    def says_as(self, other: "AutomaticMessage") -> bool:
        """Whether it is the same as the other one, not looking at the author and the time."""
        later = {"created_at", "changed_at", "changed_by"}
        return self.model_dump(exclude=later) == other.model_dump(exclude=later)


@dataclass(frozen=True, slots=True)
class Job:
    """A message that is to be sent. Ids grow in the order of the event log."""

    job_id: str
    channel_id: GroupId
    user_id: UserId
    rule: Rule
    name: str = ""

    @property
    def key(self) -> str:
        """The key of the message, of which the thread has one at most."""
        return GREETING if self.rule is Rule.GREETING else self.job_id


@dataclass(frozen=True, slots=True)
class Mark:
    """The messages that a channel sent to a user by itself. `away_until`: the end of the closed hours answered last."""

    is_greeted: bool = False
    away_until: datetime | None = None
