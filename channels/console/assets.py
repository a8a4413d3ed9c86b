"""The static files of the web app, read and compressed once.

Promises:
    Every address contains one digest of all files. A file at its address never changes, so browsers may cache it
    forever. Modules import each other by relative paths, so a page never mixes files of two versions.
    Only files in `static` are served: they are listed once, and looked up by name.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ts": "text/plain",
}
PAGE_LEVEL: Final = 4
"""The gzip level for pages: 5 ms for 20 long posts, while a client waits. Level 9 takes 99 ms to save a fifth."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A response body that is sent many times: plain, gzipped if that is smaller, and its entity tag."""

    content_type: str
    body: bytes
    gzipped: bytes | None
    etag: str

    @classmethod
    def of(cls, content_type: str, body: bytes, *, level: int = 9) -> "Asset":
        """Compresses the body. Deterministic; too slow for an event loop."""
        packed = gzip.compress(body, level, mtime=0)
        gzipped = packed if len(packed) < len(body) else None
        return cls(content_type, body, gzipped, f'"{hashlib.sha256(body).hexdigest()[:16]}"')

    @property
    def size_bytes(self) -> int:
        """The memory of both bodies."""
        return len(self.body) + len(self.gzipped or b"")


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their path below `static`, and the digest of all of them."""

    digest: str
    files: dict[str, Asset]
    base: str = "/assets"
    """The path below which they are served."""

    def modules(self, *folders: str) -> list[str]:
        """The paths of the scripts in these folders, which the page preloads in parallel."""
        return sorted(
            name
            for name in self.files
            if name.endswith(".js") and name.rpartition("/")[0] in folders
        )

    def address(self, name: str) -> str:
        """The URL path of a file."""
        return f"{self.base}/{self.digest}/{name}"


@cache
def load_assets() -> Assets:
    """The files of the web app. The result is cached."""
    return read_assets(Path(__file__).parent / "static", "/assets")


@cache
def load_sdk() -> Assets:
    """The files of the JavaScript SDK alone, to be served under a digest of their own. The result is cached."""
    return read_assets(Path(__file__).parent / "static" / "sdk", "/sdk")


def read_assets(root: Path, base: str) -> Assets:
    """Reads and compresses all files below a folder, to be served below `base`."""
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*")):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            digest.update(name.encode() + b"\0" + body + b"\0")
            files[name] = Asset.of(_TYPES[path.suffix], body)
    return Assets(digest.hexdigest()[:12], files, base)
