"""When the garbage collector runs: rarely by itself, in quiet moments, and as soon as the process has grown.

Promises:
    What a burst leaves in reference cycles is freed within seconds, however large it was.
    Full collections take at most about `SHARE` of the process's time.

A request under way is thousands of small objects without cycles. To go over all of them every 700 allocations, as the
interpreter does by default, cost a quarter of the joins a second.
"""

import asyncio
import ctypes
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from groups.kernel.background import repeat

LOOK_SECONDS: Final = 1.0
GROWTH_BYTES: Final = 16 * 1024 * 1024
"""A process that has grown by so much since the last full collection is collected, also while it is busy."""
SHARE: Final = 0.02
_STATM: Final = Path("/proc/self/statm")


def spare_startup() -> None:
    """Leave alone what was made at the start, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 1_000_000)  # the oldest generation is `Collector`'s


class Collector:
    """Runs full collections; `is_quiet` tells whether nobody waits for an answer just now."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._bytes_after = resident_bytes()
        self._may_run_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look once a second from now on."""
        self._task = asyncio.create_task(repeat(self._look, LOOK_SECONDS), name="collector")

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        self.collect_if_worth_it()

    def collect_if_worth_it(self) -> bool:
        """Collect if there is something to gain and time for it; whether it was done."""
        now = time.perf_counter()
        held = resident_bytes()
        self._bytes_after = min(self._bytes_after, held)
        # Only where young objects were collected since is there anything new to look at.
        has_quiet = self._is_quiet() and any(gc.get_count()[1:])
        if now < self._may_run_at or not (has_quiet or held - self._bytes_after > GROWTH_BYTES):
            return False
        gc.collect()
        _return_memory()
        took = time.perf_counter() - now
        self._may_run_at = now + took / SHARE
        self._bytes_after = resident_bytes()
        return True


def _return_memory() -> None:
    # The C library keeps what was freed below the newest allocation, and that may be all of a burst.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """How much memory this process holds; where the system does not tell that, the most it ever held."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        # Kilobytes on Linux, bytes on macOS, which has no /proc.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
