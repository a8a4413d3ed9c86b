"""Writing messages: answers that quote, emoji from the picker, previews of links."""

import io
import re
from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from playwright.async_api import expect

from channels.server.options import ServiceOptions
from groups.kernel.text.emoji import canonical_emoji
from tests.api import Api, a_channel, a_chat_group, open_api, open_database, part
from tests.browser.windows import PHONE, WIDE, OpenWindow, view_of
from tests.channels.test_link_previews import LOOPBACK


async def test_a_message_is_answered_and_the_answer_leads_to_it(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await ada.patch("/v1/users/me", {"name": "Ada"})
    path = await a_chat_group(ada, bob)
    await ada.post(f"{path}/messages", {"kind": "text", "text": "Is there **tea**?"})
    for number in range(40):
        await ada.post(f"{path}/messages", {"kind": "text", "text": f"More {number}\n" * 3})
    answer = {"kind": "text", "text": "Long ago", "quoted_seq": 1}
    await ada.post(f"{path}/messages", answer)
    opened = await window(bob, view_of(path) + "?post=41")
    page = opened.page
    await page.locator("[data-seq='41'] .meta button").click()
    await opened.by("menuitem", "Reply").click()
    writer = opened.by("textbox", "Write a message")
    await expect(writer).to_be_focused()
    strip = page.locator(".strip")
    await expect(strip).to_contain_text("Reply to Ada")
    await page.keyboard.press("Escape")
    await expect(strip).to_be_hidden()
    # The key does the same.
    await page.locator("[data-seq='41']").focus()
    await page.wait_for_load_state("networkidle")  # the keys are loaded after the first view
    await page.keyboard.press("r")
    await expect(writer).to_be_focused()
    await expect(strip).to_contain_text("More 39")
    await writer.fill("Green one")
    await page.keyboard.press("Enter")
    await expect(strip).to_be_hidden()
    quote = page.locator("[data-seq='43'] .quote")
    await expect(quote).to_contain_text("AdaMore 39")
    # A message that is not loaded is read by itself; its quote leads to it.
    old = page.locator("[data-seq='42'] .quote")
    await expect(old).to_contain_text("AdaIs there tea?")
    await old.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-seq='1']")).to_be_focused()
    # Deleted, it is nowhere left.
    await opened.go(view_of(path))
    await expect(quote).to_contain_text("More 39")
    await ada.delete(f"{path}/messages/41")
    await expect(quote).to_have_text("This message was deleted.")


async def test_emoji_are_found_by_name_and_by_arrow_keys(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, bob)
    await ada.post(f"{path}/messages", {"kind": "text", "text": "Tea?"})
    opened = await window(bob, view_of(path), size=PHONE)
    for size in (PHONE, WIDE):
        await opened.page.set_viewport_size(size)
        writer = opened.by("textbox", "Write a message")
        await writer.fill("Yes !")
        await writer.evaluate("element => element.setSelectionRange(4, 4)")
        await opened.by("button", "Add an emoji").click()
        picker = opened.by("dialog", "Add an emoji")
        await expect(opened.by("searchbox", "Search emoji")).to_be_focused()
        box = await picker.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        await opened.by("combobox", "Skin tone").select_option("👋🏽")
        await opened.by("searchbox", "Search emoji").fill("thumb up")
        await expect(picker.get_by_role("status")).to_have_text("1 emoji found")
        await opened.page.keyboard.press("Enter")
        await expect(writer).to_have_value("Yes 👍🏽!")
        await expect(writer).to_be_focused()
        # Without words: the recent ones first, and arrow keys over the grid.
        await opened.by("button", "Add an emoji").click()
        await expect(picker.locator("section").first).to_have_attribute(
            "aria-label", "Recently used"
        )
        await opened.page.keyboard.press("ArrowDown")
        await expect(picker.locator("button").first).to_be_focused()
        await opened.page.keyboard.press("ArrowDown")
        await expect(opened.by("button", "grinning face", exact=True)).to_be_focused()
        await opened.page.keyboard.press("ArrowRight")
        await opened.page.keyboard.press("ArrowDown")
        await opened.page.keyboard.press("ArrowUp")
        await opened.page.keyboard.press("Enter")
        await expect(picker).to_be_hidden()
        await expect(writer).to_have_value("Yes 👍🏽😃!")
        await opened.by("button", "Add an emoji").click()
        await expect(opened.by("searchbox", "Search emoji")).to_be_focused()
        await opened.page.keyboard.press("Escape")
        await expect(opened.by("button", "Add an emoji")).to_be_focused()
    page = opened.page
    # The same picker behind the reactions; the server takes every emoji of it.
    await opened.by("button", "Add reaction").click()
    await opened.by("button", "More…").click()
    await opened.by("searchbox", "Search emoji").fill("teapot")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-seq='1'] .chip.mine .emoji")).to_have_text("🫖")
    await opened.by("button", "Add reaction").click()
    await opened.by("button", "More…").click()
    await expect(opened.by("searchbox", "Search emoji")).to_be_focused()
    offered = await page.locator(".emoji-list .choice").all_text_contents()
    assert len(offered) > 1_800
    assert [emoji for emoji in offered if canonical_emoji(emoji) != emoji] == []


