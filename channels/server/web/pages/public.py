"""Serves public channels to visitors without an account: `/c/{id}`, its feeds, and a page for each post.

Promises:
    Every request asks whether the channel is public and verified, by the services and rules of the API. Only rendered
    pages are cached, for `KEPT_SECONDS`, so a post, an edit or a deletion shows at most that much later.
    A private channel gets the response of a missing one, after the same time.
    A page is in the language that the reader's browser prefers (`Accept-Language`), if the app has it.
    Other headers and unknown parameters make no further pages: a channel has one newest page and one page for each
    `POSTS` posts, as HTML in each language of the app and as JSON Feed, one feed of each other form, and for each post
    a page in each language. The channel and each post have one picture for links to them.
    Rendering and compressing happen beside the event loop, one page at a time, and once for all requests meanwhile.
    Browsers and proxies may cache for `PUBLIC_SECONDS`, for each language apart (`Vary`), and get 304 while nothing
    changed.
"""

import asyncio
import re
from datetime import datetime
from functools import partial
from typing import Final, Literal, NamedTuple

from aiohttp import hdrs, web

from channels.console.assets import PAGE_LEVEL, Asset, load_assets
from channels.console.languages import SOURCE, language_for, languages
from channels.console.public import (
    CONTENT_TYPES,
    POSTS,
    Form,
    PublicChannel,
    card,
    feed,
    missing_page,
    page,
    page_end,
    public_posts,
)
from channels.errors import ChannelNotFound
from channels.models import Channel
from channels.server.limits.by_address import AddressLimits
from channels.server.web.not_found_delay import NotFoundDelay
from channels.server.web.pages.static import HEADERS, packed
from channels.server.web.request import Request
from channels.server.web.router import Parameters, Router
from channels.server.web.single_flight import CachedAssets
from channels.share_links.addresses import public_path
from channels.wiring import Channels
from groups.errors import MediaNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GROUP_ID_BYTES, GroupId, UserId, is_id
from groups.models import MediaSize, Visibility, expand_channel_id, media_in
from groups.service.media.service import MediaService
from groups.service.messages.service import MessageService

PublicPages = Literal["index", "noindex", "off"]

_CARD: Final = "card.png"
_FORMS: Final[dict[str, Form]] = {
    "feed.atom": "atom",
    "feed.rss": "rss",
    "feed.json": "json",
    _CARD: "card",
}
_PAGED: Final = frozenset({"html", "json"})
"""Feeds of the other forms have the newest posts only."""
KEPT_SECONDS: Final = 10.0
PUBLIC_SECONDS: Final = 60
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; media-src 'self'"
)
_NOBODY: Final = Actor(UserId(""))
"""A visitor without a token. No user has an empty id, so this is a stranger everywhere."""
_SEQ: Final = re.compile(r"[1-9][0-9]{0,14}")
_MOST_FACE_BYTES: Final = 512 * 1024
_BEFORE: Final = re.compile(r"(?:^|&)before_seq=([0-9]{1,15})(?=&|$)")


class _Page(NamedTuple):
    """The key of a rendered page: the newest posts in one form, or as HTML or JSON those before a seq, or one post.

    `created_at` tells a channel from a deleted one of the same id. `is_verified` is part of the key, so that a
    withdrawn badge disappears at once.
    """

    channel_id: GroupId
    created_at: datetime
    is_verified: bool
    form: Form
    before: int | None = None
    seq: int | None = None
    language: str = SOURCE


