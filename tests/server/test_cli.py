"""The command line as it is typed: a process, its two outputs, its exit code."""

import os
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest

from channels.server.data_dir import load_or_create_secret

ROOT = Path(__file__).parents[2]
LONG = "s" * 32


def channels(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "channels", *arguments],
        cwd=ROOT,
        env=kept | {"NO_COLOR": "1", "COLUMNS": "100"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_token_is_all_that_is_printed(tmp_path: Path) -> None:
    before = time.time()
    done = channels("token", "ada", CHANNELS_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    claims = jwt.decode(done.stdout.strip(), load_or_create_secret(tmp_path), algorithms=["HS256"])
    assert claims["sub"] == "ada"
    assert "scope" not in claims
    assert before + 720 * 3600 <= claims["exp"] <= time.time() + 720 * 3600 + 1


def test_a_token_may_be_admin_and_short_and_of_a_given_secret(tmp_path: Path) -> None:
    done = channels(
        *("token", "李雷", "--admin", "--hours", "0.5", "--data-dir", str(tmp_path)),
        CHANNELS_SECRET=LONG,
    )
    claims = jwt.decode(done.stdout.strip(), LONG, algorithms=["HS256"])
    assert (claims["sub"], claims["scope"]) == ("李雷", "admin")
    assert claims["exp"] < time.time() + 1801
    assert not (tmp_path / "secret").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["token", "a" * 33], "1 to 32 bytes"),
        (["token", ""], "1 to 32 bytes"),
        (["revoke", "a" * 33], "1 to 32 bytes"),
        (["token", "ada", "--hours", "0"], "hours"),
        (["token", "ada", "--hours", "nan"], "hours"),
        (["serve", "--port", "70000"], "--port"),
    ],
)
def test_a_command_that_cannot_start_prints_one_message(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = channels(*arguments, CHANNELS_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_secret_is_reported_with_its_cure(tmp_path: Path) -> None:
    uri = "mongodb://db/?replicaSet=rs"
    for command in (["serve"], ["token", "ada"]):
        done = channels(*command, CHANNELS_MONGODB_URI=uri, CHANNELS_DATA_DIR=str(tmp_path))
        assert done.returncode == 1
        assert "CHANNELS_SECRET is missing" in done.stderr
        assert "secrets.token_urlsafe" in done.stderr


def test_a_message_is_printed_as_it_is_whatever_brackets_it_holds(tmp_path: Path) -> None:
    (tmp_path / "[red]").write_text("")
    done = channels("token", "ada", "--data-dir", str(tmp_path / "[red]" / "data"))
    assert done.returncode == 1
    assert "[red]" in done.stderr


@pytest.mark.parametrize("command", ["serve", "token", "revoke", "verify"])
def test_each_command_explains_itself_with_an_example(command: str) -> None:
    done = channels(command, "--help")
    assert done.returncode == 0
    assert f"channels {command}" in done.stdout
    assert "Example:" in done.stdout


def test_help_lists_the_commands_and_version_prints_it() -> None:
    done = channels("--help")
    assert all(command in done.stdout for command in ("serve", "token", "verify"))
    assert channels("--version").stdout.startswith("channel-layer ")


def test_minting_a_token_loads_neither_database_driver_nor_http() -> None:
    code = "import sys, channels.cli; print({'motor', 'pymongo', 'aiohttp'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
