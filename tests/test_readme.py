"""What the README says is run here: its commands, its client, its tables."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from channels.limits import Limits
from channels.server.closing import CloseCode
from channels.server.problems import status_of
from channels.server.settings import Settings
from channels.server.wire import RENDERED
from groups.kernel.errors import DomainError

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
START_SECONDS = 60


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def block(language: str, holding: str) -> str:
    """The one block in a language that holds these words."""
    (found,) = [text for text in blocks(language) if holding in text]
    return found


class Server:
    """A real server process, as the README starts it, on a directory and a port of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CHANNELS_")},
            "CHANNELS_DATA_DIR": str(data_dir),
            "CHANNELS_PORT": "0",
            "CHANNELS_EMBEDDED_CACHE_GB": "0.25",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "channels", "serve", "--demo"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said: list[str] = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("Ready"):
                break
        (api,) = [line for line in self.said if line.startswith("API")]
        self.base = api.split()[1].removesuffix("/v1")

    def run(self, script: str) -> str:
        """What the README's shell script prints, against this server."""
        moved = script.replace("http://127.0.0.1:8080", self.base)
        done = subprocess.run(
            ["bash", "-eu", "-c", moved],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=True,
        )
        return done.stdout

    def stop(self) -> int:
        """End as the README says; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(START_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("data"))
    yield started
    assert started.stop() == 0


def test_the_server_prints_the_addresses_that_the_readme_shows(server: Server) -> None:
    shown = [line.split()[0] for line in block("text", "API ").splitlines()]
    assert [line.split()[0] for line in server.said][: len(shown)] == shown


async def test_the_first_minutes_print_what_the_readme_shows_and_the_socket_hears_them(
    server: Server, tmp_path: Path
) -> None:
    client = tmp_path / "listen.py"
    client.write_text(block("python", "ws_connect"), encoding="utf-8")
    token = server.run("channels token gus").strip()
    listening = await asyncio.create_subprocess_exec(
        sys.executable, str(client), server.base, token, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert listening.stdout is not None
        heard = [await asyncio.wait_for(listening.stdout.readline(), START_SECONDS)]
        assert b'"type": "ready"' in heard[0]

        printed = await asyncio.to_thread(server.run, block("sh", "as() {"))

        expected = block("json", "posting_not_allowed")
        assert re.sub(r'"request_id":"\w+"', '"request_id":"…"', printed) == expected
        for kind in (b'"channel.subscribed"', b'"message.posted"'):
            heard.append(await asyncio.wait_for(listening.stdout.readline(), START_SECONDS))
            assert kind in heard[-1]
        assert b"The bridge is open again" in heard[-1]
    finally:
        listening.terminate()
        await listening.wait()


def test_both_commands_install_what_they_need() -> None:
    assert [text for text in blocks("sh") if text.startswith("pip install")][:2] == [
        "pip install -e '.[embedded]' && channels serve --demo\n",
        "pip install -e '.[dev]' && pytest\n",
    ]


def rows(heading: str) -> list[list[str]]:
    """The table rows under a heading, cell by cell."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_every_limit_is_in_the_table_with_its_default() -> None:
    told: dict[str, int] = {}
    for names, defaults, _ in rows("Limits"):
        pairs = zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True)
        told |= {name.lower(): int(default) for name, default in pairs}
    assert told == Limits().model_dump()


def test_every_setting_is_in_the_table() -> None:
    told = {name for row in rows("Settings") for name in re.findall(r"`CHANNELS_(\w+)`", row[0])}
    fields = {name.upper() for name in Settings.model_fields} - {"LIMITS", "IS_WORKER"}
    assert told == fields


def test_the_defaults_in_the_settings_table_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CHANNELS_"):
            monkeypatch.delenv(name)
    settings = Settings(secret=SecretStr("s" * 32))
    table = {
        row[0].split("`")[1].removeprefix("CHANNELS_").lower(): row[1] for row in rows("Settings")
    }
    for name in ("database", "workers", "create_policy", "embedded_cache_gb"):
        assert table[name].strip("`") == str(getattr(settings, name))
    assert table["host"] == f"`{settings.host}`, `{settings.port}`"


def all_errors(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    return {kind}.union(*(all_errors(child) for child in kind.__subclasses__()))


def test_every_error_code_is_told_under_its_status() -> None:
    codes: dict[str, set[int]] = {}
    for error in all_errors():
        if "code" in vars(error) and error.__module__.split(".")[0] != "tests":
            codes.setdefault(error.code, set()).add(int(status_of(error)))
    told: dict[str, set[int]] = {}
    for statuses, names in re.findall(r"^\| ([\d, ]+) \| (`.*) \|$", README, re.MULTILINE):
        for code in re.findall(r"`([a-z_]+)`", names):
            if code != "request_id":
                told[code] = {int(status) for status in statuses.split(", ")}
    assert told.keys() == codes.keys()
    for code, found in codes.items():
        assert found <= told[code], code


def test_every_event_and_close_code_is_told() -> None:
    assert not [name for name in RENDERED if _short(name) not in README]
    assert not [code for code in CloseCode if f"`{code.value}`" not in README]


def _short(name: str) -> Any:
    prefix, _, last = name.partition(".")
    is_shortened = prefix == "conversation_group" and last != "created"
    return f".{last}" if is_shortened else name
