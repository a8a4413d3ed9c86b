"""The demo scene in the app. Stores the README's pictures in the directory `CHANNELS_README_PICTURES`, if set."""

import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from PIL import Image
from playwright.async_api import Page, expect

from channels.demo.service import fill_if_empty
from channels.server.app import create_services
from tests.api import Api, open_api, open_database
from tests.browser.windows import PHONE, OpenWindow

COLOURS = 128  # in a stored picture; more makes it larger but not better
NEWS = "%40TOA%23_brightwater-news"


@pytest_asyncio.fixture(loop_scope="session")
async def demo(mongod_uri: str) -> AsyncIterator[Api]:
    """A server with the scene of `channels serve --demo`."""
    async with open_database(mongod_uri) as database, open_api(database) as api:
        limits = api.services.limits
        filled = await fill_if_empty(
            api.services, lambda clock: create_services(database, limits, clock=clock)
        )
        assert filled
        yield api


async def keep_small(page: Page, name: str) -> None:
    directory = os.environ.get("CHANNELS_README_PICTURES")
    if directory:
        picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(
            Path(directory) / f"{name}.png", optimize=True
        )


async def test_the_demo_scene_in_reader_console_and_phone(demo: Api, window: OpenWindow) -> None:
    reader = await window(demo.user_of("ada"), f"/channels/{NEWS}")
    await expect(reader.page.locator(".unread-line")).to_be_in_viewport()
    await expect(reader.page.locator("a.row")).to_have_count(6)
    await expect(reader.page.locator("a.folder")).to_contain_text("Harbour Street")
    await keep_small(reader.page, "reader")

    console = await window(demo.user_of("cid"), f"/console/channels/{NEWS}")
    await console.page.get_by_label("Title", exact=True).fill("Night trams on Saturday")
    await console.page.get_by_label("Text", exact=True).fill(
        "After the marathon the trams run all night, every twenty minutes on every line."
    )
    await console.by("button", "Add link").click()
    await console.page.get_by_label("Link text").fill("Timetable")
    await console.page.get_by_label("Address (https://…)").fill("https://brightwater.example/night")
    preview = console.page.locator(".preview-stage article")
    await expect(preview.get_by_text("Timetable")).to_be_visible()
    await keep_small(console.page, "console")

    phone = await window(
        demo.user_of("bob"),
        "/chats/sunday-hike",
        size=PHONE,
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
    )
    await expect(phone.page.locator(".bubble", has_text="See you on platform 3!")).to_be_visible()
    await keep_small(phone.page, "phone")
