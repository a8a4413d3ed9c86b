"""Message documents: `_id` is `stream<US>seq`.

`terms` are the numbers by which a search finds the message (`groups.store.message_search`). They are stored and changed
with the content, so a search sees every post, edit and deletion at once. Messages without words have none.

`poll_closes_at` is the closing time of a poll whose closing is still to be announced; no other message has it.

`key` is the caller's idempotency key, or one made by the server so that a batch whose outcome was unknown can be
repeated safely.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import InsertOne, UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import (
    DESCENDING,
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
    aggregate,
)
from groups.kernel.text.search.terms import Term, terms_of
from groups.kernel.undecoded import UndecodedRows, id_in
from groups.models import Content, Message, Origin, message_key, seq_in, split_message_key


@dataclass(frozen=True, slots=True)
class KeyedMessage:
    """A message with the idempotency key it was posted under and the digest of its content."""

    message: Message
    key: str
    digest: str
    ends_at: datetime | None = None
    """When it ends; None: it is kept."""


UndecodedMessage = bytes
"""A message as it is stored."""


class KnownKey(NamedTuple):
    """What makes a post the repetition of another one."""

    stream_id: StreamId
    sender_id: UserId
    key: str


class _PageKey(NamedTuple):
    stream_id: StreamId
    above: int
    below: int | None
    limit: int
    oldest_first: bool


class _ChangesKey(NamedTuple):
    stream_id: StreamId
    since: int
    limit: int


_KEPT_BYTES: Final = 2 * 2**20  # of memory: some 500 messages
_GRACE_SECONDS: Final = 24 * 3600
"""How long a message that has ended waits for a process that deletes it with all that belongs to it."""
_DAY_MILLISECONDS: Final = 24 * 3600 * 1000
_TOUCH: Final[Document] = {"$inc": {"touched": 1}}
_ID: Final = "_id_"
"""The index of updates by key. Without the hint, the database weighs four indexes for each of them, which costs a fifth
more: the stream, which selects the shard, begins the others."""


class MessageStore:
    """The collection `messages`."""

    INDEXES = (
        Index("messages", [("stream_id", 1), ("seq", 1)], "history, both ways", unique=True),
        Index(
            "messages",
            [("stream_id", 1), ("sender_id", 1), ("key", 1)],
            "the message that an idempotency key already made",
            unique=True,
        ),
        Index(
            "messages",
            [("stream_id", 1), ("changed_version", 1)],
            "the messages that changed since a version",
            # Most messages never change, and posting should not have to maintain this index.
            partial={"changed_version": {"$exists": True}},
        ),
        Index(
            "messages",
            [("ends_at", 1)],
            "the messages that end; what no process ended within a day, the database deletes",
            # Where messages are kept, posting does not maintain this index.
            partial={"ends_at": {"$exists": True}},
            expire_after_seconds=_GRACE_SECONDS,
        ),
        Index(
            "messages",
            [("poll_closes_at", 1)],
            "the polls that close next",
            # Posting maintains it for polls with a closing time only, and it forgets those that are closed.
            partial={"poll_closes_at": {"$exists": True}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages = database.collection("messages")
        self._cache = database.decoded_cache(
            "messages",
            _to_message,
            max_bytes=_KEPT_BYTES,
            size_of=lambda raw, message: len(raw) + message.memory_bytes,
        )
        self._reader = RequestBatcher(self._find_keys)
        self._page_reader = RequestBatcher(self._find_pages)
        self._changes_reader = RequestBatcher(self._find_all_changes)

    def insert_messages(self, messages: Iterable[KeyedMessage], tx: Tx) -> None:
        """Add messages whose seq is known to be free, with the other writes of the transaction."""
        contents = _StoredContents()
        tx.write(self._messages, *(InsertOne(_to_document(each, contents)) for each in messages))

    def query_by_keys(
        self, keys: Collection[KnownKey]
    ) -> BatchedQuery[dict[KnownKey, KeyedMessage]]:
        """The messages that were posted with these idempotency keys, of which there is one at least."""
        # Uses index: stream_id_1_sender_id_1_key_1
        of_streams: dict[StreamId, list[KnownKey]] = {}
        for key in keys:
            of_streams.setdefault(key.stream_id, []).append(key)
        matches: list[Document] = [
            {
                "stream_id": stream_id,
                "sender_id": {"$in": list({key.sender_id for key in of_stream})},
                "key": {"$in": [key.key for key in of_stream]},
            }
            for stream_id, of_stream in of_streams.items()
        ]
        # Each stream by itself: 64 keys of as many senders in as many streams take a tenth of the time that `$in` over
        # all streams takes, which looks for every sender in every stream.
        match = matches[0] if len(matches) == 1 else {"$or": matches}
        return BatchedQuery(self._messages, match, _by_key)

    async def find(self, stream_id: StreamId, seq: int, tx: Tx | None = None) -> Message | None:
        """The message, if it exists; callers without a `tx` who ask at the same time share the query."""
        if tx is None:
            return await self._reader.find((stream_id, seq))
        document = await self._messages.find_one(_by_id(stream_id, seq), session=tx.session)
        return _to_message(document) if document else None

    async def _find_keys(
        self, wanted: Collection[tuple[StreamId, int]]
    ) -> dict[tuple[StreamId, int], Message]:
        query: Document = {
            "_id": {"$in": [message_key(stream_id, seq) for stream_id, seq in wanted]},
            "stream_id": {"$in": list({stream_id for stream_id, _ in wanted})},
        }
        # The index on streams would do too: the database need not try which one is better.
        options: Document = {"hint": [("_id", 1)]} if self._database.transactional else {}
        found = await self._cache.find(query, batch_size=ONE_REPLY, **options)
        return {(message.stream_id, message.seq): message for message in found}

    async def touch(self, stream_id: StreamId, seq: int, tx: Tx) -> Message | None:
        """Write the message with this seq without a change that anyone sees; returns the message."""
        document = await self._messages.find_one_and_update(
            _by_id(stream_id, seq), _TOUCH, session=tx.session
        )
        return _to_message(document) if document else None

    def touch_many(self, message_ids: Iterable[str], tx: Tx) -> None:
        """Do as `touch` does to these messages, with the other writes of the transaction."""
        tx.write(
            self._messages, *(UpdateOne(_by_key_of(key), _TOUCH, hint=_ID) for key in message_ids)
        )

    def query_by_ids(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, Message]]:
        """The messages with these keys, by key, as a query to send together with others."""
        return BatchedQuery(
            self._messages,
            _among(message_ids),
            lambda messages: {message_key(each.stream_id, each.seq): each for each in messages},
            cache=self._cache,
        )

    async def find_some(self, stream_id: StreamId, seqs: Iterable[int]) -> dict[int, Message]:
        # Uses index: stream_id_1_seq_1
        cursor = self._messages.find({"stream_id": stream_id, "seq": {"$in": list(seqs)}})
        return {row["seq"]: _to_message(row) for row in await cursor.to_list(None)}

    def read_messages(
        self, stream_id: StreamId, *, above: int, below: int | None, limit: int, oldest_first: bool
    ) -> Awaitable[Sequence[Message] | None]:
        """Messages with `above` < seq < `below`, from one end of that range; the reading begins at once.

        The list may be shared with other readers.
        """
        # Everyone asks for the newest page of a busy stream: readers who do so at once share one query.
        return self._page_reader.find(_PageKey(stream_id, above, below, limit, oldest_first))

    async def _find_pages(self, wanted: Collection[_PageKey]) -> dict[_PageKey, list[Message]]:
        pages = await asyncio.gather(*(self._find_page(key) for key in wanted))
        return dict(zip(wanted, pages, strict=True))

    async def read_changed(
        self, stream_id: StreamId, *, since: int, limit: int
    ) -> Sequence[Message]:
        """The first messages that changed after a version, as they are now, in the order of their last changes.

        The list may be shared with other readers.
        """
        # After an outage everyone asks for the same changes: readers who do so at once share one query.
        return await self._changes_reader.find(_ChangesKey(stream_id, since, limit)) or ()

    async def _find_all_changes(
        self, wanted: Collection[_ChangesKey]
    ) -> dict[_ChangesKey, list[Message]]:
        pages = await asyncio.gather(*(self._find_changes(key) for key in wanted))
        return dict(zip(wanted, pages, strict=True))

    async def _find_changes(self, wanted: _ChangesKey) -> list[Message]:
        # Uses index: stream_id_1_changed_version_1 (partial: those that changed)
        return await self._cache.find(
            {"stream_id": wanted.stream_id, "changed_version": {"$gt": wanted.since}},
            sort=[("changed_version", 1)],
            limit=wanted.limit,
        )

    def query_newest(
        self, stream_id: StreamId, *, below: int | None, limit: int
    ) -> BatchedQuery[Sequence[Message]]:
        """The newest messages of all, or of those before a seq, as a query to send together with others.

        Outside a transaction they are `UndecodedRows`, whose keys are the seqs; not so on mongomock.
        """
        # Uses index: stream_id_1_seq_1
        bounds: Document = {"$gt": 0} if below is None else {"$gt": 0, "$lt": below}
        # With the fields that readers do not see: leaving them out costs the database as much as the rest.
        return BatchedQuery(
            self._messages,
            {"stream_id": stream_id, "seq": bounds},
            lambda rows: [_to_message(row) for row in rows],
            {"$sort": {"seq": DESCENDING}},
            {"$limit": limit},
            parse_raw=self._undecoded,
        )

    def query_ranges(
        self, ranges: Iterable[tuple[StreamId, range]]
    ) -> BatchedQuery[dict[str, UndecodedMessage]]:
        """The messages with these seqs in these streams by their keys, to send together with others; not on mongomock.

        The ranges go up by one. `rows_of` makes pages of what was found.
        """
        # Uses index: stream_id_1_seq_1
        conditions: list[Document] = [
            {"stream_id": stream_id, "seq": {"$gte": seqs[0], "$lte": seqs[-1]}}
            for stream_id, seqs in ranges
            if seqs
        ]
        nothing: list[Document] = [{"stream_id": "", "seq": 0}]
        return BatchedQuery(
            self._messages, {"$or": conditions or nothing}, _never, parse_raw=_by_key_in_bytes
        )

    def rows_of(
        self, found: Mapping[str, UndecodedMessage], stream_id: StreamId, seqs: Iterable[int]
    ) -> UndecodedRows[Message]:
        """Those of the stream's messages that were found, in this order."""
        rows = [(seq, raw) for seq in seqs if (raw := found.get(message_key(stream_id, seq)))]
        return UndecodedRows(
            [seq for seq, _ in rows], [raw for _, raw in rows], self._cache.decoded
        )

    def _undecoded(self, rows: list[bytes]) -> UndecodedRows[Message]:
        return UndecodedRows([seq_in(id_in(raw)) for raw in rows], rows, self._cache.decoded)

    async def _find_page(self, wanted: _PageKey) -> list[Message]:
        # Uses index: stream_id_1_seq_1
        bounds: Document = {"$gt": wanted.above}
        if wanted.below is not None:
            bounds["$lt"] = wanted.below
        return await self._cache.find(
            {"stream_id": wanted.stream_id, "seq": bounds},
            sort=[("seq", 1 if wanted.oldest_first else DESCENDING)],
            limit=wanted.limit,
        )

    async def set_content(
        self, message: Message, before: Content | None, tx: Tx, *, is_announced: bool = False
    ) -> None:
        """Store an edited message's content, instant and version, and that it names no origin any more.

        `before`: its content until now. Where its poll closes at another time, the closing will be announced then;
        `is_announced`: `tx` announces it.
        """
        values: Document = {
            "content": message.content.to_stored() if message.content else None,
            "edited_at": message.edited_at,
            "recalled_at": message.recalled_at,
            "changed_version": message.changed_version,
        }
        if message.origin is None:
            values["origin"] = None
        without: list[str] = []
        terms = search_terms_of(message.content)
        if terms:
            values["terms"] = terms
        else:
            without.append("terms")
        closes_at = poll_closing_of(message.content)
        if closes_at != poll_closing_of(before):
            if closes_at is None or is_announced:
                without.append("poll_closes_at")
            else:
                values["poll_closes_at"] = closes_at
        await self._set(message, values, tx, without=without)

    async def set_marks(self, message: Message, tx: Tx) -> None:
        """Store whether the message is pinned, whether its reactions and comments are frozen, and its version."""
        values: Document = {
            "pinned_at": message.pinned_at,
            "reactions_frozen": message.reactions_frozen,
            "comments_frozen": message.comments_frozen,
            "changed_version": message.changed_version,
        }
        await self._set(message, values, tx)

    async def _set(
        self, message: Message, values: Document, tx: Tx, *, without: Sequence[str] = ()
    ) -> None:
        key = _by_id(message.stream_id, message.seq)
        changes: Document = {"$set": values}
        if without:
            changes["$unset"] = dict.fromkeys(without, "")
        await self._messages.update_one(key, changes, session=tx.session)

    def query_views(self, message_ids: Collection[str]) -> BatchedQuery[dict[str, int]]:
        """The views of the messages that exist and are not recalled, by key."""
        return BatchedQuery(
            self._messages,
            {**_among(message_ids), "recalled_at": None},
            lambda rows: {row["_id"]: row.get("views", 0) for row in rows},
            {"$project": {"views": 1}},
        )

    def raise_views(self, views: Mapping[str, int], tx: Tx) -> None:
        """Raise the views that messages show to these numbers, by key, with the other writes of the transaction."""
        tx.write(
            self._messages,
            *(
                UpdateOne(_by_key_of(key), {"$max": {"views": number}}, hint=_ID)
                for key, number in views.items()
            ),
        )

    def add_comments(self, more: Mapping[str, int], tx: Tx) -> None:
        """Add to the number of comments under messages, or subtract, by key, with the other writes of the transaction.

        Deleting such a message, and freezing its comments, conflict with the transaction.
        """
        tx.write(
            self._messages,
            *(
                UpdateOne(_by_key_of(key), {"$inc": {"comments": number}}, hint=_ID)
                for key, number in more.items()
            ),
        )

    async def recount_comments(
        self, stream_id: StreamId, seq: int, comments_id: StreamId, tx: Tx
    ) -> tuple[int, int]:
        """Count the comments under a message, which are in the other stream. Returns the counts before and after."""
        key = _by_id(stream_id, seq)
        # Write before counting: comments that come meanwhile wait for this transaction.
        message = await self._messages.find_one_and_update(key, _TOUCH, session=tx.session)
        if message is None:
            return 0, 0
        # Uses index: stream_id_1_seq_1
        rows = await aggregate(
            self._messages,
            [{"$match": {"stream_id": comments_id, "recalled_at": None}}, {"$count": "n"}],
            session=tx.session,
        )
        before, after = message.get("comments", 0), rows[0]["n"] if rows else 0
        if before != after:
            await self._messages.update_one(key, {"$set": {"comments": after}}, session=tx.session)
        return before, after

    async def list_closing(self, now: datetime, limit: int) -> list[tuple[StreamId, int]]:
        """The streams and seqs of polls that closed by `now` and are not announced, the earliest first."""
        # Uses index: poll_closes_at_1 (partial: those that are to be announced); it asks every shard.
        cursor = self._messages.find(
            {"poll_closes_at": {"$lte": now}}, {"_id": 0, "stream_id": 1, "seq": 1}
        )
        rows = await cursor.sort([("poll_closes_at", 1)]).limit(limit).to_list(None)
        return [(StreamId(row["stream_id"]), row["seq"]) for row in rows]

    async def find_next_closing(self) -> datetime | None:
        """When the next poll closes or closed whose closing is not announced; None where there is none."""
        # Uses index: poll_closes_at_1 (partial)
        row = await self._messages.find_one(
            {"poll_closes_at": {"$exists": True}},
            {"_id": 0, "poll_closes_at": 1},
            sort=[("poll_closes_at", 1)],
        )
        return row["poll_closes_at"] if row else None

    async def take_closing(
        self, stream_id: StreamId, seq: int, now: datetime, tx: Tx
    ) -> Message | None:
        """The message whose poll closed by `now`, for `tx` to announce; None where that is done."""
        document = await self._messages.find_one_and_update(
            {**_by_id(stream_id, seq), "poll_closes_at": {"$lte": now}},
            {"$unset": {"poll_closes_at": ""}},
            session=tx.session,
        )
        return _to_message(document) if document else None

    async def list_ended(self, now: datetime, limit: int) -> list[tuple[StreamId, int]]:
        """The streams and seqs of messages that have ended, the earliest first."""
        # Uses index: ends_at_1 (partial: those that end); it asks every shard, in the background.
        cursor = self._messages.find(
            {"ends_at": {"$lte": now}}, {"_id": 0, "stream_id": 1, "seq": 1}
        )
        rows = await cursor.sort([("ends_at", 1)]).limit(limit).to_list(None)
        return [(StreamId(row["stream_id"]), row["seq"]) for row in rows]

    async def find_ended(
        self, stream_id: StreamId, seqs: Sequence[int], now: datetime, tx: Tx
    ) -> list[Message]:
        """Those of the messages that exist and have ended, by seq."""
        # Uses index: stream_id_1_seq_1
        cursor = self._messages.find(
            {"stream_id": stream_id, "seq": {"$in": list(seqs)}, "ends_at": {"$lte": now}},
            session=tx.session,
        )
        return [_to_message(row) for row in await cursor.sort([("seq", 1)]).to_list(None)]

    async def delete_ended(self, stream_id: StreamId, seqs: Sequence[int], tx: Tx) -> None:
        """Delete these messages."""
        await self._messages.delete_many(
            {"stream_id": stream_id, "seq": {"$in": list(seqs)}}, session=tx.session
        )

    async def redate(
        self, stream_id: StreamId, after: int, upto: int, days: int | None, tx: Tx
    ) -> None:
        """Make the messages with these seqs end so many days after they were posted; None: never."""
        # Uses index: stream_id_1_seq_1
        update: Any = {"$unset": {"ends_at": 1}}
        if days is not None:
            end = {"$add": ["$created_at", days * _DAY_MILLISECONDS]}
            update = [{"$set": {"ends_at": end}}]
        await self._messages.update_many(
            {"stream_id": stream_id, "seq": {"$gt": after, "$lte": upto}},
            update,
            session=tx.session,
        )

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> tuple[int, list[str]]:
        """Delete up to `limit` messages of an ended stream; returns their number and the uploads that they used."""
        # Uses index: stream_id_1_seq_1
        cursor = self._messages.find(
            {"stream_id": stream_id},
            {"_id": 0, "seq": 1, "content.media.media_id": 1},
            session=tx.session,
        ).limit(limit)
        rows = await cursor.to_list(None)
        seqs = [row["seq"] for row in rows]
        media = [
            one["media_id"] for row in rows for one in (row.get("content") or {}).get("media", ())
        ]
        if seqs:
            await self._messages.delete_many(
                {"stream_id": stream_id, "seq": {"$in": seqs}}, session=tx.session
            )
        return len(seqs), media


