"""The console: admins and their grants, invitations, insights, the admin log, settings, the application's admin."""

import json
import re
from pathlib import Path

from playwright.async_api import expect

from groups.models import Grant
from tests.api import Api, a_channel, a_post, fresh, id_of, part
from tests.browser.windows import OpenWindow

MARKUP = "<img src=x onerror=\"document.title='owned'\">"


def console_of(path: str, tab: str) -> str:
    return f"/console/channels/{part(id_of(path))}/{tab}"


def lines_of(file: Path) -> list[str]:
    """The lines of a downloaded file."""
    return file.read_text(encoding="utf-8-sig").splitlines()


async def test_an_admin_is_invited_given_other_grants_and_removed(
    server: Api, window: OpenWindow
) -> None:
    owner, helper = server.new_user("owner"), server.new_user("helper")
    path = await a_channel(owner, name=fresh(MARKUP[:100]))
    name = (await owner.get(path)).body["name"]
    theirs = await window(helper, "/console")
    await expect(theirs.page.get_by_text("You do not manage any channels yet.")).to_be_visible()
    mine = await window(owner, console_of(path, "admins"))
    await mine.page.get_by_label("User id").fill(helper.id)
    for grant in ("Write posts", "Change settings"):
        await mine.page.get_by_label(grant).uncheck()
    await mine.by("button", "Send invitation").click()
    await expect(mine.by("button", f"Cancel the invitation of {helper.id}")).to_be_visible()
    (invitation,) = (await owner.get(f"{path}/invitations")).items
    assert set(invitation["grants"]) == set(Grant) - {Grant.POST, Grant.CHANGE_SETTINGS}
    assert not {"post", "change_settings"} & set(invitation["grants"])

    await expect(theirs.page.locator(".page .invitation")).to_contain_text(name)
    await theirs.by("button", f"Accept the invitation to “{name}”").click()
    await expect(theirs.page.locator("a.my-channel")).to_contain_text("Admin")
    person = mine.page.locator(".person", has_text=helper.id)
    await expect(person).to_contain_text("Read and answer private messages")
    await expect(person).not_to_contain_text("Write posts")

    await mine.by("button", f"Options for {helper.id}").click()
    await mine.by("menuitem", "Edit permissions").click()
    dialog = mine.by("dialog", f"Permissions of {helper.id}")
    await dialog.get_by_label("Write posts").check()
    await dialog.get_by_label("Pin posts").uncheck()
    await dialog.get_by_role("button", name="Save").click()
    await expect(person).to_contain_text("Write posts")
    await expect(person).not_to_contain_text("Pin posts")
    grants = (await helper.get(path)).body["grants"]
    assert "post" in grants
    assert "pin_posts" not in grants

    await mine.by("button", f"Options for {helper.id}").click()
    await mine.by("menuitem", "Remove as admin").click()
    await expect(person).to_have_count(0)
    assert (await helper.get(path)).body["role"] == "member"


async def test_one_invitation_is_cancelled_and_another_declined(
    server: Api, window: OpenWindow
) -> None:
    owner, one, other = server.new_user("owner"), server.new_user("one"), server.new_user("other")
    path = await a_channel(owner, name=fresh("Bakery"))
    for user in (one, other):
        await owner.post(f"{path}/invitations", {"user_id": user.id, "grants": []})
    mine = await window(owner, console_of(path, "admins"))
    await mine.by("button", f"Cancel the invitation of {one.id}").click()
    await expect(mine.by("button", f"Cancel the invitation of {one.id}")).to_have_count(0)
    assert (await one.get("/v1/invitations")).items == []
    theirs = await window(other, "/console")
    await theirs.by("button", "Decline the invitation").click()
    await expect(theirs.page.locator(".page .invitations")).to_be_hidden()
    assert (await owner.get(f"{path}/invitations")).items == []


async def test_owner_transfers_the_channel_to_an_admin(server: Api, window: OpenWindow) -> None:
    owner, admin = server.new_user("owner"), server.new_user("admin")
    path = await a_channel(owner, admins=(admin,))
    opened = await window(owner, console_of(path, "admins"))
    await opened.by("button", f"Options for {admin.id}").click()
    await opened.by("menuitem", "Make owner").click()
    await opened.by("dialog", "Transfer ownership").get_by_role("button", name="Transfer").click()
    person = opened.page.locator(".person", has_text=admin.id)
    await expect(person.get_by_text("Owner", exact=True)).to_be_visible()
    await expect(opened.by("heading", "Invite an admin")).to_have_count(0)
    assert (await admin.get(path)).body["role"] == "owner"


