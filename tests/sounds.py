"""Small sounds of each container, made here: silence, or nothing that a player could play, but with true headers."""

import io
import struct
import wave


def wav(seconds: float = 1.5) -> bytes:
    """Silence of a telephone's quality."""
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(1)
        made.setframerate(8_000)
        made.writeframes(b"\x80" * int(8_000 * seconds))
    return file.getvalue()


def mp3(seconds: float = 2.0) -> bytes:
    """MPEG 1 layer III of 128 kbit/s at 48 kHz: frames of 24 ms."""
    return (b"\xff\xfb\x94\x00" + bytes(380)) * round(seconds / 0.024)


def tagged_mp3(tag_bytes: int, seconds: float = 2.4) -> bytes:
    """An MP3 behind an ID3 tag that says to be so long."""
    size = bytes(tag_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + bytes(min(tag_bytes, 10_000)) + mp3(seconds)


def ogg_page(packet: bytes, number: int, granules: int = 0, *, flags: int = 0) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granules, 7, number, 0, len(lacing))
    return head + lacing + packet


def opus(seconds: float = 3.0) -> bytes:
    """Ogg with Opus, as a browser records it; without checksums."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I4sI", 4, b"test", 0)
    end = 312 + int(48_000 * seconds)
    return ogg_page(head, 0, flags=2) + ogg_page(tags, 1) + ogg_page(bytes(5_000), 2, end, flags=4)


def theora() -> bytes:
    """The beginning of a film in Ogg."""
    return ogg_page(b"\x80theora" + bytes(35), 0, flags=2)


def flac(seconds: float = 2.5, size: int = 2_000) -> bytes:
    samples = int(8_000 * seconds)
    rates = 8_000 << 44 | 0 << 41 | 15 << 36 | samples
    info = struct.pack(">HH6xQ16x", 4_096, 4_096, rates)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info + bytes(size)


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def mp4(brand: bytes, *handlers: bytes, seconds: float = 4.0, size: int = 2_000) -> bytes:
    """MP4 with a track for each handler: `soun` or `vide`."""
    header = box(b"mvhd", struct.pack(">4xIIII80x", 0, 0, 1_000, int(1_000 * seconds)))
    tracks = [
        box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"hdlr", bytes(8), each, bytes(13))))
        for each in handlers
    ]
    kind = box(b"ftyp", brand, bytes(4), b"isom")
    return kind + box(b"moov", header, *tracks) + box(b"mdat", bytes(size))


def element(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return name + (len(body) | 1 << 28).to_bytes(4, "big") + body


def webm(*track_types: int) -> bytes:
    """WebM with tracks of these types: 1 is a picture, 2 is a sound."""
    header = element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm")
    tracks = [element(b"\xae", b"\xd7\x81\x01", bytes([0x83, 0x81, each])) for each in track_types]
    # A segment of unknown length, as of a recording.
    info = element(b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1\x83\x0f\x42\x40")
    segment = b"\x18\x53\x80\x67\x01" + b"\xff" * 7
    return header + segment + info + element(b"\x16\x54\xae\x6b", *tracks) + bytes(500)
