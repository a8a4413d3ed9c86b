"""The HTML of a text with marks, for public pages and feeds.

Promises: every text is escaped; the tree of `groups.kernel.text.markup` is all that becomes elements. Links have
`rel=nofollow`, since users wrote them. It is what the scripts draw of the same tree.
"""

from collections.abc import Callable, Iterable
from typing import Final

from markupsafe import Markup, escape

from groups.kernel.text.markup import (
    Block,
    Code,
    CodeBlock,
    Inline,
    LinkTo,
    ListBlock,
    QuoteBlock,
    TextBlock,
    parse_markup,
)

_TAGS: Final = {"bold": "strong", "italic": "em", "strike": "s"}


Way = Callable[[str], str]
"""Returns the address behind which a link's address is reached: the same, or one of this server that counts."""


def straight(url: str) -> str:
    """The way without a detour."""
    return url


def markup_html(text: str, way: Way = straight) -> Markup:
    """The text as HTML elements of blocks. Line breaks are `<br>`, which feed readers keep."""
    return _blocks(parse_markup(text), way)


def _blocks(blocks: Iterable[Block], way: Way) -> Markup:
    return Markup("").join(_block(block, way) for block in blocks)


def _block(block: Block, way: Way) -> Markup:
    match block:
        case TextBlock():
            return Markup('<p dir="auto">{}</p>').format(_inline(block.children, way))
        case CodeBlock():
            return Markup('<pre dir="ltr"><code>{}</code></pre>').format(block.text)
        case QuoteBlock():
            return Markup("<blockquote>{}</blockquote>").format(_blocks(block.children, way))
        case ListBlock():
            return _list(block, way)


def _list(block: ListBlock, way: Way) -> Markup:
    items = Markup("").join(
        Markup('<li dir="auto">{}{}</li>').format(
            _inline(item.children, way), Markup("").join(_list(each, way) for each in item.lists)
        )
        for item in block.items
    )
    if block.start is None:
        return Markup("<ul>{}</ul>").format(items)
    start = Markup("") if block.start == 1 else Markup(' start="{}"').format(block.start)
    return Markup("<ol{}>{}</ol>").format(start, items)


def _inline(children: Iterable[Inline], way: Way) -> Markup:
    parts: list[Markup] = []
    for child in children:
        if isinstance(child, str):
            parts.append(Markup("<br>").join(escape(line) for line in child.split("\n")))
        elif isinstance(child, Code):
            parts.append(Markup("<code>{}</code>").format(child.text))
        elif isinstance(child, LinkTo):
            anchor = Markup('<a href="{}" rel="nofollow noopener noreferrer ugc">{}</a>')
            parts.append(anchor.format(way(child.url), _inline(child.children, way)))
        else:
            tag = Markup(_TAGS[child.kind])
            parts.append(Markup("<{0}>{1}</{0}>").format(tag, _inline(child.children, way)))
    return Markup("").join(parts)