async def test_insights_are_shown_as_charts_tables_and_csv_files(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path, MARKUP)
    await reader.post(f"{path}/posts/views", {"seqs": [1]})
    await reader.put(f"{path}/posts/1/reactions/{part('🎉')}")
    opened = await window(owner, console_of(path, "insights"))
    page = opened.page
    await expect(page.locator("svg.chart")).to_have_count(5)
    await expect(opened.by("img", "Views. 1 view in total.")).to_be_visible()
    await expect(opened.by("img", "Reactions. 1 reaction in total.")).to_be_visible()
    await expect(
        opened.by("img", "Net new subscribers. 1 joined, 0 left, 0 removed.")
    ).to_be_visible()
    # The owner was there before the reader joined, on the same day.
    await expect(opened.by("img", "Growth. From 1 to 2 subscribers.")).to_be_visible()
    busiest = re.compile(r"^Busiest hour: \d\d:00–\d\d:00 UTC$")
    await expect(page.get_by_text(busiest)).to_be_visible()
    await opened.by("slider", "Views: use the arrow keys").focus()
    read = page.locator(".chart-tip:not([hidden])")
    await expect(read).to_contain_text("Views: 1")
    await page.keyboard.press("ArrowLeft")
    await expect(read).to_contain_text("Views: 0")
    reader_of_views = opened.by("slider", "Views: use the arrow keys")
    await expect(reader_of_views).to_have_attribute("aria-valuetext", re.compile("Views: 0$"))
    await reader_of_views.hover(position={"x": 2, "y": 50})
    await expect(reader_of_views).to_have_attribute("aria-valuenow", "0")
    await page.get_by_label("Period").select_option("7")
    views = page.locator(".chart-figure", has=opened.by("heading", "Views"))
    # Wait until the chart is rendered again, or the table would be closed again.
    await expect(views.locator("rect")).to_have_count(7)
    await views.get_by_text("Show as table").click()
    await expect(views.locator("tbody tr")).to_have_count(7)
    await expect(views.locator("tbody tr").last).to_contain_text("1")
    heights = await views.locator("rect").evaluate_all(
        "all => all.map(r => +r.getAttribute('height'))"
    )
    assert [height > 0 for height in heights] == [False] * 6 + [True]
    drawn = await views.locator("rect").last.bounding_box()
    assert drawn is not None
    assert drawn["height"] > 50
    await expect(page.locator(".reach-preview")).to_have_text(MARKUP)
    for button, columns in (
        (
            "Export days (CSV)",
            "day,subscribers,joined,left,removed,net,posts,views,reactions,clicks",
        ),
        ("Export hours (CSV)", "hour,views,reactions"),
        ("Export posts (CSV)", "seq,created_at,preview,views,reactions,clicks"),
    ):
        async with page.expect_download() as waited:
            await opened.by("button", button).click()
        download = await waited.value
        lines = lines_of(await download.path())
        assert lines[0] == columns
        assert (
            len(lines)
            == {"Export days (CSV)": 8, "Export hours (CSV)": 25, "Export posts (CSV)": 2}[button]
        )


async def test_the_log_is_paged_and_filtered(server: Api, window: OpenWindow) -> None:
    owner, admin = server.new_user("owner"), server.new_user("admin")
    path = await a_channel(owner, admins=(admin,))
    draft = await admin.post(f"{path}/drafts", {"post": {"kind": "text", "text": "Soon"}})
    await owner.delete(f"{path}/drafts/{draft.body['draft_id']}")
    await admin.patch("/v1/users/me", {"name": "Bea Quill"})
    await owner.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post", "change_info"]})
    await a_post(admin, path, "Hello")
    await owner.delete(f"{path}/posts/1")
    for number in range(31):
        await owner.patch(path, {"introduction": f"{MARKUP} {number}"})
    await admin.patch(path, {"organization": "Pfarrei"})
    opened = await window(owner, console_of(path, "log"))
    entries = opened.page.locator(".log-entry")
    await expect(entries).to_have_count(30)
    await expect(entries.first).to_contain_text("edited the profile")
    await expect(entries.first.locator("ins")).to_have_text("Pfarrei")
    await expect(entries.nth(1).locator("ins")).to_have_text(f"{MARKUP} 30")
    await opened.by("button", "Show more").click()
    await expect(entries).to_have_count(37)
    await expect(entries.filter(has_text="deleted a draft by Bea Quill")).to_have_count(1)
    await expect(entries.filter(has_text="deleted post 1, written by Bea Quill")).to_have_count(1)
    granted = entries.filter(has_text="changed the permissions of Bea Quill")
    await expect(granted).to_contain_text("No longer allowed: Edit posts of others, Delete posts")
    await expect(entries.nth(1)).to_contain_text("Description")
    await opened.page.get_by_label("Done by").fill(admin.id)
    await expect(entries).to_have_count(1)
    await opened.page.get_by_label("Action", exact=True).select_option("post_edited")
    await expect(opened.page.get_by_text("No entries match.")).to_be_visible()
    await opened.page.get_by_label("Done by").fill("")
    await opened.page.get_by_label("Action", exact=True).select_option("admin_added")
    await expect(entries).to_have_count(1)
    await opened.page.get_by_label("About").fill(MARKUP)
    await expect(opened.page.get_by_text("No entries match.")).to_be_visible()


