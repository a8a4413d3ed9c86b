"""Draft documents: `_id` is `channel<US>draft`.

`order_at` is the sort key of lists: `publish_at` of a scheduled post, else the creation time. Drafts with the same one
are sorted by creation. `due_at` exists only while the scheduler is to publish the draft, so its index has no others.
"""

from datetime import datetime
from typing import Final, NamedTuple

from channels.drafts.models import Draft, Failure
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx


class DraftPosition(NamedTuple):
    """The position of a draft in its list."""

    order_at: datetime
    created_at: datetime
    draft_id: str


_ORDER: Final = [("order_at", 1), ("created_at", 1), ("draft_id", 1)]


def position_of(draft: Draft) -> DraftPosition:
    """Return the position of the draft in its list."""
    return DraftPosition(draft.publish_at or draft.created_at, draft.created_at, draft.draft_id)


class DraftStore:
    """The collection `drafts`."""

    INDEXES = (
        Index(
            "drafts",
            [("channel_id", 1), ("is_scheduled", 1), *_ORDER],
            "the drafts of a channel, or its scheduled posts by publish_at; their number",
        ),
        Index(
            "drafts",
            [("due_at", 1), ("created_at", 1)],
            "the drafts that are due, and the next one",
            partial={"due_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._drafts = database.collection("drafts")

    async def find_draft(
        self, channel_id: GroupId, draft_id: str, tx: Tx | None = None
    ) -> Draft | None:
        document = await self._drafts.find_one(
            _key(channel_id, draft_id), session=tx.session if tx else None
        )
        return Draft.from_stored(document) if document else None

    async def list_drafts(
        self, channel_id: GroupId, *, scheduled: bool, after: DraftPosition | None, limit: int
    ) -> list[Draft]:
        """Return the channel's scheduled posts, or its other drafts, after the position `after`."""
        # Uses index: channel_id_1_is_scheduled_1_order_at_1_created_at_1_draft_id_1
        wanted: Document = {"channel_id": channel_id, "is_scheduled": scheduled}
        if after is not None:
            same_hour = {"order_at": after.order_at}
            same_instant = {**same_hour, "created_at": after.created_at}
            wanted["$or"] = [
                {"order_at": {"$gt": after.order_at}},
                {**same_hour, "created_at": {"$gt": after.created_at}},
                {**same_instant, "draft_id": {"$gt": after.draft_id}},
            ]
        cursor = self._drafts.find(wanted).sort(_ORDER).limit(limit)
        return [Draft.from_stored(document) for document in await cursor.to_list(None)]

    async def count_drafts(
        self, channel_id: GroupId, *, scheduled: bool, limit: int, tx: Tx
    ) -> int:
        """Count the channel's scheduled posts, or its other drafts, up to `limit`."""
        # Uses index: channel_id_1_is_scheduled_1_order_at_1_created_at_1_draft_id_1 (covered)
        cursor = self._drafts.find(
            {"channel_id": channel_id, "is_scheduled": scheduled},
            {"_id": 0, "draft_id": 1},
            session=tx.session,
        ).limit(limit)
        return len(await cursor.to_list(None))

    async def insert(self, draft: Draft, tx: Tx) -> None:
        await self._drafts.insert_one(_to_document(draft), session=tx.session)

    async def replace(self, draft: Draft, tx: Tx) -> None:
        key = _key(draft.channel_id, draft.draft_id)
        values = _to_document(draft)
        del values["_id"], values["channel_id"]
        # Field by field, so that fields of a newer version stay.
        update: Document = {"$set": values}
        if draft.due_at is None:
            update["$unset"] = {"due_at": ""}
        await self._drafts.update_one(key, update, session=tx.session)

    async def take_draft(
        self, channel_id: GroupId, draft_id: str, tx: Tx, *, due_by: datetime | None = None
    ) -> Draft | None:
        """Delete and return the draft, with `due_by` only if it is due by then."""
        wanted = _key(channel_id, draft_id)
        if due_by is not None:
            wanted["due_at"] = {"$lte": due_by}
        document = await self._drafts.find_one_and_delete(wanted, session=tx.session)
        return Draft.from_stored(document) if document else None

    async def take_drafts(self, channel_id: GroupId, limit: int, tx: Tx) -> list[Draft]:
        cursor = self._drafts.find({"channel_id": channel_id}, session=tx.session).limit(limit)
        drafts = [Draft.from_stored(document) for document in await cursor.to_list(None)]
        if drafts:
            ids = [draft.draft_id for draft in drafts]
            await self._drafts.delete_many(
                {"channel_id": channel_id, "draft_id": {"$in": ids}}, session=tx.session
            )
        return drafts

    async def list_due_drafts(self, now: datetime, limit: int) -> list[Draft]:
        """Return the due drafts of all channels, in the order in which they became due."""
        # Uses index: due_at_1_created_at_1
        cursor = (
            self._drafts.find({"due_at": {"$lte": now}})
            .sort([("due_at", 1), ("created_at", 1)])
            .limit(limit)
        )
        return [Draft.from_stored(document) for document in await cursor.to_list(None)]

    async def find_next_due(self) -> datetime | None:
        """Return when the next draft is or was due; None if none is scheduled."""
        # Uses index: due_at_1_created_at_1
        cursor = (
            self._drafts.find({"due_at": {"$type": "date"}}, {"_id": 0, "due_at": 1})
            .sort([("due_at", 1), ("created_at", 1)])
            .limit(1)
        )
        rows = await cursor.to_list(None)
        return rows[0]["due_at"] if rows else None

    async def record_failure(self, draft: Draft, failure: Failure) -> bool:
        """Store why it was not published. Returns False if it was changed, published or deleted meanwhile."""
        result = await self._drafts.update_one(
            {**_key(draft.channel_id, draft.draft_id), "version": draft.version},
            {"$set": {"failure": failure.model_dump(mode="python")}, "$unset": {"due_at": ""}},
        )
        return result.matched_count == 1


def _key(channel_id: GroupId, draft_id: str) -> Document:
    return {"_id": join_key(channel_id, draft_id), "channel_id": channel_id}


def _to_document(draft: Draft) -> Document:
    document: Document = draft.model_dump(mode="python")
    document["content"] = draft.content.to_stored()
    document["_id"] = join_key(draft.channel_id, draft.draft_id)
    document["order_at"] = position_of(draft).order_at
    document["is_scheduled"] = draft.publish_at is not None
    if draft.due_at is not None:
        document["due_at"] = draft.due_at
    return document
