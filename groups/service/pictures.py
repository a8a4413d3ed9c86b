"""Pictures made safe: what others see of an uploaded image is what was drawn anew from its pixels.

Promises:
    Nothing but the picture: position, camera, comments and whatever was hung on behind the picture stay behind, since
    the file is written anew; the orientation that the camera only noted is applied.
    Animations stay animations.
    Bounded: size and number of frames are read from the header before anything is unpacked; a picture that would
    unpack to more pixels than allowed, that ends too early, or that is another kind of file too, is refused.

Runs in a thread: nothing here waits, all of it computes. Depends on: Pillow.
"""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from groups.errors import BadMedia
from groups.limits import GroupLimits
from groups.models import MediaSize

FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
"""The pictures we draw; others are files."""
THUMBNAIL_TYPE: Final = "image/webp"
EDGES: Final = {MediaSize.THUMB: 320, MediaSize.LARGE: 1280}
"""Pixels of the longer edge, at most; a smaller picture is not enlarged."""

_JPEG_QUALITY: Final = 92  # where the picture was turned; else its own tables are kept
_THUMBNAIL_QUALITY: Final = 80
_HEAD_BYTES: Final = 1024
# What would make a reader take the file for something else than the picture it also is.
_OTHER_KINDS: Final = (b"%PDF-", b"<html", b"<!doctype", b"<script", b"<svg", b"<?php")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew, and its smaller versions."""

    path: Path
    width: int
    height: int
    smaller: dict[MediaSize, Path]


def redraw(source: Path, content_type: str, target: Path, limits: GroupLimits) -> Picture:
    """Draw the picture at `source` anew to `target`, and its smaller versions beside it.

    Raises: BadMedia.
    """
    _refuse_two_kinds(source)
    try:
        with warnings.catch_warnings():
            # Pillow's own bound only warns at first; ours is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source, formats=[FORMATS[content_type]]) as image:
                _check_pixels(image, limits)
                return _redraw(image, target)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError) as error:
        raise BadMedia("The picture is damaged or cut off") from error
    except (SyntaxError, ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        # What Pillow's readers raise of a header that contradicts itself.
        raise BadMedia("The picture is damaged") from error


def _refuse_two_kinds(source: Path) -> None:
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES).lower()
    is_zip = False
    with suppress(OSError):
        is_zip = zipfile.is_zipfile(source)
    if is_zip or any(mark.lower() in head for mark in _OTHER_KINDS):
        raise BadMedia("The file is a picture and something else at once")


def _check_pixels(image: Image.Image, limits: GroupLimits) -> None:
    width, height = image.size
    frames = int(getattr(image, "n_frames", 1))
    pixels = width * height
    if pixels > limits.image_pixels or pixels * frames > limits.animation_pixels:
        raise BadMedia(
            f"At most {limits.image_pixels} pixels, {limits.animation_pixels} in all frames",
            width=width,
            height=height,
            frames=frames,
        )


def _redraw(image: Image.Image, target: Path) -> Picture:
    kind = str(image.format)
    if getattr(image, "is_animated", False):
        frames = list(_frames(image))
        first, *rest = [frame for frame, _ in frames]
        options: dict[str, Any] = {"duration": [duration for _, duration in frames]}
        if kind == "GIF":
            options["disposal"] = 2
        if kind != "JPEG":
            options |= {"save_all": True, "append_images": rest, "loop": image.info.get("loop", 0)}
        first.save(target, format=kind, **options)
        still = first
    else:
        image.load()
        turned = ImageOps.exif_transpose(image)
        is_turned = turned.size != image.size or image.getexif().get(0x0112, 1) not in {0, 1}
        still = _bare(turned)
        still.save(target, format=kind, **_options(image, kind, is_turned=is_turned))
    smaller = {}
    for size, edge in EDGES.items():
        path = target.with_name(f"{target.name}.{size.value}")
        small = still.convert("RGBA" if _has_alpha(still) else "RGB")
        small.thumbnail((edge, edge))
        small.save(path, format="WEBP", quality=_THUMBNAIL_QUALITY)
        smaller[size] = path
    return Picture(target, still.width, still.height, smaller)


def _frames(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    for frame in ImageSequence.Iterator(image):
        drawn = frame.convert("RGBA")
        drawn.info = {}
        yield drawn, int(frame.info.get("duration", 100)) or 100


def _bare(image: Image.Image) -> Image.Image:
    """The picture without anything said about it, but what its colours mean."""
    bare = image.copy()
    profile = image.info.get("icc_profile")
    transparency = image.info.get("transparency")
    bare.info = {}
    if profile:
        bare.info["icc_profile"] = profile
    if transparency is not None:
        bare.info["transparency"] = transparency
    return bare


def _options(image: Image.Image, kind: str, *, is_turned: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if profile := image.info.get("icc_profile"):
        options["icc_profile"] = profile
    if kind == "JPEG":
        tables = getattr(image, "quantization", None)
        options |= {"qtables": tables} if tables and not is_turned else {"quality": _JPEG_QUALITY}
        options["progressive"] = bool(image.info.get("progressive"))
    if kind == "WEBP":
        options["quality"] = _JPEG_QUALITY
    return options


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
