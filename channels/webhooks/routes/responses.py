"""The request bodies and responses of webhooks."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from channels.webhooks import policy
from channels.webhooks.limits import (
    LEAST_SECRET_BYTES,
    MOST_SECRET_BYTES,
    WEBHOOK_DESCRIPTION_BYTES,
    WEBHOOK_URL_BYTES,
)
from channels.webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    DisabledReason,
    NewWebhook,
    Webhook,
)
from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import PageQuery
from groups.kernel.text.bounded import Line, MaxBytes, NotBlank, SchemaHint
from groups.routes.responses.fields import Instant, InstantText, PatchBody, without_null

_SECRET_LENGTH = len(policy.SECRET_PREFIX) + 4 * (MOST_SECRET_BYTES + 2) // 3


def _secret(text: str) -> str:
    if not policy.is_secret(text):
        raise PydanticCustomError(
            "bad_secret",
            "must be `whsec_` and {least} to {most} bytes in base64",
            {"least": LEAST_SECRET_BYTES, "most": MOST_SECRET_BYTES},
        )
    return text


WebhookUrl = Annotated[
    NotBlank,
    MaxBytes("webhook_url_bytes", WEBHOOK_URL_BYTES),
    Field(
        description="An https address, without a user and a fragment.",
        examples=["https://hooks.example/events"],
    ),
]
EventTypes = Annotated[
    list[Annotated[Line, Field(max_length=100)]],
    Field(
        max_length=100,
        description="The types of events to send; none: all, also those of later versions.",
        examples=[["message.posted", "channel.subscribed"]],
    ),
]
Description = Annotated[
    Line,
    MaxBytes("webhook_description_bytes", WEBHOOK_DESCRIPTION_BYTES),
    Field(description="What it is for, in your words."),
]
OwnSecret = Annotated[
    str,
    AfterValidator(_secret),
    SchemaHint(
        r"^whsec_(?:(?:[A-Za-z0-9+/]{4}){8,20}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
        r"|(?:[A-Za-z0-9+/]{4}){21}(?:[A-Za-z0-9+/]{2}==)?)$",
        _SECRET_LENGTH,
    ),
    Field(
        description="A secret of your own: `whsec_` and 24 to 64 bytes in base64. Without it the server makes one."
    ),
]
Enabled = Annotated[bool, Field(description="Whether events are sent to it.")]


class CreateWebhook(Body):
    """A new webhook."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://hooks.example/events", "event_types": ["message.posted"]},
            ]
        }
    )

    url: WebhookUrl
    event_types: EventTypes = Field(default_factory=list)
    description: Description = ""
    enabled: Enabled = True
    secret: Annotated[OwnSecret | None, Field(json_schema_extra=without_null)] = None

    def to_new(self) -> NewWebhook:
        return NewWebhook(
            url=self.url,
            event_types=_distinct(self.event_types),
            description=self.description,
            enabled=self.enabled,
            secret=self.secret,
        )


class ChangeWebhook(PatchBody):
    """Fields that are left out stay. `enabled` true also enables a webhook that the server disabled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    url: WebhookUrl | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    enabled: Enabled | None = None

    def to_changes(self) -> dict[str, Any]:
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        if self.event_types is not None:
            changes["event_types"] = _distinct(self.event_types)
        return changes


class RotateSecret(Body):
    """The new secret, if it is not to be made by the server."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{}, {"secret": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]
        }
    )

    secret: Annotated[OwnSecret | None, Field(json_schema_extra=without_null)] = None


