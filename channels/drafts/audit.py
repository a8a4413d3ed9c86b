"""Checks of stored drafts: each belongs to a channel, and the scheduler publishes it at its `publish_at`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from channels.drafts.service.drafts import DraftCleanup
from channels.drafts.store import DraftStore
from groups.audit.joins import look_up
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.stream import StreamService

HOLDER: Final = "drafts"
"""The collection whose documents have a `content` like messages, with uploads that count as used."""


_IS_DUE_AT: Final[dict[str, Any]] = {
    "$cond": [{"$eq": [{"$ifNull": ["$failure", None]}, None]}, "$publish_at", None]
}


def checks(database: Database, draft_content: DraftContent, streams: StreamService) -> list[Check]:
    """Return the checks of drafts."""
    audit = _Audit(
        database=database,
        store=DraftStore(database),
        cleanup=DraftCleanup(drafts=DraftStore(database), content=draft_content),
        streams=streams,
    )
    return [
        Check(
            "P9",
            "drafts belong to channels",
            "drafts",
            lambda snapshot: snapshot.count(HOLDER),
            audit.find_drafts_without_channel,
        ),
        Check(
            "P6",
            "a scheduled post is due at its hour",
            "drafts",
            lambda snapshot: snapshot.count(HOLDER),
            audit.find_wrong_hours,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: DraftStore
    cleanup: DraftCleanup
    streams: StreamService

    async def find_drafts_without_channel(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Drafts are deleted with their channel: a later channel with the same id must not have them."""
        rows = snapshot.rows(
            HOLDER,
            [
                {"$group": {"_id": "$channel_id", "rows": {"$sum": 1}}},
                look_up("channels", "_id", "channel"),
                look_up("disbanded", "_id", "disbanded"),
                {"$match": {"channel": [], "disbanded": []}},
            ],
        )
        async for row in rows:
            problem = f"does not exist, and has {row['rows']} drafts"
            repair = self._delete_drafts(GroupId(row["_id"]))
            yield Finding("P9", f"channel {row['_id']}", problem, repair)

    def _delete_drafts(self, channel_id: GroupId) -> Repair:
        stream_id = stream_of(channel_id)

        async def step(tx: Tx) -> int:
            if await self.streams.exists(stream_id, tx):
                return 0
            return await self.cleanup.delete_some(stream_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted} drafts" if deleted else None

        return repair

    async def find_wrong_hours(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The scheduler reads only `due_at`, which must match `publish_at` and `failure`."""
        rows = snapshot.rows(
            HOLDER,
            [
                {"$match": {"$expr": {"$ne": [{"$ifNull": ["$due_at", None]}, _IS_DUE_AT]}}},
                {"$project": {"channel_id": 1, "draft_id": 1}},
            ],
        )
        async for row in rows:
            subject = f"draft {row['draft_id']} of {row['channel_id']}"
            repair = self._repair_hour(GroupId(row["channel_id"]), row["draft_id"])
            yield Finding("P6", subject, "is not due at its publish_at", repair)

    def _repair_hour(self, channel_id: GroupId, draft_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            draft = await self.store.find_draft(channel_id, draft_id, tx)
            if draft is None:
                return None
            await self.store.replace(draft, tx)
            return "set when it is due"

        return lambda: self.database.run(work)