class PublicChannelPages:
    """Public channels. `public_url` is the public address of this server; None: links are relative."""

    def __init__(
        self,
        official: Channels,
        messages: MessageService,
        media: MediaService,
        clock: Clock,
        pages: PublicPages,
        addresses: AddressLimits,
        not_found_delay: NotFoundDelay,
        *,
        public_url: str | None = None,
    ) -> None:
        self._official = official
        self._messages = messages
        self._media = media
        self._clock = clock
        self._addresses = addresses
        self._not_found_delay = not_found_delay
        self._is_indexed = pages == "index"
        self._is_on = pages != "off"
        self._base = public_url.rstrip("/") if public_url else ""
        self._assets = load_assets()
        self._missing = {
            language: Asset.of("text/html", missing_page(self._assets, language))
            for language in languages()
        }
        self._rendered: CachedAssets[_Page] = CachedAssets(KEPT_SECONDS)
        # One at a time: more threads would not be faster, and slow down the event loop.
        self._render_lock = asyncio.Lock()

    def mount(self, router: Router) -> None:
        for method in ("GET", "HEAD"):
            router.add(method, "/c/{channel_id}", self._page)
            router.add(method, "/c/{channel_id}/{part}", self._part)
            router.add(method, f"/c/{{channel_id}}/{{part}}/{_CARD}", self._card_of_post)

    async def _page(self, request: web.BaseRequest, parameters: Parameters) -> web.Response:
        return await self._html(request, parameters["channel_id"])

    async def _html(
        self, request: web.BaseRequest, name: str, seq: int | None = None
    ) -> web.Response:
        try:
            return await self._answer(request, name, "html", seq)
        except ChannelNotFound:
            language = _language_of(request)
            headers = {**self._headers("html", language), hdrs.CACHE_CONTROL: "no-store"}
            return packed(request, self._missing[language], headers, status=404)

    async def _part(self, request: Request, parameters: Parameters) -> web.Response:
        """A feed, the channel's card, or the page of a post."""
        name, wanted = parameters["channel_id"], parameters["part"]
        form = _FORMS.get(wanted)
        if form is None:
            return await self._html(request, name, _seq_of(wanted))
        try:
            return await self._answer(request, name, form)
        except DomainError:
            # Pages of other origins read feeds, and need to see why one is missing.
            if hdrs.ORIGIN in request.headers:
                request.origin = request.origin or "*"
            raise

    async def _card_of_post(self, request: Request, parameters: Parameters) -> web.Response:
        seq = _seq_of(parameters["part"])
        return await self._answer(request, parameters["channel_id"], "card", seq)

    async def _answer(
        self, request: web.BaseRequest, name: str, form: Form, seq: int | None = None
    ) -> web.Response:
        address = self._addresses.address_of(request)
        with await self._addresses.requests.acquire(address) as place:
            channel = await self._not_found_delay.apply(self._public(name), place.release)
        if seq is not None and seq > channel.stream.head_seq:
            return self._to_channel(channel)
        before = _before_of(request, channel.stream.head_seq) if form in _PAGED else None
        created_at, verified = channel.profile.created_at, channel.access.group.verified
        language = _language_of(request) if form == "html" else SOURCE
        end = None if seq else before
        wanted = _Page(channel.channel_id, created_at, verified, form, end, seq, language)
        if not self._rendered.is_at_hand(wanted) and await self._addresses.take_render(request):
            channel = await self._public(name)  # it may have become private meanwhile
        rendered = await self._rendered.get(wanted, partial(self._render, channel, wanted))
        if rendered is _NO_POST:
            return self._to_channel(channel)
        return packed(request, rendered, self._headers(form, language))

    def _to_channel(self, channel: Channel) -> web.Response:
        """The way from a post that is not there, or not any more, to the others."""
        headers = {hdrs.LOCATION: public_path(channel.channel_id), hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(status=302, headers=headers)

    def _headers(self, form: Form, language: str) -> dict[str, str]:
        headers = {
            **HEADERS,
            "Content-Security-Policy": _POLICY,
            hdrs.CACHE_CONTROL: f"public, max-age={PUBLIC_SECONDS}",
        }
        if not self._is_indexed:
            headers["X-Robots-Tag"] = "noindex"
        if form == "html":
            headers[hdrs.CONTENT_LANGUAGE] = language
            headers[hdrs.VARY] = hdrs.ACCEPT_LANGUAGE
        elif form != "card":
            # Feeds are for readers on other sites.
            headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        return headers

    async def _public(self, name: str) -> Channel:
        channel_id = expand_channel_id(name)
        if not self._is_on or not is_id(channel_id, GROUP_ID_BYTES):
            raise ChannelNotFound
        channel = await self._official.channels.get(_NOBODY, channel_id)
        if channel.access.group.visibility is not Visibility.PUBLIC:
            raise ChannelNotFound
        return channel

    async def _render(self, channel: Channel, wanted: _Page) -> Asset:
        is_one = wanted.seq is not None
        async with self._official.channel(channel.channel_id):
            found = await self._messages.list_messages(
                _NOBODY,
                channel.channel_id,
                limit=1 if is_one else POSTS,
                before_seq=wanted.before if wanted.seq is None else wanted.seq + 1,
            )
        posts = public_posts(found.messages, found.tallies, self._clock.now())
        if is_one and [post.seq for post in posts] != [wanted.seq]:
            return _NO_POST
        first = channel.access.group.private_until_seq + 1
        oldest = min((message.seq for message in found.messages), default=first)
        older = page_end(oldest - 1) if oldest > first else None
        shown = PublicChannel(channel, posts, older, self._base, is_one=is_one)
        face = await self._face_of(channel) if wanted.form == "card" else None
        async with self._render_lock:
            return await asyncio.to_thread(self._rendering_of, shown, wanted, face)

    async def _face_of(self, channel: Channel) -> bytes | None:
        """The channel's picture; None without one, and for one on another host."""
        media_id = media_in(channel.access.group.face_url)
        if media_id is None:
            return None
        try:
            stored = await self._media.open(media_id, MediaSize.LARGE)
        except MediaNotFound:
            return None
        if stored.size_bytes > _MOST_FACE_BYTES:
            return None
        return b"".join([piece async for piece in stored.read(0, stored.size_bytes)])

    def _rendering_of(self, shown: PublicChannel, wanted: _Page, face: bytes | None) -> Asset:
        form = wanted.form
        if form == "html":
            body = page(shown, self._assets, indexed=self._is_indexed, language=wanted.language)
        elif form == "card":
            body = card(shown, face)
        else:
            body = feed(shown, form)
        return Asset.of(CONTENT_TYPES[form], body, level=PAGE_LEVEL)


def _language_of(request: web.BaseRequest) -> str:
    return language_for(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


_NO_POST: Final = Asset("text/html", b"", None, '""')
"""Stands for the page of a post that is not there."""


def _seq_of(part: str) -> int:
    """The seq of a post in a path. Raises: HTTPNotFound."""
    if _SEQ.fullmatch(part) is None:
        raise web.HTTPNotFound
    return int(part)


def _before_of(request: web.BaseRequest, head_seq: int) -> int | None:
    """The end of the requested page; None for the newest page, also when there is no such page."""
    # A long query is searched once instead of parsed.
    found = _BEFORE.search(request.raw_path.partition("#")[0].partition("?")[2])
    before = int(found[1]) if found else 0
    end = page_end(before - 1)
    return end if before > 1 and end <= head_seq else None
