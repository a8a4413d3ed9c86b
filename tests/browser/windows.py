"""A window of the browser, as one user sees it."""

import io
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.async_api import ConsoleMessage, FilePayload, Locator, Page, ViewportSize

from tests.api import User, id_of, part

WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
PLAIN_HOST: Final = "channels.test"
"""This machine by a name that a browser does not trust as its own: what plain HTTP lacks, pages lack there."""
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


@dataclass(slots=True)
class Window:
    """A browser window of one user, and what went wrong in it."""

    page: Page
    user: User
    wrong: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """What an error may hold that the test provokes."""

    def hear(self) -> None:
        """Listen for everything that must not happen."""
        self.page.on("console", lambda message: self._console(message))
        self.page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text} ({message.location['url']})")

    def complaints(self) -> list[str]:
        return [text for text in self.wrong if not any(word in text for word in self.expected)]

    def by(self, role: Any, name: str | None = None, **options: Any) -> Locator:
        """What a screen reader would call this."""
        return self.page.get_by_role(role, name=name, **options)

    async def go(self, path: str) -> None:
        """Enter here, as somebody who follows a link."""
        await self.page.goto(self.user.base + path)


OpenWindow = Callable[..., Coroutine[Any, Any, Window]]


async def keep(page: Page, name: str) -> None:
    """Keep a picture of the window, where somebody wants them."""
    directory = os.environ.get("CHANNELS_TEST_SCREENSHOTS")
    if directory:
        await page.screenshot(path=Path(directory) / f"{name}.png")


def view_of(path: str) -> str:
    """The app's address of a channel or chat group."""
    place = "channels" if path.startswith("/v1/channels/") else "chats"
    return f"/{place}/{part(id_of(path))}"


async def shown_seqs(page: Page) -> list[int]:
    """The seqs in the history, as they stand on the page."""
    found = await page.eval_on_selector_all(
        "[data-seq]", "elements => elements.map(e => +e.dataset.seq)"
    )
    return [int(seq) for seq in found]


def a_picture(name: str, colour: str = "teal", size: tuple[int, int] = (320, 200)) -> FilePayload:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}
