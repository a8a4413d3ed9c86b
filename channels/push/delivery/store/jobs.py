"""Job documents: `_id` is the stream's id, or that of a retry.

Of a comment it is `stream<US>recipient`, of a reminder `stream<US>reminder<US>seq`.

`inbox_of` is the channel of a message in an inbox, which has no `group_id`: a process of an older version, which would
announce it to all members of the group, finds neither a group nor a peer, and leaves the job to others.

`due_at` is the time at which a worker may take the job. `leased_until` is the time, by the database's clock, until
which the worker `holder` has it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from pymongo import DeleteMany, UpdateOne

from channels.push.delivery.models import DeviceKey, Job
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

_LONG_AGO: Final = {"leased_until": None}


class JobStore:
    """The collection `push_jobs`."""

    INDEXES = (
        Index("push_jobs", [("due_at", 1)], "the jobs that are due, and the next one"),
        Index(
            "push_jobs",
            [("stream_id", 1)],
            "the retries of a stream, which end with a newer message",
            partial={"attempt": {"$gt": 0}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._jobs = database.collection("push_jobs")

    def put_newest(self, jobs: Iterable[Job], due_at: datetime, tx: Tx) -> None:
        """Begin jobs for these messages, each of another stream, where their streams' older jobs are. Collected."""
        for job in jobs:
            tx.write(self._jobs, _put_newest(job, due_at))

    def end_retries(self, stream_ids: Collection[StreamId], tx: Tx) -> None:
        """End the retries of older messages of these streams. Collected."""
        # Uses index: stream_id_1 (partial: retries)
        query: Document = {"stream_id": {"$in": list(stream_ids)}, "attempt": {"$gt": 0}}
        tx.write(self._jobs, DeleteMany(query))

    def put_retry(self, job: Job, due_at: datetime, tx: Tx) -> None:
        """Store a retry, new or changed, and end its lease. Collected."""
        values = {**_values(job), **_LONG_AGO, "holder": None, "due_at": due_at}
        tx.write(self._jobs, UpdateOne({"_id": job.job_id}, {"$set": values}, upsert=True))

    async def list_due(self, now: datetime, database_now: datetime, limit: int) -> list[Job]:
        """The jobs that are due and that nobody works on, the longest due first."""
        # Uses index: due_at_1
        free = {"$or": [_LONG_AGO, {"leased_until": {"$lte": database_now}}]}
        cursor = (
            self._jobs.find({"due_at": {"$lte": now}, **free}, batch_size=ONE_REPLY)
            .sort([("due_at", 1)])
            .limit(limit)
        )
        return [_to_job(document) for document in await cursor.to_list(None)]

    async def find_next_due(self) -> datetime | None:
        """When the next job is or was due, whoever works on it; None where there is none."""
        # Uses index: due_at_1
        row = await self._jobs.find_one(
            {"due_at": {"$type": "date"}}, {"due_at": 1}, sort=[("due_at", 1)]
        )
        return row["due_at"] if row else None

    async def claim(self, job: Job, holder: str, until: datetime) -> Job | None:
        """Take the job, as it is now, unless another worker was first or it is gone."""
        document: Document | None = await self._jobs.find_one_and_update(
            {"_id": job.job_id, "leased_until": job.leased_until},
            {"$set": {"holder": holder, "leased_until": until}},
            return_document=True,
        )
        return _to_job(document) if document else None

    async def renew(self, job_ids: Collection[str], holder: str, until: datetime) -> None:
        """Keep the jobs that the worker still has."""
        query: Document = {"_id": {"$in": list(job_ids)}, "holder": holder}
        await self._jobs.update_many(query, {"$set": {"leased_until": until}})

    async def release(self, job: Job, holder: str, due_at: datetime) -> None:
        """Let any worker go on with the job from `due_at` on."""
        await self._jobs.update_one(
            {"_id": job.job_id, "holder": holder},
            {"$set": {"holder": None, **_LONG_AGO, "due_at": due_at}},
        )

    async def mark_in_flight(self, job: Job, holder: str, last: str) -> bool:
        """Note that everyone up to `last` is sent to now. Returns whether the job is still the worker's."""
        result = await self._jobs.update_one(_mine(job, holder), {"$set": {"in_flight": last}})
        return result.matched_count == 1

    async def advance(
        self,
        job: Job,
        holder: str,
        *,
        cursor: str,
        is_wrapped: bool,
        in_flight: str | None,
        tx: Tx | None = None,
    ) -> bool:
        """Store how far the job is. Returns whether it is still the worker's, for this message."""
        values = {"cursor": cursor, "is_wrapped": is_wrapped, "in_flight": in_flight}
        result = await self._jobs.update_one(
            _mine(job, holder), {"$set": values}, session=tx.session if tx else None
        )
        return result.matched_count == 1

    async def finish(self, job: Job, holder: str, tx: Tx | None = None) -> bool:
        """Delete the job, unless a newer message has begun. Returns whether it was still the worker's."""
        result = await self._jobs.delete_one(_mine(job, holder), session=tx.session if tx else None)
        return result.deleted_count == 1


