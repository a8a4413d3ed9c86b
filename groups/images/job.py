"""What the server asks a worker for, one line of JSON an image, and how much one image may cost."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any


class ImageRefused(Exception):
    """The image cannot be accepted; `details` names the limit that it exceeds, where that is the reason."""

    def __init__(self, detail: str, **details: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.details = details


class TooLargeForWorker(Exception):
    """The image is within the deployment's limits, but exceeds what this worker draws."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one image.

    `worker_pixels` (of all frames together), `worker_frames` and `worker_memory_bytes` are the limits of one worker;
    the others are those of the deployment.
    """

    image_pixels: int
    animation_pixels: int
    animation_frames: int
    memory_bytes: int
    file_bytes: int
    worker_pixels: int
    worker_frames: int
    worker_memory_bytes: int

    def check(self, width: int, height: int, frames: int, bytes_per_pixel: int) -> None:
        """Compare what the header announces with the limits, before anything is decoded.

        Raises: ImageRefused; TooLargeForWorker.
        """
        pixels = width * height
        memory_bytes = pixels * bytes_per_pixel
        shape = {"width": width, "height": height, "frames": frames}
        if frames > self.animation_frames:
            raise ImageRefused(
                f"At most {self.animation_frames} frames",
                **shape,
                exceeded="frames",
                limit=self.animation_frames,
            )
        if pixels > self.image_pixels:
            raise ImageRefused(
                f"At most {self.image_pixels} pixels",
                **shape,
                exceeded="pixels",
                limit=self.image_pixels,
            )
        if pixels * frames > self.animation_pixels:
            raise ImageRefused(
                f"At most {self.animation_pixels} pixels in all frames together",
                **shape,
                exceeded="pixels",
                limit=self.animation_pixels,
            )
        if memory_bytes > self.memory_bytes:
            raise ImageRefused(
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
            raise TooLargeForWorker


@dataclass(frozen=True, slots=True)
class Job:
    """One image to redraw. `edges` are the longer edges of its smaller versions, in pixels; `seconds` is CPU time."""

    source: str
    kind: str
    target: str
    edges: dict[str, int]
    budget: Budget
    seconds: float

    def with_budget(self, budget: Budget, seconds: float) -> "Job":
        """The same image, under another budget."""
        return replace(self, budget=budget, seconds=seconds)

    def encode(self) -> bytes:
        """The job as a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Job":
        """The job of a line that `encode` made."""
        fields = json.loads(line)
        return cls(**fields | {"budget": Budget(**fields["budget"])})
