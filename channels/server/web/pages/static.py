"""Serves the web app: one page at the paths that its scripts know, and its files.

Promises:
    A page may run, load and call only what this server serves (`POLICY`). Text never becomes markup or script, even if
    a script has a mistake (Trusted Types).
    The service worker is at a fixed address. It may load what this server serves, and keeps the files of the app.
    Images of other hosts are not loaded: such a host would learn who reads which channel. The app shows initials
    instead.
    The page is revalidated each time (304 while unchanged). The files are cached for ever under their digest. The page
    of a view loads ahead what that view needs, and nothing else.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import Asset, load_assets
from channels.console.shell import Deployment, manifest, service_worker, shell
from channels.limits import Limits
from channels.server.web.router import Parameters, Router

_CHANNEL: Final = ("js/conversation/channel_view.js",)
_COMMENTS: Final = ("js/comments/comments_view.js",)
_GROUP: Final = ("js/conversation/group_view.js",)
_DIALOGUE: Final = ("js/conversation/dialogue_view.js",)
_FINDING: Final = ("js/finding/views.js",)
_CONSOLE: Final = ("js/console/console.js",)
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": (),
    "/find": ("js/reader/directory.js",),
    "/me": ("js/me/me.js",),
    "/search": _FINDING,
    "/feed": _FINDING,
    "/channels/{channel_id}": _CHANNEL,
    "/channels/{channel_id}/posts/{seq}/comments": _COMMENTS,
    "/chats/{group_id}": _GROUP,
    "/with/{peer_id}": _DIALOGUE,
    "/folders/{name}": (),
    "/invite/{code}": ("js/invites/invite_view.js",),
    "/console": _CONSOLE,
    "/console/new": _CONSOLE,
    "/console/webhooks": _CONSOLE,
    "/console/moderation": _CONSOLE,
    "/console/moderation/{part}": _CONSOLE,
    "/console/moderation/{part}/{report_id}": _CONSOLE,
    "/console/channels/{channel_id}": _CONSOLE,
    "/console/channels/{channel_id}/{part}": _CONSOLE,
}
"""The paths of the app's views, and the scripts that `js/start.js` imports for them; `js/router.js` has the same list.

All are the same page, but for the scripts that it loads ahead.
"""

WORKER: Final = "/service-worker.js"
MANIFEST: Final = "/manifest.webmanifest"
FILES: Final = (WORKER, MANIFEST)
"""Files whose addresses stay: browsers look at them again by themselves."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
    " connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types service-worker"
)
"""The one maker of trusted texts gives the address of the service worker, and nothing else."""
WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"


@lru_cache(maxsize=4)
def _pages(limits: Limits, deployment: Deployment) -> Mapping[tuple[str, ...], Asset]:
    """The page by the scripts of its views. Cached: a program may make several servers, as tests do."""
    assets = load_assets()
    return {
        views: Asset.of("text/html", shell(assets, limits, deployment, views))
        for views in set(PAGES.values())
    }


class WebApp:
    """The web app. It needs no token and contains no user data."""

    def __init__(self, limits: Limits, deployment: Deployment) -> None:
        self._assets = assets = load_assets()
        self._pages = _pages(limits, deployment)
        self._worker = Asset.of("text/javascript", service_worker(assets))
        self._manifest = Asset.of("application/manifest+json", manifest(assets))

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            for path, views in PAGES.items():
                router.add(method, path, partial(self._show, self._pages[views]))
            # Not counted for the address: a page loads a hundred at once, and they are in memory.
            for tail in ("{name}", "{part}/{name}", "{part}/{area}/{name}", ""):
                path = f"/assets/{{digest}}/{{folder}}/{tail}".rstrip("/")
                router.add(method, path, self._file, is_counted=False)
            router.add(method, WORKER, self._show_worker, is_counted=False)
            router.add(method, MANIFEST, self._show_manifest, is_counted=False)

    async def _show(
        self, page: Asset, request: web.BaseRequest, parameters: Parameters
    ) -> web.Response:
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-cache"}
        return packed(request, page, headers)

    async def _show_manifest(
        self, request: web.BaseRequest, parameters: Parameters
    ) -> web.Response:
        headers = {"X-Content-Type-Options": "nosniff", hdrs.CACHE_CONTROL: "no-cache"}
        return packed(request, self._manifest, headers)

    async def _show_worker(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        """The service worker, at an address that stays: its scope is the folder, which is all pages."""
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": WORKER_POLICY,
            hdrs.CACHE_CONTROL: "no-cache",
        }
        return packed(request, self._worker, headers)

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
    """The asset, gzipped if the client accepts that; 304 if the client has it.

    `Vary` in `headers` names what else the answer depends on.
    """
    varies = ", ".join(filter(None, [headers.get(hdrs.VARY), hdrs.ACCEPT_ENCODING]))
    headers = {**headers, hdrs.ETAG: asset.etag, hdrs.VARY: varies}
    known = {tag.value for tag in request.if_none_match or ()}
    if status == 200 and known & {asset.etag.strip('"'), "*"}:
        return web.Response(status=304, headers=headers)
    body = asset.body
    accepts_gzip = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    if accepts_gzip and asset.gzipped is not None:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = asset.gzipped
    kind = asset.content_type
    charset = None if kind == "image/png" else "utf-8"
    return web.Response(
        body=body, status=status, content_type=kind, charset=charset, headers=headers
    )