def _by_key_in_bytes(rows: list[bytes]) -> dict[str, UndecodedMessage]:
    return {id_in(raw): raw for raw in rows}


def _never(rows: list[Document]) -> dict[str, UndecodedMessage]:
    raise AssertionError("sent outside a transaction only")


def _by_id(stream_id: StreamId, seq: int) -> Document:
    return {"_id": message_key(stream_id, seq), "stream_id": stream_id}


def _by_key_of(message_id: str) -> Document:
    stream_id, _ = split_message_key(message_id)
    return {"_id": message_id, "stream_id": stream_id}


def _among(message_ids: Collection[str]) -> Document:
    """The condition that finds these messages; the streams select the shards."""
    stream_ids = {split_message_key(key)[0] for key in message_ids}
    return {"_id": {"$in": list(message_ids)}, "stream_id": {"$in": list(stream_ids)}}


def search_terms_of(content: Content | None) -> list[Term]:
    """The terms by which a search finds a message with this content (`terms`); none where it has no words."""
    return terms_of(content.searched_texts) if content is not None else []


def poll_closing_of(content: Content | None) -> datetime | None:
    """When the poll of this content closes; None where there is no such time."""
    poll = content.poll if content is not None else None
    return poll.closes_at if poll is not None else None


_DUMPED_APART: Final = {"views", "comments", "comments_frozen", "changed_version", "content"}
"""Fields that no new message has, and the content."""


