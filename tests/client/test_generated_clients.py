"""Clients that others generate from the OpenAPI document: nothing is dropped, and what is made compiles.

It needs `openapi-python-client` and `openapi-typescript` with `tsc` (`.ci/clients`), which `.ci/run` installs;
elsewhere it is skipped without them.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

import pytest

from channels.server.app import endpoints_for
from channels.server.web.openapi import document

PYTHON_GENERATOR: Final = shutil.which("openapi-python-client")
TYPESCRIPT_GENERATOR: Final = shutil.which("openapi-typescript")
TSC: Final = shutil.which("tsc")
NEEDED: Final = "CHANNELS_NEEDS_GENERATORS" in os.environ
"""Set where the generators were installed for it, so that a skipped test is a failure."""

KNOWN_WARNINGS: Final = {
    # The same lines are taken as bytes, and so the call is there.
    "Unsupported content type application/x-ndjson",
}
_IMPORT_ALL: Final = """
import importlib, pkgutil, made
for module in pkgutil.walk_packages(made.__path__, "made."):
    importlib.import_module(module.name)
"""
_USE: Final = """
import type { components, operations, paths } from "./api";
export type Everything = [paths[keyof paths], operations[keyof operations], components["schemas"]];
export const channel = (answer: components["schemas"]["ChannelResponse"]): string => answer.channel_id;
export type Published =
  paths["/v1/channels/{channel_id}/posts"]["post"]["responses"][201]["content"]["application/json"]["seq"];
export const seq: Published = 1;
"""


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    # Only what the routes declare is read; no service is called.
    return document(endpoints_for(MagicMock()), version="0")


@pytest.fixture
def path(spec: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def run(*command: object, cwd: Path) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def operation_ids(spec: dict[str, Any], part: str) -> set[str]:
    items = spec.get(part, {}).values()
    return {one["operationId"] for item in items for one in item.values() if "operationId" in one}


@pytest.mark.skipif(
    PYTHON_GENERATOR is None and not NEEDED, reason="openapi-python-client is not installed"
)
def test_the_python_generator_drops_no_call_and_no_answer(
    spec: dict[str, Any], path: Path, tmp_path: Path
) -> None:
    assert PYTHON_GENERATOR is not None
    made = tmp_path / "made"
    config = tmp_path / "config.yml"
    config.write_text("post_hooks: []\n", encoding="utf-8")  # formats nothing
    said = run(
        *(PYTHON_GENERATOR, "generate", "--path", path, "--output-path", made),
        *("--meta", "none", "--config", config),
        cwd=tmp_path,
    )
    assert "will not be generated" not in said, said
    assert "omitted" not in said, said
    warnings = re.findall(r"^WARNING .*\n\n(.*)$", said, re.MULTILINE)
    # One for each call that takes lines.
    assert len(re.findall("^WARNING", said, re.MULTILINE)) == len(warnings) <= 2, said
    assert set(warnings) <= KNOWN_WARNINGS, said
    calls = [file for file in (made / "api").glob("*/*.py") if file.name != "__init__.py"]
    assert len(calls) == len(operation_ids(spec, "paths"))
    python = Path(PYTHON_GENERATOR).with_name("python")
    run(python, "-W", "error", "-c", _IMPORT_ALL, cwd=tmp_path)


@pytest.mark.skipif(
    (TYPESCRIPT_GENERATOR is None or TSC is None) and not NEEDED,
    reason="openapi-typescript is not installed",
)
def test_the_typescript_generator_drops_no_call_and_its_types_are_strict(
    spec: dict[str, Any], path: Path, tmp_path: Path
) -> None:
    made = tmp_path / "api.d.ts"
    assert TYPESCRIPT_GENERATOR is not None
    assert TSC is not None
    said = run(TYPESCRIPT_GENERATOR, path, "-o", made, cwd=tmp_path)
    assert "warn" not in said.lower(), said
    types = made.read_text(encoding="utf-8")
    named = set(re.findall(r'operations\["([^"]+)"\]', types))
    assert named == operation_ids(spec, "paths") | operation_ids(spec, "webhooks")
    (tmp_path / "use.ts").write_text(_USE, encoding="utf-8")
    strict = ("--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022")
    run(TSC, *strict, "--module", "nodenext", "--skipLibCheck", "false", "use.ts", cwd=tmp_path)
