"""The inbox of a channel: private messages from users, answered by admins in the channel's name."""

from playwright.async_api import expect

from tests.api import Api, User, a_channel, id_of, part
from tests.browser.windows import PHONE, OpenWindow, screenshot, shown_seqs

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>window.owned=1</script>"


def inbox_of(path: str) -> str:
    return f"/console/channels/{part(id_of(path))}/inbox"


async def writes(user: User, path: str, text: str) -> None:
    """The user writes to the channel."""
    dialogue = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    said = await user.post(dialogue, {"kind": "text", "text": text})
    assert said.status == 201, said


async def test_canned_replies_are_written_once_and_inserted_by_all(
    server: Api, window: OpenWindow
) -> None:
    owner, admin, reader = (server.new_user(name) for name in ("owner", "admin", "reader"))
    path = await a_channel(owner, reader, admins=(admin,))
    await writes(reader, path, "When do you open?")
    mine = await window(owner, inbox_of(path))
    await mine.page.locator(".thread-row").click()
    await mine.by("button", "Canned replies").click()
    await mine.by("menuitem", "Edit canned replies").click()
    dialog = mine.by("dialog", "Canned replies")
    await expect(dialog).to_contain_text("No canned replies yet.")
    for name, text in (("Opening hours", "We open at nine"), (MARKUP[:60], MARKUP)):
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_label("Text").fill(text)
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.locator(".canned-row", has_text=name)).to_be_visible()
    await mine.page.keyboard.press("Escape")

    theirs = await window(admin, inbox_of(path), size=PHONE)
    await theirs.page.locator(".thread-row").click()
    writer = theirs.by("textbox", "Write a message")
    await writer.press_sequentially("/img")
    option = theirs.by("option")
    await expect(option).to_have_count(1)
    await expect(option).to_contain_text(MARKUP)
    await writer.press("Escape")
    await expect(option).to_have_count(0)
    await writer.fill("/OPEN")
    await expect(option).to_contain_text("We open at nine")
    await expect(option).to_have_attribute("aria-selected", "true")
    await writer.press("Enter")
    await expect(writer).to_have_value("We open at nine")
    await writer.press("Enter")
    await expect(theirs.page.locator(".thread .own")).to_contain_text("We open at nine")
    await theirs.by("button", "Canned replies").click()
    await theirs.by("menuitem", "Opening hours").click()
    await expect(writer).to_have_value("We open at nine")


