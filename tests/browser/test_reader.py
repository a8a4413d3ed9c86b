"""The reader: finding and reading channels, reacting, folders, chat groups, drafts, pictures."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Request, Route, expect

from tests.api import (
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    part,
)
from tests.browser.windows import PHONE, OpenWindow, Window, a_picture, shown_seqs, view_of


def post_in(window: Window, text: str) -> Any:
    return window.page.locator("article.post", has_text=text)


async def test_a_user_finds_subscribes_receives_reacts_and_leaves(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    name = fresh("Harbour ferries")
    path = await a_channel(owner, name=name, introduction="When the boats go")
    await a_post(owner, path, "The first boat leaves at six")
    opened = await window(reader)
    await opened.by("link", "Find channels").first.click()
    await opened.by("searchbox", "Search channels").fill(name)
    card = opened.page.locator(".card", has_text=name)
    await card.get_by_role("button", name="Subscribe").click()
    await card.get_by_role("link").click()
    await expect(post_in(opened, "The first boat leaves at six")).to_be_visible()
    await expect(opened.by("button", "Add reaction")).to_have_count(1)

    await a_post(owner, path, "The second boat leaves at seven")
    article = post_in(opened, "The second boat")
    await expect(article).to_be_visible()
    await article.get_by_role("button", name="Add reaction").click()
    await opened.by("button", "React with 👍").click()
    mine = article.get_by_role("button", name="👍, 1 reaction")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await owner.put(f"{path}/posts/2/reactions/{part('👍')}")
    await expect(article.get_by_role("button", name="👍, 2 reactions")).to_be_visible()
    await article.get_by_role("button", name="👍").click()
    await expect(article.get_by_role("button", name="👍, 1 reaction")).to_have_attribute(
        "aria-pressed", "false"
    )
    assert (await owner.get(f"{path}/posts/2/reactions")).body["counts"] == {"👍": 1}

    await opened.by("button", "More options", exact=True).last.click()
    await opened.by("menuitem", "Unsubscribe").click()
    await opened.by("dialog", "Unsubscribe").get_by_role("button", name="Unsubscribe").click()
    await expect(
        opened.page.get_by_text("You have not subscribed to any channels yet")
    ).to_be_visible()
    assert (await reader.get(path)).body["subscribed_at"] is None


async def test_unread_channels_and_chats_are_counted_apart(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    channel = await a_channel(owner, reader)
    group = await a_chat_group(owner, reader)
    opened = await window(reader)
    await expect(opened.page).to_have_title("Channels")
    for number in range(3):
        await a_post(owner, channel, f"post {number}")
    await a_post(owner, group, "message")
    await expect(opened.page).to_have_title("3 posts · 1 message – Channels")
    await expect(opened.by("button", "Channels 3 unread")).to_be_visible()
    await expect(opened.by("button", "Chats 1 unread")).to_be_visible()

    await opened.page.locator("a.row", has_text="News").click()
    await expect(opened.page).to_have_title("1 message – News – Channels")
    await expect(opened.by("button", "Channels", exact=True)).to_be_visible()
    await opened.by("button", "Chats 1 unread").click()
    await opened.page.locator("a.row", has_text="Tea").click()
    await expect(opened.page).to_have_title("Tea – Channels")
    unread = (await reader.get("/v1/unread")).body
    assert (unread["channels"], unread["chats"]) == (0, 0)


async def test_a_long_history_scrolls_both_ways_from_the_unread_line(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 121):
        await a_post(owner, path, f"post {number} says this much")
    await reader.post(f"/v1/conversations/{part(conversation_of(path))}/read", {"seq": 60})
    opened = await window(reader, view_of(path))
    await expect(opened.page.locator(".unread-line")).to_be_in_viewport()
    await expect(opened.page.locator(".unread-line")).to_have_text("60 unread")
    await expect(opened.page.locator("[data-seq='61']")).to_be_in_viewport()
    seqs = await shown_seqs(opened.page)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert seqs[0] > 1
    assert seqs[-1] < 120

    scroller = opened.page.locator(".scroller")
    for _ in range(20):
        await scroller.evaluate("e => e.scrollTop = 0")
        await asyncio.sleep(0.05)
        if (await shown_seqs(opened.page))[0] == 1:
            break
    await expect(opened.page.get_by_text("This is the beginning")).to_be_attached()
    await opened.page.locator(".to-newest").click()
    await expect(opened.page.locator("[data-seq='120']")).to_be_in_viewport()
    await expect(opened.page).to_have_title("News – Channels")
    seqs = await shown_seqs(opened.page)
    assert seqs == list(range(seqs[0], 121))


async def test_loading_older_posts_does_not_move_the_visible_ones(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    for number in range(1, 61):
        await a_post(owner, path, f"post {number}")
    opened = await window(owner, view_of(path))
    await expect(opened.page.locator("[data-seq='60']")).to_be_in_viewport()
    before = await opened.page.evaluate(
        """async () => {
          const scroller = document.querySelector('.scroller');
          const first = document.querySelector('[data-seq]');
          scroller.scrollTop = 300;
          const top = first.getBoundingClientRect().top;
          while (document.querySelector('[data-seq]') === first) await new Promise(requestAnimationFrame);
          return Math.abs(first.getBoundingClientRect().top - top);
        }"""
    )
    assert before < 2


async def a_wide_scene(server: Api) -> tuple[User, str]:
    """A reader of the channel Garden, and the channel's path."""
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name="Garden")
    await a_post(owner, path, "Sow the peas")
    return reader, path


