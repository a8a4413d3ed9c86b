"""Reads that meet: many callers who ask at once share one query.

The driver's command costs half a millisecond of CPU, so 256 callers who each look up one document cost an eighth of a
second; gathered, one command. The same idea as group commit, for reads.

Promises:
    An idle reader reads at once: there is no timer, a lone caller waits for nobody.
    Fresh: a query is sent after every call that it answers, so a caller sees all that was committed before it asked.
    Neighbours are safe: a caller that goes away cancels nobody's read.
    Fair: when more wait than one query may ask for, those who came first are answered first.
"""

import asyncio
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from itertools import chain, islice
from typing import Final, Generic, TypeVar

from groups.kernel.batch_window import fill_batch
from groups.kernel.errors import AnswerTooLarge

K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Hashable)
R = TypeVar("R", bound=Hashable)
V = TypeVar("V")

_Waiting = dict[K, list[asyncio.Future[V | None]]]
"""Who waits for what."""

MAX_KEYS: Final = 1_000  # keys a query, where a key finds one document


class RequestBatcher(Generic[K, V]):
    """Looks up single keys by a function that looks up many, at most `max_keys` at a time."""

    def __init__(
        self,
        read_many: Callable[[Collection[K]], Awaitable[Mapping[K, V]]],
        *,
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._read_many = read_many
        self._max_keys = max_keys
        self._waiting: _Waiting[K, V] = {}
        self._came = 0
        self._task: asyncio.Task[None] | None = None

    def _callers(self) -> int:
        return self._came  # also those who ask for what others ask for already

    def find(self, key: K) -> Awaitable[V | None]:
        """What is stored under the key, or None. The reading begins whether the answer is awaited or not.

        Raises: what the reading function raises, to all whom the query would have answered.
        """
        self._came += 1
        # A future each: whoever goes away cancels his own.
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        callers = self._waiting.get(key)
        if callers is None:
            self._waiting[key] = [future]
            if self._task is None:
                self._task = asyncio.create_task(self._read(), name="coalesced-read")
        else:
            callers.append(future)
        return future

    async def _read(self) -> None:
        try:
            while self._waiting:
                await fill_batch(self._callers, self._max_keys)
                # Those who waited longest: under load the others are too many for one query, each time.
                self._came = 0
                batch = dict(islice(self._waiting.items(), self._max_keys))
                for key in batch:
                    del self._waiting[key]
                await self._answer(batch)
        finally:
            # No await between the last look and this line, so no caller is left behind.
            self._task = None

    async def _answer(self, batch: _Waiting[K, V]) -> None:
        try:
            found = await self._read_many(batch.keys())
        # Whatever it is, it is the answer to these callers; the next ones get a query of their own.
        except Exception as error:
            for future in _all_of(batch):
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # looked at: the caller may have failed on another one
        except asyncio.CancelledError:
            # The server stops in the middle of a query: nobody may be left waiting for it.
            for future in _all_of(batch):
                future.cancel()
            raise
        else:
            for key, callers in batch.items():
                value = found.get(key)
                for future in callers:
                    if not future.done():
                        future.set_result(value)


class PageBatcher(Generic[P, R, V]):
    """Finds what each reader of a page has there, by a function that does so for many readers of one page.

    A query a page: all pages together would ask for every reader's share of every page. And one for so many readers at
    most as `readers_a_query` says, since what a query answers is one document of limited size. Where even that is too
    large (`AnswerTooLarge`), half as many are asked for, and so on.
    """

    def __init__(
        self,
        read_page: Callable[[P, Sequence[R]], Awaitable[Mapping[R, V]]],
        *,
        readers_a_query: Callable[[P], int],
    ) -> None:
        self._read_page = read_page
        self._readers_a_query = readers_a_query
        self._reader = RequestBatcher(self._read)

    def find(self, page: P, reader: R) -> Awaitable[V | None]:
        """As `RequestBatcher.find`, of what this reader has on the page."""
        return self._reader.find((page, reader))

    async def _read(self, wanted: Collection[tuple[P, R]]) -> dict[tuple[P, R], V]:
        readers_of: dict[P, list[R]] = {}
        for page, reader in wanted:
            readers_of.setdefault(page, []).append(reader)
        queries: list[tuple[P, list[R]]] = []
        for page, readers in readers_of.items():
            most = self._readers_a_query(page)
            queries += [(page, readers[at : at + most]) for at in range(0, len(readers), most)]
        answers = await asyncio.gather(*(self._read_some(*query) for query in queries))
        return {
            (page, reader): value
            for (page, _), answer in zip(queries, answers, strict=True)
            for reader, value in answer.items()
        }

    async def _read_some(self, page: P, readers: Sequence[R]) -> Mapping[R, V]:
        try:
            return await self._read_page(page, readers)
        except AnswerTooLarge:
            # Readers who have more on this page than readers have elsewhere: half as many may fit.
            if len(readers) == 1:
                raise
        half = len(readers) // 2
        first = await self._read_some(page, readers[:half])
        return {**first, **await self._read_some(page, readers[half:])}


def _all_of(batch: _Waiting[K, V]) -> Iterator[asyncio.Future[V | None]]:
    return chain.from_iterable(batch.values())
