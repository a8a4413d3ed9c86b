"""Runs the deletions of users in the background, on one process at a time for each.

Promises:
    A killed process loses nothing: the next one goes on where the lease ends, by the step and the position that are
    stored after each page.
    Gentle: after each page it pauses as long as the page took. So it takes half of a core of the database at most.
    Nothing that lagged behind writes the id after the end: the last round over all places found nothing (`steps`).
    At the end the record, the event `user.deleted` and the loss of the id are one transaction.
"""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import uuid4

from channels.user_data.events import UserDeleted
from channels.user_data.limits import RECORD_DAYS
from channels.user_data.models import Deletion, DeletionState
from channels.user_data.service.deletion import UserDeletions
from channels.user_data.service.steps import DeletionSteps
from channels.user_data.store.deletions import DeletionStore
from groups.errors import OwnerCannotLeave
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Tx, is_outage

LOOK_SECONDS: Final = 60.0
"""The longest time between two looks for deletions; a new one wakes the worker at once."""
LEASE_SECONDS: Final = 60.0
SHORTEST_PAUSE: Final = 0.005
AT_ONCE: Final = 20

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True, eq=False)
class DeletionWorker:
    """The background task of this process."""

    database: Database
    deletions: DeletionStore
    known: UserDeletions
    steps: DeletionSteps
    clock: Clock
    _holder: str = field(default_factory=lambda: uuid4().hex, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def start(self) -> None:
        """Begin, or go on where another process ended; on mongomock nothing runs."""
        if self.database.transactional:
            self._task = self._task or asyncio.create_task(self._run(), name="user-deletions")

    async def close(self) -> None:
        """Stop in the middle; another process, or the next start, goes on once the lease ends."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    def wake(self) -> None:
        """Look for deletions now."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.run_all()
            # Any failure may be temporary; the work is stored, and the next look goes on.
            except Exception as error:
                if not is_outage(error):
                    log.exception("deleting users failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)

    async def run_all(self) -> None:
        """Do all deletions that no other process does, one after the other."""
        for deletion in await self.deletions.list_open(AT_ONCE):
            if not await self._delete(deletion.digest):
                await self.deletions.release(deletion.digest, self._holder)

    async def _delete(self, digest: str) -> bool:
        """Go on with a deletion until it is done; False where it is blocked, or another process has it."""
        while True:
            now = self.clock.now()
            until = now + timedelta(seconds=LEASE_SECONDS)
            deletion = await self.deletions.lease(digest, self._holder, now, until)
            if deletion is None:
                return True
            if deletion.progress.step >= self.steps.needed(deletion.progress):
                await self._finish(deletion)
                return True
            began = time.monotonic()
            try:
                progress = await self.steps.run(deletion)
            except OwnerCannotLeave:
                # They came to own a group after the deletion was asked for.
                await self.deletions.advance(
                    digest, self._holder, deletion.progress, DeletionState.BLOCKED
                )
                return False
            if not await self.deletions.advance(
                digest, self._holder, progress, DeletionState.RUNNING
            ):
                return True
            if progress.after:
                await asyncio.sleep(max(SHORTEST_PAUSE, time.monotonic() - began))

    async def _finish(self, deletion: Deletion) -> None:
        user_id = deletion.user_id
        assert user_id is not None, "it is not done"

        async def work(tx: Tx) -> None:
            now = self.clock.now()
            expires_at = now + timedelta(days=RECORD_DAYS)
            if await self.deletions.finish(deletion.digest, self._holder, now, expires_at, tx):
                tx.publish(UserDeleted(at=now, user_id=user_id))

        await self.database.run(work)
        progress = deletion.progress
        log.info("deleted a user: %s documents", progress.changed)
        if not self.steps.is_clean(progress):
            log.warning(
                "others wrote to a user all through their deletion, so documents may hold the id:"
                " see `channels verify`, and delete the user again"
            )
