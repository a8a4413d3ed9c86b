"""Figures of posts: `_id` is the message's key. A post of which nothing was counted has no document."""

from collections.abc import Mapping, Sequence

from pymongo import UpdateOne

from channels.post_reports.models import NO_FIGURES, PostFigures
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Database, Document, Index, Tx
from groups.models import message_key


class PostFigureStore:
    """The collection `post_figures`."""

    INDEXES = (Index("post_figures", [("stream_id", 1)], "those of a stream that has ended"),)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._figures = database.collection("post_figures")

    async def find(self, stream_id: StreamId, seq: int) -> PostFigures:
        row = await self._figures.find_one(_match(stream_id, seq))
        if row is None:
            return NO_FIGURES
        return PostFigures(
            pushed=row.get("pushed", 0),
            rejected=row.get("rejected", 0),
            failed=row.get("failed", 0),
            sockets=row.get("sockets", 0),
        )

    def add(self, stream_id: StreamId, seq: int, more: Mapping[str, int], tx: Tx) -> None:
        """Add to the figures. Collected (`Tx.write`)."""
        tx.write(self._figures, _increment(stream_id, seq, more))

    async def add_sockets(self, sockets: Mapping[tuple[StreamId, int], int]) -> None:
        """Add to the sockets of these posts, with one command."""
        await self._database.apply(
            self._figures,
            [_increment(*key, {"sockets": number}) for key, number in sockets.items()],
            None,
        )

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` documents of an ended stream. Returns how many there were."""
        # Uses index: stream_id_1
        cursor = self._figures.find({"stream_id": stream_id}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if keys:
            query: Document = {"stream_id": stream_id, "_id": {"$in": keys}}
            await self._figures.delete_many(query, session=tx.session)
        return len(keys)

    async def delete_of(self, stream_id: StreamId, seqs: Sequence[int], tx: Tx) -> None:
        """Delete the figures of these messages, which end in this transaction."""
        keys = [message_key(stream_id, seq) for seq in seqs]
        query: Document = {"stream_id": stream_id, "_id": {"$in": keys}}
        await self._figures.delete_many(query, session=tx.session)


def _match(stream_id: StreamId, seq: int) -> Document:
    return {"_id": message_key(stream_id, seq), "stream_id": stream_id}


def _increment(stream_id: StreamId, seq: int, more: Mapping[str, int]) -> UpdateOne:
    return UpdateOne(_match(stream_id, seq), {"$inc": dict(more)}, upsert=True)
