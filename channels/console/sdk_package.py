"""The JavaScript SDK as a package that `npm install` takes from an address.

Promises: the same files give the same bytes, so that lock files stay valid until the SDK changes. The package has no
dependencies and runs nothing when it is installed.
"""

import gzip
import importlib.metadata
import io
import tarfile
from functools import cache
from typing import Final

import orjson

from channels.console.assets import load_sdk

NAME: Final = "channel-layer-sdk"
_README: Final = (
    "The JavaScript SDK of the channel server that this package came from, with its types.\n"
)


@cache
def sdk_package() -> bytes:
    """The package, gzipped. The result is cached."""
    assets = load_sdk(with_comments=True)
    files = {name: asset.body for name, asset in assets.files.items()}
    files["package.json"] = orjson.dumps(_manifest(assets.digest), option=orjson.OPT_INDENT_2)
    files["README.md"] = _README.encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, body in sorted(files.items()):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(body), 0o644
            archive.addfile(entry, io.BytesIO(body))
    return gzip.compress(packed.getvalue(), mtime=0)


def _manifest(digest: str) -> dict[str, object]:
    # The digest is what differs between two versions of the files; semantic versioning ignores what stands behind `+`.
    return {
        "name": NAME,
        "version": f"{importlib.metadata.version('channel-layer')}+{digest}",
        "license": "Apache-2.0",
        "type": "module",
        "exports": {
            ".": {"types": "./types/channels.d.ts", "default": "./channels.js"},
            "./channel-feed": "./feed/channel_feed.js",
        },
        "types": "./types/channels.d.ts",
    }
