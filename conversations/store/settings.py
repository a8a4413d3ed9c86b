"""Settings documents, in the collection `conversations`: `_id` is `user<US>conversation`.

A document exists once its user set something, usually a read cursor first. Joining and others' posts write none.
A one-to-one conversation has a document for each user in it from its first message on, which makes the conversation
exist for them; one that holds nothing but `accept` is of a dialogue that a channel must not begin. Fields with default
values are absent, which keeps the documents of a million readers small.

`changed_at` and `version` tell a device that was offline what changed (`conversations.service.changes`). Reading moves
`changed_at` alone. What a message does to the settings of its author moves neither: the stream has its time.

No settings outlive their membership. The end of a membership deletes the settings that it finds, so it conflicts with
changes of these, and one of the two runs again. Where nothing is stored it writes nothing; so what stores the first
settings of a membership writes the membership too (`hold_memberships`), and conflicts there. The end of a dialogue
writes each key that it deletes (`delete_settings`).
"""

from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pymongo import DeleteMany, InsertOne, UpdateOne

from conversations.models import (
    AFTER_C2C_PREFIX,
    C2C_PREFIX,
    ConversationId,
    ConversationKey,
    ConversationSettings,
    NotificationLevel,
    UserSettings,
    conversation_of,
    group_of,
)
from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import (
    ONE_REPLY,
    BatchedQuery,
    Database,
    Document,
    Index,
    Tx,
    as_columns,
    columns_in,
    is_since,
)

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
    "notifications": 1,
}
"""The fields that totals need. Drafts and custom data may have kilobytes each, and only a page shows them."""
_FOR_LISTS: Final[Document] = {
    "$project": {
        **_WITHOUT_TEXTS,
        "user_id": 1,
        # Null and a missing field are no greater.
        "has_texts": {"$or": [{"$gt": ["$draft", None]}, {"$gt": ["$custom_data", None]}]},
    }
}
_RINGS_FOR_ALL: Final = NotificationLevel.ALL
_SILENCES: Final[Document] = {
    "$or": [{name: {"$exists": True}} for name in ("muted", "muted_until", "notifications")]
}
_TEXTS: Final[Document] = {"draft": 1, "custom_data": 1}
_CHANGED_MS: Final[Document] = {"$toLong": "$changed_at"}
"""The database's number, which costs less than half of an instant to decode."""
_TEXTS_A_QUERY: Final = 200  # of up to 13 kB, so that several users do not wait for megabytes
_HAS_SETTINGS: Final[list[Document]] = [
    {"$gt": [f"${name}", None]}
    for name in _WITHOUT_TEXTS
    if name not in {"_id", "conversation_id", "read_seq"}
]
"""Conditions of which one holds where more than a read cursor is stored: null and a missing field are no greater."""
_AS_ROW: Final[Document] = {
    **{name: f"${name}" for name in _WITHOUT_TEXTS if name != "_id"},
    "version": "$version",
    "changed_ms": _CHANGED_MS,
}


Hold = Callable[[Collection[tuple[GroupId, UserId]], Tx], None]
"""Conflicts with the end of these memberships (`MembershipReader.hold`)."""


