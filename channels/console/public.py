"""Renders the public page of a channel and its feeds, which anyone may read without signing in.

Pure functions from models to bytes: HTML, Atom, RSS or JSON Feed.

The ids of a feed and its entries are derived from the channel's id and creation time. They stay the same when the
server's address changes, and differ when a channel is deleted and created again with the same id. Without a public
address, links are relative to the address of the feed.

The templates escape all text. Characters that XML cannot carry are removed from feeds. Links in
posts have `rel=nofollow`, since users wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import orjson

from channels.console import cards
from channels.console.assets import Assets
from channels.console.languages import page_texts
from channels.console.markup_html import Way, straight
from channels.console.shell import not_found_page, templates
from channels.link_clicks.links import links_of, redirect_path
from channels.models import Channel
from channels.share_links.addresses import app_path, public_path
from groups.kernel.clock import rfc3339
from groups.kernel.text.markup import plain_beginning, plain_text
from groups.models import (
    ActionKind,
    Attachment,
    Button,
    Content,
    Group,
    MediaKind,
    Message,
    Poll,
    Tallies,
    Tally,
    media_in,
    poster_url,
)

Form = Literal["html", "atom", "rss", "json", "card"]

CONTENT_TYPES: Final[dict[Form, str]] = {
    "html": "text/html",
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
    "card": "image/png",
}
_TITLE_CHARACTERS: Final = 80
_SUMMARY_CHARACTERS: Final = 200
_FEED_IDS: Final = UUID("2f6e0e6c-5d0e-4c1e-9a3b-7f0c3f5f7a10")
POSTS: Final = 20
"""The number of posts on a page and in a feed."""


def page_end(seq: int) -> int:
    """The `before_seq` of the page with this post. Later posts do not change it."""
    return -(-seq // POSTS) * POSTS + 1


@dataclass(frozen=True, slots=True)
class PublicPost:
    """A post as anyone may read it, with its reactions."""

    seq: int
    content: Content
    tally: Tally
    created_at: datetime
    updated_at: datetime
    counts_votes: bool = False
    """Whether everybody may see the results of its poll."""

    @property
    def heading(self) -> str:
        """One line: the title, or else the beginning of the text, or the name of the place."""
        content = self.content
        text = plain_beginning(content.text.strip())
        question = content.poll.question if content.poll else ""
        line = content.title or question or text.partition("\n")[0] or self.place
        if len(line) > _TITLE_CHARACTERS:
            line = line[: _TITLE_CHARACTERS - 1].rstrip() + "…"
        return line or f"#{self.seq}"

    @property
    def summary(self) -> str:
        """The beginning of its text in one line, for previews of links."""
        line = " ".join(self.content.text.split())
        if len(line) > _SUMMARY_CHARACTERS:
            line = line[: _SUMMARY_CHARACTERS - 1].rstrip() + "…"
        return line or self.place or ", ".join(text for text, _ in self.answers)

    @property
    def answers(self) -> list[tuple[str, int | None]]:
        """The answers of its poll with their votes, None where the results are not for everybody; empty without one."""
        poll = self.content.poll
        if poll is None:
            return []
        votes = self.tally.votes
        return [
            (text, votes.get(index, 0) if self.counts_votes else None)
            for index, text in enumerate(poll.options)
        ]

    @property
    def link_buttons(self) -> list[Button]:
        """Its buttons that lead to an address. The others send or count something for a user of the app."""
        return [
            button
            for button in self.content.all_buttons
            if button.action.kind is ActionKind.LINK
            and button.action.value.lower().startswith(("http://", "https://"))
        ]

    @property
    def place(self) -> str:
        """The name or address of its place in one line, or else the coordinates; empty without a place."""
        location = self.content.location
        if location is None:
            return ""
        return location.name or location.address.partition("\n")[0] or self.coordinates

    @property
    def coordinates(self) -> str:
        """Latitude and longitude of its place, in degrees: `53.55, 9.96`."""
        location = self.content.location
        return f"{_degrees(location.latitude)}, {_degrees(location.longitude)}" if location else ""

    @property
    def map_url(self) -> str:
        """The address of a map with its place."""
        location = self.content.location
        if location is None:
            return ""
        latitude, longitude = _degrees(location.latitude), _degrees(location.longitude)
        return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"

    @property
    def pictures(self) -> list[str]:
        """The paths of its pictures, in the size that the page shows; of a video, of what is shown before it plays."""
        content = self.content
        posters = [poster_url(one, content.poster) for one in content.own_media[:1]]
        return [*self.still_pictures, *(url for url in posters if url is not None)]

    @property
    def still_pictures(self) -> list[str]:
        """Its pictures where its videos play, each of which shows its own poster."""
        return [f"/v1/media/{one.media_id}?size=large" for one in _images(self.content)]

    @property
    def videos(self) -> list[tuple[Attachment, str | None]]:
        """Its videos, which play on the page, each with the path of what is shown before."""
        return [
            (one, poster_url(one, self.content.poster))
            for one in self.content.media
            if one.kind is MediaKind.VIDEO
        ]

    @property
    def files(self) -> list[tuple[str, str, str]]:
        """Path, name and (of sounds) duration of each of its other uploads."""
        return [
            (
                f"/v1/media/{one.media_id}",
                one.name or one.content_type,
                _clock(one.duration_seconds),
            )
            for one in self.content.own_media
            if one.kind is not MediaKind.IMAGE
        ]

    @property
    def sounds(self) -> list[Attachment]:
        """Its sounds, which feeds name as enclosures, so that players of podcasts find them."""
        return [one for one in self.content.own_media if one.kind is MediaKind.AUDIO]


@dataclass(frozen=True, slots=True)
class PublicChannel:
    """A public channel and one page of its posts, newest first."""

    channel: Channel
    posts: Sequence[PublicPost]
    older_before: int | None
    """The `before_seq` of the next page; None on the last one."""
    base: str
    """The public origin of this server; empty if it is not configured."""
    is_one: bool = False
    """Whether it is the page of a single post, which is then all of `posts`."""

    @property
    def group(self) -> Group:
        """The group with the channel's name, introduction and picture."""
        return self.channel.access.group

    @property
    def path(self) -> str:
        """The path of its public page."""
        return public_path(self.channel.channel_id)

    @property
    def url(self) -> str:
        """The address of its public page."""
        return self.base + self.path

    @property
    def app_path(self) -> str:
        """The path of the channel in the web app."""
        seq = self.posts[0].seq if self.is_one else None
        return app_path(self.channel.channel_id, seq)

    @property
    def title(self) -> str:
        """The title of the page: that of the post, or the name of the channel."""
        return self.posts[0].heading if self.is_one else self.group.name

    @property
    def description(self) -> str:
        """The beginning of the post, or what the channel says of itself."""
        return self.posts[0].summary if self.is_one else self.group.introduction

    @property
    def own_path(self) -> str:
        """The path of this page: of the post, or of the channel."""
        return self.path_of(self.posts[0]) if self.is_one else self.path

    @property
    def card_path(self) -> str:
        """The path of the picture that other sites show beside a link to this page."""
        return f"{self.own_path}/card.png"

    @property
    def picture(self) -> str | None:
        """The address of its picture. None for a picture on another host, which could track visitors."""
        media_id = media_in(self.group.face_url)
        return f"{self.base}/v1/media/{media_id}?size=thumb" if media_id else None

    @property
    def updated_at(self) -> datetime:
        """When a post on this page was last published or edited; without posts, when the channel was created."""
        created_at = self.channel.profile.created_at
        return max((post.updated_at for post in self.posts), default=created_at)

    def path_of(self, post: PublicPost) -> str:
        """The path of the page of a post."""
        return public_path(self.channel.channel_id, post.seq)

    def url_of(self, post: PublicPost) -> str:
        """The address of the page of a post."""
        return self.base + self.path_of(post)

    def way_of(self, post: PublicPost) -> Way:
        """The way to the links of a post: straight, or past what counts clicks where the channel does so."""
        if not self.channel.profile.count_clicks:
            return straight
        channel_id, counted = self.channel.channel_id, set(links_of(post.content))
        return lambda url: redirect_path(channel_id, post.seq, url) if url in counted else url

    def feed_id(self, post: PublicPost | None = None) -> str:
        """The permanent id of the feed, or of a post in it."""
        profile = self.channel.profile
        name = f"{profile.channel_id} {rfc3339(profile.created_at)} {post.seq if post else ''}"
        return uuid5(_FEED_IDS, name).urn


