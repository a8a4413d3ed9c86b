"""Requests to addresses that strangers chose: webhooks. They never reach a network inside, unless it is allowed.

Promises:
    Checked where it counts: the address is checked when the connection to it is made (`socket_factory`), be it written
    in the URL, or what a name leads to at that moment.
    No way around: no redirect is followed, no proxy of the environment is used, no cookie is kept.
    Bounded: an attempt ends within `TIMEOUT_SECONDS`; of an answer `ANSWER_BYTES` are read, none is decompressed.
    Names are looked up in threads of their own, so that a resolver that hangs holds up nothing else.
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from channels.webhooks.limits import ANSWER_BYTES, TIMEOUT_SECONDS
from channels.webhooks.policy import Network, address_of, may_connect
from channels.webhooks.service.sending import ReceiverAnswer

USER_AGENT: Final = "channels-webhooks/1"
LOOKUP_THREADS: Final = 32
KEPT_SECONDS: Final = 15.0
"""How long an idle connection to a receiver is kept."""


class AddressRefused(OSError):
    """The name leads to an address inside, which is not allowed."""


class _Resolver(AbstractResolver):
    """Looks up names as the machine does, in a few threads of its own."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class GuardedHttp:
    """Sends to public addresses by https, and to the allowed networks by http too."""

    allowed: Collection[Network]
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict, init=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(LOOKUP_THREADS, "webhook-names"), init=False
    )

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> ReceiverAnswer:
        """POST the body. Raises nothing: an answer says what went wrong, without telling of addresses inside."""
        try:
            async with self._session(urlsplit(url).scheme == "https").post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                text = await _beginning_of(response)
                return ReceiverAnswer(
                    status=response.status,
                    body=text,
                    retry_after=response.headers.get("Retry-After"),
                )
        except TimeoutError:
            return ReceiverAnswer(error=f"no answer within {TIMEOUT_SECONDS:.0f} seconds")
        except (aiohttp.ClientError, OSError, ValueError, ssl.SSLError) as error:
            return ReceiverAnswer(error=_reason_of(error))

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
        # Without waiting: a resolver may hang.
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _session(self, is_encrypted: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(is_encrypted)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self._threads),
                socket_factory=partial(self._socket, is_encrypted),
                # The dispatcher bounds the requests at once.
                limit=0,
                keepalive_timeout=KEPT_SECONDS,
            )
            session = self._sessions[is_encrypted] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
                headers={"User-Agent": USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return session

    def _socket(self, is_encrypted: bool, info: Any) -> socket.socket:
        """A socket for a connection to this address. Raises: AddressRefused."""
        family, kind, protocol, _, target = info
        address = address_of(str(target[0]))
        if address is None or not may_connect(address, self.allowed, is_encrypted=is_encrypted):
            raise AddressRefused("the address is not allowed")
        return socket.socket(family, kind, protocol)


async def _beginning_of(response: aiohttp.ClientResponse) -> str:
    """The first bytes of the body as text. A connection with a longer one is closed."""
    read = bytearray()
    while len(read) < ANSWER_BYTES:
        part = await response.content.read(ANSWER_BYTES - len(read))
        if not part:
            break
        read += part
    if not response.content.at_eof():
        response.close()
    return read.decode(errors="replace")


def _reason_of(error: Exception) -> str:
    cause = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "the address cannot be read"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "the name of the host is not found"
    if isinstance(cause, AddressRefused) or "address is not allowed" in str(cause):
        return "the address is not allowed: it is not public, or takes no https"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "no trusted TLS connection"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection"
    if isinstance(error, aiohttp.ClientConnectionError | ConnectionError):
        return "the connection was closed before the answer"
    return "the answer is not HTTP"
