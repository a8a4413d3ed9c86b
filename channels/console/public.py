"""The public page of a channel and its feeds: what anyone may read without signing in, as HTML, Atom, RSS, JSON Feed.

Pure: from what the services tell to bytes. The ids of a feed and of its entries are made of the channel's id and the
instant it was created: they stay when the server's address changes, and differ when a channel is created anew under the
same id. Without a public address, links are relative to the feed's own. All text is escaped by the template or the
feed's own writer; what XML cannot carry is left out of a feed. Links in posts carry `rel=nofollow`: other people wrote
them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import quote
from uuid import UUID, uuid5

import orjson
from feedgen.feed import FeedGenerator

from channels.console.assets import Assets
from channels.console.shell import templates
from channels.models import CHANNEL_PREFIX, Channel
from groups.kernel.clock import rfc3339
from groups.models import Content, MediaKind, Message, Tallies, Tally, media_in

Form = Literal["html", "atom", "rss", "json"]

CONTENT_TYPES: Final[dict[Form, str]] = {
    "html": "text/html",
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
JSON_FEED: Final = "https://jsonfeed.org/version/1.1"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TITLE_CHARACTERS: Final = 80
_FEED_IDS: Final = UUID("2f6e0e6c-5d0e-4c1e-9a3b-7f0c3f5f7a10")
POSTS: Final = 20  # of a page, of a feed


def page_end(seq: int) -> int:
    """The `before_seq` of the page that holds this post: pages end where they do whatever is posted later."""
    return -(-seq // POSTS) * POSTS + 1


@dataclass(frozen=True, slots=True)
class PublicPost:
    """A post as anyone may read it."""

    seq: int
    content: Content
    tally: Tally
    created_at: datetime
    updated_at: datetime

    @property
    def heading(self) -> str:
        """A line that names it: its title, else how its text begins."""
        content = self.content
        place = content.location.name if content.location else ""
        line = content.title or content.text.strip().partition("\n")[0] or place
        if len(line) > _TITLE_CHARACTERS:
            line = line[: _TITLE_CHARACTERS - 1].rstrip() + "…"
        return line or f"#{self.seq}"

    @property
    def pictures(self) -> list[str]:
        """Where its pictures are, as large as a page shows them."""
        return [
            f"/v1/media/{one.media_id}?size=large"
            for one in self.content.media
            if one.kind is MediaKind.IMAGE
        ]

    @property
    def files(self) -> list[tuple[str, str]]:
        """Its other uploads, by address and name."""
        return [
            (f"/v1/media/{one.media_id}", one.name or one.content_type)
            for one in self.content.media
            if one.kind is not MediaKind.IMAGE
        ]


@dataclass(frozen=True, slots=True)
class PublicChannel:
    """A public channel and some of its posts, newest first."""

    channel: Channel
    posts: Sequence[PublicPost]
    older_before: int | None
    """Where the next page begins; None: there is none."""
    base: str
    """The address of this server as its visitors know it, without a path; empty where it is not known."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.channel.access.group.name

    @property
    def introduction(self) -> str:
        """What it says of itself."""
        return self.channel.access.group.introduction

    @property
    def is_verified(self) -> bool:
        """Whether the application vouches for it."""
        return self.channel.access.group.verified

    @property
    def path(self) -> str:
        """Its public page."""
        return f"/c/{quote(self.channel.channel_id.removeprefix(CHANNEL_PREFIX), safe='')}"

    @property
    def url(self) -> str:
        """Its public page, in full."""
        return self.base + self.path

    @property
    def app_path(self) -> str:
        """The channel in the reader."""
        return f"/channels/{quote(self.channel.channel_id, safe='')}"

    @property
    def picture(self) -> str | None:
        """Its picture, in full, where it is an upload of ours: no visitor is sent to another host."""
        media_id = media_in(self.channel.access.group.face_url)
        return f"{self.base}/v1/media/{media_id}?size=thumb" if media_id else None

    def url_of(self, post: PublicPost) -> str:
        """The post on its page."""
        return f"{self.url}?before_seq={page_end(post.seq)}#post-{post.seq}"

    def feed_id(self, post: PublicPost | None = None) -> str:
        """The permanent id of its feed, or of the post in it."""
        profile = self.channel.profile
        name = f"{profile.channel_id} {rfc3339(profile.created_at)} {post.seq if post else ''}"
        return uuid5(_FEED_IDS, name).urn


def public_posts(messages: Sequence[Message], tallies: Tallies) -> list[PublicPost]:
    """The posts that say something to people: not what was recalled, not what only an app can read."""
    found: list[PublicPost] = []
    for message in messages:
        content = message.content
        if content is None or not (
            content.title or content.text or content.media or content.location or content.links
        ):
            continue
        updated_at = message.edited_at or message.created_at
        tally = tallies.get(message.seq, Tally())
        found.append(PublicPost(message.seq, content, tally, message.created_at, updated_at))
    return found


def page(shown: PublicChannel, assets: Assets, *, indexed: bool) -> bytes:
    """The page as HTML."""
    template = templates().get_template("public.html")
    return template.render(
        shown=shown, group=shown.channel.access.group, indexed=indexed, address=assets.address
    ).encode()


def missing_page(assets: Assets) -> bytes:
    """What stands where there is no public channel."""
    return templates().get_template("missing.html").render(address=assets.address).encode()


def feed(shown: PublicChannel, form: Form) -> bytes:
    """The channel's newest posts in this form."""
    if form == "json":
        return orjson.dumps(_json_feed(shown))
    made = FeedGenerator()
    made.id(shown.feed_id())
    made.title(_xml(shown.name))
    made.description(_xml(shown.introduction or shown.name))
    made.link(href=f"{shown.url}/feed.{form}", rel="self")
    made.link(href=shown.url, rel="alternate")
    made.updated(
        max((post.updated_at for post in shown.posts), default=shown.channel.profile.created_at)
    )
    if shown.picture:
        made.logo(shown.picture)
    for post in shown.posts:
        entry = made.add_entry(order="append")
        entry.id(shown.feed_id(post))
        entry.title(_xml(post.heading))
        entry.link(href=shown.url_of(post))
        entry.author(name=_xml(shown.name))
        entry.published(post.created_at)
        entry.updated(post.updated_at)
        entry.content(_xml(_html_of(shown, post)), type="html")
    text: bytes = made.atom_str() if form == "atom" else made.rss_str()
    return text


def _json_feed(shown: PublicChannel) -> dict[str, Any]:
    items = [
        {
            "id": shown.feed_id(post),
            "url": shown.url_of(post),
            "title": post.heading,
            "content_html": _html_of(shown, post),
            "content_text": post.content.text,
            "date_published": rfc3339(post.created_at),
            "date_modified": rfc3339(post.updated_at),
        }
        for post in shown.posts
    ]
    return {
        "version": JSON_FEED,
        "title": shown.name,
        "description": shown.introduction,
        "home_page_url": shown.url,
        "feed_url": f"{shown.url}/feed.json",
        **({"icon": shown.picture} if shown.picture else {}),
        # The format leaves names that begin so to whoever makes a feed.
        "_channel": {"channel_id": shown.channel.channel_id, "verified": shown.is_verified},
        "items": items,
    }


def _html_of(shown: PublicChannel, post: PublicPost) -> str:
    return templates().get_template("feed_item.html").render(base=shown.base, post=post)


def _xml(text: str) -> str:
    return _NOT_XML.sub("", text)
