"""Indexes for search, in the background, what versions without a search have stored.

New messages, edits and deletions need none of it: their terms are stored with them.

Promises:
    Resumable: how far it is, is stored with each step, in one transaction. A process that dies leaves its lease, which
    another one takes after `LEASE_SECONDS`.
    One process at a time, and gentle: a step of `STEP` messages, then a pause.
    Once: when all are indexed, that is stored, and nothing runs any more.

Processes of the older version that still run meanwhile store messages without terms; `channels verify --repair` adds
these.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from groups.kernel.background import PeriodicTask
from groups.kernel.mongo import Database
from groups.store.message_search import IndexState, MessageSearchStore

STEP: Final = 200
"""Messages a transaction: a change of one of them meanwhile repeats the step."""
PAUSE_SECONDS: Final = 0.02
LOOK_SECONDS: Final = 5.0
"""Between two looks whether there is something to do, and how far another process is."""
LEASE_SECONDS: Final = 30.0
STEPS_A_LEASE: Final = 100


@dataclass(kw_only=True, slots=True, eq=False)
class SearchIndexing:
    """Indexes in one process of those that run; all of them know how far it is."""

    database: Database
    store: MessageSearchStore
    step: int = STEP
    look_seconds: float = LOOK_SECONDS
    _state: IndexState | None = field(default=None, init=False)
    _holder: str = field(default_factory=lambda: uuid4().hex, init=False)
    _task: PeriodicTask = field(init=False)

    def __post_init__(self) -> None:
        self._task = PeriodicTask(self.run, self.look_seconds, name="search-indexing")

    @property
    def progress(self) -> float:
        """The share of the messages that are indexed, as far as this process knows: from 0 to 1, which is all."""
        state = self._state
        if not self.database.transactional or (state is not None and state.is_complete):
            return 1.0
        if state is None:
            return 0.0
        # Messages that came later are indexed already, so there may be more than there were.
        return min(0.99, state.done / max(1, state.total))

    async def start(self) -> None:
        """Begin, or go on where it ended, unless all is indexed; on mongomock there is nothing older."""
        if not self.database.transactional:
            return
        self._state = await self.store.find_state()
        if self._state is None:
            await self.store.begin()
            self._state = await self.store.find_state()
        if self.progress < 1.0:
            self._task.start()

    async def close(self) -> None:
        """Stop; the next start goes on."""
        await self._task.stop()

    async def run(self) -> None:
        """Index all that is left, unless another process does; the periodic task calls it."""
        if self.progress == 1.0:
            return
        while await self.store.lease(self._holder, LEASE_SECONDS):
            for _ in range(STEPS_A_LEASE):
                more = await self.database.run(
                    lambda tx: self.store.index_some(self._holder, self.step, tx)
                )
                self._state = await self.store.find_state()
                if not more:
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        self._state = await self.store.find_state()
