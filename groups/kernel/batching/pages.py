"""Page batching: readers of pages who ask at the same time share commands, of one page and of different ones.

A command costs the driver half a millisecond of CPU, and the database as long. So one command reads pages of many
channels, for many readers of each. It is `RequestBatcher`, whose promises hold here too, for keys of two parts: what
is read once for all readers of a page, and what is each reader's own.

Promises beside those:
    Side by side: where many pages wait, two commands are under way at once, each for other pages. So answers are made
    of the one while the database works on the other.
    Together: while a page is read, its further readers wait for the next command, and then share it.
    Bounded: a command is for at most `max_pages` pages of about `MAX_BYTES` together, and for readers of at most
    `max_weight`; `max_commands` are under way. Where even such an answer is too large (`AnswerTooLarge`), two commands
    for half as much follow, and so on.
    Independent: a command that fails has failed for its own callers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, Generic, TypeVar

from groups.kernel.batching.window import fill_batch
from groups.kernel.errors import AnswerTooLarge

P = TypeVar("P", bound=Hashable)
R = TypeVar("R", bound=Hashable)
V = TypeVar("V")

MAX_CALLERS: Final = 1_000
"""A batch that has so many stays open no longer."""
MAX_PAGES: Final = 32
"""Of a command. With twice as many, a page takes 10 % less CPU, and all callers wait for the same command again."""
LEAST_PAGES: Final = 16
"""Of a command beside another one. With half as many, a page takes 20 % more CPU."""
MAX_BYTES: Final = 8 * 2**20
"""Of the pages of a command, by what is known of them: half of the largest answer."""
MAX_COMMANDS: Final = 2

Wanted = Mapping[P, Sequence[R]]
"""The readers of each page that is to be read."""
Found = Mapping[P, Mapping[R, V]]
"""What each reader of each page has there."""


@dataclass(slots=True, eq=False)
class PageBatcher(Generic[P, R, V]):
    """Finds what each reader of a page has there, with a function that does so for several pages.

    `weight_of` tells what one reader of the page weighs, `bytes_of` about how large the page is without its readers.
    """

    read_pages: Callable[[Wanted[P, R]], Awaitable[Found[P, R, V]]]
    _: KW_ONLY
    weight_of: Callable[[P], int] = lambda _: 1
    bytes_of: Callable[[P], int] = lambda _: 0
    max_weight: int
    max_pages: int = MAX_PAGES
    least_pages: int = LEAST_PAGES
    max_commands: int = MAX_COMMANDS
    _waiting: dict[P, dict[R, list[asyncio.Future[V | None]]]] = field(
        default_factory=dict, init=False
    )
    _callers: int = field(default=0, init=False)
    _busy: set[P] = field(default_factory=set, init=False)
    _commands: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _starter: asyncio.Task[None] | None = field(default=None, init=False)

    def find(self, page: P, reader: R) -> Awaitable[V | None]:
        """What this reader has on the page, or None. The reading begins at once; its error is raised to its callers."""
        self._callers += 1
        # A future for each caller, so that a caller which goes away cancels only its own.
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(page, {}).setdefault(reader, []).append(future)
        self._start()
        return future

    def _start(self) -> None:
        if self._starter is None and self._is_due():
            self._starter = asyncio.create_task(self._start_commands(), name="batched-pages")

    def _is_due(self) -> bool:
        """Whether a command should begin: at once where none is under way, beside another one for many pages."""
        if not self._commands:
            return bool(self._waiting)
        return (
            len(self._commands) < self.max_commands
            and len(self._waiting) >= self.least_pages
            and len(self._ready()) >= self.least_pages
        )

    def _ready(self) -> list[P]:
        return [page for page in self._waiting if page not in self._busy]

    async def _start_commands(self) -> None:
        try:
            while self._is_due():
                await fill_batch(lambda: self._callers, MAX_CALLERS)
                self._callers = 0
                for batch in self._take(self.max_commands - len(self._commands)):
                    self._busy.update(batch)
                    task = asyncio.create_task(self._run(batch), name="read-pages")
                    self._commands.add(task)
        finally:
            # No await between the last look at what waits and this line, so no caller is left behind.
            self._starter = None

    def _take(self, most: int) -> list["_Batch[P, R, V]"]:
        """The readers of the pages that waited longest, in at most so many commands of about the same size."""
        ready = self._ready()
        # Shared out, so that the commands take about as long as each other; few pages stay together.
        share = -(-len(ready) // most)
        per_command = min(self.max_pages, max(share, self.least_pages))
        batches: list[_Batch[P, R, V]] = []
        batch: _Batch[P, R, V] = {}
        room, bytes_left = self.max_weight, MAX_BYTES
        for page in ready:
            readers, weight = self._waiting[page], max(1, self.weight_of(page))
            size = self.bytes_of(page)
            while readers:
                is_full = len(batch) == per_command or room < weight or bytes_left < size
                if batch and is_full:
                    batches.append(batch)
                    batch, room, bytes_left = {}, self.max_weight, MAX_BYTES
                    if len(batches) == most:
                        return batches
                number = max(1, min(len(readers), room // weight))
                batch[page] = {reader: readers.pop(reader) for reader in [*readers][:number]}
                room -= number * weight
                bytes_left -= size
            del self._waiting[page]
        if batch:
            batches.append(batch)
        return batches

    async def _run(self, batch: "_Batch[P, R, V]") -> None:
        task = asyncio.current_task()
        try:
            await self._answer(batch)
        finally:
            self._busy.difference_update(batch)
            if task is not None:
                self._commands.discard(task)
            self._start()

    async def _answer(self, batch: "_Batch[P, R, V]") -> None:
        try:
            found = await self.read_pages({page: list(readers) for page, readers in batch.items()})
        except AnswerTooLarge as error:
            # These readers have more on the pages than the estimate allows for; half as many may fit.
            halves = _halves_of(batch)
            if halves is None:
                _fail(batch, error)
                return
            for half in halves:
                await self._answer(half)
        # Any error is the result for these callers; the next ones get a command of their own.
        except Exception as error:
            _fail(batch, error)
        except asyncio.CancelledError:
            # The server stops in the middle of a command: no caller may be left waiting for it.
            for future in _all_of(batch):
                future.cancel()
            raise
        else:
            for page, readers in batch.items():
                of_page = found.get(page, {})
                for reader, futures in readers.items():
                    value = of_page.get(reader)
                    for future in futures:
                        if not future.done():
                            future.set_result(value)


def each_page(
    read_page: Callable[[P, Sequence[R]], Awaitable[Mapping[R, V]]],
) -> Callable[[Wanted[P, R]], Awaitable[Found[P, R, V]]]:
    """Read each page with a command of its own, side by side: where one for all would read more than is wanted."""

    async def read_pages(wanted: Wanted[P, R]) -> Found[P, R, V]:
        found = await asyncio.gather(*(read_page(*each) for each in wanted.items()))
        return dict(zip(wanted, found, strict=True))

    return read_pages


_Batch = dict[P, dict[R, list[asyncio.Future[V | None]]]]
"""The callers that a command answers, by page and reader."""


def _halves_of(batch: _Batch[P, R, V]) -> tuple[_Batch[P, R, V], _Batch[P, R, V]] | None:
    """Half of the pages each, or half of the only page's readers; None where there is one reader."""
    pages = list(batch.items())
    if len(pages) > 1:
        half = len(pages) // 2
        return dict(pages[:half]), dict(pages[half:])
    [(page, readers)] = pages
    if len(readers) == 1:
        return None
    callers, half = list(readers.items()), len(readers) // 2
    return {page: dict(callers[:half])}, {page: dict(callers[half:])}


def _all_of(batch: _Batch[P, R, V]) -> Iterator[asyncio.Future[V | None]]:
    return (
        future for readers in batch.values() for futures in readers.values() for future in futures
    )


def _fail(batch: _Batch[P, R, V], error: Exception) -> None:
    for future in _all_of(batch):
        if not future.done():
            future.set_exception(error)
            future.exception()  # retrieved, since the caller may have failed with another one
