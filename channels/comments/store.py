"""Documents of the streams of comments: `_id` is the stream's id.

The comments themselves are messages (`groups.store.messages`). This collection finds the streams of a channel, which
end with it, and those that ended with their posts (`is_ended`).
"""

from collections.abc import Iterable

from pymongo import InsertOne

from channels.comments.models import CommentStream, PostPlace
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Index, Tx


class CommentStreamStore:
    """The collection `comment_streams`."""

    INDEXES = (
        Index(
            "comment_streams", [("channel_id", 1)], "the streams of a channel, which end with it"
        ),
        Index(
            "comment_streams",
            [("is_ended", 1)],
            "the streams whose remains are to be deleted",
            partial={"is_ended": True},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._streams = database.collection("comment_streams")

    def insert_many(self, places: Iterable[PostPlace], tx: Tx) -> None:
        """Note streams that begin, with the other writes of the transaction."""
        tx.write(
            self._streams,
            *(
                InsertOne(
                    {"_id": place.stream_id, "channel_id": place.channel_id, "post_seq": place.seq}
                )
                for place in places
            ),
        )

    async def put(self, place: PostPlace, tx: Tx) -> None:
        """Note a stream, whether it is noted already or not."""
        values = {"channel_id": place.channel_id, "post_seq": place.seq}
        await self._streams.update_one(
            _key(place), {"$set": values}, upsert=True, session=tx.session
        )

    async def mark_ended(self, place: PostPlace, tx: Tx) -> None:
        await self._streams.update_one(
            _key(place), {"$set": {"is_ended": True}}, session=tx.session
        )

    async def touch_ended(self, place: PostPlace, tx: Tx) -> bool:
        """Write to the document of an ended stream, so that deleting it conflicts; False where there is none."""
        result = await self._streams.update_one(
            {**_key(place), "is_ended": True}, {"$inc": {"touched": 1}}, session=tx.session
        )
        return result.matched_count == 1

    async def list_ended(self, limit: int) -> list[CommentStream]:
        # Uses index: is_ended_1 (partial)
        cursor = self._streams.find({"is_ended": True}, limit=limit)
        return [_to_stream(row) for row in await cursor.to_list(None)]

    async def find_one_of(self, channel_id: GroupId, tx: Tx) -> CommentStream | None:
        """Any stream of comments of the channel."""
        # Uses index: channel_id_1
        row = await self._streams.find_one({"channel_id": channel_id}, session=tx.session)
        return _to_stream(row) if row else None

    async def delete(self, place: PostPlace, tx: Tx) -> None:
        await self._streams.delete_one(_key(place), session=tx.session)


def _key(place: PostPlace) -> Document:
    return {"_id": place.stream_id, "channel_id": place.channel_id}


def _to_stream(row: Document) -> CommentStream:
    return CommentStream(PostPlace(row["channel_id"], row["post_seq"]), row.get("is_ended", False))
