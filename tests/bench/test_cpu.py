"""Processor time is that of a process and of all that it started, and what cannot be read is unknown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from channels.bench import cpu
from channels.bench.cpu import CpuSeconds, cpu_seconds, is_mongod, precise_seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


def put(proc: Path, pid: int, parent: int, ticks: int, name: str = "python") -> None:
    """A process in an invented /proc."""
    (proc / str(pid)).mkdir()
    fields = ["S", str(parent), *["0"] * 9, str(ticks), "0", *["0"] * 30]
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}")
    (proc / str(pid) / "comm").write_text(f"{name}\n")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cpu, "PROC", tmp_path)
    return tmp_path


def test_processes_that_were_started_count(proc: Path) -> None:
    put(proc, 50, 1, 100)
    put(proc, 40, 50, 10, name="a (worker) of 50")
    put(proc, 60, 40, 1)
    put(proc, 70, 1, 5_000)
    assert cpu_seconds([50]) == 111 / os.sysconf("SC_CLK_TCK")
    assert cpu_seconds([50, 40, 70]) == 5_111 / os.sysconf("SC_CLK_TCK")


def test_what_cannot_be_read_is_unknown(proc: Path) -> None:
    put(proc, 50, 1, 100)
    assert cpu_seconds([50, None]) is None
    assert cpu_seconds([50, 51]) is None


def test_a_system_without_proc_knows_nothing(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "PROC", proc / "missing")
    assert cpu_seconds([os.getpid()]) is None


def test_a_mongod_is_known_by_its_name(proc: Path) -> None:
    put(proc, 50, 1, 0, name="mongod")
    put(proc, 51, 1, 0, name="mongos")
    assert [is_mongod(pid) for pid in (50, 51, 52)] == [True, False, False]


def test_a_process_that_worked_has_more_than_before() -> None:
    program = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = cpu_seconds([process.pid])
        process.kill()
    assert taken is not None
    assert taken >= 0.15


def test_the_threads_of_one_process_are_counted_precisely(proc: Path) -> None:
    for thread, nanoseconds in ((50, 1_500), (51, 250)):
        (proc / "50" / "task" / str(thread)).mkdir(parents=True)
        (proc / "50" / "task" / str(thread) / "schedstat").write_text(f"{nanoseconds} 7 3\n")
    assert precise_seconds(50) == 1_750 / 1e9
    assert precise_seconds(51) is None


def test_a_difference_with_something_unknown_is_unknown() -> None:
    assert CpuSeconds(3, 2) - CpuSeconds(1, None) == CpuSeconds(2, None)
    assert CpuSeconds(3, 2) + CpuSeconds(None, 1) == CpuSeconds(None, 3)
