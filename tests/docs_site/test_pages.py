"""The documentation as it is rendered: guides, navigation, the API reference and the search."""

import json
import re
import shlex
from collections.abc import Mapping
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
from PIL import Image

from channels.docs_site.addresses import API, HOME
from channels.docs_site.api_reference import ApiReference
from channels.docs_site.guides import Guides
from channels.docs_site.markdown import Links, Picture, render
from channels.docs_site.pages import Site
from channels.docs_site.search import QUERY_WORDS, Passage, SearchIndex
from channels.server.app import endpoints_for
from channels.server.web.openapi import document
from groups.kernel.endpoint import Endpoint

LINKS: Final = Links(lambda href: href, lambda href: Picture(href, None), lambda *_: None)
INDEX: Final = """# The docs

All of it.

## Start

- [Begin](begin.md): from nothing.

## Change it

- [Decisions](decisions/index.md): why.
- [Architecture](architecture.md): how.
"""
BEGIN: Final = """# Begin "here"

What you get.

## Post, and `POST /channels/news/posts?limit=1`

See [why](decisions/index.md#first), `/docs/api` and [`PUT /v1/blocks/{user_id}`](https://example.org/x).

![The app](pictures/app.png) <b onclick="x()">bold</b> <!-- hidden -->

<!-- file: a.py -->
```python
print("<script>")
```

| left | right |
|---|--:|
| `a` | 1 |
"""


class Tags(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str, name: str) -> list[str]:
        return [attributes.get(name) or "" for each, attributes in self.tags if each == tag]


ENDPOINTS: Final[list[Endpoint]] = endpoints_for(MagicMock())
"""The calls of the API. The services are not called: only the types of the routes are read."""


@pytest.fixture(scope="module")
def description() -> Mapping[str, Any]:
    return document(ENDPOINTS)


@pytest.fixture(scope="module")
def reference(description: Mapping[str, Any]) -> ApiReference:
    return ApiReference(description)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, description: Mapping[str, Any]) -> Site:
    root = tmp_path_factory.mktemp("package")
    docs = root / "docs"
    (docs / "decisions").mkdir(parents=True)
    (docs / "pictures").mkdir()
    Image.new("RGB", (32, 20)).save(docs / "pictures/app.png")
    (docs / "index.md").write_text(INDEX)
    (docs / "begin.md").write_text(BEGIN)
    (docs / "decisions/index.md").write_text("# Decisions\n\n## First\n\n- [Motor](motor.md)\n")
    (docs / "decisions/motor.md").write_text("# Motor\n\nThe driver.\n")
    (docs / "architecture.md").write_text("# Architecture\n\nArrows.\n")
    return Site(lambda: description, Guides(root))


def page_of(site: Site, address: str) -> str:
    pages = site.api_addresses() if address.startswith(API) else site.addresses
    return pages[address]().decode()


def test_a_guide_is_rendered_without_foreign_html_or_styles(site: Site) -> None:
    text = page_of(site, f"{HOME}/begin")
    assert '<h1 id="begin-here">Begin “here”</h1>' in text
    assert "&lt;b onclick=" in text
    assert "hidden -->" not in text
    assert "<script>" not in text
    assert "style=" not in text
    assert '<td class="right">1</td>' in text
    assert '<span class="caption">a.py</span><pre><code><span class="nb">print</span>' in text
    assert not [
        name for _, attributes in Tags(text).tags for name in attributes if name[:2] == "on"
    ]


def test_links_and_pictures_of_a_guide_lead_to_the_site(site: Site) -> None:
    article = page_of(site, f"{HOME}/begin").partition("<article")[2].partition("</article")[0]
    assert Tags(article).all("a", "href") == [
        "/docs/api/posts#publish",
        "#post-and-post-channelsnewspostslimit1",
        "/docs/decisions#first",
        "/docs/api",
        "https://example.org/x",
    ]
    assert '<img src="/docs/pictures/app.png" alt="The app" width="32" height="20"' in article
    assert site.picture("pictures", "app.png").startswith(b"\x89PNG")


