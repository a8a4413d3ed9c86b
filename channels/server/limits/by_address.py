"""Limits for requests without a valid token, by their address: requests a second, sockets, downloads.

Promises:
    Public pages, uploads loaded by their id, unknown paths and bad tokens count for the address. Requests with a token
    that was valid before do not, so users who share an address with a flood are not affected.
    An address beyond its limit is refused before a signature is checked, a page rendered or the database asked.
    An address has `AT_ONCE` public pages and chunks of files looked up at once. Its further ones wait, and no others.
    A page that must be rendered costs an address more than a cached one: beyond `RENDERS_PER_SECOND` it waits, up to
    `RENDER_WAIT_SECONDS`.
    Health, readiness and metrics have a rate of their own, so monitoring works from an address that floods the server.

An IPv6 address counts as its network of 64 bits, which is what one customer has. `X-Forwarded-For` is trusted from the
proxies that the settings name, and from no others.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import structlog
from aiohttp import web
from pydantic import IPvAnyNetwork

from channels.server.limits.concurrency import ConcurrencyLimit, Place
from channels.server.limits.rate_limit import TokenBuckets
from groups.kernel.errors import RateLimit

_FORWARDED: Final = "X-Forwarded-For"
ADDRESS_LENGTH: Final = 64  # characters: no address is longer
_NOWHERE: Final = "unknown"
AT_ONCE: Final = 4
"""Enough to keep the process busy while the database works. More would only lengthen the queue of all."""
MOST_WAITING: Final = 500  # for one address, which may be a proxy of many visitors
RENDERS_PER_SECOND: Final = 20  # each takes 3 to 15 ms of a processor
RENDER_WAIT_SECONDS: Final = 5.0
PROBES_PER_SECOND: Final = 100  # of health, readiness and metrics together
PROBE_WAIT_SECONDS: Final = 2.0  # less than load balancers wait for a response

log = structlog.get_logger("channels.http")


class AddressLimits:
    """The limits of each address. A limit of 0 is none."""

    def __init__(
        self,
        per_second: int,
        sockets: int,
        transfers: int,
        *,
        trusted_proxies: Sequence[IPvAnyNetwork] = (),
    ) -> None:
        self.buckets = TokenBuckets(RateLimit("address", per_second)) if per_second else None
        self._sockets = ConcurrencyLimit(sockets, "sockets of one address without a token")
        self._downloads = ConcurrencyLimit(transfers, "downloads of one address")
        self.requests = ConcurrencyLimit(
            AT_ONCE, "pages and files of one address", most_waiting=MOST_WAITING
        )
        """Requests without a token, by `address_of`: public pages, and files loaded by their id."""
        self._responses = ConcurrencyLimit(AT_ONCE, "responses to one address in one turn")
        self._renders = TokenBuckets(RateLimit("drawings", RENDERS_PER_SECOND))
        self._probes = TokenBuckets(RateLimit("probes", PROBES_PER_SECOND))
        self._trusted = tuple(trusted_proxies)
        self._has_warned = False

    def take(self, request: web.BaseRequest) -> None:
        if self.buckets is not None:
            self.buckets.take(self.address_of(request))

    def check(self, request: web.BaseRequest) -> None:
        """Raise RateLimited as `take` would, without counting."""
        if self.buckets is not None:
            self.buckets.check(self.address_of(request))

    async def acquire_chunk(self, request: web.BaseRequest) -> Place:
        """Wait for a place to read the next chunk of a file. `acquire_download` bounds how many wait."""
        return await self.requests.acquire(self.address_of(request), is_bounded=False)

    async def take_render(self, request: web.BaseRequest) -> bool:
        """Count one rendered page, and wait for the address's rate. Returns whether it waited. Raises: RateLimited."""
        return await self._wait(self._renders, RENDER_WAIT_SECONDS, request)

    async def take_probe(self, request: web.BaseRequest) -> None:
        """Count one probe, and wait for the address's rate. Raises: RateLimited."""
        await self._wait(self._probes, PROBE_WAIT_SECONDS, request)

    async def _wait(
        self, buckets: TokenBuckets, most_seconds: float, request: web.BaseRequest
    ) -> bool:
        if self.buckets is None:
            return False
        seconds = buckets.reserve(self.address_of(request), most_seconds)
        if seconds:
            await asyncio.sleep(seconds)
        return seconds > 0

    async def pace(self, request: web.BaseRequest) -> None:
        """Wait until the address may have one more response in this turn of the event loop.

        It has `AT_ONCE` in each turn, so a hundred of its connections do not delay the steps of other requests.
        """
        place = await self._responses.acquire(self.address_of(request), is_bounded=False)
        asyncio.get_running_loop().call_soon(place.release)

    def acquire_socket(self, request: web.BaseRequest) -> Place:
        """Take a place of the address for a socket that is not authenticated yet. Raises: RateLimited."""
        return self._sockets.acquire_now(self.address_of(request))

    def acquire_download(self, request: web.BaseRequest) -> Place:
        """Take a place of the address for a download. Raises: RateLimited."""
        return self._downloads.acquire_now(self.address_of(request))

    def address_of(self, request: web.BaseRequest) -> str:
        """The client's address or network. Behind trusted proxies it is the one that they report."""
        remote = _parsed(request.remote or "")
        if remote is None:
            return _NOWHERE
        lines = request.headers.getall(_FORWARDED, ())
        if lines and not self._is_trusted(remote):
            self._warn(remote)
        elif lines:
            # Each proxy appends its client. Entries before the last untrusted address may be forged.
            for entry in reversed(",".join(lines).split(",")):
                client = _parsed(entry.strip()[:ADDRESS_LENGTH])
                if client is None:
                    break
                remote = client
                if not self._is_trusted(remote):
                    break
        return _counted_as(remote)

    def address_of_peer(self, peer: str) -> str | None:
        """The address or network that a connection counts for; None for a trusted proxy."""
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
                "a proxy is not in CHANNELS_TRUSTED_PROXIES: all its clients count as one address",
                proxy=str(remote),
            )


@lru_cache(maxsize=4_096)  # 2 MB
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address, without the port that some proxies add; None when there is none."""
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
