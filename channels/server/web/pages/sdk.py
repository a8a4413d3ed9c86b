"""Serves the JavaScript SDK and the feed component to pages of any origin: `/sdk/channels.js`, `/sdk/channel-feed.js`.

Promises:
    Pages of every origin may load these files. They contain no user data; what a page may call with them is decided by
    `CHANNELS_ALLOWED_ORIGINS` as ever.
    An address without a version is one line that names the present version, and is asked for again each time (304
    while unchanged). The files of a version are below their digest and cached for ever. So a page never mixes two
    versions, and an upgrade of the server is an upgrade of the SDK.
"""

from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import Asset, load_sdk
from channels.console.sdk_package import sdk_package
from channels.server.web.pages.static import FOR_EVER, packed
from channels.server.web.router import Parameters, Router

ENTRIES: Final = {"channels.js": "channels.js", "channel-feed.js": "feed/channel_feed.js"}
"""The addresses without a version, and the files that they name."""
TYPES: Final = {"channels.d.ts": "types/channels.d.ts", "api.d.ts": "types/api.d.ts"}
"""The types, which developers download."""
PACKAGE: Final = "channels.tgz"
"""All of it, for `npm install` and bundlers."""
_HEADERS: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    # For pages that are isolated from other origins.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class SdkFiles:
    """The files of the SDK. They need no token and contain no user data."""

    def __init__(self) -> None:
        self._assets = load_sdk()
        self._named = {
            name: Asset.of("text/javascript", _entry(self._assets.digest, file).encode())
            for name, file in ENTRIES.items()
        } | {name: self._assets.files[file] for name, file in TYPES.items()}
        self._named[PACKAGE] = Asset.of("application/gzip", sdk_package())

    def mount(self, router: Router) -> None:
        # Not counted for the address: they are in memory, and a page loads several at once.
        for method in ("GET", "HEAD"):
            router.add(method, "/sdk/{name}", self._newest, is_counted=False)
            for path in ("/sdk/{digest}/{name}", "/sdk/{digest}/{part}/{name}"):
                router.add(method, path, self._file, is_counted=False)

    async def _newest(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        asset = self._named.get(parameters["name"])
        if asset is None:
            raise web.HTTPNotFound
        return packed(request, asset, {**_HEADERS, hdrs.CACHE_CONTROL: "no-cache"})

    async def _file(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        digest, *rest = parameters.values()
        asset = self._assets.files.get("/".join(rest))
        if asset is None or digest != self._assets.digest:
            raise web.HTTPNotFound
        return packed(request, asset, {**_HEADERS, hdrs.CACHE_CONTROL: FOR_EVER})


def _entry(digest: str, file: str) -> str:
    return f'export * from "./{digest}/{file}";\n'
