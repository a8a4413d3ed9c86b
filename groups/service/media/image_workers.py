"""Redraws uploaded images in worker processes, so that no image takes memory or time from other users.

The worker for ordinary images also reads how long sounds last, and the headers of videos.

Promises:
    Isolated: an image is decoded in a process with limits of memory and processor time. The process holds no socket, no
    secret and no connection of the server; one that ends, for whatever reason, is replaced for the next image.
    Lazy: a worker starts with its first image, ends after `IDLE_SECONDS` without one, and never outlives the server.
    Fair: ordinary images and large ones have a worker each, so small images never wait for large ones. At each worker
    users take turns, so that one user's many images delay another user's by one image at most.
    Bounded: at most `MAX_WAITING` images wait at each worker, none longer than `WAIT_SECONDS`.

Depends on: `groups.images`, which runs in the workers.
"""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from cachetools import LRUCache

from groups.errors import BadMedia, InsufficientStorage
from groups.images.job import AnyJob, Budget, Job, SoundJob, VideoJob
from groups.images.sounds import READ
from groups.images.videos import READ_VIDEOS
from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId
from groups.kernel.wait_queue import WaitQueue
from groups.limits import GroupLimits
from groups.models import MediaSize

FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/apng": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
"""The content types that are redrawn, and so may be shown in a page; other images are files to download."""
THUMBNAIL_TYPE: Final = "image/webp"
EDGES: Final = {MediaSize.THUMB: 320, MediaSize.LARGE: 1280}
"""The longer edge of each smaller version, in pixels; a smaller image is not enlarged."""

# The limits of one turn at the ordinary worker: enough for a 12-megapixel photo or a sticker.
ORDINARY_PIXELS: Final = 16_000_000
ORDINARY_FRAMES: Final = 200
ORDINARY_MEMORY_BYTES: Final = 192 * 2**20
ORDINARY_SECONDS: Final = 3.0
SOUND_SECONDS: Final = 2.0
"""Processor time for reading how long a sound lasts; an Ogg file of 100 MiB takes 0.3 seconds."""
VIDEO_SECONDS: Final = 2.0
"""Processor time for reading the headers of a video; one of 100 MiB takes a few milliseconds."""
_GROWTH: Final = 2  # how many times as large as the largest upload a redrawn image may be

MAX_WAITING: Final = 100  # images at each worker
WAIT_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 5.0  # for a worker that has closed its output to end
_USERS_REMEMBERED: Final = 1_000  # with the time of their last turn

