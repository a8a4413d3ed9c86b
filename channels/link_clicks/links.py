"""The links of a post, and the short keys that stand for them."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

from groups.kernel.ids import GroupId
from groups.kernel.text.markup import (
    Block,
    CodeBlock,
    Inline,
    LinkTo,
    ListBlock,
    ListItem,
    Marked,
    QuoteBlock,
    parse_markup,
)
from groups.models import CHANNEL_PREFIX, Content

MOST_LINKS: Final = 50
"""Links of a post that are counted: the first ones. Each takes up to about 4,200 bytes."""
KEY_BYTES: Final = 9  # 12 characters
REDIRECT_PATH: Final = "/l/"


def links_of(content: Content | None) -> list[str]:
    """The addresses to which a post leads, each once, first those in its text, then its titled links."""
    if content is None:
        return []
    found: dict[str, None] = {}
    if "://" in content.text or "mailto:" in content.text:
        for url in _in_blocks(parse_markup(content.text)):
            found[url] = None
    for link in content.links:
        found[link.url] = None
    return [url for url in found if url.startswith(("http://", "https://"))][:MOST_LINKS]


def link_key(url: str) -> str:
    """The key of an address among the links of one post."""
    return urlsafe_b64encode(blake2b(url.encode(), digest_size=KEY_BYTES).digest()).decode()


def redirect_path(channel_id: GroupId, seq: int, url: str) -> str:
    """The path that counts a click and leads to the link of a post."""
    name = quote(channel_id.removeprefix(CHANNEL_PREFIX), safe="")
    return f"{REDIRECT_PATH}{name}/{seq}/{link_key(url)}"


def _in_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case CodeBlock():
                pass
            case QuoteBlock():
                yield from _in_blocks(block.children)
            case ListBlock():
                yield from _in_items(block.items)
            case _:
                yield from _in_inline(block.children)


def _in_items(items: Sequence[ListItem]) -> Iterator[str]:
    for item in items:
        yield from _in_inline(item.children)
        for inner in item.lists:
            yield from _in_items(inner.items)


def _in_inline(children: Iterable[Inline]) -> Iterator[str]:
    for child in children:
        if isinstance(child, LinkTo):
            yield child.url
        elif isinstance(child, Marked):
            yield from _in_inline(child.children)
