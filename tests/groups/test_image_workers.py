"""Image workers: started when needed, isolated, replaced when they die, shared fairly, ended with the server."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from groups.errors import BadMedia
from groups.images.job import Budget, Job
from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.service.media.image_workers import (
    FairQueue,
    ImageWorkers,
    WorkerEnded,
    WorkerProcess,
)

ADA, BOB, CID = UserId("ada"), UserId("bob"), UserId("cid")
ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 30.0
PLENTY: Final = 10**10
ANYTHING: Final = Budget(*[PLENTY] * 8)
PNG: Final = "image/png"


@pytest.fixture
async def workers() -> AsyncIterator[ImageWorkers]:
    made = ImageWorkers(GroupLimits())
    yield made
    await made.close()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    Image.new("RGB", (30, 20), "red").save(path, "PNG")
    return path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that takes seconds to redraw."""
    path = tmp_path_factory.mktemp("images") / "slow"
    Image.effect_noise((5000, 5000), 90).save(path, "PNG", compress_level=1)
    return path


def job(source: Path, seconds: float = 20.0) -> Job:
    return Job(str(source), "PNG", f"{source}.drawn", {"thumb": 32}, ANYTHING, seconds)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while is_running(pid):
            await asyncio.sleep(0.02)


def ticks_of(pid: int) -> int:
    """The processor time of the process, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])


def files_of(pid: int) -> set[str]:
    """The open files of the process, by number."""
    return {each.name for each in Path(f"/proc/{pid}/fd").iterdir()}


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def until_busy(worker: WorkerProcess) -> int:
    """The worker's process, once it computes."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if worker.pid is not None and ticks_of(worker.pid) > 30:
                return worker.pid
            await asyncio.sleep(0.02)


# --- processes --------------------------------------------------------------------------------------------------------


async def test_no_worker_runs_before_the_first_image(workers: ImageWorkers, small: Path) -> None:
    assert (workers.ordinary.worker.pid, workers.large.worker.pid) == (None, None)
    image = await workers.redraw(ADA, small, PNG, small.with_name("drawn"))
    assert (image.width, image.height) == (30, 20)
    assert all(path.exists() for path in (image.path, *image.smaller.values()))
    assert workers.ordinary.worker.pid is not None
    assert workers.large.worker.pid is None


async def test_closing_waits_for_a_process_that_is_just_ending(small: Path) -> None:
    worker = WorkerProcess(10**9, 10**9, idle_seconds=0)
    await worker.run(job(small))
    process = worker._process
    assert process is not None
    while not worker._is_ending:
        await asyncio.sleep(0)
    await worker.close()
    assert process.returncode is not None


async def test_a_worker_keeps_its_process_and_ends_when_it_is_idle(small: Path) -> None:
    worker = WorkerProcess(10**9, 10**9, idle_seconds=0.5)
    await worker.run(job(small))
    first = worker.pid
    await worker.run(job(small))
    assert worker.pid == first
    assert first is not None
    await until_gone(first)
    assert (await worker.run(job(small)))["width"] == 30
    await worker.close()


async def test_a_worker_that_is_killed_between_images_is_replaced(
    workers: ImageWorkers, small: Path
) -> None:
    for _ in range(3):
        await workers.redraw(ADA, small, PNG, small.with_name("drawn"))
        pid = workers.ordinary.worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert workers.large.worker.pid is None


async def test_an_image_survives_the_death_of_its_worker(workers: ImageWorkers, slow: Path) -> None:
    drawing = asyncio.create_task(workers.redraw(ADA, slow, PNG, slow.with_name("drawn")))
    os.kill(await until_busy(workers.large.worker), signal.SIGKILL)
    assert (await drawing).width == 5000
    assert workers.deaths == 1


