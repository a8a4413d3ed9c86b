"""Small videos of each container, made here: nothing that a player could play, but with true headers."""

import struct

from tests.sounds import box, element

_UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_TURNED = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def film(
    width: int = 640,
    height: int = 360,
    seconds: float = 4.0,
    *,
    brand: bytes = b"mp42",
    turned: bool = False,
    long_boxes: bool = False,
    fragments: bool = False,
    cover: bytes = b"",
    index_last: bool = True,
    size: int = 20_000,
) -> bytes:
    """MP4 of a picture and a sound. `turned`: as a phone takes an upright film; `fragments`: as a stream is written."""
    duration = int(1_000 * seconds)
    matrix = struct.pack(">9i", *(_TURNED if turned else _UPRIGHT))
    edges = struct.pack(">II", width << 16, height << 16)
    in_header = 0 if fragments else duration
    if long_boxes:
        times = struct.pack(">B3xQQIQ80x", 1, 0, 0, 1_000, in_header)
        track = struct.pack(">B3xQQIIQ16x", 1, 0, 0, 1, 0, duration) + matrix + edges
    else:
        times = struct.pack(">4xIIII80x", 0, 0, 1_000, in_header)
        track = struct.pack(">4xIIIII16x", 0, 0, 1, 0, duration) + matrix + edges
    sound = box(b"trak", box(b"tkhd", bytes(84)), _media(b"soun"))
    picture = box(b"trak", box(b"tkhd", track), _media(b"vide"))
    extends = box(b"mvex", box(b"mehd", struct.pack(">4xI", duration))) if fragments else b""
    user_data = box(b"udta", _items(cover)) if cover else b""
    index = box(b"moov", box(b"mvhd", times), sound, picture, extends, user_data)
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + size) + bytes(size)
    start = box(b"ftyp", brand, bytes(4), b"isom")
    return start + (data + index if index_last else index + data)


def _media(handler: bytes) -> bytes:
    return box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13)))


def _items(cover: bytes) -> bytes:
    handler = box(b"hdlr", bytes(8), b"mdir", bytes(13))
    covers = box(b"covr", box(b"data", struct.pack(">II", 13, 0), cover))
    return box(b"meta", bytes(4), handler, box(b"ilst", covers))


def webm_film(
    width: int = 640,
    height: int = 360,
    seconds: float = 4.0,
    *,
    shown: tuple[int, int] | None = None,
    cover: bytes = b"",
    size: int = 20_000,
) -> bytes:
    """WebM with a picture. `shown`: the proportion in which it is shown; without `seconds`, as a browser records it."""
    header = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm")
    times = element(b"\x44\x89", struct.pack(">d", 1_000 * seconds)) if seconds else b""
    info = element(b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1\x83\x0f\x42\x40", times)
    edges = [element(b"\xb0", _number(width)), element(b"\xba", _number(height))]
    if shown is not None:
        edges += [element(b"\x54\xb0", _number(shown[0])), element(b"\x54\xba", _number(shown[1]))]
    track = element(b"\xae", b"\xd7\x81\x01", b"\x83\x81\x01", element(b"\xe0", *edges))
    cluster = element(b"\x1f\x43\xb6\x75", bytes(size))
    attached = b""
    if cover:
        file = [element(b"\x46\x6e", b"cover.jpg"), element(b"\x46\x60", b"image/jpeg")]
        file.append(element(b"\x46\x5c", cover))
        attached = element(b"\x19\x41\xa4\x69", element(b"\x61\xa7", *file))
    parts = [info, element(b"\x16\x54\xae\x6b", track), cluster, attached]
    # A segment of unknown length, as of a recording.
    return header + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"".join(parts)


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")
