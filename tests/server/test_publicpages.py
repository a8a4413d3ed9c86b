"""Public channels for whoever has no account: the page, its feeds, and what they never show."""

import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import web

from channels.server.app import App, create_services
from channels.server.settings import Settings
from channels.server.startup import StartupError
from groups.kernel.mongo import Database
from tests.api import SECRET, Api, User, a_channel, a_post, fresh, id_of, part
from tests.conftest import OpenApi

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "</title><script>alert(1)</script>\" onload='x' ]]> &amp; \x01\u202e"

NAME = HOSTILE.replace("\x01", "")
"""A name holds no control characters; a text may."""


def public(path: str) -> str:
    """The public page of the channel at this path of the API."""
    return f"/c/{part(id_of(path).removeprefix('@TOA#_'))}"


async def a_public_channel(owner: User, **body: Any) -> str:
    path = await a_channel(owner, **{"name": "Tram news", "introduction": "Delays", **body})
    await owner.post(
        f"{path}/posts",
        {
            "kind": "text",
            "title": "Line 6 runs again",
            "text": "Every eight minutes <now>",
            "links": [{"title": "The plan", "url": "https://tram.example/plan?a=1&b=2"}],
        },
    )
    return path


class Tags(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


async def test_a_public_channel_is_read_without_a_token(api: OpenApi) -> None:
    server = await api()
    owner = server.user("owner")
    path = await a_public_channel(owner)
    await owner.put(f"{path}/posts/1/reactions/{part('🎉')}")
    nobody = server.bearer(None)
    answer = await nobody.get(public(path))
    assert answer.status == 200
    page = Tags(answer.text)
    for words in ("Tram news", "Delays", "Line 6 runs again", "Every eight minutes <now>", "🎉 1"):
        assert words in page.words
    meta = {
        attributes.get("property") or attributes.get("name"): attributes.get("content")
        for tag, attributes in page.tags
        if tag == "meta"
    }
    assert meta["og:title"] == "Tram news"
    assert meta["og:description"] == "Delays"
    assert meta["og:url"] == server.base + public(path)
    assert meta["robots"] == "noindex"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert owner.id not in answer.text, "who wrote is not shown"
    assert (await nobody.get(f"/c/{part(id_of(path))}")).text == answer.text


async def test_it_is_kept_for_a_minute_and_not_sent_again(api: OpenApi) -> None:
    server = await api()
    path = await a_public_channel(server.user("owner"))
    nobody = server.bearer(None)
    first = await nobody.get(public(path))
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = await nobody.get(public(path), **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
async def test_its_feed_holds_its_posts(api: OpenApi, form: str) -> None:
    server = await api()
    owner = server.user("owner")
    path = await a_public_channel(owner)
    await a_post(owner, path, "Line 4 has stopped\nand nobody knows why")
    await a_post(owner, path, "gone")
    await owner.delete(f"{path}/posts/3")
    answer = await server.bearer(None).get(f"{public(path)}/feed.{form}")
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if form == "json":
        told = answer.body
        assert answer.headers["Content-Type"].startswith("application/feed+json")
        assert told["version"] == "https://jsonfeed.org/version/1.1"
        titles = [item["title"] for item in told["items"]]
        html = told["items"][1]["content_html"]
    elif form == "atom":
        root = ET.fromstring(answer.text)
        assert root.findtext(f"{ATOM}title") == "Tram news"
        titles = [entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")]
        html = list(root.iter(f"{ATOM}content"))[1].text or ""
    else:
        root = ET.fromstring(answer.text)
        titles = [item.findtext("title") for item in root.iter("item")]
        html = next(iter(list(root.iter("item"))[1])).text or answer.text
        html = re.search(r"&lt;p.*", answer.text, re.DOTALL)[0]  # type: ignore[index]  # it is there
        html = html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert titles == ["Line 4 has stopped", "Line 6 runs again"]
    assert "Every eight minutes &lt;now&gt;" in html


@pytest.mark.parametrize("form", ["", "/feed.atom", "/feed.rss", "/feed.json"])
async def test_a_channel_that_is_not_public_is_as_if_absent(api: OpenApi, form: str) -> None:
    server = await api()
    owner, nobody = server.user("owner"), server.bearer(None)
    path = await a_public_channel(owner)
    assert (await nobody.get(public(path) + form)).status == 200
    await owner.patch(path, {"settings": {"visibility": "private"}})
    hidden = await nobody.get(public(path) + form)
    absent = await nobody.get(f"/c/{fresh('nothing')}{form}")
    assert hidden.status == absent.status == 404
    assert "Tram news" not in hidden.text
    assert (await nobody.get(f"/c/%00{form}")).status == 404
    assert (await nobody.get(public(path) + "/feed.exe")).status == 404


@pytest.mark.parametrize("form", ["", "/feed.atom", "/feed.rss", "/feed.json"])
async def test_hostile_words_stay_words(api: OpenApi, form: str) -> None:
    server = await api()
    owner = server.user("owner")
    path = await a_channel(owner, name=NAME, introduction=NAME, organization=NAME)
    for body in (
        {"text": HOSTILE, "title": HOSTILE},
        {"text": "x", "links": [{"title": HOSTILE, "url": "https://x.example/'\"><b>"}]},
    ):
        assert (await owner.post(f"{path}/posts", {"kind": "text", **body})).status == 201
    answer = await server.bearer(None).get(public(path) + form)
    assert answer.status == 200
    if form == "":
        page = Tags(answer.text)
        assert not {"script", "b", "svg"} & {tag for tag, _ in page.tags}
        assert not [one for _, one in page.tags if any(name.startswith("on") for name in one)]
        assert page.words.count("alert(1)") >= 4
    elif form == "/feed.json":
        items = answer.body["items"]
        assert [item["title"] for item in items] == ["x", HOSTILE.strip()]
        for item in items:
            assert not {"script", "b"} & {tag for tag, _ in Tags(item["content_html"]).tags}
    else:
        ET.fromstring(answer.text)
        assert "<script" not in answer.text


async def test_a_host_that_is_no_name_is_not_repeated(api: OpenApi) -> None:
    server = await api()
    path = await a_public_channel(server.user("owner"))
    answer = await server.bearer(None).get(public(path), Host='evil"><script>')
    assert "evil" not in answer.text


async def test_older_posts_are_a_page_further(api: OpenApi) -> None:
    server = await api()
    owner = server.user("owner")
    path = await a_channel(owner)
    for number in range(1, 24):
        await a_post(owner, path, f"post number {number}.")
    nobody = server.bearer(None)
    first = (await nobody.get(public(path))).text
    assert "post number 4." in first
    assert "post number 3." not in first
    older = re.search(r'href="([^"]+before_seq=4)"', first)
    assert older is not None
    second = (await nobody.get(older[1])).text
    assert "post number 3." in second
    assert "before_seq=1&" not in second
    for nonsense in ("0", "-1", "x", "9" * 40, "²"):
        assert (await nobody.get(f"{public(path)}?before_seq={part(nonsense)}")).status == 200


@asynccontextmanager
async def a_server(api: Api, database: Database, **options: Any) -> AsyncIterator[str]:
    """Another server on the database, set up like this; its address."""
    services = create_services(database, api.services.limits)
    runner = App(services, SECRET, **options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_search_engines_and_the_whole_page_are_a_setting(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    path = await a_public_channel(server.user("owner"))
    options = {"public_pages": "index", "public_url": "https://news.example/"}
    async with a_server(server, database, **options) as base:
        answer = await User(server.http, base, "", None).get(public(path))
        assert answer.status == 200
        assert "noindex" not in answer.text
        assert "X-Robots-Tag" not in answer.headers
        assert f'content="https://news.example{public(path)}"' in answer.text
    async with a_server(server, database, public_pages="off") as base:
        assert (await User(server.http, base, "", None).get(public(path))).status == 404
    with pytest.raises(StartupError, match="public-url"):
        Settings.load(public_url="javascript:alert(1)")
