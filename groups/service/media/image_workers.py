"""Redraws uploaded pictures in worker processes, so that no picture takes memory or time from other users.

Promises:
    Isolated: a picture is decoded in a process with limits of memory and processor time, which holds no socket, no
    secret and no connection of the server; one that ends, for whatever reason, is replaced for the next picture.
    Lazy: a worker starts with the first picture, ends after `IDLE_SECONDS` without one, and never outlives the server.
    Fair: ordinary pictures and large ones have a worker each, so small ones never wait for large ones; at each, users
    take turns, so one user's many pictures delay another user's by one picture at most.
    Bounded: no more than `MAX_WAITING` pictures wait at each worker, none longer than `WAIT_SECONDS`.

Depends on: `groups.images`, which runs in the workers.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from groups.errors import BadMedia, InsufficientStorage
from groups.images.budget import Budget
from groups.images.job import Job
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import MediaSize
from groups.service.media.image_queue import FairQueue
from groups.service.media.image_worker import Worker, WorkerEnded

FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/apng": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
"""The pictures that are redrawn, and thus shown in a page; others are files to download."""
THUMBNAIL_TYPE: Final = "image/webp"
EDGES: Final = {MediaSize.THUMB: 320, MediaSize.LARGE: 1280}
"""Pixels of the longer edge, at most; a smaller picture is not enlarged."""

# What one turn at the ordinary worker takes at most: a 12-megapixel photo, a sticker.
ORDINARY_PIXELS: Final = 16_000_000
ORDINARY_FRAMES: Final = 200
ORDINARY_MEMORY_BYTES: Final = 192 * 2**20
ORDINARY_SECONDS: Final = 3.0
_GROWTH: Final = 2  # how much larger than the largest upload a redrawn picture may become

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A redrawn picture, and its smaller versions."""

    path: Path
    width: int
    height: int
    smaller: dict[MediaSize, Path]


class Lane:
    """One worker, and the users who wait for it."""

    def __init__(self, memory_bytes: int, file_bytes: int, seconds: float) -> None:
        self.memory_bytes = memory_bytes
        self.seconds = seconds
        self.queue = FairQueue()
        self.worker = Worker(memory_bytes, file_bytes)

    async def run(self, user_id: UserId, job: Job) -> dict[str, Any]:
        """Wait for the user's turn, then for the worker's answer.

        Raises: WorkerEnded; Unavailable.
        """
        async with self.queue.turn(user_id):
            try:
                return await self.worker.run(job)
            except WorkerEnded as ended:
                if ended.is_late:
                    raise
            # Somebody on the machine may have ended the worker; a picture that ends it does so again.
            return await self.worker.run(job)


class ImageWorkers:
    """The workers of one server process."""

    def __init__(self, limits: GroupLimits) -> None:
        self._limits = limits
        self._file_bytes = _GROWTH * limits.image_bytes
        memory, seconds = limits.image_memory_bytes, float(limits.image_seconds)
        self.ordinary = Lane(
            min(ORDINARY_MEMORY_BYTES, memory), self._file_bytes, min(ORDINARY_SECONDS, seconds)
        )
        self.large = Lane(memory, self._file_bytes, seconds)

    async def draw(
        self, user_id: UserId, source: Path, content_type: str, target: Path
    ) -> ImageInfo:
        """Redraw the picture at `source` to `target`, and its smaller versions beside it.

        Raises: BadMedia; Unavailable.
        """
        job = Job(
            source=str(source),
            kind=FORMATS[content_type],
            target=str(target),
            edges={size.value: edge for size, edge in EDGES.items()},
            budget=self._budget(is_ordinary=True),
            seconds=self.ordinary.seconds,
        )
        with suppress(WorkerEnded):
            answer = await self.ordinary.run(user_id, job)
            if "too_large" not in answer and "failed" not in answer:
                return self._picture(answer, target)
        # It is too much for a turn there, or has ended that worker. The other one gives it all that a picture may take.
        job = job.under(self._budget(is_ordinary=False), self.large.seconds)
        try:
            answer = await self.large.run(user_id, job)
        except WorkerEnded as ended:
            if not ended.is_late:
                raise BadMedia("The picture cannot be decoded") from ended
            limit = self._limits.image_seconds
            raise BadMedia(
                f"Drawing it takes more than {limit} seconds of processor time; send a simpler picture",
                exceeded="seconds",
                limit=limit,
            ) from ended
        return self._picture(answer, target)

    def _budget(self, *, is_ordinary: bool) -> Budget:
        limits = self._limits
        return Budget(
            image_pixels=limits.image_pixels,
            animation_pixels=limits.animation_pixels,
            animation_frames=limits.animation_frames,
            memory_bytes=limits.image_memory_bytes,
            file_bytes=self._file_bytes,
            worker_pixels=ORDINARY_PIXELS if is_ordinary else limits.animation_pixels,
            worker_frames=ORDINARY_FRAMES if is_ordinary else limits.animation_frames,
            worker_memory_bytes=(self.ordinary if is_ordinary else self.large).memory_bytes,
        )

    def _picture(self, answer: Mapping[str, Any], target: Path) -> ImageInfo:
        """What a worker has drawn.

        Raises: BadMedia; Unavailable.
        """
        if "refused" in answer:
            raise BadMedia(answer["refused"], **answer["details"])
        failed = answer.get("failed")
        if failed == "memory":
            limit = self._limits.image_memory_bytes
            raise BadMedia(
                f"Drawing it needs more than {limit} bytes of memory; send fewer pixels",
                exceeded="memory",
                limit=limit,
            )
        if failed == "disk":
            raise InsufficientStorage
        if failed is not None:
            log.warning("a picture could not be drawn: %s", failed)
            raise BadMedia("The picture is damaged")
        smaller = {size: target.with_name(f"{target.name}.{size.value}") for size in EDGES}
        return ImageInfo(target, answer["width"], answer["height"], smaller)

    @property
    def deaths(self) -> int:
        """How many workers have ended while they drew."""
        return self.ordinary.worker.deaths + self.large.worker.deaths

    async def close(self) -> None:
        """End the workers; later pictures are refused."""
        await asyncio.gather(self.ordinary.worker.close(), self.large.worker.close())