async def test_two_admins_share_a_thread_and_its_read_state_live(
    server: Api, window: OpenWindow
) -> None:
    owner, admin, reader = (
        server.new_user("owner"),
        server.new_user("admin"),
        server.new_user("reader"),
    )
    path = await a_channel(owner, reader, admins=(admin,))
    await reader.patch("/v1/users/me", {"name": MARKUP[:100]})
    mine, theirs = await window(owner, inbox_of(path)), await window(admin, inbox_of(path))
    await expect(mine.page.get_by_text("No private messages yet.")).to_be_visible()
    await expect(theirs.page.get_by_text("No private messages")).to_be_visible()
    await writes(reader, path, MARKUP)
    for opened in (mine, theirs):
        row = opened.page.locator(".thread-row")
        await expect(row.locator(".row-title")).to_have_text(MARKUP[:100])
        await expect(row.get_by_role("img", name="1 unread")).to_be_visible()
        tab = opened.page.locator(".channel-tabs a", has_text="Inbox")
        await expect(tab.get_by_role("img", name="1 unread")).to_be_visible()
    await mine.page.locator(".thread-row").click()
    await expect(mine.page.locator(".thread-name")).to_be_focused()
    await expect(mine.page.locator(".thread .text")).to_have_text(MARKUP)
    # The admins share the read state.
    for opened in (mine, theirs):
        await expect(opened.page.locator(".channel-tabs [href$='/inbox'] .badge")).to_be_hidden()
        await expect(opened.page.locator(".thread-row .badge")).to_be_hidden()
    await theirs.page.locator(".thread-row").click()
    await mine.by("textbox", "Write a message").fill("From Monday on")
    await mine.page.keyboard.press("Enter")
    own = theirs.page.locator(".thread .own")
    await expect(own).to_contain_text("From Monday on")
    await expect(own).to_contain_text(f"by {owner.id}")
    await expect(mine.page.locator(".thread .own")).to_contain_text("by you")
    said = (await reader.get(f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages")).items
    assert said[0]["text"] == "From Monday on"
    assert owner.id not in str(said)
    await writes(reader, path, "Thank you")
    await expect(theirs.page.locator(".thread .text")).to_have_count(3)
    await expect(mine.page.locator(".thread-row")).to_contain_text("Thank you")

    # An answer quotes what it answers, to the user and to all admins.
    for seq, text in ((3, "You are welcome"), (2, "From nine o'clock")):
        message = mine.page.locator(f".thread [data-seq='{seq}']")
        await message.get_by_role("button", name="Message options").click()
        await mine.by("menuitem", "Reply").click()
        await mine.by("textbox", "Write a message").fill(text)
        await mine.page.keyboard.press("Enter")
    quotes = theirs.page.locator(".thread .own .quote:visible")
    await expect(quotes).to_have_text([f"{MARKUP[:100]}Thank you", f"{owner.id}From Monday on"])
    await expect(mine.page.locator(".thread .own .quote").last).to_have_text("YouFrom Monday on")
    said = (await reader.get(f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages")).items
    assert [message["quoted_seq"] for message in said[:2]] == [2, 3]

    message = mine.page.locator(".thread [data-seq='2']")
    await message.get_by_role("button", name="Message options").click()
    await mine.by("menuitem", "Delete for everyone").click()
    await (
        mine.by("dialog", "Delete for everyone")
        .get_by_role("button", name="Delete for everyone")
        .click()
    )
    deleted = "This message was deleted."
    await expect(theirs.page.locator(".thread [data-seq='2']")).to_contain_text(deleted)
    await expect(quotes.last).to_have_text(deleted)
    assert await mine.page.evaluate("window.owned") is None
    assert await mine.page.locator("img[src='x']").count() == 0


async def test_scrolling_up_loads_older_messages_without_a_jump(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 36):
        await writes(reader, path, f"Question {number}")
    assert (await owner.post(f"{path}/inbox/{part(reader.id)}/read", {})).status == 200
    opened = await window(owner, inbox_of(path))
    await opened.page.locator(".thread-row").click()
    messages = opened.page.locator(".thread .message")
    await expect(messages.last).to_be_in_viewport()
    # Some are in the page, some are loaded only, some are not loaded yet.
    while (first := (await shown_seqs(opened.page))[0]) > 1:
        await opened.page.locator(".thread .scroller").evaluate("e => e.scrollTop = 0")
        before = opened.page.locator(f".thread [data-seq='{first - 1}']")
        await expect(before).to_be_attached()
        await expect(opened.page.locator(f".thread [data-seq='{first}']")).to_be_in_viewport()
    seqs = await shown_seqs(opened.page)
    assert seqs == list(range(1, seqs[-1] + 1))


async def test_a_thread_opens_at_its_first_unread_message(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 36):
        await writes(reader, path, f"Question {number}")
    opened = await window(owner, inbox_of(path))
    await opened.page.locator(".thread-row").click()
    await expect(opened.page.locator(".thread .unread-line")).to_have_text("35 unread")
    await expect(opened.page.locator(".thread [data-seq='1']")).to_be_in_viewport()
    await opened.page.locator(".thread .to-newest").click()
    await expect(opened.page.locator(".thread [data-seq='35']")).to_be_in_viewport()
    await expect(opened.page.locator(".thread-row .badge")).to_be_hidden()


async def test_on_a_phone_the_list_and_the_thread_take_turns(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await writes(reader, path, "Hello")
    opened = await window(owner, inbox_of(path), size=PHONE)
    row = opened.page.locator(".thread-row")
    await row.click()
    await expect(row).to_be_hidden()
    await expect(opened.page.locator(".thread .text")).to_have_text("Hello")
    await opened.by("button", "Back to the list").click()
    await expect(row).to_be_focused()
    await expect(opened.page.locator(".thread")).to_have_count(0)


async def test_an_admin_without_the_inbox_grant_has_no_inbox_tab(
    server: Api, window: OpenWindow
) -> None:
    owner, admin = server.new_user("owner"), server.new_user("admin")
    path = await a_channel(owner, admins=(admin,))
    await owner.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post"]})
    opened = await window(admin, f"/console/channels/{part(id_of(path))}")
    await expect(opened.by("link", "Log")).to_be_visible()
    names = await opened.page.locator(".channel-tabs a").all_inner_texts()
    assert names == ["Posts", "Subscribers", "Admins", "Settings", "Log"]
    await opened.go(inbox_of(path))
    await expect(opened.page.get_by_role("alert")).to_be_visible()


async def test_admins_share_the_channels_reactions_in_a_thread(
    server: Api, window: OpenWindow
) -> None:
    owner, admin, reader = (
        server.new_user("owner"),
        server.new_user("admin"),
        server.new_user("reader"),
    )
    path = await a_channel(owner, reader, admins=(admin,))
    await writes(reader, path, "Thank you!")
    mine, theirs = await window(owner, inbox_of(path)), await window(admin, inbox_of(path))
    for opened in (mine, theirs):
        await opened.page.locator(".thread-row").click()
        await expect(opened.page.locator(".thread .text")).to_have_text("Thank you!")
    await mine.page.locator(".thread .message").hover()
    await mine.by("button", "Add reaction").click()
    await mine.by("button", "React with 🎉").click()
    for opened in (mine, theirs):
        chip = opened.by("button", "🎉, 1 reaction")
        await expect(chip).to_have_attribute("aria-pressed", "true")
    message = f"/v1/conversations/c2c_{part(id_of(path))}/messages/1"
    assert (await reader.put(f"{message}/reactions/{part('🎉')}")).status == 200
    chip = theirs.by("button", "🎉, 2 reactions")
    await expect(chip).to_be_visible()
    await chip.focus()
    assert (await reader.patch(message, {"kind": "text", "text": "Thank you all!"})).status == 200
    await expect(theirs.page.locator(".thread .text")).to_have_text("Thank you all!")
    await expect(chip).to_be_focused()
    await chip.click()
    for opened in (mine, theirs):
        chip = opened.by("button", "🎉, 1 reaction")
        await expect(chip).to_have_attribute("aria-pressed", "false")


async def test_the_list_of_channels_shows_the_unread_count_of_each_inbox(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    busy, quiet = [await a_channel(owner, reader, name=name) for name in ("Busy", "Quiet")]
    await writes(reader, busy, "One")
    opened = await window(owner, "/console")
    card = opened.page.locator(".my-channel", has_text="Busy")
    await expect(card.get_by_role("img", name="1 unread chat in the inbox")).to_be_visible()
    other = opened.page.locator(".my-channel", has_text="Quiet").locator(".badge")
    await expect(other).to_be_hidden()
    await writes(reader, quiet, "Anyone?")
    await expect(other).to_have_text("1")
    assert (await owner.post(f"{busy}/inbox/{part(reader.id)}/read", {})).status == 200
    await expect(card.locator(".badge")).to_be_hidden()


async def test_the_applications_admin_sees_new_inbox_messages_by_polling(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    root = server.new_user("root", admin=True)
    path = await a_channel(owner, reader)
    await writes(reader, path, "First")
    opened = await window(root, inbox_of(path))
    await expect(opened.page.locator(".thread-row")).to_be_visible()
    # Installed only now: a timer of the real clock could no longer be cleared.
    await opened.page.clock.install()
    await opened.page.locator(".thread-row").click()
    await expect(opened.page.locator(".thread .text")).to_have_text(["First"])
    tab = opened.page.locator(".channel-tabs [href$='/inbox'] .badge")
    await expect(tab).to_be_hidden()
    await writes(reader, path, "Second")
    other = server.new_user("other")
    await other.put(f"{path}/subscription")
    await writes(other, path, "Third")
    await opened.page.clock.run_for(10_000)
    await expect(opened.page.locator(".thread .text")).to_have_text(["First", "Second"])
    await expect(opened.page.locator(".thread-row")).to_have_count(2)
    await opened.page.clock.run_for(10_000)
    await expect(tab).to_have_text("1")


async def test_a_subscriber_gets_a_message_from_the_list_and_switches_them_off(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    mine = await window(owner, inbox_of(path).replace("inbox", "subscribers"))
    theirs = await window(reader, f"/with/{part(id_of(path))}")

    async def write(text: str) -> None:
        await mine.by("button", f"Options for {reader.id}").click()
        await mine.by("menuitem", "Write as the channel").click()
        await mine.by("textbox", f"Private message to {reader.id}").fill(text)
        await mine.by("button", "Send").click()

    await write("Your order is ready")
    await expect(mine.page.get_by_text(f"Sent to “{reader.id}”")).to_be_visible()
    await expect(theirs.page.locator(".message .text")).to_have_text("Your order is ready")
    menu = theirs.page.locator(".conversation-head")
    await menu.get_by_role("button", name="More options").click()
    await theirs.by("menuitem", "Switch off messages from News").click()
    await expect(theirs.page.get_by_text("You have switched off messages from")).to_be_visible()
    mine.expected = ("status of 403",)
    await write("And another")
    await expect(mine.page.get_by_text("You cannot send messages")).to_be_visible()


async def test_admins_tag_threads_and_filter_by_tags(server: Api, window: OpenWindow) -> None:
    owner, admin, *readers = (server.new_user(name) for name in ("owner", "admin", "cat", "dan"))
    path = await a_channel(owner, *readers, admins=(admin,))
    for reader in readers:
        await writes(reader, path, "Hello")
    mine, theirs = (
        await window(owner, inbox_of(path)),
        await window(admin, inbox_of(path), size=PHONE),
    )
    await mine.page.locator(".thread-row", has_text=readers[0].id).click()
    await mine.by("button", "Edit tags").click()
    dialog = mine.by("dialog", "Edit tags")
    await dialog.get_by_role("textbox").fill("t" * 31)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("At most 5 tags")
    await dialog.get_by_role("textbox").fill(f"order, {MARKUP[:20]}")
    await dialog.get_by_role("button", name="Save").click()
    for place in (mine.page.locator(".thread-head"), theirs.page.locator(".thread-row").last):
        await expect(place.locator(".tag")).to_have_text(["order", MARKUP[:20]])
    await theirs.by("button", "Filter by tag").click()
    await theirs.by("menuitem", "order").click()
    await expect(theirs.page.locator(".thread-row")).to_have_count(1)
    assert not await theirs.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await theirs.by("button", "Filter by tag").click()
    await theirs.by("menuitem", "All chats").click()
    await expect(theirs.page.locator(".thread-row")).to_have_count(2)
    await screenshot(mine.page, "inbox-tags")
