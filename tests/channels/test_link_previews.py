"""Previews of links: what is shown of a page, what hostile pages can do, and who may ask how often."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from channels.link_previews import service as previews
from channels.link_previews.limits import PAGE_BYTES, PICTURE_BYTES, TITLE_CHARACTERS
from channels.link_previews.page import Page, page_of
from channels.server.options import ServiceOptions
from tests.api import Answer, Api, User, a_channel
from tests.conftest import OpenApi
from tests.groups.test_media import load

LOOPBACK: Final = ServiceOptions(link_preview_networks=(ip_network("127.0.0.0/8"),))
HTML: Final = "text/html; charset=utf-8"


def a_picture(edge: int = 200) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (edge, edge), "teal").save(file, "PNG")
    return file.getvalue()


@dataclass(slots=True)
class Site:
    """A web site on loopback, which answers by the path."""

    base: str = ""
    pages: dict[str, web.Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hangs: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        assert "Cookie" not in request.headers
        assert "Referer" not in request.headers
        if request.path in self.hangs:
            await asyncio.sleep(60)
        page = self.pages.get(request.path)
        if page is None:
            raise web.HTTPNotFound
        return web.Response(status=page.status, body=page.body, headers=page.headers)

    def page(self, path: str, head: str | bytes, content_type: str = HTML) -> str:
        body = head if isinstance(head, bytes) else head.encode()
        self.pages[path] = web.Response(body=body, headers={"Content-Type": content_type})
        return self.base + path

    def redirect(self, path: str, to: str) -> str:
        self.pages[path] = web.Response(status=302, headers={"Location": to})
        return self.base + path


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    async with TestServer(app) as server:
        found.base = f"http://127.0.0.1:{server.port}"
        yield found


async def ask(user: User, url: str) -> Answer:
    return await user.post("/v1/link-previews", {"url": url})


def a_known_page(api: Api) -> str:
    """The address of a page whose preview is known, so that no other machine is asked."""
    service, url = api.services.link_previews, "https://example.org/known"
    service.limits = service.limits.model_copy(update={"link_previews_per_minute": 60})
    service._known[url] = Page(url, "Known", "", None)
    return url


async def test_a_preview_goes_along_with_a_post(api: OpenApi, site: Site) -> None:
    server = await api(options=LOOPBACK, link_previews_per_minute=60)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    site.pages["/tea.png"] = web.Response(body=a_picture(), headers={"Content-Type": "image/png"})
    head = (
        "<!doctype html><title>Not this</title><meta property='og:title' content='Tea &amp;\n  more'>"
        '<meta name=description content="not this"><META PROPERTY="og:description" CONTENT="A drink">'
        '<meta property="og:image" content="/tea.png"><body><meta property="og:title" content="x">'
    )
    address = site.redirect("/short", "/tea")
    site.page("/tea", head)
    found = (await ask(ada, address + "#part")).body
    assert (found["url"], found["title"], found["description"]) == (
        address,
        "Tea & more",
        "A drink",
    )
    assert (found["image"]["width"], found["image"]["content_type"]) == (200, "image/png")
    path = await a_channel(ada, bob)
    link = {**found, "image": found["image"]["media_id"]}
    posted = await ada.post(f"{path}/posts", {"kind": "text", "text": address, "links": [link]})
    assert posted.body["links"] == [found]
    # Readers load the picture from this server; the page was asked once for all who ask soon after.
    assert (await load(bob, found["image"]["thumb_url"]))[0] == 200
    assert (await ask(bob, address)).body["title"] == "Tea & more"
    assert site.asked.count("/tea") == 1


async def test_a_page_that_takes_too_long_has_no_preview(
    api: OpenApi, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "SECONDS", 0.3)
    server = await api(options=LOOPBACK, link_previews_per_minute=1_000)
    site.hangs.add("/slow")
    asked = await ask(server.new_user("ada"), site.base + "/slow")
    assert asked.refusal == (404, "no_link_preview")


async def test_pages_without_a_preview(api: OpenApi, site: Site) -> None:
    server = await api(options=LOOPBACK, link_previews_per_minute=1_000)
    ada = server.new_user("ada")
    title = "<title>Here</title>"
    site.redirect("/round", "/round")
    inside = site.redirect("/inside", "http://[::1]:1/")
    huge = site.page("/huge", "<!--" + "x" * 2 * PAGE_BYTES + "-->" + title)
    for address in (
        site.base + "/missing",
        site.base + "/round",
        inside,
        huge,
        site.redirect("/file", "file:///etc/passwd"),
        site.redirect("/named", site.base.replace("//", "//ada:secret@") + "/tea"),
        site.page("/untitled", "<p>Here"),
        site.page("/text", title, "text/plain"),
        "http://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "http://nowhere.invalid/",
    ):
        assert (await ask(ada, address)).refusal == (404, "no_link_preview"), address
    assert (await ask(ada, "ftp://x.example/")).refusal == (400, "invalid_request")
    # Three redirects are followed, four are not.
    site.page("/end", title)
    for number in range(4):
        site.redirect(f"/{number}", f"/{number - 1}" if number else "/end")
    assert (await ask(ada, site.base + "/2")).body["title"] == "Here"
    assert (await ask(ada, site.base + "/3")).refusal == (404, "no_link_preview")
    # A picture that cannot be shown is left out: none, inside, too small, too large.
    site.pages["/dot.png"] = web.Response(body=a_picture(1))
    site.pages["/large.png"] = web.Response(body=a_picture() + bytes(PICTURE_BYTES))
    for picture in (
        "/no.png",
        "http://10.0.0.1/x.png",
        "data:image/png;base64,x",
        "/dot.png",
        "/large.png",
    ):
        image = f'<meta property="og:image" content="{picture}">'
        address = site.page(f"/with/{len(site.pages)}", title + image)
        found = await ask(ada, address)
        assert found.status == 200, (picture, found)
        assert found.body["image"] is None, picture


async def test_only_public_addresses_without_an_allowed_network(api: OpenApi, site: Site) -> None:
    server = await api(link_previews_per_minute=60)
    address = site.page("/", "<title>Secret</title>")
    assert (await ask(server.new_user("ada"), address)).refusal == (404, "no_link_preview")
    assert site.asked == []


async def test_the_rate_of_a_user_and_off_by_default(api: OpenApi, site: Site) -> None:
    address = site.page("/", "<title>Here</title>")
    off = await api(options=LOOPBACK)
    assert (await ask(off.new_user("ada"), address)).refusal == (403, "link_previews_off")
    server = await api(options=LOOPBACK, link_previews_per_minute=2)
    ada = server.new_user("ada")
    assert [(await ask(ada, address)).status for _ in range(3)] == [200, 200, 429]
    refused = await ask(ada, address)
    assert 0 < int(refused.headers["Retry-After"]) <= 31
    assert (await ask(server.new_user("bob"), address)).status == 200
    assert [(await ask(server.new_user("back", admin=True), address)).status for _ in range(3)] == [
        200
    ] * 3


def test_charsets_lengths_and_hostile_pages() -> None:
    def title(body: bytes, content_type: str = "text/html") -> str | None:
        page = page_of("https://x.example/a", body, content_type)
        return page.title if page else None

    assert (
        title("<title>Grüße</title>".encode("latin-1"), "text/html; charset=ISO-8859-1") == "Grüße"
    )
    assert title('<meta charset="gbk"><title>茶</title>'.encode("gbk")) == "茶"
    for charset in ("utf-7", "zlib", "rot13", "idna", "unicode_escape", "nonsense", "x" * 500):
        assert (
            title(b"<title>+AGE- \\x41</title>", f"text/html; charset={charset}") == "+AGE- \\x41"
        )
    assert title(b"<title>" + b"t" * TITLE_CHARACTERS + b"</title>") == "t" * TITLE_CHARACTERS
    assert (
        title(b"<title>" + b"t" * (TITLE_CHARACTERS + 1) + b"</title>")
        == "t" * (TITLE_CHARACTERS - 1) + "…"
    )
    assert title("<title>\u202eevil\x00\u200b \n x</title>".encode()) == "evil x"
    assert title(b"<title>  \n </title>") is None
    assert title(b"<![foo[x]]><title>a</title>") is None
    assert title(b"<title>a</title><![foo[x]]><![%") == "a"
    for part in (b"<", b"<!--", b"<!", b"<a b=", b"<meta ", b"&", b"&#", b"<title>", b"<script>", b"</",
                 b"<meta a='", b"<![CDATA[", b"<?", b"<a " + b"x" * 50, b"<meta name=og:title content="):  # fmt: skip
        begun = time.process_time()
        page_of("https://x.example/", (part * PAGE_BYTES)[:PAGE_BYTES], "text/html")
        assert time.process_time() - begun < 2, part
