"""Publishes scheduled drafts at their hour, in every process at once, each once.

There is no lease to lose: all processes may try the same draft, and the transaction that takes it out of its place and
posts it is won by one; to the others it is gone. Those of one channel are handed to its lane in the order in which they
became due, by every process, so whichever wins keeps that order. A process killed at any point has committed the whole
or nothing, and what is due stays due for the others, or for the next start.

It sleeps until the next one is due. Of earlier ones that any process schedules it hears through the bus, moments after
the commit; should that be lost, it looks once in `LOOK_SECONDS`.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from channels.drafts.errors import DraftNotFound
from channels.drafts.events import DraftScheduled
from channels.drafts.models import Draft, Failure
from channels.drafts.service.publishing import DraftPublishing
from channels.drafts.store import DraftStore
from groups.errors import GroupNotFound, PostingNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, IdempotencyConflict, RateLimited, Unavailable
from groups.kernel.events import Event
from groups.kernel.mongo import is_outage

AT_ONCE: Final = 500  # drafts that are due, read in one go
LOOK_SECONDS: Final = 60.0  # the longest sleep
RETRY_SECONDS: Final = 1.0  # when the posting rate or the database stands in the way

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Scheduler:
    """The background work of this process."""

    publishing: DraftPublishing
    store: DraftStore
    clock: Clock
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _next: datetime | None = field(default=None, init=False)
    """When it wakes up for a draft; None while it works, or if nothing is scheduled."""

    def start(self) -> None:
        """Publish what is due, from now on."""
        self._task = self._task or asyncio.create_task(self._run(), name="scheduler")

    async def stop(self) -> None:
        """Stop in the middle; what is due stays due."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    def on_events(self, events: Sequence[Event]) -> None:
        """Look again when something is due before what it sleeps for."""
        for event in events:
            if isinstance(event, DraftScheduled) and (
                self._next is None or event.due_at < self._next
            ):
                self.wake()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            self._next = None
            try:
                pause = await self.publish_due()
            # Whatever it was, the next look may succeed; one that ended for good would publish nothing any more.
            except Exception as error:
                if not is_outage(error):
                    log.exception("cannot publish what is due")
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def publish_due(self) -> float:
        """Publish all that is due; in how many seconds to look again."""
        tried: set[tuple[str, str, int]] = set()
        while due := await self.store.list_due_drafts(self.clock.now(), AT_ONCE):
            keys = {(draft.channel_id, draft.draft_id, draft.version) for draft in due}
            if keys <= tried:
                return RETRY_SECONDS
            tried |= keys
            settled = await asyncio.gather(*(self._publish(draft) for draft in due))
            if not all(settled):
                return RETRY_SECONDS
        self._next = await self.store.find_next_due()
        if self._next is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.0, (self._next - self.clock.now()).total_seconds()))

    async def _publish(self, draft: Draft) -> bool:
        """Publish the draft, or note why not; False: it stays due."""
        author = Actor(draft.author_id, is_app_admin=draft.by_app)
        now = self.clock.now()
        try:
            _, took = await self.publishing.post(
                author, draft.channel_id, draft.draft_id, due_by=now
            )
            if not took:
                # Out already, by another process, and this finds nothing; or a draft that came back under a key that
                # somebody else's post had used, which must neither be lost nor tried for ever.
                await self._fail(draft, IdempotencyConflict(), now)
        except DraftNotFound:
            return True  # another process was first, or it was changed or thrown away
        except (RateLimited, Unavailable):
            return False
        except GroupNotFound:
            # To an author who left a private channel it does not exist. If there is none any more, this finds nothing.
            await self._fail(draft, PostingNotAllowed(), now)
        except DomainError as refusal:
            await self._fail(draft, refusal, now)
        return True

    async def _fail(self, draft: Draft, refusal: DomainError, now: datetime) -> None:
        # A crash before this leaves it due, and the next look refuses it again.
        failure = Failure(code=refusal.code, detail=refusal.detail, at=now)
        if await self.store.record_failure(draft, failure):
            log.info("draft %s of %s failed: %s", draft.draft_id, draft.channel_id, refusal.code)
