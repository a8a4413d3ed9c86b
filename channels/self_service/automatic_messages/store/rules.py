"""Documents of the rules: `_id` is `channel<US>rule<US>name`, so a channel has one of each, under any race.

`automatic_channels` has a document for each channel with rules that are on: which of them the consumer of the event log
must know to follow. The document with the empty id is the guard, whose version grows with each change of a rule: all
of them conflict there.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from channels.self_service.automatic_messages.models import AutomaticMessage, Rule
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

_GUARD: Final[Document] = {"_id": ""}


class Wanting(NamedTuple):
    """The kinds of rules of a channel: it greets subscribers, or answers messages."""

    greets: bool
    answers: bool


class AutomaticMessageStore:
    """The collections `automatic_messages` and `automatic_channels`."""

    INDEXES = (
        Index(
            "automatic_messages",
            [("channel_id", 1), ("rule", 1), ("name", 1)],
            "the rules of a channel, answers by name",
        ),
        Index("automatic_channels", [], "found by _id, or all of them"),
    )

    def __init__(self, database: Database) -> None:
        self._messages = database.collection("automatic_messages")
        self._channels = database.collection("automatic_channels")

    async def find(
        self, channel_id: GroupId, rule: Rule, name: str = "", tx: Tx | None = None
    ) -> AutomaticMessage | None:
        document = await self._messages.find_one(
            _key(channel_id, rule, name), session=tx.session if tx else None
        )
        return _to_message(document) if document else None

    async def list_after(
        self, channel_id: GroupId, rule: Rule, *, after: str, limit: int
    ) -> list[AutomaticMessage]:
        """The channel's messages of this rule by name, behind `after`."""
        # Uses index: channel_id_1_rule_1_name_1
        query: Document = {"channel_id": channel_id, "rule": rule.value, "name": {"$gt": after}}
        cursor = self._messages.find(query, sort=[("name", 1)], limit=limit)
        return [_to_message(row) for row in await cursor.to_list(None)]

    async def list_enabled(
        self, channel_ids: Collection[GroupId], tx: Tx | None = None
    ) -> dict[GroupId, list[AutomaticMessage]]:
        """The rules of these channels that are on, by name. The limit of answers bounds each channel's."""
        # Uses index: channel_id_1_rule_1_name_1
        cursor = self._messages.find(
            {"channel_id": {"$in": list(channel_ids)}, "enabled": True},
            sort=[("channel_id", 1), ("rule", 1), ("name", 1)],
            batch_size=ONE_REPLY,
            session=tx.session if tx else None,
        )
        found: dict[GroupId, list[AutomaticMessage]] = {}
        for row in await cursor.to_list(None):
            found.setdefault(row["channel_id"], []).append(_to_message(row))
        return found

    async def count_answers(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """How many automatic answers the channel has, up to `limit`."""
        # Uses index: channel_id_1_rule_1_name_1 (covered)
        query: Document = {"channel_id": channel_id, "rule": Rule.ANSWER.value}
        cursor = self._messages.find(query, {"_id": 0, "name": 1}, session=tx.session).limit(limit)
        return len(await cursor.to_list(None))

    async def put(self, message: AutomaticMessage, tx: Tx) -> None:
        """Store the message, in place of the one of the same rule and name."""
        values = message.model_dump(mode="python", exclude={"channel_id", "rule", "name"})
        values["content"] = message.content.to_stored()
        await self._messages.update_one(
            _key(message.channel_id, message.rule, message.name),
            {"$set": values},
            upsert=True,
            session=tx.session,
        )

    async def delete(self, channel_id: GroupId, rule: Rule, name: str, tx: Tx) -> bool:
        """Delete it; returns whether there was one."""
        result = await self._messages.delete_one(_key(channel_id, rule, name), session=tx.session)
        return result.deleted_count == 1

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` of a deleted channel. Returns how many there were."""
        # Uses index: channel_id_1_rule_1_name_1
        cursor = self._messages.find({"channel_id": channel_id}, {"_id": 1}, session=tx.session)
        keys = [row["_id"] for row in await cursor.limit(limit).to_list(None)]
        if keys:
            await self._messages.delete_many(
                {"channel_id": channel_id, "_id": {"$in": keys}}, session=tx.session
            )
        return len(keys)

    # --- the channels that the consumer follows -----------------------------------------------------------------------

    async def put_wanting(self, channel_id: GroupId, wanting: Wanting, tx: Tx) -> None:
        """Store what the channel does by itself; nothing where it does nothing."""
        key: Document = {"_id": channel_id}
        if any(wanting):
            values = {"$set": wanting._asdict()}
            await self._channels.update_one(key, values, upsert=True, session=tx.session)
        else:
            await self._channels.delete_one(key, session=tx.session)

    async def list_wanting(self, tx: Tx) -> dict[GroupId, Wanting]:
        """All channels that do something by themselves."""
        cursor = self._channels.find({"_id": {"$gt": ""}}, batch_size=ONE_REPLY, session=tx.session)
        return {
            GroupId(row["_id"]): Wanting(row["greets"], row["answers"])
            for row in await cursor.to_list(None)
        }

    async def has_wanting(self, tx: Tx) -> bool:
        """Whether any channel does something by itself."""
        found = await self._channels.find_one({"_id": {"$gt": ""}}, {"_id": 1}, session=tx.session)
        return found is not None

    async def touch_guard(self, tx: Tx) -> None:
        """Make the version grow, since a rule changes."""
        await self._channels.update_one(
            _GUARD, {"$inc": {"version": 1}}, upsert=True, session=tx.session
        )

    async def find_version(self, tx: Tx) -> int:
        """The version of all rules; 0 where there never was one."""
        row = await self._channels.find_one(_GUARD, session=tx.session)
        return int(row["version"]) if row else 0


def wanting_of(rules: Collection[AutomaticMessage]) -> Wanting:
    """Return the kinds of work of a channel with these rules, which are on."""
    return Wanting(
        any(each.rule is Rule.GREETING for each in rules),
        any(each.rule is not Rule.GREETING for each in rules),
    )


def _key(channel_id: GroupId, rule: Rule, name: str) -> Document:
    return {
        "_id": join_key(channel_id, rule.value, name),
        "channel_id": channel_id,
        "rule": rule.value,
        "name": name,
    }


def _to_message(document: Document) -> AutomaticMessage:
    return AutomaticMessage.from_stored(document)
