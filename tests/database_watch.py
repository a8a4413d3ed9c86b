"""Ends the test run, with the reason, as soon as the `mongod` that a worker's tests share has died.

Without it, each of the remaining tests fails only after its timeout, and none shows the reason.

The worker that lost its database writes the reason to a file that xdist's controller gave it, and ends. The controller
then ends the run. Without xdist, the process that runs the tests prints the reason itself. Only the database given to
`ends_the_run_without` is watched: tests may kill databases of their own.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.mongod import Mongod

_LOOK_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 5.0
"""For the clean-up of fixtures, which may wait for the database. The next run removes what they leave."""
_INPUT: Final = "reason_path"


class _Controller:
    """Gives each xdist worker a file for its reason, and ends the run when a worker has written one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_INPUT] = str(self._directory / node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        reason = Path(node.workerinput[_INPUT])
        if reason.exists():
            pytest.exit(reason.read_text(), returncode=pytest.ExitCode.INTERRUPTED)


def prepare(config: pytest.Config) -> None:
    """Let xdist workers, if there are any, tell this process why they end."""
    if not hasattr(config, "workerinput"):
        directory = tempfile.TemporaryDirectory(prefix="channels-tests-reasons-")
        config.add_cleanup(directory.cleanup)
        config.pluginmanager.register(_Controller(Path(directory.name)))


@contextmanager
def ends_the_run_without(mongod: Mongod, config: pytest.Config) -> Iterator[None]:
    """End the test run if this `mongod` dies while the body runs."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if not mongod.runs and not done.is_set():
                _end_run(config, f"The tests' {mongod.death()}")

    threading.Thread(target=watch, name="mongod-watch", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _end_run(config: pytest.Config, reason: str) -> None:
    if hasattr(config, "workerinput"):
        Path(config.workerinput[_INPUT]).write_text(reason)
    else:
        config.pluginmanager.getplugin("capturemanager").suspend_global_capture(in_=True)
        print(f"\n\n{reason}\n", file=sys.__stderr__, flush=True)
    # The test that runs now is interrupted, and its fixtures end what they started.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    time.sleep(_GRACE_SECONDS)
    os._exit(pytest.ExitCode.INTERRUPTED)
