"""Which addresses are inside, in every spelling, and where a request may go."""

from ipaddress import ip_address, ip_network

import pytest

from channels.outbound.addresses import address_of, is_inside, may_connect

LOOPBACK = [ip_network("127.0.0.0/8")]
EVERYTHING = [ip_network("0.0.0.0/0"), ip_network("::/0")]

INSIDE = {
    "this network": ("0.0.0.0", "0.1.2.3"),
    "private": ("10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    "behind a carrier's NAT": ("100.64.0.1", "100.127.255.255"),
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "link-local": ("169.254.169.254", "fe80::1", "fe80::1%eth0", "fe80::1%25eth0"),
    "protocols and documentation": ("192.0.0.8", "192.0.2.1", "198.51.100.1", "203.0.113.1"),
    "documentation of IPv6": ("2001:db8::1", "3fff::1"),
    "benchmarks and relays": ("198.18.0.1", "192.88.99.1"),
    "multicast": ("224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"),
    "reserved": ("240.0.0.1", "255.255.255.255", "::", "100::1", "5f00::1"),
    "unique and site local": ("fc00::1", "fd00:ec2::254", "fec0::1"),
    "mapped IPv4": ("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1%1"),
    "the old embedding of IPv4": ("::127.0.0.1", "::8.8.8.8"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::808:808"),
    "6to4": ("2002:7f00:1::", "2002:808:808::"),
    "Teredo": ("2001:0:7f00:1::", "2001:0:808:808::f7f7:f7f7"),
}
PUBLIC = (
    *("8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1"),
    *("2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"),
)


@pytest.mark.parametrize("text", [text for texts in INSIDE.values() for text in texts])
def test_an_address_inside_is_known_in_every_spelling(text: str) -> None:
    for spelling in (text, f"[{text}]"):
        address = address_of(spelling)
        assert address is not None
        assert is_inside(address)
        for is_encrypted in (True, False):
            assert not may_connect(address, [], is_encrypted=is_encrypted)
            assert may_connect(address, EVERYTHING, is_encrypted=is_encrypted)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_sent_to_by_https_only(text: str) -> None:
    address = ip_address(text)
    assert not is_inside(address)
    assert may_connect(address, [], is_encrypted=True)
    assert not may_connect(address, LOOPBACK, is_encrypted=False)


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        # These lead through relays of others, wherever they say that they lead.
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("::1", False),
        ("10.0.0.1", False),
    ],
)
def test_an_allowed_network_holds_its_addresses_wrapped_in_ipv6_too(
    text: str, *, is_allowed: bool
) -> None:
    for is_encrypted in (True, False):
        assert may_connect(ip_address(text), LOOPBACK, is_encrypted=is_encrypted) is is_allowed


@pytest.mark.parametrize("text", ["localhost", "2130706433", "0x7f.1", "127.1", "", "1.2.3.4.5"])
def test_what_is_no_plain_address_is_a_name(text: str) -> None:
    assert address_of(text) is None
