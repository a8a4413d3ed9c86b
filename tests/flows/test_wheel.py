"""A wheel that is built here and installed elsewhere serves the app, the guides and the demo."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import pytest_asyncio

from tests.flows.server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("channels", "conversations", "groups", "reactions")
NOT_SHIPPED: Final = (
    "channels/package.json",
    "channels/package-lock.json",
    "channels/biome.json",
    "channels/tsconfig.json",
    "channels/.npmrc",
    "channels/console/types/",
    "channels/bench/results/",
)
"""What only this repository needs: the tools that check the app's scripts, and the benchmark's committed run."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git knows, so that nothing of this checkout slips in."""
    source = tmp_path_factory.mktemp("source")
    for name in sources():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("built")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(source))
    (found,) = built.glob("*.whl")
    return found


def sources() -> list[str]:
    """The files of the project, without tests and checks."""
    return [
        str(path.relative_to(ROOT))
        for top in (*PACKAGES, "pyproject.toml", "README.md")
        for path in sorted([ROOT / top, *(ROOT / top).rglob("*")])
        if path.is_file() and not {"__pycache__", "node_modules"} & set(path.parts)
    ]


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerProcess]:
    """A server that runs from the installed wheel, in a directory without the sources."""
    site = tmp_path_factory.mktemp("site")
    run(
        "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", f"--target={site}", str(wheel)
    )
    async with aiohttp.ClientSession() as http:
        process = ServerProcess(tmp_path_factory.mktemp("data") / "data", http, cwd=site)
        await process.start("--demo", PYTHONPATH=str(site))
        yield process
        await process.stop()


async def test_the_wheel_has_every_file_that_the_server_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        name for name in sources() if name.startswith(PACKAGES) and not name.startswith(NOT_SHIPPED)
    } - {"channels/LICENSE"}
    assert wanted - inside == set()
    assert {name for name in inside if name.startswith("tests")} == set()
    licences = [name for name in inside if name.endswith("licenses/channels/LICENSE")]
    assert licences, "the licence is part of the wheel"


@pytest.mark.parametrize(
    ("path", "holding"),
    [
        ("/", "<title>"),
        ("/console", "<title>"),
        ("/docs", "Channel layer"),
        ("/docs/tutorial", "<h1"),
        ("/docs/api", "API reference"),
        ("/openapi.json", "openapi"),
    ],
)
async def test_the_installed_server_serves_app_and_guides(
    server: ServerProcess, path: str, holding: str
) -> None:
    async with aiohttp.ClientSession() as http, http.get(server.base + path) as answer:
        assert answer.status == 200
        assert holding in await answer.text()


async def test_the_installed_server_has_the_demo_scene(server: ServerProcess) -> None:
    ada = server.user_of("ada")
    listed = (await ada.get("/v1/channels")).body
    assert listed["items"]
