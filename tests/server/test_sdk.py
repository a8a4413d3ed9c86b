"""The files of the JavaScript SDK: for pages of every origin, one version at a time, and small."""

import io
import json
import re
import tarfile
from collections.abc import AsyncIterator
from posixpath import join, normpath
from typing import Final

import pytest

from channels.console.assets import load_sdk
from tests.api import Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEED_BYTES: Final = 30_000
HEADERS_BYTES: Final = 520
"""Of the answer with one file: 516 in Chromium, which loaded all of them."""
IMPORT: Final = re.compile(r'(?:^|\n)(?:import|export)\b[^;]*?"(\.{1,2}/[^"]+)"')


async def loaded(api: Api, *entries: str) -> AsyncIterator[tuple[str, Answer, int]]:
    """Each file that a browser loads for these modules, with its size as it is sent to it."""
    waiting, seen = [*entries], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        async with api.http.get(api.base + path, headers={"Accept-Encoding": "gzip"}) as response:
            sent = int(response.headers["Content-Length"])
        answer = await api.bearer(None).get(path)
        yield path, answer, sent
        waiting += [normpath(join(path, "..", name)) for name in IMPORT.findall(answer.text)]


@pytest.mark.parametrize("entry", ["/sdk/channels.js", "/sdk/channel-feed.js"])
async def test_pages_of_any_origin_load_all_files_of_one_version(
    shared_api: Api, entry: str
) -> None:
    files = {path: answer async for path, answer, _ in loaded(shared_api, entry)}
    assert len(files) > 5
    for path, answer in files.items():
        assert answer.status == 200, path
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if path == entry:
            assert answer.headers["Cache-Control"] == "no-cache"
        else:
            assert path.startswith(f"/sdk/{load_sdk().digest}/")
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    known = {"If-None-Match": files[entry].headers["ETag"], "Origin": "https://other.example"}
    again = await shared_api.bearer(None).get(entry, headers=known)
    assert (again.status, again.text) == (304, "")


@pytest.mark.parametrize(
    ("later", "most"), [([], 22_000), (["feed/signed_in_source.js"], FEED_BYTES)]
)
async def test_the_feed_component_loads_less_than_30_kb(
    shared_api: Api, later: list[str], most: int
) -> None:
    entries = ["/sdk/channel-feed.js", *(f"/sdk/{load_sdk().digest}/{name}" for name in later)]
    sizes = {path: sent async for path, _, sent in loaded(shared_api, *entries)}
    assert sum(size + HEADERS_BYTES for size in sizes.values()) < most, sizes
    # Nobody who is not signed in opens a socket.
    assert (f"/sdk/{load_sdk().digest}/core/socket.js" in sizes) == bool(later)


async def test_its_types_are_served_and_import_only_each_other(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    types = await nobody.get("/sdk/channels.d.ts")
    assert types.status == 200
    assert "export class ChannelsClient" in types.text
    assert IMPORT.findall(types.text) == ["./api.js"]
    assert "export interface PostResponse" in (await nobody.get("/sdk/api.d.ts")).text


async def test_npm_installs_it_from_its_address(shared_api: Api) -> None:
    async with shared_api.http.get(f"{shared_api.base}/sdk/channels.tgz") as response:
        assert response.content_type == "application/gzip"
        packed = await response.read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        manifest = json.loads(archive.extractfile("package/package.json").read())  # type: ignore[union-attr]
    assert {f"package/{name}" for name in load_sdk().files} < files.keys()
    assert "package/channels.js" in files
    assert f"package/{manifest['types']}".replace("./", "") in files
    assert "dependencies" not in manifest
    assert "scripts" not in manifest


@pytest.mark.parametrize(
    "path",
    [
        "/sdk/nothing.js",
        "/sdk/000000000000/channels.js",
        "/sdk/{digest}/nothing.js",
        "/sdk/{digest}/..%2Fjs/start.js",
        "/sdk/core/http.js",
    ],
)
async def test_no_other_file_is_served(shared_api: Api, path: str) -> None:
    path = path.replace("{digest}", load_sdk().digest)
    assert (await shared_api.bearer(None).get(path)).refusal == (404, "route_not_found")
