"""Videos over HTTP: their size, duration and cover are read from their headers; a poster may be sent with them."""

import io
import os
import random
import time
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from PIL import Image

from groups.images.job import VideoJob
from groups.images.videos import MAX_EDGE, MAX_PARTS, header_of
from groups.images.worker import header_answer
from tests.api import Api, a_channel, a_chat_group, id_of
from tests.groups.test_media import load, upload
from tests.sounds import box, element
from tests.videos import film, webm_film

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_api: Api) -> Api:
    """One server for all tests, which use users and channels of their own."""
    return shared_api


def a_frame(kind: str = "JPEG", size: tuple[int, int] = (64, 36)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


COVER: Final = a_frame()


@pytest.mark.parametrize(
    ("data", "width", "height", "seconds"),
    [
        pytest.param(film(), 640, 360, 4.0, id="mp4"),
        pytest.param(film(index_last=False), 640, 360, 4.0, id="mp4 whose index is first"),
        pytest.param(film(turned=True), 360, 640, 4.0, id="mp4 of an upright phone"),
        pytest.param(film(long_boxes=True), 640, 360, 4.0, id="mp4 with long numbers"),
        pytest.param(film(fragments=True), 640, 360, 4.0, id="mp4 in fragments"),
        pytest.param(film(brand=b"qt  "), 640, 360, 4.0, id="mov"),
        pytest.param(webm_film(), 640, 360, 4.0, id="webm"),
        pytest.param(webm_film(seconds=0), 640, 360, None, id="webm as recorded"),
        pytest.param(webm_film(720, 576, shown=(16, 9)), 1024, 576, 4.0, id="webm, stretched"),
        # What cannot be true is left out.
        pytest.param(film(seconds=40 * 86_400.0), 640, 360, None, id="a small file of days"),
        pytest.param(film(MAX_EDGE, 1), MAX_EDGE, 1, 4.0, id="as wide as may be"),
        pytest.param(film(MAX_EDGE + 1, 1), None, None, 4.0, id="wider than may be"),
        pytest.param(film(0, 0), None, None, 4.0, id="no size"),
        pytest.param(film()[:-40], None, None, None, id="mp4 whose index is cut off"),
    ],
)
async def test_a_video_says_its_size_and_how_long_it_lasts(
    server: Api, data: bytes, width: int | None, height: int | None, seconds: float | None
) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, data, "film.mp4")).body
    assert media["kind"] == "video", media
    assert (media["width"], media["height"], media["duration_seconds"]) == (width, height, seconds)
    assert (media["poster_url"], media["poster_id"]) == (None, None)
    assert (await load(ada, media["url"]))[2] == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(film(cover=COVER), id="mp4"),
        pytest.param(film(cover=a_frame("PNG"), index_last=False), id="mp4 with PNG"),
        pytest.param(webm_film(cover=COVER), id="webm"),
    ],
)
async def test_the_cover_of_a_video_is_redrawn_and_goes_with_it(server: Api, data: bytes) -> None:
    ada = server.new_user("ada")
    media = (await upload(ada, data, "film.mp4")).body
    assert (media["width"], media["poster_url"]) == (640, media["url"] + "?size=large")
    status, headers, cover = await load(ada, media["poster_url"])
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(cover)).size == (64, 36)
    # A cover that cannot be drawn is left out, and the video is kept.
    bad = film(cover=COVER[:20] + os.urandom(300))
    kept = (await upload(ada, bad)).body
    assert (kept["width"], kept["poster_url"]) == (640, None)
    assert (await load(ada, kept["url"] + "?size=large"))[0] == 404


