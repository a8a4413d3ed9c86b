"""Which key made what: `_id` is `user<US>call<US>key`; `print`, the digest of what was asked for; `made`, an id.

For what is created seldom and can be changed or end afterwards; a message holds its own key, since posts are many.
"""

from datetime import datetime
from typing import Final, NamedTuple

from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx

KEPT_SECONDS: Final = 24 * 3600
"""How long an `Idempotency-Key` is remembered; the database forgets it up to a minute later."""


class KeyedCall(NamedTuple):
    """A call under its caller's key; `call` parts what one key may be used for, `print` tells other requests."""

    user_id: UserId
    call: str
    key: str
    print: str


class Made(NamedTuple):
    """What the first call under the key made, and the digest of what it had asked for."""

    made: str
    print: str


class IdempotencyStore:
    """The collection `repeats`."""

    INDEXES = (
        Index(
            "repeats",
            [("at", 1)],
            "the TTL that forgets keys",
            expire_after_seconds=KEPT_SECONDS,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._repeats = database.collection("repeats")

    async def find_first(self, call: KeyedCall, tx: Tx) -> Made | None:
        """What was made under the key before."""
        document = await self._repeats.find_one({"_id": _id_of(call)}, session=tx.session)
        return Made(document["made"], document["print"]) if document else None

    async def insert(self, call: KeyedCall, made: str, at: datetime, tx: Tx) -> None:
        """Note what is made; two under one key at once conflict here, and the later one finds the first."""
        document: Document = {"_id": _id_of(call), "made": made, "print": call.print, "at": at}
        await self._repeats.insert_one(document, session=tx.session)


def _id_of(call: KeyedCall) -> str:
    return join_key(call.user_id, call.call, call.key)
