"""The process that redraws pictures: a job a line on standard input, an answer a line on standard output, in JSON.

It promises: it holds no more memory than it is given, ends itself when a picture takes more processor time than
allowed, and ends when its standard input does, so that it never outlives a killed server.
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

from groups.images.budget import Refused, TooLargeHere
from groups.images.drawing import DiskFull, draw
from groups.images.job import Job

_BASE_BYTES: Final = 96 * 2**20  # of the interpreter, the libraries and the upload itself
_NICENESS: Final = 10  # requests go first


def main(memory_bytes: int, file_bytes: int) -> None:
    """Redraw one picture after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever the server had been given by its parent, and the copies of these three that uvloop leaves open.
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_DATA, memory_bytes + _BASE_BYTES)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, lines), daemon=True).start()
    while True:
        job = Job.decode(lines.get())
        # The default action of the signal ends the process, whatever library is at work.
        signal.setitimer(signal.ITIMER_PROF, job.seconds)
        answer = _answer(job)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
        if "failed" in answer:
            # What a library left behind after it ran out of memory is not to be trusted.
            return


def _read(source: BinaryIO, lines: "queue.SimpleQueue[bytes]") -> None:
    for line in source:
        lines.put(line)
    os._exit(0)


def _answer(job: Job) -> dict[str, Any]:
    try:
        width, height = draw(Path(job.source), job.kind, Path(job.target), job.edges, job.budget)
    except TooLargeHere:
        return {"too_large": True}
    except Refused as refusal:
        return {"refused": refusal.detail, "details": refusal.details}
    except DiskFull:
        return {"failed": "disk"}
    except MemoryError:
        return {"failed": "memory"}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"width": width, "height": height}


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
