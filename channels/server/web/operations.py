"""Operations pages: health, readiness, metrics, and the descriptions of API and socket for tools.

Promises:
    The database is pinged and the metrics are rendered at most once in `PROBE_SECONDS`, however many requests come.
    Health, readiness and metrics have a rate of their own for each address (`AddressLimits.take_probe`). With a metrics
    token, metrics require it and are not limited; health and readiness stay open.
"""

import asyncio
import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import orjson
from aiohttp import hdrs, web

from channels.console.assets import Asset
from channels.server.limits.by_address import AddressLimits
from channels.server.metrics import Metrics
from channels.server.tokens import BadToken
from channels.server.web.pages.static import packed
from channels.server.web.request import Request
from channels.server.web.responses import json_response
from channels.server.web.router import Handler, Parameters, Router
from channels.server.web.single_flight import CachedValue
from groups.kernel.errors import Unavailable
from groups.kernel.event_bus import EventBus
from groups.kernel.mongo import Database

T = TypeVar("T")

PROBE_SECONDS: Final = 1.0
_ASSET_HEADERS: Final = {"X-Content-Type-Options": "nosniff", hdrs.CACHE_CONTROL: "no-cache"}
_METRICS_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/plain; version=0.0.4; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
}


class OperationsPages:
    """The operations pages. None of them needs a user's token.

    `describe` makes the documents for tools, by their paths.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        metrics: Metrics,
        addresses: AddressLimits,
        describe: Mapping[str, Callable[[], dict[str, Any]]],
        *,
        metrics_token: str | None = None,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        self._bus = bus
        self._addresses = addresses
        metrics.events_reach.set_function(lambda: bus.is_running)
        self._metrics_token = metrics_token.encode() if metrics_token is not None else None
        self._reached: CachedValue[None] = CachedValue(database.ping, probe_seconds)
        self._metrics = CachedValue(_beside(metrics.text), probe_seconds)
        # Made at the first request: one takes some tenths of a second.
        self._descriptions = {
            path: CachedValue(_beside(partial(_described, make)), math.inf)
            for path, make in describe.items()
        }
        self.is_stopping = False

    def mount(self, router: Router) -> None:
        probes: dict[str, Handler] = {
            "/healthz": self._show_health,
            "/readyz": self._show_readiness,
            "/metrics": self._show_metrics,
        }
        for method in ("GET", "HEAD"):
            for path, handler in probes.items():
                router.add(method, path, handler, is_counted=False)
            for path, description in self._descriptions.items():
                router.add(method, path, partial(_show_description, description))

    async def _show_health(self, request: Request, parameters: Parameters) -> web.StreamResponse:
        await self._addresses.take_probe(request)
        return json_response(request, 200, b'{"status":"ok"}')

    async def _show_readiness(self, request: Request, parameters: Parameters) -> web.StreamResponse:
        await self._addresses.take_probe(request)
        if self.is_stopping:
            raise Unavailable("The server is stopping")
        if not self._bus.is_running:
            raise Unavailable("Events do not reach this process")
        await self._reached.get()
        return json_response(request, 200, b'{"status":"ready"}')

    async def _show_metrics(self, request: Request, parameters: Parameters) -> web.StreamResponse:
        if self._metrics_token is None:
            await self._addresses.take_probe(request)
        else:
            self._check_metrics_token(request, self._metrics_token)
        return web.Response(body=await self._metrics.get(), headers=_METRICS_HEADERS)

    def _check_metrics_token(self, request: Request, token: bytes) -> None:
        scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        is_good = hmac.compare_digest(given.strip().encode(errors="replace"), token)
        if scheme.lower() != "bearer" or not is_good:
            self._addresses.take(request)
            raise BadToken("Send the metrics token: `Authorization: Bearer <token>`")


async def _show_description(
    description: CachedValue[Asset], request: Request, parameters: Parameters
) -> web.StreamResponse:
    return packed(request, await description.get(), _ASSET_HEADERS)


def _beside(make: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """The same beside the event loop."""
    return partial(asyncio.to_thread, make)


def _described(describe: Callable[[], dict[str, Any]]) -> Asset:
    return Asset.of("application/json", orjson.dumps(describe()))
