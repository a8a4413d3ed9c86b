"""The records of deletions: `_id` is a keyed hash of the user's id.

While the deletion runs, its record holds the id too; the last write removes it. The record with the empty id has the
key of the hashes, which is random and the deployment's own. So a dump tells of a user whom somebody can name that they
were deleted, and when; it does not name them.
"""

import secrets
from datetime import datetime
from typing import Final

from pymongo import ReturnDocument

from channels.user_data.models import Deletion, DeletionState, Messages, Progress
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Document, Index, Tx

_KEY: Final[Document] = {"_id": ""}
_KEY_BYTES: Final = 32
_IS_OPEN: Final[Document] = {"user_id": {"$exists": True}}


class DeletionStore:
    """The collection `user_deletions`."""

    INDEXES = (
        Index(
            "user_deletions",
            [("user_id", 1)],
            "the deletions that are not done",
            partial=_IS_OPEN,
        ),
        Index(
            "user_deletions",
            [("expires_at", 1)],
            "the TTL of records of what is done",
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._deletions = database.collection("user_deletions")

    async def find_key(self) -> bytes | None:
        """The key of the hashes; None: nobody was deleted here so far."""
        row = await self._deletions.find_one(_KEY)
        return bytes(row["key"]) if row else None

    async def make_key(self) -> bytes:
        """The key of the hashes, made where there is none. Two processes that make it get the same one."""
        row = await self._deletions.find_one_and_update(
            _KEY,
            {"$setOnInsert": {"key": secrets.token_bytes(_KEY_BYTES)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert row is not None, "it was inserted if it was not there"
        return bytes(row["key"])

    async def find(self, digest: str, tx: Tx | None = None) -> Deletion | None:
        row = await self._deletions.find_one({"_id": digest}, session=tx and tx.session)
        return _to_deletion(row) if row else None

    async def list_all(self) -> list[Deletion]:
        """All records, at the start of a process: as many as users were deleted within their retention."""
        rows = await self._deletions.find({"_id": {"$gt": ""}}).to_list(None)
        return [_to_deletion(row) for row in rows]

    async def list_open(self, limit: int) -> list[Deletion]:
        """Deletions that are not done."""
        # Uses index: user_id_1 (partial)
        rows = await self._deletions.find(_IS_OPEN, limit=limit).to_list(None)
        return [_to_deletion(row) for row in rows]

    async def begin(self, deletion: Deletion, tx: Tx) -> None:
        """Store a new deletion, in place of an earlier one of a user with the same id."""
        await self._deletions.update_one(
            {"_id": deletion.digest},
            {
                "$set": {
                    "user_id": deletion.user_id,
                    "alias": deletion.alias,
                    "messages": deletion.messages.value,
                    "started_at": deletion.started_at,
                    "started_by_app": deletion.started_by_app,
                    "state": deletion.state.value,
                    "finished_at": None,
                    **_to_values(deletion.progress),
                },
                "$unset": {"expires_at": "", "holder": "", "leased_until": ""},
            },
            upsert=True,
            session=tx.session,
        )

    async def lease(
        self, digest: str, holder: str, now: datetime, until: datetime
    ) -> Deletion | None:
        """Lease a deletion that is not done, or prolong the lease; None where another process has it."""
        row = await self._deletions.find_one_and_update(
            {
                "_id": digest,
                **_IS_OPEN,
                "$or": [
                    {"holder": holder},
                    {"leased_until": {"$exists": False}},
                    {"leased_until": {"$lte": now}},
                ],
            },
            {"$set": {"holder": holder, "leased_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return _to_deletion(row) if row else None

    async def advance(
        self, digest: str, holder: str, progress: Progress, state: DeletionState
    ) -> bool:
        """Store how far the deletion is; False where the lease was lost."""
        result = await self._deletions.update_one(
            {"_id": digest, "holder": holder, **_IS_OPEN},
            {"$set": {"state": state.value, **_to_values(progress)}},
        )
        return result.matched_count == 1

    async def release(self, digest: str, holder: str) -> None:
        """End the lease, so that another process may go on at once."""
        await self._deletions.update_one(
            {"_id": digest, "holder": holder}, {"$unset": {"holder": "", "leased_until": ""}}
        )

    async def finish(
        self, digest: str, holder: str, at: datetime, expires_at: datetime, tx: Tx
    ) -> bool:
        """Mark the deletion as done, and forget whom it was of; False where the lease was lost."""
        result = await self._deletions.update_one(
            {"_id": digest, "holder": holder, **_IS_OPEN},
            {
                "$set": {
                    "state": DeletionState.DONE.value,
                    "finished_at": at,
                    "expires_at": expires_at,
                    "after": "",
                },
                "$unset": {"user_id": "", "holder": "", "leased_until": ""},
            },
            session=tx.session,
        )
        return result.matched_count == 1


def _to_values(progress: Progress) -> Document:
    return {
        "step": progress.step,
        "clean_from": progress.clean_from,
        "after": progress.after,
        "walked": progress.walked,
        "changed": progress.changed,
    }


def _to_deletion(row: Document) -> Deletion:
    user_id = row.get("user_id")
    return Deletion(
        digest=row["_id"],
        user_id=UserId(user_id) if user_id is not None else None,
        alias=row["alias"],
        messages=Messages(row["messages"]),
        started_at=row["started_at"],
        started_by_app=row["started_by_app"],
        state=DeletionState(row["state"]),
        finished_at=row["finished_at"],
        progress=Progress(
            step=row["step"],
            clean_from=row.get("clean_from", 0),
            after=row["after"],
            walked=row["walked"],
            changed=row["changed"],
        ),
    )
