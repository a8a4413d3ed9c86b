"""Clicks on links, told to readers and shown to the owner; the default channel that the application makes."""

import re

from playwright.async_api import Locator, expect

from tests.api import Api, a_channel, a_post, fresh, id_of, part
from tests.browser.windows import PHONE, OpenWindow, screenshot, view_of

LINK = "https://example.org/Map?of=town"


async def follow(link: Locator) -> None:
    """Open the link, which opens a tab of its own, and close that."""
    async with link.page.context.expect_page() as opened:
        await link.click()
    await (await opened.value).close()


async def test_clicks_are_told_counted_and_shown_but_not_of_those_who_ask_not_to_be_tracked(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, shy = (server.new_user(name) for name in ("owner", "reader", "shy"))
    path = await a_channel(owner, reader, shy, name=fresh("Harbour"))
    await a_post(owner, path, f"The [new map]({LINK}) is out")
    settings = await window(owner, f"/console/channels/{part(id_of(path))}/settings")
    await settings.page.get_by_label("Count clicks on links").check()
    await settings.by("button", "Save").click()
    await expect(settings.page.locator(".notices")).to_contain_text("Saved")
    assert (await owner.get(path)).body["settings"]["count_clicks"] is True

    theirs = await window(reader, view_of(path), size=PHONE)
    await theirs.page.context.route("https://example.org/**", lambda route: route.fulfill(body=""))
    link = theirs.by("link", "new map", exact=True)
    await expect(theirs.page.locator(".clicks-note")).to_have_text("Clicks on links are counted")
    await screenshot(theirs.page, "clicks-reader-phone")
    async with theirs.page.expect_response(re.compile(r"/clicks$")):
        await follow(link)
    await follow(link)

    asks = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
    hidden = await window(shy, view_of(path), before_page=asks)
    await hidden.page.context.route("https://example.org/**", lambda route: route.fulfill(body=""))
    await expect(hidden.page.locator(".clicks-note")).to_contain_text("but not yours")
    await follow(hidden.by("link", "new map", exact=True))
    clicks = (await owner.get(f"{path}/posts/1/clicks")).items
    assert clicks == [{"url": LINK, "clicks": 1}]

    await settings.go(f"/console/channels/{part(id_of(path))}/insights")
    await expect(settings.page.locator(".total", has_text="Clicks on links")).to_contain_text("1")
    await expect(settings.page.locator(".reach tbody td").last).to_have_text("1")
    await screenshot(settings.page, "clicks-insights")
    await settings.go(f"/console/channels/{part(id_of(path))}/posts")
    await settings.by("button", "Post options").first.click()
    await settings.by("menuitem", "Delivery report").click()
    report = settings.by("dialog", "Delivery report")
    await expect(report.locator("dl").last).to_contain_text(LINK)
    await screenshot(settings.page, "clicks-report")


async def test_the_application_makes_a_channel_a_default_and_new_people_have_it(
    server: Api, window: OpenWindow
) -> None:
    owner, app = server.new_user("owner"), server.new_user("back-end", admin=True)
    path = await a_channel(owner, name=fresh("Welcome"))
    mine = await window(app, f"/console/channels/{part(id_of(path))}/settings")
    await mine.by("button", "Make it a default channel").click()
    await mine.by("dialog").get_by_role("button", name="Make it a default channel").click()
    try:
        await expect(mine.by("button", "Remove from the default channels")).to_be_focused()
        await expect(mine.page.get_by_text("Everybody known so far is subscribed")).to_be_visible()
        await screenshot(mine.page, "default-channel")
        name = (await owner.get(path)).body["name"]
        theirs = await window(server.new_user("newcomer"), "/")
        await expect(theirs.page.locator("a.row", has_text=name)).to_be_visible()
    finally:
        # The other tests of this server have people who subscribe to nothing.
        await mine.by("button", "Remove from the default channels").click()
        await expect(mine.by("button", "Make it a default channel")).to_be_focused()
