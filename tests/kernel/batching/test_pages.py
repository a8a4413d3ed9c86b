"""Readers of pages share commands, of one page and of many, and do not notice."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from groups.kernel.batching.pages import LEAST_PAGES, MAX_BYTES, MAX_PAGES, PageBatcher
from groups.kernel.errors import AnswerTooLarge


class Library:
    """Reads pages behind a gate, and records the readers of each command."""

    def __init__(self) -> None:
        self.asked: list[dict[str, int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = ""
        self.heavy = 0
        """A reader who has five times as much as others; an answer has room for five."""

    async def read_pages(self, wanted: Mapping[str, Sequence[int]]) -> dict[str, dict[int, str]]:
        self.asked.append({page: len(readers) for page, readers in wanted.items()})
        await self.gate.wait()
        if self.broken in wanted:
            raise ConnectionError("away")
        if self.heavy:
            readers = [reader for each in wanted.values() for reader in each]
            if sum(5 if reader == self.heavy else 1 for reader in readers) > 5:
                raise AnswerTooLarge
        return {
            page: {reader: f"{page}{reader}" for reader in readers if reader}
            for page, readers in wanted.items()
        }

    def batcher(self, **bounds: int) -> PageBatcher[str, int, str]:
        # What a reader of the page weighs is the length of its name.
        return PageBatcher(
            self.read_pages,
            weight_of=len,
            bytes_of=lambda page: MAX_BYTES // 2 if page.startswith("large") else 0,
            **{"max_weight": 100} | bounds,
        )

    async def begun(self, commands: int) -> None:
        """Wait until so many commands were sent, and as long again for one too many."""
        while len(self.asked) < commands:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)


async def found(batcher: PageBatcher[str, int, str], *wanted: tuple[str, int]) -> list[Any]:
    finding = (asyncio.ensure_future(batcher.find(*one)) for one in wanted)
    return await asyncio.gather(*finding, return_exceptions=True)


async def test_a_lone_reader_gets_a_command_at_once() -> None:
    library = Library()
    batcher = library.batcher()
    assert await found(batcher, ("a", 1)) == ["a1"]
    assert await found(batcher, ("a", 0)) == [None]
    assert library.asked == [{"a": 1}, {"a": 1}]


async def test_readers_of_different_pages_share_a_command() -> None:
    library = Library()
    wanted = [(page, reader) for page in "abc" for reader in (1, 2, 2)]
    assert await found(library.batcher(), *wanted) == [f"{page}{n}" for page, n in wanted]
    assert library.asked == [{"a": 2, "b": 2, "c": 2}]


@pytest.mark.parametrize(
    ("pages", "commands"),
    [
        (LEAST_PAGES, [LEAST_PAGES]),
        (LEAST_PAGES + 2, [LEAST_PAGES, 2]),
        (2 * LEAST_PAGES + 2, [LEAST_PAGES + 1] * 2),
        (2 * MAX_PAGES + 5, [MAX_PAGES, MAX_PAGES, 5]),
    ],
)
async def test_many_pages_are_shared_out_to_commands_of_bounded_size(
    pages: int, commands: list[int]
) -> None:
    library = Library()
    wanted = [(f"{number}", 1) for number in range(pages)]
    assert await found(library.batcher(max_weight=1_000), *wanted) == [f"{p}1" for p, _ in wanted]
    assert [len(pages) for pages in library.asked] == commands


async def test_a_command_is_for_readers_of_a_bounded_weight() -> None:
    library = Library()
    wanted = [("long", reader) for reader in range(1, 5)]
    wanted += [("s", reader) for reader in range(1, 9)]
    assert await found(library.batcher(max_weight=12), *wanted) == [f"{p}{n}" for p, n in wanted]
    assert library.asked == [{"long": 3}, {"long": 1, "s": 8}]


async def test_a_command_is_for_pages_of_bounded_size_whatever_the_number_of_their_readers() -> (
    None
):
    library = Library()
    wanted = [(f"large{place}", reader) for place in range(3) for reader in (1, 2, 3)]
    assert await found(library.batcher(), *wanted) == [f"{page}{n}" for page, n in wanted]
    assert library.asked == [{"large0": 3, "large1": 3}, {"large2": 3}]


async def test_a_reader_who_weighs_more_than_a_command_gets_one_alone() -> None:
    library = Library()
    wanted = [("a very long one", 1), ("a very long one", 2)]
    assert await found(library.batcher(max_weight=4), *wanted) == [f"{p}{n}" for p, n in wanted]
    assert library.asked == [{"a very long one": 1}] * 2


async def test_few_other_pages_wait_for_a_command_that_runs_and_share_the_next_one() -> None:
    library = Library()
    batcher = library.batcher()
    library.gate.clear()
    waiting = [asyncio.ensure_future(found(batcher, ("a", 1)))]
    await library.begun(1)
    waiting += [asyncio.ensure_future(found(batcher, (page, 1))) for page in "bac"]
    await asyncio.sleep(0)
    library.gate.set()
    assert await asyncio.gather(*waiting) == [["a1"], ["b1"], ["a1"], ["c1"]]
    assert library.asked == [{"a": 1}, {"b": 1, "a": 1, "c": 1}]


async def test_many_other_pages_are_read_beside_it_and_its_own_pages_afterwards() -> None:
    library = Library()
    batcher = library.batcher(least_pages=1)
    library.gate.clear()
    waiting = [asyncio.ensure_future(found(batcher, ("a", 1)))]
    await library.begun(1)
    for one in (("a", 2), ("a", 3), ("b", 1)):
        waiting.append(asyncio.ensure_future(found(batcher, one)))
    await library.begun(2)
    assert library.asked == [{"a": 1}, {"b": 1}]
    library.gate.set()
    assert await asyncio.gather(*waiting) == [["a1"], ["a2"], ["a3"], ["b1"]]
    assert library.asked == [{"a": 1}, {"b": 1}, {"a": 2}]


async def test_a_bounded_number_of_commands_runs_and_the_longest_waiting_page_comes_next() -> None:
    library = Library()
    batcher = library.batcher(max_commands=2, least_pages=1)
    library.gate.clear()
    waiting = []
    for number, page in enumerate("abcdef", 1):
        waiting.append(asyncio.ensure_future(found(batcher, (page, 1))))
        await library.begun(min(number, 2))
    assert library.asked == [{"a": 1}, {"b": 1}]
    library.gate.set()
    assert await asyncio.gather(*waiting) == [[f"{page}1"] for page in "abcdef"]
    assert library.asked[2:] == [{"c": 1, "d": 1}, {"e": 1, "f": 1}]


async def test_a_failed_command_fails_its_own_callers_and_no_others() -> None:
    library = Library()
    batcher = library.batcher(max_pages=1, least_pages=1)
    library.broken = "b"
    first, second, third = await found(batcher, ("a", 1), ("b", 1), ("c", 1))
    assert (first, type(second), third) == ("a1", ConnectionError, "c1")
    library.broken = ""
    assert await found(batcher, ("b", 1)) == ["b1"]


async def test_a_caller_that_goes_away_cancels_no_other() -> None:
    library = Library()
    batcher = library.batcher()
    library.gate.clear()
    gone = asyncio.ensure_future(batcher.find("a", 1))
    stays = asyncio.ensure_future(batcher.find("a", 1))
    await library.begun(1)
    gone.cancel()
    library.gate.set()
    assert await stays == "a1"


async def test_a_cancelled_command_leaves_nobody_waiting() -> None:
    library = Library()
    batcher = library.batcher()
    library.gate.clear()
    waiting = asyncio.ensure_future(batcher.find("a", 1))
    await library.begun(1)
    (command,) = [task for task in asyncio.all_tasks() if task.get_name() == "read-pages"]
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)
    library.gate.set()
    assert await found(batcher, ("a", 2)) == ["a2"]


async def test_pages_whose_answer_is_too_large_are_read_by_halves_and_so_are_their_readers() -> (
    None
):
    library = Library()
    library.heavy = 6
    wanted = [("p", reader) for reader in range(1, 8)] + [("q", 1), ("r", 2)]
    assert await found(library.batcher(), *wanted) == [f"{page}{n}" for page, n in wanted]
    # All; the first page, its first three readers, and its last four; then the others.
    assert library.asked == [
        {"p": 7, "q": 1, "r": 1},
        {"p": 7},
        {"p": 3},
        {"p": 4},
        {"p": 2},
        {"p": 2},
        {"p": 1},
        {"p": 1},
        {"q": 1, "r": 1},
    ]


async def test_an_answer_too_large_for_one_reader_is_raised_to_them_alone() -> None:
    async def read_pages(wanted: Mapping[str, Sequence[int]]) -> dict[str, dict[int, str]]:
        if 1 in wanted.get("p", ()):
            raise AnswerTooLarge
        return {page: dict.fromkeys(readers, page) for page, readers in wanted.items()}

    batcher: PageBatcher[str, int, str] = PageBatcher(
        read_pages, weight_of=len, bytes_of=lambda _: 0, max_weight=100
    )
    first, *others = await found(batcher, ("p", 1), ("p", 2), ("q", 1))
    assert (type(first), others) == (AnswerTooLarge, ["p", "q"])
