"""What stored drafts must fulfil: each belongs to a channel, and is due when it says."""

from collections.abc import AsyncIterator
from typing import Any, Final

from channels.drafts.service.cleanup import DraftCleanup
from channels.drafts.store import DraftStore
from groups.audit.joins import look_up
from groups.kernel.audit import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.stream import StreamService

HOLDER: Final = "drafts"
"""The collection whose documents hold a `content` as messages do, with uploads that count as used."""

STEP: Final = 20  # drafts a transaction: each may hold ten uploads

_IS_DUE_AT: Final[dict[str, Any]] = {
    "$cond": [{"$eq": [{"$ifNull": ["$failure", None]}, None]}, "$publish_at", None]
}


def checks(database: Database, draft_content: DraftContent, streams: StreamService) -> list[Check]:
    """The checks of drafts."""
    audit = _Audit(database, DraftStore(database), draft_content, streams)
    return [
        Check(
            "P9",
            "drafts belong to channels",
            "drafts",
            lambda snapshot: snapshot.number(HOLDER),
            audit.channels,
        ),
        Check(
            "P6",
            "a scheduled post is due at its hour",
            "drafts",
            lambda snapshot: snapshot.number(HOLDER),
            audit.hours,
        ),
    ]


class _Audit:
    def __init__(
        self,
        database: Database,
        store: DraftStore,
        draft_content: DraftContent,
        streams: StreamService,
    ) -> None:
        self._database = database
        self._store = store
        self._streams = streams
        self._cleanup = DraftCleanup(drafts=store, content=draft_content)

    async def channels(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """A draft left behind would be greeted by the admins of the next channel with that id."""
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
            repair = self._clearing(GroupId(row["_id"]))
            yield Finding("P9", f"channel {row['_id']}", problem, repair)

    def _clearing(self, channel_id: GroupId) -> Repair:
        stream_id = stream_of(channel_id)

        async def step(tx: Tx) -> int:
            if await self._streams.exists(stream_id, tx):
                return 0
            return await self._cleanup.delete_some(stream_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self._database.run(step):
                deleted += more
            return f"deleted {deleted} drafts" if deleted else None

        return repair

    async def hours(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The schedulers look at `due_at` only."""
        rows = snapshot.rows(
            HOLDER,
            [
                {"$match": {"$expr": {"$ne": [{"$ifNull": ["$due_at", None]}, _IS_DUE_AT]}}},
                {"$project": {"channel_id": 1, "draft_id": 1}},
            ],
        )
        async for row in rows:
            subject = f"draft {row['draft_id']} of {row['channel_id']}"
            repair = self._mending(GroupId(row["channel_id"]), row["draft_id"])
            yield Finding("P6", subject, "is not due when it says", repair)

    def _mending(self, channel_id: GroupId, draft_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            draft = await self._store.find(channel_id, draft_id, tx)
            if draft is None:
                return None
            await self._store.replace(draft, tx)
            return "had it due when it says"

        return lambda: self._database.run(work)
