"""The jobs of a worker process, each as one line of JSON, and the limits of one image."""

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias


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
        """Compare the header with the limits before anything is decoded. Raises: ImageRefused; TooLargeForWorker."""
        pixels = width * height
        memory_bytes = pixels * bytes_per_pixel
        for exceeded, amount, limit, detail in (
            ("frames", frames, self.animation_frames, "At most {limit} frames"),
            ("pixels", pixels, self.image_pixels, "At most {limit} pixels"),
            (
                "pixels",
                pixels * frames,
                self.animation_pixels,
                "At most {limit} pixels in all frames together",
            ),
            (
                "memory",
                memory_bytes,
                self.memory_bytes,
                "Drawing it needs about {amount} bytes of memory, at most {limit} are allowed; send fewer pixels",
            ),
        ):
            if amount > limit:
                shape = {"width": width, "height": height, "frames": frames}
                detail = detail.format(amount=amount, limit=limit)
                raise ImageRefused(detail, **shape, exceeded=exceeded, limit=limit)
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

    def encode(self) -> bytes:
        """The job as a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Job":
        """The job of a line that `encode` made."""
        fields = json.loads(line)
        return cls(**fields | {"budget": Budget(**fields["budget"])})


@dataclass(frozen=True, slots=True)
class SoundJob:
    """One sound whose duration is wanted; `seconds` is CPU time."""

    source: str
    content_type: str
    seconds: float

    def encode(self) -> bytes:
        """The job as a line of JSON."""
        return json.dumps({"sound": asdict(self)}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class VideoJob:
    """One video whose headers are wanted, and its cover in the file `cover`; `seconds` is CPU time."""

    source: str
    content_type: str
    cover: str
    seconds: float

    def encode(self) -> bytes:
        """The job as a line of JSON."""
        return json.dumps({"video": asdict(self)}).encode() + b"\n"


AnyJob: TypeAlias = Job | SoundJob | VideoJob


def decode_job(line: bytes) -> AnyJob:
    """The job of a line that `encode` of any of them made."""
    fields = json.loads(line)
    if "sound" in fields:
        return SoundJob(**fields["sound"])
    if "video" in fields:
        return VideoJob(**fields["video"])
    return Job.decode(line)
