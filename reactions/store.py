"""Reaction and tally documents.

`reactions`: `_id` is `message<US>user<US>emoji`, so that a user holds an emoji once, whatever races. `tallies`: `_id`
is the message's key; the counts of all its emoji in the one document that every change of its reactions writes, so two
transactions on one message always conflict and the second runs again on what the first left.

Depends on: `groups.kernel.mongo`.
"""

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from typing import Final, NamedTuple

from groups.kernel.coalesce import Coalesced
from groups.kernel.ids import SEPARATOR, StreamId, UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Lookup, Tx
from groups.models import Tally, message_key
from reactions.models import Reaction

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
_KEPT_TALLIES: Final = 4_096
_KEPT_BYTES: Final = 1_024
"""Of a tally, which has 20 bytes for each emoji. All in all 3 MB in practice, 12 MB at most."""
_KEPT_HELD: Final = 8_192
_KEPT_HELD_BYTES: Final = 512
"""Of what says who holds an emoji. All in all 4 MB."""


class MessagePage(NamedTuple):
    """Some messages of a stream."""

    stream_id: StreamId
    seqs: tuple[int, ...]

    def message_ids(self) -> dict[str, int]:
        """The seq of each message, by its key."""
        return {message_key(self.stream_id, seq): seq for seq in self.seqs}


class Seen(NamedTuple):
    """Of some messages, by seq: the tallies, `mine` left empty, and the emoji that one user holds."""

    tallies: dict[int, Tally]
    """The same object for all who ask for the messages at once."""
    held: dict[int, set[str]]


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
        self._tally_memory = database.memory(
            "tallies", _to_tally, most=_KEPT_TALLIES, most_bytes=_KEPT_BYTES
        )
        self._held_memory = database.memory(
            "reactions", _to_held, most=_KEPT_HELD, most_bytes=_KEPT_HELD_BYTES
        )
        self._reader = Coalesced(self._read)

    # --- tallies --------------------------------------------------------------------------------------------------

    def lookup_tallies(self, message_ids: Collection[str]) -> Lookup[dict[str, Tally]]:
        """The tallies of those of the messages that ever had a reaction; `mine` is left empty."""
        return Lookup(
            self._tallies, {"_id": {"$in": list(message_ids)}}, dict, memory=self._tally_memory
        )

    async def put_tally(self, message_id: str, tally: Tally, tx: Tx) -> None:
        """Store the message's counts."""
        # The version makes a write even of what leaves the counts as they were (one takes an emoji up, another lays it
        # down): setting the same values again would write nothing, and so conflict with nobody.
        await self._tallies.update_one(
            {"_id": message_id},
            {"$set": {"counts": tally.counts, "total": tally.total}, "$inc": {"version": 1}},
            upsert=True,
            session=tx.session,
        )

    # --- what a reader of messages sees -----------------------------------------------------------------------------

    def read(self, page: MessagePage, user_id: UserId) -> Awaitable[Seen | None]:
        """What the user sees on these messages; one command for all who ask for the page meanwhile."""
        return self._reader.find((page, user_id))

    async def _read(
        self, wanted: Collection[tuple[MessagePage, UserId]]
    ) -> dict[tuple[MessagePage, UserId], Seen]:
        users_of: dict[MessagePage, list[UserId]] = {}
        for page, user_id in wanted:
            users_of.setdefault(page, []).append(user_id)
        answers: dict[tuple[MessagePage, UserId], Seen] = {}
        # A command a page: all pages together would ask for every user's reactions on every page.
        for part in await asyncio.gather(*(self._see(p, users) for p, users in users_of.items())):
            answers |= part
        return answers

    async def _see(
        self, page: MessagePage, users: Sequence[UserId]
    ) -> dict[tuple[MessagePage, UserId], Seen]:
        seq_of = page.message_ids()
        # Where nothing has a tally nobody holds anything, so the others are not asked then.
        any_tally = Lookup(
            self._tallies,
            {"_id": {"$in": list(seq_of)}},
            bool,
            {"$limit": 1},
            {"$project": {"_id": 1}},
        )
        of_tallies, of_held = self.lookup_tallies(seq_of), self.lookup_held(seq_of, users)
        await self._database.look_up(None, any_tally, of_tallies, of_held)
        tallies = {seq_of[message_id]: tally for message_id, tally in of_tallies.found.items()}
        held = {
            user_id: {seq_of[message_id]: emoji for message_id, emoji in on.items()}
            for user_id, on in of_held.found.items()
        }
        return {(page, user_id): Seen(tallies, held.get(user_id, {})) for user_id in users}

    # --- reactions ------------------------------------------------------------------------------------------------

    def lookup_held(
        self, message_ids: Collection[str], user_ids: Collection[UserId]
    ) -> Lookup[dict[UserId, dict[str, set[str]]]]:
        """The emoji that these users hold on these messages, by user and message."""
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        return Lookup(
            self._reactions,
            {"message_id": {"$in": list(message_ids)}, "user_id": {"$in": list(user_ids)}},
            _by_user,
            {"$project": {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1}},
            memory=self._held_memory,
        )

    async def list_holders(
        self, message_id: str, emoji: str, *, after: str, limit: int
    ) -> list[Reaction]:
        """The reactions with the emoji by user id, behind `after`."""
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

    async def insert_many(self, reactions: Sequence[Reaction], tx: Tx) -> None:
        """Add reactions that are known not to be there."""
        if reactions:
            documents = [_to_document(reaction) for reaction in reactions]
            await self._reactions.insert_many(documents, ordered=True, session=tx.session)

    async def delete_many(
        self, message_id: str, held: Sequence[tuple[UserId, str]], tx: Tx
    ) -> None:
        """Take these emoji of these users off the message."""
        if held:
            keys = [join_key(message_id, user_id, emoji) for user_id, emoji in held]
            await self._reactions.delete_many(
                {"_id": {"$in": keys}, "message_id": message_id}, session=tx.session
            )

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` reactions or tallies of an ended stream; how many there were."""
        # Uses index: _id, where all keys of a stream stand together; across shards, since it runs once a stream.
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


def _to_tally(document: Document) -> tuple[str, Tally]:
    return document["_id"], Tally(counts=document["counts"], total=document["total"], mine=())


def _by_user(rows: list[tuple[str, UserId, str]]) -> dict[UserId, dict[str, set[str]]]:
    held: dict[UserId, dict[str, set[str]]] = {}
    for message_id, user_id, emoji in rows:
        held.setdefault(user_id, {}).setdefault(message_id, set()).add(emoji)
    return held


def _to_held(document: Document) -> tuple[str, UserId, str]:
    return document["message_id"], document["user_id"], document["emoji"]


def _to_document(reaction: Reaction) -> Document:
    return {
        "_id": join_key(reaction.message_id, reaction.user_id, reaction.emoji),
        "message_id": reaction.message_id,
        "user_id": reaction.user_id,
        "emoji": reaction.emoji,
        "at": reaction.at,
    }
