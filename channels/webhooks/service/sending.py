"""One attempt: its headers and signatures, what its answer means, and when the next one follows.

Headers and signatures are those of the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`, with each
secret that is valid.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import standardwebhooks

from channels.outbound.client import OutboundClient
from channels.outbound.errors import OutboundError
from channels.webhooks.limits import JITTER, MOST_RETRY_AFTER_SECONDS, RETRY_SECONDS
from channels.webhooks.models import Webhook

GONE: Final = 410
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverAnswer:
    """What a receiver answered: the status and the beginning of the body; or `error`, why there is no answer."""

    status: int | None = None
    body: str | None = None
    retry_after: str | None = None
    """The header as it was sent, which may be anything."""
    error: str | None = None

    @property
    def is_success(self) -> bool:
        return self.status in _SUCCESS


class Send(Protocol):
    """Sends a POST and returns the answer; it raises nothing, and ends within `TIMEOUT_SECONDS`."""

    async def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> ReceiverAnswer: ...


@dataclass(frozen=True, slots=True)
class ReceiverClient:
    """Sends attempts by a client that is guarded and bounded (`wiring`)."""

    http: OutboundClient

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        """As `Send`. The reason of a failure tells nothing of addresses inside."""
        try:
            response = await self.http.post(url, body, headers)
        except OutboundError as error:
            return ReceiverAnswer(error=str(error))
        return ReceiverAnswer(
            status=response.status,
            body=response.body.decode(errors="replace"),
            retry_after=response.headers.get("retry-after"),
        )


def headers_of(webhook: Webhook, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of an attempt that is made now."""
    signed_at = now.replace(microsecond=0)
    signatures = [
        standardwebhooks.Webhook(secret).sign(event_id, signed_at, body.decode())
        for secret in webhook.secrets_at(now)
    ]
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def next_attempt_at(tries: int, answer: ReceiverAnswer, now: datetime) -> datetime | None:
    """When to try again after a failure that `tries` others came before; None: never.

    A receiver may put it off with `Retry-After`, but not bring it forward.
    """
    if tries >= len(RETRY_SECONDS):
        return None
    pause = RETRY_SECONDS[tries] * random.uniform(1, 1 + JITTER)
    asked = min(_seconds_of(answer.retry_after, now), MOST_RETRY_AFTER_SECONDS)
    return now + timedelta(milliseconds=round(max(pause, asked) * 1000))


def _seconds_of(retry_after: str | None, now: datetime) -> float:
    """The seconds that a `Retry-After` header asks for; 0 where it is absent or no such header."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())
