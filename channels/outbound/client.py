"""The client that sends outbound requests: pools of connections, every new connection guarded.

The guard is the factory of sockets, which aiohttp calls with the address that it is about to connect to. So what is
checked is what is connected to, whatever a name resolved to a moment before.
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from channels.outbound.addresses import Network, address_of, may_connect
from channels.outbound.errors import AddressRefused, OutboundError, Unreachable
from channels.outbound.resolver import OwnThreadsResolver

CONNECT_SECONDS: Final = 5.0
"""For a connection to one address of a name, TLS included."""
_HEADERS: Final = {
    "User-Agent": "channel-layer",
    # A compressed response could be a thousand times as large as what was sent, so none is decompressed.
    "Accept-Encoding": "identity",
}
_REFUSED: Final = "the address is not allowed: it is not public, or takes no https"
# The same text for every address: where the library joins the errors of several addresses, each has it.
_UNREADABLE: Final = "the address cannot be read"


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A response. `body` holds the first bytes, as they were sent; `is_cut`: there were more than the client reads."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case; the first of several."""
    body: bytes
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(slots=True, kw_only=True)
class OutboundClient:
    """Sends the requests of one use."""

    networks: Collection[Network] | None
    """The networks inside that requests may reach, by http too. None: any address, for one that the operator chose."""
    timeout_seconds: float
    """From the call until the response is read, the wait for a connection included."""
    response_bytes: int
    """Of a response's body that are read."""
    connections: int = 0
    """Open connections for each of http and https; further requests wait for one. 0: the caller bounds its requests."""
    connections_per_host: int = 0
    idle_seconds: float = 15.0
    """How long an idle connection is kept."""
    _resolver: OwnThreadsResolver | None = field(default=None, init=False)
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict, init=False)
    """By whether their connections are encrypted: the factory of sockets is given an address alone."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutboundResponse:
        """Send a POST, and return its response, whatever its status; a redirect is a response too.

        Not repeated by itself. Raises: AddressRefused; Unreachable.
        """
        return await self._send("POST", url, headers, body)

    async def get(self, url: str, headers: Mapping[str, str]) -> OutboundResponse:
        """Send a GET, and return its response as `post` does. Raises: AddressRefused; Unreachable."""
        return await self._send("GET", url, headers, None)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> OutboundResponse:
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds, sock_connect=CONNECT_SECONDS)
        try:
            session = self._session(urlsplit(url).scheme == "https")
            async with session.request(
                method, url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                found: dict[str, str] = {}
                for name, value in response.headers.items():
                    found.setdefault(name.lower(), value)
                read = await _beginning_of(response.content, self.response_bytes + 1)
                is_cut = len(read) > self.response_bytes
                if is_cut:
                    # The rest is not read, so the connection cannot be used again.
                    response.close()
                return OutboundResponse(response.status, found, read[: self.response_bytes], is_cut)
        # ValueError: no URL, or one that no request can have; OSError: the connection ended, or time is up.
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise self._failure_of(error) from error

    @property
    def is_open(self) -> bool:
        """Whether a request was sent since the start, or since `close`."""
        return bool(self._sessions)

    async def close(self) -> None:
        """Close all connections. A later request opens new ones."""
        sessions, resolver = list(self._sessions.values()), self._resolver
        self._sessions.clear()
        self._resolver = None
        for session in sessions:
            await session.close()
        if resolver is not None:
            await resolver.close()

    def _session(self, is_encrypted: bool) -> aiohttp.ClientSession:
        # At the first request, since it belongs to the event loop; and most deployments send none.
        session = self._sessions.get(is_encrypted)
        if session is None:
            self._resolver = self._resolver or OwnThreadsResolver()
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                socket_factory=partial(self._guarded_socket, is_encrypted),
                limit=self.connections,
                limit_per_host=self.connections_per_host,
                keepalive_timeout=self.idle_seconds,
            )
            session = self._sessions[is_encrypted] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers=_HEADERS,
            )
        return session

    def _guarded_socket(self, is_encrypted: bool, address_info: Any) -> socket.socket:
        """A socket for a connection to this address. Raises: OSError."""
        family, kind, protocol, _, target = address_info
        if self.networks is not None:
            address = address_of(str(target[0]))
            if address is None or not may_connect(
                address, self.networks, is_encrypted=is_encrypted
            ):
                raise OSError(_REFUSED)  # as the library expects of a socket
        return socket.socket(family, kind, protocol)

    def _failure_of(self, error: Exception) -> OutboundError:
        """The reason in words of ours. The library's words name addresses, so only an operator reads them."""
        # One of several addresses may be refused: the library joins the texts of their errors then.
        if isinstance(error, aiohttp.ClientConnectorError) and _REFUSED in str(error.os_error):
            return AddressRefused(_REFUSED)
        reason = self._reason_of(error)
        if reason is None:
            return AddressRefused(_UNREADABLE)
        return Unreachable(
            f"{reason} ({error})" if self.networks is None and str(error) else reason
        )

    def _reason_of(self, error: Exception) -> str | None:
        """Why there is no response; None: the address cannot be read."""
        match error:
            case aiohttp.ConnectionTimeoutError():
                return f"no connection within {CONNECT_SECONDS:g} seconds"
            case TimeoutError():
                return f"no answer within {self.timeout_seconds:g} seconds"
            case aiohttp.ClientConnectorDNSError() | socket.gaierror():
                return "the name of the host is not found"
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return "no trusted TLS connection"
            case aiohttp.ClientConnectorError():
                return "no connection"
            case aiohttp.ClientConnectionError() | ConnectionError():
                return "the connection was closed before the answer"
            # After the errors of TLS, some of which are `ValueError`s too.
            case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
                return None
            case _:
                return "the answer is not HTTP"


async def _beginning_of(content: aiohttp.StreamReader, most_bytes: int) -> bytes:
    """The first bytes of a response."""
    parts = bytearray()
    while len(parts) < most_bytes:
        part = await content.read(most_bytes - len(parts))
        if not part:
            break
        parts += part
        await asyncio.sleep(0)  # a fast sender must not hold the event loop
    return bytes(parts)
