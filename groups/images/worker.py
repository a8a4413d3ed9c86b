"""The process that redraws images and measures sounds and videos: one job after the other.

A job is a line on standard input, an answer a line on standard output, in JSON.

Promises: it holds no more memory than it is given. It ends itself when a job takes more processor time than allowed,
and when its standard input ends, so that it never outlives a killed server.
"""

import json
import os
import queue
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, Final

from groups.images.drawing import DiskFull, redraw
from groups.images.job import (
    AnyJob,
    ImageRefused,
    Job,
    SoundJob,
    TooLargeForWorker,
    VideoJob,
    decode_job,
)
from groups.images.sounds import duration_of
from groups.images.videos import header_of

_BASE_BYTES: Final = 96 * 2**20  # of the interpreter, the libraries and the upload itself
_OPEN_FILES: Final = 10_240  # that a process may have on macOS, where the limit can be infinite
_NICENESS: Final = 10  # the server's requests go first


def main(memory_bytes: int, file_bytes: int) -> None:
    """Do one job after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Files that the server inherited from its parent, and the copies of these three that uvloop leaves open.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, _OPEN_FILES if limit == resource.RLIM_INFINITY else limit)
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_DATA, memory_bytes + _BASE_BYTES)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, lines), daemon=True).start()
    while True:
        job = decode_job(lines.get())
        # The signal's default action ends the process, whatever library is at work.
        signal.setitimer(signal.ITIMER_PROF, job.seconds)
        answer = _answer(job)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
        if "failed" in answer:
            # A library that ran out of memory may have left anything behind, so the next image gets a new process.
            return


def _read(source: BinaryIO, lines: "queue.SimpleQueue[bytes]") -> None:
    for line in source:
        lines.put(line)
    os._exit(0)


def _answer(job: AnyJob) -> dict[str, Any]:
    match job:
        case Job():
            return answer_to(job)
        case SoundJob():
            return duration_answer(job)
        case VideoJob():
            return header_answer(job)


def answer_to(job: Job) -> dict[str, Any]:
    """Redraw the image; returns its size, or `too_large`, `refused` with `details`, or `failed` with the reason."""
    try:
        width, height = redraw(Path(job.source), job.kind, Path(job.target), job.edges, job.budget)
    except TooLargeForWorker:
        return {"too_large": True}
    except ImageRefused as refusal:
        return {"refused": refusal.detail, "details": refusal.details}
    except DiskFull:
        return {"failed": "disk"}
    except MemoryError:
        return {"failed": "memory"}
    # A damaged image may raise any error of the library; its name is the answer, and the worker goes on.
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"width": width, "height": height}


def duration_answer(job: SoundJob) -> dict[str, Any]:
    """Read how long the sound lasts; returns its `duration`, which may be None, or `failed` with the reason."""
    try:
        return {"duration": duration_of(Path(job.source), job.content_type)}
    except MemoryError:
        return {"failed": "memory"}
    # As for images: a damaged sound may raise any error of its library.
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def header_answer(job: VideoJob) -> dict[str, Any]:
    """Read the headers of the video; returns what they say, and the content type of the `cover` that was written."""
    try:
        header = header_of(Path(job.source), job.content_type)
        if header.cover_type is not None:
            Path(job.cover).write_bytes(header.cover)
    except MemoryError:
        return {"failed": "memory"}
    # A video is stored without what cannot be read, so the reason is of no use to anybody but a developer.
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {
        "width": header.width,
        "height": header.height,
        "duration": header.duration_seconds,
        "cover": header.cover_type,
    }


def _limit(resource_id: int, most: int) -> None:
    _, hard = resource.getrlimit(resource_id)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(resource_id, (most, most))
    except (OSError, ValueError):
        # macOS refuses a limit on memory below what the process has mapped. The budget of `redraw` still holds.
        if sys.platform == "linux":
            raise
