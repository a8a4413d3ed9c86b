"""Thread documents, a channel's side of a dialogue: `_id` is `channel<US>user`; last activity and the shared cursor.

The collection `thread_guards` has `GUARDS` documents a channel. A new thread writes one of them; deleting the channel
writes all. So no thread begins in a channel that is being deleted, and new threads seldom conflict with each other.
One more document, `channel<US>opened`, counts the threads that the channel began on one day: exact, so threads that a
channel begins conflict with each other, and wait in memory (`conversations.service.inbox_threads.opening_lock`).
"""

import zlib
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from pymongo import InsertOne, UpdateMany, UpdateOne

from conversations.models import Thread
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import DESCENDING, BatchedQuery, Database, Document, Index, Tx

GUARDS: Final = 16  # of one channel: about so many threads can begin at once without a conflict
_OPENED: Final = "opened"


ThreadKey = tuple[GroupId, UserId]


class ThreadStore:
    """The collections `threads` and `thread_guards`."""

    INDEXES = (
        Index(
            "threads",
            [("channel_id", 1), ("active_ms", DESCENDING), ("user_id", 1)],
            "a channel's inbox, by last activity",
        ),
        Index(
            "threads",
            [("channel_id", 1), ("tags", 1), ("active_ms", DESCENDING), ("user_id", 1)],
            "the threads of a channel that have a tag, by last activity; whether one has it",
            partial={"tags": {"$exists": True}},
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
        self,
        channel_id: GroupId,
        *,
        after: tuple[int, str] | None,
        limit: int,
        tag: str | None = None,
    ) -> list[Thread]:
        """Return threads after the position `after`, by last activity, the latest first, then by user.

        With `tag`, those that have it.
        """
        # Uses index: channel_id_1_active_ms_-1_user_id_1, or channel_id_1_tags_1_active_ms_-1_user_id_1
        query: Document = {"channel_id": channel_id}
        if tag is not None:
            query["tags"] = tag
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

    def query_read_seqs(self, keys: Collection[ThreadKey]) -> BatchedQuery[dict[ThreadKey, int]]:
        """The cursors of the threads that exist among these, to send together with other queries."""
        match: Document = {
            "_id": {"$in": [join_key(*key) for key in keys]},
            "channel_id": {"$in": list({channel_id for channel_id, _ in keys})},
        }
        return BatchedQuery(
            self._threads,
            match,
            lambda rows: {(row["channel_id"], row["user_id"]): row["read_seq"] for row in rows},
            {"$project": {"_id": 0, "channel_id": 1, "user_id": 1, "read_seq": 1}},
        )

    def record_messages(
        self,
        read_seqs: Mapping[ThreadKey, int],
        at: datetime,
        tx: Tx,
        *,
        stored: Container[ThreadKey],
    ) -> None:
        """Move threads to the top and their cursors forward; those that are not `stored` are created.

        The transaction has seen which are stored. For the same change to many threads of a channel the database takes
        a third of the time that it takes for a change of each, and for an insertion a third of that for an upsert.
        """
        active_ms = round(at.timestamp() * 1000)
        changed: dict[tuple[GroupId, int], list[UserId]] = {}
        for (channel_id, user_id), seq in read_seqs.items():
            if (channel_id, user_id) in stored:
                changed.setdefault((channel_id, seq), []).append(user_id)
            else:
                row = {**_key(channel_id, user_id), "active_ms": active_ms, "read_seq": seq}
                tx.write(self._threads, InsertOne(row))
        for (channel_id, seq), user_ids in changed.items():
            change: Document = {"$max": {"active_ms": active_ms, "read_seq": seq}}
            if len(user_ids) == 1:
                tx.write(self._threads, UpdateOne(_key(channel_id, user_ids[0]), change))
            else:
                keys = [join_key(channel_id, user_id) for user_id in user_ids]
                among: Document = {"_id": {"$in": keys}, "channel_id": channel_id}
                tx.write(self._threads, UpdateMany(among, change))

    async def advance_read_cursor(
        self, channel_id: GroupId, user_id: UserId, seq: int, tx: Tx
    ) -> None:
        """Move the cursor of an existing thread forward, never back."""
        await self._threads.update_one(
            _key(channel_id, user_id), {"$max": {"read_seq": seq}}, session=tx.session
        )

    async def put_tags(
        self, channel_id: GroupId, user_id: UserId, tags: Sequence[str], tx: Tx
    ) -> None:
        """Give an existing thread these tags, in place of those before."""
        change: Document = {"$set": {"tags": list(tags)}} if tags else {"$unset": {"tags": ""}}
        await self._threads.update_one(_key(channel_id, user_id), change, session=tx.session)

    async def has_other(self, channel_id: GroupId, user_id: UserId, tag: str, tx: Tx) -> bool:
        """Whether a thread of the channel with another user has this tag."""
        # Uses index: channel_id_1_tags_1_active_ms_-1_user_id_1
        query: Document = {"channel_id": channel_id, "tags": tag, "user_id": {"$ne": user_id}}
        return await self._threads.find_one(query, {"_id": 1}, session=tx.session) is not None

    async def delete_thread(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> None:
        await self._threads.delete_one(_key(channel_id, user_id), session=tx.session)

    def touch_guards_of(self, keys: Iterable[ThreadKey], tx: Tx) -> None:
        """Conflict with the transactions that delete the channels of new threads: one guard of each channel does."""
        more: Document = {"$inc": {"version": 1}}
        guards = {channel_id: _guard_of(channel_id, user_id) for channel_id, user_id in keys}
        # In order, so that two transactions that write several of them do not wait for each other.
        for guard in sorted(guards.values()):
            tx.write(self._guards, UpdateOne({"_id": guard}, more, upsert=True))

    async def touch_guards(self, channel_id: GroupId, tx: Tx) -> None:
        """Conflict with transactions that begin a thread in the channel."""
        operations = [
            UpdateOne({"_id": key}, {"$inc": {"version": 1}}, upsert=True)
            for key in _guards_of(channel_id)
        ]
        await self._database.apply(self._guards, operations, tx)

    def query_opened(
        self, channel_ids: Iterable[GroupId], day: date
    ) -> BatchedQuery[dict[GroupId, int]]:
        """How many threads each of the channels has begun on the day, where it has begun any."""
        keys = {join_key(channel_id, _OPENED): channel_id for channel_id in channel_ids}
        return BatchedQuery(
            self._guards,
            {"_id": {"$in": list(keys)}, "day": day.isoformat()},
            lambda rows: {keys[row["_id"]]: int(row["count"]) for row in rows},
        )

    def put_opened(self, counts: Mapping[GroupId, int], day: date, tx: Tx) -> None:
        """Store how many threads the channels have begun on the day: as `query_opened` found, and the new ones."""
        for channel_id, count in counts.items():
            values = {"day": day.isoformat(), "count": count}
            change: Document = {"$set": values, "$inc": {"version": 1}}
            key = {"_id": join_key(channel_id, _OPENED)}
            tx.write(self._guards, UpdateOne(key, change, upsert=True))

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
    return Thread(
        row["channel_id"],
        row["user_id"],
        row["read_seq"],
        row["active_ms"],
        tuple(row.get("tags", ())),
    )
