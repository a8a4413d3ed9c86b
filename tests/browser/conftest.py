"""Fixtures of the browser tests: a real Chromium and a real server.

Every error or warning in a page's console, including breaches of the security policy, and every exception fails the
test. A test that provokes one names it in `expected`. Screenshots are stored in the directory
`CHANNELS_TEST_SCREENSHOTS`, if set.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from channels.server.app import DEFAULT_OPTIONS
from channels.user_data.policy import UserDataOptions
from tests.api import PATIENCE_SECONDS, Api, User, open_api, open_database
from tests.browser.foreign_site import ForeignSite, foreign_site
from tests.browser.windows import PLAIN_HOST, WIDE, OpenWindow, Window, screenshot
from tests.flows.server_process import ServerProcess
from tests.mongod import scratch_directory

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first one has the same engine without a user interface, which costs a second of CPU for each window."""
CHROMIUM: Final = next((path for name in _NAMES if (path := shutil.which(name))), None)

_OPTIONS: Final = replace(DEFAULT_OPTIONS, user_data=UserDataOptions(may_delete=True))

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


_ONE_LOOP: Final = pytest.mark.asyncio(loop_scope="session")
"""All on one loop, which their browser and their server need."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Say it before pytest-asyncio decides how long a loop lives; else each test starts a browser and a server."""
    metafunc.definition.add_marker(_ONE_LOOP, append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips these tests when there is no browser, and runs them on one loop.

    In a run of the whole suite, the first test of each file is the short form of the file, and the others are `long`.
    When a file or this folder is named, all of its tests run.
    """
    here = Path(__file__).parent
    is_named = any(here.name in Path(part).parts for part in config.args)
    begun: dict[Path, str] = {}
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        function = getattr(item, "originalname", item.name)
        if not is_named and begun.setdefault(item.path, function) != function:
            item.add_marker(pytest.mark.long)
        if CHROMIUM is None:
            item.add_marker(
                pytest.mark.skip(reason="no Chromium here: apt-get install chromium-headless-shell")
            )
        item.add_marker(_ONE_LOOP, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The installed Chromium, headless."""
    async with async_playwright() as playwright:
        # As root without user namespaces, Chromium cannot start its sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        arguments.append(f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site() -> AsyncIterator[ForeignSite]:
    """A web site of another origin."""
    async with foreign_site() as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(mongod_uri: str, site: ForeignSite) -> AsyncIterator[Api]:
    """One server for all browser tests, which pages of the site may call. Each test creates channels of its own."""
    async with (
        open_database(mongod_uri) as database,
        open_api(database, options=_OPTIONS, allowed_origins=[site.origin]) as api,
    ):
        yield api


@pytest_asyncio.fixture(loop_scope="session")
async def process() -> AsyncIterator[ServerProcess]:
    """A server process that can be stopped and started again on its port."""
    directory: Path = scratch_directory()
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        process = ServerProcess(directory / "data", http)
        try:
            await process.start(CHANNELS_LIMIT_POSTS_PER_SECOND="0")
            yield process
        finally:
            await process.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[OpenWindow]:
    """Opens a window for a user, in a context of its own; takes a `size` and the options of a Playwright context.

    `before_page` is a script that runs before those of each page.
    """
    windows: list[Window] = []
    async with AsyncExitStack() as stack:

        async def start(
            user: User,
            path: str = "/",
            *,
            size: ViewportSize = WIDE,
            signed_in: bool = True,
            before_page: str | None = None,
            **options: Any,
        ) -> Window:
            # A worker costs time, and only tests of notifications and of what is offline need it.
            options.setdefault(
                "service_workers", "allow" if options.get("permissions") else "block"
            )
            options.setdefault("locale", "en-GB")
            context = await browser.new_context(viewport=size, **options)
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE_SECONDS * 1000)
            if before_page is not None:
                await context.add_init_script(before_page)
            opened = Window(await context.new_page(), user)
            opened.record_errors()
            windows.append(opened)
            await opened.go(f"{path}#token={user.token}" if signed_in else path)
            if signed_in:
                # A test that leaves the page before the app has taken the token would be signed out.
                await opened.page.wait_for_url(lambda url: "#token=" not in url)
            return opened

        yield start
        for number, opened in enumerate(windows):
            if not opened.page.is_closed():
                # A request may be on its way through a handler of the test, which fails when its page is gone.
                await opened.page.unroute_all(behavior="ignoreErrors")
            await screenshot(opened.page, f"{request.node.name}-{number}")
    errors = [text for opened in windows for text in opened.unexpected_errors()]
    assert not errors, "\n".join(errors)
