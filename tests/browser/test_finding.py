"""Finding things: the palette, the search for messages, keyboard shortcuts, and the feed of all channels."""

import asyncio
import re

from playwright.async_api import Locator, expect

from tests.api import (
    PATIENCE_SECONDS,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    part,
)
from tests.browser.test_access import check
from tests.browser.windows import PHONE, OpenWindow, Window, screenshot, view_of

SEARCH = "Search for words or a “phrase”"


async def palette_of(opened: Window, words: str = "") -> Locator:
    """Opens the palette with its key and types these words; returns its field."""
    await opened.page.keyboard.press("Control+k")
    field = opened.by("combobox")
    await expect(field).to_be_focused()
    await field.fill(words)
    return field


def option(opened: Window, name: str) -> Locator:
    return opened.page.get_by_role("option", name=re.compile("^" + re.escape(name)))


async def with_keys(opened: Window) -> None:
    """Waits for the shortcuts, which are loaded after the first view."""
    await opened.page.evaluate(
        """async () => {
          const start = document.querySelector("script[src$='/js/start.js']").src;
          await import(start); // has asked for them at its end
          await import(new URL("./finding/shortcuts.js", start));
        }"""
    )


async def unread(user: User) -> int:
    total = (await user.get("/v1/unread")).body["total"]
    assert isinstance(total, int)
    return total


async def test_the_palette_finds_places_people_and_actions(server: Api, window: OpenWindow) -> None:
    owner, reader, bob = (server.new_user(name) for name in ("owner", "reader", "bob"))
    await bob.patch("/v1/users/me", {"name": "Bob Ökänen"})
    cafe = await a_channel(owner, reader, name="Café Ångström")
    group = await a_chat_group(reader, bob, name="Gardeners")
    public = fresh("Lighthouse")
    await a_channel(owner, name=public)
    await a_post(owner, cafe, "Buns")
    await reader.put("/v1/conversation-groups/Town", {"conversation_ids": []})
    opened = await window(reader)
    await with_keys(opened)

    # Without case and accents, by the arrow keys; the focus stays in the field.
    field = await palette_of(opened)
    await expect(option(opened, "Café Ångström")).to_have_attribute("aria-selected", "true")
    await field.fill("angst caf")
    await expect(option(opened, "Café Ångström").locator("mark")).to_have_text(["Caf", "Ångst"])
    await check(opened, "palette")
    await screenshot(opened.page, "palette")
    await field.press("ArrowDown")
    active = await field.get_attribute("aria-activedescendant")
    await expect(opened.page.locator(f"#{active}")).to_contain_text("Search messages for")
    await field.press("ArrowUp")
    await field.press("Enter")
    await expect(opened.by("heading", "Café Ångström")).to_be_visible()
    assert opened.page.url.endswith(view_of(cafe))

    # By letters in order; a folder; a person by id; a channel that the user does not know yet.
    for words, name in (
        ("gdnrs", "Gardeners"),
        ("town", "Town"),
        (bob.id, "Bob Ökänen"),
        (public.lower(), public),
    ):
        field = await palette_of(opened, words)
        await expect(option(opened, name)).to_be_visible()
        await field.press("Escape")
    await palette_of(opened, public.lower())
    await option(opened, public).click()
    await expect(opened.by("button", "Subscribe")).to_be_visible()

    # Actions, on what is open and on everything.
    await opened.go(view_of(group))
    await expect(opened.by("heading", "Gardeners")).to_be_visible()
    await with_keys(opened)
    await palette_of(opened, "mute always")
    await option(opened, "Mute always").click()
    await expect(opened.page.locator(".conversation-head").get_by_label("Muted")).to_be_visible()
    await a_post(owner, cafe, "More buns")
    await palette_of(opened, "everything read")
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.get_by_text("Marked as read")).to_be_visible()
    assert await unread(reader) == 0

    # A phone has a button.
    phone = await window(reader, size=PHONE, has_touch=True, is_mobile=True)
    await phone.by("button", "Search or go to").tap()
    await expect(phone.by("combobox")).to_be_focused()
    await option(phone, "Café Ångström").tap()
    await expect(phone.page.locator(".post")).to_have_count(2)


async def test_messages_are_found_everywhere_and_inside_a_conversation(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    await owner.patch("/v1/users/me", {"name": "Grace Mbeki"})
    path = await a_channel(owner, reader, name="Harbour")
    group = await a_chat_group(owner, reader, name="Crew")
    for number in range(1, 81):
        about = "The ferry leaves" if number in {3, 41} else "Nothing to say"
        await a_post(owner, path, f"{about} 🌊 at {number} o’clock")
    await a_post(owner, group, "Who takes the ferry?")
    opened = await window(reader)
    page = opened.page
    rows = page.locator(".found-row")
    await with_keys(opened)

    await page.keyboard.press("Control+Shift+f")
    field = opened.by("searchbox", SEARCH)
    await expect(field).to_be_focused()
    await field.fill("ferr")
    await expect(rows).to_have_count(3)
    await expect(rows.locator("mark")).to_have_text(["ferr"] * 3)
    await expect(rows.first).to_contain_text("Crew")
    await expect(rows.first).to_contain_text("Grace Mbeki")
    await expect(page.get_by_text("3 results")).to_be_visible()
    await page.get_by_label("Where").select_option("Harbour")
    await expect(rows).to_have_count(2)

    # To the post, with its word marked, and back to the same results.
    await field.press("ArrowDown")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-seq='3']")).to_be_in_viewport()
    marked = "() => [...(CSS.highlights.get('found') ?? [])].map(range => range.toString())"
    await page.wait_for_function(f"({marked})()[0] === 'ferr'")
    await page.go_back()
    await expect(rows).to_have_count(2)
    await expect(rows.last).to_be_focused()
    await expect(page.get_by_label("Where")).to_have_value(conversation_of(path))

    # Inside the channel: from one result to the next.
    await opened.go(view_of(path))
    await expect(page.locator("[data-seq='1']")).to_be_in_viewport()
    await with_keys(opened)
    await page.keyboard.press("Control+f")
    here = opened.by("searchbox", "Search in Harbour")
    await expect(here).to_be_focused()
    await here.fill("ferry")
    await expect(rows).to_have_count(2)
    await check(opened, "search in a channel")
    await here.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-seq='41']")).to_be_in_viewport()
    await expect(page.get_by_text("1 of 2")).to_be_visible()
    await screenshot(page, "search-here")
    await opened.by("button", "Older result").click()
    await expect(page.locator("[data-seq='3']")).to_be_in_viewport()
    await expect(opened.by("button", "Older result")).to_be_disabled()
    await here.fill("no such word")
    await expect(page.get_by_text("No posts or messages match “no such word”.")).to_be_visible()
    await here.press("Escape")
    await expect(here).to_have_count(0)

    # On a phone the results cover the channel, and become a bar once one is open.
    phone = await window(reader, view_of(path), size=PHONE, has_touch=True, is_mobile=True)
    await expect(phone.page.locator("[data-seq]").first).to_be_visible()
    await phone.page.locator(".conversation-head").get_by_label("More options").tap()
    await phone.by("menuitem", "Search here").tap()
    await phone.by("searchbox", "Search in Harbour").fill("ferry")
    await phone.page.locator(".found-row").last.tap()
    await expect(phone.page.locator("[data-seq='3']")).to_be_in_viewport()
    await expect(phone.by("searchbox", "Search in Harbour")).to_be_hidden()
    await phone.by("button", "Back to the results").tap()
    await expect(phone.page.locator(".found-row").last).to_be_focused()
    assert await phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_keys_move_between_conversations_and_act_on_posts(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    paths = [await a_channel(owner, reader, name=name) for name in ("Tides", "Storms", "Stars")]
    for path in paths:
        await a_post(owner, path, f"{id_of(path)} says")
    tides, storms, _ = paths
    await reader.post(f"/v1/conversations/{part(conversation_of(storms))}/read", {})
    opened = await window(reader)
    page = opened.page
    rows = page.locator("a.row")
    await with_keys(opened)

    # One tab stop for the list; arrow keys within it.
    await rows.nth(0).focus()
    for key, index in (("ArrowDown", 1), ("End", 2), ("ArrowUp", 1), ("Home", 0)):
        await page.keyboard.press(key)
        await expect(rows.nth(index)).to_be_focused()
    assert await rows.evaluate_all("rows => rows.map(row => row.tabIndex)") == [0, -1, -1]

    # The next unread one; the one that is read is passed over.
    await page.keyboard.press("Alt+ArrowDown")
    await expect(opened.by("heading", "Stars")).to_be_visible()
    await expect(page.locator("a.row .badge:visible")).to_have_count(1)
    await page.keyboard.press("Alt+ArrowDown")
    await expect(opened.by("heading", "Tides")).to_be_visible()
    await expect(page.locator("a.row .badge:visible")).to_have_count(0)
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.get_by_text("Nothing is unread.")).to_be_visible()
    await page.keyboard.press("Alt+Shift+ArrowUp")
    await expect(opened.by("heading", "Storms")).to_be_visible()

    # On the post: a reaction, and a private message about it.
    await expect(page.locator("[data-seq='1']")).to_be_visible()
    await page.keyboard.press("k")
    await expect(page.locator("[data-seq='1']")).to_be_focused()
    await page.keyboard.press("+")
    await opened.by("button", "React with 👍").click()
    await expect(opened.by("button", "👍, 1 reaction")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(rows.filter(has_text="Storms")).to_be_focused()
    await a_post(owner, tides, "again")
    await expect(rows.filter(has_text="Tides").locator(".badge")).to_have_text("1")
    await rows.filter(has_text="Tides").focus()
    await page.keyboard.press("m")
    await expect(rows.filter(has_text="Tides").locator(".badge")).to_be_hidden()
    await rows.filter(has_text="Storms").click()
    await expect(page.locator("[data-seq='1']")).to_be_visible()
    await page.keyboard.press("r")
    writer = opened.by("textbox", "Write a message")
    await expect(writer).to_be_visible()

    # What is written is no command; and single characters can be switched off.
    await writer.press_sequentially("m?r/")
    await expect(writer).to_have_value("m?r/")
    await writer.blur()
    await page.keyboard.press("?")
    keys = opened.by("dialog", "Keyboard shortcuts")
    await expect(keys).to_contain_text("Next unread channel or chat")
    await check(opened, "keys")
    await screenshot(page, "keys")
    await keys.get_by_label("Use shortcuts of a single character").uncheck()
    await page.keyboard.press("Escape")
    await expect(keys).to_have_count(0)
    await page.keyboard.press("?")
    await page.keyboard.press("Control+k")
    await expect(opened.by("combobox")).to_be_focused()
    await expect(keys).to_have_count(0)


async def test_one_feed_has_the_posts_of_all_channels(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    city = await a_channel(owner, reader, name="City")
    coast = await a_channel(owner, reader, name="Coast")
    await a_chat_group(owner, reader)
    for number in range(1, 31):
        await a_post(owner, city if number % 2 else coast, f"post {number} of all" + "\nmore" * 5)
    await reader.put("/v1/conversation-groups/Sea", {"conversation_ids": [conversation_of(coast)]})
    before = await unread(reader)
    opened = await window(reader)
    page = opened.page
    await opened.by("link", "All posts").click()
    items = page.locator(".feed-item")
    await expect(items.first).to_contain_text("post 30 of all")
    await expect(items.first).to_contain_text("Coast")
    await expect(items.nth(1)).to_contain_text("City")

    # Seen posts count as viewed; nothing is marked as read.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await owner.get(f"{coast}/posts/15")).body["views"] < 1:
            await asyncio.sleep(0.05)
    assert await unread(reader) == before

    # A reaction, here and from elsewhere.
    await items.first.get_by_role("button", name="Add reaction").click()
    await opened.by("button", "React with 👍").click()
    await expect(items.first.get_by_role("button", name="👍, 1 reaction")).to_be_visible()
    await owner.put(f"{coast}/posts/15/reactions/{part('👍')}")
    await expect(items.first.get_by_role("button", name="👍, 2 reactions")).to_be_visible()

    # A new post is announced, and shown when the reader asks for it.
    await a_post(owner, city, "news")
    await opened.by("button", "1 new post").click()
    await expect(items.first).to_contain_text("news")
    await expect(items.first).to_be_focused()
    await owner.delete(f"{city}/posts/16")
    await expect(items.first).to_contain_text("This post was deleted.")

    # More come while scrolling, and those far away give up their content.
    # Posts that come into view grow to their height, so what was the end is scrolled to again, as a reader does.
    feed, end = page.locator(".feed"), page.get_by_text("These are all posts of your channels.")

    async def sees_the_end() -> bool:
        await feed.evaluate("element => element.scrollTo(0, element.scrollHeight)")
        if await items.count() < 31 or not await end.is_visible():
            return False
        below = await end.evaluate(
            "element => element.getBoundingClientRect().top - innerHeight", timeout=1_000
        )
        return bool(below < 0)

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await sees_the_end():
            await asyncio.sleep(0.05)
    await expect(items.nth(1).locator("article")).to_have_count(0)
    await expect(items.last).to_contain_text("post 1 of all")

    # To the channel, and back to the same place.
    await items.last.get_by_role("link", name="City").click()
    await expect(page.locator("[data-seq='1'].post-item")).to_be_in_viewport()
    await page.go_back()
    await expect(items.last).to_be_in_viewport()
    await expect(items.last).to_contain_text("post 1 of all")

    await page.get_by_label("Channels of").select_option("Sea")
    await expect(items).to_have_count(15)
    await expect(items.filter(has_text="City")).to_have_count(0)
