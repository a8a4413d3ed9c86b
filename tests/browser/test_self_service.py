"""What a channel offers by itself: buttons, its menu and its forms for readers, and their editors in the console."""

from typing import Any

from playwright.async_api import Locator, expect

from tests.api import Api, User, a_channel, id_of, part
from tests.browser.test_access import check
from tests.browser.test_composer import console_of
from tests.browser.windows import OpenWindow, screenshot, view_of

ORDER = {
    "title": "Order a cake",
    "text": "We bake it for the next day.",
    "fields": [
        {"name": "cake", "label": "Cake", "kind": "choice", "options": ["Apple", "Plum"]},
        {"name": "pieces", "label": "Pieces", "kind": "number"},
        {"name": "mail", "label": "Your address", "kind": "email"},
        {"name": "note", "label": "Anything else", "kind": "long_text", "required": False},
    ],
    "confirmation": "Thank you, see you tomorrow.",
}
MENU = [
    {"text": "Hours", "kind": "reply", "reply": "When are you open?"},
    {
        "text": "More",
        "entries": [
            {"text": "Order", "kind": "form", "form": "order"},
            {"text": "Call me", "kind": "event", "data": "call"},
            {"text": "Our site", "kind": "link", "url": "https://bakery.example/"},
        ],
    },
]
BUTTONS = [
    [
        {"text": "Yes", "kind": "event", "data": "yes"},
        {"text": "Tell me more", "kind": "reply", "reply": "Please tell me more"},
    ],
    [
        {"text": "Site", "kind": "link", "url": "https://bakery.example/"},
        {"text": "Order", "kind": "form", "form": "order"},
    ],
]


def thread_of(path: str) -> str:
    """The app's address of the one-to-one chat with the channel."""
    return f"/with/{part(id_of(path))}"


def service_of(path: str) -> str:
    return f"/console/channels/{part(id_of(path))}/service"


async def a_bakery(owner: User, *readers: User) -> str:
    """A channel with a menu, a form and a post with buttons."""
    path = await a_channel(owner, *readers)
    await owner.patch(path, {"name": "Bakery", "settings": {"accept_messages": "everyone"}})
    for call, body in (
        ("forms/order", ORDER),
        ("menu", {"entries": MENU}),
    ):
        stored = await owner.put(f"{path}/{call}", body)
        assert stored.status == 200, stored
    post: dict[str, Any] = {"kind": "text", "text": "Plum cake tomorrow?", "buttons": BUTTONS}
    posted = await owner.post(f"{path}/posts", post)
    assert posted.status == 201, posted
    return path


def pressed(button: Locator) -> Any:
    return expect(button.locator(".button-tick"))


async def test_buttons(server: Api, window: OpenWindow) -> None:
    owner, reader, other, stranger = (
        server.new_user(name) for name in ("owner", "reader", "other", "eve")
    )
    path = await a_channel(owner, reader, other)
    await owner.patch(path, {"name": "Bakery", "settings": {"accept_messages": "everyone"}})
    post: dict[str, Any] = {"kind": "text", "text": "Plum cake tomorrow?", "buttons": BUTTONS}
    posted = await owner.post(f"{path}/posts", post)
    assert posted.status == 201, posted
    mine = await window(reader, view_of(path))
    yes = mine.by("button", "Yes", exact=True)
    await yes.focus()
    await mine.page.keyboard.press("Enter")
    await pressed(yes).to_be_visible()
    await expect(mine.page.get_by_role("status").filter(has_text="You chose “Yes”.")).to_have_count(
        1
    )
    await screenshot(mine.page, "buttons")
    await check(mine, "buttons")
    voted = await other.put(f"{path}/posts/1/buttons/0/press")
    assert voted.status == 200
    await expect(yes.locator(".button-count")).to_have_text("2")
    await mine.by("button", "Tell me more").click()
    await mine.page.get_by_text("was sent to Bakery").click()
    await expect(mine.page.locator(".message.own")).to_contain_text("Please tell me more")

    c = await window(owner, console_of(path))
    await c.by("button", "Add button").click()
    await c.page.get_by_label("Text", exact=True).nth(1).fill("Yes")
    await screenshot(c.page, "composer-buttons")
