"""Several tabs of one browser: one session, and what happens at addresses without a page."""

from playwright.async_api import expect

from tests.api import Api, a_channel
from tests.browser.windows import OpenWindow, Window


async def test_a_new_tab_is_signed_in_and_signing_out_ends_all_tabs_of_the_user(
    server: Api, window: OpenWindow
) -> None:
    owner, ada, bob = (server.new_user(name) for name in ("owner", "ada", "bob"))
    await a_channel(owner, ada, name="Trams")
    first = await window(ada)
    context = first.page.context
    row = first.page.locator("a.row", has_text="Trams")
    opened = []
    for options in ({"modifiers": ["Control"]}, {"button": "middle"}):
        async with context.expect_page() as opening:
            await row.click(**options)
        page = await opening.value
        opened.append(page)
        await expect(page.locator(".conversation-title h1")).to_have_text("Trams")
        await expect(page).to_have_title("Trams – Channels")
    # Another user beside: a new tab is of the user whose tab was used last.
    bobs = Window(await context.new_page(), bob)
    await bobs.go(f"/find#token={bob.token}")
    await expect(bobs.by("heading", "Find channels")).to_be_visible()
    await bobs.page.bring_to_front()
    await bobs.by("heading", "Find channels").click()
    again = await context.new_page()
    await again.goto(server.base)
    await again.get_by_role("button", name="Account menu").click()
    await again.get_by_role("menuitem", name="Profile and settings").click()
    await expect(again.get_by_text(f"Signed in as {bob.id}")).to_be_visible()

    await first.page.bring_to_front()
    await first.by("button", "Account menu").click()
    await first.by("menuitem", "Sign out").click()
    for ended in (first.page, *opened):
        await expect(ended.get_by_label("Access token")).to_be_visible()
        assert await ended.evaluate("sessionStorage.length") == 0
    await expect(bobs.by("heading", "Find channels")).to_be_visible()


async def test_an_address_without_a_page_leads_home(server: Api, window: OpenWindow) -> None:
    lost = await window(server.new_user("lost"), "/nowhere/at/all", signed_in=False)
    lost.expected = ("status of 404",)
    await expect(lost.by("heading", "Page not found")).to_be_visible()
    await lost.by("link", "Open Channels").click()
    await expect(lost.page.get_by_label("Access token")).to_be_visible()


async def test_the_start_makes_one_call_and_loads_only_what_it_shows(
    server: Api, window: OpenWindow
) -> None:
    owner, ada = server.new_user("owner"), server.new_user("ada")
    await a_channel(owner, ada, name="Trams")
    opened = await window(ada, "/nowhere", signed_in=False)
    opened.expected = ("status of 404",)
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(request.url.removeprefix(server.base)))
    await opened.go(f"/#token={ada.token}")
    await expect(opened.page.locator("a.row", has_text="Trams")).to_be_visible()
    await opened.page.wait_for_load_state("networkidle")
    calls = [path for path in asked if path.startswith("/v1/")]
    assert calls[0] == "/v1/sync?limit=100"
    # On a slow line the socket comes later, and what changed meanwhile is asked for: no list.
    assert [path for path in calls[1:] if "since=" not in path] == []
    assert not [path for path in asked if "/js/conversation/" in path or "/js/console/" in path]
    assert len(asked) <= 42, asked
