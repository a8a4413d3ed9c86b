"""Hostile names and texts (markup, scripts, bidi controls, maximum length) are shown as plain text everywhere."""

from playwright.async_api import Page, expect

from tests.api import Api, User, a_channel, a_chat_group, fresh, id_of, part
from tests.browser.windows import PHONE, OpenWindow, view_of

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>window.owned=1</script>"
QUOTES = "\"'><svg/onload=window.owned=1>{{7*7}}${7*7}"
TURNED = "\u202egnp.exe \u2066 \u200b\u0301\u0301\u0301"
TEXTS = {"markup": MARKUP, "quotes": QUOTES, "turned": TURNED}


async def nothing_happened(page: Page) -> None:
    """No injected script ran, and no injected element is on the page."""
    assert await page.evaluate("window.owned") is None
    assert await page.title() != "owned"  # it may hold the name of what is shown
    assert await page.locator("img[src='x'], svg[onload], #app script").count() == 0


async def a_hostile_channel(owner: User, reader: User, text: str) -> str:
    """A channel and posts with the text in every field."""
    path = await a_channel(
        owner,
        reader,
        name=text,
        introduction=text,
        organization=text,
        custom_data=text,
        face_url="https://tracker.example/pixel.png?who=%3Cb%3E",
    )
    for body in (
        {"kind": "text", "title": text, "text": f"{text} https://x.example/{part(text)}"},
        {
            "kind": "text",
            "text": text,
            "links": [{"title": text, "url": "https://x.example/?a=<b>"}],
        },
        {"kind": "custom", "custom": {text: [text]}},
        {
            "kind": "location",
            "location": {"latitude": 1.5, "longitude": -2, "name": text, "address": text},
        },
    ):
        posted = await owner.post(f"{path}/posts", body)
        assert posted.status == 201, posted
    return path


async def test_markup_in_a_channel_is_shown_as_text(server: Api, window: OpenWindow) -> None:
    for name, text in TEXTS.items():
        owner, reader = server.new_user("owner"), server.new_user(name)
        await owner.patch("/v1/users/me", {"name": text})
        await reader.patch("/v1/users/me", {"name": text})
        path = await a_hostile_channel(owner, reader, text)
        folder = text.encode()[:32].decode(errors="ignore")
        await reader.put(f"/v1/conversation-groups/{part(folder)}")
        opened = await window(reader, view_of(path))
        await expect(opened.page.locator("[data-seq='1'] .title")).to_have_text(text)
        await expect(opened.page.locator(".conversation-title h1")).to_have_text(text)
        await expect(opened.page.locator(".row-title")).to_have_text(text)
        await expect(opened.page.locator("a.folder > span").first).to_have_text(folder)
        hrefs = await opened.page.locator(".post-body a").evaluate_all(
            "all => all.map(a => a.href)"
        )
        assert hrefs
        assert {href.partition("://")[0] for href in hrefs} == {"https"}
        await opened.page.locator(".conversation-open").click()
        profile = opened.page.get_by_role("dialog")
        await expect(profile.get_by_role("heading")).to_have_text(text)
        await opened.page.keyboard.press("Escape")
        await expect(profile).to_be_hidden()
        await opened.page.locator(".row-menu").focus()
        await opened.page.keyboard.press("Enter")
        await expect(opened.page.get_by_role("menu")).to_contain_text(folder)
        await opened.page.keyboard.press("Escape")
        await nothing_happened(opened.page)


async def test_markup_in_a_chat_group_is_shown_as_text(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    await bob.patch("/v1/users/me", {"name": MARKUP[:100]})
    path = await a_chat_group(ada, bob, name=QUOTES, introduction=MARKUP, notification=MARKUP)
    for text in TEXTS.values():
        await bob.post(f"{path}/messages", {"kind": "text", "text": text})
    opened = await window(ada, view_of(path))
    for seq, text in enumerate(TEXTS.values(), start=1):
        await expect(opened.page.locator(f"[data-seq='{seq}'] .text")).to_have_text(text)
    await expect(opened.page.locator(".sender").first).to_have_text(MARKUP[:100])
    await opened.by("textbox", "Write a message").fill(MARKUP)
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.locator(".own .text")).to_have_text(MARKUP)
    await nothing_happened(opened.page)


