"""Serves public channels to whoever has no account: `/c/{id}` and its feeds.

Promises:
    Whether a channel is public is asked at every request, of the same services and rules that answer the API; only what
    was drawn of its posts is kept, for `KEPT_SECONDS`, so an edit or a recall shows that much later at most.
    Browsers and proxies may keep it for `PUBLIC_SECONDS`, and are answered 304 while nothing changed.
"""

import re
from typing import Final, Literal

from aiohttp import hdrs, web
from cachetools import TTLCache

from channels.console import load_assets
from channels.console.assets import compressed
from channels.console.public import (
    CONTENT_TYPES,
    Form,
    PublicChannel,
    feed,
    missing_page,
    page,
    public_posts,
)
from channels.errors import ChannelNotFound
from channels.models import Channel, expand_channel_id
from channels.server.router import Parameters, Router
from channels.server.webapp import HEADERS, packed
from channels.service.assembly import Channels
from groups.kernel.actor import Actor
from groups.kernel.ids import GROUP_ID_BYTES, UserId, is_id
from groups.models import Visibility

PublicPages = Literal["index", "noindex", "off"]

_FORMS: Final[dict[str, Form]] = {"feed.atom": "atom", "feed.rss": "rss", "feed.json": "json"}
POSTS: Final = 20
KEPT_SECONDS: Final = 10.0
PUBLIC_SECONDS: Final = 60
_KEPT: Final = 512  # drawn pages and feeds, some 20 KB each
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_NOBODY: Final = Actor(UserId(""))
"""Who has no token: no id is empty, so he is a stranger everywhere."""
_HOST: Final = re.compile(r"[\w.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?", re.ASCII)
_Drawn = tuple[bytes, bytes | None]


class PublicChannelPages:
    """Public channels. `public_url` is this server's address as visitors know it; None: what they asked for."""

    def __init__(
        self, official: Channels, pages: PublicPages, *, public_url: str | None = None
    ) -> None:
        self._official = official
        self._is_indexed = pages == "index"
        self._is_on = pages != "off"
        self._base = public_url.rstrip("/") if public_url else None
        self._assets = load_assets()
        self._drawn: TTLCache[tuple[object, ...], _Drawn] = TTLCache(_KEPT, KEPT_SECONDS)

    def mount(self, router: Router) -> None:
        """Answer at the channels' public addresses."""
        for method in ("GET", "HEAD"):
            router.add(method, "/c/{channel_id}", self._page)
            router.add(method, "/c/{channel_id}/{feed}", self._feed)

    async def _page(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        try:
            return await self._answer(request, parameters["channel_id"], "html")
        except ChannelNotFound:
            body = missing_page(self._assets)
            headers = {**self._headers("html"), hdrs.CACHE_CONTROL: "no-store"}
            response = packed(request, body, None, "text/html", headers)
            response.set_status(404)
            return response

    async def _feed(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        form = _FORMS.get(parameters["feed"])
        if form is None:
            raise web.HTTPNotFound
        return await self._answer(request, parameters["channel_id"], form)

    async def _answer(self, request: web.BaseRequest, name: str, form: Form) -> web.Response:
        channel = await self._public(name)
        base = self._base_of(request)
        before = _before_of(request) if form == "html" else None
        group, head = channel.standing.group, channel.stream.head_seq
        key = (channel.channel_id, form, base, before, group.version, group.member_count, head)
        drawn = self._drawn.get(key)
        if drawn is None:
            drawn = self._drawn[key] = await self._draw(channel, form, base, before)
        body, gzipped = drawn
        return packed(request, body, gzipped, CONTENT_TYPES[form], self._headers(form))

    def _headers(self, form: Form) -> dict[str, str]:
        headers = {
            **HEADERS,
            "Content-Security-Policy": _POLICY,
            hdrs.CACHE_CONTROL: f"public, max-age={PUBLIC_SECONDS}",
        }
        if not self._is_indexed:
            headers["X-Robots-Tag"] = "noindex"
        if form != "html":
            # A feed is there for other sites' readers.
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        return headers

    async def _public(self, name: str) -> Channel:
        channel_id = expand_channel_id(name)
        if not self._is_on or not is_id(channel_id, GROUP_ID_BYTES):
            raise ChannelNotFound
        channel = await self._official.channels.get(_NOBODY, channel_id)
        if channel.standing.group.visibility is not Visibility.PUBLIC:
            raise ChannelNotFound
        return channel

    async def _draw(self, channel: Channel, form: Form, base: str, before: int | None) -> _Drawn:
        found = await self._official.posts.list_posts(
            _NOBODY,
            channel.channel_id,
            limit=POSTS,
            before_seq=before,
            after_seq=None,
            cursor=None,
        )
        posts = public_posts(found.messages, found.tallies)
        oldest = min((message.seq for message in found.messages), default=1)
        shown = PublicChannel(channel, posts, oldest if oldest > 1 else None, base)
        body = (
            page(shown, self._assets, indexed=self._is_indexed)
            if form == "html"
            else feed(shown, form)
        )
        return body, compressed(body)

    def _base_of(self, request: web.BaseRequest) -> str:
        """The server's own address; what a visitor calls it by is only taken where it is a host's name."""
        if self._base is not None:
            return self._base
        host = request.headers.get(hdrs.HOST, "")
        return f"{request.scheme}://{host}" if _HOST.fullmatch(host) else ""


def _before_of(request: web.BaseRequest) -> int | None:
    text = request.query.get("before_seq", "")
    return (
        int(text)
        if text.isascii() and text.isdigit() and 0 < len(text) < 16 and int(text)
        else None
    )
