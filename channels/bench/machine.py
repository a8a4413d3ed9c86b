"""The machine that is measured on, as far as it explains the figures."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Final

from channels.bench.models import Machine

LIBRARIES: Final = ("aiohttp", "uvloop", "motor", "pymongo", "pydantic", "orjson")


def load() -> float:
    """Runnable processes, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def describe(mongodb: str, *, load_before: float) -> Machine:
    """The facts."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(memory, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        mongodb=mongodb,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        load_before=load_before,
        load_after=load(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
