"""The first pages of a demo: who to look around as, and a post that arrives while one watches.

They sign in without a password, so they exist only with `channels serve --demo`, on a loopback address, and answer only
requests that name this machine as their host and passed no proxy. A page of another site, whose name may lead to
this machine, gets 404 like everybody else.

Promises: a token is given to pages of this server only (`POST`, same origin), or behind the `#` of a redirect, where no
other page reads it. It is for a user of the scene, never for an admin of the application.
"""

import ipaddress
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from channels.console.assets import Asset, load_assets
from channels.console.shell import demo_page
from channels.demo.bot import DemoBot
from channels.demo.service import GUESTS
from channels.server.web.pages.static import HEADERS, packed
from channels.server.web.router import Parameters, Router

_NO_STORE: Final = {**HEADERS, hdrs.CACHE_CONTROL: "no-store"}
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class DemoPages:
    """The pages of the demo. `token_of` makes a token of a user."""

    def __init__(self, bot: DemoBot, token_of: Callable[[str], str]) -> None:
        self._bot = bot
        self._token_of = token_of
        assets = load_assets()
        self._start = Asset.of("text/html", demo_page(assets, "demo.html"))
        self._live = Asset.of("text/html", demo_page(assets, "demo_live.html"))

    def mount(self, router: Router) -> None:
        router.add("GET", "/demo", self._show_start)
        router.add("GET", "/demo/live", self._show_live)
        router.add("GET", "/demo/as/{user_id}", self._enter)
        router.add("POST", "/demo/tokens/{user_id}", self._give)

    async def _show_start(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        _check_local(request)
        return packed(request, self._start, _NO_STORE)

    async def _show_live(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        _check_local(request)
        return packed(request, self._live, _NO_STORE)

    async def _enter(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        """To the first view of this person, signed in."""
        _check_local(request)
        user_id = _guest(parameters)
        self._bot.watch()
        where = f"{GUESTS[user_id]}#token={self._token_of(user_id)}"
        return web.Response(status=303, headers={**_NO_STORE, hdrs.LOCATION: where})

    async def _give(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        """A token for a page of this server."""
        _check_local(request)
        origin = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
        if origin.netloc != request.headers.get(hdrs.HOST):
            raise web.HTTPNotFound
        user_id = _guest(parameters)
        self._bot.watch()
        return web.json_response({"token": self._token_of(user_id)}, headers=_NO_STORE)


def _guest(parameters: Parameters) -> str:
    user_id = parameters["user_id"]
    if user_id not in GUESTS:
        raise web.HTTPNotFound
    return user_id


def _check_local(request: web.BaseRequest) -> None:
    """Raises: HTTPNotFound, unless the request was sent on this machine to this machine."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    host = urlsplit(f"//{request.headers.get(hdrs.HOST, '')}").hostname or ""
    is_direct = not any(name in request.headers for name in _FORWARDED)
    if not (peer and is_loopback(peer[0]) and is_loopback(host) and is_direct):
        raise web.HTTPNotFound


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
