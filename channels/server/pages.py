"""What the server answers about itself: health, readiness, metrics, the API's description and its documentation."""

import asyncio
import importlib.resources
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web

from channels.console.assets import compressed
from channels.server.metrics import Metrics
from channels.server.router import Parameters, Router
from channels.server.webapp import packed
from groups.kernel.bus import Bus
from groups.kernel.errors import Unavailable
from groups.kernel.mongo import Database

_DOCS: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Channel layer: API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
_START: Final = """window.ui = SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: true
});
"""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self' data:"
)
_ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}


class Pages:
    """The server about itself; none of it needs a token."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        metrics: Metrics,
        describe: Callable[[], dict[str, Any]],
    ) -> None:
        self._database = database
        self._bus = bus
        self._metrics = metrics
        metrics.events_reach.set_function(lambda: bus.is_running)
        self._describe = describe
        self._openapi: tuple[bytes, bytes | None] | None = None  # until somebody asks
        self.is_stopping = False

    def mount(self, router: Router) -> None:
        """Answer at the pages' paths."""
        pages = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._show_metrics,
            "/openapi.json": self._show_openapi,
            "/docs": self._docs,
            "/docs/start.js": self._start,
            "/docs/{asset}": self._asset,
        }
        for path, handler in pages.items():
            for method in ("GET", "HEAD"):
                router.add(method, path, handler)

    async def _health(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        if self.is_stopping:
            raise Unavailable("The server is stopping")
        if not self._bus.is_running:
            raise Unavailable("Events do not reach this process")
        await self._database.ping()
        return web.json_response({"status": "ready"})

    async def _show_metrics(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        return web.Response(
            body=self._metrics.text(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def _show_openapi(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        if self._openapi is None:
            # Beside the loop: it takes a tenth of a second, at a start and for everybody else who asks something.
            self._openapi = await asyncio.to_thread(self._made_openapi)
        headers = {"Cache-Control": "no-cache"}
        return packed(request, *self._openapi, "application/json", headers)

    def _made_openapi(self) -> tuple[bytes, bytes | None]:
        body = orjson.dumps(self._describe())
        return body, compressed(body)

    async def _docs(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        headers = {"Content-Security-Policy": _POLICY}
        return web.Response(text=_DOCS, content_type="text/html", headers=headers)

    async def _start(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        return web.Response(text=_START, content_type="text/javascript")

    async def _asset(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        name = parameters["asset"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        body, gzipped = _asset(name)
        headers = {"Cache-Control": "no-cache"}
        return packed(request, body, gzipped, _ASSETS[name], headers)


@cache
def _asset(name: str) -> tuple[bytes, bytes | None]:
    body = (importlib.resources.files("swagger_ui") / "static" / name).read_bytes()
    return body, compressed(body)
