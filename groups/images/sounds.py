"""How long a sound lasts, as its file says.

Promises: a duration that is returned fits the size of the file, so that a small file cannot claim days. Tags and covers
are passed over, not unpacked. Memory and time of a hostile file are bounded by the limits of the worker process, in
which this runs.
"""

import math
from pathlib import Path
from typing import Final

from tinytag import TinyTag, TinyTagException

READ: Final = frozenset(
    {
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/x-wav",
        "audio/x-flac",
        "audio/x-aiff",
    }
)
"""The content types whose duration can be read."""
UNCOMPRESSED: Final = frozenset({"audio/x-wav", "audio/x-aiff"})
LEAST_BYTES_PER_SECOND: Final = 16
"""Of a sound: the thinnest speech codecs need 50, a pause between two words fewer."""


def duration_of(path: Path, content_type: str) -> float | None:
    """The seconds to milliseconds, or None where the file does not say so believably."""
    with path.open("rb") as file:
        try:
            # Without tags: they may be as large as the file, and nothing here shows them.
            tag = TinyTag.get(file_obj=file, tags=False, image=False)
        except TinyTagException as error:
            if isinstance(error.__cause__, MemoryError):
                raise error.__cause__ from error
            return None
    seconds = tag.duration
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return None
    size = path.stat().st_size
    if seconds * LEAST_BYTES_PER_SECOND > size:
        return None
    # The header of an uncompressed sound says how many bytes follow; a file that was cut off has fewer.
    if content_type in UNCOMPRESSED and tag.bitrate and seconds * tag.bitrate * 125 > size:
        return None
    return round(seconds, 3)
