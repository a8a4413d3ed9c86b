"""The static files of the web app, read and compressed once.

Promises:
    Every address contains one digest of all files. A file at its address never changes, so browsers may cache it
    forever. Modules import each other by relative paths, so a page never mixes files of two versions.
    Scripts and styles are served without their comments, which are a quarter of their bytes; lines keep their numbers.
    Those of the SDK have them in its package, for the developers who read it.
    Only files in `static` are served: they are listed once, and looked up by name. `css/app.css` is the style sheets of
    the app in one file, so that a page asks for one.
"""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ts": "text/plain",
}
_COMMENTED: Final = frozenset({".css", ".js"})
STYLE: Final = "css/app.css"
_STYLE_PARTS: Final = "css/app-"
_IMPORT: Final = re.compile(
    r'^(?:import|export)\b[^;"=()]*?\bfrom\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)"', re.MULTILINE
)
"""A static import of another file. One that is made when it is needed, `import("…")`, is none."""
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

    def with_imports(self, names: Iterable[str]) -> list[str]:
        """The paths of these scripts and of all that they import at their start, sorted."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += _imports_of(name, self.files[name].body)
        return sorted(found)

    def address(self, name: str) -> str:
        """The URL path of a file."""
        return f"{self.base}/{self.digest}/{name}"


@cache
def _imports_of(name: str, body: bytes) -> list[str]:
    # Cached: the page of every view asks for most scripts again.
    folder = posixpath.dirname(name)
    return [
        posixpath.normpath(posixpath.join(folder, match[1] or match[2]))
        for match in _IMPORT.finditer(body.decode())
    ]


@cache
def load_assets() -> Assets:
    """The files of the web app. The result is cached."""
    return read_assets(Path(__file__).parent / "static", "/assets", with_comments=False)


@cache
def load_sdk(*, with_comments: bool = False) -> Assets:
    """The files of the JavaScript SDK alone, to be served under a digest of their own. The result is cached."""
    root = Path(__file__).parent / "static" / "sdk"
    return read_assets(root, "/sdk", with_comments=with_comments)


def read_assets(root: Path, base: str, *, with_comments: bool = True) -> Assets:
    """Reads and compresses all files below a folder, to be served below `base`."""
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*")):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            if not with_comments and path.suffix in _COMMENTED:
                body = without_comments(body.decode()).encode()
            digest.update(name.encode() + b"\0" + body + b"\0")
            files[name] = Asset.of(_TYPES[path.suffix], body)
    parts = [asset.body for name, asset in files.items() if name.startswith(_STYLE_PARTS)]
    if parts:
        files[STYLE] = Asset.of(_TYPES[".css"], b"\n".join(parts))
    return Assets(digest.hexdigest()[:12], files, base)


def without_comments(text: str) -> str:
    """A script or style sheet with empty lines in place of those that are all comment.

    A comment behind code stays. A test checks that no such line is part of a text in the files that are served.
    """
    lines: list[str] = []
    in_comment = False
    for line in text.split("\n"):
        stripped = line.strip()
        is_start = not in_comment and stripped.startswith("/*")
        if in_comment or is_start:
            _, end, after = stripped[2 if is_start else 0 :].partition("*/")
            in_comment = not end
            lines.append(after)
        else:
            lines.append("" if stripped.startswith("//") else line)
    return "\n".join(lines)
