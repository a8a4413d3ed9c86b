"""Important posts: asking in the console, confirming by keyboard, live counts, who has not, the reminder; retention."""

from playwright.async_api import expect

from tests.api import Api, a_channel, a_chat_group
from tests.browser.test_access import NARROWEST, check
from tests.browser.test_composer import console_of
from tests.browser.windows import PHONE, OpenWindow, screenshot, view_of


async def test_a_post_asks_readers_confirm_and_the_console_shows_who_has_not(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, other = (server.new_user(name) for name in ("owner", "reader", "other"))
    path = await a_channel(owner, reader, other)
    console = await window(owner, console_of(path))
    page = console.page
    await page.get_by_label("Text", exact=True).fill("The bridge is closed on Monday")
    await page.get_by_label("Ask readers to confirm that they have read it").check()
    await expect(page.locator(".preview-stage .acknowledge")).to_be_visible()
    await console.by("button", "Post", exact=True).click()
    posted = page.locator(".posted .post-item")
    await expect(posted.locator(".acknowledge")).to_contain_text("Nobody has confirmed yet.")
    await expect(posted.get_by_role("button", name="I have read this")).to_be_hidden()
    assert (await owner.get(f"{path}/posts")).items[0]["acknowledge"] == {"count": 0, "mine": False}

    readers = await window(reader, view_of(path))
    box = readers.page.locator(".acknowledge")
    await expect(box).to_contain_text("Please confirm that you have read this.")
    await readers.page.set_viewport_size(NARROWEST)
    await check(readers, "a post that asks")
    await screenshot(readers.page, "important-post")
    await box.get_by_role("button", name="I have read this").focus()
    await readers.page.keyboard.press("Enter")
    await expect(box).to_contain_text("You confirmed that you have read this.")
    await expect(box.get_by_role("button")).to_be_hidden()
    await expect(box.locator(".acknowledge-line")).to_be_focused()
    await expect(posted.locator(".acknowledge")).to_contain_text("1 person has confirmed.")

    await posted.get_by_role("button", name="Post options").click()
    await console.by("menuitem", "Confirmations").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.get_by_role("button", name="Not confirmed (1)")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(sheet.locator(".person")).to_contain_text(other.id)
    await sheet.get_by_role("button", name="Confirmed (1)", exact=True).click()
    await expect(sheet.locator(".person")).to_contain_text(reader.id)
    await check(console, "the confirmations")
    await screenshot(page, "important-overview")
    waiting = await window(other, "/feed")
    await expect(waiting.page.get_by_text("The bridge is closed")).to_be_visible()
    await sheet.get_by_role("button", name="Remind those who have not confirmed").click()
    await (
        page.get_by_role("dialog")
        .last.get_by_role("button", name="Remind those who have not confirmed")
        .click()
    )
    await expect(sheet.get_by_text("Reminded")).to_be_visible()
    # It reaches those who have not confirmed, and leads them to the post.
    name = (await owner.get(path)).body["name"]
    await waiting.by("link", f"{name} waits for your confirmation. Show the message.").click()
    await expect(waiting.by("button", "I have read this")).to_be_visible()
    await expect(readers.page.locator(".notice")).to_have_count(0)

    settings = await window(owner, f"{console_of(path)}/settings")
    days = settings.page.get_by_label("Delete posts after so many days")
    await expect(days).to_have_value("0")
    await days.fill("30")
    await settings.by("button", "Save", exact=True).click()
    await expect(settings.page.get_by_text("Saved")).to_be_visible()
    assert (await owner.get(path)).body["settings"]["retention_days"] == 30


async def test_the_staff_of_a_group_asks_its_members(server: Api, window: OpenWindow) -> None:
    owner, member = server.new_user("owner"), server.new_user("member")
    path = await a_chat_group(owner, member, name="Crew")
    theirs = await window(member, view_of(path))
    await theirs.page.get_by_label("Write a message").fill("Hello")
    await expect(theirs.by("button", "Send", exact=True)).to_be_enabled()
    asks = "Ask everybody to confirm reading this"
    await expect(theirs.page.get_by_label(asks)).to_be_hidden()
    await theirs.page.get_by_label("Write a message").fill("")
    mine = await window(owner, view_of(path), size=PHONE)
    await expect(mine.page.get_by_label(asks)).to_be_hidden()
    await mine.page.get_by_label("Write a message").fill("We meet at noon")
    await mine.page.get_by_label(asks).check()
    await check(mine, "a message that asks")
    await screenshot(mine.page, "important-group")
    await mine.by("button", "Send", exact=True).click()
    own = mine.page.locator(".acknowledge")
    await expect(own).to_contain_text("Nobody has confirmed yet.")
    await expect(own.get_by_role("button")).to_be_hidden()
    await theirs.by("button", "I have read this").click()
    await expect(own).to_contain_text("1 person has confirmed.")
    # The next message asks for nothing.
    await mine.page.get_by_label("Write a message").fill("See you")
    await expect(mine.page.get_by_label(asks)).not_to_be_checked()
