"""Block documents: `_id` is `user<US>peer`, so each block exists once.

The collection `block_guards` has one document a user. Each block writes it, so two that race for the last free place
conflict, and so does a channel that begins a thread with the user.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from pymongo import UpdateOne

from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx

BlockKey = tuple[str, str]
"""The id of the user who blocks, and the blocked id."""


class BlockStore:
    """The collections `blocks` and `block_guards`."""

    INDEXES = (
        Index("blocks", [("user_id", 1), ("peer_id", 1)], "a user's blocks, by id"),
        Index("block_guards", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blocks = database.collection("blocks")
        self._guards = database.collection("block_guards")

    def query_blocks(self, pairs: Collection[BlockKey]) -> BatchedQuery[set[BlockKey]]:
        """As `find_blocks`, as a query to send together with others."""
        return BatchedQuery(self._blocks, _match(pairs), _keys_in)

    async def find_blocks(self, pairs: Collection[BlockKey], tx: Tx | None = None) -> set[BlockKey]:
        """Those of the pairs that are blocks."""
        if not pairs:
            return set()
        session = tx.session if tx else None
        cursor = self._blocks.find(
            _match(pairs), {"user_id": 1, "peer_id": 1}, session=session, batch_size=ONE_REPLY
        )
        return _keys_in(await cursor.to_list(None))

    async def list_blocks(
        self, user_id: UserId, *, after: str, limit: int, tx: Tx | None = None
    ) -> list[tuple[str, datetime]]:
        """Return the user's blocks with an id after `after`, by id: the blocked id, and since when."""
        # Uses index: user_id_1_peer_id_1
        cursor = (
            self._blocks.find(
                {"user_id": user_id, "peer_id": {"$gt": after}},
                session=tx.session if tx else None,
                batch_size=ONE_REPLY,
            )
            .sort([("peer_id", 1)])
            .limit(limit)
        )
        return [(row["peer_id"], row["at"]) for row in await cursor.to_list(None)]

    async def touch_guards(self, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Conflict with transactions in which these users block somebody."""
        more: Document = {"$inc": {"version": 1}}
        operations = [UpdateOne({"_id": user_id}, more, upsert=True) for user_id in user_ids]
        await self._database.apply(self._guards, operations, tx)

    def write_guards(self, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Do as `touch_guards` does, with the other writes of the transaction."""
        more: Document = {"$inc": {"version": 1}}
        tx.write(
            self._guards,
            *(UpdateOne({"_id": user_id}, more, upsert=True) for user_id in user_ids),
        )

    async def insert(self, user_id: UserId, peer_id: str, at: datetime, tx: Tx) -> None:
        await self.touch_guards([user_id], tx)
        key = join_key(user_id, peer_id)
        document = {"_id": key, "user_id": user_id, "peer_id": peer_id, "at": at}
        await self._blocks.insert_one(document, session=tx.session)

    async def delete(self, user_id: UserId, peer_id: str, tx: Tx) -> bool:
        """Delete the block. Returns whether it existed."""
        outcome = await self._blocks.delete_one(
            {"_id": join_key(user_id, peer_id), "user_id": user_id}, session=tx.session
        )
        return outcome.deleted_count == 1


def _match(pairs: Collection[BlockKey]) -> Document:
    return {
        "_id": {"$in": [join_key(*pair) for pair in pairs]},
        "user_id": {"$in": list({user_id for user_id, _ in pairs})},
    }


def _keys_in(rows: list[Document]) -> set[BlockKey]:
    return {(row["user_id"], row["peer_id"]) for row in rows}
