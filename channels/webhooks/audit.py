"""Checks of stored webhooks: each has its channel, all are counted, and what waits for them is in a queue."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from channels.webhooks.store.queues import QueueStore
from channels.webhooks.store.webhooks import WebhookStore
from groups.audit.joins import joined, look_up
from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot


def checks(database: Database, clock: Clock) -> list[Check]:
    """Return the checks of webhooks, in the order in which their repairs build on each other."""
    audit = _Audit(
        database=database,
        webhooks=WebhookStore(database),
        queues=QueueStore(database),
        clock=clock,
    )
    return [
        Check(
            "P9",
            "webhooks belong to channels, and are counted",
            "webhooks",
            lambda snapshot: snapshot.count("webhooks"),
            audit.find_wrong_webhooks,
        ),
        Check(
            "P13",
            "what waits for a webhook is in a queue",
            "deliveries",
            lambda snapshot: snapshot.count("webhook_deliveries"),
            audit.find_forgotten_deliveries,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    webhooks: WebhookStore
    queues: QueueStore
    clock: Clock

    async def find_wrong_webhooks(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """A webhook ends with its channel. The count tells when the last one is gone, and with it the consumer."""
        rows = snapshot.rows(
            "webhooks",
            [
                {"$match": {"channel_id": {"$ne": None}, "ends_at": None}},
                look_up("channels", "channel_id", "channel"),
                {"$match": {"channel": []}},
                {"$project": {"channel_id": 1}},
            ],
        )
        async for row in rows:
            subject = f"webhook {row['_id']} of {row['channel_id']}"
            problem = "its channel does not exist"
            yield Finding("P9", subject, problem, self._end(row["_id"]))
        held = await snapshot.count("webhooks")
        counted = 0
        async for row in snapshot.rows("webhook_guards", [{"$project": {"webhooks": 1}}]):
            counted = row["webhooks"]
        if held != counted:
            problem = f"there are {held} webhooks, and {counted} are counted"
            yield Finding("P9", "the count of webhooks", problem, self._recount)

    async def find_forgotten_deliveries(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Without a queue a waiting delivery is never sent."""
        rows = snapshot.rows(
            "webhook_deliveries",
            [
                {"$match": {"status": "waiting"}},
                {"$group": {"_id": {"webhook_id": "$webhook_id", "queue": "$queue"}}},
                look_up("webhooks", "_id.webhook_id", "webhook"),
                # What an ended webhook leaves is cleared away in steps.
                {"$match": {"webhook": {"$ne": []}, "webhook.0.ends_at": None}},
                {"$set": {"key": joined("$_id.webhook_id", "$_id.queue")}},
                look_up("webhook_queues", "key", "held"),
                {"$match": {"held": []}},
            ],
        )
        async for row in rows:
            webhook_id, queue = row["_id"]["webhook_id"], row["_id"]["queue"]
            subject = f"webhook {webhook_id}, stream {queue}"
            problem = "deliveries wait, and no queue has them sent"
            yield Finding("P13", subject, problem, self._queue(webhook_id, queue))

    def _end(self, webhook_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            webhook = (await self.webhooks.find_by_ids([webhook_id], tx)).get(webhook_id)
            if webhook is None or webhook.ends_at is not None:
                return None
            now = self.clock.now()
            ended = webhook.model_copy(update={"enabled": False, "closed_at": now, "ends_at": now})
            await self.webhooks.touch(tx)
            await self.webhooks.replace(ended, tx)
            return "ended the webhook; the server clears it away"

        return lambda: self.database.run(work)

    async def _recount(self) -> str | None:
        async def work(tx: Tx) -> str | None:
            difference = (
                await self.webhooks.count(tx) - (await self.webhooks.find_guard(tx)).webhooks
            )
            if not difference:
                return None
            await self.webhooks.touch(tx, added=difference)
            return f"corrected the count by {difference}"

        return await self.database.run(work)

    def _queue(self, webhook_id: str, queue: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            # A queue without deliveries is deleted when it is looked at.
            self.queues.hasten(webhook_id, [queue], self.clock.now(), tx)
            return "made the queue"

        return lambda: self.database.run(work)
