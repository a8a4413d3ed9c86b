"""Serves the web app: its one page at the addresses that its scripts know, and its files.

Promises:
    A page may run, load and call nothing but what this server serves (`POLICY`); no text becomes markup or script, even
    where a script of ours had a mistake (Trusted Types).
    Pictures of another host are not loaded either: a channel's picture that is no upload of ours would tell that host
    who reads what; the app shows initials in its place.
    The page asks each time and is answered 304 while nothing changed; the files are kept for ever under their digest.
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
    "/channels/{channel_id}",
    "/chats/{group_id}",
    "/with/{peer_id}",
    "/folders/{name}",
    "/console",
    "/console/new",
    "/console/channels/{channel_id}",
    "/console/channels/{channel_id}/{part}",
)
"""The addresses of the app's views, which one page shows; `js/router.js` knows the same."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class WebApp:
    """The web app; none of it needs a token, and none of it holds anything of a user."""

    def __init__(self, limits: Limits, *, has_public_pages: bool) -> None:
        self._assets = load_assets()
        page = shell(self._assets, limits, has_public_pages=has_public_pages)
        self._page = Asset.of("text/html", page)

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            for path in PAGES:
                router.add(method, path, self._show)
            # Not counted: a page asks for a hundred at once, for everybody behind its address, and they are in memory.
            for tail in ("{name}", "{part}/{name}", "{part}/{area}/{name}", ""):
                path = f"/assets/{{digest}}/{{folder}}/{tail}".rstrip("/")
                router.add(method, path, self._file, is_counted=False)

    async def _show(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-cache"}
        return packed(request, self._page, headers)

    async def _file(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        digest, *rest = parameters.values()
        asset = self._assets.files.get("/".join(rest))
        if asset is None or digest != self._assets.digest:
            raise web.HTTPNotFound
        headers = {"X-Content-Type-Options": "nosniff", hdrs.CACHE_CONTROL: _FOR_EVER}
        return packed(request, asset, headers)


def packed(
    request: web.BaseRequest, asset: Asset, headers: dict[str, str], *, status: int = 200
) -> web.Response:
    """The asset, gzipped where the client takes that; 304 where it has it already."""
    headers = {**headers, hdrs.ETAG: asset.etag, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    has_it = any(
        f'"{t.value}"' == asset.etag or t.value == "*" for t in request.if_none_match or ()
    )
    if has_it and status == 200:
        return web.Response(status=304, headers=headers)
    body = asset.body
    takes_gzip = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    if takes_gzip and asset.gzipped is not None:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = asset.gzipped
    return web.Response(
        body=body,
        status=status,
        content_type=asset.content_type,
        charset="utf-8",
        headers=headers,
    )
