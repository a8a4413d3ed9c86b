"""The guides as files: their text, their addresses, their pictures, and the navigation.

The navigation is `index.md`: its headings are the parts, and the first link of each list item is an entry. An entry
that is the index of a folder (`decisions/index.md`) has the entries of that index below it.
"""

import io
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import urlsplit

from markdown_it.token import Token
from PIL import Image

from channels.docs_site.addresses import HOME, PICTURE_TYPES
from channels.docs_site.markdown import Links, Picture, parser, plain_text

INDEX: Final = "index.md"
PICTURES: Final = {"pictures": "docs/pictures", "results": "bench/results"}
"""The folders whose pictures are served, by their name in addresses, below the package `channels`."""
_PARENT: Final = ".."


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the navigation."""

    title: str
    path: str
    """The path of its guide below `docs`."""
    address: str
    part: str
    children: "Sequence[Entry]" = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the navigation with its pages."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Navigation:
    """All parts, and the pages in their order."""

    parts: Sequence[Part]

    def pages(self) -> Iterator[Entry]:
        """Every entry in the order of reading."""
        for part in self.parts:
            for entry in part.entries:
                yield entry
                yield from entry.children


class Guides:
    """The guides below a folder; None: those of this package."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._package = root or resources.files("channels")
        self._root = self._package / "docs"

    def paths(self) -> list[str]:
        """The paths of all guides."""
        return sorted(_guides_in(self._root, ""))

    def text(self, path: str) -> str:
        """The Markdown of a guide. Raises: KeyError."""
        try:
            return self._root.joinpath(path).read_text(encoding="utf-8")
        except OSError:
            raise KeyError(path) from None

    def navigation(self) -> Navigation:
        """The parts and entries of the index; none without an index."""
        parts: list[Part] = []
        for title, links in self._lists(INDEX):
            entries = [self._entry(INDEX, name, href, title) for name, href in links]
            if entries:
                parts.append(Part(title, entries))
        return Navigation(parts)

    def _entry(self, index: str, title: str, href: str, part: str) -> Entry:
        path = _resolved(index, href)
        children: list[Entry] = []
        if posixpath.basename(path) == INDEX and path != index:
            for _, links in self._lists(path):
                children += [self._entry(path, name, href, part) for name, href in links]
        return Entry(title, path, address_of(path), part, children)

    def _lists(self, path: str) -> list[tuple[str, list[tuple[str, str]]]]:
        try:
            return _lists_of(self.text(path))
        except KeyError:
            return []

    def links(self, path: str, call: Callable[[str, str], str | None]) -> Links:
        """How the links of this guide read on the site."""
        return Links(partial(link_in, path), partial(self._picture, path), call)

    def pictures(self) -> list[str]:
        """The address of every picture, below `/docs/`."""
        return sorted(
            f"{name}/{file.name}"
            for name, folder in PICTURES.items()
            if self._package.joinpath(folder).is_dir()
            for file in self._package.joinpath(folder).iterdir()
            if posixpath.splitext(file.name)[1] in PICTURE_TYPES
        )

    def picture(self, folder: str, name: str) -> bytes:
        """The bytes of a picture that `pictures` lists."""
        return self._package.joinpath(PICTURES[folder], name).read_bytes()

    def _picture(self, path: str, href: str) -> Picture:
        resolved = posixpath.normpath(posixpath.join("docs", posixpath.dirname(path), href))
        folder, name = posixpath.split(resolved)
        for served, below in PICTURES.items():
            if folder == below:
                return Picture(f"{HOME}/{served}/{name}", self._size(below, name))
        return Picture(href, None)

    def _size(self, folder: str, name: str) -> tuple[int, int] | None:
        """The size of a picture in pixels, so that a page does not jump while it loads; None: it scales."""
        try:
            data = self._package.joinpath(folder, name).read_bytes()
        except OSError:
            return None
        if name.endswith(".svg"):
            return None
        with Image.open(io.BytesIO(data)) as image:
            return image.size


def address_of(path: str) -> str:
    """The address of a guide: `how-to/embed.md` is at `/docs/how-to/embed`, an index at its folder."""
    name = path.removesuffix(".md")
    name = "" if name == "index" else name.removesuffix("/index")
    return f"{HOME}/{name}" if name else HOME


def link_in(path: str, href: str) -> str:
    """The address on the site of a link in this guide. Other addresses stay as they are."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return href
    resolved = _resolved(path, parts.path)
    if resolved.startswith(_PARENT) or not resolved.endswith(".md"):
        return href
    return address_of(resolved) + (f"#{parts.fragment}" if parts.fragment else "")


def _resolved(path: str, href: str) -> str:
    target = href.partition("#")[0]
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _guides_in(folder: Traversable, prefix: str) -> Iterator[str]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _guides_in(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".md"):
            yield prefix + each.name


def _lists_of(text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The second-level headings of an index, each with the first link (text, address) of every list item below it."""
    tokens = parser().parse(text)
    found: list[tuple[str, list[tuple[str, str]]]] = [("", [])]
    is_open = False
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            found.append((plain_text(tokens[place + 1].children), []))
        elif token.type == "list_item_open":
            is_open = True
        elif token.type == "inline" and is_open:
            is_open = False
            link = _first_link(token)
            if link is not None and link[1].partition("#")[0].endswith(".md"):
                found[-1][1].append(link)
    return found


def _first_link(token: Token) -> tuple[str, str] | None:
    children = token.children or []
    opened = next((n for n, child in enumerate(children) if child.type == "link_open"), None)
    if opened is None:
        return None
    closed = next(
        n for n, child in enumerate(children) if n > opened and child.type == "link_close"
    )
    href = str(children[opened].attrGet("href"))
    return plain_text(children[opened:closed]), href
