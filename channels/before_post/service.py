"""Asks the back end about each message before it is stored, and does what it decides.

Promises:
    A message waits for at most `SECONDS`. After `FAILURES` failures in a row the address is taken as away: for
    `PAUSE_SECONDS` no message waits for it, and then one at a time, until one is answered.
    What cannot be reviewed is stored or refused, as the settings say; never both, and never in silence: each failure
    counts in the metrics, and the log has the first of each pause.
    Each request is signed (Standard Webhooks), so the back end knows that it is this server's.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog
from standardwebhooks.webhooks import Webhook

from channels.before_post.answer import BadAnswer, answer_of, changed
from channels.before_post.models import (
    ANSWER_BYTES,
    AT_ONCE,
    SECONDS,
    BeforePostOptions,
    OnFailure,
)
from channels.before_post.request import body_of
from channels.outbound.client import OutboundClient
from channels.outbound.errors import OutboundError
from groups.errors import MessageRefused, ReviewUnavailable
from groups.kernel.ids import mint_id
from groups.limits import GroupLimits
from groups.models import Content
from groups.service.hooks import Proposal

FAILURES: Final = 5  # in a row, after which no message waits
PAUSE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 30.0  # that a connection is kept for the next review

log = structlog.get_logger("channels.before_post")


@dataclass(kw_only=True, slots=True)
class Circuit:
    """Whether it is worth asking: closed while the address answers, open after `FAILURES` failures in a row."""

    timer: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)
    _open_until: float = field(default=0.0, init=False)
    _is_trying: bool = field(default=False, init=False)
    """One message is on its way to try whether the address is back."""

    def may_ask(self) -> bool:
        """Whether to ask now; after the pause, for one message at a time."""
        if self._failures < FAILURES:
            return True
        if self._is_trying or self.timer() < self._open_until:
            return False
        self._is_trying = True
        return True

    def succeeded(self) -> None:
        self._failures, self._is_trying = 0, False

    def failed(self) -> bool:
        """Count a failure; returns whether a pause begins with it."""
        self._failures += 1
        self._is_trying = False
        if self._failures < FAILURES:
            return False
        is_first = self.timer() >= self._open_until
        self._open_until = self.timer() + PAUSE_SECONDS
        return is_first

    def abandoned(self) -> None:
        """The one that asked is gone, and nothing is known."""
        self._is_trying = False


def review_client() -> OutboundClient:
    """The connections to the address that reviews messages. The operator chose it, so it may be inside."""
    return OutboundClient(
        networks=None,
        timeout_seconds=SECONDS,
        response_bytes=ANSWER_BYTES,
        connections=AT_ONCE,
        idle_seconds=IDLE_SECONDS,
    )


@dataclass(kw_only=True, slots=True)
class BeforePost:
    """The hook `before_post` of groups."""

    options: BeforePostOptions
    client: OutboundClient
    limits: GroupLimits
    on_outcome: Callable[[str], None] = lambda _: None
    """Called with what became of each review: allowed, changed, refused, failed, or skipped during a pause."""
    circuit: Circuit = field(default_factory=Circuit)
    _places: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(AT_ONCE), init=False
    )
    _webhook: Webhook = field(init=False)

    def __post_init__(self) -> None:
        self._webhook = Webhook(self.options.secret)

    async def __call__(self, proposal: Proposal) -> Content:
        """The content to store. Raises: MessageRefused; ReviewUnavailable."""
        content = proposal.message.content
        assert content is not None, "a message that is to be stored has content"
        if not self.circuit.may_ask():
            return self._unreviewed(content, "skipped")
        try:
            async with asyncio.timeout(SECONDS):
                async with self._places:
                    answer = answer_of(await self._asked(body_of(proposal)))
            wanted = content
            if answer.decision == "allow" and answer.changes is not None:
                wanted = changed(content, answer.changes, self.limits)
        except (OutboundError, BadAnswer, TimeoutError) as error:
            if self.circuit.failed():
                log.warning(
                    "messages cannot be reviewed; none waits for it now",
                    reason=str(error) or f"no answer within {SECONDS:g} seconds",
                    on_failure=self.options.on_failure.value,
                    pause_seconds=PAUSE_SECONDS,
                )
            return self._unreviewed(content, "failed")
        except asyncio.CancelledError:
            self.circuit.abandoned()
            raise
        self.circuit.succeeded()
        if answer.decision == "refuse":
            self.on_outcome("refused")
            raise MessageRefused(answer.reason)
        self.on_outcome("allowed" if wanted == content else "changed")
        return wanted

    async def _asked(self, body: bytes) -> bytes:
        request_id, at = f"msg_{mint_id()}", datetime.now(UTC)
        signature = self._webhook.sign(request_id, at, body.decode())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": request_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        response = await self.client.post(self.options.url, body, headers)
        if response.status != 200:
            raise BadAnswer(f"the address answers {response.status}")
        if response.is_cut:
            raise BadAnswer(f"the answer has more than {ANSWER_BYTES} bytes")
        return response.body

    def _unreviewed(self, content: Content, outcome: str) -> Content:
        self.on_outcome(outcome)
        if self.options.on_failure is OnFailure.REFUSE:
            raise ReviewUnavailable
        return content
