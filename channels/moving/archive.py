"""The zip file of an export: `channel.ndjson`, then `media/<sha256>`.

Promises:
    The same lines and uploads make the same bytes: fixed order, times and flags. (Lines are compressed by zlib, so the
    bytes of the zip are those of this version of zlib; those of its entries never differ.)
    Reading is bounded, whatever the file holds: the directory of the zip is measured before it is read, an entry has
    one of the two kinds of names, lines and uploads are read in pieces, and nothing is unpacked to a path.
"""

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Self

from channels.moving.errors import MovingRefused
from channels.moving.lines import LINE_BYTES

LINES_NAME: Final = "channel.ndjson"
MEDIA_FOLDER: Final = "media/"
PIECE: Final = 256 * 1024
DIRECTORY_BYTES: Final = 64 * 2**20
"""The largest directory of a zip that is read: some 500,000 uploads."""
RATIO: Final = 200
"""How many times larger than in the zip the lines may be; lines of an export are some 10 to 40 times larger."""

_MEDIA_NAME: Final = re.compile(r"media/[0-9a-f]{64}")
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_LARGE: Final = 2**31
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
_LOCATOR_64: Final = b"PK\x06\x07"
_ENCRYPTED: Final = 0x1


class ArchiveWriter:
    """Writes an export to a file beside `target`, which `target` becomes when all is written."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._zip = zipfile.ZipFile(self._part, "w", allowZip64=True)
        self._lines: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        info = zipfile.ZipInfo(LINES_NAME, _DATE)
        info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
        info.external_attr = 0o644 << 16
        self._lines = self._zip.open(info, "w", force_zip64=True)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()
        self._zip.close()
        if kind is None:
            self._part.replace(self._target)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, line: bytes) -> None:
        """Write a line."""
        assert self._lines is not None
        self._digest.update(line)
        self._lines.write(line)

    @property
    def digest(self) -> str:
        """The hash of the lines so far."""
        return self._digest.hexdigest()

    @contextmanager
    def media(self, digest: str, size_bytes: int) -> Iterator[IO[bytes]]:
        """Write an upload, after all lines, into the file that this gives."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        info = zipfile.ZipInfo(MEDIA_FOLDER + digest, _DATE)
        info.compress_type, info.create_system = zipfile.ZIP_STORED, 3
        info.external_attr = 0o644 << 16
        with self._zip.open(info, "w", force_zip64=size_bytes >= _LARGE) as file:
            yield file


class ArchiveReader:
    """Reads an export, as often as needed."""

    def __init__(self, source: Path) -> None:
        try:
            check_directory(source)
            self._zip = zipfile.ZipFile(source)
        except zipfile.BadZipFile as error:
            raise MovingRefused("not_an_export", f"{source} is no zip file: {error}") from error
        self.media: dict[str, int] = {}
        try:
            self._check_names()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _check_names(self) -> None:
        """Refuse entries that no export has."""
        names: set[str] = set()
        for info in self._zip.infolist():
            name = info.filename
            if name in names:
                raise MovingRefused("bad_archive", f"The zip holds {name!r} twice.")
            names.add(name)
            if info.flag_bits & _ENCRYPTED:
                raise MovingRefused("bad_archive", f"The zip's entry {name!r} is encrypted.")
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise MovingRefused(
                    "bad_archive", f"The zip's entry {name!r} is packed in an unknown way."
                )
            if name == LINES_NAME:
                if info.file_size > RATIO * max(info.compress_size, 64 * 1024):
                    raise MovingRefused(
                        "too_large", f"{LINES_NAME} would unpack to {info.file_size} bytes."
                    )
            elif _MEDIA_NAME.fullmatch(name):
                if info.file_size > info.compress_size * 1.1 + 1024:
                    raise MovingRefused(
                        "bad_archive", f"The zip's entry {name!r} is compressed; uploads are not."
                    )
                self.media[name.removeprefix(MEDIA_FOLDER)] = info.file_size
            else:
                raise MovingRefused("bad_archive", f"The zip holds {name!r}, which no export has.")
        if LINES_NAME not in names:
            raise MovingRefused("not_an_export", f"The zip holds no {LINES_NAME}.")

    def lines(self) -> Iterator[bytes]:
        """Yield the lines with their ends. Raises: MovingRefused for one that is too long, or is not whole."""
        number = 0
        with self._refusing(), self._zip.open(LINES_NAME) as file:
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                if len(line) > LINE_BYTES:
                    raise MovingRefused(
                        "too_large", f"A line has at most {LINE_BYTES} bytes.", line=number
                    )
                if not line.endswith(b"\n"):
                    raise MovingRefused("bad_line", "The file ends in its middle.", line=number)
                yield line

    def read_media(self, digest: str) -> Iterator[bytes]:
        """Yield the bytes of an upload that `media` names."""
        with self._refusing(), self._zip.open(MEDIA_FOLDER + digest) as file:
            while piece := file.read(PIECE):
                yield piece

    def check_media(self, digest: str) -> None:
        """Compare an upload with its hash. Raises: MovingRefused."""
        found = hashlib.sha256()
        for piece in self.read_media(digest):
            found.update(piece)
        if found.hexdigest() != digest:
            raise MovingRefused("wrong_hash", f"The bytes of media/{digest} have another hash.")

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        # zlib raises errors of its own for bytes that are no stream.
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error) as error:
            raise MovingRefused("bad_archive", f"The zip is damaged: {error}") from error


def check_directory(source: Path) -> None:
    """Refuse a zip whose directory takes too much memory, before `zipfile` reads all of it.

    Raises: MovingRefused; zipfile.BadZipFile where no directory is found.
    """
    with source.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_557))
        tail = file.read()
        place = tail.rfind(_END)
        if place < 0 or len(tail) - place < 22:
            raise zipfile.BadZipFile("it has no directory")
        directory = struct.unpack_from("<I", tail, place + 12)[0]
        # `zipfile` believes the large record wherever there is one.
        if place >= 20 and tail[place - 20 : place - 16] == _LOCATOR_64:
            file.seek(min(struct.unpack_from("<Q", tail, place - 12)[0], size))
            record = file.read(56)
            if len(record) == 56 and record[:4] == _END_64:
                directory = max(directory, struct.unpack_from("<Q", record, 40)[0])
    if directory > DIRECTORY_BYTES:
        raise MovingRefused("too_large", f"The zip's directory has {directory} bytes.")
