"""How long a batch stays open for more callers."""

import asyncio

import pytest

from groups.kernel.batching import window
from groups.kernel.batching.window import CROWD, QUIET_TURNS, fill_batch


class Crowd:
    """Callers, with one more at each turn of the loop, up to `last`."""

    def __init__(self, last: int) -> None:
        self.here, self._last = 1, last
        self._come()

    def _come(self) -> None:
        if self.here < self._last:
            self.here += 1
            asyncio.get_running_loop().call_soon(self._come)

    def count(self) -> int:
        return self.here


async def turns(waiting: asyncio.Task[None]) -> int:
    taken = 0
    while not waiting.done():
        await asyncio.sleep(0)
        taken += 1
    return taken


async def test_a_lone_caller_waits_for_one_turn_of_the_loop() -> None:
    waiting = asyncio.create_task(fill_batch(lambda: 1, max_size=100))
    assert await turns(waiting) <= 2


async def test_a_batch_stays_open_while_callers_come() -> None:
    crowd = Crowd(last=20)
    await fill_batch(crowd.count, max_size=100)
    assert crowd.here == 20


@pytest.mark.parametrize(("here", "waits"), [(CROWD, False), (CROWD + 1, True)])
async def test_a_crowd_waits_some_turns_for_more_callers_and_a_few_do_not(
    here: int, *, waits: bool
) -> None:
    present = [here]
    waiting = asyncio.create_task(fill_batch(lambda: present[0], max_size=100))
    for _ in range(QUIET_TURNS - 1):
        await asyncio.sleep(0)
    present[0] += 1
    assert waiting.done() is not waits
    assert await turns(waiting) <= QUIET_TURNS + 1


async def test_a_full_batch_waits_for_nobody() -> None:
    crowd = Crowd(last=20)
    await fill_batch(crowd.count, max_size=5)
    assert 5 <= crowd.here <= 6
    before = crowd.here
    await fill_batch(crowd.count, max_size=5)
    assert crowd.here == before


async def test_a_batch_closes_when_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "PATIENCE_SECONDS", 0.0)
    crowd = Crowd(last=1_000)
    await fill_batch(crowd.count, max_size=10_000)
    assert crowd.here < 10
