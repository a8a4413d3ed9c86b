"""The pictures of the scene, drawn when the scene is written: faces of channels, and posters in posts.

Flat shapes in few colours, no text, so that they need no font. The video of the scene is a file beside
(`channels/demo/media`), which `python -m tests.demo_video` makes.
"""

import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

VIDEO: Final = Path(__file__).parent / "media" / "harbour.webm"
_FACE: Final = 320
_POSTER: Final = (1200, 800)

Draw = Callable[[ImageDraw.ImageDraw, int, int], None]


def _sun_over_sea(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    draw.rectangle((0, 0, width, height), fill="#f6c667")
    centre, radius = (width * 0.5, height * 0.55), height * 0.24
    draw.circle(centre, radius, fill="#ef6c4d")
    for number, colour in enumerate(("#2f6f8f", "#26597a", "#1c4363")):
        top = height * (0.58 + 0.14 * number)
        wave = [
            (x, top + math.sin(x / width * 9 + number * 2) * height * 0.03)
            for x in range(0, width + 8, 8)
        ]
        draw.polygon([*wave, (width, height), (0, height)], fill=colour)


def _football(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    stripe = width / 8
    for number in range(8):
        colour = "#2e8b57" if number % 2 else "#2a7d4f"
        draw.rectangle((number * stripe, 0, (number + 1) * stripe, height), fill=colour)
    line = max(4, height // 90)
    draw.line((width / 2, 0, width / 2, height), fill="#f4f7f2", width=line)
    draw.circle((width / 2, height / 2), height * 0.24, outline="#f4f7f2", width=line)
    draw.circle((width * 0.5, height * 0.5), height * 0.075, fill="#fff")
    draw.regular_polygon((width * 0.5, height * 0.5, height * 0.04), 5, fill="#1d1d22")


def _city(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    draw.rectangle((0, 0, width, height), fill="#bcd4e6")
    draw.circle((width * 0.78, height * 0.25), height * 0.11, fill="#fff3c4")
    towers = ((0.06, 0.42), (0.22, 0.6), (0.4, 0.34), (0.55, 0.68), (0.74, 0.5))
    for number, (left, tall) in enumerate(towers):
        x, top = width * left, height * (1 - tall)
        colour = ("#40566e", "#52697f", "#34475c")[number % 3]
        draw.rectangle((x, top, x + width * 0.15, height), fill=colour)
        for row in range(int(tall * 9)):
            for column in range(3):
                y = top + height * (0.05 + row * 0.09)
                window = x + width * (0.02 + column * 0.045)
                lit = (row * 3 + column + number) % 3 == 0
                draw.rectangle(
                    (window, y, window + width * 0.022, y + height * 0.04),
                    fill="#ffe08a" if lit else "#8aa0b4",
                )


def _bread(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    draw.rectangle((0, 0, width, height), fill="#f3e3c8")
    box = (width * 0.14, height * 0.28, width * 0.86, height * 0.78)
    draw.rounded_rectangle(box, height * 0.25, fill="#b9742f")
    draw.rounded_rectangle((box[0], box[1], box[2], height * 0.64), height * 0.2, fill="#d0893d")
    for number in range(4):
        x = width * (0.28 + number * 0.14)
        draw.line(
            (x, height * 0.36, x + width * 0.07, height * 0.6),
            fill="#f1cf9a",
            width=max(5, height // 36),
        )


PICTURES: Final[Mapping[str, Draw]] = {
    "sea": _sun_over_sea,
    "football": _football,
    "city": _city,
    "bread": _bread,
}


def face(name: str) -> bytes:
    """A square picture, as PNG."""
    return _drawn(PICTURES[name], _FACE, _FACE)


def poster(name: str) -> bytes:
    """A wide picture, as PNG."""
    return _drawn(PICTURES[name], *_POSTER)


def video(name: str) -> bytes:
    """A video of four seconds, as WebM."""
    return (VIDEO.parent / f"{name}.webm").read_bytes()


def _drawn(draw: Draw, width: int, height: int) -> bytes:
    # Drawn twice as large and made smaller, for smooth edges.
    image = Image.new("RGB", (width * 2, height * 2))
    draw(ImageDraw.Draw(image), width * 2, height * 2)
    body = io.BytesIO()
    image.resize((width, height)).save(body, "PNG")
    return body.getvalue()
