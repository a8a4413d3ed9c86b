"""The limits of webhooks."""

from typing import Annotated, Final

from groups.kernel.limits import About, LimitModel, OrNone, Positive, Section, Source

# Defaults that other modules name too.
WEBHOOK_URL_BYTES: Final = 2_048
WEBHOOK_DESCRIPTION_BYTES: Final = 300

# Bounds that no deployment sets.
SECRET_BYTES: Final = 32  # of a secret that the server makes
LEAST_SECRET_BYTES: Final = 24  # the specification's
MOST_SECRET_BYTES: Final = 64
OLD_SECRETS: Final = 4
"""Replaced secrets that still sign; one more drops the oldest."""
OLD_SECRET_SECONDS: Final = 24 * 3600
ANSWER_BYTES: Final = 1_024
"""Of an answer's body that are read and kept."""
ATTEMPTS_KEPT: Final = 10
"""Attempts of a delivery that the log shows; as many as a schedule has."""
REPLAYED_AT_ONCE: Final = 10_000
"""Deliveries that one call replays; the answer says where to go on."""
TIMEOUT_SECONDS: Final = 20.0
"""Of one attempt, from the look-up of the name to the end of the answer."""
RETRY_SECONDS: Final = (
    5,
    5 * 60,
    30 * 60,
    *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)),
)
"""The pauses before the attempts after the first one: the specification's."""
JITTER: Final = 0.1
"""A pause is longer by up to this part of it, so that what failed together is not tried again together."""
MOST_RETRY_AFTER_SECONDS: Final = 24 * 3600
"""A receiver's `Retry-After` is honoured up to this."""

_TOO_LONG: Final = "`field_too_long`"


class WebhookLimits(LimitModel):
    """The limits of webhooks that a deployment may set."""

    webhooks: Annotated[OrNone, About(Section.WEBHOOKS, Source.OURS, "`webhook_limit_reached`")] = (
        20
    )
    """Webhooks of the application."""
    webhooks_per_channel: Annotated[
        OrNone, About(Section.WEBHOOKS, Source.OURS, "`webhook_limit_reached`")
    ] = 5
    """Webhooks of one channel."""
    webhook_url_bytes: Annotated[Positive, About(Section.WEBHOOKS, Source.OURS, _TOO_LONG)] = (
        WEBHOOK_URL_BYTES
    )
    """The address of a webhook."""
    webhook_description_bytes: Annotated[
        Positive, About(Section.WEBHOOKS, Source.OURS, _TOO_LONG)
    ] = WEBHOOK_DESCRIPTION_BYTES
    """The description of a webhook."""
    webhook_deliveries_waiting: Annotated[
        Positive,
        About(Section.WEBHOOKS, Source.OURS, "The webhook is disabled."),
    ] = 100_000
    """Deliveries that wait for one webhook."""
    webhook_log_seconds: Annotated[
        Positive, About(Section.WEBHOOKS, Source.OURS, "The delivery is deleted.")
    ] = 7 * 24 * 3600
    """How long a delivery stays in the log, counted from its event or its last replay. Attempts end before, by default.

    A busy webhook's log takes the space of its events of that time.
    """
    webhook_streams_at_once: Annotated[
        Positive, About(Section.WEBHOOKS, Source.OURS, "Further streams wait.")
    ] = 4
    """Requests that one process sends to one webhook at once, each for another stream; one if it fails."""
