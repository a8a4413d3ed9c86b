"""Delivery documents: `_id` is `webhook<US>delivery`. They hold the body that is sent, which no list reads.

`queue` is what is sent one after the other: the events of a stream. `expires_at` is when the log forgets a delivery.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pymongo import InsertOne

from channels.webhooks.models import Attempt, Delivery, DeliveryStatus
from groups.kernel.ids import join_key
from groups.kernel.mongo import Database, Document, Index, Tx, aggregate

_WITHOUT_BODY: Final[Document] = {"body": 0}
_IS_WAITING: Final[Document] = {"status": DeliveryStatus.WAITING.value}


class DeliveryPosition(NamedTuple):
    """The position of a delivery in the log of its webhook."""

    at: datetime
    delivery_id: str


class DeliveryStore:
    """The collection `webhook_deliveries`."""

    INDEXES = (
        Index(
            "webhook_deliveries",
            [("webhook_id", 1), ("queue", 1), ("delivery_id", 1)],
            "what waits, in order: the next ones of a stream, and how many of a webhook",
            partial=_IS_WAITING,
        ),
        Index(
            "webhook_deliveries",
            [("webhook_id", 1), ("status", 1), ("at", 1), ("delivery_id", 1)],
            "the log of a webhook, by status and time",
        ),
        Index(
            "webhook_deliveries",
            [("expires_at", 1)],
            "the TTL that ends the log",
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._deliveries = database.collection("webhook_deliveries")

    def insert(self, delivery: Delivery, body: bytes, expires_at: datetime, tx: Tx) -> None:
        """Store a new delivery when `tx` commits."""
        document = _to_document(delivery)
        tx.write(self._deliveries, InsertOne({**document, "body": body, "expires_at": expires_at}))

    async def count_waiting(self, webhook_id: str, limit: int, tx: Tx) -> int:
        """How many deliveries of the webhook wait, counted up to `limit`."""
        # Uses index: webhook_id_1_queue_1_delivery_id_1 (partial, covered)
        rows = await aggregate(
            self._deliveries,
            [
                {"$match": {"webhook_id": webhook_id, **_IS_WAITING}},
                {"$limit": limit},
                {"$count": "waiting"},
            ],
            session=tx.session,
        )
        return rows[0]["waiting"] if rows else 0

    async def list_next(
        self, webhook_id: str, queue: str, limit: int
    ) -> list[tuple[Delivery, bytes]]:
        """The first waiting deliveries of a stream, in order, with what is to be sent."""
        # Uses index: webhook_id_1_queue_1_delivery_id_1 (partial)
        cursor = self._deliveries.find(
            {"webhook_id": webhook_id, "queue": queue, **_IS_WAITING},
            sort=[("delivery_id", 1)],
            limit=limit,
        )
        return [(_to_delivery(row), bytes(row["body"])) for row in await cursor.to_list(None)]

    async def find_delivery(
        self, webhook_id: str, delivery_id: str, tx: Tx | None = None
    ) -> Delivery | None:
        document = await self._deliveries.find_one(
            _key(webhook_id, delivery_id), _WITHOUT_BODY, session=tx and tx.session
        )
        return _to_delivery(document) if document else None

    async def list_deliveries(
        self,
        webhook_id: str,
        statuses: Sequence[DeliveryStatus],
        *,
        before: DeliveryPosition | None,
        limit: int,
    ) -> list[Delivery]:
        """A part of the log, newest first."""
        # Uses index: webhook_id_1_status_1_at_1_delivery_id_1, once for each status, merged
        wanted: Document = {"webhook_id": webhook_id, "status": _any_of(statuses)}
        if before is not None:
            wanted["$or"] = [
                {"at": {"$lt": before.at}},
                {"at": before.at, "delivery_id": {"$lt": before.delivery_id}},
            ]
            wanted["at"] = {"$lte": before.at}
        cursor = self._deliveries.find(
            wanted, _WITHOUT_BODY, sort=[("at", -1), ("delivery_id", -1)], limit=limit
        )
        return [_to_delivery(row) for row in await cursor.to_list(None)]

    async def list_ended_since(
        self, webhook_id: str, since: DeliveryPosition, limit: int, tx: Tx
    ) -> list[Delivery]:
        """Deliveries that ended, after this position, oldest first."""
        # Uses index: webhook_id_1_status_1_at_1_delivery_id_1, once for each status, merged
        ended = [DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED]
        cursor = self._deliveries.find(
            {
                "webhook_id": webhook_id,
                "status": _any_of(ended),
                "at": {"$gte": since.at},
                "$or": [
                    {"at": {"$gt": since.at}},
                    {"delivery_id": {"$gt": since.delivery_id}},
                ],
            },
            _WITHOUT_BODY,
            sort=[("at", 1), ("delivery_id", 1)],
            limit=limit,
            session=tx.session,
        )
        return [_to_delivery(row) for row in await cursor.to_list(None)]

    async def wait_again(
        self,
        webhook_id: str,
        delivery_ids: Sequence[str],
        now: datetime,
        expires_at: datetime,
        tx: Tx,
    ) -> int:
        """Have these deliveries sent again, from now on and by a new schedule; returns how many."""
        result = await self._deliveries.update_many(
            {
                "_id": {"$in": [join_key(webhook_id, each) for each in delivery_ids]},
                "webhook_id": webhook_id,
            },
            {
                "$set": {
                    **_IS_WAITING,
                    "next_attempt_at": now,
                    "tries": 0,
                    "expires_at": expires_at,
                }
            },
            session=tx.session,
        )
        return result.matched_count

    async def settle(
        self,
        delivery: Delivery,
        attempt: Attempt,
        *,
        status: DeliveryStatus,
        next_attempt_at: datetime | None,
        kept: int,
        tx: Tx | None = None,
    ) -> None:
        """Write down an attempt and what follows of it. It changes nothing where the delivery was deleted."""
        is_failure = status is not DeliveryStatus.SUCCEEDED
        await self._deliveries.update_one(
            _key(delivery.webhook_id, delivery.delivery_id),
            {
                "$set": {
                    "status": status.value,
                    "next_attempt_at": next_attempt_at,
                    "tries": delivery.tries + is_failure,
                },
                "$inc": {"attempts_made": 1},
                "$push": {
                    "attempts": {"$each": [attempt.model_dump(mode="python")], "$slice": -kept}
                },
            },
            session=tx.session if tx is not None else None,
        )

    async def delete_some(self, webhook_id: str, limit: int, tx: Tx) -> int:
        """Delete some deliveries of a webhook that has ended; returns how many."""
        cursor = self._deliveries.find(
            {"webhook_id": webhook_id}, {"_id": 1}, limit=limit, session=tx.session
        )
        ids = [row["_id"] for row in await cursor.to_list(None)]
        if ids:
            await self._deliveries.delete_many(
                {"_id": {"$in": ids}, "webhook_id": webhook_id}, session=tx.session
            )
        return len(ids)


def _any_of(statuses: Sequence[DeliveryStatus]) -> Document:
    return {"$in": [status.value for status in statuses]}


def _key(webhook_id: str, delivery_id: str) -> Document:
    return {"_id": join_key(webhook_id, delivery_id), "webhook_id": webhook_id}


def _to_delivery(document: Document) -> Delivery:
    return Delivery.from_stored(document)


def _to_document(delivery: Delivery) -> Document:
    document: Document = delivery.model_dump(mode="python")
    document["_id"] = join_key(delivery.webhook_id, delivery.delivery_id)
    document["status"] = delivery.status.value
    document["queue"] = delivery.queue_key
    document["attempts"] = list(document["attempts"])
    return document
