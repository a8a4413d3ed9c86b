"""The pages of the site, rendered to HTML.

Promises:
    Nothing is read or rendered before it is requested, and the index of the search is made at the first search.
    A page has the navigation, its headings, the pages before and after it, and the search. It works without script.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from channels.console.assets import Assets, load_assets, read_assets
from channels.docs_site.addresses import API, ASSETS, HOME, SCHEMAS, SEARCH
from channels.docs_site.api_reference import ApiReference, slug_of
from channels.docs_site.guides import INDEX, Entry, Guides, Navigation, Part, address_of
from channels.docs_site.markdown import (
    Heading,
    Links,
    Picture,
    code_block,
    outline,
    render,
    render_line,
)
from channels.docs_site.search import Passage, Result, SearchIndex

_API_PART: Final = "API"


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step on the way from the landing page to a page; the address is empty where there is no page."""

    title: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around the content of a page."""

    title: str
    address: str
    description: str = ""
    crumbs: Sequence[Crumb] = ()
    headings: Sequence[Heading] = ()
    before: Entry | None = None
    after: Entry | None = None
    is_listed: bool = True
    """Whether search engines may list the page."""


class Site:
    """All pages. `describe` makes the OpenAPI document; it is called when it is first needed."""

    def __init__(
        self, describe: Callable[[], Mapping[str, Any]], guides: Guides | None = None
    ) -> None:
        self._describe = describe
        self._guides = guides or Guides()

    @cached_property
    def navigation(self) -> Navigation:
        """The guides in their parts."""
        return self._guides.navigation()

    @cached_property
    def reference(self) -> ApiReference:
        """The calls of the API. It takes a tenth of a second to make."""
        return ApiReference(self._describe())

    @cached_property
    def index(self) -> SearchIndex:
        """The words of all pages."""
        return SearchIndex([*self._passages(), *self.reference.passages()])

    @cached_property
    def assets(self) -> Assets:
        """The style sheet and the script of the pages."""
        return read_assets(Path(__file__).parent / "static", ASSETS)

    @cached_property
    def addresses(self) -> Mapping[str, Callable[[], bytes]]:
        """What renders each page, by its address."""
        paths = self._guides.paths()
        return {address_of(path): partial(self._guide, path) for path in paths}

    def api_addresses(self) -> Mapping[str, Callable[[], bytes]]:
        """What renders each page of the API reference, by its address."""
        pages: dict[str, Callable[[], bytes]] = {API: self._api, SCHEMAS: self._api_schemas}
        for tag in self.reference.tags:
            pages[f"{API}/{slug_of(tag)}"] = partial(self._api_tag, tag)
        return pages

    def pictures(self) -> list[str]:
        """The paths of the pictures, below `/docs/`."""
        return self._guides.pictures()

    def picture(self, folder: str, name: str) -> bytes:
        """The bytes of a picture."""
        return self._guides.picture(folder, name)

    def search_page(self, query: str) -> bytes:
        """The page with the results of a search."""
        results = self.index.find(query)
        title = f"Search: {query}" if query else "Search"
        frame = Frame(title, SEARCH, crumbs=[Crumb("Search")], is_listed=False)
        return self._page("search.html", frame, query=query, results=results)

    def missing_page(self) -> bytes:
        """The page for an address without a page."""
        frame = Frame("Page not found", "", crumbs=[Crumb("Page not found")], is_listed=False)
        return self._page("missing.html", frame, query="")

    def find(self, query: str, most: int) -> list[Result]:
        """The best results of a search."""
        return self.index.find(query, most=most)

    def reference_address(self, method: str, path: str) -> str | None:
        """Where the API reference describes a call."""
        return self.reference.address_of(method, path)

    def _guide(self, path: str) -> bytes:
        links = self._guides.links(path, self.reference_address)
        is_landing = path == INDEX
        guide = render(self._guides.text(path), links, is_index=is_landing)
        address = address_of(path)
        entries = [Entry(guide.title, INDEX, HOME, ""), *self.navigation.pages()]
        place = next((n for n, entry in enumerate(entries) if entry.path == path), None)
        before = after = None
        crumbs: list[Crumb] = []
        if place is not None and not is_landing:
            before = entries[place - 1] if place > 1 else None
            crumbs = list(self._crumbs(entries[place]))
        if place is not None and place + 1 < len(entries):
            after = entries[place + 1]
        frame = Frame(
            guide.title,
            address,
            guide.lead,
            crumbs,
            () if is_landing else guide.headings,
            before,
            after,
        )
        return self._page("guide.html", frame, html=Markup(guide.html), is_landing=is_landing)

    def _crumbs(self, entry: Entry) -> Iterator[Crumb]:
        yield Crumb(entry.part)
        for each in self.navigation.pages():
            if entry in each.children:
                yield Crumb(each.title, each.address)
        yield Crumb(entry.title)

    def _api(self) -> bytes:
        reference = self.reference
        headings = [Heading(2, tag, slug_of(tag)) for tag in reference.tags]
        description = "Every call of the API, with its parameters, bodies, responses and errors."
        after = self._api_entries[1]
        frame = Frame("API reference", API, description, [], headings, None, after)
        introduction = render(reference.introduction, self._links).html
        html = Markup(introduction)
        return self._page("api.html", frame, introduction=html, reference=reference)

    def _api_tag(self, tag: str) -> bytes:
        calls = self.reference.calls_of(tag)
        headings = [Heading(2, call.title.replace("`", ""), call.anchor) for call in calls]
        return self._page("api_tag.html", self._api_frame(tag, headings), tag=tag, calls=calls)

    def _api_schemas(self) -> bytes:
        schemas = self.reference.schemas()
        return self._page("api_schemas.html", self._api_frame("Schemas", []), schemas=schemas)

    def _api_frame(self, title: str, headings: Sequence[Heading]) -> Frame:
        entries = self._api_entries
        place = next(n for n, entry in enumerate(entries) if entry.title == title)
        return Frame(
            f"API: {title}",
            entries[place].address,
            f"The calls of the API: {title}.",
            [Crumb("API reference", API), Crumb(title)],
            headings,
            entries[place - 1],
            entries[place + 1] if place + 1 < len(entries) else None,
        )

    @cached_property
    def _api_entries(self) -> list[Entry]:
        tags = [Entry(tag, "", f"{API}/{slug_of(tag)}", _API_PART) for tag in self.reference.tags]
        overview = Entry("All calls", "", API, _API_PART)
        return [overview, *tags, Entry("Schemas", "", SCHEMAS, _API_PART)]

    def _passages(self) -> Iterator[Passage]:
        parts = {entry.path: entry.part for entry in self.navigation.pages()}
        for path in self._guides.paths():
            sections = outline(self._guides.text(path))
            for section in sections:
                address = address_of(path) + (f"#{section.anchor}" if section.anchor else "")
                heading = section.heading if section.anchor else ""
                title, part = sections[0].heading, parts.get(path, "")
                yield Passage(address, title, heading, part, section.text)

    def _page(self, template: str, frame: Frame, **content: Any) -> bytes:
        parts = list(self.navigation.parts)
        if frame.address.startswith(API):
            parts = [*parts, Part("API reference", self._api_entries)]
        else:
            parts = [*parts, Part("API reference", [Entry("All calls", "", API, _API_PART)])]
        text = _templates().get_template(template)
        return text.render(
            {"query": "", **content},
            frame=frame,
            parts=parts,
            asset=self.assets.address,
            icon=load_assets().address("icon.svg"),
            line=self._line,
            code=_code,
            schemas_address=SCHEMAS,
        ).encode()

    @property
    def _links(self) -> Links:
        return Links(lambda href: href, lambda href: Picture(href, None), self.reference_address)

    def _line(self, text: str) -> Markup:
        return Markup(render_line(text, self._links))


def _code(text: str, language: str, caption: str = "") -> Markup:
    return Markup(code_block(text, language, caption))


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("channels.docs_site"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
