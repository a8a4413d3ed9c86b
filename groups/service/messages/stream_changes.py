"""The change of a stream that goes with every change of one of its messages: rate, version, last line and pins.

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
    """What changes of messages do to streams. Edits and deletions have buckets; a batch of posts has its own."""

    streams: StreamStore
    limits: GroupLimits

    async def record(self, before: Message, changed: Message, now: datetime, tx: Tx) -> Message:
        """Store one change of a message in its stream; returns the message with its version, for the caller to store.

        Raises: RateLimited.
        """
        change: Change = "edits" if changed.recalled_at is None else "recalls"
        state = await self.streams.find_change_state(changed.stream_id, change, tx)
        rate = StreamRate(state.left, now, self.limits)
        rate.check()
        rate.take(changed.content)
        changed = changed.model_copy(update={"changed_version": state.version + 1})
        await self.streams.record_change(
            changed,
            change,
            rate.left,
            now,
            tx,
            is_last=changed.seq == state.last_seq,
            is_pin_changed=before.pinned_at != changed.pinned_at,
        )
        return changed
