"""Draft documents: `_id` is `channel<US>draft`.

`order_at` is the sort key of lists, the hour of a scheduled one and else when it was made; of one hour, what was made
first comes first. `due_at` is there only while
it publishes itself, so that the index by which the schedulers look holds nothing else.
"""

from datetime import datetime
from typing import Final, NamedTuple

from channels.drafts.models import Draft, Failure
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx


class Place(NamedTuple):
    """Where in a list a draft stands."""

    order_at: datetime
    created_at: datetime
    draft_id: str


_ORDER: Final = [("order_at", 1), ("created_at", 1), ("draft_id", 1)]


def place_of(draft: Draft) -> Place:
    """Where the draft stands in its list."""
    return Place(draft.publish_at or draft.created_at, draft.created_at, draft.draft_id)


class DraftStore:
    """The collection `drafts`."""

    INDEXES = (
        Index(
            "drafts",
            [("channel_id", 1), ("is_scheduled", 1), *_ORDER],
            "the drafts of a channel, or its scheduled ones by their hour; how many there are",
        ),
        Index(
            "drafts",
            [("due_at", 1), ("created_at", 1)],
            "what is due, and what will be next",
            partial={"due_at": {"$type": "date"}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._drafts = database.collection("drafts")

    async def find(self, channel_id: GroupId, draft_id: str, tx: Tx | None = None) -> Draft | None:
        """The draft."""
        document = await self._drafts.find_one(
            _key(channel_id, draft_id), session=tx.session if tx else None
        )
        return _to_draft(document) if document else None

    async def list_of_channel(
        self, channel_id: GroupId, *, scheduled: bool, after: Place | None, limit: int
    ) -> list[Draft]:
        """Drafts of the channel, the scheduled ones or the others, in the order of their places."""
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
        return [_to_draft(document) for document in await cursor.to_list(None)]

    async def count_up_to(self, limit: int, channel_id: GroupId, *, scheduled: bool, tx: Tx) -> int:
        """How many the channel has, scheduled ones or others; never more than `limit` are looked at."""
        # Uses index: channel_id_1_is_scheduled_1_order_at_1_created_at_1_draft_id_1 (covered)
        cursor = self._drafts.find(
            {"channel_id": channel_id, "is_scheduled": scheduled},
            {"_id": 0, "draft_id": 1},
            session=tx.session,
        ).limit(limit)
        return len(await cursor.to_list(None))

    async def insert(self, draft: Draft, tx: Tx) -> None:
        """Add a draft."""
        await self._drafts.insert_one(_to_document(draft), session=tx.session)

    async def replace(self, draft: Draft, tx: Tx) -> None:
        """Store what was changed."""
        key = _key(draft.channel_id, draft.draft_id)
        values = _to_document(draft)
        del values["_id"], values["channel_id"]
        # Field by field: what a newer version stored beside them stays.
        update: Document = {"$set": values}
        if draft.due_at is None:
            update["$unset"] = {"due_at": ""}
        await self._drafts.update_one(key, update, session=tx.session)

    async def take(
        self, channel_id: GroupId, draft_id: str, tx: Tx, *, due_by: datetime | None = None
    ) -> Draft | None:
        """Remove and answer the draft, if it is there and, where that is asked, due by then."""
        wanted = _key(channel_id, draft_id)
        if due_by is not None:
            wanted["due_at"] = {"$lte": due_by}
        document = await self._drafts.find_one_and_delete(wanted, session=tx.session)
        return _to_draft(document) if document else None

    async def take_some(self, channel_id: GroupId, limit: int, tx: Tx) -> list[Draft]:
        """Remove and answer up to `limit` drafts of the channel."""
        cursor = self._drafts.find({"channel_id": channel_id}, session=tx.session).limit(limit)
        drafts = [_to_draft(document) for document in await cursor.to_list(None)]
        if drafts:
            ids = [draft.draft_id for draft in drafts]
            await self._drafts.delete_many(
                {"channel_id": channel_id, "draft_id": {"$in": ids}}, session=tx.session
            )
        return drafts

    # --- the schedule ---------------------------------------------------------------------------------------------

    async def list_due(self, now: datetime, limit: int) -> list[Draft]:
        """Those that are due, of all channels, in the order in which they became so."""
        # Uses index: due_at_1_created_at_1
        cursor = (
            self._drafts.find({"due_at": {"$lte": now}})
            .sort([("due_at", 1), ("created_at", 1)])
            .limit(limit)
        )
        return [_to_draft(document) for document in await cursor.to_list(None)]

    async def next_due(self) -> datetime | None:
        """When the next one is due, or was; None: nothing is scheduled."""
        # Uses index: due_at_1_created_at_1
        cursor = (
            self._drafts.find({"due_at": {"$type": "date"}}, {"_id": 0, "due_at": 1})
            .sort([("due_at", 1), ("created_at", 1)])
            .limit(1)
        )
        rows = await cursor.to_list(None)
        return rows[0]["due_at"] if rows else None

    async def fail(self, draft: Draft, failure: Failure) -> bool:
        """Note why it was not published; False when it was changed, published or thrown away meanwhile."""
        result = await self._drafts.update_one(
            {**_key(draft.channel_id, draft.draft_id), "version": draft.version},
            {"$set": {"failure": failure.model_dump(mode="python")}, "$unset": {"due_at": ""}},
        )
        return result.matched_count == 1


def _key(channel_id: GroupId, draft_id: str) -> Document:
    return {"_id": join_key(channel_id, draft_id), "channel_id": channel_id}


def _to_document(draft: Draft) -> Document:
    document: Document = draft.model_dump(mode="python")
    document["_id"] = join_key(draft.channel_id, draft.draft_id)
    document["order_at"] = place_of(draft).order_at
    document["is_scheduled"] = draft.publish_at is not None
    if draft.due_at is not None:
        document["due_at"] = draft.due_at
    return document


def _to_draft(document: Document) -> Draft:
    return Draft.from_stored(document)
