"""A test run whose database dies ends at once and shows the reason, with and without xdist."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
SECONDS: Final = 90  # for a run of a test that would take 300

WITH_ONE_OF_ITS_OWN: Final = """
import shutil, time
from tests.mongod import Mongod, scratch_directory

def test_of_a_database_of_its_own(mongod_uri):
    directory = scratch_directory()
    own = Mongod(directory, cache_gb=0.25).start()
    own.kill()
    time.sleep(1)
    shutil.rmtree(directory)
"""

THAT_LOSES_ITS_DATABASE: Final = """
import os, signal, time
import pytest
from pymongo import MongoClient

@pytest.mark.timeout(0)
def test_that_waits_for_ever(mongod_uri):
    with MongoClient(mongod_uri) as client:
        pid = client.admin.command("serverStatus")["pid"]
    os.kill(pid, signal.SIGABRT)
    time.sleep(300)

@pytest.mark.parametrize("number", range(100))
def test_that_is_not_run(number, mongod_uri):
    time.sleep(300)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_whose_database_dies_ends_with_the_reason(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_a.py").write_text(WITH_ONE_OF_ITS_OWN)
    (tmp_path / "test_b.py").write_text(WITH_ONE_OF_ITS_OWN + THAT_LOSES_ITS_DATABASE)
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", f"-n{workers}", "-v"]
    command += ["-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    output = run.stdout + run.stderr
    assert run.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "The tests' mongod" in output, output
    assert "ended by signal 6" in output, output
    # The tests that killed databases of their own ran before, and passed.
    assert output.count("PASSED") == 2, output
    assert "test_that_is_not_run" not in output.partition("The tests' mongod")[2], output
