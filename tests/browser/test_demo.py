"""The first minute of the demo, in a browser."""

import re

from playwright.async_api import expect

from tests.api import open_api, open_database
from tests.browser.windows import OpenWindow
from tests.server.test_demo_pages import a_demo


async def test_a_visitor_finds_the_start_posts_and_sees_it_arrive_and_enters_as_a_reader(
    mongod_uri: str, window: OpenWindow
) -> None:
    async with (
        open_database(mongod_uri) as database,
        open_api(database) as server,
        a_demo(server, database) as (visitor, _),
    ):
        page = (await window(visitor, "/demo", signed_in=False)).page
        await page.get_by_role("link", name="Post, and watch it arrive").click()
        phone = page.get_by_label("Ada's phone")
        await expect(phone.get_by_role("heading", name="FC Harbour")).to_be_visible()
        text = page.get_by_label("Post to FC Harbour")
        await text.fill("Two minutes to go")
        await page.get_by_role("button", name="Post", exact=True).click()
        await expect(phone.get_by_text("Two minutes to go")).to_be_visible()
        await expect(page.get_by_role("status").first).to_have_text(
            re.compile(r"On Ada's phone after \d+ ms\.")
        )
        await expect(text).to_have_value("")
        await page.get_by_role("link", name="Back to the start").click()
        await page.get_by_role("link", name="Look around as Ada, a reader").click()
        await expect(page.get_by_role("heading", name="Channels")).to_be_visible()
        assert "#" not in page.url
        # Without a token the app leads to the start.
        await page.evaluate("sessionStorage.clear(), localStorage.clear()")
        await page.goto(f"{visitor.base}/", wait_until="commit")
        await expect(page.get_by_role("link", name="Look around as Bob, an owner")).to_be_visible()