class _StoredContents:
    """Contents as they are stored; one that many messages share, such as a broadcast's, is made once."""

    def __init__(self) -> None:
        # With the content, since an id may come again once its object is gone.
        self._known: dict[int, tuple[Content, Document, list[Term]]] = {}

    def of(self, content: Content | None) -> tuple[Document | None, list[Term]]:
        """The content as it is stored, and its search terms."""
        if content is None:
            return None, []
        known = self._known.get(id(content))
        if known is None:
            known = content, content.to_stored(), search_terms_of(content)
            self._known[id(content)] = known
        return known[1:]


def _to_document(keyed: KeyedMessage, contents: _StoredContents | None = None) -> Document:
    message = keyed.message
    document: Document = message.model_dump(mode="python", exclude=_DUMPED_APART)
    document["content"], terms = (contents or _StoredContents()).of(message.content)
    if message.author_id is None:
        del document["author_id"]  # nearly always
    if not message.automatic:
        del document["automatic"]
    if message.broadcast_id is None:
        del document["broadcast_id"]
    if message.member_count is None:
        del document["member_count"]
    if terms:
        document["terms"] = terms
    closes_at = poll_closing_of(message.content)
    if closes_at is not None:
        document["poll_closes_at"] = closes_at
    if message.quoted_seq is None:
        del document["quoted_seq"]
    document["_id"] = message_key(message.stream_id, message.seq)
    document["key"] = keyed.key
    document["digest"] = keyed.digest
    if keyed.ends_at is not None:
        document["ends_at"] = keyed.ends_at
    return document