@pytest_asyncio.fixture(loop_scope="session")
async def page_of_tea() -> AsyncIterator[str]:
    """The address of a page with a preview."""
    file = io.BytesIO()
    Image.new("RGB", (600, 300), "teal").save(file, "PNG")

    async def tea(_: web.Request) -> web.Response:
        head = (
            "<meta property='og:title' content='All about tea'><meta property='og:description' "
            "content='Leaves, water, time.'><meta property='og:image' content='/tea.png'>"
        )
        return web.Response(text=head, content_type="text/html")

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=file.getvalue(), content_type="image/png")

    app = web.Application()
    app.router.add_get("/tea", tea)
    app.router.add_get("/tea.png", picture)
    async with TestServer(app) as site:
        yield f"http://127.0.0.1:{site.port}/tea"


async def test_the_preview_of_a_link_is_shown_removed_and_sent(
    mongod_uri: str, page_of_tea: str, window: OpenWindow
) -> None:
    options: ServiceOptions = LOOPBACK
    async with (
        open_database(mongod_uri) as database,
        open_api(database, options=options, link_previews_per_minute=60) as server,
    ):
        ada, bob = server.new_user("ada"), server.new_user("bob")
        opened = await window(ada, f"/with/{part(bob.id)}")
        page, writer = opened.page, opened.by("textbox", "Write a message")
        preview = opened.by("group", "Preview of the link")
        await writer.fill(f"See **{page_of_tea}**")
        await expect(preview).to_contain_text("All about tea")
        await opened.by("button", "Remove the preview").click()
        await expect(preview).to_be_hidden()
        # Typing on does not bring it back; another address does, such as after a correction.
        await page.keyboard.press("End")
        await writer.press_sequentially(" !")
        await expect(preview).to_be_hidden()
        await writer.fill(f"See {page_of_tea}?green")
        await expect(preview).to_contain_text("Leaves, water, time.")
        await writer.press("Enter")
        card = page.locator("[data-seq='1'] .links a")
        await expect(card).to_contain_text("All about tea")
        await expect(preview).to_be_hidden()
        picture = card.locator("img")
        await expect(picture).to_have_js_property("complete", value=True)
        assert await picture.evaluate("element => element.naturalWidth") > 0
        assert str(await picture.get_attribute("src")).startswith("/v1/media/")
        # An edit keeps it.
        await page.locator("[data-seq='1'] .meta button").click()
        await opened.by("menuitem", "Edit").click()
        await writer.fill("See it")
        await writer.press("Enter")
        await expect(page.locator("[data-seq='1'] .text")).to_have_text("See it")
        await expect(card).to_contain_text("Leaves, water, time.")
        # A post with it, as its readers see it.
        channel = await a_channel(ada, bob)
        message = (await ada.get(f"/v1/conversations/c2c_{part(bob.id)}/messages/1")).body
        link = {**message["links"][0], "image": message["links"][0]["image"]["media_id"]}
        await ada.post(f"{channel}/posts", {"kind": "text", "text": "Tea", "links": [link]})
        reader = await window(bob, view_of(channel))
        await expect(reader.page.locator("[data-seq='1'] .links img")).to_be_visible()
        # The composer of the console finds previews, too, and keeps that of a post which is edited.
        await opened.go(f"/console{view_of(channel)}")
        await page.locator(".posted").get_by_role("button", name="Post options").click()
        await opened.by("menuitem", "Edit").click()
        await page.get_by_label("Text", exact=True).fill(f"Mint {page_of_tea}?mint")
        await expect(preview).to_contain_text("All about tea")
        await expect(page.get_by_label("Link text")).to_have_value("All about tea")
        await opened.by("button", "Save changes").click()
        await expect(reader.page.locator("[data-seq='1'] .links li")).to_have_count(2)
        await page.get_by_label("Text", exact=True).fill(f"{page_of_tea} is black ")
        await expect(preview).to_contain_text("Leaves, water, time.")
        await page.locator(".text-tools button").click()
        await page.get_by_placeholder("Search").press_sequentially("teacup")
        await page.get_by_role("button", name="teacup").first.click()
        await expect(page.get_by_label("Text", exact=True)).to_have_value(re.compile("🍵$"))
        await opened.by("button", "Post", exact=True).click()
        await expect(reader.page.locator("[data-seq='2'] .links img")).to_be_visible()
        opened.expected = reader.expected = ("ERR_CONNECTION_REFUSED",)  # the server ends first
