"""Settings documents, in the collection `conversations`: `_id` is `user<US>conversation`.

A document exists once its user set something, usually a read cursor first. Joining and others' posts write none.
A one-to-one conversation has a document for each user in it from its first message on, which makes the conversation
exist for them; one that holds nothing but `accept` is of a dialogue that a channel must not begin. Fields with default
values are absent, which keeps the documents of a million readers small.

Every write here is an upsert or insert by `_id`, or updates what exists, and `delete_settings` writes each key that it
deletes even if nothing is stored. So a change of settings conflicts with the end of the membership, and one of the two
runs again: no settings outlive their membership. A channel that begins a thread writes its user's document of the
channel too (`touch`), for the same reason.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence

from pymongo import UpdateOne

from conversations.models import (
    AFTER_C2C_PREFIX,
    C2C_PREFIX,
    DEFAULT_SETTINGS,
    ConversationId,
    ConversationKey,
    ConversationSettings,
    UserSettings,
)
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import ONE_REPLY, BatchedQuery, Database, Document, Index, Tx

_WITHOUT_TEXTS: Document = {
    "_id": 0,
    "conversation_id": 1,
    "read_seq": 1,
    "muted": 1,
    "pinned_at": 1,
    "hidden_at_seq": 1,
    "groups": 1,
    "muted_until": 1,
    "accept": 1,
    "begun_by_channel": 1,
}
"""The fields that totals need. Drafts and custom data may have kilobytes each, and only a page shows them."""


class ConversationSettingsStore:
    """The `conversations` collection."""

    INDEXES = (
        Index(
            "conversations",
            [("user_id", 1), ("conversation_id", 1)],
            "all settings of a user, for lists and totals",
        ),
        Index(
            "conversations",
            [("user_id", 1), ("groups", 1), ("conversation_id", 1)],
            "the conversations in a conversation group",
            # Most conversations are in none, and moving a read cursor should not have to maintain this index.
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
        self._conversations = database.collection("conversations")

    async def list_user_settings(
        self, user_ids: Collection[UserId], tx: Tx | None = None
    ) -> dict[UserId, UserSettings]:
        """Return all settings of the users, without drafts and custom data. Users without any are absent."""
        # Uses index: user_id_1_conversation_id_1
        cursor = self._conversations.find(
            {"user_id": {"$in": list(user_ids)}},
            {**_WITHOUT_TEXTS, "user_id": 1},
            session=tx.session if tx else None,
            batch_size=ONE_REPLY,
        )
        of_users: dict[UserId, UserSettings] = {}
        for row in await cursor.to_list(None):
            user_id, conversation_id = row["user_id"], row["conversation_id"]
            user_settings = of_users.get(user_id)
            if user_settings is None:
                user_settings = of_users[user_id] = UserSettings()
            read_seq = user_settings.read_seqs[conversation_id] = row.get("read_seq", 0)
            # As C2C_PREFIX; cheaper than startswith, for thousands of rows.
            if conversation_id[0] == "c":
                user_settings.dialogues.append(conversation_id)
            if len(row) > 2 + bool(read_seq):  # more than its key and a read cursor
                user_settings.settings[conversation_id] = _to_settings(row)
        return of_users

    async def find_settings(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], tx: Tx | None = None
    ) -> dict[ConversationId, ConversationSettings]:
        """Find the user's settings for these conversations, with drafts and custom data."""
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        cursor = self._conversations.find(
            {"_id": {"$in": keys}, "user_id": user_id}, session=tx.session if tx else None
        )
        return {row["conversation_id"]: _to_settings(row) for row in await cursor.to_list(None)}

    async def find_settings_of_users(
        self, keys: Iterable[ConversationKey], tx: Tx
    ) -> dict[ConversationKey, ConversationSettings]:
        """Find the settings for these users and conversations, without drafts and custom data."""
        wanted = list(keys)
        query: Document = {
            "_id": {"$in": [join_key(*key) for key in wanted]},
            "user_id": {"$in": list({user_id for user_id, _ in wanted})},
        }
        cursor = self._conversations.find(
            query, {**_WITHOUT_TEXTS, "user_id": 1}, session=tx.session, batch_size=ONE_REPLY
        )
        return {
            (row["user_id"], row["conversation_id"]): _to_settings(row)
            for row in await cursor.to_list(None)
        }

    async def list_in_group(
        self, user_id: UserId, name: str, *, limit: int, tx: Tx
    ) -> list[ConversationId]:
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        return await self._list_ids({"user_id": user_id, "groups": name}, limit, tx)

    async def list_dialogues(self, user_id: UserId, *, limit: int, tx: Tx) -> list[ConversationId]:
        # Uses index: user_id_1_conversation_id_1 (covered)
        bounds = {"$gte": C2C_PREFIX, "$lt": AFTER_C2C_PREFIX}
        return await self._list_ids({"user_id": user_id, "conversation_id": bounds}, limit, tx)

    async def list_unanswered(self, user_id: UserId, *, limit: int, tx: Tx) -> list[ConversationId]:
        # Uses index: user_id_1_unanswered_1_conversation_id_1 (covered)
        return await self._list_ids({"user_id": user_id, "unanswered": True}, limit, tx)

    async def _list_ids(self, query: Document, limit: int, tx: Tx) -> list[ConversationId]:
        fields: Document = {"_id": 0, "conversation_id": 1}
        cursor = self._conversations.find(
            query, fields, session=tx.session, batch_size=ONE_REPLY
        ).limit(limit)
        return [row["conversation_id"] for row in await cursor.to_list(None)]

    async def advance_read_cursors(
        self,
        reads: Iterable[tuple[ConversationKey, int]],
        tx: Tx,
        *,
        absent: Container[ConversationKey] = (),
    ) -> None:
        """Move read cursors forward, never back.

        `absent` are keys that the transaction has seen not to be stored. They are inserted, which takes a fifth of the
        time of an upsert (5,000 of them: 70 instead of 330 ms).
        """
        new: list[Document] = []
        operations: list[UpdateOne] = []
        for key, seq in reads:
            if key in absent:
                new.append({**_key(key), "read_seq": seq})
            else:
                operations.append(UpdateOne(_key(key), {"$max": {"read_seq": seq}}, upsert=True))
        await self._database.apply(self._conversations, operations, tx)
        if new:
            await self._conversations.insert_many(new, session=tx.session)

    async def record_posts(
        self,
        written: Mapping[ConversationKey, int],
        begun: Iterable[ConversationKey],
        tx: Tx,
        *,
        with_channel: bool,
    ) -> None:
        """Record new messages of a dialogue.

        `written`: the newest message of each user who wrote; their cursors move there, and their dialogue counts as
        answered. `begun`: the dialogue begins for these users; it is unanswered for those who did not write. A channel
        is no stranger who waits for an answer, so what it begins does not use up that limit.
        """
        waiting = "begun_by_channel" if with_channel else "unanswered"
        updates: dict[ConversationKey, Document] = {
            key: {"$max": {"read_seq": seq}, "$unset": {waiting: ""}}
            for key, seq in written.items()
        }
        for key in begun:
            updates.setdefault(key, {"$max": {"read_seq": 0}, "$set": {waiting: True}})
        operations = [UpdateOne(_key(key), update, upsert=True) for key, update in updates.items()]
        await self._database.apply(self._conversations, operations, tx)

    async def update_settings(
        self, key: ConversationKey, values: Mapping[str, object], tx: Tx
    ) -> None:
        """Set fields by their names; a default value is stored by removing the field."""
        defaults = ConversationSettings._field_defaults
        kept = {name: value for name, value in values.items() if value != defaults[name]}
        update: Document = {}
        if kept:
            update["$set"] = kept
        gone = [name for name in values if name not in kept]
        if "hidden_at_seq" in kept:
            gone.append("unanswered")  # removing a dialogue from the list counts like an answer
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        await self._conversations.update_one(_key(key), update, upsert=True, session=tx.session)

    def query_settings(self, key: ConversationKey) -> BatchedQuery[ConversationSettings]:
        """Query the user's settings for one conversation, the defaults where nothing is stored."""
        return BatchedQuery(
            self._conversations,
            _by_id(key),
            lambda rows: _to_settings(rows[0]) if rows else DEFAULT_SETTINGS,
            {"$project": _WITHOUT_TEXTS},
        )

    async def touch(self, keys: Iterable[ConversationKey], tx: Tx) -> None:
        """Conflict with the end of these memberships, which writes the documents even if nothing is stored."""
        more: Document = {"$inc": {"version": 1}}
        operations = [UpdateOne(_key(key), more, upsert=True) for key in keys]
        await self._database.apply(self._conversations, operations, tx)

    async def switch_unbegun(self, key: ConversationKey, *, accept: bool, tx: Tx) -> None:
        """Store whether a channel may begin the dialogue, which has not begun; to accept is stored as no document.

        Every field of such a document is `accept`: one that begins gets a `read_seq`, which tells them apart.
        """
        if accept:
            await self._conversations.delete_one(
                _by_id(key) | {"read_seq": {"$exists": False}}, session=tx.session
            )
        else:
            await self._conversations.update_one(
                _key(key), {"$set": {"accept": False}}, upsert=True, session=tx.session
            )

    async def add_to_group(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], name: str, tx: Tx
    ) -> None:
        added: Document = {"$addToSet": {"groups": name}}
        operations = [
            UpdateOne(_key((user_id, conversation_id)), added, upsert=True)
            for conversation_id in conversation_ids
        ]
        await self._database.apply(self._conversations, operations, tx)

    async def remove_from_group(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], name: str, tx: Tx
    ) -> None:
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        if keys:
            await self._conversations.update_many(
                {"_id": {"$in": keys}, "user_id": user_id},
                {"$pull": {"groups": name}},
                session=tx.session,
            )

    async def rename_group(self, user_id: UserId, name: str, new_name: str, tx: Tx) -> None:
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        query, added = {"user_id": user_id, "groups": name}, {"$addToSet": {"groups": new_name}}
        await self._conversations.update_many(query, added, session=tx.session)
        await self.remove_group(user_id, name, tx)

    async def remove_group(self, user_id: UserId, name: str, tx: Tx) -> None:
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        await self._conversations.update_many(
            {"user_id": user_id, "groups": name}, {"$pull": {"groups": name}}, session=tx.session
        )

    async def delete_settings(
        self, conversation_id: ConversationId, user_ids: Sequence[UserId], tx: Tx
    ) -> int:
        """Delete these users' settings for the conversation. Returns how many of them had muted it."""
        keys = [_key((user_id, conversation_id)) for user_id in user_ids]
        query: Document = {
            "_id": {"$in": [key["_id"] for key in keys]},
            "user_id": {"$in": list(user_ids)},
        }
        cursor = self._conversations.find(
            query, {"_id": 1, "muted": 1}, session=tx.session, batch_size=ONE_REPLY
        )
        rows = await cursor.to_list(None)
        stored = {row["_id"] for row in rows}
        # Keys that are not stored are inserted and deleted, so that a concurrent write of one conflicts with this.
        absent = [key for key in keys if key["_id"] not in stored]
        if absent:
            await self._conversations.insert_many(absent, session=tx.session)
        await self._conversations.delete_many(query, session=tx.session)
        return sum(row.get("muted", False) for row in rows)


def _key(key: ConversationKey) -> Document:
    # With the shard key. An upsert stores these as the document's first fields.
    user_id, conversation_id = key
    return {"_id": join_key(*key), "user_id": user_id, "conversation_id": conversation_id}


def _by_id(key: ConversationKey) -> Document:
    return {"_id": join_key(*key), "user_id": key[0]}


def _to_settings(row: Document) -> ConversationSettings:
    get = row.get
    return ConversationSettings(
        get("read_seq", 0),
        get("muted", False),
        get("pinned_at"),
        get("hidden_at_seq"),
        tuple(row["groups"]) if "groups" in row else (),
        get("draft", ""),
        get("custom_data", ""),
        get("muted_until"),
        get("accept", True),
        get("begun_by_channel", False),
    )
