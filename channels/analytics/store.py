"""The documents of analytics: days in the collection `insights`, and the views of posts in `views`.

Days: `_id` is `channel<US>day<US>part<US>seq`; they hold sums and hours. `seq` is 0, except in documents that version
0.1 writes for one post each, until the rollup; only these have it as a field. Documents expire at `expires_at`. The
documents that count muted members have no day: their `_id` is `channel<US>muted<US>number`. Each group has several, so
that users who mute at the same time seldom conflict.

Views: `_id` is the message's key; salt, sketch and count. At most about 4,200 bytes, however many viewers. A document
is inserted in a transaction that also writes the message, so none is created for a message that is being deleted. Later
changes only update existing documents.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from pymongo import UpdateOne

from channels.analytics.hyperloglog import HyperLogLog
from channels.analytics.models import Part, PostViews
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, join_key
from groups.kernel.mongo import (
    DESCENDING,
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
)

_MUTED: Final = "muted"
_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)


@dataclass(slots=True)
class DaySums:
    """Sums to add to the document of a channel's day; `subscribers` replaces the number before."""

    channel_id: GroupId
    day: date
    part: Part
    expires_at: datetime
    sums: Counter[str] = field(default_factory=Counter)
    subscribers: int | None = None


class DayStore:
    """The collection `insights`."""

    INDEXES = (
        Index(
            "insights",
            [("channel_id", 1), ("part", 1), ("day", 1)],
            "the days of a range; the last one before it",
        ),
        Index("insights", [("day", 1)], "days for the rollup", partial={"seq": {"$exists": True}}),
        Index("insights", [("expires_at", 1)], "days that are over", expire_after_seconds=0),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days = database.collection("insights")

    async def add_many(self, totals: Sequence[DaySums], tx: Tx) -> None:
        """Add the sums to their days, in one command."""
        await self._database.apply(self._days, [_addition(total) for total in totals], tx)

    async def list_days(self, channel_id: GroupId, first: date, last: date) -> list[Document]:
        """Return the documents of the days from `first` to `last`, in no order: `day`, sums and hours."""
        # Uses index: channel_id_1_part_1_day_1; five documents a day after the rollup.
        cursor = self._days.find(
            {
                "channel_id": channel_id,
                "part": {"$in": [part.value for part in Part]},
                "day": {"$gte": first.isoformat(), "$lte": last.isoformat()},
            },
            {"_id": 0, "channel_id": 0, "part": 0, "seq": 0, "expires_at": 0},
            batch_size=ONE_REPLY,
        )
        return [
            {**row, "day": date.fromisoformat(row["day"])} for row in await cursor.to_list(None)
        ]

    async def find_members_before(self, channel_id: GroupId, day: date) -> Document | None:
        """Return the last counts of members before the day: `subscribers`, `joined`, `left`, `removed`."""
        return await self._find_members(channel_id, {"$lt": day.isoformat()}, DESCENDING)

    async def find_members_from(self, channel_id: GroupId, day: date) -> Document | None:
        """Return the first counts of members on or after the day, with the same fields."""
        return await self._find_members(channel_id, {"$gte": day.isoformat()}, 1)

    async def _find_members(
        self, channel_id: GroupId, days: Document, order: int
    ) -> Document | None:
        # Uses index: channel_id_1_part_1_day_1, one key of it.
        row: Document | None = await self._days.find_one(
            {"channel_id": channel_id, "part": Part.MEMBERS.value, "day": days},
            {"_id": 0, "subscribers": 1, "joined": 1, "left": 1, "removed": 1},
            sort=[("day", order)],
        )
        return row

    async def find_day_to_roll_up(self, before: date) -> tuple[GroupId, date] | None:
        """Return a channel and a day before `before` that still has documents for single posts."""
        # Uses index: day_1 (partial: for the rollup). It asks every shard, in the background.
        row = await self._days.find_one(
            {"seq": {"$exists": True}, "day": {"$lt": before.isoformat()}},
            {"channel_id": 1, "day": 1},
            sort=[("day", 1)],
        )
        return (row["channel_id"], date.fromisoformat(row["day"])) if row else None

    async def roll_up_some(self, channel_id: GroupId, day: date, limit: int, tx: Tx) -> int:
        """Merge the documents of up to `limit` posts of the day into one. Returns how many there were."""
        # Uses index: channel_id_1_part_1_day_1
        cursor = self._days.find(
            {
                "channel_id": channel_id,
                "part": Part.REACTIONS.value,
                "day": day.isoformat(),
                "seq": {"$exists": True},
            },
            session=tx.session,
        ).limit(limit)
        rows = await cursor.to_list(None)
        if rows:
            total = DaySums(channel_id, day, Part.REACTIONS, rows[0]["expires_at"])
            for row in rows:
                total.sums["reactions"] += row["reactions"]
                hours = {f"hours.{hour}": number for hour, number in row["hours"].items()}
                total.sums.update(hours)
            await self.add_many([total], tx)
            # A concurrent count or rollup of one of them conflicts here.
            keys = [row["_id"] for row in rows]
            await self._days.delete_many(
                {"_id": {"$in": keys}, "channel_id": channel_id}, session=tx.session
            )
        return len(rows)

    async def add_muted(self, channel_id: GroupId, share: int, more: int, tx: Tx) -> None:
        await self._days.update_one(
            {"_id": join_key(channel_id, _MUTED, share), "channel_id": channel_id},
            {"$inc": {"muted": more}},
            upsert=True,
            session=tx.session,
        )

    async def count_muted(self, channel_id: GroupId, shares: int) -> int:
        keys = [join_key(channel_id, _MUTED, share) for share in range(shares)]
        cursor = self._days.find({"_id": {"$in": keys}, "channel_id": channel_id}, {"muted": 1})
        return sum(row["muted"] for row in await cursor.to_list(None))

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of a deleted channel. Returns how many there were."""
        # Uses index: channel_id_1_part_1_day_1
        cursor = self._days.find({"channel_id": channel_id}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if keys:
            await self._days.delete_many(
                {"_id": {"$in": keys}, "channel_id": channel_id}, session=tx.session
            )
        return len(keys)


def _addition(total: DaySums) -> UpdateOne:
    day, part = total.day.isoformat(), total.part.value
    fixed: Document = {"part": part, "day": day, "expires_at": total.expires_at}
    update: Document = {"$inc": dict(total.sums), "$setOnInsert": fixed}
    if total.subscribers is not None:
        update["$set"] = {"subscribers": total.subscribers}
    key = join_key(total.channel_id, day, part, 0)
    return UpdateOne({"_id": key, "channel_id": total.channel_id}, update, upsert=True)


class ViewStore:
    """The collection `views`."""

    INDEXES = (Index("views", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._views = database.collection("views")

    def query_views(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, PostViews]]:
        """The views of these messages, by key, as a query to send together with others."""
        return BatchedQuery(
            self._views,
            {"_id": {"$in": list(message_ids)}},
            lambda rows: {row["_id"]: _to_views(row) for row in rows},
        )

    def put(self, new: Mapping[str, PostViews], changed: Mapping[str, PostViews], tx: Tx) -> None:
        """Store first and changed views, by key, with the other writes of the transaction.

        Changed ones that are deleted meanwhile are not created again.
        """
        first = (
            UpdateOne({"_id": key}, {"$set": {"salt": kept.salt, **_values(kept)}}, upsert=True)
            for key, kept in new.items()
        )
        further = (
            UpdateOne({"_id": key}, {"$set": _values(kept)}) for key, kept in changed.items()
        )
        tx.write(self._views, *first, *further)

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of a deleted stream. Returns how many there were."""
        # Uses index: _id, in which the keys of a stream are adjacent. It asks all shards, once for each stream.
        whole: Document = {"$gt": stream_id + SEPARATOR, "$lt": stream_id + _AFTER_SEPARATOR}
        cursor = self._views.find({"_id": whole}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.sort([("_id", 1)]).limit(limit).to_list(None)]
        if keys:
            step: Document = {"$gte": keys[0], "$lte": keys[-1]}
            await self._views.delete_many({"_id": step}, session=tx.session)
        return len(keys)

    async def delete_of(self, message_ids: Collection[str], tx: Tx) -> None:
        """Delete the views of these messages, which end in this transaction."""
        await self._views.delete_many({"_id": {"$in": list(message_ids)}}, session=tx.session)


def _values(views: PostViews) -> Document:
    return {
        "sketch": views.sketch.to_bytes(),
        "is_exact": views.sketch.is_exact,
        "count": views.count,
    }


def _to_views(row: Document) -> PostViews:
    sketch = HyperLogLog.from_bytes(row["sketch"], is_exact=row["is_exact"])
    return PostViews(row["salt"], sketch, row["count"])
