"""What the container of a video says of it: its size, how long it lasts, and the cover that it carries.

Promises: only headers are read, never the film, so that a large file costs no more than a small one. At most
`MAX_PARTS` parts of the container are looked at, and at most `MAX_COVER_BYTES` of a cover are kept. What a file does
not say believably is None. A file that contradicts itself, or ends too early, raises nothing.

MP4 and its relatives consist of boxes, WebM and Matroska of EBML elements; both nest. Every reader here knows the few
parents that it looks into, so the depth is bounded, too.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from groups.images.sounds import LEAST_BYTES_PER_SECOND

MP4_TYPES: Final = frozenset({"video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp"})
EBML_TYPES: Final = frozenset({"video/webm", "video/x-matroska"})
READ_VIDEOS: Final = MP4_TYPES | EBML_TYPES
"""The content types whose headers can be read."""

MAX_PARTS: Final = 20_000
"""A film of two hours has some thousand clusters."""
MAX_EDGE: Final = 16_384  # pixels; no browser shows a film that is larger
MAX_COVER_BYTES: Final = 8 * 2**20
_HEAD_BYTES: Final = 16  # of a part: its name and its size, in either kind of container
_COVERS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""The content type of a cover, by its first bytes."""


@dataclass(slots=True)
class VideoHeader:
    """What was read. `cover` is a picture inside the file, of the type `cover_type`."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    cover: bytes = field(default=b"", repr=False)

    @property
    def cover_type(self) -> str | None:
        """The content type of the cover; None where there is none that can be drawn."""
        for first, content_type in _COVERS.items():
            if self.cover.startswith(first):
                return content_type
        return None


class _Part(NamedTuple):
    """A box or an element: its name, and where its content begins and ends."""

    name: bytes
    start: int
    end: int


class _TooManyParts(Exception):
    """The container has more parts than anybody's film."""


def header_of(path: Path, content_type: str) -> VideoHeader:
    """Read the headers of the video at `path`."""
    found = VideoHeader()
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            if content_type in EBML_TYPES:
                _Matroska(file, size, found).read()
            elif content_type in MP4_TYPES:
                _Mp4(file, size, found).read()
        except _TooManyParts:
            pass  # what was found before it stays
    _drop_unbelievable(found, size)
    return found


def _drop_unbelievable(found: VideoHeader, size: int) -> None:
    edges = found.width or 0, found.height or 0
    if not all(0 < edge <= MAX_EDGE for edge in edges):
        found.width = found.height = None
    seconds = found.duration_seconds
    if seconds is None:
        return
    if not math.isfinite(seconds) or seconds <= 0 or seconds * LEAST_BYTES_PER_SECOND > size:
        found.duration_seconds = None
    else:
        found.duration_seconds = round(seconds, 3)


