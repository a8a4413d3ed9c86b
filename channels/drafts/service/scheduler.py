"""Publishes scheduled drafts when they are due. It runs in every process, and publishes each draft once.

There are no leases. All processes may try the same draft; the transaction that removes and posts it succeeds in one of
them, and the others find no draft. Every process submits the drafts of a channel in the order in which they became due,
so this order is kept whichever process succeeds. A process that is killed has committed all of a draft or nothing;
other processes, or the next start, publish the rest.

It sleeps until the next draft is due. Events on the bus announce earlier ones soon after their commit. In case an event
is lost, it also looks every `LOOK_SECONDS`.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from channels.drafts.errors import DraftNotFound
from channels.drafts.models import Draft, Failure
from channels.drafts.service.drafts import DraftService
from channels.drafts.store import DraftStore
from channels.events import DraftScheduled
from groups.errors import GroupNotFound, PostingNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, IdempotencyConflict, RateLimited, Unready
from groups.kernel.events import Event
from groups.kernel.mongo import is_outage

AT_ONCE: Final = 500  # due drafts read at a time
LOOK_SECONDS: Final = 60.0  # the longest sleep
RETRY_SECONDS: Final = 1.0  # after a rate limit or a failure of the database

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Scheduler:
    """The background task of this process."""

    drafts: DraftService
    store: DraftStore
    clock: Clock
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _next: datetime | None = field(default=None, init=False)
    """When it wakes up for a draft; None while it works, or if nothing is scheduled."""

    def start(self) -> None:
        self._task = self._task or asyncio.create_task(self._run(), name="scheduler")

    async def stop(self) -> None:
        """Stop immediately. Unpublished drafts stay due."""
        if self._task is not None:
            await cancel(self._task)

    def wake(self) -> None:
        self._wake.set()

    def on_events(self, events: Sequence[Event]) -> None:
        """Wake up if a draft is due earlier than the next known one."""
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
            # Any failure may be temporary. A task that ended would never publish anything again.
            except Exception as error:
                if not is_outage(error):
                    log.exception("publishing due drafts failed")
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def publish_due(self) -> float:
        """Publish all drafts that are due. Returns in how many seconds to look again."""
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
        """Publish the draft, or store why it failed. Returns False if it stays due."""
        author = Actor(draft.author_id, is_app_admin=draft.by_app)
        now = self.clock.now()
        try:
            _, took = await self.drafts.post(author, draft.channel_id, draft.draft_id, due_by=now)
            if not took:
                # Either another process published it, and this finds no draft; or the draft's key was used by another
                # user's post, and the draft must neither be lost nor tried forever.
                await self._fail(draft, IdempotencyConflict(), now)
        except DraftNotFound:
            return True  # another process published it, or it was changed or deleted
        except (RateLimited, Unready):
            return False
        except GroupNotFound:
            # Authors who left a private channel cannot see it. If the channel was deleted, this finds no draft.
            await self._fail(draft, PostingNotAllowed(), now)
        except DomainError as refusal:
            await self._fail(draft, refusal, now)
        return True

    async def _fail(self, draft: Draft, refusal: DomainError, now: datetime) -> None:
        # After a crash before this write the draft is still due, and fails again at the next attempt.
        failure = Failure(code=refusal.code, detail=refusal.detail, at=now)
        if await self.store.record_failure(draft, failure):
            log.info("draft %s of %s failed: %s", draft.draft_id, draft.channel_id, refusal.code)
