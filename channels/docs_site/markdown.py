"""Renders one guide: Markdown to HTML, the headings, and the text of each section for the search.

Promises:
    Only the HTML of this module and its libraries is in a page. HTML in a guide is shown as text; comments vanish.
    No inline style and no script: code is coloured by classes (Pygments).
    An anchor is the one that code hosts make, so a link to `#a-heading` works here and there.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any, Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.anchors import anchors_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_FILE: Final = re.compile(r"<!--\s*file:\s*([\w./-]+)\s*-->")
_PRINTS: Final = re.compile(r"<!--\s*prints( in background)?\s*-->")
_CALL: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_SERVED: Final = re.compile(r"/docs(?:/[\w./#-]*)?|/(?:openapi|asyncapi)\.json")
_SPACE: Final = re.compile(r"\s+")
_DRAWN: Final = re.compile("[\u2190-\u21ff\u2500-\u25ff]+")  # arrows and lines of drawings
_LANGUAGES: Final = {"sh": "bash", "shell": "bash", "js": "javascript", "text": "text"}
_TOC_LEVELS: Final = (2, 3)


class Heading(NamedTuple):
    """A heading of a page."""

    level: int
    text: str
    anchor: str


class Section(NamedTuple):
    """The text below a heading, for the search. The anchor of the page's title is empty."""

    heading: str
    anchor: str
    text: str


class Picture(NamedTuple):
    """A picture as a page shows it: its address, and its size in pixels if that is known."""

    address: str
    size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Guide:
    """A rendered guide."""

    title: str
    lead: str
    """The first paragraph, as plain text."""
    html: str
    headings: Sequence[Heading]
    sections: Sequence[Section]


@dataclass(frozen=True, slots=True)
class Links:
    """Where the links of a guide lead to on the site."""

    link: Callable[[str], str]
    """The address of a link as it is written in the guide."""
    picture: Callable[[str], Picture]
    """The picture of an address as it is written in the guide."""
    call: Callable[[str, str], str | None]
    """Where the API reference describes the call with this method and path; None if there is none."""


def render(text: str, links: Links, *, is_index: bool = False) -> Guide:
    """Render a guide. Takes some milliseconds, most of them for the colours of code.

    In the lists of an index, the colon between a link and its sentence goes: they stand below each other.
    """
    markdown = parser()
    environment: dict[str, Any] = {"links": links}
    tokens = markdown.parse(text, environment)
    if is_index:
        _drop_colons(tokens)
    html: str = markdown.renderer.render(tokens, markdown.options, environment)
    headings, sections = _outline(tokens)
    title = sections[0].heading if sections else ""
    shown = [heading for heading in headings if heading.level in _TOC_LEVELS]
    return Guide(title, _lead(tokens), html, shown, sections)


def render_line(text: str, links: Links) -> str:
    """Render a line of Markdown without blocks."""
    html: str = parser().renderInline(text, {"links": links})
    return html


def outline(text: str) -> list[Section]:
    """The sections of a guide, without rendering it."""
    return _outline(parser().parse(text))[1]


@cache
def parser() -> MarkdownIt:
    """The parser: CommonMark with tables, anchors and typographic quotes."""
    markdown = MarkdownIt("commonmark", {"html": True, "typographer": True}, renderer_cls=_Renderer)
    markdown.enable(["table", "strikethrough", "smartquotes"])
    anchors_plugin(markdown, min_level=1, max_level=6)
    markdown.core.ruler.push("captions", _caption_code)
    return markdown


def plain_text(tokens: Sequence[Token] | None) -> str:
    """The text of inline tokens, as a reader sees it."""
    parts: list[str] = []
    for token in tokens or ():
        if token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain_text(token.children))
    return "".join(parts)


def links_of(tokens: Sequence[Token]) -> list[str]:
    """The addresses of all links and pictures of a guide, as they are written."""
    found: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            found.append(str(token.attrGet("href")))
        elif token.type == "image":
            found.append(str(token.attrGet("src")))
        found += links_of(token.children or ())
    return found


def anchors_of(tokens: Sequence[Token]) -> set[str]:
    """The anchors of a guide's headings."""
    return {str(token.attrGet("id")) for token in tokens if token.type == "heading_open"}


def _caption_code(state: StateCore) -> None:
    """Give a code block the caption that the directive above it names: a file, or output."""
    for above, token in zip(state.tokens, state.tokens[1:], strict=False):
        if token.type != "fence" or above.type != "html_block":
            continue
        file = _FILE.search(above.content)
        if file:
            token.meta["caption"] = file[1]
        elif _PRINTS.search(above.content):
            token.meta["caption"] = "Output"


