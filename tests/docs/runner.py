"""Runs a page of the guides: block by block in one shell, comparing what it prints with what it shows."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import channels
from tests.docs.pages import Block, Page, read
from tests.docs.shell import Ended, Printed, Shell, comes_in_order, environment, matches
from tests.mongod import free_port, scratch_directory

ROOT: Final = Path(channels.__file__).parents[1]
GUIDES: Final = ROOT / "channels/docs"
PAGES: Final = [read(path, ROOT) for path in (ROOT / "README.md", *sorted(GUIDES.rglob("*.md")))]

_AS_PAGE: Final = GUIDES / "reference/api.md"
_AS_HEADING: Final = "## Calling from a shell"
_AS_UNTIL_THEN: Final = """
API=http://127.0.0.1:8080/v1
as() { curl -sS --json "${4:-}" -X "$2" -H "Authorization: Bearer $(channels token "$1")" "$API$3"; echo; }
"""
_PORT: Final = "8080"
BACKGROUND_SECONDS: Final = 30
_START_SECONDS: Final = 120
_REVOKING: Final = ("channels revoke", "/tokens")
"""Pages that revoke tokens mint each anew."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server with the demo scene, and the home directory that its data is in."""

    home: Path
    port: str


@contextmanager
def running_server() -> Iterator[RunningServer]:
    """Start `channels serve --demo`, as a reader does, on a free port."""
    home = scratch_directory()
    process = subprocess.Popen(
        [sys.executable, "-m", "channels", "serve", "--demo"],
        env=environment(home, None, "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield RunningServer(home, _port_of(process))
    finally:
        process.send_signal(signal.SIGTERM)
        with process:
            process.wait(_START_SECONDS)
        shutil.rmtree(home, ignore_errors=True)


def _port_of(process: subprocess.Popen[str]) -> str:
    """Wait until it is ready. What it prints next fits into the pipe."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ready"):
            break
    found = re.search(r"^API +http://127\.0\.0\.1:(\d+)/v1$", "".join(said), re.MULTILINE)
    assert found, "".join(said)
    return found[1]


def check(
    page: Page, server: RunningServer | None, look: Callable[["Reading"], None] | None = None
) -> None:
    """Run the page against the server, or against those that it starts. A mistake fails the test, without a trace.

    `look` is called at the end, while the background blocks still run.
    """
    directory = scratch_directory()
    # Each port that the page names becomes a free one. Named twice, none is taken twice.
    ports = {port: str(free_port()) for port in page.ports}
    if server:
        ports[_PORT] = server.port
    port = None if server else ports.setdefault(_PORT, str(free_port()))
    keeps_tokens = server is not None and not any(
        word in block.text for block in page.blocks for word in _REVOKING
    )
    home = server.home if server else directory / "home"
    home.mkdir(exist_ok=True)
    shell = Shell(directory, home, keeps_tokens=keeps_tokens, port=port)
    try:
        reading = Reading(page, shell, ports)
        reading.prepare()
        for block in page.blocks:
            reading.do(block)
        reading.finish()
        if look is not None:
            look(reading)
    except Ended as error:
        pytest.fail(str(error), pytrace=False)
    finally:
        shell.stop()
        shutil.rmtree(directory, ignore_errors=True)
    if reading.skipped:
        pytest.skip(f"{'; '.join(reading.skipped)}; all other blocks ran")


class Reading:
    """A page on its way through a shell."""

    def __init__(self, page: Page, shell: Shell, ports: dict[str, str]) -> None:
        self._page = page
        self._shell = shell
        self._ports = ports
        self._last: Block | None = None
        self._printed = Printed("")
        self.skipped: list[str] = []
        """What was not run here, and why."""

    def prepare(self) -> None:
        """Define `as`, as the API reference does."""
        self._shell.run(self.moved(definition_of_as()))

    def do(self, block: Block) -> None:
        """Do what a reader does at this block."""
        has = block.directives
        if missing := [name for name in has.get("needs", "").split() if not shutil.which(name)]:
            self.skipped.append(f"line {block.line} needs {' and '.join(missing)}")
            self._settle()
            self._last = None
        elif "file" in has:
            self._shell.save(has["file"], self.moved(block.text))
        elif "prints" in has:
            if self._last is not None:
                self._compare(block)
        elif "prints in background" in has:
            self._await(block)
        elif "background" in has:
            self._settle()
            self._shell.start(self.moved(block.text))
        elif block.is_run:
            self._settle()
            try:
                self._printed = self._shell.run(self.moved(block.text))
            except Ended as error:
                self._fail(block, str(error))
            self._last = block

    def repeat(self, holding: str) -> None:
        """Run the `sh` block that holds this text once more."""
        (block,) = [one for one in self._page.blocks if one.is_run and holding in one.text]
        self._shell.run(self.moved(block.text))

    def finish(self) -> None:
        """After the last block."""
        self._settle()

    def _settle(self) -> None:
        """The block that ran last showed nothing: so none of its commands may have failed."""
        if self._last and (self._printed.failures or self._printed.refusals):
            refusals = [f"curl was answered {status}" for status in self._printed.refusals]
            what = "\n".join([*self._printed.failures, *refusals])
            self._fail(
                self._last,
                f"a command failed, and the page does not show how:\n{what}\n{self._shown()}",
            )
        self._last = None

    def _compare(self, block: Block) -> None:
        ran, self._last = self._last, None
        assert ran is not None
        unshown = [status for status in self._printed.refusals if status not in block.text]
        if unshown:
            self._fail(
                ran, f"curl was answered {', '.join(unshown)}, which is not shown.\n{self._shown()}"
            )
        if not matches(self.moved(block.text), self._printed.output):
            self._fail(block, f"the page shows:\n{block.text}\n{self._shown()}")

    def _await(self, block: Block) -> None:
        shown = self.moved(block.text)
        deadline = time.monotonic() + BACKGROUND_SECONDS
        while not any(comes_in_order(shown, output) for output in self._shell.in_background()):
            if time.monotonic() > deadline:
                self._fail(
                    block, f"no background block came to print:\n{block.text}\n{self._shown()}"
                )
            time.sleep(0.02)

    def _shown(self) -> str:
        """What the last block and those in background printed, for a failure."""
        outputs = [f"it printed:\n{self._printed.output}"]
        outputs += [f"in background:\n{output}" for output in self._shell.in_background()]
        text = "\n".join(outputs)
        for named, taken in self._ports.items():
            text = text.replace(taken, named)
        return text

    def moved(self, text: str) -> str:
        """The text with the ports that the runner chose."""
        if not self._ports:
            return text
        named = "|".join(map(re.escape, self._ports))
        return re.sub(rf"\b({named})\b", lambda port: self._ports[port[1]], text)

    def _fail(self, block: Block, what: str) -> None:
        pytest.fail(f"{self._page.name}:{block.line}: {what}", pytrace=False)


def definition_of_as() -> str:
    """The shell function of the API reference."""
    if not _AS_PAGE.exists():
        return _AS_UNTIL_THEN
    text = _AS_PAGE.read_text(encoding="utf-8")
    return text.partition(f"\n{_AS_HEADING}\n")[2].partition("```sh\n")[2].partition("```")[0]
