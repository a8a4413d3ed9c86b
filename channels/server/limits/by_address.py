"""Whoever shows no valid token is known by his address: how often he asks, how many sockets and files he has open.

Promises:
    Public pages, uploads loaded by their id, unknown paths and bad tokens count for the address; a request with a token
    that was found good before does not, so whoever shares an address with a flood goes on.
    An address beyond its bound is refused before a signature is checked, a page drawn or the database asked.
    An address has `AT_ONCE` public pages and pieces of files looked for at once; its next ones wait for those, and
    nobody else does.
    A page that must be drawn costs an address more than one that is kept: beyond `DRAWINGS_PER_SECOND` it waits, up to
    `DRAWING_WAIT_SECONDS`.
    Looking at health, readiness and metrics has a bound of its own: whoever watches the server is answered also where
    they share an address with a flood of other requests.

An IPv6 address counts as its network of 64 bits, which is what one customer has. What a proxy says of its clients in
`X-Forwarded-For` is believed of the proxies that the settings name, and of nobody else.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import structlog
from aiohttp import web
from pydantic import IPvAnyNetwork

from channels.server.limits.concurrency import ConcurrencyLimit, Turn, Turns
from channels.server.limits.rate_limit import Buckets
from groups.kernel.errors import RateLimit

_FORWARDED: Final = "X-Forwarded-For"
ADDRESS_LENGTH: Final = 64  # characters; none is longer, and what was read is remembered
_NOWHERE: Final = "unknown"
_REQUESTS: Final = "address"
_DRAWINGS: Final = "drawings"
_PROBES: Final = "probes"
AT_ONCE: Final = 4
"""As many as keep the process busy while the database answers; each further one only lengthens everybody's queue."""
MOST_WAITING: Final = (
    500  # of one address: of a thousand who come at once through one proxy, most find it served
)
DRAWINGS_PER_SECOND: Final = 20  # at 3 to 15 ms of a processor each
DRAWING_WAIT_SECONDS: Final = 5.0
PROBES_PER_SECOND: Final = 100  # of health, readiness and metrics together
PROBE_WAIT_SECONDS: Final = 2.0  # less than a balancer waits for its answer

log = structlog.get_logger("channels.http")


class AddressLimits:
    """The addresses that requests without a valid token come from; a bound of 0 is none."""

    def __init__(
        self,
        per_second: int,
        sockets: int,
        transfers: int,
        *,
        trusted_proxies: Sequence[IPvAnyNetwork] = (),
    ) -> None:
        self.buckets = Buckets(RateLimit(_REQUESTS, per_second)) if per_second else None
        self._sockets = ConcurrencyLimit(sockets, "sockets of one address without a token")
        self._transfers = ConcurrencyLimit(transfers, "files loaded by one address")
        self._turns = Turns(AT_ONCE, MOST_WAITING, "pages and files asked for by one address")
        self._paces = Turns(AT_ONCE, 0, "answers to one address in one turn of the event loop")
        self._drawings = Buckets(RateLimit(_DRAWINGS, DRAWINGS_PER_SECOND)) if per_second else None
        self._probes = Buckets(RateLimit(_PROBES, PROBES_PER_SECOND)) if per_second else None
        self._trusted = tuple(trusted_proxies)
        self._has_warned = False

    def take(self, request: web.BaseRequest) -> None:
        """Count one request of the address.

        Raises: RateLimited.
        """
        if self.buckets is not None:
            self.buckets.take(self.address_of(request))

    def check(self, request: web.BaseRequest) -> None:
        """Refuse where `take` would, and count nothing.

        Raises: RateLimited.
        """
        if self.buckets is not None:
            self.buckets.check(self.address_of(request))

    async def turn_of(self, request: web.BaseRequest) -> Turn:
        """The address's turn to have a public page or a file looked for, once it has come.

        Raises: RateLimited where too many wait already.
        """
        return await self._turns.next_of(self.address_of(request))

    async def piece_of(self, request: web.BaseRequest) -> Turn:
        """The address's turn to have the next piece of a file read, once it has come.

        How many wait is bounded by `transfer_of`.
        """
        return await self._turns.next_of(self.address_of(request), is_bounded=False)

    async def take_drawing(self, request: web.BaseRequest) -> bool:
        """Count one page that is drawn for the address, and wait until it may have that; whether it had to wait.

        Raises: RateLimited where it is more than `DRAWING_WAIT_SECONDS` away.
        """
        return await self._wait(self._drawings, DRAWING_WAIT_SECONDS, request)

    async def take_probe(self, request: web.BaseRequest) -> None:
        """Count one look at health, readiness or metrics, and wait until the address may have that.

        Raises: RateLimited where it is more than `PROBE_WAIT_SECONDS` away.
        """
        await self._wait(self._probes, PROBE_WAIT_SECONDS, request)

    async def _wait(
        self, buckets: Buckets | None, most_seconds: float, request: web.BaseRequest
    ) -> bool:
        if buckets is None:
            return False
        seconds = buckets.reserve(self.address_of(request), most_seconds)
        if seconds:
            await asyncio.sleep(seconds)
        return seconds > 0

    async def pace(self, request: web.BaseRequest) -> None:
        """Wait until the address may have one more answer in this turn of the event loop.

        It has `AT_ONCE` in each, so those of a hundred connections do not come between two steps of another's request.
        """
        turn = await self._paces.next_of(self.address_of(request), is_bounded=False)
        asyncio.get_running_loop().call_soon(turn.end)

    def socket_of(self, request: web.BaseRequest) -> AbstractContextManager[None]:
        """One of the places that the address has for sockets which have not said whose they are.

        Raises, when entered: RateLimited.
        """
        return self._sockets.one_of(self.address_of(request))

    def transfer_of(self, request: web.BaseRequest) -> AbstractContextManager[None]:
        """One of the places that the address has for files which it loads without a token.

        Raises, when entered: RateLimited.
        """
        return self._transfers.one_of(self.address_of(request))

    def address_of(self, request: web.BaseRequest) -> str:
        """The client's address, or network; behind trusted proxies the one that they name."""
        remote = _parsed(request.remote or "")
        if remote is None:
            return _NOWHERE
        lines = request.headers.getall(_FORWARDED, ())
        if lines and not self._is_trusted(remote):
            self._warn(remote)
        elif lines:
            # Each proxy adds at the end who asked it; what stands before the last stranger, he may have made up.
            for said in reversed(",".join(lines).split(",")):
                client = _parsed(said.strip()[:ADDRESS_LENGTH])
                if client is None:
                    break
                remote = client
                if not self._is_trusted(remote):
                    break
        return _counted_as(remote)

    def address_of_peer(self, peer: str) -> str | None:
        """The address, or network, that a connection from there counts for; None: a trusted proxy's."""
        remote = _parsed(peer)
        if remote is None:
            return _NOWHERE
        return None if self._is_trusted(remote) else _counted_as(remote)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)

    def _warn(self, remote: IPv4Address | IPv6Address) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "a proxy that CHANNELS_TRUSTED_PROXIES does not name: all its clients count as one address",
                proxy=str(remote),
            )


@lru_cache(maxsize=4_096)  # 2 MB
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address, which some proxies write with a port; None where there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4_096)  # 2 MB
def _counted_as(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, 64), strict=False))
