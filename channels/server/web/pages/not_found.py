"""The page for browsers that open an address without a route: it says so, and leads to the app.

Promises:
    Only a browser's navigation gets the page, by `Accept: text/html`. Other clients, and all of the API, get a problem
    with the same status and code.
"""

from functools import cached_property
from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import Asset, load_assets
from channels.console.languages import language_for, languages
from channels.console.shell import not_found_page
from channels.server.web.pages.static import HEADERS, packed
from channels.server.web.problems import CODE, RouteNotFound
from channels.server.web.request import Request

_API: Final = "/v1"
_HEADERS: Final = {
    **HEADERS,
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
}


class NotFoundPage:
    """The page in each language of the app, rendered when it is first needed."""

    @cached_property
    def _pages(self) -> dict[str, Asset]:
        return {
            language: Asset.of("text/html", not_found_page(load_assets(), "page", language))
            for language in languages()
        }

    def is_for(self, request: Request) -> bool:
        """Whether the request is a browser's navigation outside of the API."""
        path = request.raw_path.partition("?")[0]
        return (
            request.method in {hdrs.METH_GET, hdrs.METH_HEAD}
            and "text/html" in request.headers.get(hdrs.ACCEPT, "")
            and path != _API
            and not path.startswith(f"{_API}/")
        )

    def response(self, request: Request) -> web.Response:
        """The page with status 404, in the language that the reader prefers."""
        language = language_for(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        headers = {**_HEADERS, hdrs.CONTENT_LANGUAGE: language}
        response = packed(request, self._pages[language], headers, status=404)
        response[CODE] = RouteNotFound.code
        return response