def test_the_navigation_is_the_index(site: Site) -> None:
    parts = [
        (part.title, [entry.title for entry in part.entries]) for part in site.navigation.parts
    ]
    assert parts == [("Start", ["Begin"]), ("Change it", ["Decisions", "Architecture"])]
    landing = page_of(site, HOME)
    assert '<a href="/docs/begin">Begin</a>From nothing.' in landing
    assert "On this page" not in landing
    motor = page_of(site, f"{HOME}/decisions/motor")
    assert '<a href="/docs/decisions/motor" aria-current="page">Motor</a>' in motor
    turns = re.findall(r'<a rel="(\w+)" href="([^"]+)"', motor)
    assert turns == [("prev", "/docs/decisions"), ("next", "/docs/architecture")]
    assert '<li><a href="/docs/decisions">Decisions</a></li>' in motor
    assert "motor" not in page_of(site, f"{HOME}/begin")


def test_a_header_without_text_is_no_header_of_a_table() -> None:
    html = render("# A\n\n| | b |\n|---|---|\n| c | d |\n", LINKS).html
    assert "<td></td>\n<th>b</th>" in html


def test_every_call_and_schema_is_in_the_reference(
    site: Site, description: Mapping[str, Any]
) -> None:
    pages = {address: make().decode() for address, make in site.api_addresses().items()}
    anchors = {
        f"{address}#{anchor}"
        for address, text in pages.items()
        for _, attributes in Tags(text).tags
        if (anchor := attributes.get("id"))
    }
    for endpoint in ENDPOINTS:
        address = site.reference.address_of(endpoint.spec.method, endpoint.spec.path)
        assert address in anchors, endpoint.spec
        text = pages[str(address).partition("#")[0]]
        assert endpoint.spec.path in text
    for schema in description["components"]["schemas"]:
        assert f"{API}/schemas#{schema}" in anchors
    links = {
        link
        for text in pages.values()
        for link in Tags(text).all("a", "href")
        if link.startswith(API)
    }
    assert links
    assert links <= anchors | set(pages)


def test_a_call_has_its_parameters_errors_and_roles(reference: ApiReference) -> None:
    post = next(call for call in reference.calls if call.address == f"{API}/posts#publish")
    assert (post.method, post.path) == ("POST", "/v1/channels/{channel_id}/posts")
    assert post.who == "owner, admin"
    assert [field.name for field in post.parameters] == ["channel_id", "Idempotency-Key"]
    assert {"channel_not_found", "rate_limited"} <= {error.code for error in post.errors}
    subscribe = next(call for call in reference.calls if call.title == "Subscribe")
    assert (subscribe.who, subscribe.notes) == (None, "Repeating it changes nothing.")
    assert [call.path for call in reference.calls if not call.needs_token] == [
        "/v1/media/{media_id}"
    ]


def test_the_limits_of_fields_are_said_in_words(reference: ApiReference) -> None:
    create = next(call for call in reference.calls if call.address == f"{API}/channels#create")
    fields = {field.name: field for field in create.bodies[0].fields}
    assert (fields["name"].is_required, fields["name"].limits) == (True, ["at most 150 bytes"])
    assert "1 to 48 characters" in fields["channel_id"].limits
    assert [bit.text for bit in fields["settings"].kind] == ["SettingsBody"]
    limit = next(
        field
        for call in reference.calls
        if (call.method, call.path) == ("GET", "/v1/channels")
        for field in call.parameters
        if field.name == "limit"
    )
    assert (limit.limits, limit.default) == (["1 to 100"], "50")


def test_the_commands_of_the_reference_are_calls_with_valid_bodies(
    reference: ApiReference,
) -> None:
    for endpoint, call in zip(ENDPOINTS, reference.calls, strict=True):
        words = shlex.split(call.curl.replace("\\\n", ""))
        address = next(word for word in words if word.startswith("http://127.0.0.1:8080/v1/"))
        assert reference.address_of(call.method, urlsplit(address).path) == call.address, address
        assert ("-X" in words) == (call.method != "GET")
        if endpoint.body is not None and call.body_is_required:
            endpoint.body.model_validate_json(words[words.index("-d") + 1])
        for body in call.bodies:
            kind = endpoint.body or endpoint.line
            if body.example and kind:
                kind.model_validate(json.loads(body.example))


