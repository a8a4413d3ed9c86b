"""Accessibility: axe checks of every view, keyboard, focus, right-to-left, and screenshots of all views."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ViewportSize, expect

from tests.api import Api, User, a_channel, a_chat_group, a_post, fresh, id_of, part
from tests.browser.windows import PHONE, WIDE, OpenWindow, Window, screenshot, view_of

NARROWEST: Final[ViewportSize] = {"width": 320, "height": 640}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # passed checks are not reported
}


async def a_furnished_place(server: Api) -> tuple[User, User, dict[str, str]]:
    """An owner, a reader, and the addresses of all views of their channel, group and chat."""
    owner, reader = server.new_user("owner"), server.new_user("reader")
    await owner.patch("/v1/users/me", {"name": "Grace Mbeki"})
    path = await a_channel(
        owner, reader, name=fresh("Tram news"), introduction="Lines, works, delays"
    )
    for number in range(1, 4):
        await owner.post(
            f"{path}/posts",
            {
                "kind": "text",
                "title": f"Line {number} runs again",
                "text": "Every eight minutes, until midnight.",
                "links": [{"title": "The plan", "url": "https://tram.example/plan"}],
            },
        )
    await reader.put(f"{path}/posts/2/reactions/{part('🎉')}")
    await a_run_channel(owner, reader, path)
    group = await a_chat_group(owner, reader, name="Drivers")
    await a_post(owner, group, "Who takes the early shift?")
    await a_post(reader, group, "I do")
    await owner.put(f"{path}/posts/1/pin")
    invited = await a_channel(owner, name="Bus news")
    await owner.post(f"{invited}/invitations", {"user_id": reader.id})
    for text in ("Are you awake?", "The tram is late"):
        said = {"kind": "text", "text": text}
        await owner.post(f"/v1/conversations/c2c_{part(reader.id)}/messages", said)
    await reader.put("/v1/conversation-groups/Town", {"conversation_ids": [f"group_{id_of(path)}"]})
    console = f"/console/channels/{part(id_of(path))}"
    return (
        owner,
        reader,
        {
            "list": "/",
            "find": "/find",
            "me": "/me",
            "search": "/search?q=eight+minutes",
            "feed": "/feed",
            "channel": view_of(path),
            "chat": view_of(group),
            "with": f"/with/{part(owner.id)}",
            "console": "/console",
            "new": "/console/new",
            "posts": console,
            "inbox": f"{console}/inbox",
            "broadcasts": f"{console}/broadcasts",
            "reports": f"{console}/reports",
            "admins": f"{console}/admins",
            "insights": f"{console}/insights",
            "log": f"{console}/log",
            "profile": f"{console}/profile",
            "subscribers": f"{console}/subscribers",
            "settings": f"{console}/settings",
            "webhooks": f"{console}/webhooks",
        },
    )


async def a_run_channel(owner: User, reader: User, path: str) -> None:
    """Gives the console something to show: drafts, pins, admins, a thread, a report, views."""
    for later in ({}, {"publish_at": (datetime.now(UTC) + timedelta(days=3)).isoformat()}):
        body = {"kind": "text", "text": "Night buses", "silent": True}
        kept = await owner.post(f"{path}/drafts", {"post": body, **later})
        assert kept.status == 201, kept
    await owner.put(f"{path}/posts/1/pin")
    await owner.put(f"{path}/posts/2/reactions-freeze")
    address = {"url": "https://tram.example/events", "description": "Displays at stops"}
    assert (await owner.post(f"{path}/webhooks", address)).status == 201
    await owner.put(f"{path}/admins/{part(reader.id)}", {"grants": ["post", "read_inbox"]})
    await owner.post(f"{path}/invitations", {"user_id": "someone", "grants": ["pin_posts"]})
    await reader.post(f"{path}/posts/views", {"seqs": [1, 2, 3]})
    dialogue = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    asked = await reader.post(dialogue, {"kind": "text", "text": "Does line 4 run, too?"})
    assert asked.status == 201, asked
    await owner.post(
        f"{path}/inbox/{part(reader.id)}/messages", {"kind": "text", "text": "From Monday on."}
    )
    await reader.post(dialogue, {"kind": "text", "text": "Thank you!"})
    await owner.patch(path, {"settings": {"comments": "subscribers"}})
    await reader.post(f"{path}/posts/1/comments", {"kind": "text", "text": "At last!"})
    target = {"type": "comment", "channel_id": id_of(path), "post_seq": 1, "seq": 1}
    said = await owner.post("/v1/reports", {"target": target, "reason": "other"})
    assert said.status == 201, said


SETTLED = """() => Promise.allSettled(
  document.getAnimations()
    .filter((one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished)
).then(() => null)"""


async def check(window: Window, where: str) -> None:
    """Fails with the rule and the element of each violation that axe finds, once what fades in has done so."""
    await window.page.evaluate(SETTLED)
    results = await Axe().run(window.page, options=cast(dict[str, Any], RULES))
    found = [
        f"{where}: {violation['id']} ({violation['help']}): {node['html'][:200]} {node['failureSummary']}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]
    assert not found, "\n".join(found)


READY = {
    "list": ".invitation",
    "find": ".card",
    "me": ".picture-drop",
    "search": ".found-row",
    "feed": ".feed-item",
    "channel": ".pins",
    "chat": "[data-seq='2']",
    "with": "[data-seq='2']",
    "console": ".my-channel",
    "new": ".form",
    "posts": ".posted article",
    "inbox": ".thread-row",
    "broadcasts": ".attach-set",
    "reports": ".reported-comment",
    "admins": ".grants-line",
    "insights": ".chart",
    "log": ".log-entry",
    "profile": ".form",
    "subscribers": ".person",
    "settings": ".form",
    "webhooks": "li.webhook",
}


# Colours depend on the scheme and layout on the width, so two of the four pairs cover both.
@pytest.mark.parametrize(
    ("width", "scheme"),
    [("phone", "dark"), pytest.param("desktop", "light", marks=pytest.mark.long)],
)
async def test_every_view_is_accessible_and_fits_its_window(
    server: Api, window: OpenWindow, width: str, scheme: str
) -> None:
    owner, reader, views = await a_furnished_place(server)
    size = PHONE if width == "phone" else WIDE
    options = {"size": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    windows = {
        "reader": await window(reader, **options),
        "owner": await window(owner, "/console", **options),
    }
    for name, path in views.items():
        is_console = path.startswith("/console")
        opened = windows["owner" if is_console else "reader"]
        await opened.go(path)
        await expect(opened.page.locator(READY[name]).first).to_be_visible()
        if name == "inbox":
            await opened.page.locator(".thread-row").click()
            await expect(opened.page.locator(".thread .text")).to_have_count(3)
        if name == "insights":
            await opened.page.get_by_text("Show as table").first.click()
            await expect(opened.page.locator(".numbers tbody tr").first).to_be_visible()
        await check(opened, f"{name}, {width}, {scheme}")
        scrolls = await opened.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not scrolls, name
        if width == "phone" and not is_console:
            await opened.page.set_viewport_size(NARROWEST)
            wide = await opened.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= NARROWEST["width"], name
            await opened.page.set_viewport_size(PHONE)
        await screenshot(opened.page, f"{name}-{width}-{scheme}")


async def test_menus_dialogs_and_the_sign_in_page_are_accessible(
    server: Api, window: OpenWindow
) -> None:
    _, reader, views = await a_furnished_place(server)
    opened = await window(reader, views["channel"])
    await opened.by("button", "Add reaction").first.click()
    await check(opened, "picker")
    await screenshot(opened.page, "picker")
    await opened.page.keyboard.press("Escape")
    await opened.by("button", "More options", exact=True).last.click()
    await check(opened, "menu")
    await screenshot(opened.page, "menu")
    await opened.by("menuitem", "Unsubscribe").click()
    await check(opened, "dialog")
    await screenshot(opened.page, "dialog")
    await opened.go(views["chat"])
    await opened.page.locator(".own").get_by_role("button", name="Message options").click()
    await opened.by("menuitem", "Edit").click()
    await expect(opened.page.locator(".strip")).to_be_visible()
    await check(opened, "writer that edits")
    await opened.by("button", "Add an emoji").click()
    await expect(opened.by("searchbox", "Search emoji")).to_be_focused()
    await check(opened, "picker of all emoji")
    await screenshot(opened.page, "emoji")
    await opened.page.keyboard.press("Escape")
    await screenshot(opened.page, "editing")
    await (
        opened.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    )
    await opened.by("menuitem", "Members").click()
    await expect(opened.page.locator(".person-line")).to_have_count(2)
    await check(opened, "members")
    await screenshot(opened.page, "members")
    await opened.page.keyboard.press("Escape")
    await opened.by("button", "New chat").click()
    await opened.by("menuitem", "New group").click()
    await opened.page.get_by_label("Add members by user id").fill("bob")
    await opened.by("button", "Add", exact=True).click()
    await check(opened, "new group")
    await screenshot(opened.page, "new-group")
    stranger = await window(reader, signed_in=False)
    await expect(stranger.page.get_by_label("Access token")).to_be_focused()
    await check(stranger, "sign-in")


async def test_the_public_page_is_accessible_and_works_without_scripts(
    server: Api, window: OpenWindow
) -> None:
    _, reader, views = await a_furnished_place(server)
    address = views["channel"].replace("/channels/%40TOA%23_", "/c/")
    for size in (PHONE, WIDE):
        opened = await window(reader, address, signed_in=False, size=size)
        await expect(opened.by("heading", "Line 3 runs again")).to_be_visible()
        await check(opened, "public page")
        assert not await opened.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        await screenshot(opened.page, f"public-{size['width']}")
        await opened.by("link", "Subscribe").click()
        await expect(opened.page.get_by_label("Access token")).to_be_visible()


async def test_a_reader_can_open_a_channel_and_react_by_keyboard(
    server: Api, window: OpenWindow
) -> None:
    _, reader, _ = await a_furnished_place(server)
    opened = await window(reader)
    page = opened.page
    await expect(page.locator("a.row")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(opened.by("link", "Skip to content")).to_be_focused()
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('a.row')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator(".conversation-title h1")).to_be_focused()
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('.chip.add')"):
            break
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowRight")
    await expect(opened.by("button", "React with ❤️")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(opened.by("button", "❤️, 1 reaction")).to_have_attribute("aria-pressed", "true")


async def test_a_closed_dialog_returns_the_focus_unless_it_has_moved_on(
    server: Api, window: OpenWindow
) -> None:
    _, reader, views = await a_furnished_place(server)
    opened = await window(reader, views["channel"])
    profile, opener = opened.by("dialog"), opened.page.locator(".conversation-open")
    await opener.click()
    await opened.page.keyboard.press("Escape")
    await expect(profile).to_have_count(0)
    await expect(opener).to_be_focused()
    await opener.click()
    await expect(profile).to_be_visible()
    await opened.page.evaluate(
        "document.querySelector('dialog').close(); document.querySelector('.row-menu').focus()"
    )
    await expect(profile).to_have_count(0)
    await expect(opened.page.locator(".row-menu")).to_be_focused()


async def test_right_to_left_mirrors_the_page_without_overflow(
    server: Api, window: OpenWindow
) -> None:
    _, reader, views = await a_furnished_place(server)
    opened = await window(reader, views["channel"])
    await expect(opened.page.locator("[data-seq='3']")).to_be_visible()
    await opened.page.evaluate("document.documentElement.dir = 'rtl'")
    sidebar = await opened.page.locator(".sidebar").bounding_box()
    main = await opened.page.locator(".main").bounding_box()
    assert sidebar is not None
    assert main is not None
    assert sidebar["x"] > main["x"]
    assert not await opened.page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_forced_colours_show_what_is_selected(server: Api, window: OpenWindow) -> None:
    _, reader, views = await a_furnished_place(server)
    opened = await window(reader, views["channel"], forced_colors="active")
    await expect(opened.page.locator("[data-seq='3']")).to_be_visible()
    background = "element => getComputedStyle(element).backgroundColor"
    for selected, other in (
        ("a.row[aria-current]", ".conversation-head"),
        (".tab[aria-pressed=true]", ".tab[aria-pressed=false]"),
        (".bar-link[aria-current]", ".bar-link:not([aria-current])"),
    ):
        one = await opened.page.locator(selected).first.evaluate(background)
        assert one != await opened.page.locator(other).first.evaluate(background), selected
