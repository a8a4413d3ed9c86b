"""Runs the pages of operators, which start servers of their own; see `test_pages.py`.

The tutorial is in `test_tutorial.py`. Pages that start servers several times are marked `long`; those of the same calls
on a server that runs already, and the other pages here, run always.
"""

from typing import Final

import pytest

from tests.docs.pages import Page
from tests.docs.runner import PAGES, check

LONG: Final = frozenset(
    f"channels/docs/how-to/{name}.md"
    for name in ("backup", "recover", "several-processes", "tokens", "upgrade", "webhooks")
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.long] if page.name in LONG else [])
        for page in PAGES
        if page.is_run and page.owns_servers and page.name != "channels/docs/tutorial.md"
    ],
    ids=lambda page: str(page.name),
)
def test_the_page_does_what_it_says(page: Page) -> None:
    check(page, None)
