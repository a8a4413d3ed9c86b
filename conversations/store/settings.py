"""Overlay documents, in the collection `conversations`: `_id` is `user<US>conversation`.

A document exists once its user set something (a read cursor is the usual first); joining and others' posts write none.
A one-to-one conversation has one for each user in it from its first message on: it says that there is the conversation.
Fields that say nothing are absent: a million subscribers who read should weigh little.

Every write here is an upsert or insert by `_id`, or touches what is there, and `delete_of_members` writes each key it
clears even where nothing is stored. So whoever sets something while the membership ends conflicts with its end, and one
of the two runs again: no overlay outlives its membership.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence

from pymongo import UpdateOne

from conversations.models import (
    AFTER_C2C_PREFIX,
    C2C_PREFIX,
    ConversationId,
    ConversationKey,
    ConversationSettings,
    UserSettings,
)
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

_WITHOUT_TEXTS: Document = {
    "_id": 0,
    "conversation_id": 1,
    "read_seq": 1,
    "muted": 1,
    "pinned_at": 1,
    "hidden_at_seq": 1,
    "groups": 1,
}
"""What is read by the thousand: drafts and custom data may hold kilobytes each, and only a page shows them."""


class ConversationSettingsStore:
    """The `conversations` collection."""

    INDEXES = (
        Index(
            "conversations",
            [("user_id", 1), ("conversation_id", 1)],
            "all that a user set, for lists and totals",
        ),
        Index(
            "conversations",
            [("user_id", 1), ("groups", 1), ("conversation_id", 1)],
            "the conversations in a conversation group",
            # Most overlays are in none; reading on should not have to maintain this.
            partial={"groups": {"$exists": True}},
        ),
        Index(
            "conversations",
            [("user_id", 1), ("unanswered", 1), ("conversation_id", 1)],
            "the dialogues that others began and the user neither answered nor deleted",
            partial={"unanswered": {"$exists": True}},
        ),
    )

    def __init__(self, database: Database) -> None:
        self._database = database
        self._overlays = database.collection("conversations")

    # --- read -----------------------------------------------------------------------------------------------------

    async def list_of_users(
        self, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId, UserSettings]:
        """All that each of the users set, without drafts and custom data; who set nothing is absent."""
        # Uses index: user_id_1_conversation_id_1
        cursor = self._overlays.find(
            {"user_id": {"$in": list(user_ids)}},
            {**_WITHOUT_TEXTS, "user_id": 1},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        found: dict[UserId, UserSettings] = {}
        for row in await cursor.to_list(None):
            user_id, conversation_id = row["user_id"], row["conversation_id"]
            touched = found.get(user_id)
            if touched is None:
                touched = found[user_id] = UserSettings()
            read_seq = touched.read_seqs[conversation_id] = row.get("read_seq", 0)
            if conversation_id[0] == "c":  # C2C_PREFIX, thousands of times
                touched.dialogues.append(conversation_id)
            if len(row) > 2 + bool(read_seq):  # more than its key and a read cursor
                touched.overlays[conversation_id] = _to_overlay(row)
        return found

    async def find_of_user(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], tx: Tx | None = None
    ) -> dict[ConversationId, ConversationSettings]:
        """What the user set on these conversations, drafts and custom data included."""
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        cursor = self._overlays.find(
            {"_id": {"$in": keys}, "user_id": user_id}, session=tx.session if tx else None
        )
        return {row["conversation_id"]: _to_overlay(row) for row in await cursor.to_list(None)}

    async def find_many(
        self, keys: Iterable[ConversationKey], tx: Tx
    ) -> dict[ConversationKey, ConversationSettings]:
        """What these users set on the conversations named with them, without drafts and custom data."""
        wanted = list(keys)
        query: Document = {
            "_id": {"$in": [join_key(*key) for key in wanted]},
            "user_id": {"$in": list({user_id for user_id, _ in wanted})},
        }
        cursor = self._overlays.find(
            query, {**_WITHOUT_TEXTS, "user_id": 1}, session=tx.session, batch_size=ONE_REPLY
        )
        return {
            (row["user_id"], row["conversation_id"]): _to_overlay(row)
            for row in await cursor.to_list(None)
        }

    async def list_in_group(
        self, user_id: UserId, name: str, *, limit: int, tx: Tx
    ) -> list[ConversationId]:
        """The conversations in the user's conversation group, up to `limit` of them, by id."""
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        cursor = (
            self._overlays.find(
                {"user_id": user_id, "groups": name},
                {"_id": 0, "conversation_id": 1},
                session=tx.session,
                batch_size=ONE_REPLY,
            )
            .sort([("conversation_id", 1)])
            .limit(limit)
        )
        return [row["conversation_id"] for row in await cursor.to_list(None)]

    async def list_dialogues(self, user_id: UserId, *, limit: int, tx: Tx) -> list[ConversationId]:
        """The user's one-to-one conversations, up to `limit` of them, by id."""
        # Uses index: user_id_1_conversation_id_1 (covered)
        bounds = {"$gte": C2C_PREFIX, "$lt": AFTER_C2C_PREFIX}
        cursor = self._overlays.find(
            {"user_id": user_id, "conversation_id": bounds},
            {"_id": 0, "conversation_id": 1},
            session=tx.session,
            batch_size=ONE_REPLY,
        ).limit(limit)
        return [row["conversation_id"] for row in await cursor.to_list(None)]

    async def list_unanswered(self, user_id: UserId, *, limit: int, tx: Tx) -> list[ConversationId]:
        """The dialogues that others began and the user neither answered nor deleted, up to `limit` of them, by id."""
        # Uses index: user_id_1_unanswered_1_conversation_id_1 (covered)
        cursor = self._overlays.find(
            {"user_id": user_id, "unanswered": True},
            {"_id": 0, "conversation_id": 1},
            session=tx.session,
            batch_size=ONE_REPLY,
        ).limit(limit)
        return [row["conversation_id"] for row in await cursor.to_list(None)]

    # --- write ----------------------------------------------------------------------------------------------------

    async def advance(
        self,
        reads: Iterable[tuple[ConversationKey, int]],
        tx: Tx,
        *,
        absent: Container[ConversationKey] = (),
    ) -> None:
        """Move read cursors forward, never back, whatever is stored; `absent`: keys seen in `tx` not to be stored.

        These are inserted, which takes a fifth of an upsert's time (5,000 of them: 70 instead of 330 ms).
        """
        new: list[Document] = []
        operations: list[UpdateOne] = []
        for key, seq in reads:
            if key in absent:
                new.append({**_key(key), "read_seq": seq})
            else:
                operations.append(UpdateOne(_key(key), {"$max": {"read_seq": seq}}, upsert=True))
        await self._database.apply(self._overlays, operations, tx)
        if new:
            await self._overlays.insert_many(new, session=tx.session)

    async def say(
        self, written: Mapping[ConversationKey, int], begun: Iterable[ConversationKey], tx: Tx
    ) -> None:
        """Move the cursors of who wrote in a dialogue to what he wrote, by which he answers; `begun`: begin with him.

        Those that begin and were not written in by their own user are unanswered.
        """
        operations = [
            UpdateOne(
                _key(key), {"$max": {"read_seq": seq}, "$unset": {"unanswered": ""}}, upsert=True
            )
            for key, seq in written.items()
        ]
        operations += [
            UpdateOne(
                _key(key), {"$max": {"read_seq": 0}, "$set": {"unanswered": True}}, upsert=True
            )
            for key in begun
            if key not in written
        ]
        await self._database.apply(self._overlays, operations, tx)

    async def change(self, key: ConversationKey, values: Mapping[str, object], tx: Tx) -> None:
        """Set fields of an overlay by their names; a value that is the default is stored as absence."""
        defaults = ConversationSettings._field_defaults
        kept = {name: value for name, value in values.items() if value != defaults[name]}
        update: Document = {}
        if kept:
            update["$set"] = kept
        gone = [name for name in values if name not in kept]
        if "hidden_at_seq" in kept:
            gone.append(
                "unanswered"
            )  # who deletes what somebody began waits for no answer of his own
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        await self._overlays.update_one(_key(key), update, upsert=True, session=tx.session)

    async def put_into_group(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], name: str, tx: Tx
    ) -> None:
        """Put the conversations into the conversation group."""
        operations = [
            UpdateOne(
                _key((user_id, conversation_id)), {"$addToSet": {"groups": name}}, upsert=True
            )
            for conversation_id in conversation_ids
        ]
        await self._database.apply(self._overlays, operations, tx)

    async def take_out_of_group(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], name: str, tx: Tx
    ) -> None:
        """Take the conversations out of the conversation group."""
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        if keys:
            await self._overlays.update_many(
                {"_id": {"$in": keys}, "user_id": user_id},
                {"$pull": {"groups": name}},
                session=tx.session,
            )

    async def rename_group(self, user_id: UserId, name: str, new_name: str, tx: Tx) -> None:
        """Have all conversations of the conversation group be in it under its new name."""
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        await self._overlays.update_many(
            {"user_id": user_id, "groups": name},
            {"$addToSet": {"groups": new_name}},
            session=tx.session,
        )
        await self.drop_group(user_id, name, tx)

    async def drop_group(self, user_id: UserId, name: str, tx: Tx) -> None:
        """Have no conversation be in the conversation group."""
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        await self._overlays.update_many(
            {"user_id": user_id, "groups": name}, {"$pull": {"groups": name}}, session=tx.session
        )

    async def delete_of_members(
        self, conversation_id: ConversationId, user_ids: Sequence[UserId], tx: Tx
    ) -> int:
        """Delete what these users set on the conversation; how many of them had muted it."""
        keys = [_key((user_id, conversation_id)) for user_id in user_ids]
        query: Document = {
            "_id": {"$in": [key["_id"] for key in keys]},
            "user_id": {"$in": list(user_ids)},
        }
        cursor = self._overlays.find(
            query, {"_id": 1, "muted": 1}, session=tx.session, batch_size=ONE_REPLY
        )
        rows = await cursor.to_list(None)
        stored = {row["_id"] for row in rows}
        # What is not stored is inserted to be deleted: a write of it under way elsewhere then conflicts with this.
        absent = [key for key in keys if key["_id"] not in stored]
        if absent:
            await self._overlays.insert_many(absent, session=tx.session)
        await self._overlays.delete_many(query, session=tx.session)
        return sum(row.get("muted", False) for row in rows)


def _key(key: ConversationKey) -> Document:
    # With the shard key; on an upsert these become the document's first fields.
    user_id, conversation_id = key
    return {"_id": join_key(*key), "user_id": user_id, "conversation_id": conversation_id}


def _to_overlay(row: Document) -> ConversationSettings:
    get = row.get
    return ConversationSettings(
        get("read_seq", 0),
        get("muted", False),
        get("pinned_at"),
        get("hidden_at_seq"),
        tuple(row["groups"]) if "groups" in row else (),
        get("draft", ""),
        get("custom_data", ""),
    )
