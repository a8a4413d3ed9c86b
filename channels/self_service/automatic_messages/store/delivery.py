"""Documents of what is to be sent (`automatic_jobs`), and of what was sent to whom (`automatic_marks`).

A job is deleted in the transaction of its message. `_id` is its place in the event log, so a page of the log that is
read again after a crash makes no second one. One that could not be sent for a day ends by itself.

A mark is kept as long as its channel: who comes back is not greeted again. `_id` is `channel<US>user`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from pymongo import DeleteMany, InsertOne, UpdateOne

from channels.self_service.automatic_messages.models import Job, Mark, Rule
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

MarkKey = tuple[GroupId, UserId]
KEPT: Final = timedelta(days=1)
"""How long a message that cannot be sent is tried again."""


class DeliveryStore:
    """The collections `automatic_jobs` and `automatic_marks`."""

    INDEXES = (
        Index("automatic_jobs", [("due_at", 1), ("_id", 1)], "the messages to send next"),
        Index("automatic_jobs", [("channel_id", 1)], "those of a deleted channel"),
        Index("automatic_jobs", [("ends_at", 1)], "ends them", expire_after_seconds=0),
        Index("automatic_marks", [("channel_id", 1)], "those of a deleted channel"),
    )

    def __init__(self, database: Database) -> None:
        self._jobs = database.collection("automatic_jobs")
        self._marks = database.collection("automatic_marks")

    # --- jobs -----------------------------------------------------------------------------------------------------

    def add_jobs(self, jobs: Iterable[Job], now: datetime, tx: Tx) -> None:
        """Note messages to send, with the other writes of the transaction."""
        tx.write(self._jobs, *(InsertOne(_to_document(job, now)) for job in jobs))

    async def list_due(self, now: datetime, limit: int) -> list[Job]:
        """The jobs that are due, the earliest first."""
        # Uses index: due_at_1__id_1
        cursor = self._jobs.find(
            {"due_at": {"$lte": now}}, sort=[("due_at", 1), ("_id", 1)], batch_size=ONE_REPLY
        ).limit(limit)
        return [_to_job(row) for row in await cursor.to_list(None)]

    async def find_left(self, jobs: Collection[Job], tx: Tx) -> set[str]:
        """The ids of those that are still to be sent."""
        cursor = self._jobs.find(_among(jobs), {"_id": 1}, session=tx.session)
        return {row["_id"] for row in await cursor.to_list(None)}

    def delete_jobs(self, jobs: Collection[Job], tx: Tx) -> None:
        """Delete jobs, with the other writes of the transaction; two that do so conflict."""
        if jobs:
            tx.write(self._jobs, DeleteMany(_among(jobs)))

    async def postpone(self, jobs: Collection[Job], due_at: datetime, tx: Tx | None = None) -> None:
        """Make jobs that exist due later."""
        await self._jobs.update_many(
            _among(jobs), {"$set": {"due_at": due_at}}, session=tx.session if tx else None
        )

    # --- marks ----------------------------------------------------------------------------------------------------

    async def find_marks(self, keys: Collection[MarkKey], tx: Tx) -> dict[MarkKey, Mark]:
        """Find the messages that the channels sent to these users by themselves, where they sent any."""
        if not keys:
            return {}
        query: Document = {
            "_id": {"$in": [join_key(*key) for key in keys]},
            "channel_id": {"$in": sorted({key[0] for key in keys})},
        }
        cursor = self._marks.find(query, batch_size=ONE_REPLY, session=tx.session)
        return {
            (row["channel_id"], row["user_id"]): Mark(
                row.get("greeted_at") is not None, row.get("away_until")
            )
            for row in await cursor.to_list(None)
        }

    def put_marks(self, marks: Mapping[MarkKey, Mark], now: datetime, tx: Tx) -> None:
        """Add to what was sent to users; what a mark does not say stays. With the other writes of the transaction."""
        for (channel_id, user_id), mark in marks.items():
            values: Document = {}
            if mark.is_greeted:
                values["greeted_at"] = now
            if mark.away_until is not None:
                values["away_until"] = mark.away_until
            key = {"_id": join_key(channel_id, user_id), "channel_id": channel_id}
            update = {"$set": values, "$setOnInsert": {"user_id": user_id}}
            tx.write(self._marks, UpdateOne(key, update, upsert=True))

    def take_back_greetings(self, keys: Iterable[MarkKey], tx: Tx) -> None:
        """Note that these users were not greeted after all."""
        for channel_id, user_id in keys:
            key = {"_id": join_key(channel_id, user_id), "channel_id": channel_id}
            tx.write(self._marks, UpdateOne(key, {"$unset": {"greeted_at": ""}}))

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` jobs and as many marks of a deleted channel. Returns how many there were."""
        deleted = 0
        for collection in (self._jobs, self._marks):
            # Uses index: channel_id_1
            cursor = collection.find({"channel_id": channel_id}, {"_id": 1}, session=tx.session)
            keys = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
            if keys:
                await collection.delete_many(
                    {"channel_id": channel_id, "_id": {"$in": keys}}, session=tx.session
                )
            deleted += len(keys)
        return deleted


def _key(job: Job) -> Document:
    return {"_id": job.job_id, "channel_id": job.channel_id}


def _among(jobs: Collection[Job]) -> Document:
    return {
        "_id": {"$in": [job.job_id for job in jobs]},
        "channel_id": {"$in": sorted({job.channel_id for job in jobs})},
    }


def _to_document(job: Job, now: datetime) -> Document:
    return {
        **_key(job),
        "user_id": job.user_id,
        "rule": job.rule.value,
        "name": job.name,
        "due_at": now,
        "ends_at": now + KEPT,
    }


def _to_job(row: Document) -> Job:
    return Job(row["_id"], row["channel_id"], row["user_id"], Rule(row["rule"]), row["name"])
