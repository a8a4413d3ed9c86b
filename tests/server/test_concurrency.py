"""Turns: so many of one key at once, the others in the order in which they came."""

import asyncio

import pytest

from channels.server.limits.concurrency import QueuedLimit
from groups.kernel.errors import RateLimited


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_have_their_turn_at_once_and_the_others_in_order() -> None:
    turns = QueuedLimit(2, 10, "pages")
    served: list[int] = []

    async def come(number: int) -> None:
        turn = await turns.enter("ada")
        served.append(number)
        await go_on[number].wait()
        turn.end()
        turn.end()

    go_on = [asyncio.Event() for _ in range(5)]
    tasks = [asyncio.create_task(come(number)) for number in range(5)]
    await settled()
    assert served == [0, 1]
    (await turns.enter("bob")).end()
    go_on[1].set()
    await settled()
    assert served == [0, 1, 2], "ended twice, and that gave one turn"
    for event in go_on:
        event.set()
    await asyncio.gather(*tasks)
    assert served == [0, 1, 2, 3, 4]
    assert turns.is_idle, "nothing is kept of who is gone"


async def test_so_many_wait_and_the_next_one_is_refused() -> None:
    turns = QueuedLimit(1, 2, "pages")
    first = await turns.enter("ada")
    waiting = [asyncio.create_task(turns.enter("ada")) for _ in range(2)]
    await settled()
    with pytest.raises(RateLimited):
        await turns.enter("ada")
    first.end()
    (await waiting[0]).end()
    (await waiting[1]).end()
    (await turns.enter("ada")).end()


async def test_a_turn_of_who_went_away_is_the_next_ones() -> None:
    turns = QueuedLimit(1, 3, "pages")
    first = await turns.enter("ada")
    gone, called, last = [asyncio.create_task(turns.enter("ada")) for _ in range(3)]
    await settled()
    gone.cancel()
    await settled()
    first.end()
    called.cancel()  # after it was called, and before it could run
    (await asyncio.wait_for(last, 5)).end()
    assert turns.is_idle


async def test_the_pieces_of_files_are_read_in_turn_whoever_else_waits() -> None:
    turns = QueuedLimit(1, 0, "files")
    first = await turns.enter("ada")
    with pytest.raises(RateLimited):
        await turns.enter("ada")
    piece = asyncio.create_task(turns.enter("ada", is_bounded=False))
    await settled()
    assert not piece.done()
    first.end()
    (await piece).end()
