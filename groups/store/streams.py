"""Stream documents: `_id` is the stream id.

A document has the head, the last message and the token bucket of the posting rate, all of which every post writes; the
buckets of edits and of deletions (`edits`, `recalls`); `media_bytes`, the bytes of uploads that its messages carry;
`pins`, the seqs of the few pinned messages, the oldest pin first; and `version` and `changed_at`, which every change of
a message moves. Streams whose messages never changed have neither. The stream of a hidden channel is `hidden`, and
lists of conversations ask for streams that are not, so hiding a channel writes nothing for any subscriber. In the
stream of a group, `author_id` and `author_seq` are the author of the newest message and its seq, which is how far they
have read (`groups.models.Head`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any, Final, Literal, NamedTuple

from pymongo import InsertOne, UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Changed,
    Database,
    Document,
    Index,
    Tx,
    aggregate,
    as_columns,
    columns_in,
    is_since,
    milliseconds_of,
)
from groups.kernel.mongo.driver import Operation
from groups.models import Head, Kind, LastMessage, Message, Stream, stream_of

Change = Literal["edits", "recalls"]
"""The kinds of changes of messages, each with a token bucket of its own."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The tokens left in a bucket at an instant; None where there was no limit."""

    messages: float | None
    bytes: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream with its token bucket, and the bytes of uploads that its messages carry."""

    stream: Stream
    left: Allowance | None
    media_bytes: int = 0


class Advance(NamedTuple):
    """How one stream moves on with its new messages; `is_new`: it begins with them.

    `author_id`: who has read the newest message since they wrote it; None: the stream tells of nobody.
    """

    stream_id: StreamId
    is_new: bool
    last: LastMessage
    left: Allowance | None
    media_bytes: int
    author_id: UserId | None


class ChangeState(NamedTuple):
    """The token bucket of a kind of changes (None: nothing was taken yet), the version, and the last message's seq."""

    left: Allowance | None
    version: int
    last_seq: int


_SHOWN: Final[Document] = {"hidden": None}
"""The condition that leaves out the streams of hidden channels, beside keys."""
_KEPT_BYTES: Final = 2 * 2**20  # of memory: some 1,200 streams
_STREAM_BYTES: Final = 700
"""The size of a stream without texts; the texts count twice, besides the document."""
_OF_WRITERS: Final = (
    *("tokens", "bytes_left", "tokens_at", "edits", "recalls"),
    *("media_bytes", "pins", "hidden", "ended_seq", "kept_days", "touched"),
)
"""Fields that readers of streams do not need: a stream that differs only in them counts as unchanged."""

_head: Final = Head._make
"""Costs half of a call with three arguments, which lists make by the thousand."""


