"""The web app as it is served: one page, files that are kept for ever, and a policy that lets nothing else in."""

import gzip
import os
import pty
import re
import signal
import sys
from asyncio import create_subprocess_exec, get_running_loop, timeout
from pathlib import Path

import pytest

from channels.console.assets import load_assets
from channels.server.web.static import PAGES
from tests.api import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_PAINT_BYTES = 109_500  # of which 17,000 are the SDK that the app stands on


def path_of(page: str) -> str:
    return re.sub(r"\{\w+\}", "posts", page)


@pytest.mark.parametrize("page", PAGES)
async def test_every_view_has_an_address_that_answers_the_one_page(
    shared_api: Api, page: str
) -> None:
    answer = await shared_api.bearer(None).get(path_of(page))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text == (await shared_api.bearer(None).get("/")).text


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
    again = await nobody.get("/console", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    other = await nobody.get("/", headers={"If-None-Match": '"other"'})
    assert other.status == 200


async def test_a_file_is_kept_for_ever_under_the_digest_of_all(shared_api: Api) -> None:
    assets, nobody = load_assets(), shared_api.bearer(None)
    for name, asset in assets.files.items():
        answer = await nobody.get(assets.address(name))
        assert answer.status == 200, name
        assert answer.headers["Content-Type"].startswith(asset.content_type)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.text.encode() == asset.body


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
    page = await nobody.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.headers["Vary"] == "Accept-Encoding"
    plain = await nobody.get("/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == page.text
    named = re.findall(rf"/assets/{assets.digest}/([\w./-]+)", page.text)
    assert {"js/start.js", "js/conversation/conversation_view.js"} <= set(named)
    sizes = [
        len(asset.gzipped or asset.body) for name, asset in assets.files.items() if name in named
    ]
    assert sum(sizes) + len(gzip.compress(page.text.encode())) < FIRST_PAINT_BYTES


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
