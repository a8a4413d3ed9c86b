"""Reaction and tally documents.

`reactions`: `_id` is `message<US>user<US>emoji`, so a user holds an emoji once, under any race. `tallies`: `_id` is the
message's key. It holds the counts of all its emoji, and every change of its reactions writes it. So two transactions on
one message always conflict, and the second runs again on the result of the first. A tally stays when its last reaction
goes, until the stream of the message has ended (`reactions.service.engine` relies on it).

Votes in polls are rows of `reactions` too (`reactions.models.vote_text`). The tally of a poll that has or had votes
also holds `votes`, the count of each option by its place as a text, and `voters`, the number of users who voted. So are
acknowledgements: the tally of a message that has some holds `acknowledged`, their number. `reminded_at` is when those
who had not acknowledged were reminded.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import DeleteMany, InsertOne, UpdateOne

from groups.kernel.batching.pages import PageBatcher, Wanted
from groups.kernel.ids import SEPARATOR, StreamId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, JoinedOn, Tx
from groups.kernel.undecoded import UndecodedMap, id_in
from groups.models import SEEN_A_COMMAND, Message, Tallies, Tally, message_key, seq_in
from reactions.models import ACKNOWLEDGED, Reaction, mine_of, prefix_of, votes_in

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
# Bytes of memory, and bytes that an entry takes beside its document (measured in `tests/server/test_caches.py`).
_KEPT_TALLY_BYTES: Final = 2**20  # some 1,000 messages
_TALLY_BYTES: Final = 500
_COUNT_BYTES: Final = 160
_KEPT_HELD_BYTES: Final = 2**20  # some 2,000 reactions
_HELD_BYTES: Final = 230

_PAIRS_A_CONDITION: Final = 64
"""Messages times users of one condition. Measured for one user on each of 200 messages, half of them with 600
reactions: 5 ms; with one condition for all 36 ms, with one for each message 22."""
_TOUCH: Final[Document] = {"$inc": {"version": 1}}

Held = dict[UserId, dict[int, set[str]]]
"""The emoji that users hold, by user and seq."""


class MessageKeys(NamedTuple):
    """Some messages of a stream."""

    stream_id: StreamId
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReactionQuery:
    """A query for the tallies of some messages of one stream, and for the emoji that some users hold there."""

    user_ids: Collection[UserId]
    of_tallies: BatchedQuery[Mapping[int, Tally]]
    of_held: BatchedQuery[Held]

    @property
    def queries(self) -> tuple[BatchedQuery[Any], BatchedQuery[Any]]:
        """The tallies first: if a message has none, nobody holds anything."""
        return self.of_tallies, self.of_held

    def by_user(self) -> dict[UserId, Tallies]:
        """Return what each of the users sees; the tallies are the same object for all of them."""
        return _seen_by(self.user_ids, self.of_tallies.result, self.of_held.result)


@dataclass(frozen=True, slots=True)
class PagesQuery:
    """Queries for the tallies of messages of many streams, and for the emoji that some users hold on some of them."""

    of_tallies: BatchedQuery[dict[str, bytes]]
    of_held: BatchedQuery[dict[str, dict[UserId, set[str]]]]
    to_tally: Callable[[bytes], Tally]

    @property
    def queries(self) -> tuple[BatchedQuery[Any], BatchedQuery[Any]]:
        return self.of_tallies, self.of_held

    def of_page(
        self, stream_id: StreamId, seqs: Iterable[int], user_ids: Iterable[UserId]
    ) -> dict[UserId, Tallies]:
        """Return what each of the users sees; the tallies are the same object for all of them."""
        found, all_held = self.of_tallies.result, self.of_held.result
        raw: dict[int, bytes] = {}
        held: Held = {}
        for seq in seqs:
            message_id = message_key(stream_id, seq)
            if (row := found.get(message_id)) is None:
                continue
            raw[seq] = row
            for user_id, emoji in all_held.get(message_id, {}).items():
                held.setdefault(user_id, {})[seq] = emoji
        tallies = UndecodedMap(raw, self.to_tally)
        return _seen_by(user_ids, tallies, held)


@dataclass(frozen=True, slots=True)
class BatchQuery:
    """A query for the tallies of messages of any streams, and for the emoji that some users hold on each of them."""

    of_tallies: BatchedQuery[dict[str, Tally]]
    of_held: BatchedQuery[dict[str, dict[UserId, set[str]]]]

    @property
    def queries(self) -> tuple[BatchedQuery[Any], BatchedQuery[Any]]:
        return self.of_tallies, self.of_held

    def tally_of(self, message_id: str) -> Tally | None:
        """Return the message's tally as it is stored; None where it has none."""
        return self.of_tallies.result.get(message_id)

    def held_on(
        self, message_id: str, user_ids: Collection[UserId], *, prefix: str
    ) -> dict[UserId, set[str]]:
        """Return what these users hold on the message, of the texts with this prefix; emoji where it is empty."""
        held = self.of_held.result.get(message_id, {})
        return {
            user_id: {text for text in held.get(user_id, ()) if prefix_of(text) == prefix}
            for user_id in user_ids
        }


