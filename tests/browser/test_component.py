"""`<channel-feed>` on a plain page of another origin, under a strict content security policy."""

import asyncio
import json
import shutil
from html import escape
from typing import Final, Literal

import aiohttp
import pytest
from playwright.async_api import Route, expect

from tests.api import (
    PATIENCE_SECONDS,
    Api,
    User,
    a_channel,
    a_post,
    id_of,
    open_api,
    open_database,
    part,
)
from tests.browser.foreign_site import ForeignSite
from tests.browser.test_access import check
from tests.browser.windows import GONE, OpenWindow, Window, a_picture
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory

RECONNECTS_WITHIN: Final = 1_000 * (15 + PATIENCE_SECONDS)
"""Milliseconds: the longest pause of the page between two attempts (`maxPause` of `socket.js`), and then as ever."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def embedded(
    window: OpenWindow,
    site: ForeignSite,
    user: User,
    path: str,
    *,
    script: str = "",
    signed_in: bool = True,
    **attributes: str,
) -> Window:
    """A window with a page of the site that shows the channel."""
    site.api = user.base
    given = {"channel": id_of(path), **attributes}
    if signed_in and user.token is not None:
        given["token"] = user.token
    words = " ".join(f'{name.replace("_", "-")}="{escape(value)}"' for name, value in given.items())
    load = f'import "{user.base}/sdk/channel-feed.js";\n{script}'
    address = site.add(
        "/page", f"<main><h1>A page</h1><channel-feed {words}></channel-feed></main>", load
    )
    opened = await window(user, "/sdk/channels.js", signed_in=False)
    await opened.page.goto(address)
    return opened


async def seqs(opened: Window) -> list[int]:
    found = await opened.page.eval_on_selector(
        "channel-feed",
        "feed => [...feed.shadowRoot.querySelectorAll('article')].map(post => +post.dataset.seq)",
    )
    return [int(seq) for seq in found]


async def test_a_feed_is_live_and_its_reactions_are_buttons(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name="Harbour")
    await a_post(owner, path, "See https://harbour.example/plan?a=1. Or not")
    picture = a_picture("ferry.png")["buffer"]
    media = (await owner.call("POST", "/v1/media", data=picture)).body["media_id"]
    links = [{"title": "The plan", "url": "https://harbour.example/"}]
    both = {"kind": "text_and_image", "title": "Ferry", "text": "Late", "images": [media]}
    buttons = [
        [{"text": "Send tea", "kind": "reply", "reply": "tea"}],
        [{"text": "Ferry times", "kind": "link", "url": "https://harbour.example/times"}],
    ]
    body = {**both, "links": links, "buttons": buttons}
    assert (await owner.post(f"{path}/posts", body)).status == 201
    opened = await embedded(window, site, reader, path)
    articles = opened.page.locator("channel-feed article")
    await expect(articles).to_have_count(2)
    await expect(opened.by("feed", "Posts of Harbour")).to_be_visible()
    await expect(opened.by("heading", "Harbour", exact=True)).to_be_visible()
    await expect(opened.by("link", "The plan")).to_have_attribute("href", links[0]["url"])
    await expect(opened.by("link", "https://harbour.example/plan?a=1")).to_be_visible()
    times = opened.by("link", "Ferry times")
    await expect(times).to_have_attribute("href", "https://harbour.example/times")
    await expect(times).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    await expect(opened.page.get_by_text("Send tea")).to_have_count(0)
    shown = opened.page.locator("channel-feed img")
    await shown.scroll_into_view_if_needed()
    await expect(shown).to_have_js_property("complete", value=True)
    assert await shown.evaluate("image => image.naturalWidth") > 0

    await a_post(owner, path, "The ferry is here")
    await expect(articles.first).to_contain_text("The ferry is here")
    await expect(opened.page.get_by_text("1 new post")).to_be_attached()
    await owner.patch(f"{path}/posts/3", {"kind": "text", "text": "The ferry has left"})
    await expect(articles.first).to_contain_text("The ferry has left")
    await owner.delete(f"{path}/posts/1")
    await expect(articles.last).to_contain_text("This post was deleted.")

    await articles.first.get_by_role("button", name="Add a reaction").click()
    await articles.first.get_by_role("button", name="React with 🎉").click()
    mine = articles.first.get_by_role("button", name="🎉, 1 reaction")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await expect(articles.first.get_by_role("button", name="Add a reaction")).to_be_focused()
    await owner.put(f"{path}/posts/3/reactions/{part('🎉')}")
    both_of_us = articles.first.get_by_role("button", name="🎉, 2 reactions")
    await both_of_us.click()
    await expect(mine).to_have_attribute("aria-pressed", "false")
    tally = await reader.get(f"{path}/posts/3/reactions")
    assert (tally.body["counts"], tally.body["mine"]) == ({"🎉": 1}, [])

    await opened.page.mouse.move(0, 0)
    for scheme in SCHEMES:
        await opened.page.emulate_media(color_scheme=scheme)
        await check(opened, scheme)
    await articles.first.focus()
    await opened.page.keyboard.press("PageDown")
    await expect(articles.nth(1)).to_be_focused()
    await opened.page.keyboard.press("PageUp")
    await expect(articles.first).to_be_focused()


async def test_older_posts_come_on_demand_and_a_page_sets_the_theme_and_the_texts(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 8):
        await a_post(owner, path, f"post {number}")
    script = """
      const feed = document.querySelector("channel-feed");
      feed.style.setProperty("--channel-feed-post-background", "rgb(1, 2, 3)");
      const { ChannelFeed } = await import(`${feed.baseUrl}/sdk/channel-feed.js`);
      ChannelFeed.texts.de = { older: "Ältere Beiträge", retry: "Nochmals" };
      feed.lang = "de-AT";
    """.replace("${feed.baseUrl}", reader.base)
    opened = await embedded(window, site, reader, path, limit="3", script=script)
    older = opened.by("button", "Ältere Beiträge")
    await expect(older).to_be_visible()
    assert await seqs(opened) == [7, 6, 5]
    await older.click()
    await expect(opened.page.locator("channel-feed article")).to_have_count(6)
    await older.click()
    await expect(older).to_be_hidden()
    assert await seqs(opened) == [7, 6, 5, 4, 3, 2, 1]
    colour = "post => getComputedStyle(post).backgroundColor"
    assert await opened.page.locator("article").first.evaluate(colour) == "rgb(1, 2, 3)"


async def test_what_users_wrote_never_becomes_markup_or_a_script(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    bad = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name=f"News {bad}")
    title = {"kind": "text", "title": bad, "text": f"{bad} javascript:alert(3) https://x.example/"}
    assert (await owner.post(f"{path}/posts", title)).status == 201
    opened = await embedded(window, site, reader, path)
    article = opened.page.locator("channel-feed article")
    await expect(article).to_contain_text("javascript:alert(3)")
    await expect(article.locator("h3")).to_have_text(bad)
    await expect(opened.page.locator("channel-feed :is(img, script)")).to_have_count(0)
    await expect(article.get_by_role("link")).to_have_count(1)

    # A server that lies can do no more: addresses of other schemes and hosts lead nowhere.
    async def lie(route: Route) -> None:
        response = await route.fetch()
        page = await response.json()
        for post in page["items"]:
            post["links"] = [{"title": "bad", "url": "javascript:alert(4)"}]
            post["buttons"] = [[{"kind": "link", "text": "bad", "url": "javascript:alert(5)"}]]
            post["file"] = {"url": "data:text/html,x", "name": "bad", "content_type": "x"}
            post["images"] = [{"url": "https://spy.example/x.png", "large_url": None, "name": ""}]
        await route.fulfill(response=response, body=json.dumps(page))

    await opened.page.route("**/posts?*", lie)
    await opened.page.reload()
    await expect(article.locator("h3")).to_have_text(bad)
    await expect(article.get_by_role("link", name="bad")).to_have_count(0)
    assert await article.locator("img").get_attribute("src") == ""


async def test_a_wrong_token_and_a_hidden_channel_say_so(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, stranger = server.new_user("owner"), server.new_user("stranger")
    path = await a_channel(owner, settings={"visibility": "private"})
    opened = await embedded(window, site, stranger, path)
    opened.expected = ("404", "401", "WebSocket")
    missing = opened.page.get_by_role("alert")
    await expect(missing).to_have_text("This channel does not exist, or you may not read it.")
    await opened.page.locator("channel-feed").evaluate(
        "(feed, token) => feed.setAttribute('token', token)", owner.token
    )
    await expect(opened.by("heading", "News")).to_be_visible()
    await expect(missing).to_be_hidden()
    await opened.page.locator("channel-feed").evaluate(
        "feed => feed.setAttribute('token', 'x.y.z')"
    )
    await expect(missing).to_have_text("Your sign-in is missing, not valid, or has expired.")


async def test_a_page_gives_short_lived_tokens(
    server: Api, window: OpenWindow, site: ForeignSite
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path, "first")
    script = f"""
      window.reasons = [];
      document.querySelector("channel-feed").getToken = async (reason) => {{
        reasons.push(reason);
        return reasons.length === 1 ? "not.a.token" : {json.dumps(reader.token)};
      }};
    """
    opened = await embedded(window, site, reader, path, script=script, signed_in=False)
    opened.expected = ("401",)
    await expect(opened.page.locator("channel-feed article")).to_contain_text("first")
    await a_post(owner, path, "second")
    await expect(opened.page.locator("channel-feed article").first).to_contain_text("second")
    assert await opened.page.evaluate("window.reasons") == ["start", "refused"]


async def test_without_a_token_it_shows_a_public_channel_and_asks_again_now_and_then(
    mongod_uri: str, window: OpenWindow, site: ForeignSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.web.pages.public.KEPT_SECONDS", 0.0)
    # Pages of no other origin may call here, and need not.
    async with open_database(mongod_uri) as database, open_api(database) as server:
        owner = server.new_user("owner")
        path = await a_channel(owner, name="Harbour")
        links = [{"title": "The plan", "url": "https://harbour.example/"}]
        for number in range(1, 31):
            body = {"kind": "text", "text": f"post {number}", "links": links}
            assert (await owner.post(f"{path}/posts", body)).status == 201
        await owner.put(f"{path}/posts/30/reactions/{part('👍')}")
        opened = await window(owner, "/sdk/channels.js", signed_in=False)
        await opened.page.clock.install()
        site.api = server.base
        load = f'import "{server.base}/sdk/channel-feed.js";'
        feed = f'<channel-feed channel="{id_of(path)}" limit="12"></channel-feed>'
        await opened.page.goto(site.add("/public", feed, load))
        articles = opened.page.locator("channel-feed article")
        await expect(articles).to_have_count(12)
        await expect(articles.first).to_contain_text("post 30")
        await expect(articles.first.get_by_role("img", name="👍, 1 reaction")).to_be_visible()
        await expect(articles.first.get_by_role("button")).to_have_count(0)
        for expected in (24, 30):
            await opened.by("button", "Show older posts").click()
            await expect(articles).to_have_count(expected)
        await expect(opened.by("button", "Show older posts")).to_be_hidden()
        assert await seqs(opened) == list(range(30, 0, -1))
        await a_post(owner, path, "post 31")
        await owner.delete(f"{path}/posts/29")
        await opened.page.clock.fast_forward(70_000)
        await expect(articles.first).to_contain_text("post 31")
        await expect(opened.page.get_by_text("post 29")).to_have_count(0)
        opened.expected = ("404",)
        await owner.patch(path, {"settings": {"visibility": "private"}})
        await opened.page.reload()
        missing = "This channel does not exist, or you may not read it."
        await expect(opened.page.get_by_role("alert")).to_have_text(missing)


# It starts a server with a database twice.
@pytest.mark.timeout(300)
async def test_it_comes_back_after_the_server_was_restarted(
    window: OpenWindow, site: ForeignSite
) -> None:
    directory = scratch_directory()
    async with aiohttp.ClientSession() as http:
        process = ServerProcess(directory / "data", http)
        try:
            await process.start(CHANNELS_ALLOWED_ORIGINS=site.origin)
            owner, reader = process.user_of("owner"), process.user_of("reader")
            path = await a_channel(owner, reader)
            await a_post(owner, path, "before")
            opened = await embedded(window, site, reader, path)
            opened.expected = (*GONE, "CORS")
            articles = opened.page.locator("channel-feed article")
            await expect(articles).to_have_count(1)
            port = process.base.rpartition(":")[2]
            await process.stop()
            await expect(opened.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
            await process.start("--port", port, CHANNELS_ALLOWED_ORIGINS=site.origin)
            owner = process.user_of("owner")
            await asyncio.gather(*(a_post(owner, path, f"after {n}") for n in range(3)))
            # While the server was away its pauses have grown, and the last one may just have begun.
            await expect(articles).to_have_count(4, timeout=RECONNECTS_WITHIN)
            await expect(opened.page.get_by_text("Connection lost. Reconnecting…")).to_be_hidden()
            await a_post(owner, path, "live again")
            await expect(articles.first).to_contain_text("live again")
            assert await seqs(opened) == [5, 4, 3, 2, 1]
        finally:
            await process.stop()
    shutil.rmtree(directory, ignore_errors=True)
