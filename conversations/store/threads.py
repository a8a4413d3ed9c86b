"""Thread documents, a channel's side of a dialogue: `_id` is `channel<US>user`; last activity and the shared cursor.

The collection `thread_guards` has `GUARDS` documents a channel. A new thread writes one of them; deleting the channel
writes all. So no thread begins in a channel that is being deleted, and new threads seldom conflict with each other.
One more document, `channel<US>opened`, counts the threads that the channel began on one day: exact, so threads that a
channel begins conflict with each other, and wait in memory (`conversations.service.inbox_threads.opening_lock`).
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from pymongo import UpdateOne

from conversations.models import Thread
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import DESCENDING, ONE_REPLY, Database, Document, Index, Tx

GUARDS: Final = 16  # of one channel: about so many threads can begin at once without a conflict
_OPENED: Final = "opened"


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

    async def record_messages(
        self, channel_id: GroupId, read_seqs: Mapping[UserId, int], at: datetime, tx: Tx
    ) -> dict[UserId, int]:
        """Do as `record_message` does, for the threads with several users. Returns the cursors before."""
        keys = {user_id: _key(channel_id, user_id) for user_id in read_seqs}
        query: Document = {
            "_id": {"$in": [key["_id"] for key in keys.values()]},
            "channel_id": channel_id,
        }
        cursor = self._threads.find(
            query, {"_id": 0, "user_id": 1, "read_seq": 1}, session=tx.session, batch_size=ONE_REPLY
        )
        before = {row["user_id"]: row["read_seq"] for row in await cursor.to_list(None)}
        active_ms = round(at.timestamp() * 1000)
        operations = [
            UpdateOne(key, {"$max": {"active_ms": active_ms, "read_seq": seq}}, upsert=True)
            for key, seq in zip(keys.values(), read_seqs.values(), strict=True)
        ]
        await self._database.apply(self._threads, operations, tx)
        return {user_id: before.get(user_id, 0) for user_id in read_seqs}

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
        await self._guards.update_one(
            {"_id": _guard_of(channel_id, user_id)},
            {"$inc": {"version": 1}},
            upsert=True,
            session=tx.session,
        )

    async def touch_guards_of(
        self, channel_id: GroupId, user_ids: Collection[UserId], tx: Tx
    ) -> None:
        """Do as `touch_guard` does, for threads with several users."""
        keys = {_guard_of(channel_id, user_id) for user_id in user_ids}
        more: Document = {"$inc": {"version": 1}}
        # In order, so that two transactions that write several of them do not wait for each other.
        operations = [UpdateOne({"_id": key}, more, upsert=True) for key in sorted(keys)]
        await self._database.apply(self._guards, operations, tx)

    async def touch_guards(self, channel_id: GroupId, tx: Tx) -> None:
        """Conflict with transactions that begin a thread in the channel."""
        operations = [
            UpdateOne({"_id": key}, {"$inc": {"version": 1}}, upsert=True)
            for key in _guards_of(channel_id)
        ]
        await self._database.apply(self._guards, operations, tx)

    async def count_opened(self, channel_id: GroupId, day: date, tx: Tx) -> int:
        """Return how many threads the channel has begun on the day."""
        row = await self._guards.find_one(
            {"_id": join_key(channel_id, _OPENED)}, session=tx.session
        )
        return int(row["count"]) if row and row["day"] == day.isoformat() else 0

    async def put_opened(self, channel_id: GroupId, day: date, count: int, tx: Tx) -> None:
        """Store how many threads the channel has begun on the day, as `count_opened` read it and one more."""
        await self._guards.update_one(
            {"_id": join_key(channel_id, _OPENED)},
            {"$set": {"day": day.isoformat(), "count": count}, "$inc": {"version": 1}},
            upsert=True,
            session=tx.session,
        )

    async def touch_thread(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> None:
        """Conflict with messages in the thread, if it exists."""
        await self._threads.update_one(
            _key(channel_id, user_id), {"$inc": {"version": 1}}, session=tx.session
        )

    async def delete_guards(self, channel_id: GroupId, tx: Tx) -> None:
        keys = [*_guards_of(channel_id), join_key(channel_id, _OPENED)]
        await self._guards.delete_many({"_id": {"$in": keys}}, session=tx.session)


def _guard_of(channel_id: GroupId, user_id: UserId) -> str:
    return join_key(channel_id, zlib.crc32(user_id.encode()) % GUARDS)


def _guards_of(channel_id: GroupId) -> Sequence[str]:
    return [join_key(channel_id, number) for number in range(GUARDS)]


def _key(channel_id: GroupId, user_id: UserId) -> Document:
    return {"_id": join_key(channel_id, user_id), "channel_id": channel_id, "user_id": user_id}


def _to_thread(row: Document) -> Thread:
    return Thread(row["channel_id"], row["user_id"], row["read_seq"], row["active_ms"])
