"""A browser window of one user, and helpers for it."""

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
"""A name of this machine that browsers do not treat as local: on plain HTTP it is not a secure context."""
GONE: Final = (
    *("ERR_CONNECTION", "ERR_INTERNET", "WebSocket", "status of 503", "ERR_EMPTY_RESPONSE"),
    "ERR_FAILED",
)
"""Errors that the browser logs when the server is away."""
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


@dataclass(slots=True)
class Window:
    """A browser window of one user, and the errors in it."""

    page: Page
    user: User
    errors: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of the error messages that the test provokes."""

    def record_errors(self) -> None:
        """Records console errors, warnings and exceptions from now on."""
        self.page.on("console", lambda message: self._console(message))
        self.page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        is_of_playwright = message.text.startswith("Service Worker registration blocked")
        if message.type in {"error", "warning"} and not is_of_playwright:
            self.errors.append(f"{message.type}: {message.text} ({message.location['url']})")

    def unexpected_errors(self) -> list[str]:
        return [text for text in self.errors if not any(word in text for word in self.expected)]

    def by(self, role: Any, name: str | None = None, **options: Any) -> Locator:
        """Finds an element by its role and accessible name."""
        return self.page.get_by_role(role, name=name, **options)

    async def go(self, path: str) -> None:
        """Loads this address, like a user who follows a link."""
        await self.page.goto(self.user.base + path)


OpenWindow = Callable[..., Coroutine[Any, Any, Window]]


async def screenshot(page: Page, name: str) -> None:
    """Stores a screenshot if `CHANNELS_TEST_SCREENSHOTS` is set."""
    directory = os.environ.get("CHANNELS_TEST_SCREENSHOTS")
    if directory:
        await page.screenshot(path=Path(directory) / f"{name}.png")


def view_of(path: str) -> str:
    """The app's address of a channel or chat group."""
    place = "channels" if path.startswith("/v1/channels/") else "chats"
    return f"/{place}/{part(id_of(path))}"


async def shown_seqs(page: Page) -> list[int]:
    """The seqs in the history, in the order of the page."""
    found = await page.eval_on_selector_all(
        ".items > [data-seq]", "elements => elements.map(e => +e.dataset.seq)"
    )
    return [int(seq) for seq in found]


def a_picture(name: str, colour: str = "teal", size: tuple[int, int] = (320, 200)) -> FilePayload:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}
