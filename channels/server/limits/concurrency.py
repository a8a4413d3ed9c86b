"""So many at once of each: sockets of an address, transfers of a user, public pages of an address."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from groups.kernel.errors import RateLimited


class ConcurrencyLimit:
    """At most `most` at once for each key; 0: as many as it likes. `what` is what they are, in words."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_of(self, key: str) -> Iterator[None]:
        """A place of this key, until the end.

        Raises: RateLimited where it has none left.
        """
        if self._most and self._taken[key] >= self._most:
            raise RateLimited(f"At most {self._most} {self._what} at once", retry_after_seconds=1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


@dataclass(slots=True)
class _Line:
    """The turns of one key: how many are under way, and who waits for one."""

    under_way: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """At most `at_once` at once for each key; the next ones wait in the order in which they came.

    At most `most_waiting` of one key wait; more are refused. `what` is what they are, in words.
    """

    def __init__(self, at_once: int, most_waiting: int, what: str) -> None:
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._what = what
        self._lines: dict[str, _Line] = {}

    async def next_of(self, key: str, *, is_bounded: bool = True) -> "Turn":
        """The key's next turn, once it has come; it lasts until `Turn.end`.

        `is_bounded` False is for those of which something else bounds how many there are. Raises: RateLimited where too
        many wait already.
        """
        line = self._lines.setdefault(key, _Line())
        if line.under_way < self._at_once:
            line.under_way += 1
            return Turn(self, key)
        if is_bounded and len(line.waiting) >= self._most_waiting:
            most = self._at_once + self._most_waiting
            raise RateLimited(f"At most {most} {self._what} at once", retry_after_seconds=1)
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self.end(key)
            raise
        return Turn(self, key)

    def end(self, key: str) -> None:
        """Hand the turn on to who waits longest; `Turn.end` calls it."""
        line = self._lines[key]
        while line.waiting:
            called = line.waiting.popleft()
            if not called.done():
                called.set_result(None)
                return
        line.under_way -= 1
        if not line.under_way:
            del self._lines[key]


class Turn:
    """One turn."""

    __slots__ = ("_has_ended", "_key", "_turns")

    def __init__(self, turns: Turns, key: str) -> None:
        self._turns = turns
        self._key = key
        self._has_ended = False

    def end(self) -> None:
        """Let the next one have its turn; again changes nothing."""
        if not self._has_ended:
            self._has_ended = True
            self._turns.end(self._key)
