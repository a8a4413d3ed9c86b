"""The hand-over to the application's push gateway: signed batches over HTTP, as Matrix has them.

The gateway is a program of the operator that holds the credentials of Apple's and Google's services. It gets a POST
with one notification and up to `BATCH` devices, signed as Standard Webhooks describes, and answers with the pushkeys
that do not exist any more: `{"rejected": ["…"]}`. A batch is one attempt: a gateway that fails gets the whole batch
again, with the same `notification.id`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from standardwebhooks import Webhook

from channels.outbound.client import OutboundClient, OutboundResponse
from channels.outbound.errors import OutboundError
from channels.push.models import Gateway
from channels.push.senders.models import (
    FAILED,
    GONE,
    LATER,
    SENT,
    Delivery,
    Notification,
    Outcome,
)
from channels.push.senders.pace import Pace
from groups.kernel.clock import rfc3339
from groups.kernel.ids import mint_id

BATCH: Final = 100
"""The most devices of one request."""
CONCURRENT: Final = 8
"""Requests to the gateway under way in this process."""
RESPONSE_BYTES: Final = 64 * 1024
IDLE_SECONDS: Final = 60.0
"""How long a connection to the gateway is kept."""
TIMEOUT_SECONDS: Final = 30.0
"""Of a client for the gateway, which may answer after it has asked Apple's and Google's services."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class GatewaySender:
    """Hands notifications over to the gateway at `url`."""

    client: OutboundClient
    url: str
    secret: str
    """Of the signatures: `whsec_` and base64, which the gateway knows too."""
    pace: Pace
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONCURRENT))

    async def send(
        self, notification: Notification, deliveries: Sequence[Delivery]
    ) -> list[Outcome]:
        """As `Sender.send`, in batches."""
        batches = [deliveries[n : n + BATCH] for n in range(0, len(deliveries), BATCH)]
        outcomes = await asyncio.gather(*(self._send(notification, batch) for batch in batches))
        return [outcome for of_batch in outcomes for outcome in of_batch]

    async def close(self) -> None:
        await self.client.close()

    async def _send(self, notification: Notification, batch: Sequence[Delivery]) -> list[Outcome]:
        body = orjson.dumps(batch_of(notification, batch))
        async with self._slots:
            await self.pace.take(len(batch))
            try:
                response = await self.client.post(self.url, body, self._signed(body))
            except OutboundError as error:
                log.warning("the push gateway does not answer: %s", error)
                return [LATER] * len(batch)
        return self._outcomes_of(response, batch)

    def _signed(self, body: bytes) -> dict[str, str]:
        # The id of the request: another one for each attempt, as the time is. The notification has its own.
        request_id, now = f"push_{mint_id()}", datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": request_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(request_id, now, body.decode()),
        }

    def _outcomes_of(self, response: OutboundResponse, batch: Sequence[Delivery]) -> list[Outcome]:
        if response.status in (408, 425, 429) or response.status >= 500:
            log.warning("the push gateway answers %d", response.status)
            return [LATER] * len(batch)
        if not response.is_success:
            log.error("the push gateway refuses a batch of %d with %d", len(batch), response.status)
            return [FAILED] * len(batch)
        rejected = _rejected_in(response)
        return [GONE if _pushkey_of(delivery) in rejected else SENT for delivery in batch]


def batch_of(notification: Notification, batch: Sequence[Delivery]) -> dict[str, Any]:
    """The JSON of a request."""
    return {
        "notification": {
            "id": notification.notification_id,
            **notification.kind_fields,
            "conversation_id": notification.conversation_id,
            "collapse_key": notification.topic,
            "group_id": notification.group_id,
            "channel_id": notification.channel_id,
            "seq": notification.seq,
            "sender_id": notification.sender_id,
            "kind": notification.kind,
            "sent_at": rfc3339(notification.sent_at),
            "expires_at": rfc3339(notification.expires_at),
            "title": notification.title,
            "body": notification.body,
            "title_loc_key": notification.title_loc_key,
            "title_loc_args": list(notification.title_loc_args),
            "body_loc_key": notification.body_loc_key,
        },
        "devices": [_device_of(delivery) for delivery in batch],
    }


def _device_of(delivery: Delivery) -> dict[str, Any]:
    device = delivery.device
    return {
        "app_id": device.app_id,
        "pushkey": _pushkey_of(delivery),
        "user_id": device.user_id,
        "device_id": device.device_id,
        "locale": device.locale,
        "counts": {"unread": delivery.unread},
        "repeated": delivery.is_repeat,
    }


def _pushkey_of(delivery: Delivery) -> str:
    target = delivery.device.target
    assert isinstance(target, Gateway), "devices of the gateway only"
    return target.pushkey


def _rejected_in(response: OutboundResponse) -> frozenset[str]:
    """The rejected pushkeys; none where the answer has no such list."""
    try:
        answer = orjson.loads(response.body) if response.body else {}
    except orjson.JSONDecodeError:
        return frozenset()
    keys = answer.get("rejected") if isinstance(answer, dict) else None
    return (
        frozenset(key for key in keys if isinstance(key, str))
        if isinstance(keys, list)
        else frozenset()
    )
