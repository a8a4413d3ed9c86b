"""Quotas of stored bytes, of users and of the deployment: an upload is recorded and counted, or refused.

Promises: exact across all processes. An upload is counted in the transaction that writes its record, and given back in
the one that deletes it. A process that dies in between leaves both to the sweep (`MediaService.sweep`).
`groups.audit.media` compares the counters with the records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groups.errors import QuotaScope, StorageQuotaReached
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, OnBatch, each_key
from groups.kernel.errors import DomainError, Unavailable
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import Media
from groups.store.media import MediaStore, UploadKey
from groups.store.media_usage import MediaUsage


@dataclass(frozen=True, slots=True)
class _PendingUpload:
    media: Media
    key: UploadKey | None
    is_bounded: bool
    """Whether the user's own quotas apply; the application's back end uploads for many users."""


class UploadQuotas:
    """The quotas of one database's uploads."""

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        limits: GroupLimits,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._media = media
        self._limits = limits
        # All uploads meet in the deployment's counter, so they share transactions.
        self._queue: GroupCommit[_PendingUpload, None] = GroupCommit(
            database, each_key(self._record), name="uploads", on_batch=on_batch
        )

    async def check(self, actor: Actor, size_bytes: int, key: str | None) -> None:
        """Refuse an upload that has no room before its bytes are received; `begin` decides finally.

        An upload that repeats an earlier one needs no room. Raises: StorageQuotaReached.
        """
        user = actor.user_id
        usage = await self._media.usage.read([user])
        refusal = self._refusal(usage, user, size_bytes, is_bounded=not actor.is_app_admin)
        if refusal is None:
            return
        if key is None or await self._media.find_by_key(user, key) is None:
            raise refusal

    async def begin(self, actor: Actor, media: Media, key: UploadKey | None) -> None:
        """Record and count an upload before its bytes are stored. Raises: Unavailable when another one has its key."""
        await self._queue.submit("", _PendingUpload(media, key, not actor.is_app_admin))

    async def close(self) -> None:
        await self._queue.close()

    async def _record(
        self, tx: Tx, _: str, uploads: Sequence[_PendingUpload]
    ) -> Sequence[DomainError | None]:
        users = {upload.media.uploader_id for upload in uploads}
        usage = await self._media.usage.read(users, tx)
        # An earlier attempt, whose outcome is unknown, may have recorded them.
        recorded: set[str] = set()
        if tx.is_retry:
            recorded = await self._media.find_recorded(
                [upload.media.media_id for upload in uploads], tx
            )
        outcomes: list[DomainError | None] = []
        accepted: list[tuple[Media, UploadKey | None]] = []
        keys: set[tuple[UserId, str]] = set()
        for upload in uploads:
            media, user = upload.media, upload.media.uploader_id
            if media.media_id in recorded:
                outcomes.append(None)
                continue
            if upload.key is not None:
                key = (user, upload.key.key)
                if key in keys or await self._media.is_key_taken(*key, tx):
                    outcomes.append(Unavailable())
                    continue
            refusal = self._refusal(usage, user, media.stored_bytes, is_bounded=upload.is_bounded)
            outcomes.append(refusal)
            if refusal is None:
                accepted.append((media, upload.key))
                more = MediaUsage(media.stored_bytes, media.stored_bytes)
                usage[user] += more
                usage[None] += more
                if upload.key is not None:
                    keys.add((user, upload.key.key))
        if accepted:
            await self._media.insert_incoming(accepted, tx)
        return outcomes

    def _refusal(
        self,
        usage: Mapping[UserId | None, MediaUsage],
        user: UserId,
        more: int,
        *,
        is_bounded: bool,
    ) -> StorageQuotaReached | None:
        own, limits = usage[user], self._limits
        bounds: tuple[tuple[QuotaScope, bool, int, int], ...] = (
            ("user_unused", is_bounded, own.unused, limits.user_unused_media_bytes),
            ("user", is_bounded, own.total, limits.user_media_bytes),
            ("deployment", True, usage[None].total, limits.deployment_media_bytes),
        )
        for scope, applies, used, limit in bounds:
            if applies and limit and used + more > limit:
                return StorageQuotaReached(scope, limit_bytes=limit, used_bytes=used)
        return None
