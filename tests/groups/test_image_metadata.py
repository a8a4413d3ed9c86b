"""No metadata of an image reaches another user, in any format, still or moving."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from tests.api import Api, User

pytestmark = pytest.mark.asyncio(loop_scope="module")


SECRET: Final = b"Hidden-Secret-48.8584N"
TEXT: Final = SECRET.decode()
ORIENTATION: Final = 0x0112
GPS: Final = 0x8825


def exif() -> Image.Exif:
    made = Image.Exif()
    made[0x010F] = TEXT
    made[0x9286] = SECRET
    made.get_ifd(GPS)[1] = "N"
    made.get_ifd(GPS)[29] = TEXT
    return made


def xmp() -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r exif:GPSLatitude="' + SECRET + b'"/></x:xmpmeta>'
    )


def profile() -> bytes:
    """A colour profile that contains the secret and is not named sRGB."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return bytes(made).replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be")) + SECRET


def frames(mode: str = "RGB") -> list[Image.Image]:
    made = [Image.new(mode, (24, 16), colour) for colour in ("red", "lime", "blue")]
    for number, frame in enumerate(made):
        frame.paste("white", (number, 0, number + 4, 4))
    return made


def saved(kind: str, *, moves: bool, **options: Any) -> bytes:
    first, *rest = frames()
    file = io.BytesIO()
    if moves:
        options |= {"save_all": True, "append_images": rest, "duration": 70, "loop": 3}
    first.save(file, kind, **options)
    return file.getvalue()


def png(*, moves: bool) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", TEXT)
    texts.add_text("Location", TEXT, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", xmp().decode())
    made = saved("PNG", moves=moves, pnginfo=texts, exif=exif(), icc_profile=profile())
    time = struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)
    extra = chunk(b"tIME", time) + chunk(b"prVt", SECRET)
    return made[:33] + extra + made[33:] + SECRET


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gif(*, moves: bool) -> bytes:
    made = saved("GIF", moves=moves, comment=SECRET)
    application = b"!\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0"
    remark = b"!\xfe" + bytes([len(SECRET)]) + SECRET + b"\0"
    plain = b"!\x01\x0c" + bytes(12) + bytes([len(SECRET)]) + SECRET + b"\0"
    return made[:-1] + application + remark + plain + made[-1:] + SECRET


def webp(*, moves: bool) -> bytes:
    made = saved("WEBP", moves=moves, exif=exif(), xmp=xmp(), icc_profile=profile(), quality=90)
    unknown = b"PRIV" + struct.pack("<I", len(SECRET)) + SECRET
    whole = made + unknown
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:] + SECRET


def jpeg(*, moves: bool) -> bytes:
    assert not moves
    made = saved("JPEG", moves=False, exif=exif(), xmp=xmp(), icc_profile=profile(), comment=SECRET)
    photoshop = b"Photoshop 3.0\0" + SECRET
    return (
        made[:2]
        + b"\xff\xed"
        + struct.pack(">H", len(photoshop) + 2)
        + photoshop
        + made[2:]
        + SECRET
    )


CASES: Final[dict[str, Callable[[], bytes]]] = {
    "JPEG": lambda: jpeg(moves=False),
    "PNG": lambda: png(moves=False),
    "GIF": lambda: gif(moves=False),
    "WebP": lambda: webp(moves=False),
    "animated PNG": lambda: png(moves=True),
    "animated GIF": lambda: gif(moves=True),
    "animated WebP": lambda: webp(moves=True),
}


def unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes of a file, and everything that is compressed in them."""
    yield data
    for start in range(len(data) - 1):
        if data[start] & 0x0F == 8 and (data[start] << 8 | data[start + 1]) % 31 == 0:
            try:
                yield zlib.decompressobj().decompress(data[start:], 100_000)
            except zlib.error:
                continue


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shared_api: Api) -> Api:
    """One server for all tests, which use users and channels of their own."""
    return shared_api


async def sent(user: User, data: bytes) -> dict[str, bytes]:
    """The image in every size, as other users load it."""
    media = await user.call("POST", "/v1/media", data=data)
    assert media.status == 201, media
    assert media.body["kind"] == "image"
    found = {}
    for name in ("url", "large_url", "thumb_url"):
        async with user.http.get(user.base + media.body[name]) as response:
            found[name] = await response.read()
    return found


@pytest.mark.parametrize("name", CASES)
async def test_nothing_is_left_but_the_pixels(server: Api, name: str) -> None:
    data = CASES[name]()
    assert any(SECRET in part for part in unpacked(data)), "or this proves nothing"
    for loaded in (await sent(server.new_user("ada"), data)).values():
        assert not [part for part in unpacked(loaded) if SECRET in part]
        assert b"Exif\0" not in loaded
        assert b"xmpmeta" not in loaded
        with Image.open(io.BytesIO(loaded)) as shown:
            shown.load()
            assert not shown.getexif()
            left = set(shown.info)
            assert not left & {"icc_profile", "exif", "xmp", "comment", "XML:com.adobe.xmp"}
            assert not getattr(shown, "text", {})


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("animated")])
async def test_an_animation_looks_the_same(server: Api, name: str) -> None:
    data = CASES[name]()
    loaded = (await sent(server.new_user("ada"), data))["url"]
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(loaded)) as after:
        assert after.size == before.size
        assert after.info.get("loop") == 3
        assert getattr(after, "n_frames", 1) == 3
        for old, new in zip(
            ImageSequence.Iterator(before), ImageSequence.Iterator(after), strict=True
        ):
            old.load()
            new.load()
            assert new.info["duration"] == old.info["duration"] == 70
            for place in ((20, 12), (1, 1)):
                assert near(old.convert("RGB").getpixel(place), new.convert("RGB").getpixel(place))


def near(one: Any, other: Any) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(one, other, strict=True))


async def test_a_transparent_animation_stays_transparent(server: Api) -> None:
    made = []
    for number in range(3):
        frame = Image.new("RGBA", (24, 16), (0, 0, 0, 0))
        frame.paste((255, 0, 0, 255), (number * 6, 0, number * 6 + 6, 6))
        frame.paste((255, 0, 0, 255), (number, 15, number + 1, 16))
        made.append(frame)
    for kind in ("GIF", "PNG", "WEBP"):
        file = io.BytesIO()
        options: dict[str, Any] = {"disposal": 2} if kind == "GIF" else {}
        made[0].save(
            file, kind, save_all=True, append_images=made[1:], duration=70, loop=0, **options
        )
        loaded = (await sent(server.new_user("ada"), file.getvalue()))["url"]
        with Image.open(io.BytesIO(loaded)) as shown:
            for number, frame in enumerate(ImageSequence.Iterator(shown)):
                drawn = frame.convert("RGBA")
                for each in range(3):
                    alpha = drawn.getpixel((each * 6 + 3, 3))[3]  # type: ignore[index]
                    assert (alpha > 128) == (each == number), (kind, number, each)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_an_image_is_turned_upright(server: Api, kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (64, 32), "white")
    upright.paste("red", (0, 0, 32, 16))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    held = upright.transpose(undo) if undo is not None else upright
    about = Image.Exif()
    about[ORIENTATION] = orientation
    file = io.BytesIO()
    held.save(file, kind, exif=about)
    loaded = (await sent(server.new_user("ada"), file.getvalue()))["url"]
    with Image.open(io.BytesIO(loaded)) as shown:
        drawn = shown.convert("RGB")
        assert drawn.size == (64, 32)
        assert near(drawn.getpixel((10, 6)), (255, 0, 0))
        assert near(drawn.getpixel((54, 26)), (255, 255, 255))


async def test_colours_follow_their_profile(server: Api) -> None:
    # The profile exchanges red and blue.
    made = bytearray(profile())
    tags = {made[at : at + 4].decode("latin-1"): at for at in range(132, 132 + 12 * 20, 12)}
    red, blue = tags["rXYZ"], tags["bXYZ"]
    made[red : red + 4], made[blue : blue + 4] = b"bXYZ", b"rXYZ"
    for kind in ("JPEG", "PNG", "WEBP"):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), "red").save(file, kind, icc_profile=bytes(made))
        loaded = (await sent(server.new_user("ada"), file.getvalue()))["url"]
        with Image.open(io.BytesIO(loaded)) as shown:
            assert near(shown.convert("RGB").getpixel((9, 9)), (0, 0, 255)), kind


async def test_an_invalid_profile_is_dropped(server: Api) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), "red").save(file, kind, icc_profile=SECRET * 20)
        loaded = (await sent(server.new_user("ada"), file.getvalue()))["url"]
        assert SECRET not in loaded


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *[("PNG", mode) for mode in ("1", "L", "LA", "P", "I;16", "RGB", "RGBA")],
        *[("JPEG", mode) for mode in ("L", "RGB", "CMYK")],
        *[("GIF", mode) for mode in ("L", "P")],
        *[("WEBP", mode) for mode in ("RGB", "RGBA")],
    ],
)
async def test_every_kind_of_pixel_is_drawn(server: Api, kind: str, mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (2700, 40)).save(file, kind)
    loaded = await sent(server.new_user("ada"), file.getvalue())
    with Image.open(io.BytesIO(loaded["large_url"])) as shown:
        assert shown.size == (1280, 19)
