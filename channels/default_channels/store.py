"""The documents of default channels.

`default_channels`: `_id` is the channel's id. One that is no default any more keeps its document, and so its number,
until the channel is deleted. The document with the empty id is the guard: every transaction that makes a channel a
default, or stops that, writes it. So all of them conflict there, and the limit is exact.

`default_subscriptions`: `_id` is the user's id, `done` has the numbers of the default channels that were decided for
the user. A number is 4 to 8 bytes; there are at most as many as channels that ever were defaults. Numbers of deleted
channels stay; they are never given again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from pymongo import ReturnDocument, UpdateOne

from channels.default_channels.models import DefaultChannel, Guard, Phase, Progress
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx

_GUARD: Final[Document] = {"_id": ""}


class DefaultChannelStore:
    """The collection `default_channels`. It has few documents, so they are read together."""

    INDEXES = (Index("default_channels", [], "found by _id, or all of them"),)

    def __init__(self, database: Database) -> None:
        self._channels = database.collection("default_channels")

    async def touch_guard(self, tx: Tx, *, numbers: int = 0) -> Guard:
        """Make the version grow, and take so many new numbers; returns both as they are then."""
        row = await self._channels.find_one_and_update(
            _GUARD,
            {"$inc": {"version": 1, "last_number": numbers}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=tx.session,
        )
        return _to_guard(row)

    async def find_guard(self) -> Guard:
        """The present version."""
        return _to_guard(await self._channels.find_one(_GUARD))

    async def list_all(self, tx: Tx | None = None) -> list[DefaultChannel]:
        """All channels that are or were defaults, by id. The limit of channels of the deployment bounds them."""
        cursor = self._channels.find({"_id": {"$gt": ""}}, session=tx.session if tx else None)
        return [_to_channel(row) for row in await cursor.sort([("_id", 1)]).to_list(None)]

    async def put(self, channel: DefaultChannel, tx: Tx) -> None:
        """Store the channel, with its progress, and end the lease of its sweep."""
        values: Document = {
            "number": channel.number,
            "is_on": channel.is_on,
            "since": channel.since,
            "set_by": channel.set_by,
            "entry_id": channel.entry_id,
            **_to_values(channel.progress),
        }
        await self._channels.update_one(
            {"_id": channel.channel_id},
            {"$set": values, "$unset": {"holder": "", "leased_until": ""}},
            upsert=True,
            session=tx.session,
        )

    async def delete(self, channel_id: GroupId, tx: Tx) -> bool:
        """Delete what is stored of the channel; returns whether there was anything."""
        result = await self._channels.delete_one({"_id": channel_id}, session=tx.session)
        return result.deleted_count == 1

    async def lease(
        self, channel_id: GroupId, holder: str, now: datetime, until: datetime
    ) -> DefaultChannel | None:
        """Lease the sweep of the channel until then, or prolong the lease.

        None where there is nothing to sweep, or another process holds the lease.
        """
        wanted: Document = {
            "_id": channel_id,
            "is_on": True,
            "phase": {"$ne": Phase.DONE.value},
            "$or": [
                {"holder": holder},
                {"leased_until": {"$exists": False}},
                {"leased_until": {"$lte": now}},
            ],
        }
        row = await self._channels.find_one_and_update(
            wanted,
            {"$set": {"holder": holder, "leased_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return _to_channel(row) if row else None

    def query_held(self, channel_id: GroupId, holder: str | None) -> BatchedQuery[Progress | None]:
        """The progress of the channel's sweep; None where the channel is no default, or this holder lost the lease.

        Without a `holder`, the lease does not matter.
        """
        match: Document = {"_id": channel_id, "is_on": True}
        if holder is not None:
            match["holder"] = holder
        return BatchedQuery(
            self._channels, match, lambda rows: _to_progress(rows[0]) if rows else None
        )

    async def pass_on(
        self, channel_id: GroupId, holder: str, before: Progress, after: Progress
    ) -> None:
        """Store how far the sweep is after users of whom none is new, if the lease is held and it was at `before`."""
        key = {
            "_id": channel_id,
            "holder": holder,
            "phase": before.phase.value,
            "after": before.after,
        }
        await self._channels.update_one(key, {"$set": _to_values(after)})

    def put_progress(self, channel_id: GroupId, holder: str, progress: Progress, tx: Tx) -> None:
        """Store how far the sweep is, with the other writes of the transaction, if the lease is still held."""
        key = {"_id": channel_id, "holder": holder}
        tx.write(self._channels, UpdateOne(key, {"$set": _to_values(progress)}))


class DefaultSubscriptionStore:
    """The collection `default_subscriptions`."""

    INDEXES = (Index("default_subscriptions", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._marks = database.collection("default_subscriptions")

    async def find_done(self, user_ids: Collection[UserId]) -> Mapping[UserId, frozenset[int]]:
        """The numbers that were decided for these users; users for whom none was are absent."""
        cursor = self._marks.find({"_id": {"$in": list(user_ids)}}, batch_size=ONE_REPLY)
        return {UserId(row["_id"]): frozenset(row["done"]) for row in await cursor.to_list(None)}

    def query_done(
        self, user_ids: Collection[UserId], number: int
    ) -> BatchedQuery[frozenset[UserId]]:
        """Those of the users for whom this number was decided, as a query to send together with others."""
        return BatchedQuery(
            self._marks,
            {"_id": {"$in": list(user_ids)}, "done": number},
            lambda rows: frozenset(UserId(row["_id"]) for row in rows),
            {"$project": {"_id": 1}},
        )

    def put_done(self, user_ids: Collection[UserId], number: int, tx: Tx) -> None:
        """Remember the number for these users, with the other writes of the transaction."""
        more: Document = {"$addToSet": {"done": number}}
        tx.write(
            self._marks, *(UpdateOne({"_id": user_id}, more, upsert=True) for user_id in user_ids)
        )


def _to_guard(row: Document | None) -> Guard:
    return Guard(row["version"], row["last_number"]) if row else Guard(0, 0)


def _to_values(progress: Progress) -> Document:
    return {
        "phase": progress.phase.value,
        "after": progress.after,
        "walked": progress.walked,
        "subscribed": progress.subscribed,
        "passed_over": progress.passed_over,
        "is_full": progress.is_full,
    }


def _to_progress(row: Document) -> Progress:
    return Progress(
        phase=Phase(row["phase"]),
        after=row["after"],
        walked=row["walked"],
        subscribed=row["subscribed"],
        passed_over=row["passed_over"],
        is_full=row["is_full"],
    )


def _to_channel(row: Document) -> DefaultChannel:
    since: datetime = row["since"]
    return DefaultChannel(
        channel_id=GroupId(row["_id"]),
        number=row["number"],
        is_on=row["is_on"],
        since=since,
        set_by=UserId(row["set_by"]),
        entry_id=row["entry_id"],
        progress=_to_progress(row),
    )