def _hold_nothing(_: Collection[tuple[GroupId, UserId]], tx: Tx) -> None:
    """For stores without groups."""


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

    def __init__(self, database: Database, hold: Hold = _hold_nothing) -> None:
        self._database = database
        self._conversations = database.collection("conversations")
        self._texts_reader = RequestBatcher(self._find_texts, max_keys=_TEXTS_A_QUERY)
        self._hold = hold

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
            user_id = row.pop("user_id")
            user_settings = of_users.get(user_id)
            if user_settings is None:
                user_settings = of_users[user_id] = UserSettings()
            _add(user_settings, row)
        return of_users

    def query_settings_of_users(
        self, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, UserSettings]]:
        """As `list_user_settings`, and which have texts, as a query to send together with others."""
        # Uses index: user_id_1_conversation_id_1
        return BatchedQuery(
            self._conversations, {"user_id": {"$in": list(user_ids)}}, _to_users, _FOR_LISTS
        )

    def find_texts(self, key: ConversationKey) -> Awaitable[tuple[str, str] | None]:
        """The draft and the custom data, which callers who ask at the same time find together; None without either."""
        return self._texts_reader.find(key)

    async def _find_texts(
        self, keys: Collection[ConversationKey]
    ) -> dict[ConversationKey, tuple[str, str]]:
        fields = {"user_id": 1, "conversation_id": 1, **_TEXTS}
        cursor = self._conversations.find(_of_keys(keys), fields, batch_size=ONE_REPLY)
        return {
            (row["user_id"], row["conversation_id"]): (
                row.get("draft", ""),
                row.get("custom_data", ""),
            )
            for row in await cursor.to_list(None)
        }

    def query_user_settings(
        self, user_ids: Collection[UserId], since: datetime
    ) -> BatchedQuery[dict[UserId, UserSettings]]:
        """As `list_user_settings`, with versions and times of those that changed at or after the instant."""
        # Uses index: user_id_1_conversation_id_1
        is_changed = is_since(since, "$changed_at")
        return BatchedQuery(
            self._conversations,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: _to_user_settings(row) for row in rows},
            as_columns(
                {"ids": "$conversation_id", "read_seqs": {"$ifNull": ["$read_seq", 0]}},
                where={"$or": [is_changed, *_HAS_SETTINGS]},
                details=_AS_ROW,
                by="$user_id",
            ),
        )

    def query_settings(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId]
    ) -> BatchedQuery[dict[ConversationId, ConversationSettings]]:
        """As `find_settings`, as a query to send together with others."""
        keys = [(user_id, conversation_id) for conversation_id in conversation_ids]
        return BatchedQuery(
            self._conversations,
            _of_keys(keys),
            lambda rows: {row["conversation_id"]: _to_settings(row) for row in rows},
        )

    def query_timed_settings(
        self, keys: Collection[ConversationKey]
    ) -> BatchedQuery[dict[ConversationKey, ConversationSettings]]:
        """The settings for these users and conversations, with versions and times of changes, to send with others."""
        return BatchedQuery(
            self._conversations, _of_keys(keys), _by_key, {"$set": {"changed_ms": _CHANGED_MS}}
        )

    async def find_settings(
        self, user_id: UserId, conversation_ids: Iterable[ConversationId], tx: Tx | None = None
    ) -> dict[ConversationId, ConversationSettings]:
        """Find the user's settings for these conversations, with drafts and custom data."""
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        cursor = self._conversations.find(
            {"_id": {"$in": keys}, "user_id": user_id},
            {"version": 0, "changed_at": 0},
            session=tx.session if tx else None,
        )
        return {row["conversation_id"]: _to_settings(row) for row in await cursor.to_list(None)}

    def query_settings_of_keys(
        self, keys: Collection[ConversationKey]
    ) -> BatchedQuery[dict[ConversationKey, ConversationSettings]]:
        """The settings for these users and conversations, without drafts and custom data."""
        return BatchedQuery(
            self._conversations,
            _of_keys(keys),
            _by_key,
            {"$project": {**_WITHOUT_TEXTS, "user_id": 1}},
        )

    async def find_silencing(
        self, keys: Collection[ConversationKey]
    ) -> dict[ConversationKey, ConversationSettings]:
        """Those settings for these users and conversations that may keep devices from ringing (`policy.rings`).

        The others are absent, which are nearly all: so the command returns little, whatever the number of keys. Of the
        settings, only mute and notifications are loaded.
        """
        cursor = self._conversations.find(
            {**_of_keys(keys), **_SILENCES},
            {
                "_id": 0,
                "user_id": 1,
                "conversation_id": 1,
                "muted": 1,
                "muted_until": 1,
                "notifications": 1,
            },
            batch_size=ONE_REPLY,
            # By the index on users the database would read all that a thousand users have set.
            hint=[("_id", 1)],
        )
        return _by_key(await cursor.to_list(None))

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
        at: datetime | None = None,
        absent: Container[ConversationKey] = (),
    ) -> None:
        """Move read cursors forward, never back; `at`: when the users read, None where a message of theirs tells it.

        `absent` are keys that the transaction has seen not to be stored. They are inserted, which takes a fifth of the
        time of an upsert (5,000 of them: 70 instead of 330 ms).
        """
        new: dict[ConversationKey, Document] = {}
        updates: dict[ConversationKey, Document] = {}
        time: Document = {} if at is None else {"changed_at": at}
        for key, seq in reads:
            values: Document = {"read_seq": seq, **time}
            if key in absent:
                new[key] = {**_key(key), **values}
            else:
                updates[key] = {"$max": values}
        await self._upsert(updates, tx)
        if new:
            await self._conversations.insert_many(list(new.values()), session=tx.session)
            self._hold_members(new, tx)

    def query_read_cursor(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> BatchedQuery[int]:
        """The user's stored read cursor of one conversation; 0 where there is none."""
        key = user_id, conversation_id
        return BatchedQuery(
            self._conversations,
            _by_id(key),
            lambda rows: int(rows[0].get("read_seq", 0)) if rows else 0,
            {"$project": {"_id": 0, "read_seq": 1}},
        )

    def write_read_cursors(self, reads: Collection[tuple[ConversationKey, int]], tx: Tx) -> None:
        """Move read cursors forward, never back, with the other writes of the transaction."""
        for key, seq in reads:
            change: Document = {"$max": {"read_seq": seq}}
            tx.write(self._conversations, UpdateOne(_key(key), change, upsert=True))
        # Nothing tells here which of them are first settings.
        self._hold_members((key for key, _ in reads), tx)

    def record_posts(
        self,
        written: Mapping[ConversationKey, int],
        begun: Iterable[ConversationKey],
        tx: Tx,
        *,
        with_channel: bool,
        absent: Container[ConversationKey] = (),
    ) -> None:
        """Record new messages of a dialogue, with the other writes of the transaction.

        `written`: the newest message of each user who wrote; their cursors move there, and their dialogue counts as
        answered. `begun`: the dialogue begins for these users; it is unanswered for those who did not write. A channel
        is no stranger who waits for an answer, so what it begins does not use up that limit. `absent` are keys that the
        transaction has seen not to be stored; inserting them takes the database a third of the time.
        """
        waiting = "begun_by_channel" if with_channel else "unanswered"
        updates: dict[ConversationKey, Document] = {}
        for key, seq in written.items():
            if key in absent:
                tx.write(self._conversations, InsertOne({**_key(key), "read_seq": seq}))
            else:
                updates[key] = {"$max": {"read_seq": seq}, "$unset": {waiting: ""}}
        for key in begun:
            if key in written:
                continue
            if key in absent:
                row = {**_key(key), "read_seq": 0, waiting: True}
                tx.write(self._conversations, InsertOne(row))
            else:
                updates[key] = {"$max": {"read_seq": 0}, "$set": {waiting: True}}
        for key, update in updates.items():
            tx.write(self._conversations, UpdateOne(_key(key), update, upsert=True))

    async def _upsert(self, updates: Mapping[ConversationKey, Document], tx: Tx) -> None:
        keys = list(updates)
        operations = [UpdateOne(_key(key), update, upsert=True) for key, update in updates.items()]
        inserted = await self._database.apply(self._conversations, operations, tx)
        self._hold_members((keys[place] for place in inserted), tx)

    def _hold_members(self, keys: Iterable[ConversationKey], tx: Tx) -> None:
        """Conflict with the end of the memberships whose first settings these are; dialogues have none."""
        memberships = [(group_of(key), user_id) for user_id, key in keys]
        self._hold([(group_id, user_id) for group_id, user_id in memberships if group_id], tx)

    async def update_settings(
        self, key: ConversationKey, values: Mapping[str, object], at: datetime, tx: Tx
    ) -> None:
        """Set fields by their names; a default value is stored by removing the field. `at`: when they changed."""
        defaults = ConversationSettings._field_defaults
        kept = {
            name: value.value if isinstance(value, NotificationLevel) else value
            for name, value in values.items()
            if value != defaults[name]
        }
        update = _changed(at)
        update["$set"] |= kept
        gone = [name for name in values if name not in kept]
        if "hidden_at_seq" in kept:
            gone.append("unanswered")  # removing a dialogue from the list counts like an answer
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        await self._upsert({key: update}, tx)

    def hold_memberships(self, memberships: Collection[tuple[GroupId, UserId]], tx: Tx) -> None:
        """Conflict with the end of these memberships, with the other writes of the transaction."""
        self._hold(memberships, tx)

    def mark_begun(self, memberships: Iterable[tuple[GroupId, UserId]], tx: Tx) -> None:
        """Note in the settings of these memberships that the channel begins a thread with the user.

        Nothing reads the note any more; it stays for one more version, as stored fields do.
        """
        more: Document = {"$inc": {"touched": 1}}
        for group_id, user_id in memberships:
            key = user_id, conversation_of(group_id)
            tx.write(self._conversations, UpdateOne(_key(key), more, upsert=True))

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
        self,
        user_id: UserId,
        conversation_ids: Iterable[ConversationId],
        name: str,
        at: datetime,
        tx: Tx,
    ) -> None:
        added = {"$addToSet": {"groups": name}, **_changed(at)}
        keys = [(user_id, conversation_id) for conversation_id in conversation_ids]
        await self._upsert(dict.fromkeys(keys, added), tx)

    async def remove_from_group(
        self,
        user_id: UserId,
        conversation_ids: Iterable[ConversationId],
        name: str,
        at: datetime,
        tx: Tx,
    ) -> None:
        keys = [join_key(user_id, conversation_id) for conversation_id in conversation_ids]
        if keys:
            await self._conversations.update_many(
                {"_id": {"$in": keys}, "user_id": user_id},
                {"$pull": {"groups": name}, **_changed(at)},
                session=tx.session,
            )

    async def rename_group(
        self, user_id: UserId, name: str, new_name: str, at: datetime, tx: Tx
    ) -> None:
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        query, added = {"user_id": user_id, "groups": name}, {"$addToSet": {"groups": new_name}}
        await self._conversations.update_many(query, added, session=tx.session)
        await self.remove_group(user_id, name, at, tx)

    async def remove_group(self, user_id: UserId, name: str, at: datetime, tx: Tx) -> None:
        # Uses index: user_id_1_groups_1_conversation_id_1 (partial: in a group)
        await self._conversations.update_many(
            {"user_id": user_id, "groups": name},
            {"$pull": {"groups": name}, **_changed(at)},
            session=tx.session,
        )

    def query_stored(
        self, keys: Iterable[ConversationKey]
    ) -> BatchedQuery[dict[ConversationKey, bool]]:
        """Those of the keys under which something is stored, and whether it mutes the conversation."""
        return BatchedQuery(
            self._conversations,
            _of_keys(list(keys)),
            lambda rows: {
                (row["user_id"], row["conversation_id"]): row.get("muted", False) for row in rows
            },
            {"$project": {"user_id": 1, "conversation_id": 1, "muted": 1}},
        )

    def delete_stored(self, keys: Iterable[ConversationKey], tx: Tx) -> None:
        """Delete the settings under these keys, which `query_stored` found; collected (`Tx.write`)."""
        tx.write(self._conversations, DeleteMany(_of_keys(list(keys))))

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


