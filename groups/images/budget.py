"""How much one picture may cost, and the refusal of one that would cost more."""

from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """The picture cannot be taken; `details` names what was too much, where that is the reason."""

    def __init__(self, detail: str, **details: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.details = details


class TooLargeHere(Exception):
    """The picture is within the limits, but more than this worker draws."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one picture.

    `worker_pixels` (of all frames together), `worker_frames` and `worker_memory_bytes` are what one worker takes; the
    others are the limits of a deployment.
    """

    image_pixels: int
    animation_pixels: int
    animation_frames: int
    memory_bytes: int
    file_bytes: int
    worker_pixels: int
    worker_frames: int
    worker_memory_bytes: int

    def check(self, width: int, height: int, frames: int, bytes_a_pixel: int) -> None:
        """Compare what the header announces with the limits, before anything is decoded.

        Raises: Refused; TooLargeHere.
        """
        pixels = width * height
        memory_bytes = pixels * bytes_a_pixel
        shape = {"width": width, "height": height, "frames": frames}
        if frames > self.animation_frames:
            raise Refused(
                f"At most {self.animation_frames} frames",
                **shape,
                exceeded="frames",
                limit=self.animation_frames,
            )
        if pixels > self.image_pixels:
            raise Refused(
                f"At most {self.image_pixels} pixels",
                **shape,
                exceeded="pixels",
                limit=self.image_pixels,
            )
        if pixels * frames > self.animation_pixels:
            raise Refused(
                f"At most {self.animation_pixels} pixels in all frames together",
                **shape,
                exceeded="pixels",
                limit=self.animation_pixels,
            )
        if memory_bytes > self.memory_bytes:
            raise Refused(
                f"Drawing it needs about {memory_bytes} bytes of memory, at most {self.memory_bytes} are allowed;"
                " send fewer pixels",
                **shape,
                exceeded="memory",
                limit=self.memory_bytes,
            )
        if (
            pixels * frames > self.worker_pixels
            or frames > self.worker_frames
            or memory_bytes > self.worker_memory_bytes
        ):
            raise TooLargeHere
