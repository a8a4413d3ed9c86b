"""The tutorial, as a stranger goes through it: the app that it builds, in a real browser."""

import os
from typing import Final

import pytest
from playwright.sync_api import Page as Window
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.docs.runner import PAGES, Reading, check

POST: Final = "The 22:40 ferry is full. The next one leaves at 23:10."
(TUTORIAL,) = [page for page in PAGES if page.name == "channels/docs/tutorial.md"]


@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium-headless-shell"
)
@pytest.mark.timeout(300)
def test_a_strangers_app_shows_a_post_the_moment_it_is_published() -> None:
    def look(reading: Reading) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
            )
            errors: list[str] = []
            mia, ben = browser.new_page(), browser.new_page()
            for window, name in ((mia, "mia"), (ben, "ben")):
                window.on("pageerror", lambda error: errors.append(str(error)))
                window.goto(reading.moved("http://127.0.0.1:3000"))
                window.get_by_label("Your name").fill(name)
                window.get_by_text("Sign in").click()
                expect(window.get_by_role("listitem")).to_have_count(2)
                unread(window, "0")  # published before they subscribed

            reading.repeat("/channels/ferry-times/posts")
            for window in (mia, ben):
                expect(window.get_by_role("listitem")).to_have_count(3)
                expect(window.get_by_role("listitem").first).to_contain_text(POST)
                unread(window, "1")
            # The socket and a read may both bring a post, in either order.
            mia.evaluate("call('GET', `${CHANNEL}/posts`).then(({ items }) => items.forEach(show))")
            expect(mia.get_by_role("listitem")).to_have_count(3)
            assert mia.get_by_role("listitem").evaluate_all("all => all.map(one => one.value)") == [
                3,
                2,
                1,
            ]
            mia.get_by_role("button", name="👍").first.click()
            expect(mia.get_by_role("button", name="👍").first).to_have_text("👍 1")
            ben.get_by_role("button", name="👍").first.click()
            expect(ben.get_by_role("button", name="👍").first).to_have_text("👍 2")
            mia.get_by_text("Mark as read").click()
            unread(mia, "0")
            assert errors == []
            browser.close()

    check(TUTORIAL, None, look)


def unread(window: Window, count: str) -> None:
    expect(window.locator("#unread")).to_have_text(count)
