"""The models of webhooks: the endpoint to which events are sent, and a delivery: one event for one endpoint."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from groups.kernel.ids import GroupId, UserId
from groups.models import Model

TEST_TYPE = "webhook.test"
"""The type of the event that a call sends to try an endpoint."""


class DisabledReason(StrEnum):
    """Why the server disabled an endpoint."""

    GONE = "gone"
    """The receiver answered 410."""
    FAILING = "failing"
    """A delivery failed at its last attempt."""
    TOO_MANY_WAITING = "too_many_waiting"
    """More deliveries waited than an endpoint may have."""
    RIGHT_WITHDRAWN = "right_withdrawn"
    """The user who gave the address may not manage webhooks any more."""


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    """It is sent when it is due, after those before it in its stream."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The receiver answered 410, or its last attempt failed. It is sent again by a replay only."""


class OldSecret(Model):
    """A secret that was replaced, and signs besides the new one until this instant."""

    secret: str = Field(repr=False)
    valid_until: datetime


class NewWebhook(Model):
    """What a caller says of a new endpoint."""

    url: str
    event_types: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True
    secret: str | None = Field(default=None, repr=False)
    """A secret of the caller's own; None: the server makes one."""


class Webhook(Model):
    """An endpoint. `channel_id` None: the application's own, which receives the events of the whole deployment.

    `event_types` empty: all types. An endpoint whose channel is deleted receives what happened until `closed_at`. From
    `ends_at` on it is deleted, and its deliveries are cleared away.
    """

    webhook_id: str
    channel_id: GroupId | None
    url: str
    event_types: tuple[str, ...] = ()
    description: str = ""
    receives_inbox: bool = False
    """Whether it receives what is said in the channel's inbox, as long as `given_by` may read that."""
    given_by: UserId | None = None
    """The user who gave the address, or enabled it last; without their right it ends. None: the application."""
    enabled: bool = True
    disabled_reason: DisabledReason | None = None
    disabled_at: datetime | None = None
    secret: str = Field(repr=False)
    old_secrets: tuple[OldSecret, ...] = Field(default=(), repr=False)
    created_by: UserId
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    ends_at: datetime | None = None

    def secrets_at(self, now: datetime) -> list[str]:
        """The secrets that sign now, the present one first."""
        return [self.secret, *(old.secret for old in self.old_secrets if old.valid_until > now)]

    def wants(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types


class Attempt(Model):
    """One request to the receiver. `response_status` None: there was no answer, and `error` says why."""

    at: datetime
    latency_ms: int
    response_status: int | None = None
    response_body: str | None = None
    """The beginning of the answer."""
    error: str | None = None


class Delivery(Model):
    """One event for one endpoint. `delivery_id` grows in the order of the log.

    `tries` counts the failures of its present schedule, and `attempts` are the latest requests. `stream_id` None: the
    event has no order among others.
    """

    delivery_id: str
    webhook_id: str
    event_id: str
    event_type: str
    stream_id: str | None
    at: datetime
    """When the event happened."""
    status: DeliveryStatus = DeliveryStatus.WAITING
    next_attempt_at: datetime | None = None
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    attempts_made: int = 0
    """All requests, those that `attempts` no longer holds included."""
    created_at: datetime

    @property
    def queue_key(self) -> str:
        """What is sent one after the other: the events of a stream, or this event alone."""
        return self.event_id if self.stream_id is None else self.stream_id


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: how many deliveries wait again, and from which instant to go on; None: that was all."""

    deliveries: int
    next_since: datetime | None