async def test_markup_in_one_to_one_chats_is_shown_as_text(server: Api, window: OpenWindow) -> None:
    ada = server.new_user("ada")
    mallory = server.user_of(f"<b>'\"{fresh('m')}</b>")
    await mallory.patch("/v1/users/me", {"name": MARKUP[:100]})
    for text in TEXTS.values():
        said = {
            "kind": "text",
            "text": text,
            "links": [{"title": text, "url": "https://x.example"}],
        }
        await mallory.post(f"/v1/conversations/c2c_{part(ada.id)}/messages", said)
    opened = await window(ada, f"/with/{part(mallory.id)}")
    page = opened.page
    for seq, text in enumerate(TEXTS.values(), start=1):
        await expect(page.locator(f"[data-seq='{seq}'] .text")).to_have_text(text)
        await expect(page.locator(f"[data-seq='{seq}'] .link-title")).to_have_text(text)
    await expect(page.locator(".conversation-title h1")).to_have_text(MARKUP[:100])
    await opened.by("textbox", "Write a message").fill(MARKUP)
    await page.keyboard.press("Enter")
    await page.locator(".own").get_by_role("button", name="Message options").click()
    await opened.by("menuitem", "Edit").click()
    await expect(page.locator(".strip .soft")).to_have_text(MARKUP)
    await page.keyboard.press("Escape")
    await page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await opened.by("menuitem", "Block").click()
    await expect(page.get_by_role("dialog")).to_contain_text(MARKUP[:100])
    await page.keyboard.press("Escape")
    await opened.by("button", "New chat").click()
    await opened.by("menuitem", "New group").click()
    await page.get_by_label("Group name").fill(QUOTES)
    await page.get_by_label("Add members by user id").fill(mallory.id)
    await opened.by("button", "Add", exact=True).click()
    await expect(page.locator(".shelf").last).to_contain_text(mallory.id)
    await opened.by("button", "Create group").click()
    await expect(page.locator(".conversation-title h1")).to_have_text(QUOTES)
    await page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await opened.by("menuitem", "Members").click()
    await expect(page.locator(".person-name", has_text=MARKUP[:100])).to_be_visible()
    await nothing_happened(page)


