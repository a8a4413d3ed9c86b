"""Drafts and scheduled posts, silent posts, pins and frozen reactions in the console."""

import re
from datetime import datetime, timedelta

from playwright.async_api import expect

from tests.api import Api, User, a_channel, a_post, fresh, id_of, part
from tests.browser.windows import OpenWindow

MARKUP = "<img src=x onerror=\"document.title='owned'\">"


def console_of(path: str, tab: str = "") -> str:
    """The address of a channel in the console."""
    return f"/console/channels/{part(id_of(path))}{tab and f'/{tab}'}"


def in_days(days: int) -> str:
    """A date in so many days, as the date field takes it."""
    return (datetime.now().astimezone() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


async def drafts_of(owner: User, path: str) -> list[tuple[str, bool, bool]]:
    """For each draft: its text, whether it is silent, and whether it is scheduled."""
    found = []
    for query in ("", "?scheduled=true"):
        for draft in (await owner.get(f"{path}/drafts{query}")).items:
            post = draft["post"]
            found.append((post["text"], post["silent"], draft["publish_at"] is not None))
    return found


async def test_a_post_is_scheduled_edited_and_then_posted_at_once(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    opened = await window(owner, console_of(path))
    page = opened.page
    await page.get_by_label("Text", exact=True).fill(MARKUP)
    await page.get_by_label("Post silently").check()
    await page.get_by_label("Schedule").check()
    hour = page.get_by_label("Date and time")
    await expect(hour).to_have_value(re.compile(r"^\d{4}-\d\d-\d\dT\d\d:00$"))
    await hour.fill("")
    await opened.by("button", "Schedule post").click()
    await expect(hour).to_be_focused()
    await expect(page.get_by_text("Choose a date and time.")).to_be_visible()
    await hour.fill(in_days(2))
    await opened.by("button", "Schedule post").click()
    row = page.locator(".draft-row")
    await expect(row).to_contain_text(MARKUP)
    await expect(row).to_contain_text("in 2 days")
    assert await drafts_of(owner, path) == [(MARKUP, True, True)]
    await expect(page.get_by_label("Text", exact=True)).to_have_value("")

    await row.get_by_role("button", name="Edit").click()
    await expect(opened.by("heading", "Edit scheduled post")).to_be_visible()
    await expect(page.get_by_label("Post silently")).to_be_checked()
    await page.get_by_label("Text", exact=True).fill("Bread at nine")
    await opened.by("button", "Schedule post").click()
    await expect(row).to_contain_text("Bread at nine")
    assert await drafts_of(owner, path) == [("Bread at nine", True, True)]

    await row.get_by_role("button", name="Options for").click()
    await opened.by("menuitem", "Post now").click()
    await expect(page.locator(".posted article")).to_contain_text("Bread at nine")
    await expect(page.locator(".post-marks")).to_contain_text("silent")
    await expect(row).to_have_count(0)
    assert await drafts_of(owner, path) == []
    assert (await reader.get(f"{path}/posts/1")).body["silent"] is True


async def test_drafts_are_saved_edited_posted_and_deleted(server: Api, window: OpenWindow) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    opened = await window(owner, console_of(path))
    page = opened.page
    text = page.get_by_label("Text", exact=True)
    for number, said in enumerate(("Half a thought", "Another"), start=1):
        await text.fill(said)
        await opened.by("button", "Save draft").click()
        await expect(page.locator(".draft-row")).to_have_count(number)
        await expect(text).to_have_value("")
    await text.fill("Meanwhile")
    half = page.locator(".draft-row", has_text="Half a thought")
    await half.get_by_role("button", name="Edit").click()
    await text.fill("A whole thought")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.locator(".posted article")).to_contain_text("A whole thought")
    # The unfinished post is still there.
    await expect(text).to_have_value("Meanwhile")
    await expect(page.locator(".draft-row")).to_have_count(1)
    await opened.by("button", "Options for “Another”").click()
    await opened.by("menuitem", "Delete draft").click()
    await opened.by("dialog", "Delete draft").get_by_role("button", name="Delete draft").click()
    await expect(page.locator(".draft-row")).to_have_count(0)
    assert await drafts_of(owner, path) == []


async def test_a_scheduled_post_moves_to_drafts_and_a_far_date_is_refused(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    at = (server.clock.now() + timedelta(days=1)).isoformat()
    body = {"post": {"kind": "text", "text": "Tomorrow"}, "publish_at": at}
    assert (await owner.post(f"{path}/drafts", body)).status == 201
    opened = await window(owner, console_of(path))
    page = opened.page
    await opened.by("button", "Options for “Tomorrow”").click()
    await opened.by("menuitem", "Move to drafts").click()
    await expect(opened.by("heading", "Drafts")).to_be_visible()
    await expect(opened.by("heading", "Scheduled", exact=True)).to_be_hidden()
    assert await drafts_of(owner, path) == [("Tomorrow", False, False)]
    await page.get_by_label("Text", exact=True).fill("In two years")
    await page.get_by_label("Schedule").check()
    hour = page.get_by_label("Date and time")
    await hour.fill(in_days(800))
    await opened.by("button", "Schedule post").click()
    await expect(hour).to_be_focused()
    await expect(page.get_by_text("Choose a time from now to one year ahead.")).to_be_visible()


async def test_the_composer_shows_how_many_subscribers_a_post_reaches(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path)
    conversation = f"/v1/conversations/{part(f'group_{id_of(path)}')}"
    muted = await reader.patch(conversation, {"muted": True})
    assert muted.status == 200, muted
    opened = await window(owner, console_of(path))
    await expect(opened.page.locator(".audience")).to_have_text(
        "Goes to 2 subscribers. 1 of them (50%) has muted the channel. Last post this minute."
    )


async def test_another_admin_sees_pins_and_frozen_reactions_live(
    server: Api, window: OpenWindow
) -> None:
    owner, admin = server.new_user("owner"), server.new_user("admin")
    path = await a_channel(owner, admins=(admin,), name=fresh("Bakery"))
    await a_post(owner, path, "Bread at eight")
    await admin.post(f"{path}/posts/views", {"seqs": [1]})
    mine, theirs = await window(owner, console_of(path)), await window(admin, console_of(path))
    marks = theirs.page.locator(".post-marks")
    await expect(marks).to_contain_text("1 view")
    for choice, undo, shown in (
        ("Pin", "Unpin", "Pinned"),
        ("Turn off reactions", "Turn on reactions", "Reactions off"),
    ):
        await mine.by("button", "Post options").click()
        await mine.by("menuitem", choice, exact=True).click()
        await expect(marks).to_contain_text(shown)
        await expect(mine.page.locator(".post-marks")).to_contain_text(shown)
        await mine.by("button", "Post options").click()
        await mine.by("menuitem", undo, exact=True).click()
        await expect(mine.page.locator(".post-marks")).not_to_contain_text(shown)
        await expect(marks).not_to_contain_text(shown)
