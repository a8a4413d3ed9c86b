"""Turns: the processes that write one hot document commit one after the other, and not in each other's way.

A transaction that meets another process's conflicts with it and aborts, so its commands were for nothing; and while it
pauses before it tries again, the document is free. But every process reads every commit in the outbox, in one order,
with the process that made it and its lock keys. So all of them know whose turn is next on a contended key: of those
that committed lately, the one whose last commit is the oldest. It begins when it hears the commit before its own.
Meanwhile its callers gather, so each turn commits a batch of all that waits there.

Promises:
    Nothing is written or asked for it. A key without a conflict has no turns: no wait, no timer, no memory.
    Only a hint: whatever a process believes, the conflicts of the database decide, and every attempt may be made.
    Bounded: a process waits one slot for each of those before it: some times the usual time between two commits of the
    key, `LONGEST_SLOT_SECONDS` at most. One that does not use its turn, since it has nothing to write or was killed,
    or because we hear late, is not waited for again before we hear its next commit.
    Fair: a process that committed goes behind all others. One that begins to wait is behind those that committed
    lately, and before their next commits.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

CONTENDED_SECONDS: Final = 1.0
"""How long a key has turns after its last conflict, or after the last commit of another process that was heard."""
SHORTEST_SLOT_SECONDS: Final = 0.01
LONGEST_SLOT_SECONDS: Final = 0.15
MAX_CONTENDED: Final = 1_024
"""Keys of one process that have turns. With more, those without news for the longest time have none."""
_FIRST_GAP_SECONDS: Final = 0.02
_SLOT_GAPS: Final = 3.0
"""Slots of so many usual gaps: to wait too long costs once, when a process leaves; a conflict costs each time."""
_GAPS_AVERAGED: Final = 8


@dataclass(slots=True, eq=False)
class _Key:
    """What a process knows of a contended key."""

    until: float = 0.0
    """When it is forgotten, unless there is news."""
    order: list[str] = field(default_factory=list)
    """Processes, the one whose last commit is the oldest first. One that waits here is in it too."""
    heard: int = 0
    """Commits of other processes."""
    awaited: int = 0
    """The value of `heard` before which another attempt would meet the same transaction again."""
    awaited_since: float = 0.0
    last_commit: float = 0.0
    gap: float = _FIRST_GAP_SECONDS
    """Seconds between a commit and the next one, on average."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def slot(self) -> float:
        return min(LONGEST_SLOT_SECONDS, max(SHORTEST_SLOT_SECONDS, _SLOT_GAPS * self.gap))


class Turns:
    """The turns of one process on the contended keys of its database."""

    def __init__(self, process_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.process_id: Final = process_id
        self._clock = clock
        self._keys: dict[str, _Key] = {}  # those without news for the longest time first
        self._until = 0.0

    @property
    def is_any_contended(self) -> bool:
        """Whether there is a contended key, so that other processes' commits are to be heard soon."""
        return self._clock() < self._until

    def are_contended(self, keys: Sequence[str]) -> bool:
        """Whether one of the keys is contended: its transactions wait for turns, and should be about nothing else."""
        return self.is_any_contended and any(self._find(key) is not None for key in keys)

    def heard_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many commits of other processes were heard for each key; `conflicted` asks for it."""
        return {key: known.heard for key in keys if (known := self._find(key)) is not None}

    def conflicted(self, keys: Sequence[str], heard_before: Mapping[str, int]) -> None:
        """Note that a transaction on these keys conflicted. `heard_before` is `heard_of` as it began."""
        for key in keys:
            known = self._find(key)
            if known is None:
                if len(self._keys) >= MAX_CONTENDED:
                    del self._keys[next(iter(self._keys))]
                known = self._keys[key] = _Key()
            self._renew(key, known)
            known.awaited = heard_before.get(key, 0) + 1
            known.awaited_since = self._clock()

    def committed(self, keys: Sequence[str]) -> None:
        """Note that this process committed a transaction on these keys."""
        for key in keys:
            known = self._find(key)
            if known is not None:
                self._note(known, self.process_id)

    def heard(self, process_id: str, keys: Sequence[str]) -> None:
        """Note a transaction that the outbox shows, of this process or another."""
        # Its own commits are noted as soon as they are made.
        if process_id == self.process_id:
            return
        for key in keys:
            known = self._find(key)
            if known is None:
                continue
            known.heard += 1
            passed = self._clock() - known.last_commit
            if passed < LONGEST_SLOT_SECONDS:  # otherwise somebody had nothing to write
                known.gap += (passed - known.gap) / _GAPS_AVERAGED
            self._note(known, process_id)
            self._renew(key, known)
            known.news.set()

    async def wait(self, keys: Sequence[str]) -> None:
        """Wait until it is this process's turn on each of the keys; at once where none of them is contended."""
        for key in keys:
            known = self._find(key)
            if known is not None:
                await self._wait(known)

    def _find(self, key: str) -> _Key | None:
        known = self._keys.get(key)
        if known is not None and self._clock() >= known.until:
            del self._keys[key]
            return None
        return known

    def _renew(self, key: str, known: _Key) -> None:
        known.until = self._until = self._clock() + CONTENDED_SECONDS
        self._keys[key] = self._keys.pop(key)

    def _note(self, known: _Key, process_id: str) -> None:
        """A commit of this process: it goes behind all others."""
        known.last_commit = self._clock()
        order = known.order
        if process_id in order:
            # Those before it did not use their turns, but for this process: it knows itself whether it still wants one.
            place = order.index(process_id)
            order[: place + 1] = [self.process_id] if self.process_id in order[:place] else []
        order.append(process_id)

    async def _wait(self, known: _Key) -> None:
        if self.process_id not in known.order:
            known.order.append(self.process_id)
        # Processes that do not know of each other yet must not try again in step.
        patience = random.uniform(0.75, 1.25)
        while (left := self._deadline(known, patience) - self._clock()) > 0:
            known.news.clear()
            try:
                async with asyncio.timeout(left):
                    await known.news.wait()
            except TimeoutError:
                break
        if self.process_id in known.order:
            del known.order[: known.order.index(self.process_id)]
        known.awaited = 0

    def _deadline(self, known: _Key, patience: float) -> float:
        """When this process tries, though it heard nothing more; a past instant where it is its turn."""
        deadline = 0.0
        before = known.order.index(self.process_id)
        if before:
            deadline = known.last_commit + known.slot * before * patience
        if known.heard < known.awaited:
            deadline = max(deadline, known.awaited_since + known.slot * patience)
        return deadline
