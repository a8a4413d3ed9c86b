"""Temporary files of uploads: refused where a disk is nearly full, and deleted when their process is gone."""

import asyncio
import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from channels.server.settings import Settings
from groups.errors import InsufficientStorage
from groups.images.job import Job
from groups.images.worker import answer_to
from groups.service.media.image_workers import WorkerProcess
from groups.service.media.upload_files import PREFIX, ROOM_BYTES, UploadFiles
from tests.api import Api
from tests.conftest import OpenApi
from tests.groups.test_media import an_image

FULL: Final = (507, "insufficient_storage")


class Disk(NamedTuple):
    """The operating system's answer about a disk."""

    total: int
    used: int
    free: int


def disks(monkeypatch: pytest.MonkeyPatch, **free: int) -> dict[str, int]:
    """The free bytes of places by their names; all other places have enough."""

    def usage(place: Path) -> Disk:
        left = free.get(Path(place).name, 1 << 50)
        return Disk(1 << 40, (1 << 40) - left, left)

    monkeypatch.setattr("groups.service.media.upload_files.shutil.disk_usage", usage)
    return free


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this process."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def files_in(place: Path) -> list[Path]:
    """All files below the place, and the folders of single uploads."""
    return [path for path in place.rglob("*") if path.parent != place or path.is_file()]


@pytest.fixture
async def server(temporary: Path, api: OpenApi) -> Api:
    return await api()


# --- room -------------------------------------------------------------------------------------------------------------


def test_an_upload_that_leaves_too_little_room_on_any_disk_is_refused(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    files = UploadFiles([data])
    for name in ("temporary", "data"):
        free = disks(monkeypatch, **{name: ROOM_BYTES + 10})
        files.check_room(10)
        with pytest.raises(InsufficientStorage):
            files.check_room(11)
        free[name] = ROOM_BYTES - 1
        with pytest.raises(InsufficientStorage):
            files.check_room(0)


def test_a_small_disk_keeps_a_part_free(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Disk(total=2000, used=1899, free=101)
    monkeypatch.setattr("groups.service.media.upload_files.shutil.disk_usage", lambda _: small)
    UploadFiles().check_room(1)
    with pytest.raises(InsufficientStorage):
        UploadFiles().check_room(2)


async def test_a_full_temporary_folder_refuses_uploads_until_there_is_room(
    server: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = server.new_user("ada")
    free = disks(monkeypatch, temporary=ROOM_BYTES + 100)
    assert (await ada.call("POST", "/v1/media", data=b"x" * 101)).refusal == FULL
    free["temporary"] += 1
    assert (await ada.call("POST", "/v1/media", data=b"x" * 101)).status == 201


async def test_a_disk_that_fills_up_ends_the_upload(
    server: Api, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = server.new_user("ada")
    free = disks(monkeypatch, temporary=1 << 40)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 70_000
        free["temporary"] = 0
        yield b"x" * 70_000

    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.http.post(f"{ada.base}/v1/media", data=pieces(), headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == FULL
    assert files_in(temporary) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["the folder", "the bytes"])
async def test_a_write_without_room_is_refused(
    server: Api, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    ada = server.new_user("ada")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    class FullFile(io.BytesIO):
        write = full

    name, what = {
        "the folder": ("groups.service.media.upload_files.tempfile.TemporaryDirectory", full),
        "the bytes": ("groups.service.media.upload_files.Path.open", lambda *_: FullFile()),
    }[where]
    data = an_image()
    with monkeypatch.context() as failing:
        failing.setattr(name, what)
        assert (await ada.call("POST", "/v1/media", data=data)).refusal == FULL
    assert (await ada.call("POST", "/v1/media", data=data)).status == 201


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_an_image_without_room_is_refused(
    server: Api, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    ada = server.new_user("ada")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    async def run(worker: WorkerProcess, job: Job) -> dict[str, Any]:
        return answer_to(job)  # in this process, where the library can be made to fail

    data = an_image()
    with monkeypatch.context() as failing:
        failing.setattr(WorkerProcess, "run", run)
        failing.setattr("PIL.Image.Image.save", full)
        assert (await ada.call("POST", "/v1/media", data=data)).refusal == FULL
    assert (await ada.call("POST", "/v1/media", data=data)).status == 201


def test_the_database_is_watched_where_it_is_on_this_machine(tmp_path: Path) -> None:
    embedded = Settings(data_dir=tmp_path)
    assert embedded.watched_disks == (tmp_path,)
    elsewhere = Settings(mongodb_uri="mongodb://elsewhere", data_dir=tmp_path)
    assert elsewhere.watched_disks == ()


def test_the_workers_of_an_embedded_database_watch_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Settings(data_dir=tmp_path).worker_environment("mongodb://127.0.0.1", 80)
    for name, value in environment.items():
        if name.startswith("CHANNELS_"):
            monkeypatch.setenv(name, value)
    assert Settings().watched_disks == (tmp_path,)


# --- leftovers --------------------------------------------------------------------------------------------------------

HOLDER: Final = """
import sys, time
from pathlib import Path
from groups.service.media.upload_files import UploadFiles

files = UploadFiles(parent=Path(sys.argv[1]))
with files.directory() as directory:
    (directory / "source").write_bytes(b"x" * 1000)
    print("holds", flush=True)
    time.sleep(600)
"""


def test_only_the_files_of_ended_processes_are_swept(
    tmp_path: Path,
) -> None:
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holds\n"
        files = UploadFiles(parent=tmp_path)
        assert files.sweep() == 0
        holders[0].send_signal(signal.SIGKILL)
        holders[0].wait()
        assert files.sweep() == 1
        [living] = tmp_path.glob(f"{PREFIX}*/*/source")
        assert living.stat().st_size == 1000
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            assert holder.stdout is not None
            holder.stdout.close()


def test_other_folders_with_the_prefix_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    place = tmp_path / "temporary"
    place.mkdir()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").write_text("")
    assert UploadFiles(parent=place).sweep() == 0
    assert (elsewhere / "kept").exists()


def test_a_deleted_folder_is_made_again(tmp_path: Path) -> None:
    files = UploadFiles(parent=tmp_path)
    with files.directory() as directory:
        (directory / "source").write_bytes(b"x")
    [own] = tmp_path.iterdir()
    shutil.rmtree(own)
    with files.directory() as directory:
        (directory / "source").write_bytes(b"x")
    files.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_server_sweeps_the_files_of_a_killed_one_and_its_own(
    temporary: Path, api: OpenApi
) -> None:
    left = temporary / f"{PREFIX}left" / "of-an-upload"
    left.mkdir(parents=True)
    (left / "source").write_bytes(b"x" * 1000)
    server = await api()
    async with asyncio.timeout(20):
        while left.exists():
            await asyncio.sleep(0.01)
    ada = server.new_user("ada")
    assert (await ada.call("POST", "/v1/media", data=b"x")).status == 201
    await server.stop()
    assert os.listdir(temporary) == []
