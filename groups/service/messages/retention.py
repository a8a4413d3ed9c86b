"""The end of messages: after the days that their group or the deployment keeps them.

A message is stored with the instant at which it ends. A sweep of every process finds those that have ended, hides them
and deletes them with all that belongs to them: uploads, reactions, comments, pins, views. A TTL index of the database
deletes a day later what no process has ended, so that nothing stays longer where no server runs.

Promises:
    Seqs stay dense: new messages go on counting, and `ended_seq` of the stream says up to which seq messages may be
    missing. In groups nobody sees any of those (`policy.history_floor`), whatever is still there.
    A step is one transaction for some messages of one stream; what a crash leaves is found again by the next sweep, of
    any process. Two processes at once conflict, and one of them finds nothing left to do.
    A message with many reactions ends in several steps: hidden in the first, deleted in the last.
    A new setting gets to the messages that are there in the background (`redate_some`), in steps, from the position
    that the group's document has.
    Where nothing ends, a sweep costs two queries by empty indexes, and posts, pages and joins cost nothing.

A process that starts compares the setting of the deployment with the one by which each stream is dated, and gives
their messages new times where it is another one (`redate_all`). That reads every stream once where there is a setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from groups.kernel.background import PeriodicTask
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import group_in, stream_of
from groups.service.hooks import Hooks
from groups.service.media.service import media_ids_of
from groups.service.messages.posting import kept_days
from groups.service.write_locks import stream_lock
from groups.store.groups import GroupStore
from groups.store.media import MediaStore
from groups.store.messages import MessageStore
from groups.store.streams import StreamStore

SWEEP_SECONDS: Final = 30.0
ENDED_AT_ONCE: Final = 200
"""Messages that a look finds; those of one stream share a transaction."""
REDATED_AT_ONCE: Final = 1_000
GROUPS_A_LOOK: Final = 100
STREAMS_A_LOOK: Final = 1_000


@dataclass(kw_only=True, slots=True)
class RetentionService:
    """Ends messages, and gives them another time to end at."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    messages: MessageStore
    media: MediaStore
    hooks: Hooks
    limits: GroupLimits
    clock: Clock
    _is_dated: bool = field(init=False, default=False)
    """This process knows that all messages end by the setting of the deployment."""

    async def sweep(self) -> int:
        """Give messages their new times, and end what has ended; returns how many were deleted. Idempotent."""
        if not self._is_dated:
            await self.redate_all()
            self._is_dated = True
        while await self.redate_some():
            pass
        deleted = 0
        while ended := await self.messages.list_ended(self.clock.now(), ENDED_AT_ONCE):
            of_streams: dict[StreamId, list[int]] = {}
            for stream_id, seq in ended:
                of_streams.setdefault(stream_id, []).append(seq)
            for stream_id, seqs in of_streams.items():
                deleted += await self._end(stream_id, seqs)
        return deleted

    async def redate_all(self) -> None:
        """Make messages of all streams end by the setting of the deployment. Idempotent; a crash leaves the rest.

        Streams that are dated by it already are left out.
        """
        days, after, has_more = self.limits.retention_days, "", True
        while has_more:
            stream_ids, has_more = await self.streams.list_kept_otherwise(
                days, after, STREAMS_A_LOOK
            )
            for stream_id in stream_ids:
                await self._redate_stream(stream_id)
                after = stream_id

    async def _redate_stream(self, stream_id: StreamId) -> None:
        group_id = group_in(stream_id)
        after: int | None = 0

        async def work(tx: Tx) -> int | None:
            assert after is not None, "it is not done"
            group = await self.groups.find_group(group_id, tx) if group_id is not None else None
            head = await self.streams.touch_head(stream_id, tx)
            upto = min(head, after + REDATED_AT_ONCE)
            if not self.hooks.ends_with_other(stream_id):
                own = group.retention_days if group is not None else 0
                await self.messages.redate(stream_id, after, upto, kept_days(own, self.limits), tx)
            if upto < head:
                return upto
            await self.streams.put_kept_days(stream_id, self.limits.retention_days, tx)
            return None

        while after is not None:
            after = await self.database.run(work, stream_lock(stream_id))

    async def _end(self, stream_id: StreamId, seqs: Sequence[int]) -> int:
        async def work(tx: Tx) -> int:
            now = self.clock.now()
            messages = await self.messages.find_ended(stream_id, seqs, now, tx)
            if not messages:
                return 0
            found = [message.seq for message in messages]
            done: Sequence[int] = found
            if self.hooks.delete_reactions is not None:
                done = await self.hooks.delete_reactions(stream_id, found, tx)
            gone = [message for message in messages if message.seq in set(done)]
            media = [media_id for message in gone for media_id in media_ids_of(message.content)]
            size = sum(message.content.media_bytes for message in gone if message.content)
            # The stream first: posts and changes of its messages conflict with this transaction.
            await self.streams.end_messages(stream_id, found, size, tx)
            group_id = group_in(stream_id)
            if group_id is not None:
                await self.groups.raise_ended(group_id, max(found), tx)
                for on_ended in self.hooks.messages_ended:
                    await on_ended(stream_id, done, tx)
            await self.media.release(media, now, tx)
            for message in gone:
                for on_recalled in self.hooks.recalled:
                    await on_recalled(message, tx)
            await self.messages.delete_ended(stream_id, done, tx)
            return len(done)

        return await self.database.run(work, stream_lock(stream_id))

    async def redate_some(self) -> bool:
        """Give some messages of groups whose setting changed their new time. Returns whether there may be more."""
        group_ids = await self.groups.list_redating(GROUPS_A_LOOK)
        for group_id in group_ids:
            await self._redate(group_id)
        return bool(group_ids)

    async def _redate(self, group_id: GroupId) -> None:
        stream_id = stream_of(group_id)

        async def work(tx: Tx) -> None:
            found = await self.groups.find_redating(group_id, tx)
            if found is None:
                return
            days, after = found
            # Written: a post that does not see the new setting conflicts, and is dated by it when it runs again.
            head = await self.streams.touch_head(stream_id, tx)
            upto = min(head, after + REDATED_AT_ONCE)
            await self.messages.redate(stream_id, after, upto, kept_days(days, self.limits), tx)
            await self.groups.put_redating(group_id, upto if upto < head else None, tx)

        await self.database.run(work, stream_lock(stream_id))


def retention_task(service: RetentionService) -> PeriodicTask:
    """The sweep, every `SWEEP_SECONDS`."""
    return PeriodicTask(service.sweep, SWEEP_SECONDS, name="retention")
