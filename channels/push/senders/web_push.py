"""Web Push (RFC 8030, 8291, 8292): an encrypted request for each device, to the push service of its browser.

The push service sees neither the text nor which conversation it is of. `Topic` has it keep only the newest notification
of a conversation for a device that is offline, and makes a repeated one replace the first.
"""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import http_ece
import orjson
from cachetools import TTLCache
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from channels.outbound.client import OutboundClient, OutboundResponse
from channels.outbound.errors import AddressRefused, Unreachable
from channels.push.models import WebPush
from channels.push.senders.models import (
    FAILED,
    GONE,
    LATER,
    SENT,
    Delivery,
    Notification,
    Outcome,
    Verdict,
)
from channels.push.senders.pace import Pace
from channels.push.senders.vapid import VapidKey
from groups.kernel.clock import Clock, rfc3339

TIMEOUT_SECONDS: Final = 10.0
RESPONSE_BYTES: Final = 64 * 1024
IDLE_SECONDS: Final = 60.0
"""How long a connection to a push service is kept; there are few of them, and a new one costs a TLS handshake."""
PAUSE_SECONDS: Final = 20.0
"""How long a push service that did not answer, or asked to wait without saying how long, is left alone."""
MOST_FAILURES: Final = 3
"""Requests in a row without an answer after which a push service is left alone."""
MOST_PAUSE_SECONDS: Final = 3_600.0
"""The longest wait that a push service can ask for."""
_PAUSED_HOSTS: Final = 1_000
_GONE: Final = frozenset({404, 410})
_RECORD_BYTES: Final = 4_096  # the one size that push services must accept


@dataclass(slots=True)
class WebPushSender:
    """Sends to browsers. `concurrent`: requests under way in this process."""

    client: OutboundClient
    key: VapidKey
    pace: Pace
    clock: Clock
    concurrent: int
    _slots: asyncio.Semaphore = field(init=False)
    _paused: TTLCache[str, float] = field(init=False)
    """Push services that are left alone, by host, and until when on the monotonic clock."""
    _failures: TTLCache[str, int] = field(init=False)
    """The requests in a row without an answer, by host."""

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.concurrent)
        self._paused = TTLCache(_PAUSED_HOSTS, MOST_PAUSE_SECONDS)
        self._failures = TTLCache(_PAUSED_HOSTS, MOST_PAUSE_SECONDS)

    async def send(
        self, notification: Notification, deliveries: Sequence[Delivery]
    ) -> list[Outcome]:
        """As `Sender.send`. Encryption takes 0.14 ms of processor time a device, so a thread does it."""
        bodies = await asyncio.to_thread(_encrypt_all, notification, deliveries)
        return await asyncio.gather(
            *(
                self._send_one(notification, _target_of(delivery), body)
                for delivery, body in zip(deliveries, bodies, strict=True)
            )
        )

    async def close(self) -> None:
        await self.client.close()

    async def _send_one(
        self, notification: Notification, target: WebPush, body: bytes | None
    ) -> Outcome:
        ttl = int((notification.expires_at - self.clock.now()).total_seconds())
        if body is None or ttl <= 0:
            return FAILED
        host = urlsplit(target.endpoint).netloc
        async with self._slots:
            if (left := self._paused.get(host, 0.0) - time.monotonic()) > 0:
                return Outcome(Verdict.LATER, left)
            await self.pace.take(1)
            try:
                response = await self.client.post(
                    target.endpoint,
                    body,
                    {
                        "Authorization": self.key.authorization(target.endpoint),
                        "Content-Encoding": "aes128gcm",
                        "Content-Type": "application/octet-stream",
                        "TTL": str(ttl),
                        "Topic": notification.topic,
                        "Urgency": "normal",
                    },
                )
            except AddressRefused:
                # Not gone: the operator may allow the network.
                return FAILED
            except Unreachable:
                failures = self._failures[host] = self._failures.get(host, 0) + 1
                if failures >= MOST_FAILURES:
                    self._pause(host, PAUSE_SECONDS)
                return LATER
        self._failures.pop(host, None)
        return self._outcome_of(response, host)

    def _outcome_of(self, response: OutboundResponse, host: str) -> Outcome:
        if response.is_success:
            return SENT
        if response.status in _GONE:
            return GONE
        if response.status == 429 or response.status >= 500:
            seconds = _retry_after(response, self.clock.now())
            if response.status == 429 or seconds:
                self._pause(host, seconds or PAUSE_SECONDS)
            return Outcome(Verdict.LATER, seconds)
        return FAILED

    def _pause(self, host: str, seconds: float) -> None:
        self._paused[host] = time.monotonic() + seconds


def _retry_after(response: OutboundResponse, now: datetime) -> float:
    """The seconds that the response asks to wait, within bounds; 0 where it does not say."""
    text = response.headers.get("retry-after", "")
    try:
        seconds = float(text) if text.isdigit() else _seconds_until(text, now)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MOST_PAUSE_SECONDS)


def _seconds_until(text: str, now: datetime) -> float:
    instant = parsedate_to_datetime(text)
    return (instant.replace(tzinfo=instant.tzinfo or UTC) - now).total_seconds()


def _target_of(delivery: Delivery) -> WebPush:
    target = delivery.device.target
    assert isinstance(target, WebPush), "devices of browsers only"
    return target


def _encrypt_all(notification: Notification, deliveries: Sequence[Delivery]) -> list[bytes | None]:
    """The body for each device; None where its keys are none."""
    bodies: list[bytes | None] = []
    for delivery in deliveries:
        try:
            bodies.append(encrypted(payload_of(notification, delivery), _target_of(delivery)))
        # The keys are the client's: a point that is not on the curve is found here only.
        except ValueError:
            bodies.append(None)
    return bodies


def encrypted(payload: bytes, target: WebPush) -> bytes:
    """The payload, readable by the browser alone (RFC 8291). Raises: ValueError."""
    return bytes(
        http_ece.encrypt(
            payload,
            private_key=generate_private_key(SECP256R1()),
            dh=_decoded(target.p256dh),
            auth_secret=_decoded(target.auth),
            rs=_RECORD_BYTES,
            version="aes128gcm",
        )
    )


def payload_of(notification: Notification, delivery: Delivery) -> bytes:
    """The JSON that the page's service worker gets."""
    return orjson.dumps(
        {
            "notification_id": notification.notification_id,
            **notification.kind_fields,
            "conversation_id": notification.conversation_id,
            "group_id": notification.group_id,
            "channel_id": notification.channel_id,
            "seq": notification.seq,
            "kind": notification.kind,
            "title": notification.title,
            "body": notification.body,
            "unread": delivery.unread,
            "sent_at": rfc3339(notification.sent_at),
        }
    )


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