async def test_a_poster_is_shown_with_a_video_kept_by_it_and_changed_by_edits(server: Api) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader, settings={"visibility": "public"})
    video = (await upload(owner, film(cover=COVER), "film.mp4")).body
    poster = (await upload(owner, a_frame("PNG", (320, 180)), "frame.png")).body
    body = {"kind": "video", "video": video["media_id"], "poster": poster["media_id"]}
    assert (await owner.post(f"{path}/posts/preview", body)).status == 200
    posted = await owner.post(f"{path}/posts", body)
    assert posted.status == 201, posted
    shown = (await reader.get(f"{path}/posts/1")).body
    assert shown["images"] is None
    assert shown["video"]["url"] == video["url"]
    assert shown["video"]["poster_url"] == poster["large_url"]
    assert shown["video"]["poster_id"] == poster["media_id"]
    # The public page shows it before the video plays, not as a picture, and lists the video alone among its files.
    page = (await load(reader, f"/c/{id_of(path).removeprefix('@TOA#_')}"))[2].decode()
    assert page.count(poster["large_url"]) == page.count(f' poster="{poster["large_url"]}"') == 1
    assert page.count(f'<video src="{video["url"]}"') == page.count(f'href="{video["url"]}"') == 1
    # A forward has it, too, also after the original has lost it.
    group = await a_chat_group(owner)
    forward = {"forward": {"channel_id": id_of(path), "seq": 1}}
    forwarded = (await owner.post(f"{group}/messages", forward)).body
    assert forwarded["video"]["poster_id"] == poster["media_id"]
    edited = await owner.patch(f"{path}/posts/1", {"kind": "video", "video": video["media_id"]})
    assert edited.body["video"]["poster_url"] == video["url"] + "?size=large"
    assert edited.body["video"]["poster_id"] is None
    await owner.patch(f"{path}/posts/1", body)

    for wrong, status, code in (
        ({"kind": "text", "text": "a", "poster": poster["media_id"]}, 400, "invalid_request"),
        ({**body, "poster": video["media_id"]}, 400, "wrong_media_kind"),
        ({**body, "poster": "a" * 32}, 404, "media_not_found"),
        ({"kind": "video", "poster": poster["media_id"]}, 400, "invalid_request"),
    ):
        refused = await owner.post(f"{path}/posts", wrong)
        assert (refused.status, refused.body["code"]) == (status, code), wrong


async def test_hostile_headers_cost_little_and_raise_nothing(tmp_path: Path) -> None:
    deep = b""
    for _ in range(3_000):
        deep = box(b"moov", deep)
    empty = element(b"\x1f\x43\xb6\x75", b"")
    many = box(b"free") * (MAX_PARTS + 1)
    whole = webm_film()
    cases: list[tuple[str, bytes, Any]] = [
        ("video/mp4", deep, None),
        ("video/mp4", box(b"moov", many) + film(), None),
        ("video/mp4", b"\0\0\0\1moov" + b"\xff" * 8, None),
        ("video/mp4", b"\0\0\0\0moov", None),
        ("video/webm", whole[:12], None),
        ("video/webm", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff" + empty * (MAX_PARTS + 1), None),
        # What comes before the many parts stays.
        ("video/webm", whole + empty * MAX_PARTS, 640),
    ]
    # Films with some bytes changed.
    dice = random.Random(5)
    for made in (film(cover=COVER, size=50), webm_film(cover=COVER, size=50)):
        kind = "video/webm" if made[:1] == b"\x1a" else "video/mp4"
        for _ in range(400):
            changed = bytearray(made)
            for _ in range(dice.randrange(1, 6)):
                changed[dice.randrange(len(made))] = dice.randrange(256)
            cases.append((kind, bytes(changed[: dice.randrange(1, len(made) + 1)]), ...))
    begun = time.process_time()
    for kind, data, width in cases:
        source = tmp_path / "film"
        source.write_bytes(data)
        found = header_of(source, kind)
        if width is not ...:
            assert found.width == width
        answer = header_answer(VideoJob(str(source), kind, str(tmp_path / "cover"), 2.0))
        assert "failed" not in answer, (answer, data[:80])
    assert time.process_time() - begun < 5
