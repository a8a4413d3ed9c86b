"""A server that stands still or is gone: what users are told, what they keep, and what they can read meanwhile."""

import asyncio
import time
from collections.abc import Awaitable

from playwright.async_api import Page, expect

from tests.api import PATIENCE_SECONDS, a_channel, a_chat_group, a_post, id_of
from tests.browser.windows import GONE, OpenWindow, Window, shown_seqs, view_of
from tests.flows.server_process import ServerProcess

SOON_SECONDS = 10.0


async def within(seconds: float, done: Awaitable[None]) -> None:
    """Waits for it, and fails if it took longer. Timers of a page may be late on a busy machine."""
    started = time.monotonic()
    await done
    assert time.monotonic() - started < seconds + 2


async def test_a_server_that_stands_still_is_noticed_and_nothing_is_lost(
    process: ServerProcess, window: OpenWindow
) -> None:
    owner, reader = process.user_of("owner"), process.user_of("reader")
    path = await a_channel(owner, reader, name="Trams")
    other = await a_channel(owner, reader, name="Buses")
    group = await a_chat_group(owner, reader, name="Drivers")
    await a_post(owner, path, "Line 3 runs again")
    await a_post(owner, other, "Stop moved")
    opened, writer = await window(reader, view_of(path)), await window(reader, view_of(group))
    opened.expected = writer.expected = GONE
    await expect(opened.page.locator("[data-seq='1']")).to_be_visible()
    field = writer.by("textbox", "Write a message")
    await field.fill("I take the early shift")

    process.freeze()
    banner = opened.page.get_by_text("The server does not answer. Trying again")
    refused = ".notice", "The server does not answer. What you entered is still here."
    await asyncio.gather(
        within(SOON_SECONDS, expect(banner).to_be_visible()),
        told_of_reaction(opened, refused),
        told_of_message(writer, refused),
    )
    await expect(field).to_have_value("I take the early shift")
    await opened.page.locator("a.row", has_text="Buses").click()
    again = opened.by("button", "Try again")
    await within(SOON_SECONDS, expect(again).to_be_visible())

    process.resume()
    await expect(opened.page.get_by_text("Stop moved").last).to_be_visible()
    await expect(again).to_have_count(0)
    await expect(banner).to_be_hidden()
    await field.press("Enter")
    await expect(field).to_have_value("")
    await expect(writer.page.locator(".message")).to_have_count(1)

    # The browser itself knows, too.
    await opened.page.context.set_offline(True)
    await expect(opened.page.get_by_text("You are offline.")).to_be_visible()
    await opened.page.context.set_offline(False)
    await expect(opened.page.get_by_text("You are offline.")).to_be_hidden()


async def told_of_reaction(opened: Window, refused: tuple[str, str]) -> None:
    await opened.by("button", "Add reaction").click()
    await opened.by("button", "React with 🎉").click()
    notice = opened.page.locator(refused[0], has_text=refused[1])
    await within(SOON_SECONDS, expect(notice).to_be_visible())


async def told_of_message(opened: Window, refused: tuple[str, str]) -> None:
    await opened.page.keyboard.press("Enter")
    notice = opened.page.locator(refused[0], has_text=refused[1])
    await within(SOON_SECONDS, expect(notice).to_be_visible())
    app, covering = await opened.page.locator("#app").bounding_box(), await notice.bounding_box()
    assert app is not None
    assert covering is not None
    assert covering["y"] >= app["y"] + app["height"], "it covers a part of the app"


KEPT = """async () => {
  // Opening one that is not there would make it.
  if (!(await indexedDB.databases()).some(({ name }) => name === "channels.kept")) return [];
  const database = await new Promise((resolve) => {
    const request = indexedDB.open("channels.kept");
    request.onsuccess = () => resolve(request.result);
  });
  const records = database.transaction("records").objectStore("records");
  return new Promise((resolve) => {
    const request = records.getAll();
    request.onsuccess = () => resolve(request.result.map(({ user, key, data }) =>
      [user, JSON.parse(key)[1], new TextDecoder().decode(data)]));
  });
}"""


async def kept_by(opened: Window) -> list[list[str]]:
    """The user, the name and the bytes as text of each record on the device."""
    found = await opened.page.evaluate(KEPT)
    assert isinstance(found, list)
    return found


async def until_kept(opened: Window, names: set[str]) -> None:
    """Waits until exactly these records are on the device."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while {name for _, name, _ in await kept_by(opened)} != names:
            await asyncio.sleep(0.1)


async def seen_by_scrolling(page: Page, first: int) -> set[int]:
    """Scrolls up to this post. Returns all that were shown, of which the page has only those near the visible ones."""
    seen = set(await shown_seqs(page))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while first not in seen:
            await page.locator(".scroller").evaluate("e => e.scrollTop = 0")
            await asyncio.sleep(0.05)
            seen |= set(await shown_seqs(page))
    return seen


async def test_what_was_read_is_readable_without_the_server_until_its_user_signs_out(
    process: ServerProcess, window: OpenWindow
) -> None:
    owner, reader = process.user_of("owner"), process.user_of("reader")
    path = await a_channel(owner, reader, name="Trams")
    for number in range(1, 54):
        await a_post(owner, path, f"secret number {number}")
    opened = await window(reader, signed_in=False, service_workers="allow")
    opened.expected = GONE
    page = opened.page
    await page.add_init_script("navigator.setAppBadge = async (n) => { window.badge = n; }")
    await opened.go(f"/#token={reader.token}")
    await expect(page.locator("a.row .badge")).to_have_text("53")
    assert await page.evaluate("window.badge") == 53
    await until_kept(opened, {"list"})
    await page.locator("a.row").click()
    await expect(page.locator(".unread-line")).to_be_visible()
    await page.locator(".to-newest").click()
    await expect(page.locator("[data-seq='53']")).to_be_in_viewport()
    await page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    await until_kept(opened, {"list", f"channel {id_of(path)}"})
    kept = await kept_by(opened)
    assert 1 in await seen_by_scrolling(page, 1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await kept_by(opened) == kept:
            await asyncio.sleep(0.1)
    for user, _, data in await kept_by(opened):
        assert user == reader.id
        assert "secret" not in data

    await process.kill()
    await page.reload()
    await expect(page.get_by_text("Connection lost. Reconnecting")).to_be_visible()
    await expect(page.locator("[data-seq]").first).to_be_visible()
    if await page.locator(".to-newest").is_visible():
        await page.locator(".to-newest").click()
    await expect(page.locator("[data-seq='53']")).to_contain_text("secret number 53")
    assert await seen_by_scrolling(page, 4) == set(range(4, 54))  # the last 50
    await expect(page.locator("[data-seq='4']")).to_contain_text("secret number 4")
    await expect(page.get_by_text("This is the beginning")).to_be_hidden()
    await expect(page.locator("a.row", has_text="Trams")).to_be_visible()

    # A token that only says that it is the reader's opens nothing.
    assert reader.token is not None
    forged = reader.token[:-6] + "AAAAAA"
    thief = Window(await page.context.new_page(), reader)
    await thief.go(f"/#token={forged}")
    await expect(thief.by("button", "Try again")).to_be_visible()
    assert await thief.page.locator("a.row").count() == 0
    await thief.page.close()

    await opened.by("button", "Account menu").click()
    await opened.by("menuitem", "Sign out").click()
    await expect(page.get_by_label("Access token")).to_be_visible()
    await until_kept(opened, set())
