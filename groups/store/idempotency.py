"""The results of idempotency keys: `_id` is `user<US>call<US>key`, `print` the digest of the request, `made` an id.

For things that are created rarely and may change or end later. A message holds its own key, since posts are many.
"""

from datetime import datetime
from typing import Final, NamedTuple

from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx

KEPT_SECONDS: Final = 24 * 3600
"""How long an `Idempotency-Key` is kept; the database deletes it up to a minute later."""


class KeyedCall(NamedTuple):
    """A call with the caller's key. `call` is the kind of call; another request has another `digest`."""

    user_id: UserId
    call: str
    key: str
    digest: str


class FirstCall(NamedTuple):
    """The id of the thing that the first call with a key created, and the digest of its request."""

    created_id: str
    digest: str


class IdempotencyStore:
    """The collection `repeats`."""

    INDEXES = (
        Index(
            "repeats", [("at", 1)], "the TTL that forgets keys", expire_after_seconds=KEPT_SECONDS
        ),
    )

    def __init__(self, database: Database) -> None:
        self._repeats = database.collection("repeats")

    async def find_first(self, call: KeyedCall, tx: Tx) -> FirstCall | None:
        """The earlier call with the same key."""
        document = await self._repeats.find_one({"_id": _id_of(call)}, session=tx.session)
        return FirstCall(document["made"], document["print"]) if document else None

    async def insert(self, call: KeyedCall, created_id: str, at: datetime, tx: Tx) -> None:
        """Store what the call creates. Concurrent calls with one key conflict here; the later one finds the first."""
        document: Document = {
            "_id": _id_of(call),
            "made": created_id,
            "print": call.digest,
            "at": at,
        }
        await self._repeats.insert_one(document, session=tx.session)


def _id_of(call: KeyedCall) -> str:
    return join_key(call.user_id, call.call, call.key)