async def folders_of(user: User, path: str) -> list[str]:
    answer = await user.get(f"/v1/conversations/{part(conversation_of(path))}")
    folders = answer.body["conversation_groups"]
    assert isinstance(folders, list)
    return folders


async def test_folders_are_created_filled_renamed_and_deleted(
    server: Api, window: OpenWindow
) -> None:
    reader, path = await a_wide_scene(server)
    opened = await window(reader)
    await opened.by("button", "New folder").click()
    await opened.page.get_by_label("Folder name").fill("ü" * 17)
    await opened.by("button", "Create folder").click()
    await expect(opened.page.get_by_role("alert")).to_have_text(
        "Too long: shorten it by 1 character"
    )
    await opened.page.get_by_label("Folder name").fill("Home")
    await opened.page.keyboard.press("Enter")
    folder = opened.page.locator("a.folder", has_text="Home")
    await opened.page.locator("a.row", has_text="Garden").drag_to(folder)
    await expect(folder).to_contain_text("1")
    assert await folders_of(reader, path) == ["Home"]

    # By keyboard, from the menu of the row.
    menu_of_row = opened.by("button", "Options for Garden")
    await menu_of_row.focus()
    await opened.page.keyboard.press("Enter")
    await opened.page.keyboard.press("r")
    await expect(opened.by("menuitemcheckbox", "Remove from “Home”")).to_be_focused()
    await opened.page.keyboard.press("Enter")
    await expect(folder.locator(".badge")).to_be_hidden()
    await expect(menu_of_row).to_be_focused()
    assert await folders_of(reader, path) == []

    await folder.click()
    await expect(opened.page.get_by_text("This folder is empty")).to_be_visible()
    await opened.by("button", "Options for the folder Home").click()
    await opened.by("menuitem", "Rename folder").click()
    await opened.page.get_by_label("Folder name").fill("House")
    await opened.by("button", "Save").click()
    await expect(opened.by("heading", "House")).to_be_visible()
    await opened.by("button", "Options for the folder House").click()
    await opened.by("menuitem", "Delete folder").click()
    await opened.by("button", "Delete folder").click()
    await expect(opened.page.locator("a.folder")).to_have_count(0)
    await expect(opened.by("heading", "Channels")).to_be_visible()
    await expect(opened.page.locator("a.row", has_text="Garden")).to_be_visible()


async def test_mute_pin_and_mark_as_read_from_the_list(server: Api, window: OpenWindow) -> None:
    reader, path = await a_wide_scene(server)
    opened = await window(reader)
    await expect(opened.page).to_have_title("1 post – Channels")
    for entry, field in (("Mute for 8 hours", "muted_until"), ("Pin to top", "pinned_at")):
        await opened.by("button", "Options for Garden").click()
        await opened.by("menuitem", entry).click()
        shown = "Muted" if field == "muted_until" else "Pinned"
        await expect(opened.page.locator("a.row").get_by_label(shown)).to_be_visible()
        conversation = await reader.get(f"/v1/conversations/{part(conversation_of(path))}")
        assert conversation.body[field]
    await expect(opened.page).to_have_title("Channels")  # muted conversations do not count
    await opened.by("button", "Options for Garden").click()
    await opened.by("menuitem", "Mark as read").click()
    await expect(opened.page.locator("a.row .badge")).to_be_hidden()