def _outline(tokens: Sequence[Token]) -> tuple[list[Heading], list[Section]]:
    headings: list[Heading] = []
    sections: list[Section] = []
    words: list[str] = []

    def close() -> None:
        if sections:
            text = _SPACE.sub(" ", _DRAWN.sub(" ", " ".join(words))).strip()
            sections[-1] = sections[-1]._replace(text=text)
        words.clear()

    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            close()
            text = plain_text(tokens[place + 1].children)
            anchor = "" if token.tag == "h1" else str(token.attrGet("id"))
            headings.append(Heading(int(token.tag[1]), text, anchor))
            sections.append(Section(text, anchor, ""))
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            words.append(plain_text(token.children))
        elif token.type in {"fence", "code_block"}:
            words.append(token.content)
    close()
    return headings, sections


def _drop_colons(tokens: Sequence[Token]) -> None:
    for place, token in enumerate(tokens):
        children = token.children or []
        kinds = [child.type for child in children]
        if token.type != "inline" or tokens[place - 2].type != "list_item_open":
            continue
        if kinds[:1] == ["link_open"] and "link_close" in kinds[:-1]:
            after = children[kinds.index("link_close") + 1]
            if after.content.startswith(": "):
                words = after.content[2:]
                after.content = words[:1].upper() + words[1:]


def _lead(tokens: Sequence[Token]) -> str:
    for place, token in enumerate(tokens):
        if token.type == "paragraph_open":
            return _SPACE.sub(" ", plain_text(tokens[place + 1].children))
    return ""


class _Renderer(RendererHTML):
    """The HTML of each token whose form is not the one of CommonMark."""

    def html_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        left = _COMMENT.sub("", tokens[idx].content).strip()
        return f"<p>{escape(left)}</p>\n" if left else ""

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return escape(_COMMENT.sub("", tokens[idx].content))

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        opened = self.renderToken(tokens, idx, options, env)
        return opened if tokens[idx].tag == "h1" else f'<div class="heading">{opened.rstrip()}'

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        tag = tokens[idx].tag
        if tag == "h1":
            return "</h1>\n"
        anchor = escape(str(tokens[idx - 2].attrGet("id")))
        label = escape(f"Link to “{plain_text(tokens[idx - 1].children)}”")
        return f'</{tag}><a class="anchor" href="#{anchor}" aria-label="{label}">#</a></div>\n'

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = token.info.strip().partition(" ")[0]
        return code_block(token.content, language, token.meta.get("caption", ""))

    def code_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return code_block(tokens[idx].content, "text", "")

    def code_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        content = tokens[idx].content
        # Long paths are broken behind a slash, not in the middle of a word.
        breakable = escape(content).replace("/", "/<wbr>")
        code = f"<code>{breakable}</code>"
        before = [token.type for token in tokens[:idx]]
        if before.count("link_open") > before.count("link_close"):
            return code
        links: Links = env["links"]
        call = _CALL.fullmatch(content)
        address = links.call(call[1], call[2]) if call else None
        if address is None and _SERVED.fullmatch(content):
            address = content
        return f'<a href="{escape(address)}">{code}</a>' if address else code

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return '<div class="table"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # A header without text would be announced as one.
        return _cell_open(tokens[idx], "th" if tokens[idx + 1].content else "td")

    def th_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</th>\n" if tokens[idx - 1].content else "</td>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return _cell_open(tokens[idx], "td")

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        links: Links = env["links"]
        tokens[idx].attrSet("href", links.link(str(tokens[idx].attrGet("href"))))
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        links: Links = env["links"]
        token = tokens[idx]
        shown = links.picture(str(token.attrGet("src")))
        size = f' width="{shown.size[0]}" height="{shown.size[1]}"' if shown.size else ""
        alternative = escape(plain_text(token.children))
        return f'<img src="{escape(shown.address)}" alt="{alternative}"{size} loading="lazy">'


def _cell_open(token: Token, tag: str) -> str:
    # The alignment of a column comes as an inline style, which the policy of the pages forbids.
    style = str(token.attrGet("style") or "")
    align = style.removeprefix("text-align:")
    return f'<{tag} class="{align}">' if align in {"right", "center"} else f"<{tag}>"


def code_block(code: str, language: str, caption: str) -> str:
    """A block of code in colours. An unknown language has none."""
    above = f'<span class="caption">{escape(caption)}</span>' if caption else ""
    kind = escape(language or "text")
    return (
        f'<div class="code" data-language="{kind}">{above}<pre><code>'
        f"{_coloured(code, language)}</code></pre></div>\n"
    )


def _coloured(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(_LANGUAGES.get(language, language or "text"), stripnl=False)
    except ClassNotFound:
        return escape(code)
    coloured: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return coloured
