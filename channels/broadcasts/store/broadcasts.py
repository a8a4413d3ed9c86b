"""Documents of broadcasts: `_id` is `channel<US>broadcast`.

`due_at` exists only while the broadcast is scheduled or runs, so the index of what is due has no others. `holder` and
`leased_until` name the process that works on it. `ended_at` begins the time after which it is deleted.
"""

from datetime import datetime
from typing import NamedTuple

from pymongo import ReturnDocument, UpdateOne

from channels.broadcasts.models import Broadcast
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import DESCENDING, BatchedQuery, Database, Document, Index, Tx


class BroadcastKey(NamedTuple):
    """Names a broadcast."""

    channel_id: GroupId
    broadcast_id: str


class BroadcastStore:
    """The collection `broadcasts`."""

    INDEXES = (
        Index(
            "broadcasts",
            [("channel_id", 1), ("broadcast_id", 1)],
            "the broadcasts of a channel by age; how many it created since an instant",
        ),
        Index(
            "broadcasts",
            [("channel_id", 1), ("due_at", 1)],
            "how many broadcasts of a channel are open",
            partial={"due_at": {"$type": "date"}},
        ),
        Index(
            "broadcasts",
            [("due_at", 1)],
            "the broadcasts that are due",
            partial={"due_at": {"$type": "date"}},
        ),
        Index(
            "broadcasts",
            [("ended_at", 1)],
            "the broadcasts to delete",
            partial={"ended_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._broadcasts = database.collection("broadcasts")

    async def insert(self, broadcast: Broadcast, tx: Tx) -> None:
        """Add a broadcast."""
        document = _to_values(broadcast)
        await self._broadcasts.insert_one({**_key(broadcast), **document}, session=tx.session)

    async def find(self, key: BroadcastKey, tx: Tx | None = None) -> Broadcast | None:
        """The broadcast, if there is one."""
        row = await self._broadcasts.find_one(_key(key), session=tx.session if tx else None)
        return _to_broadcast(row) if row else None

    async def list_before(
        self, channel_id: GroupId, *, before: str | None, limit: int
    ) -> list[Broadcast]:
        """The channel's broadcasts, the newest first, before one of them."""
        # Uses index: channel_id_1_broadcast_id_1
        bounds: Document = {"$gt": ""} if before is None else {"$gt": "", "$lt": before}
        cursor = self._broadcasts.find(
            {"channel_id": channel_id, "broadcast_id": bounds},
            sort=[("broadcast_id", DESCENDING)],
            limit=limit,
        )
        return [_to_broadcast(row) for row in await cursor.to_list(None)]

    async def count_open(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """How many of the channel are scheduled or running, up to `limit`."""
        # Uses index: channel_id_1_due_at_1 (covered)
        cursor = self._broadcasts.find(
            {"channel_id": channel_id, "due_at": {"$type": "date"}},
            {"_id": 0, "due_at": 1},
            session=tx.session,
        ).limit(limit)
        return len(await cursor.to_list(None))

    async def count_since(self, channel_id: GroupId, since: str, limit: int, tx: Tx) -> int:
        """How many of the channel have greater ids than this, up to `limit`."""
        # Uses index: channel_id_1_broadcast_id_1 (covered)
        cursor = self._broadcasts.find(
            {"channel_id": channel_id, "broadcast_id": {"$gt": since}},
            {"_id": 0, "broadcast_id": 1},
            session=tx.session,
        ).limit(limit)
        return len(await cursor.to_list(None))

    async def list_due(self, now: datetime, limit: int) -> list[BroadcastKey]:
        """Broadcasts that are due and that no process works on, those due longest first."""
        # Uses index: due_at_1
        wanted: Document = {"due_at": {"$lte": now}, "leased_until": {"$not": {"$gt": now}}}
        cursor = self._broadcasts.find(
            wanted, {"channel_id": 1, "broadcast_id": 1}, sort=[("due_at", 1)], limit=limit
        )
        rows = await cursor.to_list(None)
        return [BroadcastKey(GroupId(row["channel_id"]), row["broadcast_id"]) for row in rows]

    async def lease(
        self, key: BroadcastKey, holder: str, now: datetime, until: datetime
    ) -> Broadcast | None:
        """Lease the broadcast until then; None where it is not due any more, or another process holds it."""
        wanted: Document = {
            **_key(key),
            "due_at": {"$lte": now},
            "$or": [{"holder": holder}, {"leased_until": {"$not": {"$gt": now}}}],
        }
        row = await self._broadcasts.find_one_and_update(
            wanted,
            {"$set": {"holder": holder, "leased_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return _to_broadcast(row) if row else None

    async def find_held(self, key: BroadcastKey, holder: str, tx: Tx) -> Broadcast | None:
        """The broadcast, if it is still open and this process holds it."""
        row = await self._broadcasts.find_one(_held(key, holder), session=tx.session)
        return _to_broadcast(row) if row else None

    def query_held(self, key: BroadcastKey, holder: str) -> BatchedQuery[Broadcast | None]:
        """As `find_held`, as a query to send together with others."""
        return BatchedQuery(
            self._broadcasts,
            _held(key, holder),
            lambda rows: _to_broadcast(rows[0]) if rows else None,
        )

    async def release(self, holder: str) -> None:
        """End all leases of a process that stops, so that others go on at once."""
        await self._broadcasts.update_many(
            {"due_at": {"$type": "date"}, "holder": holder},
            {"$unset": {"holder": "", "leased_until": ""}},
        )

    def put(self, broadcast: Broadcast, tx: Tx, *, leased_until: datetime | None = None) -> None:
        """Store the state of the broadcast; transactions about one broadcast conflict here. Collected (`Tx.write`).

        One that is not open has no lease. `leased_until` prolongs the lease of this process.
        """
        values = _to_values(broadcast)
        for name in ("channel_id", "broadcast_id", "content", "segment"):
            del values[name]
        gone = [name for name in ("due_at", "ended_at") if name not in values]
        if not broadcast.is_open:
            gone += ["holder", "leased_until"]
        elif leased_until is not None:
            values["leased_until"] = leased_until
        # Field by field, so that fields of a newer version stay.
        change: Document = {"$set": values}
        if gone:
            change["$unset"] = dict.fromkeys(gone, "")
        tx.write(self._broadcasts, UpdateOne(_key(broadcast), change))

    async def list_ended(self, before: datetime, limit: int) -> list[BroadcastKey]:
        """Broadcasts that ended before this instant."""
        # Uses index: ended_at_1
        cursor = self._broadcasts.find(
            {"ended_at": {"$lt": before}}, {"channel_id": 1, "broadcast_id": 1}
        ).limit(limit)
        rows = await cursor.to_list(None)
        return [BroadcastKey(GroupId(row["channel_id"]), row["broadcast_id"]) for row in rows]

    async def take(self, key: BroadcastKey, tx: Tx) -> Broadcast | None:
        """Delete the broadcast and return it."""
        row = await self._broadcasts.find_one_and_delete(_key(key), session=tx.session)
        return _to_broadcast(row) if row else None

    async def take_some(self, channel_id: GroupId, limit: int, tx: Tx) -> list[Broadcast]:
        """Delete up to `limit` broadcasts of a deleted channel and return them."""
        # Uses index: channel_id_1_broadcast_id_1
        cursor = self._broadcasts.find({"channel_id": channel_id}, session=tx.session).limit(limit)
        found = [_to_broadcast(row) for row in await cursor.to_list(None)]
        if found:
            ids = [one.broadcast_id for one in found]
            await self._broadcasts.delete_many(
                {"channel_id": channel_id, "broadcast_id": {"$in": ids}}, session=tx.session
            )
        return found


def _key(one: BroadcastKey | Broadcast) -> Document:
    return {"_id": join_key(one.channel_id, one.broadcast_id), "channel_id": one.channel_id}


def _held(key: BroadcastKey, holder: str) -> Document:
    return {**_key(key), "holder": holder, "due_at": {"$type": "date"}}


def _to_values(broadcast: Broadcast) -> Document:
    values: Document = broadcast.model_dump(mode="python")
    values["content"] = broadcast.content.to_stored()
    values["state"] = broadcast.state.value
    values["not_reached"] = {reason.value: n for reason, n in broadcast.not_reached.items()}
    if broadcast.due_at is not None:
        values["due_at"] = broadcast.due_at
    if broadcast.ended_at is None:
        del values["ended_at"]
    return values


def _to_broadcast(row: Document) -> Broadcast:
    return Broadcast.from_stored(row)
