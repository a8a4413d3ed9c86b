"""The console: creating, editing and deleting a channel, its posts, subscribers and settings."""

import re

from playwright.async_api import Dialog, FilePayload, Locator, expect

from tests.api import Api, User, a_channel, a_post, fresh, id_of, part
from tests.browser.windows import OpenWindow, Window, a_picture


def console_of(path: str, tab: str = "") -> str:
    """The address of a channel in the console."""
    return f"/console/channels/{part(id_of(path))}{tab and f'/{tab}'}"


async def drop(target: Locator, *files: FilePayload) -> None:
    """Drops files on an element."""
    transfer = await target.page.evaluate_handle(
        """files => {
          const transfer = new DataTransfer();
          for (const { name, type, bytes } of files)
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
          return transfer;
        }""",
        [
            {"name": file["name"], "type": file["mimeType"], "bytes": list(file["buffer"])}
            for file in files
        ],
    )
    for event in ("dragenter", "dragover", "drop"):
        await target.dispatch_event(event, {"dataTransfer": transfer})


async def test_owner_creates_edits_and_deletes_a_channel(server: Api, window: OpenWindow) -> None:
    owner = server.new_user("owner")
    opened = await window(owner, "/console")
    await expect(opened.page.get_by_text("You do not manage any channels yet.")).to_be_visible()
    await opened.by("link", "New channel").click()
    name, channel_id = fresh("Kirchenchor Süd"), fresh("choir")
    await opened.page.get_by_label("Name").fill(name)
    await opened.page.get_by_label("Address").fill(channel_id)
    await opened.page.get_by_label("Description").fill("Proben, Auftritte, Absagen")
    await drop(opened.page.locator(".picture-drop"), a_picture("choir.png"))
    await expect(opened.page.locator(".picture-drop img")).to_be_visible()
    await opened.by("button", "Create channel").click()
    await expect(opened.by("heading", name)).to_be_visible()
    path = f"/v1/channels/{channel_id}"
    made = (await owner.get(path)).body
    assert (made["name"], made["introduction"]) == (name, "Proben, Auftritte, Absagen")
    async with server.http.get(server.base + made["face_url"]) as picture:
        assert picture.status == 200

    await opened.by("link", "Profile").click()
    await opened.page.get_by_label("Organization").fill("Pfarrei Süd")
    await opened.by("button", "Save").click()
    await expect(opened.page.get_by_text("Saved")).to_be_visible()
    changed = (await owner.get(path)).body
    assert changed["organization"] == "Pfarrei Süd"
    assert changed["face_url"] == made["face_url"]

    await opened.by("link", "Settings").click()
    await opened.by("button", "Delete channel").click()
    confirm = opened.by("button", "Delete forever")
    await expect(confirm).to_be_disabled()
    await opened.page.get_by_label(f"Type {name} to confirm").fill(name[:-1])
    await expect(confirm).to_be_disabled()
    await opened.page.get_by_label(f"Type {name} to confirm").fill(name)
    await confirm.click()
    await expect(opened.page.get_by_text("You do not manage any channels yet.")).to_be_visible()
    assert (await owner.get(path)).refusal == (404, "channel_not_found")


async def test_lengths_and_errors_are_told_in_characters_beside_their_field(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    taken = await a_channel(owner)
    opened = await window(owner, "/console/new")
    opened.expected = ("status of 409", "status of 400")
    name = opened.page.get_by_label("Name")
    counter = opened.page.locator(".field", has=name).locator(".count")
    await opened.by("button", "Create channel").click()
    await expect(opened.page.get_by_text("Enter a name.")).to_be_visible()
    # The limit is 150 bytes; people count characters, and an emoji or a letter with an accent is one.
    for typed, told in (
        ("é" * 60, ""),
        ("é" * 70, "5 characters left"),
        ("é" * 75, "0 characters left"),
        ("é" * 75 + "!", "Too long: shorten it by 1 character"),
        ("e\u0301" * 50 + "👩\u200d🚀👍🏽", "Too long: shorten it by 2 characters"),
    ):
        await name.fill("Choir")
        await name.fill(typed)
        await expect(counter).to_have_text(told)
    await opened.by("button", "Create channel").click()
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(counter).to_be_hidden()
    refusal = opened.page.locator(".field", has=name).get_by_text("Too long: shorten it by 2")
    await expect(refusal).to_have_count(2)
    await expect(refusal.last).to_be_visible()
    await name.fill("Choir")
    await expect(name).not_to_have_attribute("aria-invalid", "true")
    address = opened.page.get_by_label("Address")
    await address.fill(id_of(taken).removeprefix("@TOA#_"))
    await opened.by("button", "Create channel").click()
    await expect(address).to_be_focused()
    await expect(opened.page.get_by_text("This address is already taken.")).to_be_visible()
    for label, limit in (("Description", 400), ("Organization", 500), ("Custom data", 3000)):
        long = opened.page.get_by_label(label)
        await long.fill("x" * (limit + 1))
        shown = opened.page.locator(".field", has=long).locator(".count")
        await expect(shown).to_have_text("Too long: shorten it by 1 character")


async def a_scene(server: Api) -> tuple[User, User, str]:
    """An owner, a reader, and the path of their channel."""
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name=fresh("Bakery"))
    return owner, reader, path


