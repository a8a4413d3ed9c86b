"""What senders are given, and what they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from channels.push.models import Device


class Verdict(StrEnum):
    """What became of a delivery."""

    SENT = "sent"
    """The push service or the gateway has it."""
    GONE = "gone"
    """The device does not exist any more, and is to be forgotten."""
    FAILED = "failed"
    """It was refused, and would be again."""
    LATER = "later"
    """It may succeed later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a delivery, and the least seconds to wait before the next attempt, where somebody asked for it."""

    verdict: Verdict
    retry_after_seconds: float = 0.0


SENT = Outcome(Verdict.SENT)
GONE = Outcome(Verdict.GONE)
FAILED = Outcome(Verdict.FAILED)
LATER = Outcome(Verdict.LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message as its recipients' devices show it; the same for all of them.

    `notification_id` is the same whenever the same message is sent again. `title` and `body` are empty where the
    operator keeps content out of notifications; the keys and arguments are there in any case, for apps that show texts
    of their own in the language of the device.
    """

    notification_id: str
    topic: str
    """The conversation, as 32 characters that tell a push service nothing else. A newer notification replaces it."""
    conversation_id: str
    group_id: str | None
    channel_id: str | None
    seq: int
    post_seq: int | None
    """Of a comment: the post, whose comments `seq` counts. None: it is a message."""
    inbox_user_id: str | None
    """Of a message in the inbox of `channel_id`: the user who wrote it."""
    sender_id: str | None
    """None for what a channel says, whose author only its staff may know."""
    kind: str
    sent_at: datetime
    expires_at: datetime
    title: str
    body: str
    title_loc_key: str
    title_loc_args: tuple[str, ...]
    body_loc_key: str

    @property
    def kind_fields(self) -> dict[str, object]:
        """The fields that tell comments and messages of an inbox from others, as senders write them."""
        if self.post_seq is not None:
            return {"type": "comment.posted", "post_seq": self.post_seq}
        if self.inbox_user_id is not None:
            return {"type": "message.posted", "user_id": self.inbox_user_id}
        return {"type": "message.posted"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification for one device. `unread`: messages of the conversation that its user has not read."""

    device: Device
    unread: int
    is_repeat: bool = False
    """Whether a process that was killed may have sent it already."""


class Sender(Protocol):
    """One way to devices."""

    async def send(
        self, notification: Notification, deliveries: Sequence[Delivery]
    ) -> list[Outcome]:
        """Send the notification to these devices; the outcomes are in their order."""

    async def close(self) -> None:
        """Close all connections."""
