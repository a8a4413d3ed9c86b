"""Looks up pages for authors, and stores their pictures as uploads of these."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from cachetools import LRUCache, TTLCache

from channels.link_previews.errors import LinkPreviewsOff, NoLinkPreview
from channels.link_previews.limits import (
    ADDRESS_CHARACTERS,
    CONNECTIONS,
    KEPT_PAGES,
    KEPT_SECONDS,
    LEAST_PIXELS,
    PAGE_BYTES,
    PICTURE_BYTES,
    REDIRECTS,
    SECONDS,
    LinkPreviewLimits,
)
from channels.link_previews.page import Page, page_of
from channels.outbound.addresses import Network
from channels.outbound.client import OutboundClient, OutboundResponse
from channels.outbound.errors import OutboundError
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, RateLimited
from groups.kernel.ids import UserId
from groups.models import Attachment, MediaKind
from groups.service.media.service import MediaService

_USERS: Final = 8_192  # whose rates are kept; beyond them the least recent one starts anew
_REDIRECTED: Final = frozenset({301, 302, 303, 307, 308})
_PICTURE_STARTS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF")


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """A link as readers see it: the description that its page has, and a picture that is an upload of the author."""

    url: str
    title: str
    description: str
    picture: Attachment | None


def http_of_pages(networks: tuple[Network, ...]) -> OutboundClient:
    """The client that loads pages. `networks`: those inside that it may reach."""
    return OutboundClient(
        networks=networks,
        timeout_seconds=SECONDS,
        response_bytes=PAGE_BYTES,
        connections=CONNECTIONS,
        connections_per_host=2,
    )


def http_of_pictures(networks: tuple[Network, ...]) -> OutboundClient:
    """The client that loads pictures, which are larger: they must not keep pages waiting."""
    return OutboundClient(
        networks=networks,
        timeout_seconds=SECONDS,
        response_bytes=PICTURE_BYTES,
        connections=CONNECTIONS,
        connections_per_host=2,
    )


@dataclass(kw_only=True, slots=True)
class LinkPreviewService:
    """Previews of links."""

    pages: OutboundClient
    pictures: OutboundClient
    media: MediaService
    limits: LinkPreviewLimits
    _known: TTLCache[str, Page | None] = field(
        default_factory=lambda: TTLCache(KEPT_PAGES, KEPT_SECONDS), init=False
    )
    """By address: what its page says, or None where there is no preview. Forgotten after `KEPT_SECONDS`."""
    _loading: dict[str, asyncio.Task[Page | None]] = field(default_factory=dict, init=False)
    _full_at: LRUCache[UserId, float] = field(default_factory=lambda: LRUCache(_USERS), init=False)
    """By user: when they may ask for a whole minute's pages again."""

    async def preview(self, actor: Actor, url: str) -> LinkPreview:
        """Look up the page. Its picture is an upload of the actor, which expires unless a message uses it.

        Raises: LinkPreviewsOff; RateLimited; NoLinkPreview.
        """
        if not self.limits.link_previews_per_minute:
            raise LinkPreviewsOff
        if not actor.is_app_admin:
            self._take(actor.user_id)
        url = urldefrag(url)[0]
        page = await self._page(url)
        if page is None:
            raise NoLinkPreview
        picture = await self._picture(actor, page.picture_url) if page.picture_url else None
        return LinkPreview(url, page.title, page.description, picture)

    async def close(self) -> None:
        """Close all connections."""
        for task in list(self._loading.values()):
            task.cancel()
        await self.pages.close()
        await self.pictures.close()

    def _take(self, user_id: UserId) -> None:
        """Count one page of the user. Raises: RateLimited."""
        per_minute, now = self.limits.link_previews_per_minute, monotonic()
        full_at = max(now, self._full_at.get(user_id, now)) + 60 / per_minute
        if full_at - now > 60 + 1e-6:
            raise RateLimited(
                f"At most {per_minute} previews of links a minute",
                retry_after_seconds=full_at - now - 60,
            )
        self._full_at[user_id] = full_at

    async def _page(self, url: str) -> Page | None:
        if url in self._known:
            return self._known[url]
        task = self._loading.get(url)
        if task is None:
            task = self._loading[url] = asyncio.create_task(self._load(url), name="link-preview")
            task.add_done_callback(lambda _: self._loading.pop(url, None))
        # A caller who goes away does not end the work for others who ask for the same page.
        return await asyncio.shield(task)

    async def _load(self, url: str) -> Page | None:
        page = None
        try:
            found = await _followed(self.pages, url)
            if found is not None:
                at, response = found
                content_type = response.headers.get("content-type", "")
                # A quarter of a megabyte takes some milliseconds, too long for the event loop.
                page = await asyncio.to_thread(page_of, at, response.body, content_type)
        except (OutboundError, TimeoutError):
            pass
        self._known[url] = page
        return page

    async def _picture(self, actor: Actor, url: str) -> Attachment | None:
        """Store the picture at this address as an upload of the actor; None where that fails."""
        try:
            found = await _followed(self.pictures, url)
            if found is None or found[1].is_cut or not found[1].body.startswith(_PICTURE_STARTS):
                return None
            body = found[1].body
            media = await self.media.upload(actor, _once(body), length=len(body), name="")
        except (OutboundError, TimeoutError, DomainError):
            return None
        # One that is refused expires like any upload that nothing uses.
        is_shown = media.kind is MediaKind.IMAGE and (
            min(media.width or 0, media.height or 0) >= LEAST_PIXELS
        )
        return media.attachment if is_shown else None


async def _followed(http: OutboundClient, url: str) -> tuple[str, OutboundResponse] | None:
    """The address where redirects end, and its response; None where there is none of use.

    Each address is guarded like the first one. Raises: OutboundError; TimeoutError.
    """
    async with asyncio.timeout(SECONDS):
        for _ in range(REDIRECTS + 1):
            if not _is_asked(url):
                return None
            response = await http.get(url, {"Accept": "text/html,image/*;q=0.9,*/*;q=0.1"})
            if response.status not in _REDIRECTED:
                is_plain = response.headers.get("content-encoding", "identity") == "identity"
                return (url, response) if response.is_success and is_plain else None
            try:
                url = urldefrag(urljoin(url, response.headers.get("location", "")))[0]
            except ValueError:
                return None
    return None


def _is_asked(url: str) -> bool:
    """Whether a request may be sent there at all, before the guard looks at where it leads."""
    try:
        address = urlsplit(url)
        return (
            address.scheme in {"http", "https"}
            and bool(address.hostname)
            and "@" not in address.netloc
            and len(url) <= ADDRESS_CHARACTERS
        )
    except ValueError:
        return False


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