async def shown_inside(article: Locator) -> tuple[str, list[str]]:
    """The text and the pictures of a post, without time and reactions."""
    body = article.locator(".post-body")
    images = await body.locator("img").evaluate_all("images => images.map(image => image.src)")
    return await body.inner_text(), [str(source) for source in images]


async def write_a_post(opened: Window) -> None:
    page = opened.page
    await page.get_by_label("Title", exact=True).fill("Fresh at seven")
    await page.get_by_label("Text", exact=True).fill(
        "Rye, spelt and <b>buns</b>.\nSee https://loaf.example/today."
    )
    await drop(page.locator(".drop-zone"), a_picture("rye.png"), a_picture("bun.png", "peru"))
    await expect(page.locator(".attachment[data-state=done]")).to_have_count(2)
    await opened.by("button", "Add link").click()
    await page.get_by_label("Link text").fill("Prices")
    await page.get_by_label("Address (https://…)").fill("https://loaf.example/prices")


async def test_the_preview_of_a_post_equals_what_readers_see(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, path = await a_scene(server)
    theirs = await window(reader, f"/channels/{part(id_of(path))}")
    await expect(theirs.page.get_by_text("Nothing here yet.")).to_be_visible()
    opened = await window(owner, console_of(path))
    await expect(opened.page.locator(".audience")).to_have_text(
        "Goes to 2 subscribers. Nobody has muted the channel. This is the first post."
    )
    await write_a_post(opened)
    preview = opened.page.locator(".preview-stage article")
    await expect(preview.get_by_text("Prices")).to_be_visible()
    previewed = await shown_inside(preview)
    await opened.by("button", "Post", exact=True).click()
    article = theirs.page.locator("article.post")
    await expect(article.get_by_text("Prices")).to_be_visible()
    assert await shown_inside(article) == previewed
    assert "<b>buns</b>" in previewed[0]
    await expect(opened.page.locator(".preview-stage")).to_contain_text("Start writing")
    await expect(opened.page.locator(".audience")).to_contain_text("Last post")


async def test_an_unfinished_post_survives_navigation_and_reload(
    server: Api, window: OpenWindow
) -> None:
    owner, _, path = await a_scene(server)
    await a_post(owner, path, "Bread at eight")
    opened = await window(owner, console_of(path))
    await write_a_post(opened)
    await opened.by("link", "Profile").click()
    await opened.by("link", "Posts").click()
    await opened.page.reload()
    text = opened.page.get_by_label("Text", exact=True)
    await expect(text).to_have_value(re.compile("^Rye, spelt"))
    await expect(opened.page.locator(".attachment[data-state=done] img")).to_have_count(2)
    await expect(opened.page.get_by_label("Link text")).to_have_value("Prices")
    await opened.by("button", "Post options").click()
    await opened.by("menuitem", "Edit").click()
    await expect(text).to_have_value("Bread at eight")
    await opened.by("button", "Cancel").click()
    await expect(text).to_have_value(re.compile("^Rye, spelt"))
    await opened.by("button", "Post", exact=True).click()
    await expect(opened.page.locator(".posted article")).to_have_count(2)
    # The event may arrive before the answer to the call, and only the answer empties the composer.
    await expect(text).to_have_value("")
    await opened.page.reload()
    await expect(opened.page.locator(".posted article")).to_have_count(2)
    await expect(text).to_have_value("")


async def test_readers_see_edits_and_deletions_of_a_post_live(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, path = await a_scene(server)
    await a_post(owner, path, "Bread at eight")
    theirs = await window(reader, f"/channels/{part(id_of(path))}")
    opened = await window(owner, console_of(path))
    own = opened.page.locator(".posted article")
    await reader.put(f"{path}/posts/1/reactions/{part('🔥')}")
    await expect(own.get_by_role("button", name="🔥, 1 reaction")).to_be_visible()
    await expect(own.get_by_text(f"by {owner.id}")).to_be_visible()
    await own.get_by_role("button", name="Post options").click()
    await opened.by("menuitem", "View reactions").click()
    await expect(opened.by("dialog", "Reactions").get_by_text(reader.id)).to_be_visible()
    await opened.page.keyboard.press("Escape")
    await own.get_by_role("button", name="Post options").click()
    await opened.by("menuitem", "Edit").click()
    await opened.page.get_by_label("Text", exact=True).fill("Bread at nine")
    await opened.by("button", "Save changes").click()
    await expect(theirs.page.locator("article.post")).to_contain_text("Bread at nine")
    await expect(theirs.page.locator("article.post")).to_contain_text("edited")
    await expect(theirs.by("button", "🔥, 1 reaction")).to_be_visible()
    await own.get_by_role("button", name="Post options").click()
    await opened.by("menuitem", "Delete for everyone").click()
    await (
        opened.by("dialog", "Delete for everyone")
        .get_by_role("button", name="Delete for everyone")
        .click()
    )
    await expect(theirs.page.get_by_text("This post was deleted.")).to_be_visible()
    assert (await reader.get(f"{path}/posts/1")).body["text"] is None


async def test_owner_searches_promotes_bans_and_unbans_a_subscriber(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, path = await a_scene(server)
    opened = await window(owner, console_of(path, "subscribers"))
    person = opened.page.locator(".person")
    await reader.patch("/v1/users/me", {"name": f"Zoë {reader.id}"})
    for words in ("zoe", reader.id):
        await opened.by("searchbox", "Search by name or user id").fill(words)
        await expect(person).to_have_count(1)
        await expect(person).to_contain_text(f"Zoë {reader.id}")
    await opened.by("button", f"Options for Zoë {reader.id}").click()
    await opened.by("menuitem", "Ban from reacting").click()
    await opened.by("dialog", "Ban from reacting").get_by_role("button", name="Ban").click()
    await expect(opened.page.get_by_text("can no longer react")).to_be_visible()
    await opened.by("combobox", "Filter").select_option("reactionBanned")
    await expect(person).to_contain_text(f"Zoë {reader.id}")
    assert [ban["user_id"] for ban in (await owner.get(f"{path}/reaction-bans")).items] == [
        reader.id
    ]
    await person.get_by_role("button", name="to react again").click()
    await expect(opened.page.get_by_text("Nobody is banned from reacting.")).to_be_visible()
    await opened.by("combobox", "Filter").select_option("all")
    await reader.patch("/v1/users/me", {"name": ""})
    await opened.by("searchbox", "Search by name or user id").fill(reader.id)
    await opened.by("button", f"Options for {reader.id}").click()
    await opened.by("menuitem", "Make admin").click()
    await expect(person.get_by_text("Admin", exact=True)).to_be_visible()
    assert (await reader.get(path)).body["role"] == "admin"
    await opened.by("button", f"Options for {reader.id}").click()
    await opened.by("menuitem", "Ban", exact=True).click()
    await opened.by("dialog", "Ban").get_by_role("button", name="Ban").click()
    await expect(opened.page.get_by_text("No people match.")).to_be_visible()
    assert (await reader.put(f"{path}/subscription")).refusal == (403, "banned")
    await opened.by("combobox", "Filter").select_option("banned")
    await person.get_by_role("button", name="Unban").click()
    await expect(opened.page.get_by_text("No banned users.")).to_be_visible()
    await opened.by("textbox", "User id").fill(reader.id)
    await opened.by("button", "Invite", exact=True).click()
    await expect(opened.page.get_by_text(f"“{reader.id}” was invited")).to_be_visible()
    assert (await reader.get(path)).body["role"] is None


async def test_owner_changes_settings_and_transfers_ownership(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, path = await a_scene(server)
    opened = await window(owner, console_of(path, "settings"))
    opened.expected = ("status of 404", "status of 400")
    await opened.page.get_by_label("Private: only subscribers that you add").check()
    await opened.page.get_by_label("Only some emoji").check()
    emoji = opened.page.get_by_label("Allowed emoji")
    await emoji.fill("🍞 nonsense")
    await opened.by("button", "Save").click()
    await expect(emoji).to_be_focused()
    await emoji.fill("🍞 🥐")
    await opened.by("button", "Save").click()
    await expect(opened.page.get_by_text("Saved")).to_be_visible()
    settings = (await owner.get(path)).body["settings"]
    assert (settings["visibility"], settings["reactions"]) == ("private", ["🍞", "🥐"])
    await opened.page.get_by_label("User id of the new owner").fill("nobody-here")
    for user, told in (
        ("nobody-here", "This user is not a subscriber."),
        (reader.id, "is now the owner"),
    ):
        await opened.page.get_by_label("User id of the new owner").fill(user)
        await opened.by("button", "Transfer").click()
        await (
            opened.by("dialog", "Transfer ownership").get_by_role("button", name="Transfer").click()
        )
        await expect(opened.page.get_by_text(told).first).to_be_visible()
    assert (await owner.get(path)).body["owner_id"] == reader.id
    await expect(opened.by("button", "Delete channel")).to_have_count(0)


async def test_the_applications_admin_finds_and_manages_any_channel(
    server: Api, window: OpenWindow
) -> None:
    owner, _, path = await a_scene(server)
    name = (await owner.get(path)).body["name"]
    admin = server.new_user("back-end", admin=True)
    opened = await window(admin, "/console")
    await opened.by("searchbox", "Search channels").fill(name)
    await opened.page.locator(".my-channel", has_text=name).click()
    await opened.page.get_by_label("Text", exact=True).fill("From the city hall")
    await opened.by("button", "Post", exact=True).click()
    await expect(opened.page.locator(".posted article")).to_contain_text("From the city hall")
    assert [post["text"] for post in (await owner.get(f"{path}/posts")).items] == [
        "From the city hall"
    ]


async def test_edits_of_the_profile_outlive_another_tab_and_views_are_live(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, path = await a_scene(server)
    name = (await owner.get(path)).body["name"]
    await a_post(owner, path, "Fresh bread")
    opened = await window(owner, console_of(path, "profile"))
    kept = opened.page.get_by_text("Your changes are kept in this window")
    await expect(opened.page.get_by_label("Name")).to_have_value(name)
    await expect(kept).to_be_hidden()
    await opened.page.get_by_label("Description").fill("Bread and cake")
    await expect(kept).to_be_visible()
    await opened.by("link", "Settings", exact=True).click()
    signs = opened.page.get_by_label("Sign posts")
    await signs.check()
    await expect(kept).to_be_visible()
    # Meanwhile somebody else changes another field, which the kept edit must not undo.
    await owner.patch(path, {"organization": "Bakers"})
    await opened.by("link", "Profile", exact=True).click()
    await expect(opened.page.get_by_label("Description")).to_have_value("Bread and cake")
    await expect(opened.page.get_by_label("Organization")).to_have_value("Bakers")
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    opened.page.on("dialog", stay)
    await opened.page.close(run_before_unload=True)
    await expect(kept).to_be_visible()
    assert asked == ["beforeunload"]
    await opened.by("button", "Save").click()
    await expect(kept).to_be_hidden()
    changed = (await owner.get(path)).body
    assert (changed["introduction"], changed["organization"]) == ("Bread and cake", "Bakers")
    await opened.page.get_by_label("Name").fill("Other")
    await opened.by("button", "Discard").click()
    await expect(opened.page.get_by_label("Name")).to_have_value(name)
    await expect(kept).to_be_hidden()

    await opened.by("link", "Settings", exact=True).click()
    await expect(signs).to_be_checked()
    await opened.by("button", "Discard").click()
    await expect(signs).not_to_be_checked()
    await expect(kept).to_be_hidden()
    assert (await owner.get(path)).body["settings"]["signatures"] is False

    await opened.page.clock.install()
    await opened.go(console_of(path))
    marks = opened.page.locator(".post-marks")
    await expect(marks).to_contain_text("0 views")
    await marks.scroll_into_view_if_needed()
    await reader.post(f"{path}/posts/views", {"seqs": [1]})
    await opened.page.clock.run_for(16_000)
    await expect(marks).to_contain_text("1 view")


async def test_a_reader_cannot_open_the_console_of_a_channel(
    server: Api, window: OpenWindow
) -> None:
    _, reader, path = await a_scene(server)
    opened = await window(reader, console_of(path))
    await expect(opened.page.get_by_role("alert")).to_contain_text("does not exist or is private")