async def test_the_applications_admin_manages_a_private_channel(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    name = fresh("Hidden bakery")
    await a_channel(owner, name=name, settings={"visibility": "private"})
    opened = await window(server.new_user("back-end", admin=True), "/console")
    await opened.by("searchbox", "Search channels").fill(name)
    row = opened.page.locator(".my-channel")
    await expect(row).to_have_count(1)
    await expect(row.get_by_role("img", name="Verified")).to_have_count(0)
    await expect(row).to_contain_text("Private")
    await row.click()
    tabs = opened.page.locator(".channel-tabs a")
    await expect(tabs).to_have_count(13)
    # They are one stop of the Tab key.
    await tabs.first.focus()
    for key, index in (("ArrowRight", 1), ("ArrowDown", 2), ("End", 12), ("ArrowLeft", 11)):
        await opened.page.keyboard.press(key)
        await expect(tabs.nth(index)).to_be_focused()
    await opened.page.keyboard.press("Shift+Tab")
    await expect(opened.page.locator(".channel-tabs :focus")).to_have_count(0)
    await opened.page.get_by_label("Text", exact=True).fill("From the city hall")
    await opened.by("button", "Post", exact=True).click()
    await expect(opened.page.locator(".posted article")).to_contain_text("From the city hall")
    for tab, shown in (
        ("Inbox", "No private messages yet."),
        ("Admins", owner.id),
        ("Insights", "Growth"),
        ("Log", owner.id),
    ):
        await opened.by("link", tab, exact=True).click()
        await expect(opened.page.locator(".page").get_by_text(shown).first).to_be_visible()
    await opened.by("link", "Settings", exact=True).click()
    await opened.by("button", "Give the badge").click()
    await expect(opened.by("button", "Remove the badge")).to_be_focused()
    await expect(opened.by("img", "Verified").first).to_be_visible()


async def test_settings_are_read_only_without_the_grant_to_change_them(
    server: Api, window: OpenWindow
) -> None:
    owner, admin = server.new_user("owner"), server.new_user("admin")
    path = await a_channel(owner, admins=(admin,))
    await owner.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post"]})
    opened = await window(owner, console_of(path, "settings"))
    opened.expected = ("status of 400",)
    page = opened.page
    per_user = page.get_by_label("Reactions per person on a post")
    await per_user.fill("101")
    await opened.by("button", "Save").click()
    await expect(per_user).to_be_focused()
    await expect(per_user).to_have_attribute("aria-invalid", "true")
    await per_user.fill("100")
    await page.get_by_label("Different emoji on a post").fill("7")
    await page.get_by_label("Sign posts").check()
    await page.get_by_label("Restrict copying").check()
    await page.get_by_label("Nobody").check()
    await page.get_by_label("Basic emoji").check()
    await opened.by("button", "Save").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    assert (await owner.get(path)).body["settings"] == {
        "visibility": "public",
        "reactions": "basic",
        "reactions_per_user": 100,
        "distinct_reactions": 7,
        "comments": "off",
        "accept_messages": "nobody",
        "signatures": True,
        "protect_content": True,
        "count_clicks": False,
        "retention_days": 0,
    }
    await a_post(owner, path, MARKUP)
    for button, said in (("Posts", MARKUP), ("Admin log", "settings_changed")):
        async with page.expect_download() as waited:
            await opened.by("button", button, exact=True).click()
        lines = [json.loads(line) for line in lines_of(await (await waited.value).path())]
        assert said in str(lines[0].get("text") or lines[0]["action"])
    theirs = await window(admin, console_of(path, "settings"))
    await expect(theirs.page.get_by_label("Sign posts")).to_be_disabled()
    await expect(theirs.page.get_by_text("You do not have permission")).to_be_visible()
    await expect(theirs.by("button", "Save")).to_be_hidden()
