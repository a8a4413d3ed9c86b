"""No webhook reaches a network inside: whatever its address says, and wherever a name leads when it is sent."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from channels.server.guarded_http import GuardedHttp
from channels.webhooks.policy import is_inside, may_connect
from tests.channels.webhooks.receiver import Receiver, answering

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
        *("192.168.1.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1"),
        *(
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
        ),
        *("64:ff9b:1::1", "2001:db8::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1"),
    ],
)
def test_an_address_inside_is_known_in_every_spelling(text: str) -> None:
    address = ip_address(text)
    assert is_inside(address)
    assert not may_connect(address, [], is_encrypted=True)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_sent_to_by_https_only(text: str) -> None:
    address = ip_address(text)
    assert may_connect(address, [], is_encrypted=True)
    assert not may_connect(address, LOOPBACK, is_encrypted=False)


def test_an_allowed_network_holds_its_addresses_wrapped_in_ipv6_too() -> None:
    for text, is_allowed in (("127.0.0.1", True), ("::ffff:127.0.0.1", True), ("::1", False)):
        for is_encrypted in (True, False):
            address = ip_address(text)
            assert may_connect(address, LOOPBACK, is_encrypted=is_encrypted) is is_allowed


@pytest.fixture
async def closed() -> AsyncIterator[GuardedHttp]:
    http = GuardedHttp(())
    yield http
    await http.close()


@pytest.fixture
async def opened() -> AsyncIterator[GuardedHttp]:
    http = GuardedHttp(LOOPBACK)
    yield http
    await http.close()


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Let each look-up of a name answer with the next of these addresses, and the last one from then on."""
    left = list(answers)

    def look_up(_: str, port: int, *__: Any) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


async def test_the_address_is_checked_when_the_connection_is_made(
    closed: GuardedHttp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.base.rpartition(":")[2]
    leads_to(monkeypatch, "127.0.0.1")
    for url in (
        f"http://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
        f"http://inside.example:{port}/",
        f"https://inside.example:{port}/",
        f"https://2130706433:{port}/",
        f"https://[::ffff:127.0.0.1]:{port}/",
    ):
        answer = await closed(url, {}, b"{}")
        assert answer.status is None, url
        assert answer.error is not None, url
        assert answer.error.startswith("the address "), (url, answer)
    assert not receiver.received


async def test_a_name_that_leads_elsewhere_later_is_checked_again(
    opened: GuardedHttp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.base.rpartition(":")[2]
    leads_to(monkeypatch, "127.0.0.1", "169.254.169.254")
    first = await opened(f"http://one.example:{port}/", {}, b"{}")
    second = await opened(f"http://two.example:{port}/", {}, b"{}")
    assert first.status == 204
    assert (second.status, second.error is not None) == (None, True)


async def test_a_redirect_is_a_failure_and_is_not_followed(
    opened: GuardedHttp, receiver: Receiver
) -> None:
    receiver.replies["/a"] = answering(302, Location=receiver.url("/inside"))
    answer = await opened(receiver.url("/a"), {}, b"{}")
    assert (answer.status, answer.is_success) == (302, False)
    assert list(receiver.received) == ["/a"]


async def test_no_proxy_of_the_environment_is_used(
    opened: GuardedHttp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url("/proxy"))
    monkeypatch.setenv("http_proxy", receiver.url("/proxy"))
    assert (await opened(receiver.url("/a"), {}, b"{}")).status == 204
    assert list(receiver.received) == ["/a"]


async def test_a_long_answer_is_read_at_its_beginning_only(
    opened: GuardedHttp, receiver: Receiver
) -> None:
    receiver.replies["/a"] = answering(200, "é" * 2**20)
    answer = await opened(receiver.url("/a"), {}, b"{}")
    assert answer.body == "é" * 512


async def test_what_is_no_answer_has_a_reason(opened: GuardedHttp) -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert (await opened(f"http://127.0.0.1:{port}/", {}, b"{}")).error == "the answer is not HTTP"
    server.close()
    await server.wait_closed()
    assert (await opened(f"http://127.0.0.1:{port}/", {}, b"{}")).error == "no connection"
    gone = await opened("http://nobody.invalid/", {}, b"{}")
    assert gone.error == "the name of the host is not found"
