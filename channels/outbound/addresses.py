"""Which addresses are inside of a network, so that no client may have the server call them. Pure functions.

An address of IPv6 may stand for one of IPv4 (RFC 4291, 3056, 4380, 6052), which is checked then.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
_SITE_LOCAL: Final = IPv6Network("fec0::/10")


def is_allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Whether a connection to the address may be made: it is a public one, or in one of these networks."""
    named = tuple(networks)
    meant = tuple(_meant_by(address))
    if any(one in network for one in meant for network in named):
        return True
    return all(_is_public(one) for one in meant)


def parse_address(text: str) -> Address:
    """The address as the socket library writes it, with the zone of a link-local one. Raises: ValueError."""
    return ip_address(text.partition("%")[0])


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks of these texts, such as `10.0.0.0/8` or `::1`. Raises: ValueError."""
    return tuple(IPv6Network(text) if ":" in text else IPv4Network(text) for text in texts)


def _meant_by(address: Address) -> Iterator[Address]:
    """The address, and those that it stands for."""
    yield address
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return True  # what it stands for is checked
        if address in _NAT64_LOCAL or address in _SITE_LOCAL:
            return False
        if address in _NAT64:
            return True
    return address.is_global and not address.is_multicast
