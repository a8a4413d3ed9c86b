"""Leads visitors of public pages to the links of posts, and counts them: `/l/{channel}/{seq}/{key}`.

Only pages of channels that count clicks lead here, and they tell so.

Promises:
    No open redirect: it leads to addresses that stand in the post now, found by their keys, and nowhere else.
    Without a list of who: a visitor counts as a hash of their network, keyed by the server's secret. The sketch of the
    link hashes it again with a salt of its own. Neither the database nor the log has the address.
    Those who do not want to be tracked (`DNT: 1`, `Sec-GPC: 1`) are led without being counted. So are `HEAD` requests
    and prefetches, which nobody clicked.
    What is private, deleted, not counted or not there gets the same 404, after the same time.
"""

import hashlib
import hmac
from typing import Final

from aiohttp import hdrs, web

from channels.console.assets import load_assets
from channels.console.languages import language_for
from channels.console.public import missing_page
from channels.link_clicks.links import REDIRECT_PATH
from channels.link_clicks.service import ClickService
from channels.server.limits.by_address import AddressLimits
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.pages.static import HEADERS
from channels.server.web.router import Parameters, Router
from groups.kernel.errors import NotFound, PermissionDenied
from groups.kernel.ids import GROUP_ID_BYTES, is_id
from groups.models import expand_channel_id

_MOST_SEQ_DIGITS: Final = 15
_NO_TRACKING: Final = ("DNT", "Sec-GPC")
_PREFETCH: Final = ("Sec-Purpose", "Purpose")


class LinkPages:
    """The redirects. `is_on`: whether this server shows public pages at all."""

    def __init__(
        self,
        clicks: ClickService,
        secret: str,
        addresses: AddressLimits,
        not_found_delay: NotFoundDelay,
        *,
        is_on: bool,
    ) -> None:
        self._clicks = clicks
        self._secret = secret.encode()
        self._addresses = addresses
        self._not_found_delay = not_found_delay
        self._is_on = is_on
        self._assets = load_assets()

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            router.add(method, REDIRECT_PATH + "{channel_id}/{seq}/{key}", self._follow)

    async def _follow(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        headers = {
            **HEADERS,
            hdrs.CACHE_CONTROL: "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex, nofollow",
        }
        try:
            url = await self._url_of(request, parameters)
        except (NotFound, PermissionDenied):
            language = language_for(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
            page = missing_page(self._assets, language)
            return web.Response(status=404, headers=headers, body=page, content_type="text/html")
        return web.Response(status=302, headers={**headers, hdrs.LOCATION: _as_header(url)})

    async def _url_of(self, request: web.BaseRequest, parameters: Parameters) -> str:
        channel_id = expand_channel_id(parameters["channel_id"])
        seq = parameters["seq"]
        if (
            not self._is_on
            or not is_id(channel_id, GROUP_ID_BYTES)
            or not (seq.isascii() and seq.isdecimal() and len(seq) <= _MOST_SEQ_DIGITS)
        ):
            raise web.HTTPNotFound
        # A counted click may write, so it is as rare as a page that is rendered.
        await self._addresses.take_render(request)
        address = self._addresses.address_of(request)
        visitor = None if _is_not_counted(request) else self._visitor(address)
        with await self._addresses.requests.acquire(address) as place:
            return await self._not_found_delay.apply(
                self._clicks.follow(channel_id, int(seq), parameters["key"], visitor=visitor),
                place.release,
            )

    def _visitor(self, address: str) -> str:
        """A text that stands for the visitor: the same for their next click, and of no use without the secret."""
        digest = hmac.new(self._secret, f"click {address}".encode(), hashlib.sha256)
        # No user id begins with a space.
        return f" {digest.hexdigest()}"


def _is_not_counted(request: web.BaseRequest) -> bool:
    headers = request.headers
    return (
        request.method != hdrs.METH_GET
        or any(headers.get(name) == "1" for name in _NO_TRACKING)
        or any("prefetch" in headers.get(name, "") for name in _PREFETCH)
    )


def _as_header(url: str) -> str:
    """The address in ASCII. Browsers read a host that is encoded like this, too."""
    return "".join(char if " " < char < "\x7f" else _percent(char) for char in url)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())
