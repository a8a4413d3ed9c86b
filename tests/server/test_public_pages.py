"""Public channels for whoever has no account: the page, its feeds, and what they never show."""

import asyncio
import io
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from PIL import Image
from yarl import URL

import channels.server.web.pages.public
from channels.server.app import App, create_services
from channels.server.limits.by_address import AT_ONCE, AddressLimits
from channels.server.settings import Settings
from channels.server.startup import StartupError
from channels.service.channels import ChannelService
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database
from groups.models import stream_of
from tests.api import PATIENCE_SECONDS, SECRET, Api, User, a_channel, a_post, fresh, id_of, part
from tests.conftest import OpenApi
from tests.groups.test_media import upload
from tests.sounds import wav

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "</title><script>alert(1)</script>\" onload='x' ]]> &amp; \x01\u202e"

NAME = HOSTILE.replace("\x01", "")
"""No text holds control characters; those that were stored before this was a rule may."""


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
    owner = server.new_user("owner")
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
    assert "og:url" not in meta, "the server does not know its address"
    links = {one["rel"]: one["href"] for tag, one in page.tags if tag == "link"}
    assert links["canonical"] == public(path)
    assert meta["robots"] == "noindex"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert owner.id not in answer.text, "who wrote is not shown"
    assert (await nobody.get(f"/c/{part(id_of(path))}")).text == answer.text