async def test_an_image_that_ends_every_worker_is_refused(
    workers: ImageWorkers, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(job: Job) -> dict[str, object]:
        raise WorkerEnded(-signal.SIGSEGV)

    monkeypatch.setattr(workers.ordinary.worker, "run", die)
    monkeypatch.setattr(workers.large.worker, "run", die)
    with pytest.raises(BadMedia):
        await workers.redraw(ADA, small, PNG, small.with_name("drawn"))


async def test_a_worker_ends_itself_when_an_image_takes_too_long(slow: Path, small: Path) -> None:
    worker = WorkerProcess(10**9, 10**9)
    with pytest.raises(WorkerEnded) as ended:
        await worker.run(job(slow, seconds=0.2))
    assert ended.value.is_late
    assert (await worker.run(job(small)))["width"] == 30
    await worker.close()


async def test_an_image_whose_caller_went_away_is_given_up(slow: Path, small: Path) -> None:
    worker = WorkerProcess(10**9, 10**9)
    drawing = asyncio.create_task(worker.run(job(slow)))
    pid = await until_busy(worker)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert not is_running(pid)
    assert (await worker.run(job(small)))["width"] == 30, "not the answer to the other one"
    await worker.close()


async def test_nothing_is_drawn_after_close(workers: ImageWorkers, small: Path) -> None:
    await workers.redraw(ADA, small, PNG, small.with_name("drawn"))
    pid = workers.ordinary.worker.pid
    await workers.close()
    assert pid is not None
    assert not is_running(pid)
    with pytest.raises(Unavailable):
        await workers.redraw(ADA, small, PNG, small.with_name("drawn"))


async def test_a_worker_has_no_file_socket_or_secret_of_the_server(
    workers: ImageWorkers, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANNELS_SECRET", "hidden")
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1")
    with small.open("rb"):
        await workers.redraw(ADA, small, PNG, small.with_name("drawn"))
        pid = workers.ordinary.worker.pid
        assert pid is not None
        assert files_of(pid) == {"0", "1", "2"}
        assert b"hidden" not in environment_of(pid)
        assert os.getsid(pid) != os.getsid(0), "Ctrl-C is for the server alone"
    server.close()
    await server.wait_closed()


SERVER: Final = """
import asyncio, sys
from pathlib import Path
from groups.limits import GroupLimits
from groups.service.media.image_workers import ImageWorkers

async def main():
    workers = ImageWorkers(GroupLimits())
    small, slow = map(Path, sys.argv[1:])
    await workers.redraw("ada", small, "image/png", small.with_name("a"))
    drawing = asyncio.create_task(workers.redraw("ada", slow, "image/png", slow.with_name("b")))
    while workers.large.worker.pid is None:
        await asyncio.sleep(0.01)
    print(workers.ordinary.worker.pid, workers.large.worker.pid, flush=True)
    await drawing

asyncio.run(main())
"""


async def test_no_worker_outlives_a_killed_server(small: Path, slow: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        str(small),
        str(slow),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    pids = list(map(int, (await server.stdout.readline()).split()))
    assert len(pids) == 2
    assert all(map(is_running, pids))
    server.kill()
    await server.wait()
    for pid in pids:
        await until_gone(pid)


def test_a_worker_loads_nothing_of_ours_but_drawing() -> None:
    code = "import sys, groups.images.worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"pydantic", "motor", "aiohttp", "asyncio", "groups.service"} & set(loaded)


# --- turns ------------------------------------------------------------------------------------------------------------


async def turns_of(queue: FairQueue, users: list[UserId]) -> list[UserId]:
    """The order in which users get turns; they came in the order of `users`, while the first held the turn."""
    order: list[UserId] = []

    async def take(user_id: UserId) -> None:
        async with queue.turn(user_id):
            order.append(user_id)
            await asyncio.sleep(0)

    tasks = []
    for user_id in users:
        tasks.append(asyncio.create_task(take(user_id)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return order


async def test_a_user_waits_for_one_image_of_another_user_at_most() -> None:
    held = asyncio.Event()
    queue = FairQueue()

    async def first() -> None:
        async with queue.turn(ADA):
            await held.wait()

    holder = asyncio.create_task(first())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(turns_of(queue, [ADA] * 9 + [BOB, CID, BOB]))
    await asyncio.sleep(0.05)
    held.set()
    await holder
    assert await waiting == [BOB, CID, ADA, BOB, *[ADA] * 8]


async def test_one_user_s_slow_images_do_not_delay_another_s(
    workers: ImageWorkers, slow: Path, small: Path
) -> None:
    slow_ones = [
        asyncio.create_task(workers.redraw(ADA, slow, PNG, slow.with_name(f"drawn{n}")))
        for n in range(5)
    ]
    await until_busy(workers.large.worker)
    await workers.redraw(BOB, small, PNG, small.with_name("drawn"))
    assert not any(task.done() for task in slow_ones)
    # A large image waits for the one that is being drawn, and for no other.
    await workers.redraw(BOB, slow, PNG, slow.with_name("drawn"))
    assert sum(task.done() for task in slow_ones) <= 2
    for task in slow_ones:
        task.cancel()
    await asyncio.gather(*slow_ones, return_exceptions=True)


async def test_the_queue_is_bounded() -> None:
    queue = FairQueue(max_waiting=2)
    async with queue.turn(ADA):
        waiting = [asyncio.create_task(turns_of(queue, [each])) for each in (ADA, BOB)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            async with queue.turn(CID):
                pass
    assert await asyncio.gather(*waiting) == [[ADA], [BOB]]
    assert await turns_of(queue, [CID]) == [CID]


async def test_a_wait_has_a_time_limit() -> None:
    queue = FairQueue(timeout_seconds=0.01)
    async with queue.turn(ADA):
        with pytest.raises(Unavailable):
            async with queue.turn(BOB):
                pass
    assert await turns_of(queue, [BOB]) == [BOB]


async def test_a_cancelled_wait_loses_no_turn() -> None:
    queue = FairQueue()
    async with queue.turn(ADA):
        gone = [asyncio.create_task(turns_of(queue, [BOB])) for _ in range(3)]
        stays = asyncio.create_task(turns_of(queue, [CID]))
        await asyncio.sleep(0.01)
        gone[0].cancel()
    # The second waiter has the turn now, or is about to get it; it is cancelled too.
    gone[1].cancel()
    await asyncio.sleep(0)
    gone[2].cancel()
    assert await asyncio.wait_for(stays, PATIENCE) == [CID]
    assert await asyncio.wait_for(turns_of(queue, [ADA, BOB]), PATIENCE) == [ADA, BOB]
    await asyncio.gather(*gone, return_exceptions=True)
