"""The web app as it is served: one page, files that are kept for ever, and a policy that lets nothing else in."""

import gzip
import io
import json
import os
import pty
import re
import signal
import sys
from asyncio import create_subprocess_exec, get_running_loop, timeout
from pathlib import Path

import pytest
from PIL import Image

from channels.console.assets import load_assets
from channels.console.shell import Deployment, shell
from channels.limits import Limits
from channels.server.web.pages.static import PAGES, POLICY
from tests.api import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_PAINT_BYTES = 93_000  # of a channel, compressed, with the SDK that the app stands on
FIRST_PAINT_FILES = 55


PRELOAD = re.compile(r'<link rel="modulepreload" href="/assets/\w+/([\w./-]+)">\n')


def preloaded(page: str) -> list[str]:
    """The scripts that the page loads ahead."""
    return PRELOAD.findall(page)


def path_of(page: str) -> str:
    return re.sub(r"\{\w+\}", "posts", page)


@pytest.mark.parametrize("page", PAGES)
async def test_every_view_has_an_address_that_answers_the_one_page(
    shared_api: Api, page: str
) -> None:
    answer = await shared_api.bearer(None).get(path_of(page))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    start = (await shared_api.bearer(None).get("/")).text
    assert PRELOAD.sub("", answer.text) == PRELOAD.sub("", start)
    assert set(preloaded(answer.text)) >= {*preloaded(start), *PAGES[page]}


async def test_a_page_loads_ahead_what_the_app_imports_for_its_view(shared_api: Api) -> None:
    script = load_assets().files["js/start.js"].body.decode()
    imported = {f"js/{name}" for name in re.findall(r'import\("\./([\w/.]+)"\)', script)}
    assert imported >= {view for views in PAGES.values() for view in views}
    page = (await shared_api.bearer(None).get("/")).text
    assert "js/reader/sidebar.js" in preloaded(page)
    assert not [name for name in preloaded(page) if name.startswith(("js/conv", "js/console"))]