def _mine(job: Job, holder: str) -> Document:
    return {"_id": job.job_id, "seq": job.seq, "holder": holder}


def _put_newest(job: Job, due_at: datetime) -> UpdateOne:
    values = {name: {"$literal": value} for name, value in _values(job).items()}
    kept: Any = {
        # An older message ends here. `$$ROOT` of a new document has none of these.
        "start": {"$ifNull": ["$cursor", ""]},
        "cursor": {"$ifNull": ["$cursor", ""]},
        "due_at": {"$ifNull": ["$due_at", due_at]},
        "leased_until": {"$ifNull": ["$leased_until", None]},
        "holder": {"$ifNull": ["$holder", None]},
    }
    return UpdateOne({"_id": job.job_id}, [{"$set": {**values, **kept}}], upsert=True)


def _values(job: Job) -> Document:
    return {
        "stream_id": job.stream_id,
        "seq": job.seq,
        "sender_id": job.sender_id,
        "posted_at": job.posted_at,
        "group_id": None if job.is_inbox else job.group_id,
        "is_channel": job.is_channel,
        "recipient_id": job.recipient_id,
        "peer_id": job.peer_id,
        "post_seq": job.post_seq,
        "inbox_of": job.group_id if job.is_inbox else None,
        "is_reminder": job.is_reminder,
        "start": job.start,
        "cursor": job.cursor,
        "is_wrapped": job.is_wrapped,
        "in_flight": job.in_flight,
        "attempt": job.attempt,
        "device_keys": [join_key(*key) for key in job.device_keys],
    }


def _to_job(row: Document) -> Job:
    # Absent in jobs of older versions.
    inbox_of = row.get("inbox_of")
    group_id, recipient_id = inbox_of or row["group_id"], row["recipient_id"]
    return Job(
        job_id=row["_id"],
        stream_id=StreamId(row["stream_id"]),
        seq=row["seq"],
        sender_id=UserId(row["sender_id"]),
        posted_at=row["posted_at"],
        group_id=GroupId(group_id) if group_id is not None else None,
        is_channel=row["is_channel"],
        recipient_id=UserId(recipient_id) if recipient_id is not None else None,
        peer_id=row["peer_id"],
        # Absent as well.
        post_seq=row.get("post_seq"),
        is_inbox=inbox_of is not None,
        is_reminder=row.get("is_reminder", False),
        start=row["start"],
        cursor=row["cursor"],
        is_wrapped=row["is_wrapped"],
        in_flight=row["in_flight"],
        attempt=row["attempt"],
        device_keys=tuple(_key(text) for text in row["device_keys"]),
        due_at=row["due_at"],
        leased_until=row["leased_until"],
    )


def _key(text: str) -> DeviceKey:
    user_id, _, device_id = text.partition(SEPARATOR)
    return UserId(user_id), device_id
