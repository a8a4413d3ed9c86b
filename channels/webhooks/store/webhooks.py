"""Webhook documents: `_id` is the webhook id, which grows with the time of creation.

One document of `webhook_guards` has the number of webhooks and a version that grows with each change of one. Every
transaction that creates, changes or deletes a webhook writes it, so all of them conflict there and limits are exact.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from pymongo import ReturnDocument

from channels.webhooks.models import Webhook
from groups.kernel.ids import GroupId
from groups.kernel.mongo import ONE_REPLY, Database, Document, Index, Tx

_GUARD: Final[Document] = {"_id": "webhooks"}
_LIVING: Final[Document] = {"ends_at": None}


class Guard(NamedTuple):
    """How many webhooks there are, those that are being deleted included, and the version of all of them."""

    webhooks: int
    version: int


class Wanting(NamedTuple):
    """What an enabled webhook wants: the channel, None for all, and the types, empty for all."""

    channel_id: GroupId | None
    event_types: tuple[str, ...]


class WebhookStore:
    """The collections `webhooks` and `webhook_guards`."""

    INDEXES = (
        Index("webhooks", [("channel_id", 1), ("_id", 1)], "those of channels or the application"),
        Index(
            "webhooks",
            [("ends_at", 1)],
            "those to clear away",
            partial={"ends_at": {"$type": "date"}},
        ),
        Index(
            "webhooks",
            [("secrets_until", 1)],
            "replaced secrets to drop",
            partial={"secrets_until": {"$type": "date"}},
        ),
        Index("webhook_guards", [], "found by _id only"),
    )

    def __init__(self, database: Database) -> None:
        self._webhooks = database.collection("webhooks")
        self._guards = database.collection("webhook_guards")

    async def find_guard(self, tx: Tx) -> Guard:
        """The present number and version."""
        return _to_guard(await self._guards.find_one(_GUARD, session=tx.session))

    async def touch(self, tx: Tx, *, added: int = 0) -> Guard:
        """Count what the transaction creates or deletes, and make the version grow; returns both as they are then."""
        document = await self._guards.find_one_and_update(
            _GUARD,
            {"$inc": {"webhooks": added, "version": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=tx.session,
        )
        return _to_guard(document)

    async def find_webhook(
        self, channel_id: GroupId | None, webhook_id: str, tx: Tx | None = None
    ) -> Webhook | None:
        """The webhook of this channel, or of the application; None too where it is being deleted."""
        document = await self._webhooks.find_one(
            {"_id": webhook_id, "channel_id": channel_id, **_LIVING}, session=tx and tx.session
        )
        return _to_webhook(document) if document else None

    async def find_by_ids(
        self, webhook_ids: Collection[str], tx: Tx | None = None
    ) -> dict[str, Webhook]:
        """The webhooks with these ids, whatever their state."""
        cursor = self._webhooks.find(
            {"_id": {"$in": list(webhook_ids)}}, batch_size=ONE_REPLY, session=tx and tx.session
        )
        return {row["_id"]: _to_webhook(row) for row in await cursor.to_list(None)}

    async def list_webhooks(
        self, channel_id: GroupId | None, *, after: str, limit: int, tx: Tx | None = None
    ) -> list[Webhook]:
        """Those of the channel, or of the application, by creation."""
        # Uses index: channel_id_1__id_1
        cursor = self._webhooks.find(
            {"channel_id": channel_id, **_LIVING, "_id": {"$gt": after}},
            sort=[("_id", 1)],
            limit=limit,
            session=tx and tx.session,
        )
        return [_to_webhook(row) for row in await cursor.to_list(None)]

    async def list_enabled(self, channel_ids: Collection[GroupId], tx: Tx) -> list[Webhook]:
        """The enabled ones of the application and of these channels, also those whose channel was just deleted."""
        # Uses index: channel_id_1__id_1
        cursor = self._webhooks.find(
            {"channel_id": {"$in": [None, *channel_ids]}, "enabled": True},
            batch_size=ONE_REPLY,
            session=tx.session,
        )
        return [_to_webhook(row) for row in await cursor.to_list(None)]

    async def count(self, tx: Tx) -> int:
        """How many documents there are; it reads all of them (for the audit)."""
        return int(await self._webhooks.count_documents({}, session=tx.session))

    async def list_wanting(self, tx: Tx) -> list[Wanting]:
        """What each enabled webhook wants."""
        cursor = self._webhooks.find(
            {"enabled": True},
            {"_id": 0, "channel_id": 1, "event_types": 1},
            batch_size=ONE_REPLY,
            session=tx.session,
        )
        return [
            Wanting(row["channel_id"], tuple(row["event_types"]))
            for row in await cursor.to_list(None)
        ]

    async def insert(self, webhook: Webhook, tx: Tx) -> None:
        await self._webhooks.insert_one(_to_document(webhook), session=tx.session)

    async def replace(self, webhook: Webhook, tx: Tx) -> None:
        """Store the webhook as it is now, field by field, so that fields of a newer version stay."""
        values = _to_document(webhook)
        del values["_id"]
        update: Document = {"$set": values}
        if "secrets_until" not in values:
            update["$unset"] = {"secrets_until": ""}
        await self._webhooks.update_one({"_id": webhook.webhook_id}, update, session=tx.session)

    async def close_channel(
        self, channel_id: GroupId, closed_at: datetime, ends_at: datetime, tx: Tx
    ) -> None:
        """Let the channel's webhooks receive what happened until `closed_at`, and end at `ends_at`."""
        # Uses index: channel_id_1__id_1
        await self._webhooks.update_many(
            {"channel_id": channel_id, **_LIVING},
            {"$set": {"closed_at": closed_at, "ends_at": ends_at}},
            session=tx.session,
        )

    async def list_ended(self, now: datetime, limit: int) -> list[str]:
        """The ids of webhooks that are to be cleared away."""
        # Uses index: ends_at_1
        cursor = self._webhooks.find({"ends_at": {"$lte": now}}, {"_id": 1}, limit=limit)
        return [row["_id"] for row in await cursor.to_list(None)]

    async def delete(self, webhook_id: str, tx: Tx) -> bool:
        """Delete the document of an ended webhook; returns whether there was one."""
        result = await self._webhooks.delete_one(
            {"_id": webhook_id, "ends_at": {"$type": "date"}}, session=tx.session
        )
        return result.deleted_count == 1

    async def list_with_expired_secrets(self, now: datetime, limit: int) -> list[str]:
        # Uses index: secrets_until_1
        cursor = self._webhooks.find({"secrets_until": {"$lte": now}}, {"_id": 1}, limit=limit)
        return [row["_id"] for row in await cursor.to_list(None)]


def _to_guard(document: Document | None) -> Guard:
    return Guard(document["webhooks"], document["version"]) if document else Guard(0, 0)


def _to_webhook(document: Document) -> Webhook:
    return Webhook.from_stored({**document, "webhook_id": document["_id"]})


def _to_document(webhook: Webhook) -> Document:
    document: Document = webhook.model_dump(mode="python")
    document["_id"] = document.pop("webhook_id")
    if webhook.disabled_reason is not None:
        document["disabled_reason"] = webhook.disabled_reason.value
    document["event_types"] = list(webhook.event_types)
    document["old_secrets"] = list(document["old_secrets"])
    if webhook.old_secrets:
        document["secrets_until"] = min(old.valid_until for old in webhook.old_secrets)
    return document
