"""The limit of open files: raised for whatever starts a database, and told where it cannot be."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from channels.server.embedded import supervisor
from channels.server.embedded.supervisor import EmbeddedMongo
from channels.server.open_files import raise_open_files

_START: Final = """
import asyncio, sys
from pathlib import Path
from channels.server.embedded.supervisor import EmbeddedMongo

async def main():
    mongo = EmbeddedMongo(Path(sys.argv[1]), 0.25)
    await mongo.start()
    limits = Path(f"/proc/{mongo.pid}/limits").read_text().splitlines()
    await mongo.stop()
    print(*next(line for line in limits if line.startswith("Max open files")).split()[3:5])

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux shows the limits of a process")
@pytest.mark.parametrize("soft", [256, 1_024])
def test_a_database_may_open_as_many_files_as_the_system_allows(tmp_path: Path, soft: int) -> None:
    command = f'ulimit -Sn {soft} && ulimit -Hn 4096 && exec "$@"'
    started = subprocess.run(
        ["bash", "-c", command, "sh", sys.executable, "-c", _START, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout.split() == ["4096", "4096"]


async def test_a_limit_that_is_too_low_is_reported_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "raise_open_files", lambda: 1_024)
    mongo = EmbeddedMongo(tmp_path, 0.25)
    await mongo.start()
    await mongo.stop()
    assert "allows this process 1024 open files" in caplog.text
    assert "ulimit -Hn 2048" in caplog.text


@pytest.mark.parametrize(
    ("soft", "hard", "most", "expected"),
    [
        (256, 4_096, 4_096, 4_096),
        (4_096, 4_096, 4_096, 4_096),
        # macOS: the hard limit is none, and the kernel takes no more than its own.
        (256, resource.RLIM_INFINITY, 10_240, 10_240),
        (256, resource.RLIM_INFINITY, 100_000, 65_536),
        # What is higher than anything that the kernel takes now is not lowered.
        (20_000, resource.RLIM_INFINITY, 10_240, 20_000),
    ],
)
def test_the_limit_is_raised_as_far_as_the_kernel_takes_it(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, most: int, expected: int
) -> None:
    limits = [(soft, hard)]

    def setrlimit(kind: int, wanted: tuple[int, int]) -> None:
        if wanted[0] == resource.RLIM_INFINITY or wanted[0] > most:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    assert raise_open_files() == expected
    assert limits[-1] == (expected, hard)
