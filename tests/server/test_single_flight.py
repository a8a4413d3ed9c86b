"""What many ask for at once: made once, kept for a while, bounded."""

import asyncio
import math

import pytest

from channels.console.assets import Asset
from channels.server.web import single_flight
from channels.server.web.single_flight import ASSETS_BYTES, CachedAssets, CachedValue
from groups.kernel.byte_cache import PARTS
from groups.kernel.errors import Unavailable


class Timer:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Maker:
    """Makes one number after the other, each once it is let."""

    def __init__(self) -> None:
        self.made = 0
        self.error: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def number(self) -> int:
        self.made += 1
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        return self.made

    async def asset(self) -> Asset:
        return an_asset(f"{await self.number()}".encode())


def an_asset(body: bytes) -> Asset:
    return Asset("text/plain", body, None, '"x"')


async def test_a_value_is_made_once_and_again_when_it_expires() -> None:
    maker, timer = Maker(), Timer()
    value = CachedValue(maker.number, 1.0, timer=timer)
    assert set(await asyncio.gather(*(value.get() for _ in range(1_000)))) == {1}
    timer.seconds = 0.999
    assert await value.get() == 1
    timer.seconds = 1.0
    assert set(await asyncio.gather(*(value.get() for _ in range(1_000)))) == {2}


async def test_how_long_it_took_to_make_a_value_does_not_make_it_old() -> None:
    maker, timer = Maker(), Timer()
    value = CachedValue(maker.number, 1.0, timer=timer)
    maker.may_go_on.clear()
    first = asyncio.create_task(value.get())
    await asyncio.sleep(0)
    timer.seconds = 30.0
    second = asyncio.create_task(value.get())
    await asyncio.sleep(0)
    maker.may_go_on.set()
    assert (await first, await second) == (1, 1)
    timer.seconds = 30.5
    assert await value.get() == 1


async def test_an_error_is_everyones_and_is_kept_like_a_value() -> None:
    maker, timer = Maker(), Timer()
    value = CachedValue(maker.number, 1.0, timer=timer)
    maker.error = Unavailable()
    told = await asyncio.gather(*(value.get() for _ in range(9)), return_exceptions=True)
    assert {type(each) for each in told} == {Unavailable}
    with pytest.raises(Unavailable):
        await value.get()
    assert maker.made == 1
    maker.error, timer.seconds = None, 1.0
    assert await value.get() == 2


async def test_a_caller_that_goes_away_cancels_nothing_for_others() -> None:
    maker = Maker()
    value = CachedValue(maker.number, math.inf)
    assets: CachedAssets[str] = CachedAssets(10)
    maker.may_go_on.clear()
    callers = [asyncio.create_task(value.get()) for _ in range(2)]
    readers = [asyncio.create_task(assets.get("a", maker.asset)) for _ in range(2)]
    await asyncio.sleep(0)
    callers[0].cancel()
    readers[0].cancel()
    await asyncio.sleep(0)
    maker.may_go_on.set()
    assert await callers[1] in {1, 2}
    assert (await readers[1]).body in {b"1", b"2"}
    assert maker.made == 2


async def test_an_asset_is_made_once_and_again_when_it_expires() -> None:
    maker, timer = Maker(), Timer()
    assets: CachedAssets[str] = CachedAssets(10.0, timer=timer)
    assert not assets.is_at_hand("a")
    told = await asyncio.gather(*(assets.get("a", maker.asset) for _ in range(100)))
    assert {asset.body for asset in told} == {b"1"}
    timer.seconds = 9.9
    assert assets.is_at_hand("a")
    assert (await assets.get("a", maker.asset)).body == b"1"
    timer.seconds = 10.0
    assert not assets.is_at_hand("a")
    assert (await assets.get("a", maker.asset)).body == b"2"


async def test_an_error_makes_no_asset_and_is_not_kept() -> None:
    maker = Maker()
    assets: CachedAssets[str] = CachedAssets(10.0)
    maker.error = Unavailable()
    asked = (assets.get("a", maker.asset) for _ in range(9))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in told} == {Unavailable}
    maker.error = None
    assert (await assets.get("a", maker.asset)).body == b"2"


async def test_assets_are_kept_up_to_so_many_bytes() -> None:
    assets: CachedAssets[int] = CachedAssets(10.0)
    size = ASSETS_BYTES // PARTS - 2_000  # and what stands around it

    async def large() -> Asset:
        return an_asset(b"x" * size)

    async def too_large() -> Asset:
        return an_asset(b"x" * (ASSETS_BYTES // PARTS + 1))

    for key in range(5):
        await assets.get(key, large)
    assert [assets.is_at_hand(key) for key in range(5)] == [False, True, True, True, True]
    await assets.get(5, too_large)
    assert not assets.is_at_hand(5)
    assert assets.is_at_hand(4)


async def test_so_many_assets_are_made_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_flight, "ASSETS_IN_WORK", 2)
    maker = Maker()
    assets: CachedAssets[int] = CachedAssets(10.0)
    maker.may_go_on.clear()
    under_way = [asyncio.create_task(assets.get(key, maker.asset)) for key in (1, 2, 2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await assets.get(3, maker.asset)
    maker.may_go_on.set()
    await asyncio.gather(*under_way)
    await assets.get(3, maker.asset)
