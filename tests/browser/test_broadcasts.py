"""Broadcasts: tags of subscribers and a broadcast in the console, and a subscriber who wants none."""

from playwright.async_api import expect

from tests.api import Api, a_channel, fresh, id_of, part
from tests.browser.test_access import check
from tests.browser.test_console import console_of
from tests.browser.test_reporting import check_narrow
from tests.browser.windows import PHONE, OpenWindow, Window


async def tag(opened: Window, user: str, *tags: str) -> None:
    """Gives a subscriber these tags besides those that they have."""
    await opened.by("button", f"Options for {user}").click()
    await opened.by("menuitem", "Edit tags").click()
    dialog = opened.by("dialog", f"Tags of {user}")
    field = dialog.get_by_label("Tags", exact=True)
    for one in tags:
        await field.fill(one)
        await field.press("Enter")
    await expect(dialog.locator(".tag-chip")).to_have_count(len(tags))
    await check(opened, "the tags of a subscriber")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)


async def test_a_broadcast_reaches_those_with_a_tag_who_did_not_opt_out(
    server: Api, window: OpenWindow
) -> None:
    owner, near, far, weary = (server.new_user(name) for name in ("owner", "near", "far", "weary"))
    name, text = fresh("Bakery"), fresh("Fresh at seven")
    path = await a_channel(owner, near, far, weary, name=name)

    # Two subscribers get tags, by which the list is filtered.
    opened = await window(owner, console_of(path, "subscribers"))
    people = opened.page.locator(".person")
    await expect(people).to_have_count(4)
    await tag(opened, near.id, "north", "daily")
    await expect(people.filter(has_text=near.id).locator(".tag")).to_have_text(["north", "daily"])
    await expect(opened.by("button", f"Options for {near.id}")).to_be_focused()
    await tag(opened, weary.id, "north")
    await opened.page.get_by_label("Filter").select_option("north (2)")
    await expect(people).to_have_count(2)
    await expect(people.filter(has_text=far.id)).to_have_count(0)
    await check_narrow(opened, "subscribers with tags")

    # One of them opts out in the chat with the channel.
    theirs = await window(weary, f"/with/{part(id_of(path))}", size=PHONE)
    await theirs.by("button", "More options", exact=True).last.click()
    await theirs.by("menuitem", "Broadcasts…").click()
    choice = theirs.by("dialog", f"Broadcasts of {name}")
    await expect(choice.get_by_text("says only “stop”")).to_be_visible()
    await choice.get_by_role("button", name="Stop broadcasts").click()
    await expect(choice.get_by_text("You get no broadcasts")).to_be_visible()
    await expect(choice.get_by_role("button", name="Get broadcasts again")).to_be_focused()
    await check(theirs, "the choice of broadcasts")
    assert (await weary.get(f"{path}/broadcast-opt-out")).body["opted_out"] is True

    # The owner sends to a tag, and sees who was not reached.
    await opened.by("link", "Broadcasts", exact=True).click()
    page = opened.page
    await expect(page.get_by_text("4 subscribers match.")).to_be_visible()
    await page.get_by_label("Subscribers with certain tags").check()
    await opened.by("button", "Send", exact=True).click()
    await expect(page.get_by_text("Add a tag to one of these fields.")).to_be_visible()
    anyone = page.get_by_label("With any of these tags")
    await expect(anyone).to_be_focused()
    await anyone.fill("north")
    await anyone.press("Enter")
    await expect(page.get_by_text("2 subscribers match.")).to_be_visible()
    await opened.by("button", "Send", exact=True).click()
    await expect(page.get_by_text("Write a text or add a file.")).to_be_visible()
    await page.get_by_label("Message", exact=True).fill(text)
    await page.reload()
    await expect(page.get_by_label("Message", exact=True)).to_have_value(text)
    await page.get_by_label("Subscribers with certain tags").check()
    await anyone.fill("north,")
    await expect(page.get_by_text("2 subscribers match.")).to_be_visible()
    await opened.by("button", "Send", exact=True).click()
    sure = opened.by("dialog", "Send the broadcast")
    await expect(sure.get_by_text("2 subscribers match.")).to_be_visible()
    await sure.get_by_role("button", name="Send").click()
    row = page.locator(".broadcast", has_text=text)
    await expect(row).to_contain_text("1 not reached")
    await expect(row.locator(".role")).to_have_text("Sent")
    await expect(row).to_contain_text("With any of: north")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")
    await check_narrow(opened, "broadcasts")
    await opened.by("button", f"Not reached by “{text}”").click()
    missed = opened.by("dialog", "Not reached")
    await expect(missed.locator(".person")).to_have_count(1)
    await expect(missed.locator(".person")).to_contain_text(weary.id)
    await expect(missed.locator(".person")).to_contain_text("Opted out of broadcasts")
    await check(opened, "who was not reached")
    await page.keyboard.press("Escape")
    for user, count in ((near, 1), (far, 0), (weary, 0)):
        got = await user.get(f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages")
        texts = [item["text"] for item in got.items] if got.status == 200 else []
        assert texts == [text] * count

    # A slow one is stopped and goes on.
    await page.get_by_label("Message", exact=True).fill(fresh("Slowly"))
    await page.get_by_label("Messages a second (optional)").fill("0")
    await opened.by("button", "Send", exact=True).click()
    await expect(page.get_by_text("Enter a number from 1 to")).to_be_visible()
    await page.get_by_label("Messages a second (optional)").fill("1")
    await opened.by("button", "Send", exact=True).click()
    await opened.by("dialog", "Send the broadcast").get_by_role("button", name="Send").click()
    slow = page.locator(".broadcast").first
    await slow.get_by_role("button", name="Stop").click()
    await expect(slow.locator(".role")).to_have_text("Stopped")
    resume = slow.get_by_role("button", name="Resume")
    await expect(resume).to_be_focused()
    await resume.click()
    await opened.by("dialog", "Resume").get_by_role("button", name="Resume").click()
    await expect(slow.locator(".role")).to_have_text("Sent")
