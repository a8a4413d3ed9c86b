"""Draws the picture that other sites show beside a link to a public channel or post (Open Graph).

A pure function from texts and a picture to a PNG. The picture is one of ours, which the server drew itself.

The words are drawn with a font of the system that has all their characters. Where none has them, the card is drawn
without the words: a card of empty boxes would be worse. Debian's `fonts-dejavu-core`, `fonts-noto-core` and
`fonts-noto-cjk` cover nearly all scripts.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import emoji
from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 1200
HEIGHT: Final = 630
"""Pixels; the size that Open Graph readers ask for."""
_MARGIN: Final = 80
_FACE: Final = 250
_GAP: Final = 56
_NAME_SIZE: Final = 68
_TEXT_SIZE: Final = 36
_SMALL_SIZE: Final = 30
_NAME_LINES: Final = 2
_TEXT_LINES: Final = 3
_MOST_CHARACTERS: Final = 300  # of a text; more do not fit

_PAPER: Final = "#f6f2ea"
_INK: Final = "#211d26"
_SOFT: Final = "#6b6470"
_TILES: Final = (
    "#a3211b",
    "#8a4b08",
    "#5d6b12",
    "#1d6b45",
    "#12646e",
    "#2a55a5",
    "#5b3fa6",
    "#8f2d73",
)

_FOLDERS: Final = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
)
_FAMILIES: Final = (
    "DejaVuSans",
    "NotoSans-Regular",
    "LiberationSans-Regular",
    "NotoSansCJK-Regular",
    "NotoSansArabic-Regular",
    "NotoSansHebrew-Regular",
    "NotoSansDevanagari-Regular",
    "NotoSansBengali-Regular",
    "NotoSansThai-Regular",
    "Helvetica",
    "Arial Unicode",
)
"""The files of fonts that are tried, in this order."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class CardTexts:
    """The words on the card: the name of the channel, the beginning of a text, and the address."""

    name: str
    text: str
    address: str


def card(texts: CardTexts, *, key: str, face: bytes | None) -> bytes:
    """The card as PNG. `key` chooses the colour; `face` is the channel's picture. Takes about 60 ms."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(image)
    digest = hashlib.blake2b(key.encode(), digest_size=2).digest()
    colour = _TILES[int.from_bytes(digest) % len(_TILES)]
    draw.rectangle((0, HEIGHT - 18, WIDTH, HEIGHT), fill=colour)
    _draw_face(image, draw, face, texts.name, colour)
    left = _MARGIN + _FACE + _GAP
    width = WIDTH - left - _MARGIN
    top = _draw_lines(draw, texts.name, (left, 130), width, _NAME_SIZE, _NAME_LINES, _INK)
    _draw_lines(draw, texts.text, (left, top + 22), width, _TEXT_SIZE, _TEXT_LINES, _SOFT)
    _draw_lines(
        draw, texts.address, (_MARGIN, HEIGHT - 92), WIDTH - 2 * _MARGIN, _SMALL_SIZE, 1, _SOFT
    )
    body = io.BytesIO()
    image.quantize(128).save(body, "PNG")
    return body.getvalue()


def _draw_face(
    image: Image.Image, draw: ImageDraw.ImageDraw, face: bytes | None, name: str, colour: str
) -> None:
    """The channel's picture as a tile, or the first letter of its name."""
    box = (_MARGIN, 140, _MARGIN + _FACE, 140 + _FACE)
    if face is not None:
        with Image.open(io.BytesIO(face)) as opened:
            picture = opened.convert("RGB")
        edge = min(picture.size)
        left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
        square = picture.crop((left, top, left + edge, top + edge)).resize((_FACE, _FACE))
        mask = Image.new("L", (_FACE, _FACE), 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, _FACE - 1, _FACE - 1), 48, fill=255)
        image.paste(square, box[:2], mask)
        return
    draw.rounded_rectangle(box, 48, fill=colour)
    letter = next((each for each in name if each.isalnum()), "").upper()
    font = _font_for(letter, 130) if letter else None
    if font is not None:
        middle = (_MARGIN + _FACE / 2, 140 + _FACE / 2)
        draw.text(middle, letter, fill="#fff", font=font, anchor="mm")


def _draw_lines(
    draw: ImageDraw.ImageDraw,
    text: str,
    place: tuple[int, int],
    width: int,
    size: int,
    most: int,
    colour: str,
) -> int:
    """Draw the text in at most so many lines. Returns where it ends, in pixels from the top."""
    shown = " ".join(emoji.replace_emoji(text[:_MOST_CHARACTERS], "").split())
    font = _font_for(shown, size) if shown else None
    left, top = place
    if font is None:
        return top
    lines = list(_lines(draw, shown, font, width))
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = _shortened(draw, lines[-1], font, width)
    for line in lines:
        draw.text((left, top), line, fill=colour, font=font)
        top += round(size * 1.28)
    return top


def _lines(draw: ImageDraw.ImageDraw, text: str, font: Font, width: int) -> Iterator[str]:
    """The text in lines that fit; a word that is longer than a line is cut."""
    line = ""
    for word in text.split(" "):
        wider = f"{line} {word}" if line else word
        if draw.textlength(wider, font=font) <= width:
            line = wider
            continue
        if line:
            yield line
        line = word
        while draw.textlength(line, font=font) > width:
            fitting = max(1, int(len(line) * width / draw.textlength(line, font=font)))
            yield line[:fitting]
            line = line[fitting:]
    if line:
        yield line


def _shortened(draw: ImageDraw.ImageDraw, line: str, font: Font, width: int) -> str:
    while line and draw.textlength(f"{line}…", font=font) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _font_for(text: str, size: int) -> Font | None:
    """The first font that has all characters of the text."""
    return next((font for font in _fonts(size) if _has_all(font, text)), None)


def _has_all(font: ImageFont.FreeTypeFont, text: str) -> bool:
    missing = _mask(font, "\uffff")
    return all(_mask(font, character) != missing for character in set(text) if character > " ")


@lru_cache(maxsize=4_096)
def _mask(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    return bytes(font.getmask(character))


@cache
def _fonts(size: int) -> list[ImageFont.FreeTypeFont]:
    found = [ImageFont.truetype(path, size) for path in _font_files()]
    built_in = ImageFont.load_default(size)
    # Without FreeType, Pillow has small bitmap letters only.
    return [*found, built_in] if isinstance(built_in, ImageFont.FreeTypeFont) else found


@cache
def _font_files() -> list[Path]:
    """The fonts of this machine that are among `_FAMILIES`, in their order."""
    by_name: dict[str, Path] = {}
    for folder in _FOLDERS:
        for path in sorted(folder.rglob("*.[to]t[fc]")) if folder.is_dir() else ():
            by_name.setdefault(path.stem, path)
    return [by_name[name] for name in _FAMILIES if name in by_name]