def _to_message(document: Document) -> Message:
    content, origin = document["content"], document.get("origin")
    return Message.model_construct(
        stream_id=document["stream_id"],
        seq=document["seq"],
        sender_id=document["sender_id"],
        content=Content.from_stored(content) if content else None,
        created_at=document["created_at"],
        edited_at=document["edited_at"],
        recalled_at=document["recalled_at"],
        # Absent in messages that were stored before there were such marks.
        silent=document.get("silent", False),
        signature=document.get("signature", ""),
        origin=Origin.model_construct(**origin) if origin else None,
        quoted_seq=document.get("quoted_seq"),
        pinned_at=document.get("pinned_at"),
        reactions_frozen=document.get("reactions_frozen", False),
        comments_frozen=document.get("comments_frozen", False),
        comments=document.get("comments"),
        views=document.get("views", 0),
        author_id=document.get("author_id"),
        automatic=document.get("automatic", False),
        changed_version=document.get("changed_version", 0),
        broadcast_id=document.get("broadcast_id"),
        member_count=document.get("member_count"),
    )


def _by_key(rows: list[Document]) -> dict[KnownKey, KeyedMessage]:
    found: dict[KnownKey, KeyedMessage] = {}
    for document in rows:
        message, key = _to_message(document), document["key"]
        known_as = KnownKey(message.stream_id, message.sender_id, key)
        found[known_as] = KeyedMessage(message, key, document["digest"])
    return found
