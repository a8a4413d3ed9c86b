"""The delay of what is not found: the instant of the answer says nothing of how long the search took."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

import channels.server.web.not_found_delay
from channels.server.web.not_found_delay import NotFoundDelay
from groups.kernel.errors import NotFound

HOURS = (1_000.0, 1_000.0003, 77.123456, 12_345.678901)


class Missing(NotFound):
    code = "missing"
    summary = "Nothing"


class Time:
    """A clock that moves when somebody works or sleeps."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        # As event loops do: whole milliseconds, from the millisecond that has begun.
        self.seconds = (math.floor(self.seconds * 1000) + round(seconds * 1000)) / 1000


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    def begin(seconds: float) -> Time:
        time = Time(seconds)
        monkeypatch.setattr(
            channels.server.web.not_found_delay, "asyncio", SimpleNamespace(sleep=time.sleep)
        )
        return time

    return begin


async def answered_at(time: Time, work: float, *, is_batch: bool) -> float:
    async def search() -> list[str]:
        time.seconds += work
        if is_batch:
            return ["missing"]
        raise Missing

    not_found_delay = NotFoundDelay(0.02, timer=time)
    try:
        await not_found_delay.apply(search(), is_not_found=lambda answer: "missing" in answer)
    except Missing:
        assert not is_batch
    return time.seconds


@pytest.mark.parametrize("is_batch", [False, True])
@pytest.mark.parametrize("began", HOURS)
async def test_whatever_is_not_found_is_answered_at_the_same_instant(
    at: Any, began: float, is_batch: bool
) -> None:
    works = [0.0001, 0.0006, 0.0017, 0.00749, 0.0124, 0.0182, 0.019]
    instants = {await answered_at(at(began), work, is_batch=is_batch) for work in works}
    assert len(instants) == 1
    (instant,) = instants
    assert 0.019 - 1e-9 < instant - began < 0.02 + 1e-9


async def test_a_search_that_took_longer_is_answered_at_a_multiple(at: Any) -> None:
    took = [
        round(await answered_at(at(1_000.0), work, is_batch=False) - 1_000.0, 6)
        for work in (0.0201, 0.031, 0.0391, 0.0404, 0.2001)
    ]
    assert took == [0.04, 0.04, 0.04, 0.06, 0.22]


async def test_found_resources_are_not_delayed(at: Any) -> None:
    time = at(1_000.0)

    async def search() -> list[str]:
        time.seconds += 0.003
        return ["found"]

    not_found_delay = NotFoundDelay(0.02, timer=time)
    assert await not_found_delay.apply(
        search(), is_not_found=lambda answer: "missing" in answer
    ) == ["found"]
    assert time.seconds == 1_000.003


async def test_a_delayed_call_releases_its_slot_first(at: Any) -> None:
    time = at(1_000.0)
    left_at: list[float] = []

    async def search() -> None:
        raise Missing

    with pytest.raises(Missing):
        await NotFoundDelay(0.02, timer=time).apply(search(), lambda: left_at.append(time.seconds))
    assert left_at == [1_000.0]
