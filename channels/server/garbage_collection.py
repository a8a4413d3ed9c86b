"""When the garbage collector runs: when the server is idle, and when the process has grown.

Promises:
    Memory that a burst leaves in reference cycles is freed within seconds.
    Full collections take at most about `SHARE` of the process's time.

Requests under way are thousands of small objects without cycles. Walking over them every 700 allocations, which is the
interpreter's default, cost a quarter of the joins a second.
"""

import ctypes
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from groups.kernel.background import PeriodicTask

LOOK_SECONDS: Final = 1.0
GROWTH_BYTES: Final = 16 * 1024 * 1024
"""Growth since the last full collection that starts the next one, even while the server is busy."""
SHARE: Final = 0.02
_STATM: Final = Path("/proc/self/statm")


def spare_startup() -> None:
    """Exclude the objects of the start from collection, and collect the others less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 1_000_000)  # the oldest generation is `Collector`'s


class Collector:
    """Runs full collections. `is_quiet` returns whether no request is under way."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._bytes_after = resident_bytes()
        self._may_run_at = 0.0
        self.task = PeriodicTask(self._look, LOOK_SECONDS, name="collector")

    async def _look(self) -> None:
        self.collect_if_worth_it()

    def collect_if_worth_it(self) -> bool:
        """Collect if it can free something and is not due too soon. Returns whether it did."""
        now = time.perf_counter()
        held = resident_bytes()
        self._bytes_after = min(self._bytes_after, held)
        # Without a collection of young objects since the last full one, there is nothing new to free.
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
    # The C library keeps freed memory below the newest allocation, which may be all that a burst took.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """The memory of this process; on systems that do not report it, the most that it ever held."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        # Kilobytes on Linux, bytes on macOS, which has no /proc.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
