"""Announces polls that close by themselves, at their closing time: the last counts, for everybody who may read them.

It runs in every process, and each closing is announced once. There are no leases. All processes may try the same poll;
the transaction that takes its mark (`poll_closes_at`) and publishes the event succeeds in one of them, and the others
find no mark. A process that is killed has committed both or nothing; another process, or the next start, does the rest.

It sleeps until the next poll closes, `LOOK_SECONDS` at most, so a poll that is posted to close sooner may be announced
so much later. Where no poll has a closing time, a look is one query by an empty index.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from groups.kernel.background import cancel
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Tx, is_outage
from groups.models import group_in, message_key, poll_of
from groups.service.access.bulk import BulkAccess
from groups.service.write_locks import message_change_locks
from reactions.polls.service.polls import poll_changed
from reactions.service.engine import ReactionEngine

LOOK_SECONDS: Final = 5.0
AT_ONCE: Final = 100  # polls a look
RETRY_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class PollClosing:
    """The background task of this process."""

    engine: ReactionEngine
    access: BulkAccess
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Work in the background; on mongomock nothing closes by itself."""
        if self._task is None and self.engine.database.transactional:
            self._task = asyncio.create_task(self._run(), name="poll-closing")

    async def stop(self) -> None:
        """Stop immediately. What is not announced stays marked."""
        if self._task is not None:
            await cancel(self._task)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                pause = await self.announce_due()
            # Any failure may be temporary. A task that ended would never announce anything again.
            except Exception as error:
                if not is_outage(error):
                    log.exception("closed polls are not announced")
                pause = RETRY_SECONDS
            await asyncio.sleep(pause)

    async def announce_due(self) -> float:
        """Announce all polls that have closed. Returns in how many seconds to look again. Publishes: PollChanged."""
        failed: set[tuple[StreamId, int]] = set()
        while due := await self.engine.streams.list_closing_polls(AT_ONCE):
            if failed.issuperset(due):
                return RETRY_SECONDS
            for place in due:
                try:
                    await self._announce(*place)
                # Any error: a defect in one poll must not hold up the others.
                except Exception as error:
                    if is_outage(error):
                        raise
                    log.exception("the closed poll %s %d is not announced", *place)
                    failed.add(place)
        closes_at = await self.engine.streams.find_next_closing()
        if closes_at is None:
            return LOOK_SECONDS
        left = (closes_at - self.engine.clock.now()).total_seconds()
        return min(LOOK_SECONDS, max(0.0, left))

    async def _announce(self, stream_id: StreamId, seq: int) -> None:
        async def work(tx: Tx) -> None:
            now, group_id = self.engine.clock.now(), group_in(stream_id)
            message = await self.engine.streams.take_closed_poll(stream_id, seq, now, tx)
            poll = poll_of(message) if message is not None else None
            if message is None or poll is None or group_id is None:
                return
            # A vote that was cast in time is committed before, or runs again and is refused: these counts are the last.
            await self.engine.on_reactions_closed(stream_id, seq, tx)
            found = await self.access.find({group_id: [message.sender_id]}, tx)
            group = found.of_groups.result.get(group_id)
            # Those who watch must not learn of a private poll; nor is there anybody where the group is gone.
            if group is not None and seq > group.private_until_seq:
                tally = await self.engine.store.find_tally(message_key(stream_id, seq), tx)
                tx.publish(poll_changed(group, seq, poll, tally, now))

        await self.engine.database.run(work, *message_change_locks(stream_id, seq))