def _of_keys(keys: Collection[ConversationKey]) -> Document:
    return {
        "_id": {"$in": [join_key(*key) for key in keys]},
        "user_id": {"$in": list({user_id for user_id, _ in keys})},
    }


def _by_id(key: ConversationKey) -> Document:
    return {"_id": join_key(*key), "user_id": key[0]}


def _changed(at: datetime) -> Document:
    """The part of an update that records a change of settings."""
    return {"$set": {"changed_at": at}, "$inc": {"version": 1}}


def _add(user_settings: UserSettings, row: Document) -> None:
    """Add the settings in the row; it holds fields of settings, and which conversation they are for."""
    conversation_id = row["conversation_id"]
    user_settings.read_seqs[conversation_id] = row.get("read_seq", 0)
    # As C2C_PREFIX; cheaper than startswith, for thousands of rows.
    if conversation_id[0] == "c":
        user_settings.dialogues.append(conversation_id)
    if len(row) > 1 + ("read_seq" in row):  # more than its key and a read cursor
        user_settings.settings[conversation_id] = _to_settings(row)


def _by_key(rows: list[Document]) -> dict[ConversationKey, ConversationSettings]:
    return {(row["user_id"], row["conversation_id"]): _to_settings(row) for row in rows}


def _to_users(rows: list[Document]) -> dict[UserId, UserSettings]:
    of_users: dict[UserId, UserSettings] = {}
    for row in rows:
        user_id, has_texts = row.pop("user_id"), row.pop("has_texts")
        user_settings = of_users.get(user_id)
        if user_settings is None:
            user_settings = of_users[user_id] = UserSettings()
        _add(user_settings, row)
        if has_texts:
            user_settings.with_texts.append(row["conversation_id"])
    return of_users


def _to_user_settings(row: Document) -> UserSettings:
    (ids, read_seqs), details = columns_in([row], "ids", "read_seqs")
    dialogues = [conversation_id for conversation_id in ids if conversation_id[0] == "c"]
    settings = {row["conversation_id"]: _to_settings(row) for row in details}
    return UserSettings(dict(zip(ids, read_seqs, strict=True)), settings, dialogues)


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
        NotificationLevel(row["notifications"]) if "notifications" in row else _RINGS_FOR_ALL,
        get("version", 0),
        get("changed_ms") or 0,
    )
