"""Processor time of servers and of the database, as the kernel counts it in `/proc`.

A clock tells how long a call took on this machine at this moment; processor time tells what it cost, and is far less
moved by what else runs. Where a process cannot be read (it runs on another machine, or the system is not Linux), its
time is unknown, which is None and never 0.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_PARENT, _USER, _SYSTEM = 1, 11, 12  # fields of `stat` after the name


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """Processor time of the server processes and of the database; None: unknown."""

    server: float | None = None
    database: float | None = None

    def __add__(self, other: "CpuSeconds") -> "CpuSeconds":
        return CpuSeconds(_sum(self.server, other.server), _sum(self.database, other.database))

    def __sub__(self, before: "CpuSeconds") -> "CpuSeconds":
        return CpuSeconds(
            None if self.server is None or before.server is None else self.server - before.server,
            None
            if self.database is None or before.database is None
            else self.database - before.database,
        )


def cpu_seconds(pids: Sequence[int | None]) -> float | None:
    """Processor time so far of these processes and of their living descendants; None if one of them is unknown.

    The kernel counts in hundredths of a second, so a difference means something from some tenths on.
    """
    running = _processes()
    wanted = set(pids)
    if None in wanted or not wanted <= running.keys():
        return None
    # A child may have a lower number than its parent, so until nothing is found any more.
    while found := {pid for pid, (parent, _) in running.items() if parent in wanted} - wanted:
        wanted |= found
    ticks = sum(running[pid][1] for pid in wanted if pid is not None)
    return ticks / os.sysconf("SC_CLK_TCK")


def precise_seconds(pid: int) -> float | None:
    """Processor time so far of the living threads of one process, in billionths; None where the kernel counts no such.

    Threads that ended do not count, so this is for processes that keep theirs.
    """
    try:
        threads = [
            (each / "schedstat").read_text() for each in (PROC / str(pid) / "task").iterdir()
        ]
    except OSError:
        return None
    return sum(int(text.split()[0]) for text in threads) / 1e9


def is_mongod(pid: int) -> bool:
    """Whether a process of this number runs here and is a `mongod`."""
    try:
        return (PROC / str(pid) / "comm").read_text().startswith("mongod")
    except OSError:
        return False


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _processes() -> dict[int, tuple[int, int]]:
    """The parent and the ticks of each running process."""
    found: dict[int, tuple[int, int]] = {}
    if not PROC.is_dir():
        return found
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "stat").read_text(errors="replace")
            except OSError:  # it ended meanwhile
                continue
            fields = text.rpartition(")")[2].split()  # the name may hold spaces and brackets
            found[int(entry.name)] = (
                int(fields[_PARENT]),
                int(fields[_USER]) + int(fields[_SYSTEM]),
            )
    return found
