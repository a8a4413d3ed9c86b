"""The rules of webhooks, pure: which addresses, types of events and secrets are refused.

An address is refused early where its text alone leads inside for certain (`channels.outbound.addresses`). The client
that sends checks it again when it connects.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import urlsplit

from channels.errors import UnknownEventType
from channels.outbound.addresses import Network, address_of, is_inside, may_connect
from channels.webhooks.errors import BadWebhookUrl
from channels.webhooks.limits import LEAST_SECRET_BYTES, MOST_SECRET_BYTES
from groups.kernel.errors import DomainError

SECRET_PREFIX: Final = "whsec_"


def url_refusal(url: str, allowed: Collection[Network]) -> DomainError | None:
    """A webhook's address: https, or http where the operator allowed networks; none that leads inside for certain."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return BadWebhookUrl("The address cannot be read")
    if not host or any(letter.isspace() or not letter.isprintable() for letter in url):
        return BadWebhookUrl("The address cannot be read")
    if parts.scheme not in {"https", "http"}:
        return BadWebhookUrl("The address must begin with https://")
    if parts.username is not None or parts.password is not None:
        return BadWebhookUrl("The address must not hold a user or a password")
    if parts.fragment:
        return BadWebhookUrl("The address must not have a fragment")
    is_encrypted = parts.scheme == "https"
    address = address_of(host)
    if address is None:
        # Where a name leads is known when a request is made.
        if not is_encrypted and not allowed:
            return BadWebhookUrl("The address must begin with https://")
        return None
    if not may_connect(address, allowed, is_encrypted=is_encrypted):
        if is_encrypted or is_inside(address):
            return BadWebhookUrl(f"{host} is no public address")
        return BadWebhookUrl("The address must begin with https://")
    return None


def types_refusal(wanted: Collection[str], allowed: Sequence[str]) -> DomainError | None:
    """The types of events that a webhook may receive."""
    for event_type in wanted:
        if event_type not in allowed:
            return UnknownEventType(event_type, allowed)
    return None


def is_secret(text: str) -> bool:
    """Whether the text is a secret as the specification writes it: `whsec_` and 24 to 64 bytes in base64."""
    if not text.startswith(SECRET_PREFIX):
        return False
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return LEAST_SECRET_BYTES <= len(key) <= MOST_SECRET_BYTES
