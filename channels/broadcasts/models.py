"""The models of broadcasts and of opting out of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from channels.subscriber_tags.models import Segment
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Model

KEPT_DAYS: Final = 90
"""How long a broadcast is kept after its end, or after it was stopped."""
REPORT_DAYS: Final = 30
"""How long it is kept whom a broadcast did not reach."""


class State(StrEnum):
    """The state of a broadcast."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"
    """It could not go on, for a reason that concerns all users; it may be resumed."""


class Reason(StrEnum):
    """Why a user of the segment did not get the message."""

    OPTED_OUT = "opted_out"
    LEFT = "left"
    BLOCKED = "blocked"
    SWITCHED_OFF = "switched_off"
    BUSINESS = "business"
    OTHER = "other"


class Failure(Model):
    """Why a broadcast failed: the code and the text of the error."""

    code: str
    detail: str


class Broadcast(Model):
    """A broadcast, and how far it is."""

    channel_id: GroupId
    broadcast_id: str
    """Ids of one channel grow with the time of creation."""
    state: State
    segment: Segment
    content: Content
    silent: bool = False
    rate: int | None = None
    """Messages a second; None: the limit of the deployment."""
    start_at: datetime | None = None
    created_by: UserId
    sender_id: UserId
    """The user with whose rights it sends: who created it, or who resumed it last."""
    by_app: bool = False
    """Whether they act with the rights of the application."""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was done, failed or was stopped; None while it is scheduled or runs."""
    total: int | None = None
    """The subscribers of the segment when it began; None until they are counted."""
    sent: int = 0
    not_reached: dict[Reason, int] = Field(default_factory=dict)
    failure: Failure | None = None
    after: str = ""
    """The last user whom it has seen."""
    announced_at: datetime | None = None
    """When its progress was published last."""

    @property
    def sender(self) -> Actor:
        """The actor that sends."""
        return Actor(self.sender_id, is_app_admin=self.by_app)

    @property
    def is_open(self) -> bool:
        """Whether it is scheduled or runs."""
        return self.state in {State.SCHEDULED, State.RUNNING}

    def due_after(self, now: datetime) -> bool:
        """Whether it was scheduled for an instant that has not come yet."""
        return self.start_at is not None and self.start_at > now

    @property
    def due_at(self) -> datetime | None:
        """When workers take it up; None if they do not."""
        return (self.start_at or self.created_at) if self.is_open else None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBroadcast:
    """A broadcast as it is asked for."""

    segment: Segment
    content: Content
    silent: bool
    rate: int | None
    start_at: datetime | None
    key: str | None
    digest_text: str
    """The request as a text, by which repeats under one idempotency key are compared."""


@dataclass(frozen=True, slots=True)
class NotReached:
    """A user whom a broadcast did not reach."""

    user_id: UserId
    reason: Reason


@dataclass(frozen=True, slots=True)
class OptOut:
    """A user who wants no broadcasts of a channel."""

    channel_id: GroupId
    user_id: UserId
    since: datetime
