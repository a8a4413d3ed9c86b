"""A real Chromium before a real server: what every browser test stands on.

Whatever a page writes to its console as an error or warning (a breach of its policy is one), and every exception in it,
fails the test it happened in; a test that provokes one names it in `expected`. Pictures of the screen are kept under
`CHANNELS_TEST_SCREENSHOTS` when that names a directory.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from tests.api import PATIENCE_SECONDS, Api, User, open_api, open_database
from tests.browser.windows import PLAIN_HOST, WIDE, OpenWindow, Window, keep

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without the windows around it, which cost a second of CPU each."""
CHROMIUM: Final = next((path for name in _NAMES if (path := shutil.which(name))), None)

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser these tests say so; all share one loop, since one browser and one server serve them all."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        if CHROMIUM is None:
            item.add_marker(
                pytest.mark.skip(reason="no Chromium here: apt-get install chromium-headless-shell")
            )
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window."""
    async with async_playwright() as playwright:
        # Its sandbox needs a user of its own, which a root without namespaces cannot give it.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        arguments.append(f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(mongod_uri: str) -> AsyncIterator[Api]:
    """One server for all browser tests, which never share a channel."""
    async with open_database(mongod_uri) as database, open_api(database) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[OpenWindow]:
    """Opens windows of users, each on its own: `size` and the options of a context may be given."""
    windows: list[Window] = []
    async with AsyncExitStack() as stack:

        async def start(
            user: User,
            path: str = "/",
            *,
            size: ViewportSize = WIDE,
            signed_in: bool = True,
            **options: Any,
        ) -> Window:
            context = await browser.new_context(viewport=size, locale="en-GB", **options)
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE_SECONDS * 1000)
            opened = Window(await context.new_page(), user)
            opened.hear()
            windows.append(opened)
            await opened.go(f"{path}#token={user.token}" if signed_in else path)
            return opened

        yield start
        for number, opened in enumerate(windows):
            await keep(opened.page, f"{request.node.name}-{number}")
    complaints = [text for opened in windows for text in opened.complaints()]
    assert not complaints, "\n".join(complaints)
