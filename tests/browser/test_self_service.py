"""A channel's buttons, menu and forms for readers, and their editors in the console."""

from typing import Any

from playwright.async_api import Locator, expect

from tests.api import Api, User, a_channel, id_of, part
from tests.browser.test_access import NARROWEST, check
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


async def test_a_reader_uses_buttons_the_menu_and_a_form_by_keyboard(
    server: Api, window: OpenWindow
) -> None:
    owner, reader, other, stranger = (
        server.new_user(name) for name in ("owner", "reader", "other", "eve")
    )
    path = await a_bakery(owner, reader, other)
    mine = await window(reader, view_of(path))
    page = mine.page
    yes = mine.by("button", "Yes", exact=True)
    await yes.focus()
    await page.keyboard.press("Enter")
    await expect(yes.locator(".button-tick")).to_be_visible()
    await expect(yes).to_be_focused()
    await expect(page.locator(".buttons").get_by_role("status")).to_have_text("You chose “Yes”.")
    await expect(yes).to_have_accessible_description("You chose this. 1 person chose this.")
    # Presses of others arrive by themselves; a second one of the reader's own counts nothing.
    again = await other.put(f"{path}/posts/1/buttons/0/press")
    assert again.status == 200, again
    await expect(yes.locator(".button-count")).to_have_text("2")
    await yes.click()
    await expect(page.get_by_text("You have chosen “Yes” before.").last).to_be_visible()
    await expect(yes.locator(".button-count")).to_have_text("2")
    site = mine.by("link", "Site", exact=True)
    await expect(site).to_have_attribute("href", "https://bakery.example/")
    await expect(site).to_have_attribute("rel", "noopener noreferrer nofollow")
    await check(mine, "buttons and a menu")
    await screenshot(page, "self-service-reader")

    # The form: what is wrong is said beside its field, and what was written waits.
    await mine.by("button", "More", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(mine.by("menuitem", "Order", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    form = mine.by("dialog", "Order a cake")
    await expect(form.get_by_role("radio", name="Apple")).to_be_focused()
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Choose one of the answers.")).to_be_visible()
    await form.get_by_label("Plum").check()
    await form.get_by_label("Pieces").fill("many")
    await form.get_by_label("Your address").fill("nobody")
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Enter a number.")).to_be_visible()
    await expect(form.get_by_label("Pieces")).to_be_focused()
    await expect(form.get_by_text("Enter an email address")).to_be_visible()
    await check(mine, "a form with mistakes")
    await screenshot(page, "self-service-form")
    await page.keyboard.press("Escape")
    await mine.by("button", "Order", exact=True).click()
    await expect(form.get_by_label("Plum")).to_be_checked()
    await form.get_by_label("Pieces").fill("2,5")
    # Only the server knows that this is no address.
    await form.get_by_label("Your address").fill("me@bakery..example")
    mine.expected = ("status of 400",)
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Enter an email address")).to_be_visible()
    await form.get_by_label("Your address").fill("me@bakery.example")
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Thank you, see you tomorrow.")).to_be_visible()
    await expect(form.get_by_role("button", name="Done")).to_be_focused()
    await form.get_by_role("link", name="Open the chat").click()
    answer = page.locator(".message.own .form-answer")
    await expect(answer).to_contain_text("Order a cake")
    await expect(answer.locator("dd")).to_have_text(["Plum", "2.5", "me@bakery.example"])

    # In the chat, what an entry sends is seen where it was chosen.
    await mine.by("button", "Hours", exact=True).click()
    await expect(page.locator(".message.own").last).to_contain_text("When are you open?")
    await mine.by("button", "More", exact=True).click()
    await mine.by("menuitem", "Call me").click()
    await expect(page.get_by_text("Bakery knows that you chose “Call me”.")).to_be_visible()
    sent = {"kind": "text", "text": "Is noon fine?", "buttons": [BUTTONS[0]]}
    inbox = f"{path}/inbox/{part(reader.id)}/messages"
    written = await owner.post(inbox, sent)
    assert written.status == 201, written
    await mine.by("button", "Tell me more").click()
    await expect(page.locator(".message.own").last).to_contain_text("Please tell me more")
    await check(mine, "a chat with a menu, buttons and a form")
    await page.set_viewport_size(NARROWEST)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await screenshot(page, "self-service-chat")

    # An admin sees the same in the inbox, with the counts, and cannot press.
    theirs = await window(owner, f"/console/channels/{part(id_of(path))}/inbox")
    await theirs.page.locator(".thread-row").click()
    await expect(theirs.page.locator(".thread .form-answer")).to_contain_text("Plum")
    await expect(theirs.by("button", "Tell me more", exact=True)).to_be_disabled()
    await expect(
        theirs.by("button", "Tell me more", exact=True).locator(".button-count")
    ).to_have_text("1")
    await check(theirs, "a thread with buttons and a form")

    # A menu that is gone leaves the open windows. A reader who has not subscribed sees why nothing happens.
    assert (await owner.delete(f"{path}/menu")).status == 204
    await expect(mine.by("button", "Hours", exact=True)).to_be_hidden()
    strangers = await window(stranger, view_of(path))
    await strangers.by("button", "Yes", exact=True).click()
    await expect(strangers.page.get_by_text("Subscribe to use the buttons")).to_be_visible()


async def test_the_console_edits_what_a_channel_offers_by_itself(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await owner.patch(path, {"settings": {"accept_messages": "everyone"}})
    opened = await window(owner, service_of(path))
    page = opened.page

    async def save(panel: Locator) -> None:
        # What an earlier save said would be taken for this one's.
        await page.evaluate("document.querySelectorAll('.notice').forEach((one) => one.remove())")
        await panel.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_text("Saved").last).to_be_visible()

    # A form, which menu and buttons can open.
    await opened.by("button", "New form").click()
    dialog = opened.by("dialog", "New form")
    await dialog.get_by_label("Title").fill("Order")
    await dialog.get_by_label("Name for your application").first.fill("A Name")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_text("Use small letters")).to_be_visible()
    await dialog.get_by_label("Name for your application").first.fill("order")
    question = dialog.get_by_role("listitem", name="Question 1")
    await question.get_by_label("Question", exact=True).fill("Which bread?")
    await question.get_by_label("Kind of answer").select_option(label="Choice")
    await question.get_by_label("Answers to choose from").fill("Rye\nSpelt\n")
    length = question.get_by_label("Most characters (optional)")
    await expect(length).to_be_hidden()
    await dialog.get_by_role("button", name="Add question").click()
    question = dialog.get_by_role("listitem", name="Question 2")
    await question.get_by_label("Question", exact=True).fill("Your name")
    length = question.get_by_label("Most characters (optional)")
    await length.fill("2001")
    await dialog.get_by_role("button", name="Save").click()
    await expect(question.get_by_text("Enter a number from 1 to 2,000.")).to_be_visible()
    await expect(length).to_be_focused()
    await length.fill("2000")
    await check(opened, "the editor of a form")
    await save(dialog)
    await expect(page.locator(".service-row")).to_contain_text("order, 2 questions")

    menu = opened.by("form", "Menu")
    await menu.get_by_role("button", name="Save").click()
    await expect(menu.get_by_text("Add an entry.")).to_be_visible()
    await menu.get_by_role("button", name="Add entry").click()
    entry = menu.get_by_role("listitem", name="Entry 1").first
    await entry.get_by_label("Label").fill("More")
    await entry.get_by_label("What it does").select_option(label="Opens a list")
    await menu.get_by_role("button", name="Save").click()
    below = entry.get_by_role("list", name="Entries of the list").get_by_role("listitem")
    await expect(below.get_by_label("Label")).to_be_focused()
    await below.get_by_label("Label").fill("Order")
    await below.get_by_label("What it does").select_option(label="Opens a form")
    await expect(below.get_by_label("Form", exact=True)).to_have_value("order")
    await save(menu)

    # What is not saved is kept while the app runs.
    greeting = opened.by("form", "Greeting")
    await greeting.get_by_label("Text of the greeting").fill("Welcome!")
    await greeting.get_by_role("button", name="Add button").click()
    await greeting.get_by_label("Label").fill("Site")
    await greeting.get_by_label("What it does").select_option(label="Opens a link")
    await greeting.get_by_label("Address").fill("nowhere")
    await page.locator(".channel-tabs").get_by_role("link", name="Profile").click()
    await page.locator(".channel-tabs").get_by_role("link", name="Self-service").click()
    await expect(greeting.get_by_label("Address")).to_have_value("nowhere")
    await greeting.get_by_role("button", name="Save").click()
    await expect(greeting.get_by_text("Enter an address that starts with")).to_be_visible()
    await greeting.get_by_label("Address").fill("https://bakery.example/")
    await save(greeting)

    await opened.by("button", "New automatic answer").click()
    dialog = opened.by("dialog", "New automatic answer")
    await dialog.get_by_label("Name").fill("Hours")
    await dialog.get_by_label("Keywords").fill("hours, open")
    await dialog.get_by_label("Answer", exact=True).fill("From nine to five.")
    await check(opened, "the editor of an automatic answer")
    await save(dialog)
    await expect(page.get_by_text("To: hours, open")).to_be_visible()

    hours = opened.by("form", "Opening hours")
    await hours.get_by_role("button", name="Add hours on Monday").click()
    await hours.get_by_label("Monday to").fill("08:00")
    await hours.get_by_label("Answer while closed", exact=True).fill("We are closed.")
    await hours.get_by_role("button", name="Save").click()
    await expect(hours.get_by_text("Check the hours of Monday")).to_be_visible()
    await hours.get_by_label("Monday to").fill("17:00")
    await hours.get_by_label("Time zone").select_option("Europe/Berlin")
    await hours.get_by_label("Closed on these days").fill("2030-12-25")
    await hours.get_by_role("button", name="Add day").click()
    await save(hours)
    await check(opened, "what a channel offers by itself")
    await page.set_viewport_size({"width": 1280, "height": 3600})
    await screenshot(page, "self-service-console")
    await page.set_viewport_size(NARROWEST)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320

    stored = {
        name: (await owner.get(f"{path}/{name}")).body
        for name in ("menu", "greeting", "auto-replies", "opening-hours", "forms")
    }
    assert stored["menu"]["entries"][0]["entries"][0]["form"] == "order"
    assert stored["greeting"]["buttons"][0][0]["url"] == "https://bakery.example/"
    assert stored["auto-replies"]["items"][0]["keywords"] == ["hours", "open"]
    assert stored["opening-hours"]["weekly"]["mon"] == [["09:00", "17:00"]]
    assert stored["opening-hours"]["closed_dates"] == ["2030-12-25"]
    bread, name = stored["forms"]["items"][0]["fields"]
    assert (bread["options"], bread["max_length"]) == (["Rye", "Spelt"], None)
    assert (name["kind"], name["max_length"]) == ("text", 2000)
    await page.locator(".channel-tabs").get_by_role("link", name="Log").click()
    await expect(page.get_by_text("another menu")).to_be_visible()
    await page.locator(".channel-tabs").get_by_role("link", name="Self-service").click()
    await greeting.get_by_role("button", name="Delete greeting").click()
    await opened.by("dialog", "Delete greeting").get_by_role("button", name="Delete").click()
    await expect(greeting.get_by_label("Text of the greeting")).to_have_value("")

    # The composer: buttons in rows beside the preview, kept with the draft.
    await page.set_viewport_size({"width": 1280, "height": 1000})
    await opened.go(console_of(path))
    await page.get_by_label("Text", exact=True).fill("Bread?")
    for label in ("Yes", "Order"):
        await opened.by("button", "Add button").click()
        await page.get_by_label("Label").last.fill(label)
    first, second = (opened.by("listitem", f"Button {n}") for n in (1, 2))
    await first.get_by_label("Text that the person sends").fill("Yes please")
    await second.get_by_label("What it does").select_option(label="Opens a form")
    await second.get_by_label("In the same row").check()
    preview = page.locator(".preview-stage .button-row")
    await expect(preview.get_by_role("button", name="Yes")).to_be_disabled()
    await expect(preview.get_by_role("button")).to_have_count(2)
    await page.reload()
    await expect(second.get_by_label("Label")).to_have_value("Order")
    await check(opened, "the composer with buttons")
    await screenshot(page, "self-service-composer")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.locator(".posted .button-row")).to_contain_text("Yes")
    rows = (await owner.get(f"{path}/posts")).items[0]["buttons"]
    assert [[one["kind"] for one in row] for row in rows] == [["reply", "form"]]
    mine = await window(reader, view_of(path))
    await mine.by("button", "Yes", exact=True).click()
    await mine.page.get_by_text("“Yes please” was sent").click()
    await expect(mine.page.locator(".message.own")).to_contain_text("Yes please")
    await expect(page.locator(".posted .button-count").first).to_have_text("1")

    # Readers see what was sent by itself as such.
    writer = mine.by("textbox", "Write a message")
    await writer.fill("When are you open?")
    await writer.press("Enter")
    automatic = mine.page.locator(".message:not(.own)").last
    await expect(automatic).to_contain_text("From nine to five.")
    await expect(automatic.locator(".meta")).to_contain_text("automatic")