@pytest.mark.parametrize(
    ("method", "path", "address"),
    [
        ("GET", "/channels/{channel_id}", "channels#get-channel"),
        ("GET", "/v1/channels/news?x=1", "channels#get-channel"),
        ("PUT", "/groups/g/members/me", "members#join"),
        ("PUT", "/groups/g/members/ada", "members#add"),
        ("GET", "/nothing", None),
        ("GET", "/channels/", None),
    ],
)
def test_a_call_in_a_guide_is_found_by_its_path(
    reference: ApiReference, method: str, path: str, address: str | None
) -> None:
    found = reference.address_of(method, path)
    assert found == (f"{API}/{address}" if address else None)


def passage(address: str, title: str, heading: str = "", text: str = "") -> Passage:
    return Passage(address, title, heading, "How to", text)


BOOK: Final = SearchIndex(
    [
        passage("/backup", "Back up", text="Make a copy with mongodump."),
        passage("/backup#restore", "Back up", "Restore", "Load the backup again."),
        passage("/errors#x", "Errors", "All", "The code channel_not_found says that it is gone."),
        passage("/posts", "Post", text="A post reaches the subscribers."),
        passage("/limits", "Limits", text="A million subscribers, and posts of 5,000 bytes."),
    ]
)


@pytest.mark.parametrize(
    ("query", "addresses"),
    [
        ("restore", ["/backup#restore"]),
        ("RESTO", ["/backup#restore"]),
        ("backups", ["/backup", "/backup#restore"]),
        ("channel_not_found", ["/errors#x"]),
        ("channel not found", ["/errors#x"]),
        ("post", ["/posts", "/limits"]),
        ("million subscriber", ["/limits"]),
        ("restore elephants", ["/backup#restore"]),
        ("How do I restore it?", ["/backup#restore"]),
        ("the", ["/backup#restore", "/errors#x", "/posts"]),
        ("backup", ["/backup", "/backup#restore"]),
        ("elephants", []),
        (" ", []),
        ("<>&", []),
    ],
)
def test_a_search_finds_the_best_first(query: str, addresses: list[str]) -> None:
    assert [result.passage.address for result in BOOK.find(query)] == addresses


def test_an_excerpt_shows_the_words_that_were_found() -> None:
    text = "Before. " * 40 + "The backup is here. " + "After. " * 40
    (found,) = SearchIndex([passage("/a", "A", text=text)]).find("backup")
    shown = "".join(piece.text for piece in found.excerpt)
    assert [piece.text for piece in found.excerpt if piece.is_match] == ["backup"]
    assert (shown[0], shown[-1]) == ("…", "…")
    assert len(shown) < 200


def test_a_long_query_is_cut() -> None:
    words = ["million"] + [f"absent{number}" for number in range(QUERY_WORDS)]
    assert [found.passage.address for found in BOOK.find(" ".join(words))] == ["/limits"]
    assert BOOK.find("x" * 1_000_000) == []


def test_the_search_covers_guides_and_calls(site: Site) -> None:
    assert site.find("driver", 5)[0].passage.address == f"{HOME}/decisions/motor"
    assert f"{API}/posts#publish" in [
        result.passage.address for result in site.find("post to all subscribers", 5)
    ]
    text = site.search_page("<i>driver").decode()
    assert "&lt;i&gt;driver" in text
    assert "<mark>driver</mark>" in text
    assert "Nothing contains" in site.search_page("zzzz").decode()


def test_nothing_is_read_before_it_is_requested() -> None:
    calls: list[str] = []
    root = MagicMock(spec=Path)
    site = Site(partial(calls.append, "described"), Guides(root))  # type: ignore[arg-type]
    assert not calls
    assert not root.joinpath.called
    assert not vars(site).keys() & {"navigation", "reference", "index", "assets", "addresses"}
