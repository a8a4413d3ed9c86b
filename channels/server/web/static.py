"""Serves the web app: one page at the paths that its scripts know, and its files.

Promises:
    A page may run, load and call only what this server serves (`POLICY`). Text never becomes markup or script, even if
    a script has a mistake (Trusted Types).
    The service worker is at a fixed address. It loads nothing.
    Images of other hosts are not loaded: such a host would learn who reads which channel. The app shows initials
    instead.
    The page is revalidated each time (304 while unchanged). The files are cached for ever under their digest.
"""

from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import Asset, load_assets
from channels.console.shell import shell
from channels.limits import Limits
from channels.server.web.router import Parameters, Router

PAGES: Final = (
    "/",
    "/find",
    "/search",
    "/feed",
    "/channels/{channel_id}",
    "/chats/{group_id}",
    "/with/{peer_id}",
    "/folders/{name}",
    "/console",
    "/console/new",
    "/console/webhooks",
    "/console/channels/{channel_id}",
    "/console/channels/{channel_id}/{part}",
)
"""The paths of the app's views, all served by one page; `js/router.js` has the same list."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types service-worker"
)
"""The one maker of trusted texts gives the address of the service worker, and nothing else."""
WORKER_POLICY: Final = "default-src 'none'"
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"


class WebApp:
    """The web app. It needs no token and contains no user data."""

    def __init__(self, limits: Limits, *, has_public_pages: bool, has_demo: bool = False) -> None:
        self._assets = load_assets()
        page = shell(self._assets, limits, has_public_pages=has_public_pages, has_demo=has_demo)
        self._page = Asset.of("text/html", page)

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            for path in PAGES:
                router.add(method, path, self._show)
            # Not counted for the address: a page loads a hundred at once, and they are in memory.
            for tail in ("{name}", "{part}/{name}", "{part}/{area}/{name}", ""):
                path = f"/assets/{{digest}}/{{folder}}/{tail}".rstrip("/")
                router.add(method, path, self._file, is_counted=False)
            router.add(method, "/service-worker.js", self._worker, is_counted=False)

    async def _show(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-cache"}
        return packed(request, self._page, headers)

    async def _worker(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        """The service worker, at an address that stays: its scope is the folder, which is all pages."""
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": WORKER_POLICY,
            hdrs.CACHE_CONTROL: "no-cache",
        }
        return packed(request, self._assets.files["service_worker.js"], headers)

    async def _file(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        digest, *rest = parameters.values()
        asset = self._assets.files.get("/".join(rest))
        if asset is None or digest != self._assets.digest:
            raise web.HTTPNotFound
        headers = {"X-Content-Type-Options": "nosniff", hdrs.CACHE_CONTROL: FOR_EVER}
        return packed(request, asset, headers)


def packed(
    request: web.BaseRequest, asset: Asset, headers: dict[str, str], *, status: int = 200
) -> web.Response:
    """The asset, gzipped if the client accepts that; 304 if the client has it."""
    headers = {**headers, hdrs.ETAG: asset.etag, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    known = {tag.value for tag in request.if_none_match or ()}
    if status == 200 and known & {asset.etag.strip('"'), "*"}:
        return web.Response(status=304, headers=headers)
    body = asset.body
    accepts_gzip = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    if accepts_gzip and asset.gzipped is not None:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = asset.gzipped
    kind = asset.content_type
    return web.Response(
        body=body, status=status, content_type=kind, charset="utf-8", headers=headers
    )
