"""Small uploads that would unpack to much: refused with the reason, at no cost for the server and its workers."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from channels.limits import Limits
from groups.service.media.image_workers import (
    ORDINARY_MEMORY_BYTES,
    ORDINARY_SECONDS,
    WorkerProcess,
    WorkerQueue,
)
from groups.service.media.service import MediaService
from tests.api import Answer, Api, User
from tests.conftest import OpenApi

on_one_loop = pytest.mark.asyncio(loop_scope="module")

MB: Final = 2**20
WORKER_BASE_MB: Final = 64  # interpreter and libraries
SERVER_GROWTH_MB: Final = 48


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(side: int) -> Image.Image:
    """A square that no compression makes smaller, so that it takes long to redraw."""
    return Image.frombytes("L", (side, side), random.Random(side).randbytes(side * side))


def gif(width: int, height: int, frames: int) -> bytes:
    """A GIF that repeats a black frame."""
    still = saved(Image.new("P", (width, height)), "GIF", duration=50, interlace=0)
    begin = still.index(b"!\xf9")
    return b"GIF89a" + still[6:begin] + still[begin:-1] * frames + b";"


def wide_frame_gif() -> bytes:
    """A GIF whose header says 1x1, with a second frame at the far corner of a canvas of 4 billion pixels."""
    small = gif(1, 1, 1)[:-1]
    return small + b"," + struct.pack("<HHHH", 65_000, 65_000, 1, 1) + b"\0\x02\x02\x44\x01\0;"


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *more: bytes) -> bytes:
    """A PNG of so many zero pixels in four channels, with more chunks in front of them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = zlib.compressobj(9)
    row = bytes(1 + 4 * width)
    pixels = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + b"".join(more)
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


def apng(frames: int) -> bytes:
    """A PNG that claims so many frames of one pixel."""
    control = [
        png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", n, 1, 1, 0, 0, 1, 10, 0, 0))
        for n in range(frames)
    ]
    return png(1, 1, png_chunk(b"acTL", struct.pack(">II", frames, 0)), *control)


