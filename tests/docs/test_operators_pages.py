"""Runs the pages of operators, which start servers of their own; see `test_pages.py`.

The tutorial is in `test_tutorial.py`.
"""

import pytest

from tests.docs.pages import Page
from tests.docs.runner import PAGES, check


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if page.is_run and page.owns_servers and page.name != "channels/docs/tutorial.md"
    ],
    ids=lambda page: page.name,
)
def test_the_page_does_what_it_says(page: Page) -> None:
    check(page, None)
