"""Redraws one image: what others see of an upload is drawn from its pixels.

Promises:
    Nothing but the pixels: position, camera, comments, colour profiles and whatever follows the image in the file are
    dropped, since a new file is written. The orientation that a camera only notes is applied, and colours become
    sRGB. Animations stay animations.
    Bounded: size, number of frames and the memory that they need are computed from the header and compared with the
    budget before anything is decoded. At most two frames of an animation are held at once.

An image is refused that is over budget, ends too early, or is another kind of file at the same time.
"""

import errno
import io
import warnings
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageCms, UnidentifiedImageError

from groups.images.animations import write_gif, write_png, write_webp
from groups.images.headers import MAX_SCANS, Frames, frames_of, scans_of, without_texts
from groups.images.job import Budget, ImageRefused

_ORIENTATION: Final = 0x0112
_UNDO_ORIENTATION: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The turn that undoes each orientation of Exif."""
_QUALITY: Final = 92  # of WebP, and of JPEG where its own tables do not fit any more
_SMALL_QUALITY: Final = 80
_COMPRESSION: Final = 4  # of PNG: 2% larger than with Pillow's default of 6, in a third of the time
_HEAD_BYTES: Final = 1024
# Beginnings by which a program would take the file for something else than the image that it also is.
_OTHER_KINDS: Final = (b"%pdf-", b"<html", b"<!doctype", b"<script", b"<svg", b"<?php")
_STRIP_PIXELS: Final = 2_000_000  # converted at once while a smaller version is made
_MODE_BYTES: Final[Mapping[str, int]] = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""Bytes in which Pillow holds a pixel; four in every other mode."""
_ANIMATION_BYTES: Final[Mapping[str, int]] = {"GIF": 22, "PNG": 22, "WEBP": 36}
_WEBP_BYTES: Final = 22  # a still one


class DiskFull(Exception):
    """The disk has no room for the redrawn image; the image itself may be fine."""


