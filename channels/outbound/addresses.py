"""Where requests to addresses of clients may go: the rules of addresses, pure and total.

Whoever may give an address makes the server send requests, from inside of its network. So an address inside is refused
unless the operator allowed its network, and the rule is asked about the very address to which a connection is made. The
text of a URL decides nothing but early refusals: a name may lead anywhere, and elsewhere a moment later.
"""

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

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

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
    """The address that the text writes, as a URL or a resolver has it; None where it is a name. A zone is left out."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def may_connect(address: Address, allowed: Collection[Network], *, is_encrypted: bool) -> bool:
    """Whether a request may go to this address: any public one by https, and allowed networks by http too."""
    if _is_in(address, allowed):
        return True
    return is_encrypted and not is_inside(address)


def is_inside(address: Address) -> bool:
    """Whether the address is not one of the public internet."""
    real = _unwrapped(address)
    return not real.is_global or real.is_multicast or _is_in(real, _INSIDE)


def _is_in(address: Address, networks: Collection[Network]) -> bool:
    """Whether one of the networks holds the address, also where IPv6 wraps one of IPv4."""
    real = _unwrapped(address)
    return any(address in network or real in network for network in networks)


def _unwrapped(address: Address) -> Address:
    """The address of IPv4 that one of IPv6 leads to, where that is certain.

    6to4 and Teredo lead there through relays of others, so they count as inside, whatever they embed.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
