"""Tells a film from a sound where the container is the same for both: WebM, MP4 and Ogg.

Browsers record voice as WebM or MP4 without a picture, and those files begin like films.

Promises: it looks at the beginning of the file only, in time that is linear in it, and never fails: what it cannot read
stays what it was taken for.
"""

from collections.abc import Iterator
from typing import Final

_WEBM_TRACKS: Final = b"\x16\x54\xae\x6b"
_WEBM_MASTERS: Final = {b"\x18\x53\x80\x67", _WEBM_TRACKS, b"\xae"}
"""Segment, Tracks and TrackEntry, whose children are read; all other elements are passed over."""
_WEBM_TRACK_TYPE: Final = b"\x83"
_WEBM_SOUND: Final = 2

_MP4_PARENTS: Final = {b"moov", b"trak", b"mdia"}
_MP4_HANDLER: Final = b"hdlr"
_MP4_SOUND: Final = b"soun"
_MP4_PICTURE: Final = b"vide"

_OGG_FILMS: Final = (b"\x80theora", b"BBCD\0", b"OVP80")


def type_by_tracks(content_type: str, head: bytes) -> str:
    """The content type, `audio/…` if the tracks are sounds only, `video/…` if an Ogg file is a film."""
    if content_type in {"video/webm", "video/x-matroska"}:
        kinds = list(_webm_tracks(head))
        is_sound = bool(kinds) and all(kind == _WEBM_SOUND for kind in kinds)
        return content_type.replace("video/", "audio/") if is_sound else content_type
    if content_type == "video/mp4":
        handlers = set(_mp4_handlers(head))
        is_sound = _MP4_SOUND in handlers and _MP4_PICTURE not in handlers
        return "audio/mp4" if is_sound else content_type
    if content_type == "audio/ogg" and any(film in head for film in _OGG_FILMS):
        return "video/ogg"
    return content_type


def _webm_tracks(head: bytes) -> Iterator[int]:
    """The types of the tracks; nothing where the list of them is not whole in the head, since a film might hide there.

    An EBML element begins with an id and a size, each of variable length.
    """
    at = 0
    while at < len(head):
        id_length = 9 - head[at].bit_length()
        size_at = at + id_length
        if id_length > 4 or size_at >= len(head):
            return
        size_length = 9 - head[size_at].bit_length()
        start = size_at + size_length
        if size_length > 8 or start > len(head):
            return
        element = head[at:size_at]
        size = int.from_bytes(head[size_at:start]) & ((1 << 7 * size_length) - 1)
        if element == _WEBM_TRACKS and start + size > len(head):
            return
        if element in _WEBM_MASTERS:
            at = start
            continue
        if element == _WEBM_TRACK_TYPE:
            yield int.from_bytes(head[start : start + size])
        at = start + size


def _mp4_handlers(head: bytes) -> Iterator[bytes]:
    """What the tracks hold. Nothing where the index is not whole in the head, since a film might hide there."""
    at = 0
    end = len(head)
    while at + 8 <= end:
        size, name = int.from_bytes(head[at : at + 4]), head[at + 4 : at + 8]
        if name == b"moov" and at + size > end:
            return
        if name in _MP4_PARENTS:
            at += 8
            continue
        if name == _MP4_HANDLER:
            yield head[at + 16 : at + 20]
        if size < 8:
            return
        at += size
