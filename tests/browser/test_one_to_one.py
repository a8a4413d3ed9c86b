"""One-to-one chats with a person or a channel, and refused messages."""

import asyncio

from playwright.async_api import Locator, expect

from tests.api import PATIENCE_SECONDS, Api, User, a_channel, a_chat_group, a_post, id_of, part
from tests.browser.windows import PHONE, OpenWindow, Window, view_of


def with_peer(peer_id: str) -> str:
    """The address of a one-to-one chat in the app."""
    return f"/with/{part(peer_id)}"


def writer(window: Window) -> Locator:
    return window.by("textbox", "Write a message")


async def say(window: Window, text: str) -> None:
    await writer(window).fill(text)
    await window.page.keyboard.press("Enter")
    await expect(window.page.locator(".own .text", has_text=text)).to_be_visible()


async def written(user: User, peer_id: str, text: str) -> None:
    path = f"/v1/conversations/c2c_{part(peer_id)}/messages"
    posted = await user.post(path, {"kind": "text", "text": text})
    assert posted.status == 201, posted


async def texts_between(user: User, peer_id: str) -> list[str | None]:
    answer = await user.get(f"/v1/conversations/c2c_{part(peer_id)}/messages")
    return [item["text"] for item in reversed(answer.items)]


async def test_a_one_to_one_chat_starts_from_a_senders_name_in_a_group(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await bob.patch("/v1/users/me", {"name": "Bob Okafor"})
    group = await a_chat_group(ada, bob)
    await a_post(bob, group, "Anyone there?")
    mine, bobs = await window(ada, view_of(group)), await window(bob)
    await mine.by("link", "Bob Okafor").click()
    await expect(mine.by("heading", "Bob Okafor")).to_be_visible()
    await expect(mine.page.get_by_text("Nothing here yet.")).to_be_visible()
    await say(mine, "Only me")
    await expect(bobs.by("button", "Chats 2 unread")).to_be_hidden()
    await expect(bobs.by("button", "Chats 1 unread")).to_be_visible()
    await bobs.by("button", "Chats 1 unread").click()
    await bobs.page.locator("a.row", has_text="Only me").click()
    await expect(bobs.page.locator(".message .text")).to_have_text("Only me")
    await expect(bobs.by("button", "Chats", exact=True)).to_be_visible()
    await say(bobs, "So I see")
    await expect(mine.page.locator(".message:not(.own) .text")).to_have_text("So I see")
    await expect(mine.page.locator("a.row[aria-current] .preview")).to_have_text("So I see")
    assert await texts_between(bob, ada.id) == ["Only me", "So I see"]


async def test_each_side_of_a_chat_sees_which_reaction_is_its_own(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await written(ada, bob.id, "Cake at four?")
    mine, bobs = (
        await window(ada, with_peer(bob.id)),
        await window(bob, with_peer(ada.id)),
    )
    await bobs.page.locator(".message").hover()
    await bobs.by("button", "Add reaction").click()
    await bobs.by("button", "React with 🎉").click()
    for opened, pressed in ((bobs, "true"), (mine, "false")):
        chip = opened.by("button", "🎉, 1 reaction")
        await expect(chip).to_have_attribute("aria-pressed", pressed)
    await mine.by("button", "🎉, 1 reaction").click()
    for opened in (mine, bobs):
        chip = opened.by("button", "🎉, 2 reactions")
        await expect(chip).to_have_attribute("aria-pressed", "true")
    await bobs.by("button", "🎉, 2 reactions").click()
    await expect(mine.by("button", "🎉, 1 reaction")).to_have_attribute("aria-pressed", "true")
    await expect(bobs.by("button", "🎉, 1 reaction")).to_have_attribute("aria-pressed", "false")


async def test_the_member_list_links_to_a_chat_with_each_member(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    opened = await window(ada, view_of(await a_chat_group(ada, bob)))
    await (
        opened.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    )
    await opened.by("menuitem", "Members").click()
    await expect(opened.by("dialog", "Members").locator("li")).to_have_count(2)
    await opened.by("link", f"Message {bob.id}").click()
    await expect(opened.by("dialog", "Members")).to_be_hidden()
    await expect(opened.by("heading", bob.id)).to_be_visible()
    await say(opened, "Hello")
    assert await texts_between(bob, ada.id) == ["Hello"]


async def test_the_other_side_sees_edits_and_deletions_live(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await ada.patch("/v1/users/me", {"name": "Ada"})
    await bob.patch("/v1/users/me", {"name": "Bob"})
    await written(ada, bob.id, "At six")
    mine, bobs = await window(ada, with_peer(bob.id)), await window(bob, with_peer(ada.id))
    await expect(bobs.page.locator("[data-seq='1'] .text")).to_have_text("At six")
    await writer(mine).fill("half a thought")
    await mine.by("button", "Message options").click()
    await mine.by("menuitem", "Edit").click()
    await expect(writer(mine)).to_have_value("At six")
    await mine.page.keyboard.press("Escape")
    await expect(writer(mine)).to_have_value("half a thought")
    await mine.by("button", "Message options").click()
    await mine.by("menuitem", "Edit").click()
    await writer(mine).fill("At seven")
    await mine.page.keyboard.press("Enter")
    await expect(bobs.page.locator("[data-seq='1']")).to_contain_text("At seven")
    await expect(bobs.page.locator("[data-seq='1']")).to_contain_text("edited")
    await expect(writer(mine)).to_have_value("half a thought")
    await bobs.by("button", "Message options").click()
    # Neither edit nor delete.
    await expect(bobs.by("menuitem")).to_have_text(["Reply", "Forward…", "Report…"])
    await bobs.page.keyboard.press("Escape")
    await mine.by("button", "Message options").click()
    await mine.by("menuitem", "Delete for everyone").click()
    await (
        mine.by("dialog", "Delete for everyone")
        .get_by_role("button", name="Delete for everyone")
        .click()
    )
    await expect(bobs.page.get_by_text("This message was deleted.")).to_be_visible()


async def test_a_blocked_user_cannot_write_and_does_not_learn_why(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await ada.patch("/v1/users/me", {"name": "Ada"})
    await bob.patch("/v1/users/me", {"name": "Bob"})
    await written(bob, ada.id, "Hello")
    mine, bobs = await window(ada, with_peer(bob.id)), await window(bob, with_peer(ada.id))
    await mine.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await mine.by("menuitem", "Block Bob").click()
    await mine.by("dialog", "Block Bob").get_by_role("button", name="Block", exact=True).click()
    await expect(mine.page.get_by_text("You have blocked Bob.")).to_be_visible()
    await expect(writer(mine)).to_be_hidden()
    bobs.expected = ("status of 403",)
    await writer(bobs).fill("Are you there?")
    await bobs.page.keyboard.press("Enter")
    await expect(bobs.page.get_by_text("You cannot send messages to this chat.")).to_be_visible()
    await expect(writer(bobs)).to_have_value("Are you there?")
    await mine.by("button", "Unblock").click()
    await expect(writer(mine)).to_be_visible()
    await bobs.by("button", "Send").click()
    await expect(mine.page.get_by_text("Are you there?").last).to_be_visible()


async def test_a_private_message_about_a_post_links_to_the_post(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name="Ferries")
    for number in range(1, 4):
        await a_post(owner, path, f"Boat {number} leaves")
    opened = await window(reader, view_of(path))
    about = opened.page.locator("[data-seq='2']").get_by_role(
        "link", name="Message this channel about"
    )
    await about.focus()
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.locator(".strip")).to_contain_text("Boat 2 leaves")
    await say(opened, "Also on Sunday?")
    await expect(opened.page.locator(".strip")).to_be_hidden()
    asked = (await owner.get(f"{path}/inbox/{part(reader.id)}/messages")).items[0]
    assert asked["text"] == "Also on Sunday?"
    assert asked["links"][0]["title"] == "Boat 2 leaves"
    answer = {"kind": "text", "text": "Until four"}
    answered = await owner.post(f"{path}/inbox/{part(reader.id)}/messages", answer)
    assert answered.status == 201, answered
    await expect(opened.page.locator(".message:not(.own) .text")).to_have_text("Until four")
    await expect(opened.by("button", "Chats", exact=True)).to_be_visible()
    await expect(opened.page.locator("a.row").get_by_label("Private message")).to_be_visible()
    await opened.page.locator(".own .links a").click()
    await expect(opened.page.locator("[data-seq='2']")).to_be_focused()


async def test_a_channel_that_accepts_no_messages_says_so(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    closed = await a_channel(owner, reader, settings={"accept_messages": "nobody"}, name="Closed")
    await a_post(owner, closed, "Read only")
    opened = await window(reader, view_of(closed))
    await expect(opened.page.get_by_text("Read only").last).to_be_visible()
    await expect(opened.by("link", "Message this channel")).to_have_count(0)
    await opened.go(with_peer(id_of(closed)))
    await expect(opened.page.get_by_text("Closed does not accept private messages")).to_be_visible()
    await expect(writer(opened)).to_be_hidden()
    await owner.patch(closed, {"settings": {"accept_messages": "everyone"}})
    await expect(writer(opened)).to_be_visible()

    only = await a_channel(owner, settings={"accept_messages": "subscribers"}, name="Only")
    await opened.go(with_peer(id_of(only)))
    await expect(
        opened.page.get_by_text("accepts private messages from its subscribers")
    ).to_be_visible()
    await opened.by("button", "Subscribe").click()
    await say(opened, "Now I may")


async def test_reading_a_chat_updates_the_unread_count_in_both_windows(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await ada.patch("/v1/users/me", {"name": "Ada"})
    for number in range(1, 41):
        await written(ada, bob.id, f"line {number}")
    other, opened = await window(bob), await window(bob, with_peer(ada.id))
    await expect(opened.page.locator(".unread-line")).to_have_text("40 unread")
    await opened.page.locator(".to-newest").click()
    await expect(opened.page.locator("[data-seq='40']")).to_be_in_viewport()
    for seen, title in ((other, "Channels"), (opened, "Ada – Channels")):
        await expect(seen.page).to_have_title(title)
    row = f"/v1/conversations/c2c_{part(ada.id)}"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await bob.get(row)).body["read_seq"] < 40:
            await asyncio.sleep(0.02)


async def test_a_new_chat_is_started_by_user_id_on_a_phone(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    opened = await window(ada, size=PHONE, has_touch=True, is_mobile=True)
    await opened.by("button", "Chats").click()
    await opened.by("button", "New chat").click()
    await opened.by("menuitem", "New message").click()
    await opened.page.get_by_label("User id").fill("@TOA#_news")
    await opened.by("button", "Continue", exact=True).click()
    await expect(opened.page.get_by_role("alert")).to_have_text("Enter the id of a person.")
    # Who has no profile is perhaps nobody, so the user is asked to look once more.
    await opened.page.get_by_label("User id").fill(bob.id)
    await opened.page.keyboard.press("Enter")
    alert = opened.page.get_by_role("alert")
    await expect(alert).to_contain_text(f"Nobody with the id “{bob.id}” has a profile here")
    await opened.page.keyboard.press("Enter")
    await say(opened, "Hello")
    assert await opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await opened.go(with_peer(ada.id))
    await expect(opened.by("heading", "Saved messages")).to_be_visible()
    await say(opened, "Buy tea")
    assert await texts_between(bob, ada.id) == ["Hello"]
