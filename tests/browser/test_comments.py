"""Comments: switching them on, writing, quoting, reacting, live arrival, links to one, and moderation."""

from playwright.async_api import expect

from tests.api import Api, a_channel, a_post, part
from tests.browser.test_access import NARROWEST, check
from tests.browser.test_composer import console_of
from tests.browser.windows import PHONE, OpenWindow, a_picture, screenshot, view_of


async def test_readers_comment_on_a_post_and_its_owner_moderates(
    server: Api, window: OpenWindow
) -> None:
    owner, ada, bob, eve = (server.new_user(name) for name in ("owner", "ada", "bob", "eve"))
    await ada.patch("/v1/users/me", {"name": "Ada Okafor"})
    await bob.patch("/v1/users/me", {"name": "Bob Yilmaz"})
    path = await a_channel(owner, ada, bob, name="Tram news")
    await a_post(owner, path, "Line 6 runs again")
    console = await window(owner, f"{console_of(path)}/settings")
    await console.page.get_by_label("Subscribers can comment").check()
    await console.by("button", "Save", exact=True).click()
    await expect(console.page.locator(".notice")).to_have_text("Saved")

    adas, bobs = await window(ada, view_of(path)), await window(bob, view_of(path), size=PHONE)
    await adas.by("link", "Write a comment").click()
    await expect(adas.by("heading", "Comments")).to_be_focused()
    await expect(adas.by("link", "Back to the post: Line 6 runs again")).to_be_visible()
    await expect(adas.page.get_by_text("You comment as Ada Okafor.")).to_be_visible()
    field = adas.by("textbox", "Write a comment")
    await field.fill("At last!")
    await field.press("Enter")
    await expect(adas.page.locator(".own")).to_contain_text("At last!")
    # The post's author sees a notice, with a link that leads there.
    told = console.by("link", "Ada Okafor commented: At last!")
    await expect(told).to_have_attribute("href", f"{view_of(path)}/posts/1/comments?comment=1")
    # The count beside the post grows for who looks at the channel.
    await bobs.by("link", "1 comment").click()
    answer = bobs.page.locator(".message", has_text="At last!")
    await expect(answer.locator(".sender")).to_have_text("Ada Okafor")
    await check(bobs, "comments on a phone")
    await answer.hover()
    await answer.get_by_role("button", name="Add reaction").click()
    await bobs.by("button", "React with 👍").click()
    await expect(adas.page.locator(".own .chip:not(.add)")).to_have_text("👍1")
    await answer.get_by_role("button", name="Message options").click()
    await bobs.by("menuitem", "Reply").click()
    async with bobs.page.expect_file_chooser() as opening:
        await bobs.by("button", "Add photos").click()
    await (await opening.value).set_files([a_picture("tram.png")])
    await bobs.by("textbox", "Write a comment").fill("Look")
    await bobs.by("button", "Send", exact=True).click()
    arrived = adas.page.locator(".message", has_text="Look")
    await expect(arrived.locator(".sender")).to_have_text("Bob Yilmaz")
    await expect(arrived.locator(".quote")).to_contain_text("At last!")
    await expect(arrived.locator("img").last).to_be_visible()
    await expect(adas.page.locator(".history [role=status]")).to_contain_text("Look")
    await bobs.page.locator(".own").get_by_role("button", name="Message options").click()
    await bobs.by("menuitem", "Edit").click()
    await bobs.by("textbox", "Write a comment").fill("Look at this")
    await bobs.page.keyboard.press("Enter")
    await expect(arrived).to_contain_text("Look at this")
    await expect(arrived).to_contain_text("edited")
    await check(adas, "comments")
    await screenshot(adas.page, "comments")
    await bobs.page.set_viewport_size(NARROWEST)
    assert await bobs.page.evaluate("document.documentElement.scrollWidth") <= 320
    await screenshot(bobs.page, "comments-narrow")

    # A link leads to one of many, with those around it.
    comments = f"{path}/posts/1/comments"
    for number in range(3, 45):
        written = await owner.post(
            comments, {"kind": "text", "text": f"Number {number}", "as_channel": True}
        )
        assert written.status == 201, written
    await adas.go(f"{view_of(path)}/posts/1/comments?comment=5")
    fifth = adas.page.locator("[data-seq='5']")
    await expect(fifth).to_be_in_viewport()
    await expect(fifth).to_be_focused()
    await expect(fifth).to_contain_text("Number 5")
    await adas.page.locator("[data-seq='3'] .sender").scroll_into_view_if_needed()
    await expect(adas.page.locator("[data-seq='3'] .sender")).to_have_text("Tram news")
    await adas.by("button", "Scroll to the newest").click()
    await expect(adas.page.locator("[data-seq='44']")).to_be_visible()

    # The owner writes as the channel, deletes, bans, and closes.
    await console.go(f"{view_of(path)}/posts/1/comments?comment=2")
    await console.page.get_by_label("Comment as").select_option("Tram news")
    await console.by("textbox", "Write a comment").fill("Thank you all")
    await console.page.keyboard.press("Enter")
    await expect(adas.page.locator("[data-seq='45'] .sender")).to_have_text("Tram news")
    await console.go(f"{view_of(path)}/posts/1/comments?comment=2")
    second = console.page.locator("[data-seq='2']")
    await bobs.go(f"{view_of(path)}/posts/1/comments?comment=2")
    await second.get_by_role("button", name="Message options").click()
    await check(console, "what an owner may do to a comment")
    await console.by("menuitem", "Ban from commenting").click()
    await (
        console.by("dialog", "Ban from commenting")
        .get_by_role("button", name="Ban from commenting")
        .click()
    )
    await expect(console.page.locator(".notice")).to_contain_text("can no longer comment")
    await second.get_by_role("button", name="Message options").click()
    await console.by("menuitem", "Delete for everyone").click()
    await console.by("dialog").get_by_role("button", name="Delete for everyone").click()
    await expect(bobs.page.locator("[data-seq='2']").first).to_contain_text("deleted")
    bobs.expected = ("status of 403",)
    await bobs.by("textbox", "Write a comment").fill("Why?")
    await bobs.page.keyboard.press("Enter")
    await expect(bobs.page.locator(".read-only")).to_have_text(
        "You are banned from commenting in this channel."
    )
    await console.go(f"{console_of(path)}/subscribers")
    await console.by("combobox", "Filter").select_option("Banned from commenting")
    await console.by("button", "Allow Bob Yilmaz to comment again").click()
    await expect(console.page.get_by_text("Nobody is banned from commenting.")).to_be_visible()
    await bobs.page.reload()
    await expect(bobs.by("textbox", "Write a comment")).to_have_value("Why?")

    await console.go(console_of(path))
    await expect(console.page.locator(".post-marks")).to_contain_text("44 comments")
    await console.by("button", "Post options").click()
    await console.by("menuitem", "Close comments").click()
    await expect(console.page.locator(".post-marks")).to_contain_text("Comments closed")
    for opened in (adas, bobs):
        await expect(opened.page.locator(".read-only")).to_have_text(
            "Comments on this post are closed."
        )
    assert (await owner.delete(f"{path}/posts/1/comments-freeze")).status == 204
    await expect(adas.by("textbox", "Write a comment")).to_be_visible()

    # Comments of those whom one blocks are folded; others read how to subscribe.
    assert (await ada.put(f"/v1/blocks/{part(bob.id)}")).status == 200
    assert (await bob.post(comments, {"kind": "text", "text": "Me again"})).status == 201
    await expect(adas.page.get_by_text("A comment by someone you have blocked")).to_be_visible()
    await adas.by("button", "Show comment").click()
    await expect(adas.page.get_by_text("Me again")).to_be_visible()
    strangers = await window(eve, f"{view_of(path)}/posts/1/comments")
    await expect(strangers.page.get_by_text("Only subscribers can comment.")).to_be_visible()
    await strangers.by("button", "Subscribe").click()
    await expect(strangers.by("textbox", "Write a comment")).to_be_visible()
    off = await owner.patch(path, {"settings": {"comments": "off"}})
    assert off.status == 200, off
    await strangers.page.reload()
    await expect(
        strangers.page.get_by_text("Comments are turned off in this channel.")
    ).to_be_visible()
