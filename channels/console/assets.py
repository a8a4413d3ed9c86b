"""The static files of the web app, read once, compressed once.

Promises:
    One digest names them all: it changes when any file does, and stands in every address, so a file at its address
    never changes and a browser may keep it for ever; modules import each other relatively, so a page that was loaded
    under one digest never mixes with files of another.
    Nothing outside `static` can be named: the files are listed once, and looked up by name.
"""

import gzip
import hashlib
import importlib.resources
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final

_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


FILE_LEVEL: Final = 9  # what is compressed once
PAGE_LEVEL: Final = 4
"""For what is compressed while a client waits. A page of 20 long posts takes 5 ms; 99 ms save a fifth of its bytes."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A body that is sent more than once: plain, gzipped where that makes it smaller, and its entity tag."""

    content_type: str
    body: bytes
    gzipped: bytes | None
    etag: str

    @classmethod
    def of(cls, content_type: str, body: bytes, *, level: int = FILE_LEVEL) -> "Asset":
        """The bytes made ready to be sent; the same for the same bytes, and nothing for an event loop."""
        packed = gzip.compress(body, level, mtime=0)
        gzipped = packed if len(packed) < len(body) else None
        return cls(content_type, body, gzipped, f'"{hashlib.sha256(body).hexdigest()[:16]}"')

    @property
    def size_bytes(self) -> int:
        """The memory that it takes."""
        return len(self.body) + len(self.gzipped or b"")


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path below `static`, and the digest of them together."""

    digest: str
    files: dict[str, Asset]

    def modules(self, *folders: str) -> list[str]:
        """The scripts of these folders, for a page that loads them side by side instead of one after the other."""
        return sorted(
            name
            for name in self.files
            if name.endswith(".js") and name.rpartition("/")[0] in folders
        )

    def address(self, name: str) -> str:
        """Where the file is served."""
        return f"/assets/{self.digest}/{name}"


@cache
def load_assets() -> Assets:
    """The files of this installation."""
    root = importlib.resources.files("channels.console") / "static"
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for name, file in sorted(_walk(root, "")):
        suffix = "." + name.rpartition(".")[2]
        if suffix not in _TYPES:
            continue
        body = file.read_bytes()
        digest.update(name.encode() + b"\0" + body + b"\0")
        files[name] = Asset.of(_TYPES[suffix], body)
    return Assets(digest.hexdigest()[:12], files)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry
