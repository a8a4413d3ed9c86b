"""Where webhooks may be sent: the rules of addresses, pure and total.

Whoever may create a webhook makes the server send requests, from inside of its network. So an address inside is refused
unless the operator allowed its network, and the rule is asked about the very address to which a connection is made. The
text of a URL decides nothing but early refusals: a name may lead anywhere, and elsewhere a moment later.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

from channels.errors import UnknownEventType
from channels.webhooks.errors import BadWebhookUrl
from channels.webhooks.limits import LEAST_SECRET_BYTES, MOST_SECRET_BYTES
from groups.kernel.errors import DomainError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SECRET_PREFIX: Final = "whsec_"

_INSIDE: Final[Sequence[Network]] = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, loopback, and the old embedding of IPv4
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discarded
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which may embed any address of IPv4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
]
"""Networks that are not the public internet. Beside them the library's own list counts (`is_global`)."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


def address_of(text: str) -> Address | None:
    """The address that the text writes, as a URL or a resolver has it; None where it is a name."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 leads to."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_in(address: Address, networks: Collection[Network]) -> bool:
    """Whether one of the networks holds the address, also where IPv6 wraps one of IPv4."""
    real = _unwrapped(address)
    return any(address in network or real in network for network in networks)


def is_inside(address: Address) -> bool:
    """Whether the address is not one of the public internet."""
    real = _unwrapped(address)
    return not real.is_global or real.is_multicast or is_in(real, _INSIDE)


def may_connect(address: Address, allowed: Collection[Network], *, is_encrypted: bool) -> bool:
    """Whether a request may go to this address: any public one by https, and allowed networks by http too."""
    if is_in(address, allowed):
        return True
    return is_encrypted and not is_inside(address)


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