_START: Final = "import sys; sys.path[:] = {}; from groups.images.worker import main; main({}, {})"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A redrawn image, and its smaller versions."""

    path: Path
    width: int
    height: int
    smaller: dict[MediaSize, Path]


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What the headers of a video say, and the pictures that were drawn from its cover."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    cover: Mapping[MediaSize, Path] = field(default_factory=dict)


class ImageWorkers:
    """The image workers of one server process."""

    def __init__(self, limits: GroupLimits) -> None:
        self._limits = limits
        self._file_bytes = _GROWTH * limits.image_bytes
        memory, seconds = limits.image_memory_bytes, float(limits.image_seconds)
        self.ordinary = WorkerQueue(
            min(ORDINARY_MEMORY_BYTES, memory), self._file_bytes, min(ORDINARY_SECONDS, seconds)
        )
        self.large = WorkerQueue(memory, self._file_bytes, seconds)

    async def redraw(
        self, user_id: UserId, source: Path, content_type: str, target: Path
    ) -> ImageInfo:
        """Redraw the image at `source` to `target`, with its smaller versions beside it."""
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
                return self._image_info(answer, target)
        # The ordinary worker refused the image as too large for it, or ended. The other worker gives an image all that
        # the deployment allows.
        job = replace(job, budget=self._budget(is_ordinary=False), seconds=self.large.seconds)
        try:
            answer = await self.large.run(user_id, job)
        except WorkerEnded as ended:
            if not ended.is_late:
                raise BadMedia("The image cannot be decoded") from ended
            limit = self._limits.image_seconds
            raise BadMedia(
                f"Drawing it takes more than {limit} seconds of processor time; send a simpler image",
                exceeded="seconds",
                limit=limit,
            ) from ended
        return self._image_info(answer, target)

    async def duration_of(self, user_id: UserId, source: Path, content_type: str) -> float | None:
        """How many seconds the sound at `source` lasts; None where that cannot be read, for whatever reason."""
        if content_type not in READ:
            return None
        job = SoundJob(str(source), content_type, min(SOUND_SECONDS, self.ordinary.seconds))
        # A sound plays without it, so it is not worth refusing the upload.
        with suppress(WorkerEnded, Unavailable):
            answer = await self.ordinary.run(user_id, job)
            duration: float | None = answer.get("duration")
            return duration
        return None

    async def video_info(
        self, user_id: UserId, source: Path, content_type: str, cover: Path
    ) -> VideoInfo:
        """What the video at `source` says of itself, as far as it can be read; its cover is drawn beside `cover`.

        Raises: InsufficientStorage.
        """
        if content_type not in READ_VIDEOS:
            return VideoInfo()
        seconds = min(VIDEO_SECONDS, self.ordinary.seconds)
        job = VideoJob(str(source), content_type, str(cover), seconds)
        answer: dict[str, Any] = {}
        drawn: Mapping[MediaSize, Path] = {}
        # As for sounds: a video plays without all this, so it is not worth refusing the upload.
        with suppress(WorkerEnded, Unavailable, BadMedia):
            answer = await self.ordinary.run(user_id, job)
            if answer.get("cover") is not None:
                target = cover.with_name(f"{cover.name}.redrawn")
                drawn = (await self.redraw(user_id, cover, answer["cover"], target)).smaller
        return VideoInfo(answer.get("width"), answer.get("height"), answer.get("duration"), drawn)

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

    def _image_info(self, answer: Mapping[str, Any], target: Path) -> ImageInfo:
        """Read a worker's answer. Raises: BadMedia; InsufficientStorage."""
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
            log.warning("an image could not be drawn: %s", failed)
            raise BadMedia("The image is damaged")
        smaller = {size: target.with_name(f"{target.name}.{size.value}") for size in EDGES}
        return ImageInfo(target, answer["width"], answer["height"], smaller)

    @property
    def deaths(self) -> int:
        """How many workers have ended while they drew."""
        return self.ordinary.worker.deaths + self.large.worker.deaths

    async def close(self) -> None:
        """End the workers; later images are refused."""
        await asyncio.gather(self.ordinary.worker.close(), self.large.worker.close())


@dataclass(kw_only=True, slots=True, eq=False)
class FairQueue:
    """One turn at a time; of the users who wait, the one whose last turn is longest ago is next."""

    max_waiting: int = MAX_WAITING
    timeout_seconds: float = WAIT_SECONDS
    _queues: dict[UserId, WaitQueue] = field(default_factory=dict, init=False)
    _last_turn: LRUCache[UserId, int] = field(
        default_factory=lambda: LRUCache(_USERS_REMEMBERED), init=False
    )
    _turns: int = field(default=0, init=False)
    _is_taken: bool = field(default=False, init=False)

    @asynccontextmanager
    async def turn(self, user_id: UserId) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the body. Raises: Unavailable when too many wait, or for too long."""
        if self._is_taken:
            await self._wait(user_id)
        self._is_taken = True
        self._turns += 1
        self._last_turn[user_id] = self._turns
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, user_id: UserId) -> None:
        if sum(map(len, self._queues.values())) >= self.max_waiting:
            raise Unavailable("Too many images are waiting to be drawn; send it again later")
        queue = self._queues.setdefault(user_id, WaitQueue())
        try:
            await queue.wait(pass_on=self._pass_on, timeout_seconds=self.timeout_seconds)
        except TimeoutError as error:
            raise Unavailable("The image waited too long; send it again later") from error
        finally:
            if not queue and self._queues.get(user_id) is queue:
                del self._queues[user_id]

    def _pass_on(self) -> None:
        # Of users without a turn so far, the first to come is first, since sorting keeps the order.
        for user_id in sorted(self._queues, key=lambda each: self._last_turn.get(each, 0)):
            if self._queues[user_id].wake_next():
                return
        self._is_taken = False


class WorkerQueue:
    """One worker, and the users who wait for it."""

    def __init__(self, memory_bytes: int, file_bytes: int, seconds: float) -> None:
        self.memory_bytes = memory_bytes
        self.seconds = seconds
        self.queue = FairQueue()
        self.worker = WorkerProcess(memory_bytes, file_bytes)

    async def run(self, user_id: UserId, job: AnyJob) -> dict[str, Any]:
        """Wait for the user's turn, then for the worker's answer. Raises: WorkerEnded; Unavailable."""
        async with self.queue.turn(user_id):
            try:
                return await self.worker.run(job)
            except WorkerEnded as ended:
                if ended.is_late:
                    raise
            # The worker may have been killed from outside; an image that ends it will end it again.
            return await self.worker.run(job)


class WorkerEnded(Exception):
    """The worker ended while it drew; `is_late`: because the image took more processor time than allowed."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.is_late = status == -signal.SIGPROF


