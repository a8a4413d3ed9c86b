"""The queries of the checks of reactions, each one aggregation, and the writes of their repairs."""

from collections.abc import AsyncIterator
from typing import Any, Final

from groups.audit.joins import Stage, joined, not_of_disbanded, union, without_message
from groups.kernel.mongo import Database, Document, Tx, aggregate
from groups.kernel.mongo.snapshot import Snapshot
from reactions.models import ACKNOWLEDGED, VOTE_PREFIX

STEP: Final = 1_000  # documents a transaction: short enough not to delay others


class ReactionAuditStore:
    """Reads all reactions; writes single tallies."""

    def __init__(self, database: Database) -> None:
        self._reactions = database.collection("reactions")
        self._tallies = database.collection("tallies")

    @staticmethod
    def wrong_counts(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Find messages whose counts are not those of their reactions and votes: `wrong` lists text, counted, held."""
        pair: Stage = {"m": "$message_id", "e": "$emoji"}
        key = {"m": "$_id", "e": "$count.k"}
        votes = {
            "$map": {
                "input": {"$objectToArray": {"$ifNull": ["$votes", {}]}},
                "in": {"k": {"$concat": [VOTE_PREFIX, "$$this.k"]}, "v": "$$this.v"},
            }
        }
        # A tally without acknowledgements has no field for them, and none is held.
        acknowledged = {
            "$cond": [
                {"$ifNull": ["$acknowledged", False]},
                [{"k": ACKNOWLEDGED, "v": "$acknowledged"}],
                [],
            ]
        }
        emoji = {"$objectToArray": "$counts"}
        counted: list[Stage] = [
            {"$project": {"count": {"$concatArrays": [emoji, votes, acknowledged]}}},
            {"$unwind": "$count"},
            {"$project": {"_id": key, "counted": "$count.v", "listed": {"$literal": 1}}},
        ]
        sums = {name: {"$sum": f"${name}"} for name in ("held", "counted", "listed")}
        differs = {"$expr": {"$ne": ["$held", "$counted"]}}
        wrong = {"emoji": "$_id.e", "c": "$counted", "h": "$held"}
        pipeline: list[Stage] = [
            # Uses index: message_id_1_emoji_1__id_1, or all of the collection, which is as fast.
            {"$group": {"_id": pair, "held": {"$sum": 1}}},
            union("tallies", *counted),
            {"$group": {"_id": "$_id", **sums}},
            {"$match": {"$or": [differs, {"listed": 1, "counted": {"$lte": 0}}]}},
            {"$group": {"_id": "$_id.m", "wrong": {"$push": wrong}}},
            # The cleanup of a disbanded group deletes the reactions first, then the tallies.
            *not_of_disbanded(),
        ]
        return snapshot.rows("reactions", pipeline)

    @staticmethod
    def wrong_totals(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Find tallies whose total is not the `sum` of their counts."""
        values = {"$map": {"input": {"$objectToArray": "$counts"}, "in": "$$this.v"}}
        pipeline: list[Stage] = [
            {"$project": {"total": 1, "sum": {"$sum": values}}},
            {"$match": {"$expr": {"$ne": ["$total", "$sum"]}}},
        ]
        return snapshot.rows("tallies", pipeline)

    @staticmethod
    def wrong_voters(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Find polls whose `counted` voters are not those who `voted`."""
        pair: Stage = {"m": "$message_id", "u": "$user_id"}
        counted: Stage = {"$project": {"counted": "$voters"}}
        sums = {name: {"$sum": f"${name}"} for name in ("voted", "counted")}
        pipeline: list[Stage] = [
            {"$match": {"emoji": {"$gte": VOTE_PREFIX, "$lt": VOTE_PREFIX + "\uffff"}}},
            {"$group": {"_id": pair}},
            {"$group": {"_id": "$_id.m", "voted": {"$sum": 1}}},
            union("tallies", {"$match": {"voters": {"$exists": True}}}, counted),
            {"$group": {"_id": "$_id", **sums}},
            {"$match": {"$expr": {"$ne": ["$voted", "$counted"]}}},
            *not_of_disbanded(),
        ]
        return snapshot.rows("reactions", pipeline)

    @staticmethod
    def misfiled(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Find reactions whose `_id` is not that of message, user and emoji, so that one may exist twice."""
        key = joined("$message_id", "$user_id", "$emoji")
        return snapshot.rows("reactions", [{"$match": {"$expr": {"$ne": ["$_id", key]}}}])

    @staticmethod
    def of_no_message(snapshot: Snapshot) -> AsyncIterator[Document]:
        """Find messages that do not exist and have reactions or a tally: id, `rows`, `stream` (none or one)."""
        pipeline: list[Stage] = [
            {"$group": {"_id": "$message_id", "rows": {"$sum": 1}}},
            union("tallies", {"$project": {"rows": {"$literal": 1}}}),
            {"$group": {"_id": "$_id", "rows": {"$sum": "$rows"}}},
            *without_message(),
        ]
        return snapshot.rows("reactions", pipeline)

    async def touch(self, message_id: str, tx: Tx) -> Document:
        """Write the tally, so that reactions wait for this transaction. Returns the tally before."""
        before = await self._tallies.find_one({"_id": message_id}, session=tx.session)
        await self._tallies.update_one(
            {"_id": message_id}, {"$inc": {"version": 1}}, upsert=True, session=tx.session
        )
        return before or {}

    async def count(self, message_id: str, tx: Tx) -> dict[str, int]:
        """Return how many users hold each emoji, and how many chose each option, by its stored text."""
        # Uses index: message_id_1_emoji_1__id_1
        rows = await aggregate(
            self._reactions,
            [
                {"$match": {"message_id": message_id}},
                {"$group": {"_id": "$emoji", "n": {"$sum": 1}}},
            ],
            session=tx.session,
        )
        return {row["_id"]: row["n"] for row in rows}

    async def count_voters(self, message_id: str, tx: Tx) -> int:
        # Uses index: message_id_1_emoji_1__id_1
        votes = {"$gte": VOTE_PREFIX, "$lt": VOTE_PREFIX + "\uffff"}
        rows = await aggregate(
            self._reactions,
            [
                {"$match": {"message_id": message_id, "emoji": votes}},
                {"$group": {"_id": "$user_id"}},
                {"$count": "n"},
            ],
            session=tx.session,
        )
        return int(rows[0]["n"]) if rows else 0

    async def put(self, message_id: str, values: dict[str, Any], tx: Tx) -> None:
        await self._tallies.update_one({"_id": message_id}, {"$set": values}, session=tx.session)

    async def delete_some(self, message_id: str, tx: Tx) -> int:
        """Delete some of the message's reactions, and at last its tally. Returns the number of documents."""
        of_message = {"message_id": message_id}
        cursor = self._reactions.find(of_message, {"_id": 1}, session=tx.session).limit(STEP)
        keys = [row["_id"] for row in await cursor.to_list(None)]
        if not keys:
            gone = await self._tallies.delete_one({"_id": message_id}, session=tx.session)
            return gone.deleted_count
        wanted: Document = {"_id": {"$in": keys}, **of_message}
        result = await self._reactions.delete_many(wanted, session=tx.session)
        return result.deleted_count