class _Container:
    """Reads parts of a file; subclasses know how a part begins."""

    def __init__(self, file: BinaryIO, size: int, found: VideoHeader) -> None:
        self._file = file
        self._size = size
        self._found = found
        self._parts = 0

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _TooManyParts

    def _bytes(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def _keep_cover(self, start: int, end: int) -> None:
        if not self._found.cover and 0 < end - start <= MAX_COVER_BYTES:
            self._found.cover = self._bytes(start, end - start)


class _Mp4(_Container):
    """ISO 14496-12 and QuickTime."""

    def read(self) -> None:
        for box in self._boxes(0, self._size):
            if box.name == b"moov":
                self._read_movie(box)
                return

    def _boxes(self, start: int, end: int) -> Iterator[_Part]:
        at = start
        while at + 8 <= end:
            self._count()
            head = self._bytes(at, _HEAD_BYTES)
            size, name, body = int.from_bytes(head[:4]), head[4:8], at + 8
            if size == 1:
                size, body = int.from_bytes(head[8:16]), at + 16
            elif size == 0:  # up to the end
                size = end - at
            if at + size < body or at + size > end:
                return
            yield _Part(name, body, at + size)
            at += size

    def _read_movie(self, movie: _Part) -> None:
        timescale = duration = 0
        for box in self._boxes(movie.start, movie.end):
            if box.name == b"mvhd":
                timescale, duration = self._times_of(box)
            elif box.name == b"mvex" and not duration:
                duration = self._fragments_of(box)
            elif box.name == b"trak":
                self._read_track(box)
            elif box.name == b"udta":
                self._read_user_data(box)
        if timescale and duration:
            self._found.duration_seconds = duration / timescale

    def _times_of(self, box: _Part) -> tuple[int, int]:
        data = self._bytes(box.start, min(32, box.end - box.start))
        if data[:1] == b"\1":
            timescale, duration, unknown = data[20:24], data[24:32], b"\xff" * 8
        else:
            timescale, duration, unknown = data[12:16], data[16:20], b"\xff" * 4
        return int.from_bytes(timescale), 0 if duration == unknown else int.from_bytes(duration)

    def _fragments_of(self, extends: _Part) -> int:
        """How long a film that was written in fragments lasts, where its writer knew."""
        for box in self._boxes(extends.start, extends.end):
            if box.name == b"mehd":
                data = self._bytes(box.start, min(12, box.end - box.start))
                return int.from_bytes(data[4:12] if data[:1] == b"\1" else data[4:8])
        return 0

    def _read_track(self, track: _Part) -> None:
        header = handler = b""
        for box in self._boxes(track.start, track.end):
            if box.name == b"tkhd":
                header = self._bytes(box.start, min(96, box.end - box.start))
            elif box.name == b"mdia":
                for inner in self._boxes(box.start, box.end):
                    if inner.name == b"hdlr":
                        handler = self._bytes(inner.start + 8, 4)
        end = 96 if header[:1] == b"\1" else 84
        if handler != b"vide" or len(header) < end or self._found.width:
            return
        # Width and height are 16.16; the matrix before them turns a film that a phone took upright.
        width = int.from_bytes(header[end - 8 : end - 6])
        height = int.from_bytes(header[end - 4 : end - 2])
        a = int.from_bytes(header[end - 44 : end - 40], signed=True)
        b = int.from_bytes(header[end - 40 : end - 36], signed=True)
        if abs(b) > abs(a):
            width, height = height, width
        self._found.width, self._found.height = width, height

    def _read_user_data(self, user_data: _Part) -> None:
        """The cover is at meta/ilst/covr/data, behind four bytes of its type and four of its language."""
        for meta in self._boxes(user_data.start, user_data.end):
            if meta.name != b"meta":
                continue
            # In MP4 it begins with a version, in QuickTime it does not.
            has_version = self._bytes(meta.start + 4, 4) != b"hdlr"
            for items in self._boxes(meta.start + 4 * has_version, meta.end):
                if items.name != b"ilst":
                    continue
                for item in self._boxes(items.start, items.end):
                    if item.name != b"covr":
                        continue
                    for data in self._boxes(item.start, item.end):
                        if data.name == b"data":
                            self._keep_cover(data.start + 8, data.end)


_SEGMENT: Final = b"\x18\x53\x80\x67"
_INFO: Final = b"\x15\x49\xa9\x66"
_TIMESTAMP_SCALE: Final = b"\x2a\xd7\xb1"
_DURATION: Final = b"\x44\x89"
_TRACKS: Final = b"\x16\x54\xae\x6b"
_TRACK: Final = b"\xae"
_VIDEO: Final = b"\xe0"
_PIXEL_WIDTH: Final = b"\xb0"
_PIXEL_HEIGHT: Final = b"\xba"
_DISPLAY_WIDTH: Final = b"\x54\xb0"
_DISPLAY_HEIGHT: Final = b"\x54\xba"
_CLUSTER: Final = b"\x1f\x43\xb6\x75"
_ATTACHMENTS: Final = b"\x19\x41\xa4\x69"
_ATTACHED_FILE: Final = b"\x61\xa7"
_FILE_TYPE: Final = b"\x46\x60"
_FILE_DATA: Final = b"\x46\x5c"
_NANOSECONDS: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000  # the scale of timestamps, unless the file says another


class _Matroska(_Container):
    """RFC 9559, of which WebM is a part."""

    def read(self) -> None:
        for segment in self._elements(0, self._size):
            if segment.name != _SEGMENT:
                continue
            for part in self._elements(segment.start, segment.end):
                if part.name == _INFO:
                    self._read_info(part)
                elif part.name == _TRACKS:
                    self._read_tracks(part)
                elif part.name == _ATTACHMENTS:
                    self._read_attachments(part)
            return

    def _elements(self, start: int, end: int) -> Iterator[_Part]:
        at = start
        while at < end:
            self._count()
            head = self._bytes(at, _HEAD_BYTES)
            id_length = 9 - head[0].bit_length()
            if id_length > 4 or id_length >= len(head):
                return
            size_length = 9 - head[id_length].bit_length()
            body = at + id_length + size_length
            if size_length > 8 or body > end:
                return
            most = (1 << 7 * size_length) - 1
            size = int.from_bytes(head[id_length : id_length + size_length]) & most
            name = head[:id_length]
            if size == most or (name == _SEGMENT and body + size > end):
                # A recording does not know how long it will be. The end of such a cluster cannot be found.
                if name == _CLUSTER:
                    return
                size = end - body
            if body + size > end:
                return
            yield _Part(name, body, body + size)
            at = body + size

    def _number(self, part: _Part) -> int:
        return int.from_bytes(self._bytes(part.start, min(8, part.end - part.start)))

    def _read_info(self, info: _Part) -> None:
        scale, duration = _MILLISECOND, 0.0
        for part in self._elements(info.start, info.end):
            if part.name == _TIMESTAMP_SCALE:
                scale = self._number(part)
            elif part.name == _DURATION:
                duration = _float(self._bytes(part.start, min(8, part.end - part.start)))
        if duration:
            self._found.duration_seconds = duration * scale / _NANOSECONDS

    def _read_tracks(self, tracks: _Part) -> None:
        for track in self._elements(tracks.start, tracks.end):
            if track.name != _TRACK:
                continue
            for video in self._elements(track.start, track.end):
                if video.name == _VIDEO and not self._found.width:
                    self._read_size(video)

    def _read_size(self, video: _Part) -> None:
        edges = {part.name: self._number(part) for part in self._elements(video.start, video.end)}
        width, height = edges.get(_PIXEL_WIDTH, 0), edges.get(_PIXEL_HEIGHT, 0)
        shown_width, shown_height = edges.get(_DISPLAY_WIDTH, 0), edges.get(_DISPLAY_HEIGHT, 0)
        if shown_width and shown_height:
            # Whatever their unit, which may be centimetres, they are the proportion in which it is shown.
            width = round(height * shown_width / shown_height)
        self._found.width, self._found.height = width, height

    def _read_attachments(self, attachments: _Part) -> None:
        for attached in self._elements(attachments.start, attachments.end):
            if attached.name != _ATTACHED_FILE:
                continue
            content_type = b""
            data: _Part | None = None
            for part in self._elements(attached.start, attached.end):
                if part.name == _FILE_TYPE:
                    content_type = self._bytes(part.start, min(64, part.end - part.start))
                elif part.name == _FILE_DATA:
                    data = part
            # Fonts for subtitles are attached, too.
            if data is not None and content_type.startswith(b"image/"):
                self._keep_cover(data.start, data.end)


def _float(data: bytes) -> float:
    """A number of four or eight bytes; 0 for any other length."""
    code = {4: ">f", 8: ">d"}.get(len(data))
    return float(struct.unpack(code, data)[0]) if code else 0.0
