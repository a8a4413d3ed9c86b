"""The structure of an image file, read without decoding a pixel.

Pillow counts the frames of a GIF by walking through all of them, and believes what a PNG claims. These functions count
what is there, and stop at the limit.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

MAX_PROFILE_BYTES: Final = 1_000_000  # of a colour profile in a PNG; a larger one is dropped
_IMAGE_CHUNKS: Final = frozenset(
    {
        *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"),
        *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"eXIf"),
    }
)
MAX_SCANS: Final = 64  # of one JPEG; progressive encoders write about ten


@dataclass(slots=True)
class Frames:
    """The frames of a file: their number, the canvas that holds them all, and how long each is shown (WebP only)."""

    count: int = 1
    width: int = 0
    height: int = 0
    milliseconds: list[int] = field(default_factory=list)


def frames_of(data: bytes, kind: str, max_frames: int) -> Frames:
    """The frames of the file, counted up to `max_frames + 1`. Raises: IndexError; ValueError for a damaged file."""
    if kind == "GIF":
        return _gif_frames(data, max_frames)
    if kind == "WEBP":
        return _webp_frames(data, max_frames)
    if kind == "PNG":
        return _png_frames(data, max_frames)
    return Frames()


def scans_of(jpeg: bytes) -> int:
    """An upper bound of the passes over the whole image that the file asks for."""
    # Within a scan 0xFF is always followed by 0 or a restart marker.
    return jpeg.count(b"\xff\xda")


def _gif_frames(data: bytes, max_frames: int) -> Frames:
    found = Frames(0, _uint16(data, 6), _uint16(data, 8))
    offset = 13 + _table_bytes(data[10])
    while found.count <= max_frames and offset < len(data):
        mark = data[offset]
        if mark == 0x2C:
            left, top, width, height = (_uint16(data, offset + 1 + 2 * n) for n in range(4))
            # A frame may reach beyond the canvas of the header; Pillow then enlarges the canvas.
            found.width = max(found.width, left + width)
            found.height = max(found.height, top + height)
            found.count += 1
            offset = _after_blocks(data, offset + 11 + _table_bytes(data[offset + 9]))
        elif mark == 0x21:
            offset = _after_blocks(data, offset + 2)
        elif mark == 0x3B:
            break
        else:
            offset += 1
    return found


def _after_blocks(data: bytes, offset: int) -> int:
    while offset < len(data) and (size := data[offset]):
        offset += size + 1
    return offset + 1


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp_frames(data: bytes, max_frames: int) -> Frames:
    found = Frames(0, *_webp_size(data))
    offset = 12
    while found.count <= max_frames and offset + 8 <= len(data):
        size = int.from_bytes(data[offset + 4 : offset + 8], "little")
        if data[offset : offset + 4] == b"ANMF":
            found.count += 1
            found.milliseconds.append(int.from_bytes(data[offset + 20 : offset + 23], "little"))
        offset += 8 + size + size % 2
    found.count = max(found.count, 1)
    return found


def _webp_size(data: bytes) -> tuple[int, int]:
    name = data[12:16]
    if name == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if name == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return _uint16(data, 26) & 0x3FFF, _uint16(data, 28) & 0x3FFF


def png_chunks(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk of a PNG, where it begins, and where it ends."""
    offset = 8
    while offset + 8 <= len(png):
        end = offset + 12 + int.from_bytes(png[offset : offset + 4], "big")
        yield png[offset + 4 : offset + 8], offset, end
        offset = end


def _png_frames(data: bytes, max_frames: int) -> Frames:
    frames = (name for name, _, _ in png_chunks(data) if name == b"fcTL")
    return Frames(max(1, sum(1 for _ in islice(frames, max_frames + 1))))


def without_texts(png: bytes) -> bytes:
    """The file without texts and times: a few bytes of them may unpack to many, and Pillow unpacks them all."""
    kept = [png[:8]]
    for name, start, end in png_chunks(png):
        if name in _IMAGE_CHUNKS and not (
            name == b"iCCP" and _unpacks_to_more(png[start + 8 : end - 4], MAX_PROFILE_BYTES)
        ):
            kept.append(png[start:end])
    return b"".join(kept)


def _unpacks_to_more(named: bytes, most: int) -> bool:
    packed = named[named.find(b"\0") + 2 :]
    try:
        return len(zlib.decompressobj().decompress(packed, most + 1)) > most
    except zlib.error:
        return True


def _uint16(data: bytes, offset: int) -> int:
    return data[offset] | data[offset + 1] << 8
