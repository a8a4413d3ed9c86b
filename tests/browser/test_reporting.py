"""Reports, and what the application's admin does about them: the queue, suspended channels, restricted users."""

from playwright.async_api import expect

from tests.api import Api, a_channel, a_chat_group, a_post, fresh
from tests.browser.test_access import check
from tests.browser.test_console import console_of
from tests.browser.windows import PHONE, OpenWindow, Window, view_of


async def report(opened: Window, seq: int, what: str, reason: str, text: str) -> None:
    """Reports a post or a message from its menu."""
    item = opened.page.locator(f".items > [data-seq='{seq}']")
    await item.get_by_role("button", name=f"{what} options").click()
    await opened.by("menuitem", "Report").click()
    await opened.page.get_by_label(reason).check()
    await opened.page.get_by_label("More about it").fill(text)
    await opened.by("button", "Send report").click()
    await expect(opened.page.get_by_text("Thank you for your report")).to_be_visible()
    await opened.by("button", "Done").click()


async def test_reports_lead_to_a_suspended_channel_and_a_restricted_user(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, other = (server.new_user(name) for name in ("owner", "reader", "other"))
    admin = server.new_user("admin", admin=True)
    name, text = fresh("Bargains"), fresh("Buy gold now")
    path = await a_channel(owner, reader, other, name=name)
    await a_post(owner, path, text)
    group = await a_chat_group(owner, reader, name=fresh("Yard"))
    insult = fresh("You are all fools")
    await a_post(owner, group, insult)

    # Two people report the post, one of them without a reason at first.
    theirs, others = (
        await window(reader, view_of(path), size=PHONE),
        await window(other, view_of(path)),
    )
    await theirs.page.locator("[data-seq='1']").get_by_role("button", name="Post options").click()
    await theirs.by("menuitem", "Report").click()
    await theirs.by("button", "Send report").click()
    await expect(theirs.page.get_by_text("Choose what is wrong.")).to_be_visible()
    await check(theirs, "the dialog of a report")
    await theirs.page.keyboard.press("Escape")
    await report(theirs, 1, "Post", "Spam or fraud", "They took my money")
    await report(others, 1, "Post", "Something illegal", "")
    await theirs.go(view_of(group))
    await report(theirs, 1, "Message", "Insults or harassment", "")

    # The admin finds the case, and suspends the channel.
    mine = await window(admin, "/console")
    await mine.by("link", "Moderation").click()
    await mine.page.get_by_label("About").select_option("post")
    await mine.page.locator(".case-row", has_text=text).click()
    case = mine.page.locator(".panels")
    await expect(case).to_contain_text("2 reports")
    await expect(case).to_contain_text("Spam or fraud: 1")
    await expect(case).to_contain_text("They took my money")
    await expect(case).not_to_contain_text(reader.id)
    await check(mine, "a case")
    owners = await window(owner, console_of(path))
    await expect(owners.by("button", "Post", exact=True)).to_be_visible()
    await mine.by("button", "Suspend channel").click()
    decision = mine.by("dialog", "Suspend the channel")
    await decision.get_by_label("Reason").fill("No gold here")
    await check(mine, "a decision")
    await decision.get_by_role("button", name="Suspend channel").click()
    await expect(mine.page.get_by_text("suspended the channel")).to_be_visible()
    await expect(owners.page.locator(".stopped")).to_contain_text("Reason: No gold here")
    await owners.page.reload()
    await expect(owners.page.locator(".stopped")).to_have_count(1)
    await expect(owners.by("button", "Post", exact=True)).to_have_count(0)
    await expect(others.page.locator(".conversation-foot")).to_contain_text("nobody can post")
    await expect(others.page.locator(".conversation-foot")).not_to_contain_text("No gold here")

    # They restrict the author of the message, who reads so in place of the field to write in.
    await owners.go(view_of(group))
    await expect(owners.by("textbox", "Write a message")).to_be_visible()
    await mine.by("link", "Reports").first.click()
    await check(mine, "the queue")
    await mine.page.locator(".case-row", has_text=insult).click()
    await mine.by("button", "Restrict person").click()
    decision = mine.by("dialog", "Restrict the person")
    await decision.get_by_label("Until").select_option("day")
    await decision.get_by_label("Reason").fill("Be kind")
    await decision.get_by_role("button", name="Restrict person").click()
    foot = owners.page.locator(".conversation-foot")
    await expect(foot).to_contain_text("Be kind")
    await expect(owners.by("textbox", "Write a message")).to_have_count(0)
    await owners.page.reload()
    await expect(foot).to_contain_text("Be kind")

    # Both end: the channel and the user are as before.
    await mine.by("link", "Restricted users").click()
    await check(mine, "restricted users")
    await mine.by("button", f"End the restriction of {owner.id}").click()
    await mine.by("button", "End the restriction", exact=True).click()
    await expect(owners.by("textbox", "Write a message")).to_be_visible()
    await mine.by("link", "Suspended channels").click()
    await check(mine, "suspended channels")
    await mine.by("button", f"End the suspension of {name}").click()
    await mine.by("button", "End the suspension", exact=True).click()
    await expect(others.page.locator(".conversation-foot")).not_to_be_visible()
    await mine.by("link", "Log").click()
    log = mine.page.locator(".log-entry")
    await expect(log.first).to_contain_text("ended the suspension")
    await check(mine, "the log")
    await owners.go(console_of(path))
    await expect(owners.by("button", "Post", exact=True)).to_be_visible()
