"""Serves the documentation at `/docs`: the guides, the API reference, and the search over both.

Promises:
    Nothing is read or rendered before it is requested. A page is rendered once, beside the event loop, and kept: there
    are as many as there are guides and tags. Browsers revalidate it (304 while unchanged).
    The policy of the pages is the app's, but that a form may go to this server: the search works without script.
    An unknown page is a page with the search for browsers, and a problem for other clients.
    A search takes a few milliseconds beside the event loop. Requests count for their address, as for other pages.
"""

import asyncio
import math
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote_plus

import orjson
from aiohttp import hdrs, web

from channels.console.assets import PAGE_LEVEL, Asset
from channels.docs_site.addresses import API, ASSETS, HOME, PICTURE_TYPES, SEARCH
from channels.docs_site.search import QUERY_CHARACTERS, Result
from channels.server.web.pages.static import FOR_EVER, HEADERS, POLICY, packed
from channels.server.web.router import Parameters, Router
from channels.server.web.single_flight import CachedValue

if TYPE_CHECKING:
    from channels.docs_site.pages import Site

T = TypeVar("T")

RESULTS_WHILE_TYPING: Final = 8
_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'"),
    hdrs.CACHE_CONTROL: "no-cache",
}
_ASSET_HEADERS: Final = {"X-Content-Type-Options": "nosniff", hdrs.CACHE_CONTROL: FOR_EVER}
_PICTURE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    hdrs.CACHE_CONTROL: "no-cache",
}
_QUERY: Final = re.compile(r"(?:^|[?&])q=([^&#]*)")
_ENCODED: Final = 12  # bytes of a character that is percent-encoded, at most

_Assets = Mapping[str, CachedValue[Asset]]


class DocsPages:
    """The documentation. It needs no token. `describe` makes the OpenAPI document."""

    def __init__(self, describe: Callable[[], Mapping[str, Any]]) -> None:
        self._describe = describe
        # One at a time: more threads would not be faster, and slow down the event loop.
        self._lock = asyncio.Lock()
        self._guides = self._once(self._list_guides)
        self._reference = self._once(self._list_reference)
        self._assets = self._once(lambda: self._site.assets)
        self._missing = self._once(lambda: _page(lambda: self._site.missing_page()))

    @cached_property
    def _site(self) -> "Site":
        # Its libraries take 80 ms to import, which is a good part of the server's start.
        from channels.docs_site.pages import Site

        return Site(self._describe)

    def mount(self, router: Router) -> None:
        """Add the routes of the site. A literal path goes before a page."""
        for method in ("GET", "HEAD"):
            router.add(method, SEARCH, self._search_page)
            router.add(method, f"{SEARCH}.json", self._search_results)
            # Not counted for the address: every page needs them, and they are in memory.
            path = f"{ASSETS}/{{digest}}/{{name}}"
            router.add(method, path, self._asset, is_counted=False)
            for tail in ("", "/{page}", "/{folder}/{page}", "/{folder}/{part}/{page}"):
                router.add(method, HOME + tail, self._show)
                router.add(method, f"{HOME}{tail}/", self._show)

    async def _show(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        address = "/".join([HOME, *parameters.values()])
        is_reference = address.startswith(API)
        pages = await (self._reference if is_reference else self._guides).get()
        found = pages.get(address)
        if found is None:
            return await self._not_found(request, address.removesuffix(".md"), pages)
        if request.path.endswith("/"):
            return _moved(address)
        page = await found.get()
        headers = _HEADERS if page.content_type == "text/html" else _PICTURE_HEADERS
        return packed(request, page, headers)

    async def _not_found(
        self, request: web.BaseRequest, other: str, pages: _Assets
    ) -> web.Response:
        """A redirect from the name of a file to its page, or the page that says that there is none."""
        if other in pages:
            return _moved(other)
        if "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            raise web.HTTPNotFound
        return packed(request, await self._missing.get(), _HEADERS, status=404)

    async def _asset(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        assets = await self._assets.get()
        asset = assets.files.get(parameters["name"])
        if asset is None or parameters["digest"] != assets.digest:
            raise web.HTTPNotFound
        return packed(request, asset, _ASSET_HEADERS)

    async def _search_page(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        query = _query_of(request)
        page = await self._run(lambda: _page(lambda: self._site.search_page(query)))
        return packed(request, page, _HEADERS)

    async def _search_results(
        self, request: web.BaseRequest, parameters: Parameters
    ) -> web.Response:
        query = _query_of(request)
        results = await self._run(lambda: self._site.find(query, RESULTS_WHILE_TYPING))
        body = orjson.dumps({"results": [_result(result) for result in results]})
        found = Asset.of("application/json", body, level=PAGE_LEVEL)
        return packed(request, found, _HEADERS)

    def _list_guides(self) -> _Assets:
        pages = {address: self._kept(make) for address, make in self._site.addresses.items()}
        for path in self._site.pictures():
            pages[f"{HOME}/{path}"] = self._once(partial(self._picture, path))
        return pages

    def _list_reference(self) -> _Assets:
        return {address: self._kept(make) for address, make in self._site.api_addresses().items()}

    def _picture(self, path: str) -> Asset:
        folder, _, name = path.partition("/")
        ending = name[name.rindex(".") :]
        return Asset.of(PICTURE_TYPES[ending], self._site.picture(folder, name))

    def _kept(self, make: Callable[[], bytes]) -> CachedValue[Asset]:
        return self._once(partial(_page, make))

    def _once(self, make: Callable[[], T]) -> CachedValue[T]:
        return CachedValue(partial(self._run, make), math.inf)

    async def _run(self, make: Callable[[], T]) -> T:
        """The result of `make`, beside the event loop."""
        async with self._lock:
            return await asyncio.to_thread(make)


def _moved(address: str) -> web.Response:
    return web.Response(status=301, headers={**_HEADERS, hdrs.LOCATION: address})


def _page(make: Callable[[], bytes]) -> Asset:
    return Asset.of("text/html", make(), level=PAGE_LEVEL)


def _result(result: Result) -> dict[str, Any]:
    passage = result.passage
    return {
        "address": passage.address,
        "title": (passage.heading or passage.title).replace("`", ""),
        "where": " › ".join(filter(None, [passage.part, passage.title if passage.heading else ""])),
        "excerpt": [[piece.text, piece.is_match] for piece in result.excerpt],
    }


def _query_of(request: web.BaseRequest) -> str:
    # A long query is searched once instead of parsed.
    found = _QUERY.search(request.raw_path.partition("?")[2])
    raw = found[1][: QUERY_CHARACTERS * _ENCODED] if found else ""
    return unquote_plus(raw)[:QUERY_CHARACTERS].strip()
