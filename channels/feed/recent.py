"""The newest events of the log, read and rendered once for all readers of this process.

Promises:
    Shared: a hundred readers at the end of the log cost one query for each look, and one rendering for each event.
    Free: while nobody waits for events, nothing is read, after `LINGER_SECONDS`.
    Bounded: `KEPT_BYTES` of JSON. A reader who is further behind reads from the database.
"""

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from channels.event_views.public import wants_types
from channels.feed.limits import KEPT_BYTES, LINGER_SECONDS, MOST_READ, TICK_SECONDS
from channels.feed.models import KNOWN_TYPES, FeedItem, FeedPosition, end_after, items_of, rendered
from groups.kernel.background import cancel
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import end_of
from groups.kernel.mongo import is_outage

_MOST_EVENTS: Final = 250
_FAILED_SECONDS: Final = 1.0  # after a read failed
_MOST_BEHIND: Final = 2_000
"""Transactions that are read after a pause. After a longer one, the process begins anew at the end of the log."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class RecentEvents:
    """All events of the transactions after number `start` up to `end`."""

    event_log: EventLog
    start: int = 0
    end: int = 0
    _items: list[FeedItem] = field(default_factory=list, init=False)
    _bytes: int = field(default=0, init=False)
    _readers: int = field(default=0, init=False)
    _left_at: float = field(default=0.0, init=False)
    _grown: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    is_closed: bool = field(default=False, init=False)
    """Whether the process stops, so that nobody should wait any more."""

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Keep the newest events while the block runs."""
        self._readers += 1
        if self._task is None and not self.is_closed:
            self._task = asyncio.create_task(self._follow(), name="recent-events")
        try:
            yield
        finally:
            self._readers -= 1
            self._left_at = time.monotonic()

    def after(self, position: FeedPosition) -> list[FeedItem] | None:
        """The events after a position that are here; None where some of the next ones are not."""
        if self._task is None or not self.start < position.next_number <= self.end + 1:
            return None
        return self._items[bisect_right(self._items, position, key=lambda item: item.position) :]

    async def wait_beyond(self, number: int, seconds: float) -> None:
        """Return when events after this transaction may be readable, when the process stops, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.is_closed and self.start <= number and self.end <= number:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self._grown.wait(), left)
            except TimeoutError:
                return

    async def close(self) -> None:
        """Stop, and let everybody who waits go on."""
        self.is_closed = True
        self._grow()
        if self._task is not None:
            await cancel(self._task)

    async def _follow(self) -> None:
        try:
            head = await self._until_read()
            if not self.end <= head <= self.end + _MOST_BEHIND:
                self._begin_at(head)
            self._grow()
            while self._readers or time.monotonic() - self._left_at < LINGER_SECONDS:
                try:
                    if await self._read():
                        continue
                # Any error: the readers wait longer, and the next read may succeed.
                except Exception as error:
                    if not is_outage(error):
                        log.exception("the newest events cannot be read")
                    await asyncio.sleep(_FAILED_SECONDS)
                    continue
                await self.event_log.head.wait_beyond(self.end, TICK_SECONDS)
        finally:
            self._task = None

    async def _until_read(self) -> int:
        while True:
            try:
                return await self.event_log.head.read()
            # Any error: as in `_follow`.
            except Exception as error:
                if not is_outage(error):
                    log.exception("the end of the log cannot be read")
                await asyncio.sleep(_FAILED_SECONDS)

    async def _read(self) -> bool:
        """Read the next events. Returns whether more may follow at once."""
        kinds = wants_types(tuple(KNOWN_TYPES))
        after = end_after(self.end)
        page = await self.event_log.read(
            end_of(self.end),
            lambda event_type, _: event_type in kinds,
            most_read=MOST_READ,
            most_events=_MOST_EVENTS,
        )
        if page.lost:
            # Readers find out from the database what they have lost.
            self._begin_at(await self.event_log.head.read())
            self._grow()
            return False
        number = page.end.number
        # Whole transactions only: one that the page has cut comes with the next page.
        end = number if page.end == end_of(number) else number - 1
        if end == self.end < number:
            # It is larger than a page, so readers read it by themselves.
            self._begin_at(number)
        else:
            items: list[FeedItem] = []
            size = 0
            async for item in rendered(items_of(page.entries, after)):
                if item.position.number <= end:
                    items.append(item)
                    size += len(item.json)
            # All at once, since readers look at them during the pauses.
            self._items += items
            self._bytes += size
            self.end = end
            self._trim()
        if self.end > after.number:
            self._grow()
        return page.is_full

    def _begin_at(self, number: int) -> None:
        self.start = self.end = number
        self._items.clear()
        self._bytes = 0

    def _trim(self) -> None:
        count = 0
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._items[count].json)
            count += 1
        if count:
            # The rest of a transaction whose first events are gone goes too.
            self.start = self._items[count - 1].position.number
            while count < len(self._items) and self._items[count].position.number == self.start:
                self._bytes -= len(self._items[count].json)
                count += 1
            del self._items[:count]

    def _grow(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
