"""The documentation as it is served: pages, files, redirects, the search, and what is answered elsewhere."""

import re
from typing import Any, Final

import pytest

from channels.docs_site.pages import Site
from tests.api import Api
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSER: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    "page",
    ["/docs/contributing", "/docs/api", "/docs/api/posts", "/docs/search?q=post", "/docs/none"],
)
async def test_a_page_uses_only_files_of_this_server(shared_api: Api, page: str) -> None:
    nobody = shared_api.bearer(None)
    answer = await nobody.get(page, headers=BROWSER)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    head = answer.text.partition("</head>")[0]
    files = re.findall(r'(?:src|href)="([^"]+)"', head)
    assert len(files) == 3
    for file in files:
        assert re.match(r"/(?:docs/)?assets/[0-9a-f]{12}/", file)
        assert (await nobody.get(file)).status == 200
    assert "style=" not in answer.text
    assert not re.search(r"<script(?! type=\"module\" src=\"/docs/assets/)", answer.text)


async def test_the_style_and_script_are_small(shared_api: Api) -> None:
    assets = Site(dict).assets
    assert sum(len(asset.gzipped or asset.body) for asset in assets.files.values()) < 12_000


async def test_a_page_is_sent_once_and_compressed(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    first = await nobody.get("/docs/contributing", headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    again = await nobody.get("/docs/contributing", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    head = await nobody.call("HEAD", "/docs/contributing")
    assert (head.status, head.text) == (200, "")


async def test_an_unknown_page_helps_browsers_and_is_a_problem_for_clients(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    for path in ("/docs/none", "/docs/how-to/none", "/docs/api/none", "/docs/a/b/c", "/docs/none/"):
        shown = await nobody.get(path, headers=BROWSER)
        assert shown.status == 404, path
        assert 'action="/docs/search"' in shown.text
        assert 'href="/docs"' in shown.text
        assert (await nobody.get(path)).refusal == (404, "route_not_found")
    for path in ("..%2F..%2Fpyproject.toml", "%2Fetc%2Fpasswd", "pictures/..%2Findex.md"):
        assert (await nobody.get(f"/docs/{path}")).refusal == (404, "route_not_found")
    digest = Site(dict).assets.digest
    for path in (f"{digest}/none.js", "000000000000/docs.js", f"{digest}/..%2Fpages.py"):
        assert (await nobody.get(f"/docs/assets/{path}")).refusal == (404, "route_not_found")


async def test_the_search_answers_pages_and_scripts(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    found = (await nobody.get("/docs/search.json?q=post+to%20subscribers")).body["results"]
    publish = next(each for each in found if each["address"] == "/docs/api/posts#publish")
    assert publish["where"] == "API › Posts"
    assert ["post", True] in [[text.lower(), is_match] for text, is_match in publish["excerpt"]]
    page = await nobody.get("/docs/search?x=1&q=post+to%20subscribers")
    assert '<a href="/docs/api/posts#publish">' in page.text
    assert 'value="post to subscribers"' in page.text
    for query in ("", "?q=", "?q=%00%ff", f"?q={'x' * 5_000}", "?q=" + "%F0%9F%91%8D" * 200):
        assert (await nobody.get(f"/docs/search.json{query}")).body == {"results": []}
        assert (await nobody.get(f"/docs/search{query}")).status == 200
    hostile = await nobody.get("/docs/search?q=%22%3E%3Cscript%3E")
    assert "<script>" not in hostile.text


@pytest.mark.asyncio(loop_scope="function")
async def test_a_page_is_rendered_once_and_only_when_it_is_requested(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    render = Site._page

    def counted(site: Site, template: str, *rest: Any, **content: Any) -> bytes:
        made.append(template)
        return render(site, template, *rest, **content)

    monkeypatch.setattr(Site, "_page", counted)
    nobody = (await api()).bearer(None)
    assert made == []
    for _ in range(3):
        assert (await nobody.get("/docs/contributing")).status == 200
        assert (await nobody.get("/docs/api/posts")).status == 200
    assert made == ["guide.html", "api_tag.html"]


@pytest.mark.asyncio(loop_scope="function")
async def test_pages_and_searches_count_for_their_address(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.rate_limit.monotonic", lambda: 1_000.0)
    nobody = (await api(address_requests_per_second=2)).bearer(None)
    file = Site(dict).assets.address("docs.js")
    statuses = [
        (await nobody.get(path)).status
        for path in ("/docs/contributing", "/docs/search.json?q=a", file, "/docs/contributing")
    ]
    assert statuses == [200, 200, 200, 429]