def many_scans() -> bytes:
    """A progressive JPEG that repeats its last scan; each scan is a pass over the whole image."""
    whole = saved(Image.effect_noise((64, 64), 50), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 2_000 + whole[-2:]


def webp(width: int, height: int) -> bytes:
    return saved(Image.new("RGB", (width, height)), "WEBP", lossless=True, method=0)


def webp_animation(width: int, height: int, frames: int) -> bytes:
    made = [Image.new("RGB", (width, height), (n * 60 % 256, 0, n)) for n in range(frames)]
    return saved(made[0], "WEBP", save_all=True, append_images=made[1:], method=0)


BOMBS: Final[dict[str, tuple[Callable[[], bytes], str, dict[str, Any]]]] = {
    "GIF of 4 frames of 8000x8000": (lambda: gif(8000, 8000, 4), "memory", {}),
    "GIF of 60,000 frames of 1x1": (lambda: gif(1, 1, 60_000), "frames", {}),
    "GIF of 1,001 frames": (lambda: gif(4, 4, 1_001), "frames", {}),
    "GIF of too many pixels in all frames": (lambda: gif(1000, 1000, 257), "pixels", {}),
    "GIF whose frame is larger than its header says": (wide_frame_gif, "pixels", {}),
    "PNG of 64,008,000 pixels": (lambda: png(8001, 8000), "pixels", {}),
    "PNG of one column of pixels too many": (
        lambda: png(1, 65_536),
        "pixels",
        {"image_pixels": 65_535},
    ),
    "PNG of 60,000 frames": (lambda: apng(60_000), "frames", {}),
    "WebP of 8000x8000": (lambda: webp(8000, 8000), "memory", {}),
    "animated WebP of 5000x5000": (lambda: webp_animation(5000, 5000, 2), "memory", {}),
    "JPEG of 2,000 scans": (many_scans, "scans", {}),
    "more memory than is allowed": (
        lambda: png(2000, 2000),
        "memory",
        {"image_memory_bytes": 16 * MB},
    ),
}


async def upload(user: User, data: bytes) -> Answer:
    return await user.call("POST", "/v1/media", data=io.BytesIO(data))


def media_of(server: Api) -> MediaService:
    return server.services.chat.media


def peak_mb(pid: int | str) -> int:
    """The most memory that the process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def queues(server: Api) -> Iterator[WorkerQueue]:
    workers = media_of(server).image_workers
    yield from (workers.ordinary, workers.large)


def check_memory(server: Api, server_before_mb: int, large_mb: int | None = None) -> None:
    """Check that neither the server nor its workers have held more memory than they may."""
    assert peak_mb("self") < server_before_mb + SERVER_GROWTH_MB
    for lane in queues(server):
        if lane.worker.pid is not None:
            most = lane.memory_bytes // MB
            if large_mb is not None:
                most = min(most, large_mb)
            assert peak_mb(lane.worker.pid) < most + WORKER_BASE_MB


@on_one_loop
@pytest.mark.parametrize("name", [name for name, (*_, limits) in BOMBS.items() if not limits])
async def test_a_bomb_is_refused_by_its_header(shared_api: Api, name: str) -> None:
    await is_refused(shared_api, name)


@pytest.mark.parametrize("name", [name for name, (*_, limits) in BOMBS.items() if limits])
async def test_a_bomb_is_refused_by_a_lower_limit(api: OpenApi, name: str) -> None:
    *_, limits = BOMBS[name]
    await is_refused(await api(**limits), name)


async def is_refused(server: Api, name: str) -> None:
    """Upload the bomb. It must be refused without being drawn, and the next image drawn."""
    make, exceeded, _ = BOMBS[name]
    ada = server.new_user("ada")
    data = make()
    forget_peak()
    before = peak_mb("self")
    refused = await upload(ada, data)
    assert refused.refusal == (400, "bad_media"), refused
    assert refused.body["details"].get("exceeded") == exceeded, refused
    assert refused.body["details"]["limit"] > 0
    check_memory(server, before, large_mb=32)
    assert media_of(server).image_workers.deaths == 0, "the header alone was enough"
    assert (await upload(ada, png(10, 10))).status == 201


async def test_an_image_at_the_pixel_limit_is_drawn_in_bounded_memory(server: Api) -> None:
    ada = server.new_user("ada")
    data = png(8000, 8000)
    forget_peak()
    before = peak_mb("self")
    sent = await upload(ada, data)
    assert (sent.status, sent.body["width"]) == (201, 8000), sent
    check_memory(server, before, large_mb=384)


@on_one_loop
@pytest.mark.parametrize("frames", [1_000, 1_001])
async def test_an_animation_has_a_limit_of_frames(shared_api: Api, frames: int) -> None:
    sent = await upload(shared_api.new_user("ada"), gif(4, 4, frames))
    assert sent.status == (201 if frames == 1_000 else 400), sent


@pytest.mark.parametrize("width", [100, 101])
async def test_an_image_has_a_limit_of_pixels(api: OpenApi, width: int) -> None:
    server = await api(image_pixels=10_000)
    sent = await upload(server.new_user("ada"), png(width, 100))
    assert sent.status == (201 if width == 100 else 400), sent


async def test_a_worker_that_runs_out_of_memory_refuses_and_is_replaced(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the estimate were wrong: the limit of the operating system holds.
    limits = Limits()
    server = await api(image_memory_bytes=10**12)
    ada = server.new_user("ada")
    media_of(server).image_workers.large.worker = WorkerProcess(
        limits.image_memory_bytes, 2 * limits.image_bytes
    )
    refused = await upload(ada, webp(8000, 8000))
    assert refused.refusal == (400, "bad_media"), refused
    check_memory(server, peak_mb("self"))
    assert (await upload(ada, png(5000, 5000))).status == 201


async def test_an_image_that_takes_too_long_is_refused_and_the_next_drawn(
    api: OpenApi,
) -> None:
    server = await api(image_seconds=1)
    ada = server.new_user("ada")
    rough = saved(noise(5000), "PNG", compress_level=1)
    refused = await upload(ada, rough)
    assert refused.refusal == (400, "bad_media"), refused
    assert refused.body["details"] == {"exceeded": "seconds", "limit": 1}
    assert media_of(server).image_workers.deaths == 1
    assert (await upload(ada, png(10, 10))).status == 201


async def test_a_slow_image_moves_from_the_ordinary_worker_to_the_other(
    server: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = media_of(server).image_workers
    assert workers.ordinary.seconds == ORDINARY_SECONDS
    monkeypatch.setattr(workers.ordinary, "seconds", 0.1)
    sent = await upload(server.new_user("ada"), saved(noise(3000), "PNG", compress_level=1))
    assert sent.status == 201, sent
    assert (workers.ordinary.worker.deaths, workers.large.worker.deaths) == (1, 0)


@pytest.mark.parametrize(
    "text",
    [
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 * MB))),
        png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(100 * MB))),
        png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(100 * MB))),
    ],
    ids=["zTXt", "iTXt", "iCCP"],
)
async def test_the_texts_of_an_image_are_never_unpacked(server: Api, text: bytes) -> None:
    ada = server.new_user("ada")
    sent = await upload(ada, png(10, 10, text))
    assert sent.status == 201, sent
    for lane in queues(server):
        if lane.worker.pid is not None:
            assert peak_mb(lane.worker.pid) < WORKER_BASE_MB


# --- ordinary images --------------------------------------------------------------------------------------------------


def phone_photo(**options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    rough = Image.effect_noise((1000, 750), 40).resize((8000, 6000))
    return saved(Image.merge("RGB", [rough] * 3), "JPEG", exif=exif, **options)


def scanned_page() -> bytes:
    page = Image.effect_noise((620, 877), 40).resize((4960, 7016))
    return saved(page, "PNG", dpi=(600, 600), compress_level=1)


HONEST: Final[dict[str, tuple[Callable[[], bytes], tuple[int, int]]]] = {
    "a 48-megapixel photo": (phone_photo, (6000, 8000)),
    "a progressive 48-megapixel photo": (lambda: phone_photo(progressive=True), (6000, 8000)),
    "a page scanned at 600 dpi": (scanned_page, (4960, 7016)),
    "a strip": (lambda: png(1, 65_535), (1, 65_535)),
    "a GIF of 500 frames": (lambda: gif(480, 270, 500), (480, 270)),
    "a sticker": (lambda: webp_animation(512, 512, 60), (512, 512)),
    "a 12-megapixel WebP": (lambda: webp(4000, 3000), (4000, 3000)),
}
LARGE: Final = frozenset({"a progressive 48-megapixel photo", "a page scanned at 600 dpi"})


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in LARGE else []) for name in HONEST],
)
async def test_an_ordinary_image_is_accepted(server: Api, name: str) -> None:
    make, size = HONEST[name]
    sent = await upload(server.new_user("ada"), make())
    assert sent.status == 201, sent
    assert (sent.body["width"], sent.body["height"]) == size
    assert sent.body["thumb_url"]
    assert media_of(server).image_workers.deaths == 0


@on_one_loop
@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "ICO", "BMP"])
async def test_an_image_that_is_not_redrawn_is_a_file_to_download(
    shared_api: Api, kind: str
) -> None:
    ada = shared_api.new_user("ada")
    media = (await upload(ada, saved(Image.new("RGB", (32, 32)), kind))).body
    assert (media["kind"], media["thumb_url"]) == ("file", None)
    async with ada.http.get(ada.base + media["url"]) as response:
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
async def server(api: OpenApi) -> Api:
    return await api()


def test_the_ordinary_worker_has_room_for_a_12_megapixel_photo() -> None:
    assert ORDINARY_MEMORY_BYTES > 12_000_000 * 11