def redraw(
    source: Path, kind: str, target: Path, edges: Mapping[str, int], budget: Budget
) -> tuple[int, int]:
    """Redraw the image at `source` to `target`, and a smaller version for each of `edges` (pixels) beside it.

    Returns width and height. Raises: ImageRefused; TooLargeForWorker; DiskFull.
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own bound only warns at first; `Budget.check` decides.
            warnings.simplefilter("ignore")
            return _draw(source, kind, target, edges, budget)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        if target.exists() and target.stat().st_size >= budget.file_bytes:
            raise ImageRefused(
                f"Redrawn it is larger than {budget.file_bytes} bytes",
                exceeded="bytes",
                limit=budget.file_bytes,
            ) from error
        raise ImageRefused("The image is damaged or cut off") from error
    except (SyntaxError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        # Pillow's readers raise these for a header that contradicts itself.
        raise ImageRefused("The image is damaged") from error


def _draw(
    source: Path, kind: str, target: Path, edges: Mapping[str, int], budget: Budget
) -> tuple[int, int]:
    data = source.read_bytes()
    _refuse_two_kinds(data)
    found = frames_of(data, kind, budget.animation_frames)
    if kind == "JPEG" and (scans := scans_of(data)) > MAX_SCANS:
        raise ImageRefused(
            f"At most {MAX_SCANS} scans", scans=scans, exceeded="scans", limit=MAX_SCANS
        )
    if kind == "WEBP":
        # Before it is opened: its decoder takes memory for two whole frames at once.
        bytes_per_pixel = _WEBP_BYTES if found.count == 1 else _ANIMATION_BYTES[kind]
        budget.check(found.width, found.height, found.count, bytes_per_pixel)
    file = io.BytesIO(without_texts(data) if kind == "PNG" else data)
    del data
    with Image.open(file, formats=[kind]) as image:
        width, height = max(image.width, found.width), max(image.height, found.height)
        budget.check(width, height, found.count, _bytes_per_pixel(image, kind, found))
        if found.count > 1:
            return _draw_animation(image, kind, target, edges, found)
        return _draw_still(image, kind, target, edges)


def _refuse_two_kinds(data: bytes) -> None:
    head = data[:_HEAD_BYTES].lower()
    is_zip = False
    with suppress(OSError):
        is_zip = zipfile.is_zipfile(io.BytesIO(data))
    if is_zip or any(mark in head for mark in _OTHER_KINDS):
        raise ImageRefused("The file is an image and something else at once")


def _bytes_per_pixel(image: Image.Image, kind: str, found: Frames) -> int:
    """Bytes of memory that drawing takes for each pixel of a frame; measured, rounded up."""
    if found.count > 1:
        return _ANIMATION_BYTES[kind]
    if kind == "WEBP":
        return _WEBP_BYTES
    per_pixel = _MODE_BYTES.get(image.mode, 4)
    if kind != "JPEG":
        return per_pixel + 1
    is_turned = image.getexif().get(_ORIENTATION, 1) != 1
    # A progressive image is decoded, and encoded, from all its coefficients at once.
    coefficients = 2 * len(image.getbands()) if image.info.get("progressive") else 0
    return per_pixel + max(per_pixel if is_turned else 0, coefficients) + 1


def _draw_animation(
    image: Image.Image, kind: str, target: Path, edges: Mapping[str, int], found: Frames
) -> tuple[int, int]:
    first = 1 if getattr(image, "default_image", False) else 0
    image.seek(first)
    image.load()
    _draw_smaller(image, target, edges)
    if kind == "GIF":
        write_gif(image, target, found)
        return found.width, found.height
    if kind == "PNG":
        write_png(image, target, range(first, first + found.count))
    else:
        write_webp(image, target, found.milliseconds)
    return image.size


def _draw_still(
    image: Image.Image, kind: str, target: Path, edges: Mapping[str, int]
) -> tuple[int, int]:
    image.load()
    options: dict[str, Any] = {}
    if kind == "JPEG":
        options["progressive"] = bool(image.info.get("progressive"))
        if tables := getattr(image, "quantization", None):
            options["qtables"] = tables
    elif kind == "WEBP":
        options["quality"] = _QUALITY
    elif kind == "PNG":
        options["compress_level"] = _COMPRESSION
    turn = _UNDO_ORIENTATION.get(image.getexif().get(_ORIENTATION, 1))
    kept: dict[str | tuple[int, int], Any] = {
        key: value for key, value in image.info.items() if key == "transparency"
    }
    profile = image.info.get("icc_profile")
    still = _in_srgb(image, profile)
    if turn is not None:
        still = still.transpose(turn)
        image.close()
    if still.mode == "CMYK":
        still = still.convert("RGB")
    if kind == "JPEG" and (still is not image or "qtables" not in options):
        # The tables do not fit another orientation or other channels.
        options.pop("qtables", None)
        options["quality"] = _QUALITY
    still.info = kept
    still.save(target, format=kind, **options)
    _draw_smaller(still, target, edges)
    return still.size


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image with its colours converted from the profile to sRGB; unchanged where the profile is of no use."""
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK"}:
        return image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(given).lower():
            return image
        is_same = image.mode != "CMYK"
        drawn = ImageCms.profileToProfile(
            image,
            given,
            ImageCms.createProfile("sRGB"),
            outputMode=image.mode if is_same else "RGB",
            inPlace=is_same,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return drawn or image


def _draw_smaller(image: Image.Image, target: Path, edges: Mapping[str, int]) -> None:
    """Write the smaller versions, the largest first; each is made from the one before it."""
    longest = max(edges.values())
    small = _reduced(image, max(1, 2 * max(image.size) // (3 * longest)))
    for name, edge in sorted(edges.items(), key=lambda each: -each[1]):
        small.thumbnail((edge, edge))
        small.save(target.with_name(f"{target.name}.{name}"), "WEBP", quality=_SMALL_QUALITY)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """The image in RGB or RGBA, `factor` times smaller; made in strips, since a conversion makes another whole copy."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    width, height = image.size
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height))).convert(mode)
        reduced.paste(strip.reduce(factor), (0, top // factor))
    return reduced
