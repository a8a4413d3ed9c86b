"""Invitations to become an admin, a subscriber or a member, in the reader."""

from playwright.async_api import expect

from tests.api import Api, a_channel, a_chat_group, fresh, part
from tests.browser.windows import OpenWindow


async def test_an_invitation_appears_live_and_is_accepted_or_declined(
    server: Api, window: OpenWindow
) -> None:
    owner, guest = server.new_user("owner"), server.new_user("guest")
    first, second, third = (fresh(name) for name in ("Ferries", "Trams", "Trains"))
    paths = [await a_channel(owner, name=name) for name in (first, second, third)]
    opened, other = await window(guest), await window(guest)
    for path in paths:
        body = {"user_id": guest.id, "grants": ["post", "pin_posts"]}
        assert (await owner.post(f"{path}/invitations", body)).status == 201
    card = opened.page.locator(".invitation", has_text=first)
    await expect(card).to_contain_text("Permissions: Write posts, Pin posts")
    await owner.delete(f"{paths[2]}/invitations/{part(guest.id)}")
    await expect(opened.page.locator(".invitation", has_text=third)).to_be_hidden()
    await opened.by("button", f"Decline the invitation to “{second}”").click()
    await expect(other.page.locator(".invitation")).to_have_count(1)
    await opened.by("button", f"Accept the invitation to “{first}”").focus()
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.get_by_text(f"You are now an admin of “{first}”")).to_be_visible()
    await expect(opened.by("heading", first)).to_be_visible()
    await expect(other.page.locator(".invitation")).to_have_count(0)
    await expect(other.page.locator("a.row", has_text=first)).to_be_visible()
    roles = [(await guest.get(path)).body["role"] for path in paths]
    assert roles == ["admin", None, None]


async def test_invitations_to_subscribe_and_to_join_are_accepted(
    server: Api, window: OpenWindow
) -> None:
    owner, guest = server.new_user("owner"), server.new_user("guest")
    news, trip = fresh("Ferries"), fresh("Island trip")
    path, group = await a_channel(owner, name=news), await a_chat_group(owner, guest, name=trip)
    await guest.delete(f"{group}/members/me")
    opened = await window(guest)
    assert (await owner.put(f"{path}/subscribers/{part(guest.id)}")).status == 202
    assert (await owner.put(f"{group}/members/{part(guest.id)}")).status == 202
    card = opened.page.locator(".invitation", has_text=news)
    await expect(card).to_contain_text(f"You are invited to subscribe to “{news}”")
    await opened.by("button", f"Accept the invitation to “{news}”").click()
    await expect(opened.by("heading", news)).to_be_visible()
    await opened.by("button", f"Accept the invitation to “{trip}”").click()
    await expect(opened.page.get_by_text(f"You are now in “{trip}”")).to_be_visible()
    await expect(opened.page.locator(".invitation")).to_have_count(0)
    assert (await guest.get(path)).body["role"] == "member"
    assert (await guest.get(group)).body["role"] == "member"
