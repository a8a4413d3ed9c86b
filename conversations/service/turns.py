"""Turns: of this process, one transaction at a time changes a share of an inbox's totals.

They would conflict in the database and begin again, which is right but slow: with 128 users who write to one channel at
once on a busy machine some gave up. So they wait here, and only those of other processes meet there.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from conversations.store.totals import share_of
from groups.kernel.ids import PAIR_SEPARATOR, UserId
from groups.models import INBOX_PREFIX


class InboxTurns:
    """A lock for each share that somebody changes now."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    def of(self, stream_id: str) -> AbstractAsyncContextManager[object]:
        """What to hold around a transaction that changes the thread of this stream; nothing between users."""
        if not stream_id.startswith(INBOX_PREFIX):
            return nullcontext()
        channel_id, _, user_id = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
        key = channel_id, share_of(UserId(user_id))
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