class ReplaySince(Body):
    """From where to replay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2030-01-01T09:00:00Z"}]})

    since: Annotated[
        InstantText,
        Field(
            description="Deliveries of events since this instant are sent again.",
            examples=["2030-01-01T09:00:00Z"],
        ),
    ]


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    status: Annotated[DeliveryStatus | None, Field(description="Only those with this status.")] = (
        None
    )


class WebhookResponse(Response):
    """A webhook. Its secret is shown when it is created or rotated only."""

    webhook_id: str
    channel_id: Annotated[
        GroupId | None, Field(description="Null: the application's, for events of all channels.")
    ]
    url: str
    event_types: Annotated[list[str], Field(description="Empty: all types.")]
    description: str
    receives_inbox: Annotated[
        bool,
        Field(
            description="Whether it receives what is said in the channel's inbox: if the user who gave its `url` has"
            " `read_inbox`."
        ),
    ]
    enabled: bool
    disabled_reason: Annotated[
        DisabledReason | None,
        Field(description="Why the server disabled it; null where it did not."),
    ]
    disabled_at: Instant | None
    old_secrets_until: Annotated[
        Instant | None,
        Field(description="Until when the last replaced secret signs too; null where none does."),
    ]
    created_by: UserId
    created_at: Instant
    updated_at: Instant


class WebhookWithSecret(WebhookResponse):
    """A webhook and its secret, which is not shown again."""

    secret: Annotated[str, Field(description="Keep it where the receiver verifies signatures.")]


class AttemptResponse(Response):
    """One request to the receiver."""

    at: Instant
    latency_ms: int
    response_status: Annotated[
        int | None, Field(description="Null: there was no answer; `error` says why.")
    ]
    response_body: Annotated[str | None, Field(description="The first KB of the answer, as text.")]
    error: str | None


class DeliveryResponse(Response):
    """One event for one webhook."""

    delivery_id: str
    webhook_id: str
    event_id: Annotated[str, Field(description="The `webhook-id` of every attempt.")]
    event_type: str
    stream_id: Annotated[
        str | None, Field(description="The events of one stream are delivered in order.")
    ]
    event_at: Annotated[Instant, Field(description="When the event happened.")]
    status: DeliveryStatus
    next_attempt_at: Annotated[
        Instant | None,
        Field(
            description="When it is sent next, at the earliest: one that waits behind another of its stream is later."
        ),
    ]
    attempts_made: Annotated[int, Field(description="All attempts, replays included.")]
    attempts: Annotated[list[AttemptResponse], Field(description="The last ten, oldest first.")]
    created_at: Instant


class ReplayedResponse(Response):
    """What a replay did."""

    replayed: Annotated[int, Field(description="Deliveries that are sent again.")]
    next_since: Annotated[
        Instant | None,
        Field(description="More are left: repeat the call with this instant. Null: that was all."),
    ]


def webhook_response(webhook: Webhook) -> WebhookResponse:
    """Build the response for a webhook, without its secret."""
    return WebhookResponse.model_construct(**_fields_of(webhook))


def webhook_with_secret(webhook: Webhook) -> WebhookWithSecret:
    """Build the response for a webhook that was created or whose secret was replaced."""
    return WebhookWithSecret.model_construct(**_fields_of(webhook), secret=webhook.secret)


def _fields_of(webhook: Webhook) -> dict[str, Any]:
    return {
        "webhook_id": webhook.webhook_id,
        "channel_id": webhook.channel_id,
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "description": webhook.description,
        "receives_inbox": webhook.receives_inbox,
        "enabled": webhook.enabled,
        "disabled_reason": webhook.disabled_reason,
        "disabled_at": webhook.disabled_at,
        "old_secrets_until": max((old.valid_until for old in webhook.old_secrets), default=None),
        "created_by": webhook.created_by,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }


def delivery_response(delivery: Delivery) -> DeliveryResponse:
    """Build the response for a delivery."""
    return DeliveryResponse.model_construct(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        stream_id=delivery.stream_id,
        event_at=delivery.at,
        status=delivery.status,
        next_attempt_at=delivery.next_attempt_at,
        attempts_made=delivery.attempts_made,
        attempts=[_attempt_response(attempt) for attempt in delivery.attempts],
        created_at=delivery.created_at,
    )


def _attempt_response(attempt: Attempt) -> AttemptResponse:
    return AttemptResponse.model_construct(**attempt.model_dump())


def _distinct(event_types: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event_types))
