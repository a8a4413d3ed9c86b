"""Writes animations frame by frame, so that only the current frame and the one before it are in memory.

Pillow's own writers for GIF and PNG keep every frame until the last one.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from PIL import GifImagePlugin, Image, ImageChops

from groups.images.headers import Frames, png_chunks

_PNG_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_COMPRESSION: Final = 4  # see `drawing`
_DEFAULT_MILLISECONDS: Final = 100
_CLEAR: Final = 2  # GIF disposal: the frame is removed before the next one is drawn
_KEEP: Final = 1  # GIF disposal: the next frame is drawn over this one


def write_gif(image: Image.Image, target: Path, found: Frames) -> None:
    """Write the frames of an opened GIF."""
    loop = int(image.info.get("loop", 0))
    is_opaque = "transparency" not in image.info
    with target.open("wb") as file:
        file.write(b"GIF89a" + struct.pack("<HH", found.width, found.height) + b"\x70\0\0")
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loop) + b"\0")
        before: Image.Image | None = None
        for frame, milliseconds in _frames(image, range(found.count)):
            position = (0, 0)
            if is_opaque:
                drawn = frame.convert("RGB")
                box = _changed(before, drawn)
                before, position = drawn, box[:2]
                # Its own palette serves a frame that still has one.
                frame = frame if frame.mode == "P" and box == _whole(frame) else drawn.crop(box)
            _write_gif_frame(file, frame, position, milliseconds, _KEEP if is_opaque else _CLEAR)
        file.write(b";")


def _write_gif_frame(
    file: BinaryIO, frame: Image.Image, position: tuple[int, int], milliseconds: int, disposal: int
) -> None:
    transparent = frame.info.get("transparency") if disposal == _CLEAR else None
    if frame.mode != "P":
        frame = frame.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette = frame.getpalette("RGBA") or []
        alphas = palette[3::4]
        transparent = alphas.index(0) if disposal == _CLEAR and 0 in alphas else None
    options = {} if transparent is None else {"transparency": transparent}
    for piece in GifImagePlugin.getdata(
        frame,
        position,
        duration=milliseconds,
        disposal=disposal,
        include_color_table=True,
        **options,
    ):
        file.write(piece)


def write_png(image: Image.Image, target: Path, frames: range) -> None:
    """Write these frames of an opened animated PNG."""
    loop = int(image.info.get("loop", 0))
    with target.open("wb") as file:
        before: Image.Image | None = None
        sequence = 0
        for frame, milliseconds in _frames(image, frames):
            drawn = frame.convert("RGBA")
            box = _changed(before, drawn)
            still = io.BytesIO()
            part = drawn if box == _whole(drawn) else drawn.crop(box)
            part.info = {}
            part.save(still, "PNG", compress_level=_COMPRESSION)
            png = still.getvalue()
            chunks = [(name, png[begin + 8 : end - 4]) for name, begin, end in png_chunks(png)]
            if before is None:
                file.write(_PNG_HEAD + _chunk(b"IHDR", chunks[0][1]))
                file.write(_chunk(b"acTL", struct.pack(">II", len(frames), loop)))
            control = struct.pack(
                ">IIIIIHHBB",
                *(sequence, box[2] - box[0], box[3] - box[1], box[0], box[1]),
                *(min(milliseconds, 65_535), 1_000, 0, 0),  # kept, and not blended
            )
            file.write(_chunk(b"fcTL", control))
            sequence += 1
            for name, data in chunks:
                if name == b"IDAT" and before is None:
                    file.write(_chunk(b"IDAT", data))
                elif name == b"IDAT":
                    file.write(_chunk(b"fdAT", struct.pack(">I", sequence) + data))
                    sequence += 1
            before = drawn
        file.write(_chunk(b"IEND", b""))


def write_webp(image: Image.Image, target: Path, milliseconds: list[int]) -> None:
    """Write an opened animated WebP; each of its frames is shown for so many milliseconds."""
    # The encoder asks the image for one frame after the other, and keeps them encoded.
    image.save(
        target,
        "WEBP",
        save_all=True,
        duration=[each or _DEFAULT_MILLISECONDS for each in milliseconds],
        loop=image.info.get("loop", 0),
        icc_profile=b"",
        exif=b"",
        xmp=b"",
    )


def _frames(image: Image.Image, numbers: range) -> Iterator[tuple[Image.Image, int]]:
    for number in numbers:
        image.seek(number)
        image.load()
        yield image, round(image.info.get("duration", 0)) or _DEFAULT_MILLISECONDS


def _whole(image: Image.Image) -> tuple[int, int, int, int]:
    return 0, 0, image.width, image.height


def _changed(before: Image.Image | None, now: Image.Image) -> tuple[int, int, int, int]:
    """The part that differs from the frame before; one pixel where none does, since a frame must have one."""
    if before is None or before.size != now.size:
        return _whole(now)
    box = ImageChops.difference(before, now).getbbox(alpha_only=False)
    return box or (0, 0, 1, 1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
