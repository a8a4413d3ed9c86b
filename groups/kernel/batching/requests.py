"""Request batching: callers that read at the same time share one query.

A command costs the driver half a millisecond of CPU, so 256 callers that each read one document cost an eighth of a
second, and together one command. It is the idea of group commit, for reads.

Promises:
    An idle reader reads at once: there is no timer, and a lone caller waits for nobody.
    Fresh: a query is sent after every call that it answers, so a caller sees everything that was committed before its
    call.
    Independent: a caller that goes away cancels no other caller's read.
    Fair: when more keys wait than fit into one query, the first callers are answered first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, Generic, TypeVar

from groups.kernel.batching.window import fill_batch

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_Waiting = dict[K, list[asyncio.Future[V | None]]]
"""The callers that wait, by key."""

MAX_KEYS: Final = 1_000  # of one query, where a key finds one document


@dataclass(slots=True, eq=False)
class RequestBatcher(Generic[K, V]):
    """Finds values by single keys with a function that finds many, at most `max_keys` at a time."""

    read_many: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]
    max_keys: int = MAX_KEYS
    _waiting: _Waiting[K, V] = field(default_factory=dict, init=False)
    _callers: int = field(default=0, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def find(self, key: K) -> Awaitable[V | None]:
        """The value of the key, or None. The read begins at once, and its error is raised to all of its callers."""
        self._callers += 1
        # A future for each caller, so that a caller which goes away cancels only its own.
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        callers = self._waiting.get(key)
        if callers is None:
            self._waiting[key] = [future]
            if self._task is None:
                self._task = asyncio.create_task(self._read(), name="batched-read")
        else:
            callers.append(future)
        return future

    async def _read(self) -> None:
        try:
            while self._waiting:
                await fill_batch(lambda: self._callers, self.max_keys)
                # The keys that waited longest: under load the others would be too many for one query, each time.
                self._callers = 0
                batch = dict(islice(self._waiting.items(), self.max_keys))
                for key in batch:
                    del self._waiting[key]
                await self._answer(batch)
        finally:
            # No await between the last look at `_waiting` and this line, so no caller is left behind.
            self._task = None

    async def _answer(self, batch: _Waiting[K, V]) -> None:
        try:
            found = await self.read_many(batch.keys())
        # Any error is the result for these callers; the next ones get a query of their own.
        except Exception as error:
            for future in _all_of(batch):
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # retrieved, since the caller may have failed with another one
        except asyncio.CancelledError:
            # The server stops in the middle of a query: no caller may be left waiting for it.
            for future in _all_of(batch):
                future.cancel()
            raise
        else:
            for key, callers in batch.items():
                value = found.get(key)
                for future in callers:
                    if not future.done():
                        future.set_result(value)


def _all_of(batch: _Waiting[K, V]) -> Iterator[asyncio.Future[V | None]]:
    return chain.from_iterable(batch.values())
