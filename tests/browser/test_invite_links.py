"""Invite links and requests to join: the page of a link, the console of a channel, and the dialogs of a group."""

from urllib.parse import urlsplit

from playwright.async_api import Locator, expect

from tests.api import Api, User, a_channel, a_chat_group, fresh, id_of
from tests.browser.test_access import check
from tests.browser.test_console import console_of
from tests.browser.windows import PHONE, OpenWindow, Window, view_of


async def the_address(row: Locator) -> str:
    """The path of an invite link, as its row shows it."""
    return urlsplit(await row.get_by_role("textbox").input_value()).path


async def ask(opened: Window, text: str) -> None:
    """Asks to join, on the page of a link."""
    await opened.page.get_by_label("Message to the admins").fill(text)
    await opened.by("button", "Ask to join").click()
    await expect(opened.page.get_by_text("You asked to join.")).to_be_visible()


async def sign_in(opened: Window, user: User) -> None:
    await opened.page.get_by_label("Access token").fill(str(user.token))
    await opened.by("button", "Sign in").click()


async def test_a_private_channel_is_joined_by_its_invite_links_at_once_or_by_approval(
    server: Api, window: OpenWindow
) -> None:
    owner, guest = server.new_user("owner"), server.new_user("guest")
    name = fresh("Night shift")
    path = await a_channel(
        owner, name=name, introduction="Rosters", settings={"visibility": "private"}
    )

    # The owner makes a link for two, and copies it.
    mine = await window(owner, console_of(path, "invites"))
    await expect(mine.page.get_by_text("No open requests.")).to_be_visible()
    await mine.page.get_by_label("Name", exact=True).fill("Poster")
    uses = mine.page.get_by_label("How many people can join by it")
    await uses.fill("0")
    await mine.by("button", "Create link").click()
    await expect(mine.page.get_by_text("Enter a number from 1 to 99,999.")).to_be_visible()
    await uses.fill("2")
    await mine.page.get_by_label("Expires").select_option("week")
    await mine.by("button", "Create link").click()
    row = mine.page.locator(".invite-link", has_text="Poster")
    await expect(row).to_contain_text("0 of 2 joined")
    await mine.by("button", "Copy the invite link Poster").click()
    await expect(mine.page.get_by_text("Copied")).to_be_visible()
    await mine.by("button", "Options for the invite link Poster").click()
    await mine.by("menuitem", "Show QR code").click()
    await expect(mine.by("img", "QR code of the link")).to_be_visible()
    await mine.page.keyboard.press("Escape")
    address = await the_address(row)

    # Somebody without an account sees what it is, signs in, and is let in.
    theirs = await window(guest, address, signed_in=False, size=PHONE)
    await expect(theirs.by("heading", name)).to_be_visible()
    await theirs.page.locator("a.primary").click()
    await sign_in(theirs, guest)
    await expect(theirs.by("heading", name)).to_be_visible()
    await expect(theirs.page.get_by_text("Rosters")).to_be_visible()
    await check(theirs, "the page of a link")
    await theirs.by("button", "Subscribe").click()
    await expect(theirs.page.locator(".conversation-head")).to_contain_text(name)
    assert (await guest.get(path)).body["role"] == "member"
    await expect(row).to_contain_text("1 of 2 joined")

    # From now on admins approve. Two people ask, of whom one takes it back and asks again.
    await mine.by("button", "Options for the invite link Poster").click()
    await mine.by("menuitem", "Edit").click()
    edit = mine.by("dialog", "Edit the invite link")
    await edit.get_by_label("Admins approve each person").check()
    await edit.get_by_label("How many people can join by it").fill("")
    await edit.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("By approval")
    view = theirs.page.url and urlsplit(address).path.replace("/i/", "/invite/")
    first, second, third = (server.new_user(one) for one in ("first", "second", "third"))
    ones, twos, threes = [await window(user, view) for user in (first, second, third)]
    await ask(ones, "Ada from the yard")
    await ones.page.reload()
    await ones.by("button", "Take back the request").click()
    await ask(ones, "Ada from the ferry yard")
    await ask(twos, "Ben from Pier 3")
    await ask(threes, "Buy my watches")
    await twos.by("button", "Account menu").click()
    await twos.by("menuitem", "Your requests to join").click()
    await expect(twos.by("dialog", "Your requests to join")).to_contain_text("Ben from Pier 3")
    await check(twos, "own requests")

    # The console shows them, with a number at its tab.
    await expect(mine.by("img", "3 open requests")).to_be_visible()
    asked = mine.page.locator(".join-requests .person-line")
    await expect(asked).to_have_count(3)
    await expect(asked.filter(has_text=first.id)).to_contain_text("Ada from the ferry yard")
    await expect(asked.filter(has_text=first.id)).to_contain_text("by the invite link “Poster”")
    await check(mine, "links and requests")
    await mine.by("button", f"Decline {third.id}").click()
    await expect(threes.page.get_by_text("Your request was declined.")).to_be_visible()
    await expect(asked).to_have_count(2)
    await mine.page.get_by_label("Select all").check()
    await mine.by("button", "Approve 2 requests").click()
    await expect(mine.page.get_by_text("2 requests approved")).to_be_visible()
    for opened in (ones, twos):
        await expect(opened.page.locator(".conversation-head")).to_contain_text(name)
    roles = [(await user.get(path)).body.get("role") for user in (first, second, third)]
    assert roles == ["member", "member", None]
    await expect(mine.by("img", "3 open requests")).to_be_hidden()

    # A revoked link lets nobody in any more.
    await mine.by("button", "Options for the invite link Poster").click()
    await mine.by("menuitem", "Revoke").click()
    await mine.by("button", "Revoke", exact=True).click()
    await expect(mine.page.get_by_text("No invite links.")).to_be_visible()
    await mine.page.get_by_label("Show", exact=True).select_option("ended")
    await expect(mine.page.locator(".invite-link")).to_contain_text("Revoked")
    threes.expected = ("status of 404",)
    await threes.page.reload()
    await expect(threes.page.get_by_role("alert")).to_contain_text("is not valid")
    await mine.go(console_of(path, "log"))
    await expect(mine.page.locator(".log-entry").first).to_contain_text(
        "revoked the invite link Poster"
    )


