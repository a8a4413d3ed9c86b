"""The documentation in a browser: themes, widths, the keyboard, and the policy, which any breach fails."""

from typing import Any, Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ViewportSize, expect

from tests.api import Api
from tests.browser.windows import PHONE, WIDE, OpenWindow

GUIDE: Final = "/docs/contributing"
NARROW: Final[ViewportSize] = {"width": 320, "height": 640}


async def sees_violations(page: Any) -> list[str]:
    found = (await Axe().run(page)).response
    assert len(found["passes"]) > 20
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
async def test_pages_are_accessible(server: Api, window: OpenWindow, scheme: str) -> None:
    opened = await window(server.bearer(None), GUIDE, signed_in=False, color_scheme=scheme)
    assert await sees_violations(opened.page) == []
    await opened.go("/docs/api/drafts")
    assert await sees_violations(opened.page) == []
    await opened.page.get_by_role("combobox").fill("draft")
    await expect(opened.by("option").first).to_be_visible()
    assert await sees_violations(opened.page) == []


@pytest.mark.parametrize(
    "size", [pytest.param(PHONE, marks=pytest.mark.long), NARROW], ids=["phone", "narrow"]
)
async def test_a_narrow_page_scrolls_only_downwards(
    server: Api, window: OpenWindow, size: ViewportSize
) -> None:
    opened = await window(server.bearer(None), GUIDE, signed_in=False, size=size)
    for path in (GUIDE, "/docs/api", "/docs/api/schemas", "/docs/search?q=post"):
        await opened.go(path)
        assert await opened.page.evaluate("document.documentElement.scrollWidth") == size["width"]
    await opened.by("button", "Menu").click()
    menu = opened.by("navigation", "Documentation")
    await expect(menu.get_by_role("link", name="All calls")).to_be_visible()
    await opened.page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()


async def test_the_search_works_by_keyboard(server: Api, window: OpenWindow) -> None:
    opened = await window(server.bearer(None), GUIDE, signed_in=False)
    page, search = opened.page, opened.page.get_by_role("combobox")
    await page.keyboard.press("/")
    await expect(search).to_be_focused()
    await page.keyboard.type("upload a file")
    await expect(opened.by("option").first).to_contain_text("Upload a file")
    await page.keyboard.press("ArrowDown")
    await expect(opened.by("option").first).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(opened.by("heading", "Upload a file", level=2)).to_be_in_viewport()
    await search.fill("zzzz")
    await search.press("Enter")
    await expect(opened.by("main")).to_contain_text("Nothing contains zzzz")


async def test_the_search_works_without_script(server: Api, window: OpenWindow) -> None:
    opened = await window(server.bearer(None), GUIDE, signed_in=False, java_script_enabled=False)
    search = opened.page.get_by_role("searchbox")
    await search.fill("upload a file")
    await search.press("Enter")
    await opened.by("main").get_by_role("link", name="Upload a file").click()
    await expect(opened.by("heading", "Upload a file", level=2)).to_be_in_viewport()


async def test_code_is_copied_and_old_addresses_lead_to_their_call(
    server: Api, window: OpenWindow
) -> None:
    opened = await window(server.bearer(None), GUIDE, signed_in=False, size=WIDE)
    await opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = opened.page.locator(".code").first
    await block.hover()
    await block.get_by_role("button", name="Copy").click()
    await expect(block.get_by_role("button", name="Copied")).to_be_visible()
    copied = await opened.page.evaluate("navigator.clipboard.readText()")
    assert copied == await block.locator("code").text_content()
    await opened.go("/docs#/Channel%20inbox/channel_inbox_list_threads")
    await opened.page.wait_for_url("**/docs/api/channel-inbox#list-threads")


async def test_the_app_opens_the_documentation(server: Api, window: OpenWindow) -> None:
    opened = await window(server.new_user("ada"))
    await opened.by("button", "Account menu").click()
    async with opened.page.context.expect_page() as docs:
        await opened.by("menuitem", "Documentation").click()
    assert (await docs.value).url == f"{server.base}/docs"