def _clock(seconds: float | None) -> str:
    """A duration as players show it, such as 1:05 or 1:00:05; empty if it is not known."""
    if seconds is None:
        return ""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _degrees(value: float) -> str:
    # Five decimals are a metre. Adding 0.0 makes -0.0 positive.
    return f"{round(value, 5) + 0.0:.5f}".rstrip("0").rstrip(".")


def public_posts(messages: Sequence[Message], tallies: Tallies, now: datetime) -> list[PublicPost]:
    """The posts with content for people: without deleted posts and posts with app content only."""
    found: list[PublicPost] = []
    for message in messages:
        content = message.content
        if content is None or not (
            content.title
            or content.text
            or content.media
            or content.location
            or content.links
            or content.poll
        ):
            continue
        updated_at = message.edited_at or message.created_at
        tally = tallies.get(message.seq, Tally())
        counts_votes = content.poll is not None and content.poll.are_results_public(now)
        found.append(
            PublicPost(
                message.seq,
                content,
                tally,
                message.created_at,
                updated_at,
                counts_votes=counts_votes,
            )
        )
    return found


def page(shown: PublicChannel, assets: Assets, *, indexed: bool, language: str) -> bytes:
    """The page as HTML, in a language of the app. `indexed` allows search engines to list it."""
    template = templates().get_template("public.html")
    texts = page_texts(language)
    return template.render(
        shown=shown, indexed=indexed, address=assets.address, texts=texts
    ).encode()


