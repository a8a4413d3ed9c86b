"""Thread documents, a channel's side of a dialogue: `_id` is `channel<US>user`; last activity and the shared cursor.

The collection `thread_guards` has `GUARDS` documents a channel. A new thread writes one of them; deleting the channel
writes all. So no thread begins in a channel that is being deleted, and new threads seldom conflict with each other.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from conversations.models import Thread
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import DESCENDING, Database, Document, Index, Tx

GUARDS: Final = 16  # of one channel: about so many threads can begin at once without a conflict


class ThreadStore:
    """The collections `threads` and `thread_guards`."""

    INDEXES = (
        Index(
            "threads",
            [("channel_id", 1), ("active_ms", DESCENDING), ("user_id", 1)],
            "a channel's inbox, by last activity",
        ),
        Index("thread_guards", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = database.collection("threads")
        self._guards = database.collection("thread_guards")

    async def find_thread(
        self, channel_id: GroupId, user_id: UserId, tx: Tx | None = None
    ) -> Thread | None:
        row = await self._threads.find_one(
            _key(channel_id, user_id), session=tx.session if tx else None
        )
        return _to_thread(row) if row else None

    async def list_threads(
        self, channel_id: GroupId, *, after: tuple[int, str] | None, limit: int
    ) -> list[Thread]:
        """Return threads after the position `after`, by last activity, the latest first, then by user."""
        # Uses index: channel_id_1_active_ms_-1_user_id_1
        query: Document = {"channel_id": channel_id}
        if after is not None:
            active_ms, user_id = after
            query["$or"] = [
                {"active_ms": {"$lt": active_ms}},
                {"active_ms": active_ms, "user_id": {"$gt": user_id}},
            ]
        cursor = (
            self._threads.find(query).sort([("active_ms", DESCENDING), ("user_id", 1)]).limit(limit)
        )
        return [_to_thread(row) for row in await cursor.to_list(None)]

    async def record_message(
        self, channel_id: GroupId, user_id: UserId, at: datetime, read_seq: int, tx: Tx
    ) -> int:
        """Move the thread to the top and its cursor forward, creating it if needed. Returns the cursor before."""
        before = await self._threads.find_one_and_update(
            _key(channel_id, user_id),
            {"$max": {"active_ms": round(at.timestamp() * 1000), "read_seq": read_seq}},
            {"_id": 0, "read_seq": 1},
            upsert=True,
            session=tx.session,
        )
        return before["read_seq"] if before else 0

    async def advance_read_cursor(
        self, channel_id: GroupId, user_id: UserId, seq: int, tx: Tx
    ) -> None:
        """Move the cursor of an existing thread forward, never back."""
        await self._threads.update_one(
            _key(channel_id, user_id), {"$max": {"read_seq": seq}}, session=tx.session
        )

    async def delete_thread(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> None:
        await self._threads.delete_one(_key(channel_id, user_id), session=tx.session)

    async def touch_guard(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> None:
        """Conflict with the transaction that deletes the channel."""
        number = zlib.crc32(user_id.encode()) % GUARDS
        await self._guards.update_one(
            {"_id": join_key(channel_id, number)},
            {"$inc": {"version": 1}},
            upsert=True,
            session=tx.session,
        )

    async def touch_guards(self, channel_id: GroupId, tx: Tx) -> None:
        """Conflict with transactions that begin a thread in the channel."""
        operations = [
            UpdateOne({"_id": key}, {"$inc": {"version": 1}}, upsert=True)
            for key in _guards_of(channel_id)
        ]
        await self._database.apply(self._guards, operations, tx)

    async def delete_guards(self, channel_id: GroupId, tx: Tx) -> None:
        await self._guards.delete_many({"_id": {"$in": _guards_of(channel_id)}}, session=tx.session)


def _guards_of(channel_id: GroupId) -> Sequence[str]:
    return [join_key(channel_id, number) for number in range(GUARDS)]


def _key(channel_id: GroupId, user_id: UserId) -> Document:
    return {"_id": join_key(channel_id, user_id), "channel_id": channel_id, "user_id": user_id}


def _to_thread(row: Document) -> Thread:
    return Thread(row["channel_id"], row["user_id"], row["read_seq"], row["active_ms"])
