"""The change of a stream that goes with every change of one of its messages: its rate, and its version.

Promises:
    Each edit, recall, pin, unpin, freeze and unfreeze moves the stream's version by one and gives it to the message, in
    the transaction of the change. Two at once write the same document, so one of them runs again: versions are dense,
    and in the order of commits. A reader who sees a version sees all changes up to it.

Posts and reactions do not move the version: the head tells of posts, and reactions have events of their own.
"""

from dataclasses import dataclass
from datetime import datetime

from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import Message
from groups.service.messages.stream_rates import StreamRate
from groups.store.streams import Change, StreamStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChanges:
    """The buckets of edits and deletions (a batch of posts has its own), and the versions."""

    streams: StreamStore
    limits: GroupLimits

    async def record(self, changed: Message, now: datetime, tx: Tx) -> Message:
        """Count one change of a message, and return the message with its version, which the caller stores.

        Call it once in a transaction for each message that changes. Raises: RateLimited.
        """
        change: Change = "edits" if changed.recalled_at is None else "recalls"
        stream_id = changed.stream_id
        left, version = await self.streams.find_change_state(stream_id, change, tx)
        rate = StreamRate(left, now, self.limits)
        rate.check()
        rate.take(changed.content)
        await self.streams.record_change(stream_id, change, rate.left, version + 1, now, tx)
        return changed.model_copy(update={"changed_version": version + 1})