async def test_the_picker_offers_only_allowed_reactions(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    none = await a_channel(owner, reader, settings={"reactions": "none"})
    two = await a_channel(owner, reader, settings={"reactions": ["🍀", "🌊"]})
    for path in (none, two):
        await a_post(owner, path, "Choose")
    opened = await window(reader, view_of(none))
    await expect(post_in(opened, "Choose")).to_be_visible()
    await expect(opened.by("button", "Add reaction")).to_have_count(0)
    await opened.go(view_of(two))
    await opened.by("button", "Add reaction").click()
    await expect(opened.page.locator(".choice")).to_have_text(["🍀", "🌊"])
    await opened.page.keyboard.press("Escape")
    await expect(opened.by("button", "Add reaction")).to_be_focused()


async def test_members_of_a_group_write_react_and_delete(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await bob.patch("/v1/users/me", {"name": "Bob Okafor"})
    path = await a_chat_group(ada, bob)
    await a_post(bob, path, "Who brings the tea?")
    mine = await window(ada, view_of(path))
    bobs = await window(bob, view_of(path))
    await expect(mine.page.locator(".sender", has_text="Bob Okafor")).to_be_visible()
    await mine.by("textbox", "Write a message").fill("I do")
    await mine.page.keyboard.press("Enter")
    message = bobs.page.locator(".message", has_text="I do")
    await expect(message).to_be_visible()
    await message.hover()
    await message.get_by_role("button", name="Add reaction").click()
    await bobs.by("button", "React with ❤️").click()
    await expect(
        mine.page.locator(".message", has_text="I do").get_by_role("button", name="❤️, 1 reaction")
    ).to_be_visible()
    await expect(mine.by("textbox", "Write a message")).to_have_value("")
    assert [item["text"] for item in (await bob.get(f"{path}/messages")).items] == [
        "I do",
        "Who brings the tea?",
    ]
    await mine.page.locator(".own").get_by_role("button", name="Message options").click()
    await mine.by("menuitem", "Delete for everyone").click()
    await (
        mine.by("dialog", "Delete for everyone")
        .get_by_role("button", name="Delete for everyone")
        .click()
    )
    await expect(bobs.page.get_by_text("This message was deleted.")).to_be_visible()


async def test_a_draft_appears_in_the_users_other_windows(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, bob)
    mine, other = await window(ada, view_of(path)), await window(ada)
    await mine.by("textbox", "Write a message").fill("I will bring")
    await other.by("button", "Chats").click()
    row = other.page.locator("a.row", has_text="Tea")
    await expect(row).to_contain_text("Draft: I will bring")
    await row.click()
    await expect(other.by("textbox", "Write a message")).to_have_value("I will bring")
    await other.by("textbox", "Write a message").fill("I will bring tea")
    await other.page.keyboard.press("Enter")
    await expect(mine.page.locator(".message")).to_contain_text("I will bring tea")
    await expect(mine.page.locator("a.row", has_text="Tea")).not_to_contain_text("Draft:")


async def test_on_a_phone_the_list_and_the_channel_take_turns(
    server: Api, window: OpenWindow
) -> None:
    reader, _ = await a_wide_scene(server)
    opened = await window(reader, size=PHONE, has_touch=True, is_mobile=True)
    await opened.page.locator("a.row", has_text="Garden").click()
    await expect(post_in(opened, "Sow the peas")).to_be_visible()
    await expect(opened.page.locator(".sidebar")).to_be_hidden()
    assert await opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await opened.by("button", "Back").click()
    await expect(opened.page.locator("a.row", has_text="Garden")).to_be_visible()
    await expect(opened.page.locator(".main")).to_be_hidden()


async def test_subscribing_while_reading_needs_no_reload(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner)
    await a_post(owner, path, "before")
    opened = await window(reader, view_of(path))
    await expect(post_in(opened, "before")).to_be_visible()
    await expect(opened.by("button", "Add reaction")).to_have_count(0)
    await opened.by("button", "Subscribe").click()
    await expect(opened.by("button", "Add reaction")).to_have_count(1)
    await expect(opened.page.locator(".join")).to_be_hidden()
    await a_post(owner, path, "after")
    await expect(post_in(opened, "after")).to_be_visible()
    await expect(opened.page.locator("a.row .badge")).to_be_hidden()
    await expect(opened.page).to_have_title("News – Channels")
    async with asyncio.timeout(20):
        while (await reader.get("/v1/unread")).body["total"]:
            await asyncio.sleep(0.05)


async def test_pictures_are_sent_and_viewed_by_keyboard(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, bob)
    mine, bobs = await window(ada, view_of(path)), await window(bob, view_of(path))
    await expect(mine.by("textbox", "Write a message")).to_be_visible()
    files = [a_picture(f"{name}.png", name) for name in ("teal", "peru", "plum")]
    await mine.page.locator("input[type=file]").set_input_files(files)
    await expect(mine.page.locator(".picture-shelf progress")).to_have_count(0)
    await expect(mine.page.locator(".picture-shelf li")).to_have_count(3)
    await mine.by("button", "Remove plum.png").click()
    await mine.by("textbox", "Write a message").fill("Two colours")
    await mine.by("button", "Send").click()
    await expect(mine.page.locator(".picture-shelf li")).to_have_count(0)
    first = bobs.by("button", "Photo 1 of 2")
    await first.focus()
    await bobs.page.keyboard.press("Enter")
    viewer = bobs.by("dialog", "Photo")
    await expect(viewer.get_by_text("Photo 1 of 2")).to_be_visible()
    await bobs.page.keyboard.press("ArrowRight")
    await expect(viewer.get_by_text("Photo 2 of 2")).to_be_visible()
    shown = viewer.locator(".stage img")
    await expect(shown).to_have_js_property("complete", True)
    assert await shown.evaluate("image => image.naturalWidth") == 320
    await bobs.page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(first).to_be_focused()


async def test_a_loading_picture_has_its_final_size(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    data = a_picture("tall.png", size=(600, 590))["buffer"]
    media = (await owner.call("POST", "/v1/media", data=data)).body["media_id"]
    for number in range(3):
        await a_post(owner, path, f"post {number}\n" * 6)
    for _ in range(2):
        await owner.post(f"{path}/posts", {"kind": "image", "images": [media]})
    opened = await window(reader)
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await opened.page.route("**/v1/media/**", hold)
    await opened.page.locator("a.row").click()
    last = opened.page.locator("[data-seq='5'] img")
    await expect(last).to_be_attached()
    box = await last.bounding_box()
    assert box is not None
    assert box["height"] > 400
    await expect(opened.page.locator("a.row .badge")).to_have_text("2")
    held.set()
    await expect(last).to_have_js_property("complete", True)
    assert await last.bounding_box() == box
    await opened.page.locator(".to-newest").click()
    await expect(opened.page.locator("a.row .badge")).to_be_hidden()


async def test_the_app_starts_and_opens_a_channel_with_two_calls(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    paths = [await a_channel(owner, reader, name=name) for name in ("Tides", "Storms")]
    for path in paths:
        await a_post(owner, path, "High at noon")
        await reader.post(f"/v1/conversations/{part(conversation_of(path))}/read", {})
    opened = await window(reader, "/find", signed_in=False)
    asked: list[str] = []

    def record(request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith("/v1/") and path != "/v1/socket":
            asked.append(f"{request.method} {path}")

    opened.page.on("request", record)
    await opened.go(f"/#token={reader.token}")
    await expect(opened.page.locator("a.row")).to_have_count(2)
    # The start, and what changed until the socket was open.
    assert len(asked) <= 2, asked
    assert set(asked) == {"GET /v1/sync"}
    await opened.page.locator("a.row", has_text="Tides").click()
    await expect(opened.page.locator("[data-seq='1']")).to_be_visible()
    # Reading also reports what was seen.
    opening = [call for call in asked if call.startswith("GET") and call != "GET /v1/sync"]
    assert sorted(opening) == [f"GET {paths[0]}/pins", f"GET {paths[0]}/posts"]
