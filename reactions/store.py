"""Reaction and tally documents.

`reactions`: `_id` is `message<US>user<US>emoji`, so that a user holds an emoji once, whatever races. `tallies`: `_id`
is the message's key; the counts of all its emoji in the one document that every change of its reactions writes, so two
transactions on one message always conflict and the second runs again on what the first left.

Depends on: `groups.kernel.mongo`.
"""

from collections.abc import Awaitable, Collection, Iterable, Sequence
from typing import Final

from groups.kernel.coalesce import Coalesced
from groups.kernel.ids import SEPARATOR, StreamId, UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx
from groups.models import Tally
from reactions.models import Reaction

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)

Page = tuple[str, ...]


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
        self._reactions = database.collection("reactions")
        self._tallies = database.collection("tallies")
        self._tally_reader = Coalesced(self._find_tallies_of)
        self._held_reader = Coalesced(self._find_held_on)

    # --- tallies --------------------------------------------------------------------------------------------------

    async def find_tallies(
        self, message_ids: Iterable[str], tx: Tx | None = None
    ) -> dict[str, Tally]:
        """The tallies of those of the messages that ever had a reaction; `mine` is left empty."""
        cursor = self._tallies.find(
            {"_id": {"$in": list(message_ids)}}, session=tx.session if tx else None
        )
        return {
            document["_id"]: Tally(counts=document["counts"], total=document["total"], mine=())
            for document in await cursor.to_list(None)
        }

    def read_tallies(self, page: Page) -> Awaitable[dict[str, Tally] | None]:
        """As `find_tallies`, or None; the reading begins at once, and those who ask meanwhile share one query."""
        return self._tally_reader.find(page)

    async def _find_tallies_of(self, pages: Collection[Page]) -> dict[Page, dict[str, Tally]]:
        found = await self.find_tallies({message_id for page in pages for message_id in page})
        return {page: {i: found[i] for i in page if i in found} for page in pages}

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

    # --- reactions ------------------------------------------------------------------------------------------------

    async def find_held(
        self, message_ids: Iterable[str], user_ids: Iterable[UserId], tx: Tx | None = None
    ) -> dict[tuple[str, UserId], set[str]]:
        """The emoji that these users hold on these messages, by message and user."""
        # Uses index: message_id_1_user_id_1_emoji_1 (covered)
        cursor = self._reactions.find(
            {"message_id": {"$in": list(message_ids)}, "user_id": {"$in": list(user_ids)}},
            {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1},
            batch_size=ONE_REPLY,
            session=tx.session if tx else None,
        )
        held: dict[tuple[str, UserId], set[str]] = {}
        for document in await cursor.to_list(None):
            key = document["message_id"], document["user_id"]
            held.setdefault(key, set()).add(document["emoji"])
        return held

    def read_held(self, page: Page, user_id: UserId) -> Awaitable[dict[str, set[str]] | None]:
        """The emoji that the user holds on each of these messages; those who ask at once share one query."""
        return self._held_reader.find((page, user_id))

    async def _find_held_on(
        self, wanted: Collection[tuple[Page, UserId]]
    ) -> dict[tuple[Page, UserId], dict[str, set[str]]]:
        users_of: dict[Page, list[UserId]] = {}
        for page, user_id in wanted:
            users_of.setdefault(page, []).append(user_id)
        answers: dict[tuple[Page, UserId], dict[str, set[str]]] = {key: {} for key in wanted}
        # One query a page: all pages together would ask for every user's reactions on every page.
        for page, users in users_of.items():
            for (message_id, user_id), emoji in (await self.find_held(page, users)).items():
                answers[page, user_id][message_id] = emoji
        return answers

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


def _to_document(reaction: Reaction) -> Document:
    return {
        "_id": join_key(reaction.message_id, reaction.user_id, reaction.emoji),
        "message_id": reaction.message_id,
        "user_id": reaction.user_id,
        "emoji": reaction.emoji,
        "at": reaction.at,
    }