class WorkerProcess:
    """A process for jobs that do not overlap: started when it is needed, replaced when it has died."""

    def __init__(
        self, memory_bytes: int, file_bytes: int, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._start = _START.format(sys.path, memory_bytes, file_bytes)
        self._idle_seconds = idle_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._idle_timer: asyncio.Task[None] | None = None
        self._is_closed = False
        self._is_ending = False
        self.deaths = 0

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def run(self, job: AnyJob) -> dict[str, Any]:
        """Send the job to the process; returns its answer. Raises: WorkerEnded; Unavailable when it takes too long."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        process = await self._started()
        assert process.stdin is not None  # asked for when it was started
        assert process.stdout is not None
        try:
            # A machine may be too busy, a disk may hang; neither counts as processor time.
            async with asyncio.timeout(10 + 5 * job.seconds):
                with suppress(ConnectionError):  # it has died, as reading shows
                    process.stdin.write(job.encode())
                    await process.stdin.drain()
                line = await process.stdout.readline()
        except BaseException as error:
            # Otherwise the process would answer the next job with this one's image.
            await self._end()
            if isinstance(error, TimeoutError):
                raise Unavailable("Drawing the image took too long; try again") from error
            raise
        if not line.endswith(b"\n"):
            self.deaths += 1
            raise WorkerEnded(await self._end(grace_seconds=GRACE_SECONDS))
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            await self._end()
        else:
            self._idle_timer = asyncio.create_task(self._end_when_idle(), name="image-worker-idle")
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._is_closed:
            raise Unavailable
        if self._process is not None and (self._is_ending or self._process.returncode is not None):
            await self._end()
        if self._process is None:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-c", self._start),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    # Nothing of the server's environment, which holds its secret. These settings of the C library
                    # return the memory of a large image to the system as soon as it is drawn.
                    env={"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"},
                    # Ctrl-C in a terminal is for the server, which lets the image be finished.
                    start_new_session=True,
                )
            except OSError as error:
                raise Unavailable("No image can be drawn now; try again") from error
        return self._process

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        await self._end()

    async def _end(self, *, grace_seconds: float = 0) -> int:
        """End the process, if there is one, and return its exit status.

        A process that is ending by itself has `grace_seconds` for it. Python checks on a process before it sends a
        signal, and when that finds it ended, asyncio never learns its status.
        """
        process = self._process
        if process is None:
            return 0
        # It is forgotten when it has ended and not before, so that a second caller waits for its end, too.
        self._is_ending = True
        status = await _status_of(process, grace_seconds)
        if self._process is process:
            self._process, self._is_ending = None, False
        return status

    async def close(self) -> None:
        """End the process for good."""
        self._is_closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        await self._end()


async def _status_of(process: asyncio.subprocess.Process, grace_seconds: float) -> int:
    """Wait for the end of the process, which is killed after `grace_seconds`; returns its exit status."""
    if grace_seconds:
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                return await asyncio.shield(process.wait())
    with suppress(ProcessLookupError):
        process.kill()
    return await asyncio.shield(process.wait())
