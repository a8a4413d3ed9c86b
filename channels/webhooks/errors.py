"""The errors of webhooks."""

from typing import ClassVar

from groups.kernel.errors import Conflict, InvalidInput, LimitReached, NotFound


class WebhookNotFound(NotFound):
    """The channel, or the application, has no such webhook."""

    code: ClassVar[str] = "webhook_not_found"
    summary: ClassVar[str] = "No such webhook"
    remedy: ClassVar[str] = "Read the list of webhooks anew: the webhook was deleted."


class DeliveryNotFound(NotFound):
    """The webhook has no such delivery, or its log does not hold it any more."""

    code: ClassVar[str] = "delivery_not_found"
    summary: ClassVar[str] = "No such delivery"
    remedy: ClassVar[str] = (
        "Read the list of deliveries anew. A delivery is deleted after a week (`WEBHOOK_LOG_SECONDS`)."
    )


class WebhookLimitReached(LimitReached):
    """The application, or the channel, already has `limit` webhooks."""

    code: ClassVar[str] = "webhook_limit_reached"
    summary: ClassVar[str] = "There are as many webhooks as there may be"
    remedy: ClassVar[str] = (
        "Delete a webhook first, or raise the limit `WEBHOOKS` or `WEBHOOKS_PER_CHANNEL`."
    )


class WebhookBacklogReached(LimitReached):
    """`limit` deliveries already wait for the webhook."""

    code: ClassVar[str] = "webhook_backlog_reached"
    summary: ClassVar[str] = "As many deliveries wait for the webhook as may"
    remedy: ClassVar[str] = "Wait until the receiver has taken what waits, then repeat the call."


class WebhookDisabled(Conflict):
    """The webhook is disabled, so nothing is sent to it."""

    code: ClassVar[str] = "webhook_disabled"
    summary: ClassVar[str] = "The webhook is disabled"
    remedy: ClassVar[str] = "Enable the webhook first (`PATCH` with `enabled: true`)."


class BadWebhookUrl(InvalidInput):
    """The address is no https address, or leads to a network that this server does not send to."""

    code: ClassVar[str] = "bad_webhook_url"
    summary: ClassVar[str] = "The address is not one that webhooks are sent to"
    remedy: ClassVar[str] = (
        "Give an https address of a public host, without a user and a fragment. The operator may allow networks "
        "inside, and http to them, with `CHANNELS_WEBHOOK_ALLOWED_NETWORKS`."
    )