def card(shown: PublicChannel, face: bytes | None) -> bytes:
    """The picture beside links to the page, as PNG. `face` is the channel's picture."""
    address = f"{urlsplit(shown.base).netloc}{shown.own_path}" if shown.base else shown.own_path
    title = shown.title if shown.is_one else ""
    text = (
        shown.description if title in {"", shown.description} else f"{title} · {shown.description}"
    )
    texts = cards.CardTexts(shown.group.name, text, address)
    return cards.card(texts, key=shown.channel.channel_id, face=face)


def missing_page(assets: Assets, language: str) -> bytes:
    """The page for an address without a public channel, in a language of the app."""
    return not_found_page(assets, "channel", language)


def feed(shown: PublicChannel, form: Form) -> bytes:
    """The posts as a feed. In JSON it names the feed of the older ones, and has each post in the API's fields too."""
    if form == "json":
        return orjson.dumps(_json_feed(shown))
    template = templates().get_template(f"feed.{form}")
    return template.render(shown=shown, html_of=partial(_html_of, shown)).encode()


def _json_feed(shown: PublicChannel) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": shown.group.name,
        "description": shown.group.introduction,
        "home_page_url": shown.url,
        "feed_url": f"{shown.url}/feed.json",
        **(
            {"next_url": f"{shown.url}/feed.json?before_seq={shown.older_before}"}
            if shown.older_before
            else {}
        ),
        **({"icon": shown.picture} if shown.picture else {}),
        # Names that start with an underscore are extensions.
        "_channel": {"channel_id": shown.channel.channel_id, "verified": shown.group.verified},
        "items": [
            {
                "id": shown.feed_id(post),
                "url": shown.url_of(post),
                "title": post.heading,
                "content_html": _html_of(shown, post),
                "content_text": plain_text(post.content.text) or post.place,
                "date_published": rfc3339(post.created_at),
                "date_modified": rfc3339(post.updated_at),
                **({"attachments": _attachments(shown, post)} if post.sounds else {}),
                "_post": _post(post),
            }
            for post in shown.posts
        ],
    }


def _post(post: PublicPost) -> dict[str, Any]:
    """The post for programs that draw it themselves, in the fields of the API."""
    content = post.content
    by_kind = {
        one.kind: _media(one, content.poster)
        for one in content.own_media
        if one.kind is not MediaKind.IMAGE
    }
    return {
        "seq": post.seq,
        "title": content.title,
        "text": content.text,
        "images": [_media(one) for one in _images(content)],
        **{kind.value: media for kind, media in by_kind.items()},
        "links": [
            {
                "title": link.title,
                "url": link.url,
                **({"description": link.description} if link.description else {}),
                **({"image": _media(picture)} if picture else {}),
            }
            for link, picture in zip(content.links, content.link_media, strict=True)
        ],
        "location": content.location.model_dump() if content.location else None,
        **({"poll": _poll(post, content.poll)} if content.poll else {}),
        **({"buttons": _buttons(post.link_buttons)} if post.link_buttons else {}),
        "created_at": rfc3339(post.created_at),
        "edited_at": rfc3339(post.updated_at) if post.updated_at != post.created_at else None,
        "reactions": {"counts": post.tally.counts, "total": post.tally.total, "mine": []},
    }


def _poll(post: PublicPost, poll: Poll) -> dict[str, Any]:
    return {
        "question": poll.question,
        "options": [{"text": text, "votes": votes} for text, votes in post.answers],
        "voters": post.tally.voters if post.counts_votes else None,
        "multiple": poll.multiple,
        "closes_at": rfc3339(poll.closes_at) if poll.closes_at else None,
        "results": poll.results,
    }


def _buttons(buttons: Sequence[Button]) -> list[list[dict[str, Any]]]:
    """As one row: those that are left out would leave gaps."""
    shown = {"kind": ActionKind.LINK, "presses": None, "pressed": False}
    return [[{"text": one.text, "url": one.action.value, **shown} for one in buttons]]


def _images(content: Content) -> list[Attachment]:
    """The images that the post shows as such, without the poster of a video."""
    return [
        one
        for one in content.own_media
        if one.kind is MediaKind.IMAGE and one is not content.poster
    ]


def _media(one: Attachment, poster: Attachment | None = None) -> dict[str, Any]:
    url = f"/v1/media/{one.media_id}"
    is_image = one.kind is MediaKind.IMAGE
    return {
        "kind": one.kind,
        "content_type": one.content_type,
        "size_bytes": one.size_bytes,
        "width": one.width,
        "height": one.height,
        "duration_seconds": one.duration_seconds,
        "name": one.name,
        "url": url,
        "large_url": f"{url}?size=large" if is_image else None,
        "thumb_url": f"{url}?size=thumb" if is_image else None,
        "poster_url": poster_url(one, poster),
    }


def _attachments(shown: PublicChannel, post: PublicPost) -> list[dict[str, Any]]:
    return [
        {
            "url": f"{shown.base}/v1/media/{one.media_id}",
            "mime_type": one.content_type,
            "size_in_bytes": one.size_bytes,
            **({"title": one.name} if one.name else {}),
            **({"duration_in_seconds": one.duration_seconds} if one.duration_seconds else {}),
        }
        for one in post.sounds
    ]


def _html_of(shown: PublicChannel, post: PublicPost) -> str:
    return templates().get_template("feed_item.html").render(base=shown.base, post=post)
