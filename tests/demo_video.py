"""Makes the video of the demo scene: `python -m tests.demo_video` (needs ffmpeg).

Four seconds of a boat in a harbour, drawn frame by frame; VP9 in WebM, without sound.
"""

import math
import subprocess
from typing import Final

from PIL import Image, ImageDraw

from channels.demo.pictures import VIDEO

WIDTH, HEIGHT, FRAMES, RATE = 640, 360, 96, 24
SKY: Final = "#f6c667"


def frame(number: int) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), SKY)
    draw = ImageDraw.Draw(image)
    turn = number / FRAMES * 2 * math.pi
    draw.circle((WIDTH * 0.75, HEIGHT * 0.42), 52, fill="#ef6c4d")
    x, y = WIDTH * (0.1 + 0.75 * number / FRAMES), HEIGHT * 0.56 + math.sin(turn * 3) * 5
    draw.polygon([(x - 50, y), (x + 50, y), (x + 34, y + 24), (x - 34, y + 24)], fill="#7a2f2a")
    draw.polygon([(x, y - 96), (x, y - 6), (x + 48, y - 6)], fill="#fffaf0")
    draw.polygon([(x - 6, y - 80), (x - 6, y - 6), (x - 40, y - 6)], fill="#f3ead7")
    for layer, colour in enumerate(("#2f6f8f", "#26597a", "#1c4363")):
        top = HEIGHT * (0.6 + 0.13 * layer)
        speed = (layer + 1) * turn
        wave = [
            (at, top + math.sin(at / 60 + speed) * 6 + math.sin(at / 31 - speed) * 3)
            for at in range(0, WIDTH + 4, 4)
        ]
        draw.polygon([*wave, (WIDTH, HEIGHT), (0, HEIGHT)], fill=colour)
    return image


def main() -> None:
    VIDEO.parent.mkdir(exist_ok=True)
    size = f"{WIDTH}x{HEIGHT}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(RATE), "-i", "-"]
    coded = ["-c:v", "libvpx-vp9", "-crf", "40", "-b:v", "0", "-pix_fmt", "yuv420p", "-an"]
    command = ["ffmpeg", "-y", "-loglevel", "error", *source, *coded, "-map_metadata", "-1"]
    frames = b"".join(frame(number).tobytes() for number in range(FRAMES))
    subprocess.run([*command, str(VIDEO)], input=frames, check=True)


if __name__ == "__main__":
    main()
