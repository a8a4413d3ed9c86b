"""Queue documents: `_id` is `webhook<US>queue`, one for each stream of a webhook in which a delivery waits.

`next_at` is when the first delivery is due, or, while a process works on the queue, when another one may look again.
`leased_until` is how long the process `holder` works on it. `version` grows when a delivery is added: whoever finds the
queue empty deletes it in the version that they read, so a delivery that was added meanwhile is not forgotten.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from pymongo import ReturnDocument, UpdateOne

from groups.kernel.ids import join_key
from groups.kernel.mongo import Database, Document, Index, Tx, aggregate


class DueQueue(NamedTuple):
    """The queue of a webhook that is due first."""

    webhook_id: str
    next_at: datetime


class Claim(NamedTuple):
    """A queue that this process works on."""

    webhook_id: str
    queue: str
    version: int


class QueueStore:
    """The collection `webhook_queues`."""

    INDEXES = (
        Index(
            "webhook_queues",
            [("webhook_id", 1), ("next_at", 1)],
            "the queue of each webhook that is due first, and the due ones of one webhook",
        ),
    )

    def __init__(self, database: Database) -> None:
        self._queues = database.collection("webhook_queues")

    def add(self, webhook_id: str, queues: Collection[str], now: datetime, tx: Tx) -> None:
        """Deliveries are added to these queues when `tx` commits; a queue that is new is due now."""
        tx.write(
            self._queues,
            *(
                UpdateOne(
                    _key(webhook_id, queue),
                    {
                        "$inc": {"version": 1},
                        "$setOnInsert": {
                            "queue": queue,
                            "next_at": now,
                            "holder": None,
                            "leased_until": None,
                        },
                    },
                    upsert=True,
                )
                for queue in queues
            ),
        )

    def hasten(self, webhook_id: str, queues: Collection[str], now: datetime, tx: Tx) -> None:
        """As `add`, and have the queues looked at now, since their first deliveries may be others than before."""
        tx.write(
            self._queues,
            *(
                UpdateOne(
                    _key(webhook_id, queue),
                    {
                        "$inc": {"version": 1},
                        "$min": {"next_at": now},
                        "$setOnInsert": {
                            "queue": queue,
                            "holder": None,
                            "leased_until": None,
                        },
                    },
                    upsert=True,
                )
                for queue in queues
            ),
        )

    async def list_first_due(self) -> list[DueQueue]:
        """The first queue of each webhook that has any, in the order of webhook ids."""
        # Uses index: webhook_id_1_next_at_1, one key of it for each webhook (DISTINCT_SCAN)
        rows = await aggregate(
            self._queues,
            [
                {"$sort": {"webhook_id": 1, "next_at": 1}},
                {"$group": {"_id": "$webhook_id", "next_at": {"$first": "$next_at"}}},
            ],
        )
        return [DueQueue(row["_id"], row["next_at"]) for row in rows]

    async def estimate_size(self) -> int:
        """About how many queues there are, as the database keeps it; it reads none."""
        return int(await self._queues.estimated_document_count())

    async def list_due(self, webhook_id: str, now: datetime, limit: int) -> list[str]:
        """The due queues of a webhook, those that waited longest first."""
        # Uses index: webhook_id_1_next_at_1
        cursor = self._queues.find(
            {"webhook_id": webhook_id, "next_at": {"$lte": now}},
            {"_id": 0, "queue": 1},
            sort=[("next_at", 1)],
            limit=limit,
        )
        return [row["queue"] for row in await cursor.to_list(None)]

    async def claim(
        self,
        webhook_id: str,
        queue: str,
        *,
        holder: str,
        now: datetime,
        database_now: datetime,
        look_at: datetime,
        leased_until: datetime,
    ) -> Claim | None:
        """Take the queue for this process, if it is due and no other one works on it."""
        row = await self._queues.find_one_and_update(
            {
                **_key(webhook_id, queue),
                "next_at": {"$lte": now},
                "$or": [{"leased_until": None}, {"leased_until": {"$lte": database_now}}],
            },
            {"$set": {"holder": holder, "leased_until": leased_until, "next_at": look_at}},
            return_document=ReturnDocument.AFTER,
        )
        return Claim(webhook_id, queue, row["version"]) if row else None

    async def renew(
        self, claims: Sequence[Claim], holder: str, look_at: datetime, leased_until: datetime
    ) -> int:
        """Keep the queues for longer; returns how many, since others may have been taken by other processes."""
        result = await self._queues.update_many(
            {
                "_id": {"$in": [join_key(claim.webhook_id, claim.queue) for claim in claims]},
                "webhook_id": {"$in": [claim.webhook_id for claim in claims]},
                "holder": holder,
            },
            {"$set": {"leased_until": leased_until, "next_at": look_at}},
        )
        return int(result.matched_count)

    async def release_empty(self, claim: Claim, holder: str) -> bool:
        """Delete the queue, in which nothing waits any more; False where something was added meanwhile."""
        result = await self._queues.delete_one(
            {**_key(claim.webhook_id, claim.queue), "holder": holder, "version": claim.version}
        )
        return result.deleted_count == 1

    async def release(self, claim: Claim, holder: str, next_at: datetime, now: datetime) -> None:
        """Give the queue back, due at `next_at`, or now if something was added meanwhile."""
        is_unchanged = {"$eq": ["$version", claim.version]}
        await self._queues.update_one(
            {**_key(claim.webhook_id, claim.queue), "holder": holder},
            [
                {
                    "$set": {
                        "next_at": {"$cond": [is_unchanged, next_at, now]},
                        "holder": None,
                        "leased_until": None,
                    }
                }
            ],
        )

    async def delete_some(self, webhook_id: str, limit: int, tx: Tx) -> int:
        """Delete some queues of a webhook that has ended; returns how many."""
        cursor = self._queues.find(
            {"webhook_id": webhook_id}, {"_id": 1}, limit=limit, session=tx.session
        )
        ids = [row["_id"] for row in await cursor.to_list(None)]
        if ids:
            await self._queues.delete_many(
                {"_id": {"$in": ids}, "webhook_id": webhook_id}, session=tx.session
            )
        return len(ids)

    async def delete_orphans(self, webhook_id: str) -> None:
        """Delete the queues of a webhook that does not exist."""
        await self._queues.delete_many({"webhook_id": webhook_id})


def _key(webhook_id: str, queue: str) -> Document:
    return {"_id": join_key(webhook_id, queue), "webhook_id": webhook_id}
