"""Deletes who reported what, once the case is resolved: in the background, in steps, and resumed after a crash.

Between a resolution and the end of this work some reports are left. They are of a resolved case, so nothing counts or
shows them; a new report by the same user replaces theirs.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from channels.reports.store import CaseStore, ReportStore
from groups.kernel.background import cancel, repeat
from groups.kernel.mongo import Database, Tx, is_outage

STEP: Final = 1_000  # documents a transaction
LOOK_SECONDS: Final = 60.0
"""How often to look for cases whose process died."""
LOOKED_AT: Final = 100  # cases at once

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class ReportClearing:
    """The background work of this process. Several processes may clear the same case at once."""

    database: Database
    cases: CaseStore
    reports: ReportStore
    _tasks: dict[str, asyncio.Task[None]] = field(init=False, default_factory=dict)
    _looking: asyncio.Task[None] | None = field(init=False, default=None)

    def start(self, case_id: str) -> None:
        """Clear the resolved case in the background."""
        if case_id not in self._tasks:
            task = asyncio.create_task(self._clear(case_id), name="clear-reports")
            self._tasks[case_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(case_id))

    async def resume(self) -> None:
        """Continue what stopped processes left, now and from now on."""
        await self._start_left()
        self._looking = self._looking or asyncio.create_task(
            repeat(self._start_left, LOOK_SECONDS), name="clear-reports-look"
        )

    async def _start_left(self) -> None:
        for case_id in await self.cases.list_uncleared(LOOKED_AT):
            self.start(case_id)

    async def _clear(self, case_id: str) -> None:
        async def step(tx: Tx) -> int:
            return await self.reports.delete_some(case_id, STEP, tx)

        try:
            while await self.database.run(step):
                pass
            await self.cases.mark_cleared(case_id)
        # Any error: `_start_left` goes on later.
        except Exception as error:
            if not is_outage(error):
                log.exception("cannot clear the reports of a case")

    async def wait(self) -> None:
        """Return when nothing is being cleared (tests, graceful stop)."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.sleep(0)  # the callbacks that forget the tasks run now

    async def close(self) -> None:
        """Stop, also in the middle of a case; the next start resumes."""
        if self._looking is not None:
            await cancel(self._looking)
        await cancel(*self._tasks.values())
        await self.wait()
