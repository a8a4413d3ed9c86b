"""The title, description and picture that a page declares. Pure, and linear in the length of the page.

Open Graph first, since its texts are written for previews; then the elements that every page has.
"""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from channels.link_previews.limits import DESCRIPTION_CHARACTERS, TITLE_CHARACTERS

_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([-\w.:]{1,40})", re.ASCII | re.IGNORECASE)
_TEXT_CODECS: Final = re.compile(
    r"utf-8|utf-16(?:-[bl]e)?|ascii|iso8859-\d+|cp\d+|mac-\w+|koi8-\w+|gb2312|gbk|gb18030|big5|big5hkscs"
    r"|shift_jis|euc_jp|iso2022_jp|euc_kr|johab|tis-620"
)
"""The codecs of texts in pages, as Python names them. Others are formats that a text must not be unpacked from."""
_CHARSET_BYTES: Final = 1_024  # of a page, in which it names its charset; the HTML standard
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
"""Controls, and what turns the direction of text."""
_TITLES: Final = ("og:title", "twitter:title")
_DESCRIPTIONS: Final = ("og:description", "twitter:description", "description")
_PICTURES: Final = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image")


@dataclass(frozen=True, slots=True)
class Page:
    """The title, description and picture that a page declares."""

    url: str
    title: str
    description: str
    picture_url: str | None


def page_of(url: str, body: bytes, content_type: str) -> Page | None:
    """Read the beginning of the page at this address; None where it is no HTML, or has no title."""
    if content_type.partition(";")[0].strip().lower() not in {"text/html", "application/xhtml+xml"}:
        return None
    head = _Head()
    # Once, and without the parser's `close`, which looks again and again at what a broken page leaves open. It asserts
    # that declarations are known (`<![x[`); what was read before one of others stays.
    with suppress(AssertionError):
        head.feed(_text_of(body, content_type))
    title = _first(head.meta, _TITLES) or head.title
    shown = _shown(title, TITLE_CHARACTERS)
    if not shown:
        return None
    picture = _first(head.meta, _PICTURES)
    return Page(
        url=url,
        title=shown,
        description=_shown(_first(head.meta, _DESCRIPTIONS), DESCRIPTION_CHARACTERS),
        picture_url=_joined(url, picture) if picture else None,
    )


class _Head(HTMLParser):
    """The `<title>` and the `<meta>` elements before the body."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.title = ""
        self._is_in_title = False
        self._is_over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._is_over = True
        if self._is_over:
            return
        self._is_in_title = tag == "title" and not self.title
        if tag == "meta":
            values = {name: value or "" for name, value in attrs}
            name = (values.get("property") or values.get("name") or "").strip().lower()
            if name:
                self.meta.setdefault(name, values.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        self._is_in_title = False

    def handle_data(self, data: str) -> None:
        if self._is_in_title:
            self.title += data[: 4 * TITLE_CHARACTERS]


def _text_of(body: bytes, content_type: str) -> str:
    """The page as text, by the charset that its header or its beginning names; UTF-8 where that is none of texts."""
    head = body[:_CHARSET_BYTES].decode("ascii", "replace")
    found = _CHARSET.search(content_type) or _CHARSET.search(head)
    encoding = "utf-8"
    if found is not None:
        try:
            name = codecs.lookup(found[1]).name
        except (LookupError, ValueError):
            name = ""
        if _TEXT_CODECS.fullmatch(name):
            encoding = name
    return body.decode(encoding, "replace")


def _first(meta: dict[str, str], names: tuple[str, ...]) -> str:
    """The first of these that says something."""
    return next((meta[name] for name in names if meta.get(name, "").strip()), "")


def _shown(text: str, most: int) -> str:
    """The text in one line, without what shows nothing, and no longer than that."""
    line = " ".join(_UNSEEN.sub(" ", text[: 8 * most]).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _joined(url: str, address: str) -> str | None:
    try:
        return urljoin(url, address.strip())
    except ValueError:
        return None
