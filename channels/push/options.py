"""What an operator chooses about push notifications."""

from dataclasses import dataclass
from typing import Final

TTL_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """The options of delivery. Without a key there is no Web Push; without an address there is no gateway."""

    vapid_private_key: str | None = None
    vapid_subject: str = "mailto:admin@localhost"
    gateway_url: str | None = None
    gateway_secret: str = ""
    ttl_seconds: int = TTL_SECONDS
    """How long a message is worth a notification."""
    with_content: bool = True
    """Whether notifications hold names and texts."""


NOTHING_DELIVERED: Final = PushOptions()
