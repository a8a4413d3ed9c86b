"""Reports, and what the application's admin does about them: the queue, suspended channels, restricted users."""

from playwright.async_api import expect

from tests.api import Api, a_channel, a_chat_group, a_post, fresh, id_of, part
from tests.browser.test_access import NARROWEST, check
from tests.browser.test_console import console_of
from tests.browser.windows import PHONE, WIDE, OpenWindow, Window, view_of


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


async def check_narrow(opened: Window, where: str) -> None:
    """Fails where axe finds something, or where the view is wider than the narrowest window."""
    await check(opened, where)
    await opened.page.set_viewport_size(NARROWEST)
    wide = await opened.page.evaluate("document.documentElement.scrollWidth")
    await opened.page.set_viewport_size(WIDE)
    assert wide <= NARROWEST["width"], where


async def test_reports_lead_to_a_suspended_channel_and_a_restricted_user(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, other = (server.new_user(name) for name in ("owner", "reader", "other"))
    admin = server.new_user("admin", admin=True)
    name, text = fresh("Bargains"), fresh("Buy gold now")
    path = await a_channel(owner, reader, other, name=name, settings={"comments": "subscribers"})
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

    # The owner finds a reported comment in the console, follows the link to it, and deletes it.
    scam = fresh("Cheap gold")
    await other.post(f"{path}/posts/1/comments", {"kind": "text", "text": scam})
    target = {"type": "comment", "channel_id": id_of(path), "post_seq": 1, "seq": 1}
    said = await reader.post("/v1/reports", {"target": target, "reason": "spam"})
    assert said.status == 201, said
    await owners.by("link", "Reports", exact=True).click()
    reported = owners.page.locator(".reported-comment")
    await expect(reported).to_contain_text(scam)
    await expect(reported).to_contain_text("Spam or fraud: 1")
    await expect(reported).not_to_contain_text(reader.id)
    await check_narrow(owners, "reported comments")
    await reported.get_by_role("link", name="Comment 1 on post 1").click()
    await expect(owners.page.locator("[data-seq='1']")).to_contain_text(scam)
    await owners.go(console_of(path, "reports"))
    await owners.by("button", "Delete comment 1 on post 1").click()
    await owners.by("button", "Delete comment", exact=True).click()
    await expect(reported.get_by_text("Deleted", exact=True)).to_be_focused()
    assert (await owner.get(f"{path}/posts/1/comments/1")).body["recalled_at"] is not None
    await owners.page.get_by_label("State").select_option("resolved")
    await expect(reported.get_by_text("Deleted", exact=True)).to_be_visible()
    await owners.go(console_of(path))

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
    await check_narrow(mine, "restricted users")
    await mine.by("button", f"End the restriction of {owner.id}").click()
    await mine.by("button", "End the restriction", exact=True).click()
    await expect(owners.by("textbox", "Write a message")).to_be_visible()
    await mine.by("link", "Suspended channels").click()
    await check_narrow(mine, "suspended channels")
    await mine.by("button", f"End the suspension of {name}").click()
    await mine.by("button", "End the suspension", exact=True).click()
    await expect(others.page.locator(".conversation-foot")).not_to_be_visible()
    await mine.by("link", "Log").click()
    log = mine.page.locator(".log-entry")
    await expect(log.first).to_contain_text("ended the suspension")
    await check(mine, "the log")
    await owners.go(console_of(path))
    await expect(owners.by("button", "Post", exact=True)).to_be_visible()

    # A restriction counts in an app that was closed when it began or ended.
    foot = theirs.page.locator(".conversation-foot")
    await theirs.page.goto("about:blank")
    restriction = f"/v1/users/{part(reader.id)}/restriction"
    assert (await admin.put(restriction, {"reason": "Not you, too"})).status == 200
    await theirs.go(view_of(group))
    await expect(foot).to_contain_text("Not you, too")
    await expect(theirs.by("textbox", "Write a message")).to_have_count(0)
    await theirs.page.goto("about:blank")
    await admin.delete(restriction)
    await theirs.go(view_of(group))
    await expect(theirs.by("textbox", "Write a message")).to_be_visible()
    await expect(foot).not_to_contain_text("Not you, too")

    # Of the admins, only those who may delete comments see the reports of them.
    for grant, shown in (("post", 0), ("delete_posts", 1)):
        await owner.put(f"{path}/admins/{part(other.id)}", {"grants": [grant]})
        await others.go(console_of(path))
        await expect(others.by("link", "Posts", exact=True)).to_be_visible()
        await expect(others.by("link", "Reports", exact=True)).to_have_count(shown)