async def test_a_group_is_joined_by_an_invite_link(server: Api, window: OpenWindow) -> None:
    owner, guest, member = (server.new_user(name) for name in ("owner", "guest", "member"))
    path = await a_chat_group(owner, member, type="work", name="Crew")
    theirs = await window(member, view_of(path))
    mine = await window(owner, view_of(path))
    for opened, mays in ((theirs, False), (mine, True)):
        head = opened.page.locator(".conversation-head")
        await head.get_by_role("button", name="More options").click()
        await expect(opened.by("menuitem", "Members")).to_be_visible()
        await expect(opened.by("menuitem", "Invite links")).to_have_count(int(mays))
    await mine.by("menuitem", "Invite links").click()
    await mine.page.get_by_label("Admins approve each person").check()
    await mine.by("button", "Create link").click()
    row = mine.page.locator(".invite-link", has_text="Without a name")
    await expect(row).to_contain_text("0 people joined")
    await check(mine, "links of a group")
    address = (await the_address(row)).replace("/i/", "/invite/")
    await mine.page.keyboard.press("Escape")
    guests = await window(guest, address)
    await ask(guests, "Hello, it is me")
    await mine.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await mine.by("menuitem", "Members").click()
    await expect(mine.by("dialog", "Members")).to_contain_text("Hello, it is me")
    await mine.by("button", f"Approve {guest.id}").click()
    await expect(guests.by("textbox", "Write a message")).to_be_visible()
    assert (await guest.get(path)).body["role"] == "member"
    assert id_of(path)
