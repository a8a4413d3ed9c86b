"""A bash session that runs the blocks of one page, as a reader would type them."""

import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from channels.server.embedded.process import find_mongod
from channels.server.settings import bare_environment

BLOCK_SECONDS: Final = 120
"""A block may start a server, on a busy machine."""
STOP_SECONDS: Final = 20

_REFUSALS: Final = "refusals"
_FAILURES: Final = "failures"
_FAILURE: Final = re.compile(r"(\d+) (.*)")
_CURL: Final = """\
#!/bin/bash
# curl, which also notes the status of each answer that is a refusal; with -f it tells by its exit code.
for word; do [[ $word = --fail* || $word =~ ^-[a-zA-Z]*f ]] && exec {curl} "$@"; done
headers=$(mktemp -p {kept})
{curl} -D "$headers" "$@"
code=$?
grep -aE '^HTTP/[0-9.]+ [45]' "$headers" | awk '{{print $2}}' >> {kept}/refusals
rm -f "$headers"
exit $code
"""
_CHANNELS: Final = """\
#!/bin/bash
# channels, which mints each token once: a start takes a third of a second of processor time.
[ "$1" = token ] || exec {channels} "$@"
kept={kept}/token-$(printf '%s\\n' "$@" | sha256sum | cut -c1-32)
[ -s "$kept" ] || {{ {channels} "$@" > "$kept.$$" && mv "$kept.$$" "$kept"; }} || exit
cat "$kept"
"""


@dataclass(slots=True)
class Printed:
    """What a block came to."""

    output: str
    failures: list[str] = field(default_factory=list)
    """Its commands that ended with another exit code than 0."""
    refusals: list[str] = field(default_factory=list)
    """The statuses from 400 on that curl was answered."""


class Ended(Exception):
    """The session is over: a block did not end, or ended the shell."""


class Shell:
    """A bash session with a scratch directory. `home` holds the data of `channels serve`."""

    def __init__(
        self, directory: Path, home: Path, *, keeps_tokens: bool, port: str | None
    ) -> None:
        self._kept = directory / "runner"
        self._kept.mkdir(parents=True)
        self.directory = directory / "work"
        self.directory.mkdir()
        self._count = 0
        self._background: list[tuple[int, Path]] = []
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.directory,
            env=environment(home, self._commands(home, keeps_tokens), port),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        failures = shlex.quote(str(self._kept / _FAILURES))
        self._send(f"set -E; trap 'echo \"$? $BASH_COMMAND\" >> {failures}' ERR; echo began")
        self._answer()

    def _commands(self, home: Path, keeps_tokens: bool) -> Path:
        """A directory of commands that stand before those on PATH."""
        commands = self._kept / "commands"
        commands.mkdir()
        own = Path(sys.executable).parent
        scripts = {"curl": _CURL.format(kept=self._kept, curl=shutil.which("curl"))}
        if keeps_tokens:
            scripts["channels"] = _CHANNELS.format(kept=home, channels=own / "channels")
        for name, text in scripts.items():
            (commands / name).write_text(text)
            (commands / name).chmod(0o755)
        return commands

    def save(self, name: str, text: str) -> None:
        """Write a file of the page."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, script: str) -> Printed:
        """Run a block; returns what it printed, on both outputs. Raises: Ended."""
        path, output = self._script(script)
        for name in (_FAILURES, _REFUSALS):
            (self._kept / name).unlink(missing_ok=True)
        self._send(f". {path} > {output} 2>&1 < /dev/null; echo $?")
        try:
            self._answer()
        except Ended as error:
            raise Ended(f"{error} It printed:\n{output.read_text(errors='replace')}") from None
        return Printed(
            output.read_text(encoding="utf-8", errors="replace"),
            [
                f"`{found[2]}` ended with exit code {found[1]}"
                for line in self._noted(_FAILURES)
                if (found := _FAILURE.fullmatch(line)) and found[2] != f". {path}"
            ],
            self._noted(_REFUSALS),
        )

    def start(self, script: str) -> None:
        """Start a block in background."""
        path, output = self._script(script)
        # With job control, so that the block has a process group of its own, which can be stopped with its children.
        self._send(f"set -m; (trap - ERR; . {path}) > {output} 2>&1 < /dev/null & set +m; echo $!")
        self._background.append((int(self._answer()), output))

    def in_background(self) -> list[str]:
        """What each background block has printed until now."""
        return [
            output.read_text(encoding="utf-8", errors="replace") for _, output in self._background
        ]

    def stop(self) -> None:
        """Stop the background blocks, the last one first, then the shell."""
        for group, _ in reversed(self._background):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            with suppress(ProcessLookupError):
                while time.monotonic() < deadline:
                    self._reap()
                    os.killpg(group, 0)
                    time.sleep(0.02)
                os.killpg(group, signal.SIGKILL)
        # What a page left running in the session of its shell.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self._process.wait()

    def _reap(self) -> None:
        """Let the shell collect its children that ended."""
        with suppress(Ended, BrokenPipeError):
            self._send("echo still")
            self._answer()

    def _script(self, text: str) -> tuple[Path, Path]:
        self._count += 1
        path = self._kept / f"{self._count}.sh"
        path.write_text(text, encoding="utf-8")
        output = path.with_suffix(".out")
        output.touch()
        return path, output

    def _noted(self, name: str) -> list[str]:
        path = self._kept / name
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        """The next line that the shell itself prints."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + BLOCK_SECONDS
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], deadline - time.monotonic())
            if not ready:
                raise Ended(f"The block did not end within {BLOCK_SECONDS} seconds.")
            more = os.read(self._process.stdout.fileno(), 4096)
            if not more:
                raise Ended("The block ended the shell.")
            line += more
        return line.decode()


def environment(home: Path, commands: Path | None, port: str | None) -> dict[str, str]:
    """The environment of a reader: no setting of this project, and a home of their own."""
    mongod = Path(find_mongod()).parent
    places = [str(commands)] if commands else []
    places += [str(Path(sys.executable).parent), os.environ["PATH"], str(mongod)]
    return bare_environment() | {
        "HOME": str(home),
        "PATH": os.pathsep.join(places),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # as on a terminal
        "CHANNELS_EMBEDDED_CACHE_GB": "0.25",
        **({"CHANNELS_PORT": port} if port else {}),
    }


def matches(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed. `…` is any text within a line; as a line of its own, any lines."""
    lines = shown.rstrip("\n").split("\n")
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line.strip() == "…" else _of_line(line) + r"\n" for line in lines
    )
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def comes_in_order(shown: str, printed: str) -> bool:
    """Whether the lines shown are among the printed ones, in this order."""
    rest = iter(printed.splitlines())
    return all(
        any(re.fullmatch(_of_line(line), other) for other in rest)
        for line in shown.splitlines()
        if line.strip() not in {"", "…"}
    )


def _of_line(line: str) -> str:
    """The pattern of a line; spaces at its end do not count."""
    return r"[^\n]*".join(map(re.escape, line.rstrip().split("…"))) + "[ \t]*"