class StreamStore:
    """The collection `streams`."""

    INDEXES = (
        Index(
            "streams",
            [("kept_days", 1), ("_id", 1)],
            "the streams whose messages end by a setting of the deployment",
            partial={"kept_days": {"$exists": True}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams = database.collection("streams")
        self._messages = database.collection("messages")
        self._streams_naive = database.collection("streams", naive_instants=True)
        self._cache = database.decoded_cache(
            "streams",
            _to_stream,
            max_bytes=_KEPT_BYTES,
            size_of=lambda raw, _: 3 * len(raw) + _STREAM_BYTES,
            ignored_fields=_OF_WRITERS,
        )
        self._reader = RequestBatcher(self.find_many)

    async def insert(self, stream: Stream, tx: Tx) -> None:
        await self._streams.insert_one(_to_document(stream), session=tx.session)

    def query_states(
        self, stream_ids: Iterable[StreamId]
    ) -> BatchedQuery[dict[StreamId, StreamState]]:
        """The streams that exist among these, with their token buckets.

        A query of members can be joined on `AUTHOR_KEY`: the membership of each stream's author in its group.
        """
        return BatchedQuery(
            self._streams,
            {"_id": {"$in": list(stream_ids)}},
            lambda rows: {row["_id"]: _to_state(row) for row in rows},
            _WITH_AUTHOR_KEY,
        )

    async def find(self, stream_id: StreamId, tx: Tx | None = None) -> Stream | None:
        if tx is None:
            return await self._reader.find(stream_id)
        document = await self._streams.find_one({"_id": stream_id}, session=tx.session)
        return _to_stream(document) if document else None

    def query_stream(self, stream_id: StreamId) -> BatchedQuery[StreamState | None]:
        return BatchedQuery(
            self._streams, {"_id": stream_id}, lambda rows: _to_state(rows[0]) if rows else None
        )

    def query_streams(
        self, stream_ids: Iterable[StreamId], *, with_hidden: bool = True
    ) -> BatchedQuery[dict[StreamId, Stream]]:
        """As `find_many`, as a query to send together with others; an unchanged stream is the same object.

        `with_hidden`: also the streams of hidden channels.
        """
        return BatchedQuery(
            self._streams,
            {"_id": {"$in": list(stream_ids)}, **({} if with_hidden else _SHOWN)},
            lambda streams: {stream.stream_id: stream for stream in streams},
            cache=self._cache,
        )

    def query_head_seqs(self, stream_ids: Iterable[StreamId]) -> BatchedQuery[dict[StreamId, int]]:
        """The newest seqs of those of the streams that exist, to send together with other queries."""
        return BatchedQuery(
            self._streams,
            {"_id": {"$in": list(stream_ids)}},
            lambda rows: {row["_id"]: row["head_seq"] for row in rows},
            {"$project": {"head_seq": 1}},
        )

    def query_heads(
        self, stream_ids: Iterable[StreamId], since: datetime, *, with_times: bool
    ) -> BatchedQuery[Changed[StreamId, Head]]:
        """As `find_heads`, as a query to send together with others, and those that changed at or after the instant.

        Those of hidden channels are absent. Only changed ones have a version and all times, unless `with_times` asks
        when each was active.
        """
        columns: Document = {
            "ids": "$_id",
            "seqs": "$head_seq",
            "are_channels": "$is_channel",
            "author_ids": _AUTHOR_ID,
            "author_seqs": _AUTHOR_SEQ,
        }
        if with_times:
            columns["active_ms"] = {"$ifNull": [{"$toLong": "$last.at"}, 0]}
        where = is_since(since, "$last.at", "$changed_at")
        return BatchedQuery(
            self._streams,
            {"_id": {"$in": list(stream_ids)}, **_SHOWN},
            _to_timed_heads if with_times else _to_heads,
            as_columns(columns, where=where, details=_AS_HEAD),
        )

    async def find_many(
        self,
        stream_ids: Iterable[StreamId],
        tx: Tx | None = None,
        *,
        with_hidden: bool = True,
    ) -> dict[StreamId, Stream]:
        """Those of the streams that exist; without those of hidden channels, unless `with_hidden`."""
        cursor = self._streams.find(
            {"_id": {"$in": list(stream_ids)}, **({} if with_hidden else _SHOWN)},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        return {row["_id"]: _to_stream(row) for row in await cursor.to_list(None)}

    def advance(self, advances: Iterable[Advance], tx: Tx) -> None:
        """Move heads to the last messages, store the token buckets, and add to the bytes of uploads.

        Of two transactions that begin the same stream at once, one runs again.
        """
        tx.write(self._streams, *map(_advance, advances))

    async def add_media_bytes(self, stream_id: StreamId, more: int, tx: Tx) -> int:
        """Add to the bytes of uploads that its messages carry, or subtract; returns the bytes before."""
        before: Document | None = await self._streams.find_one_and_update(
            {"_id": stream_id},
            {"$inc": {"media_bytes": more}},
            {"media_bytes": 1},
            session=tx.session,
        )
        return int((before or {}).get("media_bytes", 0))

    async def recount_media_bytes(self, stream_id: StreamId, tx: Tx) -> tuple[int, int]:
        """Count `media_bytes` again; returns it before and after. Reads all messages, so only repairs use it."""
        # Write before reading: posts and deletions that happen meanwhile conflict with this transaction.
        before = await self.add_media_bytes(stream_id, 1, tx)
        pipeline = [{"$match": {"stream_id": stream_id}}, *_CARRIED]
        rows = await aggregate(self._messages, pipeline, session=tx.session)
        after = int(rows[0]["media_bytes"]) if rows else 0
        await self._set(stream_id, {"media_bytes": after}, tx)
        return before, after

    async def count_all_media_bytes(self) -> None:
        """Count `media_bytes` of all streams again; nobody may post meanwhile."""
        into = {"into": "streams", "whenMatched": "merge", "whenNotMatched": "discard"}
        pipeline = [*_CARRIED, {"$merge": into}]
        await aggregate(self._messages, pipeline, allowDiskUse=True)

    async def end_messages(
        self, stream_id: StreamId, seqs: Sequence[int], media_bytes: int, tx: Tx
    ) -> None:
        """Note that these messages have ended: their pins and uploads go, and lists show nothing of the last one.

        `ended_seq`, up to which seqs may be missing, only grows.
        """
        ended = max(seqs)
        await self._streams.update_one(
            {"_id": stream_id},
            {
                "$max": {"ended_seq": ended},
                "$pull": {"pins": {"$in": list(seqs)}},
                "$inc": {"media_bytes": -media_bytes},
                "$currentDate": {"changed_at": True},
            },
            session=tx.session,
        )
        await self._streams.update_one(
            {"_id": stream_id, "last.seq": {"$lte": ended}},
            {"$set": {"last.preview": "", "last.kind": None}},
            session=tx.session,
        )

    async def list_kept_otherwise(
        self, days: int, after: str, limit: int
    ) -> tuple[list[StreamId], bool]:
        """Streams behind `after`, by id, whose messages are not dated by this setting of the deployment; 0: by none.

        Returns them, and whether there may be more.
        """
        # Uses index: kept_days_1__id_1 (partial: those that were dated by a setting), or with a setting _id.
        among: Document = {"kept_days": {"$exists": True}}
        if days:
            among = {"kept_days": {"$ne": days}}
        cursor = self._streams.find({"_id": {"$gt": after}, **among}, {"_id": 1})
        rows = await cursor.sort([("_id", 1)]).limit(limit).to_list(None)
        return [StreamId(row["_id"]) for row in rows], len(rows) == limit

    async def put_kept_days(self, stream_id: StreamId, days: int, tx: Tx) -> None:
        """Note by which setting of the deployment the messages of the stream are dated."""
        update: Document = {"$set": {"kept_days": days}} if days else {"$unset": {"kept_days": 1}}
        await self._streams.update_one({"_id": stream_id}, update, session=tx.session)

    async def touch_head(self, stream_id: StreamId, tx: Tx) -> int:
        """Write the stream, so that posts under way conflict; returns its head, 0 where there is none."""
        document: Document | None = await self._streams.find_one_and_update(
            {"_id": stream_id}, {"$inc": {"touched": 1}}, {"head_seq": 1}, session=tx.session
        )
        return int(document["head_seq"]) if document else 0

    async def find_change_state(self, stream_id: StreamId, change: Change, tx: Tx) -> ChangeState:
        """The parts of the stream that a change of a message reads."""
        document = await self._streams.find_one(
            {"_id": stream_id}, {change: 1, "version": 1, "last.seq": 1}, session=tx.session
        )
        if document is None:
            return ChangeState(None, 0, 0)
        left, last = document.get(change), document.get("last")
        return ChangeState(
            Allowance(left["tokens"], left["bytes_left"], left["at"]) if left else None,
            document.get("version", 0),
            last["seq"] if last else 0,
        )

    async def record_change(
        self,
        changed: Message,
        change: Change,
        left: Allowance | None,
        at: datetime,
        tx: Tx,
        *,
        is_last: bool,
        is_pin_changed: bool,
    ) -> None:
        """Store what a change of a message does to its stream, in one write.

        That is its version and instant, the token bucket, the line that lists show if the message is the last one, and
        its place among the pins. Two transactions that do so at once conflict, so what one of them has read is current.
        """
        values: Document = {"version": changed.changed_version, "changed_at": at}
        if left is not None:
            values[change] = {"tokens": left.messages, "bytes_left": left.bytes, "at": left.at}
        if is_last:
            content = changed.content
            values["last.preview"] = content.preview if content else ""
            values["last.kind"] = content.kind if content else None
        changes: Document = {"$set": values}
        if is_pin_changed:
            operator = "$pull" if changed.pinned_at is None else "$addToSet"
            changes[operator] = {"pins": changed.seq}
        await self._streams.update_one({"_id": changed.stream_id}, changes, session=tx.session)

    async def list_pins(self, stream_id: StreamId, tx: Tx | None = None) -> list[int] | None:
        """The seqs of the stream's pinned messages, the oldest pin first; None where there is no stream."""
        document = await self._streams.find_one(
            {"_id": stream_id}, {"pins": 1}, session=tx.session if tx else None
        )
        return None if document is None else document.get("pins", [])

    async def mark_channel(self, stream_id: StreamId, tx: Tx) -> int | None:
        """Mark the stream as a channel's, so that unread totals need not read the group.

        Returns its head; None where there is no stream. A post writes the document too: it was committed before, and
        the head has it, or its transaction runs again and finds a channel.
        """
        document: Document | None = await self._streams.find_one_and_update(
            {"_id": stream_id}, {"$set": {"is_channel": True}}, session=tx.session
        )
        return int(document["head_seq"]) if document else None

    async def hide(self, stream_id: StreamId, tx: Tx, *, hidden: bool) -> None:
        """Take the stream out of all lists of conversations, or put it back. Doing it again changes nothing."""
        change: Document = {"$set": {"hidden": True}} if hidden else {"$unset": {"hidden": ""}}
        await self._streams.update_one({"_id": stream_id}, change, session=tx.session)

    async def _set(self, stream_id: StreamId, values: Document, tx: Tx) -> None:
        await self._streams.update_one({"_id": stream_id}, {"$set": values}, session=tx.session)

    async def delete(self, stream_id: StreamId, tx: Tx) -> None:
        """End the stream; a post at the same time conflicts, runs again, and finds no group."""
        await self._streams.delete_one({"_id": stream_id}, session=tx.session)

    async def find_heads(
        self,
        stream_ids: Collection[StreamId],
        tx: Tx | None = None,
        *,
        with_times: bool = False,
        with_hidden: bool = False,
    ) -> dict[StreamId, Head]:
        """The heads of the streams that exist among these; one query for each `ONE_REPLY` ids.

        `with_times`: also when each was active, its version, and when it changed. `with_hidden`: also those of hidden
        channels.
        """
        shown: Document = {} if with_hidden else _SHOWN
        fields: Document = {"head_seq": 1, "is_channel": 1, "author_id": 1, "author_seq": 1}
        if with_times:
            fields |= {"last.at": 1, "version": 1, "changed_at": 1}
        wanted = list(stream_ids)
        heads: dict[StreamId, Head] = {}
        for start in range(0, len(wanted), ONE_REPLY):
            cursor = self._streams_naive.find(
                {"_id": {"$in": wanted[start : start + ONE_REPLY]}, **shown},
                fields,
                session=tx.session if tx else None,
                batch_size=ONE_REPLY,
            )
            for row in await cursor.to_list(None):
                author = row.get("author_id"), row.get("author_seq", 0)
                if not with_times:  # thousands for each list of totals
                    heads[row["_id"]] = _head(
                        (row["head_seq"], row["is_channel"], 0, 0, 0, *author)
                    )
                    continue
                last, changed_at = row.get("last"), row.get("changed_at")
                active_ms = milliseconds_of(last["at"]) if last else 0
                changed_ms = milliseconds_of(changed_at) if changed_at else 0
                version = row.get("version", 0)
                heads[row["_id"]] = _head(
                    (row["head_seq"], row["is_channel"], active_ms, version, changed_ms, *author)
                )
        return heads


_CARRIED: Final[list[Document]] = [
    {"$match": {"content.media.0": {"$exists": True}}},
    {"$project": {"stream_id": 1, "more": {"$sum": "$content.media.size_bytes"}}},
    {"$group": {"_id": "$stream_id", "media_bytes": {"$sum": "$more"}}},
]
"""The bytes of uploads that the messages of each stream carry."""


def _to_document(stream: Stream) -> Document:
    return {
        "_id": stream.stream_id,
        "head_seq": stream.head_seq,
        "is_channel": stream.is_channel,
        "last": None,
    }


def _last_to_document(last: LastMessage) -> Document:
    # By hand: `asdict` takes a twentieth of the time of a post.
    return {
        "seq": last.seq,
        "sender_id": last.sender_id,
        "preview": last.preview,
        "at": last.at,
        "kind": last.kind,
    }


def _advance(advance: Advance) -> Operation:
    last, left = advance.last, advance.left
    values: Document = {"head_seq": last.seq, "last": _last_to_document(last)}
    if left is not None:
        values |= {"tokens": left.messages, "bytes_left": left.bytes, "tokens_at": left.at}
    if advance.author_id is not None:
        values |= {"author_id": advance.author_id, "author_seq": last.seq}
    if advance.is_new:
        if advance.media_bytes:
            values["media_bytes"] = advance.media_bytes
        return InsertOne(_to_document(Stream(stream_id=advance.stream_id)) | values)
    changes: Document = {"$set": values}
    if advance.media_bytes:
        changes["$inc"] = {"media_bytes": advance.media_bytes}
    return UpdateOne({"_id": advance.stream_id}, changes)


AUTHOR_KEY: Final = "author_key"
"""The `_id` of the membership of a stream's author (`groups.store.members`); null where there is none."""
_GROUP_ID: Final[Document] = {"$substr": ["$_id", len(stream_of(GroupId(""))), 1_000]}
_WITH_AUTHOR_KEY: Final[Document] = {
    "$set": {AUTHOR_KEY: {"$concat": [_GROUP_ID, SEPARATOR, "$author_id"]}}
}
_AUTHOR_ID: Final[Document] = {"$ifNull": ["$author_id", None]}
_AUTHOR_SEQ: Final[Document] = {"$ifNull": ["$author_seq", 0]}
_AS_HEAD: Final[Document] = {
    "_id": "$_id",
    "head_seq": "$head_seq",
    "is_channel": "$is_channel",
    "version": {"$ifNull": ["$version", 0]},
    "active_ms": {"$ifNull": [{"$toLong": "$last.at"}, 0]},
    "changed_ms": {"$ifNull": [{"$toLong": "$changed_at"}, 0]},
    "author_id": _AUTHOR_ID,
    "author_seq": _AUTHOR_SEQ,
}
"""Instants as the database's numbers, which cost less than half to decode."""


_COLUMNS: Final = ("ids", "seqs", "are_channels", "author_ids", "author_seqs")


def _to_heads(rows: list[Document]) -> Changed[StreamId, Head]:
    (ids, seqs, are_channels, *authors), details = columns_in(rows, *_COLUMNS)
    nothing = repeat(0)
    heads = map(_head, zip(seqs, are_channels, nothing, nothing, nothing, *authors, strict=False))
    return _with_changed(dict(zip(ids, heads, strict=True)), details)


def _to_timed_heads(rows: list[Document]) -> Changed[StreamId, Head]:
    (ids, seqs, are_channels, *authors, active_ms), details = columns_in(
        rows, *_COLUMNS, "active_ms"
    )
    nothing = repeat(0)
    heads = map(_head, zip(seqs, are_channels, active_ms, nothing, nothing, *authors, strict=False))
    return _with_changed(dict(zip(ids, heads, strict=True)), details)


def _with_changed(heads: dict[StreamId, Head], details: list[Document]) -> Changed[StreamId, Head]:
    changed = {StreamId(row.pop("_id")): Head(**row) for row in details}
    heads |= changed
    return Changed(heads, changed)


def _to_state(document: Document) -> StreamState:
    left, at = None, document.get("tokens_at")
    if at is not None:
        left = Allowance(document.get("tokens"), document.get("bytes_left"), at)
    return StreamState(_to_stream(document), left, document.get("media_bytes", 0))


def _to_stream(document: Document) -> Stream:
    last = document["last"]
    return Stream(
        stream_id=document["_id"],
        head_seq=document["head_seq"],
        is_channel=document["is_channel"],
        last=_to_last(last) if last else None,
        # Absent where no message changed since there is a version.
        version=document.get("version", 0),
        changed_at=document.get("changed_at"),
        # Absent in dialogues, and before the first message since there are such fields.
        author_id=document.get("author_id"),
        author_seq=document.get("author_seq", 0),
    )


def _to_last(last: Document) -> LastMessage:
    preview: str = last["preview"]
    stored: Any = last.get("kind") if preview else None
    return LastMessage(
        last["seq"],
        last["sender_id"],
        preview,
        last["at"],
        Kind(stored) if stored is not None else None,
    )
