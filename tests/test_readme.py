"""Runs the commands and the client of the README, and compares its tables with the code."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from channels.event_views.registry import EVENT_TYPES
from channels.limits import Limits
from channels.server.realtime.close_codes import CloseCode
from channels.server.settings import Settings
from channels.server.web.problems import status_of
from groups.kernel.errors import DomainError

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
START_SECONDS = 60


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def block(language: str, holding: str) -> str:
    """The one block in a language that contains this text."""
    (found,) = [text for text in blocks(language) if holding in text]
    return found


class Server:
    """A real server process, started as in the README, with a directory and a port of its own."""

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
        """Run a shell script of the README against this server; returns its output."""
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
        """Stop the server as the README says; returns the exit code."""
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


async def test_the_first_minutes_print_what_the_readme_shows(
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
        lines = [await asyncio.wait_for(listening.stdout.readline(), START_SECONDS)]
        assert b'"type": "ready"' in lines[0]

        printed = await asyncio.to_thread(server.run, block("sh", "as() {"))

        expected = block("json", "posting_not_allowed")
        assert re.sub(r'"request_id":"\w+"', '"request_id":"…"', printed) == expected
        for kind in (b'"channel.subscribed"', b'"message.posted"'):
            lines.append(await asyncio.wait_for(listening.stdout.readline(), START_SECONDS))
            assert kind in lines[-1]
        assert b"The bridge is open again" in lines[-1]
    finally:
        listening.terminate()
        await listening.wait()


def test_a_revoked_token_is_refused_beside_the_running_server(server: Server) -> None:
    calls = block("sh", "as() {").partition("\n\n")[0]
    script = """
token=$(channels token ida); mine() { curl -sS -H "Authorization: Bearer $token" "$API/users/me"; echo; }
mine; channels revoke ida; for _ in 1 2 3 4 5 6 7 8 9; do mine | grep -q revoked && break; sleep 0.3; done; mine
as ida GET /users/me"""
    before, printed, after, again = server.run(f"{calls}\n{script}").splitlines()
    assert json.loads(before)["user_id"] == json.loads(again)["user_id"] == "ida"
    assert "refused" in printed
    assert json.loads(after)["code"] == "unauthenticated"


def test_a_photo_is_uploaded_and_posted_as_the_readme_shows(server: Server, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "photo.jpg")
    calls = block("sh", "as() {").partition("\n\n")[0]
    channel = """as eve POST /channels '{"channel_id": "@TOA#_bridge", "name": "Bridge News"}'"""
    script = [calls, channel, f"cd '{tmp_path}'", block("sh", "-F file=@photo.jpg")]
    *_, posted = server.run("\n".join(script)).splitlines()
    (image,) = json.loads(posted)["images"]
    assert (image["width"], image["height"]) == (40, 30)


def test_a_channel_is_run_as_the_readme_shows(server: Server) -> None:
    script = [block("sh", "as() {"), block("sh", "/invitations/me")]
    *_, renamed, reacted, log = map(json.loads, server.run("\n".join(script)).splitlines())
    assert (renamed["code"], renamed["details"]) == ("permission_denied", {"grant": "change_info"})
    assert reacted["code"] == "reacting_banned"
    entries = [(e["action"], e["actor_id"], e["target_id"]) for e in log["items"]]
    assert entries == [("reacting_banned", "fay", "hal")]


def test_a_post_is_scheduled_as_the_readme_shows(server: Server) -> None:
    calls = block("sh", "as() {").partition("\n\n")[0]
    channel = """as eve POST /channels '{"channel_id": "@TOA#_bridge", "name": "Bridge News"}'"""
    # Long enough to list the draft before it is published, also on a busy machine.
    script = block("sh", "publish_at").replace("+1 minute", "+10 seconds")
    *_, listed = server.run("\n".join([calls, channel, script])).splitlines()
    (draft,) = json.loads(listed)["items"]
    hour = datetime.fromisoformat(draft["publish_at"])
    deadline = time.monotonic() + START_SECONDS
    found: list[dict[str, Any]] = []
    while not found:
        assert time.monotonic() < deadline
        posts = server.run(f"{calls}\nas eve GET '/channels/bridge/posts'")
        found = [post for post in json.loads(posts)["items"] if post["text"] == "Closed tonight"]
    assert datetime.fromisoformat(found[0]["created_at"]) >= hour
    assert found[0]["silent"] is True


def test_a_device_that_was_away_asks_as_the_readme_shows(server: Server) -> None:
    calls = block("sh", "as() {").partition("\n\n")[0]
    scene = """as eve POST /channels '{"channel_id": "@TOA#_bridge", "name": "Bridge News"}'
as fay PUT /channels/bridge/subscription"""
    script = [calls, scene, block("sh", "updated_since=")]
    *_, printed = server.run("\n".join(script)).splitlines()
    (channel,) = json.loads(printed)["items"]
    assert channel["introduction"] == "Open or closed"


def test_one_to_one_messages_go_as_the_readme_shows(server: Server) -> None:
    calls = block("sh", "as() {").partition("\n\n")[0]
    channel = """
as eve POST /channels '{"channel_id": "@TOA#_bridge", "name": "Bridge News"}' > /dev/null
as gus PUT /channels/bridge/subscription > /dev/null
"""
    printed = server.run(calls + channel + block("sh", "/inbox/gus/messages"))
    listed, answered, both = [json.loads(line) for line in printed.splitlines()]
    assert [c["unread_count"] for c in listed["items"] if c["peer_id"] == "fay"] == [1]
    assert (answered["author_id"], answered["sender_id"]) == ("eve", "@TOA#_bridge")
    assert [item["text"] for item in both["items"][:2]] == ["Until midnight", "Open on Sunday?"]
    assert "eve" not in json.dumps(both)


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
    listed: dict[str, int] = {}
    for names, defaults, _ in rows("Limits"):
        pairs = zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=True)
        listed |= {name.lower(): int(default) for name, default in pairs}
    assert listed == Limits().model_dump()


def test_every_setting_is_in_the_table() -> None:
    listed = {name for row in rows("Settings") for name in re.findall(r"`CHANNELS_(\w+)`", row[0])}
    of_workers = {"IS_WORKER", "IS_BESIDE_DATA"}  # set by the server for its own processes
    fields = {name.upper() for name in Settings.model_fields} - {"LIMITS"} - of_workers
    assert listed == fields


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


def test_every_error_code_is_listed_under_its_status() -> None:
    codes: dict[str, set[int]] = {}
    for error in all_errors():
        if "code" in vars(error) and error.__module__.split(".")[0] != "tests":
            codes.setdefault(error.code, set()).add(int(status_of(error)))
    listed: dict[str, set[int]] = {}
    for statuses, names in re.findall(r"^\| ([\d, ]+) \| (`.*) \|$", README, re.MULTILINE):
        for code in re.findall(r"`([a-z_]+)`", names):
            if code != "request_id":
                listed[code] = {int(status) for status in statuses.split(", ")}
    assert listed.keys() == codes.keys()
    for code, found in codes.items():
        assert found <= listed[code], code


def test_every_event_and_close_code_is_listed() -> None:
    assert not [name for name in EVENT_TYPES if _short(name) not in README]
    assert not [code for code in CloseCode if f"`{code.value}`" not in README]


def _short(name: str) -> Any:
    prefix, _, last = name.partition(".")
    is_shortened = prefix == "conversation_group" and last != "created"
    return f".{last}" if is_shortened else name
