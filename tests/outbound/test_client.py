"""Outbound requests: which addresses they reach, and what bounds them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from channels.outbound.addresses import is_allowed, parse_address, parse_networks
from channels.outbound.client import RESPONSE_BYTES, OutboundClient
from channels.outbound.errors import AddressRefused, Unreachable

LOOPBACK = parse_networks(["127.0.0.0/8", "::1/128"])


@asynccontextmanager
async def a_server(body: bytes = b"seen") -> AsyncIterator[tuple[str, list[str]]]:
    """A server on loopback: its address, and the paths that it was asked for."""
    asked: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        return web.Response(body=body)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_an_address_inside_of_a_network_is_refused_until_the_network_is_allowed(
    address: str, *, is_public: bool
) -> None:
    parsed = parse_address(address)
    assert is_allowed(parsed, ()) is is_public
    assert is_allowed(parsed, parse_networks(["0.0.0.0/0", "::/0"]))


async def test_a_name_or_an_address_inside_is_reached_only_where_its_network_is_allowed() -> None:
    async with a_server() as (base, asked):
        for url in (base, base.replace("127.0.0.1", "localhost"), f"{base[:7]}[::1]:1"):
            client = OutboundClient()
            with pytest.raises(AddressRefused):
                await client.post(url, b"", {})
            await client.close()
        assert asked == []
        for networks in (LOOPBACK, None):
            client = OutboundClient(networks)
            assert (await client.post(base + "/in", b"", {})).body == b"seen"
            await client.close()
        assert asked == ["/in", "/in"]


async def test_a_redirect_is_a_response_and_is_not_followed() -> None:
    async with a_server() as (base, asked):
        client = OutboundClient(LOOPBACK)
        response = await client.post(base + "/moved", b"", {})
        assert (response.status, asked) == (302, ["/moved"])
        await client.close()


@pytest.mark.parametrize("more", [0, 1])
async def test_a_response_is_read_up_to_its_bound(more: int) -> None:
    async with a_server(b"x" * (RESPONSE_BYTES + more)) as (base, _):
        client = OutboundClient(LOOPBACK)
        response = await client.post(base, b"", {})
        assert (len(response.body), response.is_cut) == (RESPONSE_BYTES, bool(more))
        await client.close()


async def test_no_answer_and_no_address_are_told_as_unreachable() -> None:
    client = OutboundClient(LOOPBACK)
    for url in ("http://127.0.0.1:1/", "nowhere", "http://", "ftp://127.0.0.1/"):
        with pytest.raises(Unreachable):
            await client.post(url, b"", {})
    await client.close()
