"""Outbound requests: which addresses they reach, wherever a name leads, and what bounds them."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from threading import Event
from typing import Any

import pytest

from channels.outbound.client import OutboundClient
from channels.outbound.errors import AddressRefused, OutboundError, Unreachable
from tests.channels.webhooks.receiver import Receiver, a_receiver, answering, hanging

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1")]
REFUSED = "the address is not allowed: it is not public, or takes no https"

Clients = Callable[..., OutboundClient]


@pytest.fixture
async def client() -> AsyncIterator[Clients]:
    made: list[OutboundClient] = []

    def make(networks: Any = LOOPBACK, **more: Any) -> OutboundClient:
        bounds = {"timeout_seconds": 20.0, "response_bytes": 1_024, **more}
        made.append(OutboundClient(networks=networks, **bounds))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """Let each look-up of a name answer with the next of these addresses, and the last one from then on."""
    left = list(answers)

    def look_up(_: str, port: int, *__: Any) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


async def failure(client: OutboundClient, url: str) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await client.post(url, b"{}", {})
    return caught.value


async def test_the_address_is_checked_when_the_connection_is_made(
    client: Clients, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.base.rpartition(":")[2]
    leads_to(monkeypatch, "127.0.0.1")
    for url in (
        f"http://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/",
        f"http://inside.example:{port}/",
        f"https://inside.example:{port}/",
        f"https://0x7f000001:{port}/",
        f"https://[::ffff:127.0.0.1]:{port}/",
        f"https://[::1]:{port}/",
    ):
        for others in ((), [ip_network("10.0.0.0/8")]):
            refused = await failure(client(others), url)
            assert (type(refused), str(refused)) == (AddressRefused, REFUSED), url
    assert not receiver.received
    for networks in (LOOPBACK, None):
        for host in ("127.0.0.1", "inside.example"):
            response = await client(networks).post(f"http://{host}:{port}/in", b"", {})
            assert response.is_success
    assert len(receiver.received["/in"]) == 4


async def test_a_name_of_several_addresses_inside_is_refused(
    client: Clients, receiver: Receiver
) -> None:
    port = receiver.base.rpartition(":")[2]
    assert isinstance(await failure(client(()), f"http://localhost:{port}/"), AddressRefused)
    assert (await client().post(f"http://localhost:{port}/", b"", {})).status == 204


async def test_a_public_address_is_not_called_by_http(client: Clients) -> None:
    for networks in ((), LOOPBACK):
        assert str(await failure(client(networks), "http://192.0.3.1/")) == REFUSED


async def test_a_name_that_leads_elsewhere_later_is_checked_again(
    client: Clients, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.base.rpartition(":")[2]
    leads_to(monkeypatch, "127.0.0.1", "169.254.169.254")
    opened = client()
    assert (await opened.post(f"http://one.example:{port}/", b"{}", {})).status == 204
    assert isinstance(await failure(opened, f"http://two.example:{port}/"), AddressRefused)


async def test_a_redirect_is_a_response_and_is_not_followed(
    client: Clients, receiver: Receiver
) -> None:
    receiver.replies["/a"] = answering(302, Location=receiver.url("/inside"))
    response = await client().post(receiver.url("/a"), b"{}", {})
    assert (response.status, response.is_success) == (302, False)
    assert response.headers["location"] == receiver.url("/inside")
    assert list(receiver.received) == ["/a"]


async def test_no_proxy_and_no_cookie_is_used(
    client: Clients, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", receiver.url("/proxy"))
    monkeypatch.setenv("http_proxy", receiver.url("/proxy"))
    receiver.replies["/a"] = answering(200, Set_Cookie="one=1")
    opened = client()
    for _ in range(2):
        assert (await opened.post(receiver.url("/a"), b"{}", {})).status == 200
    assert list(receiver.received) == ["/a"]
    assert "cookie" not in receiver.received["/a"][1].headers
    assert receiver.received["/a"][0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("more", [0, 1])
async def test_a_response_is_read_up_to_its_bound(
    client: Clients, receiver: Receiver, more: int
) -> None:
    receiver.replies["/a"] = answering(200, "x" * (3_000 + more))
    response = await client(response_bytes=3_000).post(receiver.url("/a"), b"", {})
    assert (len(response.body), response.is_cut) == (3_000, bool(more))


async def test_a_response_is_not_decompressed(client: Clients) -> None:
    body = gzip.compress(b"x" * 10_000)

    async def compressed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    async with await asyncio.start_server(compressed, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await client().post(f"http://127.0.0.1:{port}/", b"", {})).body == body


async def test_what_is_no_answer_has_a_reason_that_names_no_address(
    client: Clients, receiver: Receiver
) -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    receiver.replies["/hanging"] = hanging
    opened, hasty = client(), client(timeout_seconds=0.3)
    found = {
        "the answer is not HTTP": await failure(opened, f"http://127.0.0.1:{port}/"),
        "no trusted TLS connection": await failure(
            opened, receiver.base.replace("http:", "https:")
        ),
        "the name of the host is not found": await failure(opened, "http://nobody.invalid/"),
        "no answer within 0.3 seconds": await failure(hasty, receiver.url("/hanging")),
    }
    server.close()
    await server.wait_closed()
    found["no connection"] = await failure(opened, f"http://127.0.0.1:{port}/")
    for reason, error in found.items():
        assert (type(error), str(error)) == (Unreachable, reason)
    for url in (
        "nowhere",
        "http://",
        "ftp://127.0.0.1/",
        "http://[",
        "http://2130706433/",
    ):
        unread = await failure(opened, url)
        assert (type(unread), str(unread)) == (AddressRefused, "the address cannot be read"), url
    # The operator, who chose the address, may read what the library says.
    told = str(await failure(client(None), f"http://127.0.0.1:{port}/"))
    assert told.startswith("no connection (")
    assert str(port) in told


async def test_a_look_up_that_hangs_holds_up_no_other_client_and_no_end(
    client: Clients, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()
    port = int(receiver.base.rpartition(":")[2])

    def look_up(host: str, *_: Any) -> list[Any]:
        if host == "hangs.example":
            released.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    stuck, other = client(timeout_seconds=0.3), client()
    try:
        waiting = [failure(stuck, f"http://hangs.example:{port}/{n}") for n in range(40)]
        for error in await asyncio.gather(*waiting):
            assert str(error) == "no answer within 0.3 seconds"
        assert (await other.post(f"http://fine.example:{port}/", b"", {})).status == 204
        async with asyncio.timeout(5):
            await stuck.close()
    finally:
        released.set()


async def test_a_client_that_was_closed_opens_again(client: Clients, receiver: Receiver) -> None:
    used = client()
    assert not used.is_open
    for _ in range(2):
        assert (await used.post(receiver.url("/a"), b"", {})).status == 204
        assert used.is_open
        await used.close()
        assert not used.is_open
