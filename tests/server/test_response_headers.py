"""The headers by which browsers and caches are told what they may do with an answer: all of them, of every kind."""

from collections.abc import Mapping
from typing import Final

import pytest
from multidict import CIMultiDictProxy
from yarl import URL

from channels.console.assets import load_assets, load_sdk
from channels.docs_site.pages import Site
from tests.api import Api, User, a_channel, fresh, id_of, part
from tests.conftest import OpenApi
from tests.groups.test_media import an_image

pytestmark = pytest.mark.asyncio(loop_scope="module")

CSP: Final = "Content-Security-Policy"
PERMISSIONS: Final = "camera=(), microphone=(), geolocation=(), payment=()"

POLICIES: Final = (
    CSP,
    "X-Content-Type-Options",
    "Cache-Control",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Access-Control-Allow-Origin",
    "X-Frame-Options",
    "X-Robots-Tag",
    "Content-Disposition",
    "Set-Cookie",
    "Vary",
)
"""Each of these is as the table says; one that the table does not name is not there."""

NOSNIFF: Final = {"X-Content-Type-Options": "nosniff"}
API: Final = NOSNIFF | {"Cache-Control": "no-store"}
PAGE: Final = NOSNIFF | {
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
PUBLIC: Final = PAGE | {
    CSP: "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; media-src 'self'",
    "Cache-Control": "public, max-age=60",
    "X-Robots-Tag": "noindex",
}
TRANSLATED: Final = PUBLIC | {"Vary": "Accept-Language, Accept-Encoding"}
MEDIA: Final = NOSNIFF | {
    CSP: "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
DOCS: Final = PAGE | {
    CSP: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
    " connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types service-worker",
    "Cache-Control": "no-cache",
}
MOVED: Final = {name: value for name, value in DOCS.items() if name != "Vary"}
ASKED_AGAIN: Final = NOSNIFF | {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}

SDK: Final = NOSNIFF | {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}

KINDS: Final[dict[str, tuple[str, int, Mapping[str, str]]]] = {
    "an answer of the API": ("{channel}", 200, API),
    "a list": ("/v1/channels", 200, API),
    "a table": (
        "{channel}/insights?format=csv&from=2026-01-01&to=2026-01-31",
        200,
        API
        | {"Content-Disposition": 'attachment; filename="insights-days-2026-01-01-2026-01-31.csv"'},
    ),
    "something that is not there": ("/v1/channels/none", 404, API),
    "a path that is not there": ("/none", 404, API),
    "a bad request": ("/v1/channels?limit=x", 400, API),
    "a picture": (
        "{picture}",
        200,
        MEDIA | {"Content-Disposition": "inline; filename=\"a.png\"; filename*=UTF-8''a.png"},
    ),
    "a thumbnail": (
        "{picture}?size=thumb",
        200,
        MEDIA | {"Content-Disposition": "inline; filename=\"a.png\"; filename*=UTF-8''a.png"},
    ),
    "a file": (
        "{file}",
        200,
        MEDIA | {"Content-Disposition": "attachment; filename=\"a.html\"; filename*=UTF-8''a.html"},
    ),
    "a file that is not there": ("/v1/media/none", 404, API),
    "a public page": ("{public}", 200, TRANSLATED),
    "an older public page": ("{public}?before_seq=1", 200, TRANSLATED),
    "a missing public page": ("/c/none", 404, TRANSLATED | {"Cache-Control": "no-store"}),
    "an Atom feed": ("{public}/feed.atom", 200, PUBLIC | {"Access-Control-Allow-Origin": "*"}),
    "an RSS feed": ("{public}/feed.rss", 200, PUBLIC | {"Access-Control-Allow-Origin": "*"}),
    "a JSON feed": ("{public}/feed.json", 200, PUBLIC | {"Access-Control-Allow-Origin": "*"}),
    "a missing feed": ("/c/none/feed.atom", 404, API),
    "a guide": ("/docs/contributing", 200, DOCS),
    "the reference of the API": ("/docs/api", 200, DOCS),
    "a search in the documentation": ("/docs/search?q=post", 200, DOCS),
    "what a search finds while one types": ("/docs/search.json?q=post", 200, DOCS),
    "a guide that is not there": ("/docs/none", 404, API),
    "a guide by the name of its file": ("/docs/contributing.md", 301, MOVED),
    "the documentation with a slash": ("/docs/contributing/", 301, MOVED),
    "a picture of the documentation": (
        "/docs/results/latency.svg",
        200,
        ASKED_AGAIN | {CSP: "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
    ),
    "the documentation's style": (
        Site(dict).assets.address("docs.css"),
        200,
        NOSNIFF
        | {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"},
    ),
    "the API's description": ("/openapi.json", 200, ASKED_AGAIN),
    "the socket's description": ("/asyncapi.json", 200, ASKED_AGAIN),
    "the app": (
        "/",
        200,
        PAGE
        | {
            CSP: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
            " media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
            " base-uri 'none'; form-action 'none';"
            " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types service-worker",
            "Cache-Control": "no-cache",
        },
    ),
    "a file of the app": (
        load_assets().address("js/start.js"),
        200,
        NOSNIFF
        | {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"},
    ),
    "the JavaScript SDK": ("/sdk/channels.js", 200, SDK | {"Cache-Control": "no-cache"}),
    "a file of the JavaScript SDK": (
        load_sdk().address("core/http.js"),
        200,
        SDK | {"Cache-Control": "public, max-age=31536000, immutable"},
    ),
    "health": ("/healthz", 200, API),
    "readiness": ("/readyz", 200, API),
    "metrics": ("/metrics", 200, API),
}


Headers = CIMultiDictProxy[str]


def policies_of(headers: Headers) -> dict[str, str]:
    return {name: ", ".join(headers.getall(name)) for name in POLICIES if name in headers}


async def ask(user: User, method: str, path: str, headers: dict[str, str]) -> tuple[int, Headers]:
    """Status and headers; the body may be a picture's."""
    url = URL(user.base + path, encoded=True)
    headers = {"Authorization": f"Bearer {user.token}", **headers}
    async with user.http.request(method, url, headers=headers, allow_redirects=False) as response:
        await response.read()
        return response.status, response.headers


async def a_scene(api: Api) -> dict[str, str]:
    """Something of everything, by the names that the table uses."""
    owner = api.new_user("owner")
    channel = await a_channel(owner)
    media = {}
    for name, data in (("picture", an_image()), ("file", b"<script>alert(1)</script>")):
        file = "a.png" if name == "picture" else "a.html"
        stored = await owner.call("POST", "/v1/media", data=data, headers={"X-File-Name": file})
        assert stored.status == 201, stored
        media[name] = stored.body["url"]
    public = f"/c/{part(id_of(channel))}"
    return {"channel": channel, "public": public, "token": owner.token or "", **media}


@pytest.mark.parametrize("closes", [False, True], ids=["goes on", "closes"])
@pytest.mark.parametrize("kind", KINDS)
async def test_the_policies_of_an_answer_are_these_and_no_others(
    shared_api: Api, kind: str, closes: bool
) -> None:
    server = shared_api
    scene = await a_scene(server)
    path, status, expected = KINDS[kind]
    path = path.format(**scene)
    user = server.bearer(scene["token"])
    said = {"Connection": "close"} if closes else {}
    told, headers = await ask(user, "GET", path, said)
    assert (told, policies_of(headers)) == (status, expected)
    if not path.startswith("/v1/"):
        told, head = await ask(user, "HEAD", path, said)
        assert (told, policies_of(head)) == (status, expected)
    if status == 200 and (etag := headers.get("ETag")) is not None:
        told, again = await ask(user, "GET", path, {**said, "If-None-Match": etag})
        assert (told, policies_of(again)) == (304, expected)


@pytest.mark.asyncio(loop_scope="function")
async def test_writes_and_errors_have_the_headers_of_the_api(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.limits.rate_limit.monotonic", lambda: 1_000.0)
    server = await api(address_requests_per_second=2)
    owner, nobody = server.new_user("owner"), server.bearer(None)
    path = await a_channel(owner)
    posted = await owner.post(f"{path}/posts", {"kind": "text", "text": fresh("x")})
    deleted = await owner.delete(f"{path}/posts/1")
    wrong = await owner.call("DELETE", "/healthz")
    unknown = await nobody.get("/v1/unread")
    flood = await nobody.get("/v1/unread")
    answers = [posted, deleted, wrong, unknown, flood]
    assert [answer.status for answer in answers] == [201, 204, 405, 401, 429]
    assert [policies_of(answer.headers) for answer in answers] == [API] * 5
