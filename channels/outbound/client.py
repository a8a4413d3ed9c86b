"""The client that sends outbound requests: one pool of connections, every new connection guarded.

The guard is the factory of sockets, which aiohttp calls with the address that it is about to connect to. So what is
checked is what is connected to, whatever a name resolved to a moment before.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from channels.outbound.addresses import Network, is_allowed, parse_address
from channels.outbound.errors import AddressRefused, Unreachable

CONNECTIONS: Final = 200
"""Open connections of one client; further requests wait for one, within their time."""
CONNECTIONS_PER_HOST: Final = 50
TIMEOUT_SECONDS: Final = 20.0
"""From the call until the response is read."""
CONNECT_SECONDS: Final = 5.0
RESPONSE_BYTES: Final = 64 * 1024
_IDLE_SECONDS: Final = 60.0
_REFUSED: Final = "the address is inside of a network; CHANNELS_OUTBOUND_NETWORKS allows requests to networks of yours"
# The same text for every address, or the library would replace several refusals by an error of its own.


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A response. `body` holds the first `RESPONSE_BYTES` at most, as they were sent; `is_cut`: there were more."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case; the first of several."""
    body: bytes
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _Refused(OSError):
    """Raised where the library expects the errors of a socket."""


@dataclass(slots=True)
class OutboundClient:
    """Sends requests. `networks` None: to any address, for addresses that the operator chose."""

    networks: Sequence[Network] | None = ()
    timeout_seconds: float = TIMEOUT_SECONDS
    connections: int = CONNECTIONS
    connections_per_host: int = CONNECTIONS_PER_HOST
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_seconds: float | None = None,
    ) -> OutboundResponse:
        """Send a POST, and return its response, whatever its status; a redirect is a response too.

        Not repeated by itself. Raises: AddressRefused; Unreachable.
        """
        timeout = aiohttp.ClientTimeout(
            total=timeout_seconds or self.timeout_seconds, sock_connect=CONNECT_SECONDS
        )
        try:
            async with self._opened().post(
                url, data=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                read = await _read(response.content)
                found: dict[str, str] = {}
                for name, value in response.headers.items():
                    found.setdefault(name.lower(), value)
                if len(read) > RESPONSE_BYTES:
                    # The rest is not read, so the connection cannot be used again.
                    response.close()
                return OutboundResponse(
                    response.status, found, read[:RESPONSE_BYTES], len(read) > RESPONSE_BYTES
                )
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Refused):
                raise AddressRefused(_REFUSED) from None
            raise Unreachable(str(error) or type(error).__name__) from error
        except TimeoutError as error:
            raise Unreachable("no response in time") from error
        # ValueError: no URL, or one that no request can have; OSError: the connection ended.
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close all connections. A later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # At the first request, since it belongs to the event loop; and most deployments send none.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self.connections,
                limit_per_host=self.connections_per_host,
                keepalive_timeout=_IDLE_SECONDS,
                socket_factory=self._guarded_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                # A compressed response could be a thousand times as large as what was sent.
                auto_decompress=False,
                skip_auto_headers=("User-Agent",),
                headers={"User-Agent": "channel-layer"},
            )
        return self._session

    def _guarded_socket(self, address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if self.networks is not None and not is_allowed(parse_address(address[0]), self.networks):
            raise _Refused(_REFUSED)
        return socket.socket(family, kind, protocol)


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The first bytes of a response, one more than `RESPONSE_BYTES` at most."""
    parts = bytearray()
    while len(parts) <= RESPONSE_BYTES:
        part = await content.read(RESPONSE_BYTES + 1 - len(parts))
        if not part:
            break
        parts += part
        await asyncio.sleep(0)  # a fast sender must not hold the event loop
    return bytes(parts)
