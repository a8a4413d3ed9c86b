"""Stream documents: `_id` is the stream id.

The head, the last message, and the token bucket of the posting rate, all in the one document that every post writes
anyway; and `pins`, the seqs of the few pinned messages, the oldest pin first.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from groups.kernel.coalesce import Coalesced
from groups.kernel.ids import StreamId
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Lookup, Tx, milliseconds_of
from groups.models import Head, LastMessage, Message, Stream


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream with its token bucket: `tokens` left at the instant `tokens_at`."""

    stream: Stream
    tokens: float | None
    tokens_at: datetime | None


_head: Final = Head._make
"""Half the price of a call with three arguments, which lists pay by the thousand."""


class StreamStore:
    """The collection `streams`."""

    INDEXES = (Index("streams", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._streams = database.collection("streams")
        self._streams_naive = database.collection("streams", naive_instants=True)
        self._reader = Coalesced(self.find_many)

    async def insert(self, stream: Stream, tx: Tx) -> None:
        """Begin a stream."""
        document: Document = {
            "_id": stream.stream_id,
            "head_seq": stream.head_seq,
            "is_channel": stream.is_channel,
            "last": None,
        }
        await self._streams.insert_one(document, session=tx.session)

    async def find(self, stream_id: StreamId, tx: Tx | None = None) -> Stream | None:
        """The stream's head."""
        if tx is None:
            return await self._reader.find(stream_id)
        document = await self._streams.find_one({"_id": stream_id}, session=tx.session)
        return _to_stream(document) if document else None

    def lookup(self, stream_id: StreamId) -> Lookup[StreamRow | None]:
        """The stream's head with its token bucket."""
        return Lookup(
            self._streams, {"_id": stream_id}, lambda rows: _to_row(rows[0]) if rows else None
        )

    async def find_many(
        self, stream_ids: Iterable[StreamId], tx: Tx | None = None
    ) -> dict[StreamId, Stream]:
        """Those of the streams that exist."""
        cursor = self._streams.find(
            {"_id": {"$in": list(stream_ids)}},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        streams = [_to_stream(document) for document in await cursor.to_list(None)]
        return {stream.stream_id: stream for stream in streams}

    async def advance(
        self, stream_id: StreamId, last: LastMessage, tokens: float | None, at: datetime, tx: Tx
    ) -> None:
        """Move the head to the last message and store what is left in the token bucket."""
        values: Document = {"head_seq": last.seq, "last": asdict(last)}
        if tokens is not None:
            values |= {"tokens": tokens, "tokens_at": at}
        await self._streams.update_one({"_id": stream_id}, {"$set": values}, session=tx.session)

    async def replace_preview(self, message: Message, preview: str, tx: Tx) -> None:
        """Change the line that lists show, if this message is still the last one."""
        await self._streams.update_one(
            {"_id": message.stream_id, "last.seq": message.seq},
            {"$set": {"last.preview": preview}},
            session=tx.session,
        )

    async def list_pins(self, stream_id: StreamId, tx: Tx | None = None) -> list[int] | None:
        """The seqs of the stream's pinned messages, the oldest pin first; None where there is no stream."""
        document = await self._streams.find_one(
            {"_id": stream_id}, {"pins": 1}, session=tx.session if tx else None
        )
        return None if document is None else document.get("pins", [])

    async def set_pin(self, message: Message, tx: Tx) -> None:
        """Put the message's seq among the stream's pins, or take it out, as its `pinned_at` says."""
        change = "$pull" if message.pinned_at is None else "$addToSet"
        await self._streams.update_one(
            {"_id": message.stream_id}, {change: {"pins": message.seq}}, session=tx.session
        )

    async def mark_channel(self, stream_id: StreamId, tx: Tx) -> None:
        """Note that the stream is a channel's, so that unread totals need not ask the group."""
        await self._streams.update_one(
            {"_id": stream_id}, {"$set": {"is_channel": True}}, session=tx.session
        )

    async def delete(self, stream_id: StreamId, tx: Tx) -> None:
        """End the stream: a post that races with this conflicts, and finds no group when it runs again."""
        await self._streams.delete_one({"_id": stream_id}, session=tx.session)

    # --- heads: the little that lists and unread counts need of a stream -------------------------------------------

    async def find_heads(
        self, stream_ids: Collection[StreamId], tx: Tx | None = None, *, with_times: bool = False
    ) -> dict[StreamId, Head]:
        """The heads of those of the streams that exist; one query for each `ONE_REPLY` ids."""
        fields: Document = {"head_seq": 1, "is_channel": 1}
        if with_times:
            fields["last.at"] = 1
        wanted = list(stream_ids)
        heads: dict[StreamId, Head] = {}
        for start in range(0, len(wanted), ONE_REPLY):
            cursor = self._streams_naive.find(
                {"_id": {"$in": wanted[start : start + ONE_REPLY]}},
                fields,
                session=tx.session if tx else None,
                batch_size=ONE_REPLY,
            )
            for row in await cursor.to_list(None):
                last = row.get("last")
                active_ms = milliseconds_of(last["at"]) if last else 0
                heads[row["_id"]] = _head((row["head_seq"], row["is_channel"], active_ms))
        return heads


def _to_row(document: Document) -> StreamRow:
    return StreamRow(_to_stream(document), document.get("tokens"), document.get("tokens_at"))


def _to_stream(document: Document) -> Stream:
    last = document["last"]
    return Stream(
        stream_id=document["_id"],
        head_seq=document["head_seq"],
        is_channel=document["is_channel"],
        last=LastMessage(**last) if last else None,
    )
