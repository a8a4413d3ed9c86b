"""Forwarding posts and messages to chats and to the user's own channels."""

import asyncio
import re

from playwright.async_api import expect

from tests.api import PATIENCE_SECONDS, Api, a_channel, a_chat_group, a_post, fresh, id_of, part
from tests.browser.windows import OpenWindow, Window, view_of


async def open_menu(window: Window, seq: int) -> None:
    item = window.page.locator(f"[data-seq='{seq}']")
    await item.hover()
    await item.get_by_role("button", name=re.compile("^(Post|Message) options")).click()


async def test_a_post_is_forwarded_to_a_group_a_person_and_a_channel(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, friend = (
        server.new_user("owner"),
        server.new_user("reader"),
        server.new_user("friend"),
    )
    await friend.patch("/v1/users/me", {"name": "Finn"})
    path = await a_channel(owner, reader, name="Ferries")
    await a_post(owner, path, "Boat at nine")
    group = await a_chat_group(reader, friend, name="Island trip")
    own = await a_channel(reader, name="My island")
    talk = f"/v1/conversations/c2c_{part(reader.id)}/messages"
    assert (await friend.post(talk, {"kind": "text", "text": "Hi"})).status == 201
    opened = await window(reader, view_of(path))
    await open_menu(opened, 1)
    await opened.by("menuitem", "Forward…").click()
    sheet = opened.by("dialog", "Forward to")
    await expect(sheet.get_by_role("searchbox", name="Search by name")).to_be_focused()
    await expect(sheet.locator("li")).to_have_count(3)
    for name in ("Island trip", "Finn", "My island"):
        send = sheet.get_by_role("button", name=f"Forward to {name}")
        await send.click()
        await expect(send).to_have_text("Sent")
        await expect(send).to_be_disabled()
    await sheet.get_by_role("searchbox").fill("island")
    await expect(sheet.locator("li")).to_have_count(2)
    await sheet.get_by_role("searchbox").fill("nothing of the kind")
    await expect(sheet.get_by_text("No chats or channels match.")).to_be_visible()
    copies = [
        (await friend.get(f"{group}/messages")).items[0],
        (await friend.get(talk)).items[0],
        (await reader.get(f"{own}/posts")).items[0],
    ]
    for copy in copies:
        assert copy["text"] == "Boat at nine"
        assert copy["forwarded_from"]["name"] == "Ferries"


async def test_messages_are_forwarded_and_posts_from_the_console(
    server: Api, window: OpenWindow
) -> None:
    owner, friend = server.new_user("owner"), server.new_user("friend")
    name = fresh("Crew ")
    group = await a_chat_group(owner, friend, name=name)
    await a_post(friend, group, "Said in the group")
    opened = await window(owner, view_of(group))
    await open_menu(opened, 1)
    await opened.by("menuitem", "Forward…").click()
    await opened.by("button", f"Forward to {name}").click()
    await expect(opened.by("button", f"Forward to {name}")).to_have_text("Sent")
    await expect(opened.page.locator(".forwarded")).to_have_text(f"Forwarded from {name}")

    path = await a_channel(owner, name="News")
    await a_post(owner, path, "Said in the channel")
    await opened.go(f"/console/channels/{part(id_of(path))}")
    await open_menu(opened, 1)
    await opened.by("menuitem", "Forward…").click()
    await opened.by("button", f"Forward to {name}").click()
    await expect(opened.by("button", f"Forward to {name}")).to_have_text("Sent")
    assert (await friend.get(f"{group}/messages")).items[0]["text"] == "Said in the channel"


async def test_a_protected_channel_does_not_offer_forwarding(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path, "Only here")
    opened = await window(reader, view_of(path))
    more = opened.by("button", "Post options")
    await more.click()
    await expect(opened.by("menuitem", "Forward…")).to_be_visible()
    await opened.page.keyboard.press("Escape")
    await owner.patch(path, {"settings": {"protect_content": True}})

    async def offers_forwarding() -> bool:
        await more.click()
        await expect(opened.by("menuitem", "Share…")).to_be_visible()
        return await opened.by("menuitem", "Forward…").is_visible()

    # A menu has what was known when it was opened, and the change comes as an event.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await offers_forwarding():
            await opened.page.keyboard.press("Escape")