async def test_the_page_may_use_nothing_but_this_server(shared_api: Api) -> None:
    headers = (await shared_api.bearer(None).get("/")).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_is_asked_for_again_and_not_sent_again(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    first = await nobody.get("/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await nobody.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    other = await nobody.get("/", headers={"If-None-Match": '"other"'})
    assert other.status == 200


async def test_a_file_is_kept_for_ever_under_the_digest_of_all(shared_api: Api) -> None:
    assets, nobody = load_assets(), shared_api.bearer(None)
    for name, asset in assets.files.items():
        async with nobody.http.get(nobody.base + assets.address(name)) as answer:
            body = await answer.read()
        assert answer.status == 200, name
        assert answer.headers["Content-Type"].startswith(asset.content_type)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert body == asset.body


@pytest.mark.parametrize(
    "path",
    [
        "/assets/000000000000/js/start.js",
        "/assets/{digest}/js/nothing.js",
        "/assets/{digest}/js/..%2Fstart.js",
        "/assets/{digest}/..%2F..%2F__init__.py",
        "/assets/{digest}/js",
    ],
)
async def test_no_other_file_is_served(shared_api: Api, path: str) -> None:
    path = path.replace("{digest}", load_assets().digest)
    assert (await shared_api.bearer(None).get(path)).refusal == (404, "route_not_found")


async def test_it_is_small_and_compressed_for_clients_that_accept_it(shared_api: Api) -> None:
    assets, nobody = load_assets(), shared_api.bearer(None)
    channel = "/channels/posts"
    page = await nobody.get(channel, headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Vary"] == "Accept-Encoding"
    plain = await nobody.get(channel, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == page.text
    named = re.findall(rf"/assets/{assets.digest}/([\w./-]+)", page.text)
    assert {"js/start.js", "js/conversation/conversation_view.js"} <= set(named)
    sizes = [
        len(asset.gzipped or asset.body) for name, asset in assets.files.items() if name in named
    ]
    assert sum(sizes) + len(gzip.compress(page.text.encode())) < FIRST_PAINT_BYTES
    assert len(set(named)) <= FIRST_PAINT_FILES


async def test_a_browser_is_shown_a_page_where_nothing_is_and_other_clients_a_problem(
    shared_api: Api,
) -> None:
    nobody = shared_api.bearer(None)
    for path in (
        "/nowhere",
        "/c/",
        "/c",
        "/channels/news/",
        "/assets/0/js/x.js",
        "/c/x/feed.nothing",
    ):
        assert (await nobody.get(path)).refusal == (404, "route_not_found"), path
        page = await nobody.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert "<h1>Page not found</h1>" in page.text
        assert 'href="/"' in page.text
        assert page.headers["Content-Security-Policy"] == POLICY
    in_api = await nobody.get("/v1/nothing", headers={"Accept": "text/html"})
    assert in_api.refusal == (404, "route_not_found")
    posted = await nobody.call("POST", "/nowhere", headers={"Accept": "text/html"})
    assert posted.refusal == (404, "route_not_found")


async def test_browsers_can_install_the_app(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    page = (await nobody.get("/")).text
    assert 'rel="manifest" href="/manifest.webmanifest"' in page
    answer = await nobody.get("/manifest.webmanifest")
    assert answer.headers["Content-Type"].startswith("application/manifest+json")
    manifest = answer.body
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    sizes = {(icon.get("purpose"), icon["sizes"]) for icon in manifest["icons"]}
    assert sizes >= {("any", "192x192"), ("any", "512x512"), ("maskable", "512x512")}
    assets = load_assets()
    for icon in manifest["icons"]:
        asset = assets.files[icon["src"].removeprefix(assets.address(""))]
        if icon["type"] == "image/png":
            with Image.open(io.BytesIO(asset.body)) as picture:
                assert f"{picture.width}x{picture.height}" == icon["sizes"]


async def test_the_service_worker_keeps_the_reader_and_not_the_console(shared_api: Api) -> None:
    answer = await shared_api.bearer(None).get("/service-worker.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
    first, _, rest = answer.text.partition("\n")
    shell = json.loads(first.removeprefix("self.SHELL = ").removesuffix(";"))
    assets = load_assets()
    assert shell["version"] == assets.digest
    names = {path.removeprefix(assets.address("")) for path in shell["files"]}
    assert names <= set(assets.files)
    readers = [
        view
        for views in PAGES.values()
        for view in views
        if not view.startswith(("js/console/", "js/me/", "js/invites/"))
    ]
    assert names >= set(assets.with_imports(["js/start.js", *readers]))
    assert not [name for name in names if "console" in name]
    assert rest.encode() == assets.files["service_worker.js"].body


async def test_the_page_holds_the_limits_of_this_deployment(shared_api: Api) -> None:
    text = (await shared_api.bearer(None).get("/")).text
    for name, value in shared_api.services.limits.model_dump().items():
        assert f"&#34;{name}&#34;:{value}" in text


async def started(data_dir: Path, *flags: str, on_terminal: bool) -> str:
    """What `channels serve` prints until it is ready."""
    controller, terminal = pty.openpty() if on_terminal else os.pipe()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CHANNELS_")},
        "CHANNELS_DATA_DIR": str(data_dir),
        "CHANNELS_EMBEDDED_CACHE_GB": "0.25",
        "COLUMNS": "80",
    }
    log = data_dir.with_name("log")
    with log.open("wb") as errors:
        process = await create_subprocess_exec(
            *(sys.executable, "-m", "channels", "serve", "--port", "0", *flags),
            env=environment,
            stdout=terminal,
            stderr=errors,
        )
    os.close(terminal)
    said = b""
    try:
        async with timeout(60):
            while b"Ready." not in said:
                said += await get_running_loop().run_in_executor(None, os.read, controller, 4096)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        os.close(controller)
    assert b"token=" not in log.read_bytes()
    return said.decode()


async def test_on_a_terminal_the_server_prints_a_way_in(tmp_path: Path) -> None:
    said = await started(tmp_path / "data", on_terminal=True)
    for name, path in (("Reader", "/"), ("Console", "/console")):
        assert re.search(rf"{name} +http://[\d.:]+{path}#token=[\w-]+\.[\w-]+\.[\w-]+\r\n", said)


async def test_elsewhere_it_prints_the_addresses_without_a_token_since_that_ends_up_in_a_log(
    tmp_path: Path,
) -> None:
    said = await started(tmp_path / "data", on_terminal=False)
    assert re.findall(r"^(\w+) +http://127\.0\.0\.1:\d+(\S*)$", said, re.MULTILINE) == [
        ("API", "/v1"),
        ("Docs", "/docs"),
        ("Health", "/readyz"),
        ("Reader", "/"),
        ("Console", "/console"),
    ]
    assert "token=" not in said


async def test_the_page_names_where_people_sign_in() -> None:
    assets, url = load_assets(), 'https://app.example/in?a=1&b="2"'
    page = shell(assets, Limits(), Deployment(has_public_pages=True, sign_in_url=url)).decode()
    assert 'content="https://app.example/in?a=1&amp;b=&#34;2&#34;"' in page
    without = shell(assets, Limits(), Deployment(has_public_pages=True)).decode()
    assert "channels-sign-in" not in without