class ReactionStore:
    """The collections `reactions` and `tallies`."""

    INDEXES = (
        Index(
            "reactions",
            [("message_id", 1), ("emoji", 1), ("_id", 1)],
            "who reacted with an emoji, by user",
        ),
        # Measured at 320,000 reactions: ranges of _id do it without this index, but take 11.4 ms for the 256 users of
        # a batch where it takes 3.6 (20 messages of one user: 1.3 and 0.9); it costs 17% of the insert.
        Index(
            "reactions",
            [("message_id", 1), ("user_id", 1), ("emoji", 1)],
            "the emoji of some users on some messages (covered)",
        ),
        Index("tallies", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reactions = database.collection("reactions")
        self._tallies = database.collection("tallies")
        self._tally_cache = database.decoded_cache(
            "tallies",
            _to_tally,
            max_bytes=_KEPT_TALLY_BYTES,
            size_of=lambda raw, keyed: (
                len(raw)
                + _TALLY_BYTES
                + _COUNT_BYTES * (len(keyed[1].counts) + len(keyed[1].votes))
            ),
        )
        self._held_cache = database.decoded_cache(
            "reactions",
            _to_held,
            max_bytes=_KEPT_HELD_BYTES,
            size_of=lambda raw, _: 2 * len(raw) + _HELD_BYTES,
        )
        self._reader: PageBatcher[MessageKeys, UserId, Tallies] = PageBatcher(
            self._read,
            weight_of=lambda messages: len(messages.seqs),
            bytes_of=lambda messages: len(messages.seqs) * _TALLY_BYTES,
            max_weight=SEEN_A_COMMAND,
        )

    def put_tally(self, message_id: str, counted: Mapping[str, Any], tx: Tx) -> None:
        """Store these fields of the tally, with the other writes of the transaction."""
        # Two users may swap an emoji, and the counts stay. Setting the same values would write nothing, and so not
        # conflict; the version makes it a write.
        update: Document = {"$set": counted, **_TOUCH}
        if "counts" not in counted:
            update["$setOnInsert"] = {"counts": {}, "total": 0}
        tx.write(self._tallies, UpdateOne({"_id": message_id}, update, upsert=True))

    async def touch_tally(self, message_id: str, tx: Tx) -> None:
        """Write the message's tally, if there is one, without a change that anyone sees."""
        await self._tallies.update_one({"_id": message_id}, _TOUCH, session=tx.session)

    async def find_tally(self, message_id: str, tx: Tx) -> Tally:
        """Return the message's tally, which is empty where none is stored."""
        row = await self._tallies.find_one({"_id": message_id}, session=tx.session)
        return _to_tally(row)[1] if row is not None else Tally()

    async def find_acknowledgements(
        self, message_id: str, tx: Tx | None = None
    ) -> tuple[int, datetime | None]:
        """Return how many acknowledged the message, and when the others were reminded; None: not yet."""
        row = await self._tallies.find_one({"_id": message_id}, session=tx.session if tx else None)
        return (row.get("acknowledged", 0), row.get("reminded_at")) if row else (0, None)

    def read(self, messages: MessageKeys, user_id: UserId) -> Awaitable[Tallies | None]:
        """Return what the user sees on these messages. Users who ask for the same messages share one command."""
        return self._reader.find(messages, user_id)

    async def _read(
        self, wanted: Wanted[MessageKeys, UserId]
    ) -> dict[MessageKeys, dict[UserId, Tallies]]:
        message_ids = [
            message_key(messages.stream_id, seq) for messages in wanted for seq in messages.seqs
        ]
        # First: without any tally nobody holds anything, and the other queries of the command find nothing.
        any_tally = BatchedQuery(
            self._tallies,
            {"_id": {"$in": message_ids}},
            bool,
            {"$limit": 1},
            {"$project": {"_id": 1}},
        )
        if len(wanted) == 1 or not self._database.transactional:
            return {
                messages: await self._read_one(any_tally, messages, user_ids)
                for messages, user_ids in wanted.items()
            }
        query = self.query_pages(
            [(messages.stream_id, messages.seqs, users) for messages, users in wanted.items()]
        )
        await self._database.fetch(None, any_tally, *query.queries)
        return {
            messages: query.of_page(messages.stream_id, messages.seqs, user_ids)
            for messages, user_ids in wanted.items()
        }

    async def _read_one(
        self, any_tally: BatchedQuery[bool], messages: MessageKeys, user_ids: Sequence[UserId]
    ) -> dict[UserId, Tallies]:
        message_ids = [message_key(messages.stream_id, seq) for seq in messages.seqs]
        query = self.query(message_ids, user_ids)
        await self._database.fetch(None, any_tally, *query.queries)
        return query.by_user()

    async def read_anywhere(
        self, message_ids: Collection[str], user_id: UserId
    ) -> dict[str, Tally]:
        """Return what the user sees on messages of any streams, by id, with one command. Others have no reactions."""
        among: Document = {"$in": list(message_ids)}
        any_tally = BatchedQuery(
            self._tallies, {"_id": among}, bool, {"$limit": 1}, {"$project": {"_id": 1}}
        )
        of_tallies = BatchedQuery(self._tallies, {"_id": among}, list[Document])
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        of_held = BatchedQuery(
            self._reactions,
            {"message_id": among, "user_id": user_id},
            list[Document],
            {"$project": {"_id": 0, "message_id": 1, "emoji": 1}},
        )
        await self._database.fetch(None, any_tally, of_tallies, of_held)
        own: dict[str, set[str]] = {}
        for row in of_held.result:
            own.setdefault(row["message_id"], set()).add(row["emoji"])
        found: dict[str, Tally] = {}
        for row in of_tallies.result:
            _, tally = _to_tally(row)
            held = own.get(row["_id"], set())
            votes = votes_in(held) if tally.votes else ()
            found[row["_id"]] = replace(
                tally,
                mine=mine_of(tally, held),
                my_votes=votes,
                is_acknowledged=ACKNOWLEDGED in held,
            )
        return found

    def query(
        self,
        messages: Collection[str] | BatchedQuery[Sequence[Message]],
        user_ids: Collection[UserId],
    ) -> ReactionQuery:
        """Return a query for the tallies of these messages, and for the emoji that these users hold there.

        `messages`: their ids, or another query of the same command, which finds the messages.
        """
        of_ids, of_messages = {}, {}
        on_tally = on_reaction = None
        if isinstance(messages, BatchedQuery):
            on_tally = JoinedOn(messages, "_id", "_id")
            on_reaction = JoinedOn(messages, "_id", "message_id")
        else:
            among = {"$in": list(messages)}
            of_ids, of_messages = {"_id": among}, {"message_id": among}
        of_tallies: BatchedQuery[Mapping[int, Tally]] = BatchedQuery(
            self._tallies,
            of_ids,
            lambda rows: dict(map(_to_tally, rows)),
            joined_on=on_tally,
            parse_raw=self._undecoded,
        )
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        of_held = BatchedQuery(
            self._reactions,
            {**of_messages, "user_id": {"$in": list(user_ids)}},
            _by_user,
            {"$project": {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1}},
            cache=self._held_cache,
            joined_on=on_reaction,
        )
        return ReactionQuery(user_ids, of_tallies, of_held)

    def query_batch(self, holders: Mapping[str, Collection[UserId]]) -> BatchQuery:
        """Return a query for the tallies of these messages, by id, and for what these users hold on each of them."""
        of_tallies = BatchedQuery(
            self._tallies,
            {"_id": {"$in": list(holders)}},
            lambda rows: {row["_id"]: _to_tally(row)[1] for row in rows},
        )
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        groups = _few_pairs_each(holders)
        of_held = BatchedQuery(
            self._reactions,
            {"$or": groups} if len(groups) > 1 else groups[0],
            _by_message,
            {"$project": {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1}},
        )
        return BatchQuery(of_tallies, of_held)

    def query_pages(
        self, pages: Sequence[tuple[StreamId, Iterable[int], Collection[UserId]]]
    ) -> PagesQuery:
        """Return a query for the same of messages of several streams, each for the users who read it; not on mongomock.

        The tallies of at most `SEEN_A_COMMAND` messages, and of each message for its own readers only: where users and
        messages are looked up crosswise, the database looks for each of them with each of those.
        """
        message_ids: list[str] = []
        of_readers: list[Document] = []
        for stream_id, seqs, user_ids in pages:
            keys = [message_key(stream_id, seq) for seq in seqs]
            message_ids += keys
            of_readers.append({"message_id": {"$in": keys}, "user_id": {"$in": list(user_ids)}})
        of_tallies: BatchedQuery[dict[str, bytes]] = BatchedQuery(
            self._tallies, {"_id": {"$in": message_ids}}, _never, parse_raw=_by_id
        )
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        of_held = BatchedQuery(
            self._reactions,
            {"$or": of_readers},
            _by_message,
            {"$project": {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1}},
        )
        return PagesQuery(of_tallies, of_held, self._to_tally)

    def _undecoded(self, rows: list[bytes]) -> UndecodedMap[int, Tally]:
        return UndecodedMap({seq_in(id_in(raw)): raw for raw in rows}, self._to_tally)

    def _to_tally(self, raw: bytes) -> Tally:
        return self._tally_cache.decoded(raw)[1]

    async def list_holders(
        self, message_id: str, emoji: str, *, after: str, limit: int
    ) -> list[Reaction]:
        """Return reactions with the emoji of users with an id after `after`, by user id."""
        # Uses index: message_id_1_emoji_1__id_1, whose order within an emoji is by user.
        cursor = (
            self._reactions.find(
                {
                    "message_id": message_id,
                    "emoji": emoji,
                    "_id": {"$gt": join_key(message_id, after, emoji)},
                },
                {"_id": 0},
            )
            .sort([("_id", 1)])
            .limit(limit)
        )
        return [Reaction.model_construct(**document) for document in await cursor.to_list(None)]

    def insert(self, reactions: Iterable[Reaction], tx: Tx) -> None:
        """Insert reactions, with the other writes of the transaction."""
        tx.write(self._reactions, *(InsertOne(_to_document(reaction)) for reaction in reactions))

    def delete(self, message_id: str, held: Iterable[tuple[UserId, str]], tx: Tx) -> None:
        """Delete reactions to the message, with the other writes of the transaction."""
        keys = [join_key(message_id, user_id, emoji) for user_id, emoji in held]
        if keys:
            wanted = {"_id": {"$in": keys}, "message_id": message_id}
            tx.write(self._reactions, DeleteMany(wanted))

    async def delete_of_messages(self, message_ids: Sequence[str], limit: int, tx: Tx) -> bool:
        """Delete up to `limit` reactions to these messages, and their tallies if those were all: then True."""
        # Uses index: message_id_1_emoji_1__id_1
        among: Document = {"message_id": {"$in": list(message_ids)}}
        cursor = self._reactions.find(among, {"_id": 1}, session=tx.session).limit(limit + 1)
        keys = [row["_id"] for row in await cursor.to_list(None)]
        if keys:
            wanted: Document = {"_id": {"$in": keys[:limit]}, **among}
            await self._reactions.delete_many(wanted, session=tx.session)
        if len(keys) > limit:
            return False
        await self._tallies.delete_many({"_id": {"$in": list(message_ids)}}, session=tx.session)
        return True

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` reactions of an ended stream, or tallies where none is left. Returns their number.

        In this order: what still adds a reaction writes the tally too, so it conflicts with the deletion of the tally,
        or is found by the next call.
        """
        # Uses index: _id, in which all keys of a stream are adjacent; across shards, since it runs once a stream.
        whole: Document = {"$gt": stream_id + SEPARATOR, "$lt": stream_id + _AFTER_SEPARATOR}
        for collection in (self._reactions, self._tallies):
            cursor = collection.find({"_id": whole}, {"_id": 1}, session=tx.session)
            keys = [
                row["_id"] for row in await cursor.sort([("_id", 1)]).limit(limit).to_list(None)
            ]
            if keys:
                step: Document = {"$gte": keys[0], "$lte": keys[-1]}
                await collection.delete_many({"_id": step}, session=tx.session)
                return len(keys)
        return 0


def _to_tally(document: Document) -> tuple[int, Tally]:
    tally = Tally(document["counts"], document["total"])
    votes = document.get("votes")
    if votes is not None:
        counted = {int(option): count for option, count in votes.items()}
        tally = replace(tally, votes=counted, voters=document["voters"])
    acknowledged = document.get("acknowledged")
    if acknowledged is not None:
        tally = replace(tally, acknowledged=acknowledged)
    return seq_in(document["_id"]), tally


def _with_own(tallies: Mapping[int, Tally], held: Mapping[int, set[str]]) -> Tallies:
    mine: dict[int, tuple[str, ...]] = {}
    votes: dict[int, tuple[int, ...]] = {}
    acknowledged = set[int]()
    for seq, texts in held.items():
        if seq in tallies:
            tally = tallies[seq]
            mine[seq] = mine_of(tally, texts)
            if tally.votes:
                votes[seq] = votes_in(texts)
            if tally.acknowledged and ACKNOWLEDGED in texts:
                acknowledged.add(seq)
    return Tallies(tallies, mine, votes, acknowledged)


def _few_pairs_each(holders: Mapping[str, Collection[UserId]]) -> list[Document]:
    """Conditions that find together what these users hold on the messages, and a little more.

    One condition for all would make the database look for each of the users on each of the messages. One for each
    message costs it more than a look-up, since it makes a plan for every condition.
    """
    conditions: list[Document] = []
    message_ids: list[str] = []
    user_ids = set[UserId]()
    for message_id, users in holders.items():
        more = user_ids.union(users)
        if message_ids and (len(message_ids) + 1) * len(more) > _PAIRS_A_CONDITION:
            conditions.append(_holding(message_ids, user_ids))
            message_ids, more = [], set(users)
        message_ids.append(message_id)
        user_ids = more
    return [*conditions, _holding(message_ids, user_ids)]


def _holding(message_ids: Collection[str], user_ids: Collection[UserId]) -> Document:
    return {"message_id": {"$in": list(message_ids)}, "user_id": {"$in": list(user_ids)}}


def _seen_by(
    user_ids: Iterable[UserId], tallies: Mapping[int, Tally], held: Held
) -> dict[UserId, Tallies]:
    nothing = Tallies(tallies)
    return {
        user_id: _with_own(tallies, held[user_id]) if user_id in held else nothing
        for user_id in user_ids
    }


def _by_id(rows: list[bytes]) -> dict[str, bytes]:
    return {id_in(raw): raw for raw in rows}


def _never(rows: list[Document]) -> dict[str, bytes]:
    raise AssertionError("sent outside a transaction only")


def _by_message(rows: list[Document]) -> dict[str, dict[UserId, set[str]]]:
    held: dict[str, dict[UserId, set[str]]] = {}
    for row in rows:
        of_message = held.setdefault(row["message_id"], {})
        of_message.setdefault(row["user_id"], set()).add(row["emoji"])
    return held


def _by_user(rows: list[tuple[int, UserId, str]]) -> Held:
    held: Held = {}
    for seq, user_id, emoji in rows:
        held.setdefault(user_id, {}).setdefault(seq, set()).add(emoji)
    return held


def _to_held(document: Document) -> tuple[int, UserId, str]:
    return seq_in(document["message_id"]), document["user_id"], document["emoji"]


def _to_document(reaction: Reaction) -> Document:
    return {
        "_id": join_key(reaction.message_id, reaction.user_id, reaction.emoji),
        "message_id": reaction.message_id,
        "user_id": reaction.user_id,
        "emoji": reaction.emoji,
        "at": reaction.at,
    }