async def test_it_is_kept_for_a_minute_and_not_sent_again(api: OpenApi) -> None:
    server = await api()
    path = await a_public_channel(server.new_user("owner"))
    nobody = server.bearer(None)
    first = await nobody.get(public(path))
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = await nobody.get(public(path), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_it_is_in_the_language_of_its_reader_and_cached_for_each(api: OpenApi) -> None:
    server = await api()
    path = public(await a_public_channel(server.new_user("owner")))
    nobody = server.bearer(None)
    tags = set()
    for wanted, language, direction, words in (
        ("", "en", "ltr", "1 subscriber"),
        ("de-CH, en;q=0.5", "de", "ltr", "1 Abonnent"),
        ("zh-CN", "zh-Hans", "ltr", "1 位订阅者"),
        ("ar-EG", "ar", "rtl", "مشترك واحد"),
    ):
        answer = await nobody.get(path, headers={"Accept-Language": wanted})
        page = Tags(answer.text)
        assert page.tags[0] == ("html", {"lang": language, "dir": direction})
        assert words in page.words
        assert answer.headers["Content-Language"] == language
        assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
        tag = answer.headers["ETag"]
        tags.add(tag)
        known = {"Accept-Language": wanted, "If-None-Match": tag}
        again = await nobody.get(path, headers=known)
        assert (again.status, again.headers["Vary"]) == (304, answer.headers["Vary"])
        missing = await nobody.get("/c/nobody", headers={"Accept-Language": wanted})
        assert (missing.status, missing.headers["Content-Language"]) == (404, language)
    assert len(tags) == 4
    feed = await nobody.get(f"{path}/feed.atom", headers={"Accept-Language": "de"})
    assert feed.headers["Vary"] == "Accept-Encoding", "feeds have no texts of ours"


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
async def test_its_feed_holds_its_posts(api: OpenApi, form: str) -> None:
    server = await api()
    owner = server.new_user("owner")
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


async def test_the_json_feed_leads_to_older_posts_and_has_each_post_in_fields(
    api: OpenApi,
) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_public_channel(owner)
    for number in range(2, 46):
        await a_post(owner, path, f"post {number}")
    await owner.put(f"{path}/posts/45/reactions/{part('👍')}")
    nobody, seqs, address = server.bearer(None), list[int](), f"{public(path)}/feed.json"
    while True:
        told = (await nobody.get(address)).body
        seqs += [item["_post"]["seq"] for item in told["items"]]
        if address == f"{public(path)}/feed.json":
            newest = told["items"][0]["_post"]
            assert (newest["text"], newest["reactions"]["counts"]) == ("post 45", {"👍": 1})
        if "next_url" not in told:
            break
        address = told["next_url"]
    assert sorted(set(seqs), reverse=True) == list(range(45, 0, -1))
    oldest = told["items"][-1]["_post"]
    assert oldest["links"] == [{"title": "The plan", "url": "https://tram.example/plan?a=1&b=2"}]
    # A page of another origin may see why there is none.
    missing = await nobody.get("/c/nowhere/feed.json", headers={"Origin": "https://x.example"})
    assert missing.refusal == (404, "channel_not_found")
    assert missing.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_poll_is_shown_with_the_votes_that_everybody_may_see(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    for question, results in (("Tea?", "always"), ("Coffee?", "after_close")):
        poll = {"question": question, "options": ["Yes", "<No>"], "results": results}
        await owner.post(f"{path}/posts", {"kind": "poll", "poll": poll})
    for seq in (1, 2):
        assert (await owner.put(f"{path}/posts/{seq}/vote", {"options": [1]})).status == 200
    nobody = server.bearer(None)
    shown = " ".join(Tags((await nobody.get(public(path))).text).words.split())
    assert "Coffee? Yes <No>" in shown
    assert "Tea? Yes (0) <No> (1)" in shown
    items = (await nobody.get(f"{public(path)}/feed.json")).body["items"]
    assert [item["title"] for item in items] == ["Coffee?", "Tea?"]
    counts = [[one["votes"] for one in item["_post"]["poll"]["options"]] for item in items]
    assert counts == [[None, None], [0, 1]]


async def test_buttons_are_shown_where_they_lead_to_an_address(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    link = {"kind": "link", "text": "Times & <fares>", "url": "https://tram.example/?a=1&b=2"}
    buttons = [[{"kind": "reply", "text": "Send tea", "reply": "tea"}], [link]]
    body = {"kind": "text", "text": "Line 6", "buttons": buttons}
    assert (await owner.post(f"{path}/posts", body)).status == 201
    nobody = server.bearer(None)
    page = (await nobody.get(public(path))).text
    [item] = (await nobody.get(f"{public(path)}/feed.json")).body["items"]
    for html in (page, item["content_html"]):
        [anchor] = [given for _, given in Tags(html).tags if given.get("href") == link["url"]]
        assert anchor["rel"] == "nofollow noopener noreferrer ugc"
        assert "Times & <fares>" in Tags(html).words
        assert "Send tea" not in html
    assert item["_post"]["buttons"] == [[{**link, "presses": None, "pressed": False}]]


async def test_marks_are_shown_on_the_page_and_in_feeds_and_left_out_of_titles(
    api: OpenApi,
) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner, name="Tram news")
    await a_post(
        owner, path, "**Line 4** <b>\n- stops at https://tram.example/4\n\n[x](javascript:alert(1))"
    )
    nobody = server.bearer(None)
    item = (await nobody.get(f"{public(path)}/feed.json")).body["items"][0]
    marked = (
        '<p dir="auto"><strong>Line 4</strong> &lt;b&gt;</p><ul><li dir="auto">stops at'
        ' <a href="https://tram.example/4" rel="nofollow noopener noreferrer ugc">https://tram.example/4</a></li></ul>'
        '<p dir="auto">[x](javascript:alert(1))</p>'
    )
    assert marked in item["content_html"]
    assert marked in (await nobody.get(public(path))).text
    assert item["title"] == "Line 4 <b>"
    assert item["content_text"].startswith("Line 4 <b>\n• stops at")
    assert item["_post"]["text"].startswith("**Line 4**")


async def test_a_place_is_shown_with_a_map_also_without_a_name(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    named = {"name": "Fish hall", "address": "Pier 3\nHamburg"}
    for words in ({}, {"address": named["address"]}, named):
        place = {"latitude": 53.55, "longitude": -0.0000001, **words}
        posted = await owner.post(f"{path}/posts", {"kind": "location", "location": place})
        assert posted.status == 201, posted
    nobody = server.bearer(None)
    page = Tags((await nobody.get(public(path))).text)
    maps = [
        one["href"] or ""
        for tag, one in page.tags
        if tag == "a" and (one["href"] or "").startswith("https://www.openstreetmap.org/")
    ]
    assert len(maps) == 3
    assert "mlat=53.55&mlon=0" in maps[0]
    assert page.words.count("53.55, 0") == 3
    assert page.words.count("Pier 3") == 2
    assert page.words.count("Fish hall") == 1
    items = (await nobody.get(f"{public(path)}/feed.json")).body["items"]
    assert [item["title"] for item in items] == ["Fish hall", "Pier 3", "53.55, 0"]
    assert all("openstreetmap.org" in item["content_html"] for item in items)


@pytest.mark.parametrize("form", ["", "/feed.atom", "/feed.rss", "/feed.json"])
async def test_a_channel_that_is_not_public_is_as_if_absent(api: OpenApi, form: str) -> None:
    server = await api()
    owner, nobody = server.new_user("owner"), server.bearer(None)
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
    owner = server.new_user("owner")
    path = await a_channel(owner, name=NAME, introduction=NAME, organization=NAME)
    for body in (
        {"text": NAME, "title": NAME},
        {"text": "x", "links": [{"title": NAME, "url": "https://x.example/'\"><b>"}]},
    ):
        assert (await owner.post(f"{path}/posts", {"kind": "text", **body})).status == 201
    stored = server.services.database.collection("messages")
    of_channel = {"stream_id": stream_of(GroupId(id_of(path)))}
    old = {"content.text": HOSTILE, "content.title": HOSTILE}
    await stored.update_one({**of_channel, "seq": 1}, {"$set": old})
    await stored.update_one({**of_channel, "seq": 2}, {"$set": {"content.links.0.title": HOSTILE}})
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


@pytest.mark.parametrize("form", ["", "/feed.atom", "/feed.rss", "/feed.json"])
async def test_no_header_of_a_caller_is_in_any_answer(api: OpenApi, form: str) -> None:
    server = await api()
    path = await a_public_channel(server.new_user("owner"))
    said = dict.fromkeys(
        ("Host", "X-Forwarded-Host", "Forwarded", "Origin", "Referer", "User-Agent"), "evil.example"
    )
    for where in (public(path), f"/c/{fresh('nothing')}"):
        answer = await server.bearer(None).get(where + form, headers=said)
        assert "evil" not in answer.text + str(answer.headers)
        plain = await server.bearer(None).get(where + form)
        if plain.status == 200:
            assert answer.text == plain.text


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
async def test_a_feed_says_the_same_ids_wherever_the_server_is(
    api: OpenApi, database: Database, form: str
) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_public_channel(owner)
    await a_post(owner, path)

    def ids(text: str) -> list[str]:
        return re.findall(r"urn:uuid:[0-9a-f-]{36}", text)

    here = (await server.bearer(None).get(f"{public(path)}/feed.{form}")).text
    assert len(set(ids(here))) == (3 if form == "atom" else 2)
    assert "http://127" not in here
    async with a_server(server, database, public_url="https://news.example") as base:
        there = (await User(server.http, base, "", None).get(f"{public(path)}/feed.{form}")).text
    assert ids(there) == ids(here)
    assert f"https://news.example{public(path)}/2" in there
    assert f"{public(path)}/2" in here


async def test_older_posts_are_a_page_further(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    for number in range(1, 46):
        await a_post(owner, path, f"post number {number}.")
    nobody = server.bearer(None)
    pages = []
    where: str | None = public(path)
    while where is not None:
        text = (await nobody.get(where)).text
        pages.append([int(number) for number in re.findall(r"post number (\d+)\.", text)])
        older = re.search(r'class="older"><a [^>]*href="([^"]+)"', text)
        where = older[1] if older else None
    assert pages == [[*range(45, 25, -1)], [*range(40, 20, -1)], [*range(20, 0, -1)]]
    newest = (await nobody.get(public(path))).text
    for nonsense in ("0", "-1", "1", "x", "9" * 15, "9" * 40, "²", "", "46", "47"):
        answer = await nobody.get(f"{public(path)}?before_seq={part(nonsense)}")
        assert (answer.status, answer.text) == (200, newest)


# --- what is drawn --------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The thread that drew each page or feed."""
    threads: list[str] = []

    def told(draw: Callable[..., bytes]) -> Callable[..., bytes]:
        def drawing(*arguments: Any, **options: Any) -> bytes:
            threads.append(threading.current_thread().name)
            return draw(*arguments, **options)

        return drawing

    for name in ("page", "feed"):
        original = getattr(channels.server.web.pages.public, name)
        monkeypatch.setattr(channels.server.web.pages.public, name, told(original))
    return threads


async def test_nothing_that_a_caller_makes_up_makes_a_page_of_its_own(
    api: OpenApi, drawn: list[str]
) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    for _ in range(45):
        await a_post(owner, path)
    nobody, name = server.bearer(None), id_of(path).removeprefix("@TOA#_")
    spellings = [name, part(f"@TOA#_{name}"), f"@TOA%23_{name}", f"%{ord(name[0]):x}{name[1:]}"]
    queries = ["", "?x=1", "?a&before_seq=1", "?before_seq=9999999", f"?{'z=1&' * 900}", "?#x"]
    for number in range(1, 61):
        host = {"Host": f"h{number}.example", "Accept-Encoding": "gzip" if number % 2 else "br"}
        for query in (f"?before_seq={number}", f"?x={number}&before_seq={number}&y"):
            where = f"/c/{spellings[number % 4]}"
            assert (await nobody.get(where + query, headers=host)).status == 200
            assert (await nobody.call("HEAD", where + query, headers=host)).status == 200
    assert len(drawn) == 3, "one for the newest posts, one for each full twenty below"
    for number in range(1, 61):
        assert (await nobody.get(f"/c/{name}/feed.json?before_seq={number}")).status == 200
    assert len(drawn) == 6, "and as many as JSON Feed"
    for query in queries:
        for spelling in spellings:
            for form in ("", "/feed.atom", "/feed.rss", "/feed.json"):
                answer = await nobody.get(f"/c/{spelling}{form}{query}")
                assert answer.status == 200
    assert len(drawn) == 8, "and one for each feed of another form"


async def test_a_page_is_rendered_once_for_all_and_in_a_thread(
    api: OpenApi, drawn: list[str]
) -> None:
    server = await api()
    path = await a_public_channel(server.new_user("owner"))
    answers = await asyncio.gather(*(server.bearer(None).get(public(path)) for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len(drawn) == 1
    assert drawn != [threading.current_thread().name]


async def test_a_busy_channel_is_rendered_no_more_often(api: OpenApi, drawn: list[str]) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_public_channel(owner)
    for _ in range(5):
        assert (await server.new_user().put(f"{path}/subscription")).status == 200
        await a_post(owner, path)
        assert (await owner.patch(path, {"introduction": fresh("new")})).status == 200
        assert (await server.bearer(None).get(public(path))).status == 200
    assert len(drawn) == 1


async def test_a_channel_made_anew_shows_nothing_of_the_one_before(api: OpenApi) -> None:
    server = await api()
    owner, other = server.new_user("owner"), server.new_user("other")
    path = await a_public_channel(owner)
    assert "Line 6 runs again" in (await server.bearer(None).get(public(path))).text
    assert (await owner.delete(path)).status == 204
    anew = {"channel_id": id_of(path), "name": "Mine"}
    async with asyncio.timeout(PATIENCE_SECONDS):
        # The id is free once the old channel is cleared away.
        while (await other.post("/v1/channels", anew)).status != 201:
            await asyncio.sleep(0.01)
    text = (await server.bearer(None).get(public(path))).text
    assert "Mine" in text
    assert "Line 6 runs again" not in text


async def test_rendered_pages_are_limited_by_address_and_cached_ones_are_not(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 1_000.0
    monkeypatch.setattr("channels.server.limits.rate_limit.monotonic", lambda: seconds)
    monkeypatch.setattr("channels.server.limits.by_address.RENDERS_PER_SECOND", 2)
    monkeypatch.setattr("channels.server.limits.by_address.RENDER_WAIT_SECONDS", 0.05)
    server = await api(address_requests_per_second=1_000)
    nobody = server.bearer(None)
    path = await a_public_channel(server.new_user("owner"))
    for form in ("", "/feed.atom"):
        assert (await nobody.get(public(path) + form)).status == 200
    refused = await nobody.get(f"{public(path)}/feed.rss")
    assert refused.refusal == (429, "rate_limited")
    assert refused.headers["RateLimit-Policy"] == '"drawings";q=2;w=1'
    for form in ("", "/feed.atom") * 5:
        assert (await nobody.get(public(path) + form)).status == 200
    assert (await nobody.get(f"/c/{fresh('nothing')}")).status == 404
    seconds += 0.46
    assert (await nobody.get(f"{public(path)}/feed.rss")).status == 200, "after a short wait"


async def test_a_channel_that_became_private_before_rendering_is_hidden(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api(address_requests_per_second=1_000)
    owner, nobody = server.new_user("owner"), server.bearer(None)
    path = await a_public_channel(owner)

    async def turn_private(*_: object) -> bool:
        assert (await nobody.get(public(path))).status == 200, "kept meanwhile, for another one"
        assert (await owner.patch(path, {"settings": {"visibility": "private"}})).status == 200
        return True

    async def at_once(*_: object) -> bool:
        return False

    waits = iter([turn_private, at_once])
    monkeypatch.setattr(AddressLimits, "take_render", lambda *arguments: next(waits)(*arguments))
    assert (await nobody.get(public(path))).status == 404


async def test_one_address_does_not_hold_up_the_pages_of_another(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = (ip_network("127.0.0.0/8"),)
    server = await api(address_requests_per_second=1_000, trusted_proxies=networks)
    path = await a_public_channel(server.new_user("owner"))
    nobody = server.bearer(None)
    may_go_on, asked = asyncio.Event(), 0
    get = ChannelService.get

    async def slow(*arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked <= AT_ONCE:
            await may_go_on.wait()
        return await get(*arguments)

    monkeypatch.setattr(ChannelService, "get", slow)
    flood = [
        asyncio.create_task(nobody.get(public(path), headers={"X-Forwarded-For": "192.0.2.1"}))
        for _ in range(64)
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while asked < AT_ONCE:
            await asyncio.sleep(0.01)
    other = await nobody.get(public(path), headers={"X-Forwarded-For": "192.0.2.2"})
    assert other.status == 200
    assert asked == AT_ONCE + 1, "the others of the first address wait for their turn"
    may_go_on.set()
    assert {answer.status for answer in await asyncio.gather(*flood)} == {200}


# --- settings -------------------------------------------------------------------------------------------------------


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
    path = await a_public_channel(server.new_user("owner"))
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


async def test_a_post_has_a_page_and_a_picture_for_links_to_it(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_public_channel(owner, name=f"Tram news {HOSTILE[:20]}")
    await a_post(owner, path, "The second one\nhas two lines")
    await a_post(owner, path, "gone soon")
    await owner.delete(f"{path}/posts/3")
    nobody = server.bearer(None)
    post = Tags((await nobody.get(f"{public(path)}/2")).text)
    assert "The second one" in post.words
    assert "Line 6 runs again" not in post.words
    metas = {tag.get("property"): tag.get("content") for name, tag in post.tags if name == "meta"}
    assert metas["og:title"] == "The second one"
    assert metas["og:description"] == "The second one has two lines"
    async with a_server(server, database, public_url="https://news.example") as base:
        there = Tags((await User(server.http, base, "", None).get(f"{public(path)}/2")).text)
    metas = {tag.get("property"): tag.get("content") for name, tag in there.tags if name == "meta"}
    assert metas["og:url"] == f"https://news.example{public(path)}/2"
    assert metas["og:image"] == f"https://news.example{public(path)}/2/card.png"
    for card in (f"{public(path)}/card.png", f"{public(path)}/2/card.png"):
        async with server.http.get(URL(server.base + card, encoded=True)) as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")
            with Image.open(io.BytesIO(await answer.read())) as picture:
                assert picture.size == (1200, 630)
    # A post that is gone, or was never there, leads to the others.
    for missing in ("3", "9999"):
        there_is = URL(f"{server.base}{public(path)}/{missing}", encoded=True)
        async with server.http.get(there_is, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, public(path))
    for nonsense in ("0", "-1", "1e3", "²", "9" * 16):
        assert (await nobody.get(f"{public(path)}/{part(nonsense)}")).status == 404
    await owner.patch(path, {"settings": {"visibility": "private"}})
    for hidden in ("2", "card.png", "2/card.png"):
        assert (await nobody.get(f"{public(path)}/{hidden}")).status == 404


async def test_what_can_be_played_is_played_on_the_page(api: OpenApi) -> None:
    server = await api()
    owner = server.new_user("owner")
    path = await a_channel(owner)
    sent = await upload(owner, wav(1.0), "day.wav")
    sound = sent.body["media_id"]
    await owner.post(f"{path}/posts", {"kind": "audio", "audio": sound})
    page = await server.bearer(None).get(public(path))
    assert ("audio", f"/v1/media/{sound}") in [
        (name, tag.get("src")) for name, tag in Tags(page.text).tags
    ]
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