async def test_markup_in_pins_forwards_and_invitations_is_shown_as_text(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    await owner.patch("/v1/users/me", {"name": MARKUP[:100]})
    source = await a_channel(owner, name=QUOTES)
    await owner.post(f"{source}/posts", {"kind": "text", "text": MARKUP})
    path = await a_channel(owner, reader, settings={"signatures": True})
    forward = {"forward": {"channel_id": id_of(source), "seq": 1}}
    assert (await owner.post(f"{path}/posts", forward)).status == 201
    await owner.put(f"{path}/posts/1/pin")
    await owner.post(f"{source}/invitations", {"user_id": reader.id})
    opened = await window(reader, view_of(path))
    page = opened.page
    await expect(page.locator(".pin-text")).to_have_text(MARKUP)
    await expect(page.locator(".forwarded")).to_have_text(f"Forwarded from {QUOTES}")
    await expect(page.locator(".signature")).to_have_text(f"by {MARKUP[:100]}")
    await expect(page.locator(".invitation")).to_contain_text(QUOTES)
    await (
        page.locator("[data-seq='1']")
        .get_by_role("link", name="Message this channel about")
        .click()
    )
    await expect(page.locator(".strip .soft")).to_have_text(MARKUP[:80])
    await nothing_happened(page)
    await opened.go(f"/with/{part(MARKUP[:24])}")
    await expect(page.locator(".conversation-title h1")).to_have_text(MARKUP[:24])
    await nothing_happened(page)


async def test_markup_in_the_console_is_shown_as_text(server: Api, window: OpenWindow) -> None:
    owner = server.new_user("owner")
    opened = await window(owner, "/console/new")
    page = opened.page
    for label in ("Name", "Description", "Organization", "Custom data"):
        await page.get_by_label(label).fill(MARKUP)
    channel_id = f"a'\"<b>{fresh('x')}"
    await page.get_by_label("Address").fill(channel_id)
    await opened.by("button", "Create channel").click()
    await expect(page.locator(".head-text h1")).to_have_text(MARKUP)
    await page.get_by_label("Title", exact=True).fill(QUOTES)
    await page.get_by_label("Text", exact=True).fill(MARKUP)
    await opened.by("button", "Add link").click()
    await page.get_by_label("Link text").fill(MARKUP)
    url = page.get_by_label("Address (https://…)")
    for trap in ("javascript:alert(1)", "data:text/html,<script>1</script>", "JaVaScRiPt:x"):
        await url.fill(trap)
        await opened.by("button", "Post", exact=True).click()
        await expect(page.get_by_text("Enter an address that starts with https://")).to_be_visible()
        await expect(url).to_be_focused()
    await url.fill("https://x.example/")
    await expect(page.locator(".preview-stage .link-title")).to_have_text(MARKUP)
    await opened.by("button", "Post", exact=True).click()
    await expect(page.locator(".posted .title")).to_have_text(QUOTES)
    await expect(page.locator(".posted .text")).to_have_text(MARKUP)
    await opened.by("link", "Settings").click()
    await opened.by("button", "Delete channel").click()
    await expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    await nothing_happened(page)


async def test_texts_of_maximum_length_do_not_widen_a_page(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, name="W" * 150, organization="X" * 500)
    await owner.post(f"{path}/posts", {"kind": "text", "title": "T" * 150, "text": "Z" * 900})
    talk = f"/v1/conversations/c2c_{part(id_of(path))}/messages"
    await reader.post(talk, {"kind": "text", "text": "Q" * 900})
    opened = await window(owner, size=PHONE)
    page = opened.page
    await expect(page.locator("a.row").first).to_be_visible()  # signed in, before the page is left
    console = f"/console/channels/{part(id_of(path))}"
    views = ["/console", console, f"/c/{part(id_of(path).removeprefix('@TOA#_'))}"]
    for view in views:
        await opened.go(view)
        await expect(page.locator("h1, .card-title", has_text="WWW").first).to_be_visible()
        width = await page.evaluate(
            "Math.max(...[document.documentElement, ...document.querySelectorAll('.page')].map(e => e.scrollWidth))"
        )
        assert width <= PHONE["width"], view
    # Under a header of maximum height, the writer is still in the window.
    await opened.go(f"{console}/inbox")
    await page.locator(".thread-row").click()
    await expect(page.locator(".thread .text")).to_be_visible()
    await expect(opened.by("textbox", "Write a message")).to_be_in_viewport(ratio=1)


async def test_markup_in_an_address_is_shown_as_text(server: Api, window: OpenWindow) -> None:
    opened = await window(server.new_user("ada"), f"/channels/{part(MARKUP)}")
    opened.expected = ("status of 404", "status of 400")
    await expect(opened.page.get_by_role("alert")).to_be_visible()
    await nothing_happened(opened.page)
    await opened.go(f"/folders/{part(MARKUP)}")
    await expect(opened.page.locator(".list-title")).to_have_text(MARKUP)
    await nothing_happened(opened.page)


async def test_no_picture_is_loaded_from_another_host(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, face_url="https://tracker.example/pixel.png")
    opened = await window(reader)
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(request.url))
    await opened.page.locator("a.row").click()
    await expect(opened.page.locator(".conversation-title h1")).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith(server.base)] == []
    assert id_of(path)


async def test_every_breach_of_the_security_policy_is_noticed(
    server: Api, window: OpenWindow
) -> None:
    """Makes sure that these tests would notice a breach."""
    opened = await window(server.new_user("ada"))
    opened.expected = ("Content Security Policy", "Trusted", "TrustedHTML", "ERR_BLOCKED")
    await expect(opened.by("link", "Console")).to_be_visible()
    for breach in (
        "document.body.append(Object.assign(new Image(), {src: 'https://x.example/a.png'}))",
        "document.body.append(Object.assign(document.createElement('iframe'), {src: '/docs'}))",
        "fetch('https://x.example/').catch(() => {})",
    ):
        told = len(opened.errors)
        await opened.page.evaluate(f"() => {{ {breach} }}")
        for _ in range(100):
            if len(opened.errors) > told:
                break
            await opened.page.wait_for_timeout(20)
        assert len(opened.errors) > told, breach
    refused = await opened.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } }"
    )
    assert refused
