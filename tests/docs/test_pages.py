"""Runs every code block of the guides and of the README as a reader would type it; `pages.py` has the directives.

Sybil does this for other projects. It makes a test of each example, so after a failure the next example of the page
runs all the same. It collects pages only from folders that pytest was pointed at. The shell session, the background
blocks and the comparison with a block of output would be ours in any case, with little of Sybil left.

Each page is a test with a shell and a scratch directory of its own. The pages share one server with the demo scene and
use channels and users of their own; those of operators start servers themselves (`test_operators_pages.py`). A command
that fails must show how: `prints` below it. An answer that curl received and that is a refusal must be shown too.

One page alone: `pytest -n0 tests/docs -k tutorial`.
"""

from collections.abc import Iterator

import pytest

from tests.docs.pages import Page
from tests.docs.runner import PAGES, RunningServer, check, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.is_run and not page.owns_servers],
    ids=lambda page: page.name,
)
def test_the_page_does_what_it_says(page: Page, server: RunningServer) -> None:
    check(page, server)
