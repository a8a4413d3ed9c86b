"""The life of an upload: taken in, used by messages, released by them, thrown away.

Promises:
    Streamed: an upload passes through a temporary file, a piece at a time; too large a one is refused by its declared
    length, or as soon as it has passed its limit.
    Known by its bytes: what it is decides its limit, how it is served and which message may carry it.
    Unguessable: whoever knows an id may load it, so that a page can show it; nobody finds one he was not shown.
    No leaks: bytes have a record from before they are stored until after they are deleted; `sweep` deletes what nobody
    uses, and what a crash has left half stored or half deleted.
    Quotas are exact (`upload_quotas`): what a process that dies has counted goes with its record, `STORING_SECONDS`
    later, by the sweep.
    Disks are watched: one that is nearly full takes no upload (`upload_files`).
    Once: an upload repeated with its key answers the first one.

A picture is drawn anew (`pictures`); video and other files are kept as they were sent.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from weakref import WeakValueDictionary

from groups.errors import MediaNotFound, MediaTooLarge, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.background import repeat
from groups.kernel.clock import Clock
from groups.kernel.errors import IdempotencyConflict, RateLimited, Unavailable
from groups.kernel.group_commit import OnBatch
from groups.kernel.ids import UserId, mint_id
from groups.kernel.mongo import Database
from groups.limits import MEDIA_NAME_BYTES, GroupLimits
from groups.models import RECORD_BYTES, Attachment, Content, Kind, Media, MediaKind, MediaSize
from groups.service.media.image_workers import THUMBNAIL_TYPE, ImageWorkers
from groups.service.media.upload_files import UploadFiles
from groups.service.media.upload_quotas import UploadQuotas
from groups.service.media.upload_receiver import UploadReceiver, digest_of
from groups.store.media import MediaStore, UploadKey
from groups.store.media_bytes import MediaBytes, StoredFile

ID_BYTES: Final = 20  # 160 random bits: the id is what gives access
SWEEP_SECONDS: Final = 60.0
SWEPT_AT_ONCE: Final = 100
STORING_SECONDS: Final = (
    3_600  # after so long an upload's process has ended before all bytes were stored
)

KINDS_OF: Final[Mapping[Kind, MediaKind]] = {
    Kind.IMAGE: MediaKind.IMAGE,
    Kind.TEXT_AND_IMAGE: MediaKind.IMAGE,
    Kind.VIDEO: MediaKind.VIDEO,
    Kind.FILE: MediaKind.FILE,
}
"""What the uploads of a message of this kind must be; a file may be anything."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Stored bytes to send: `read(start, length)` yields them piece by piece."""

    media: Media
    size: MediaSize
    content_type: str
    _file: StoredFile
    _store: MediaBytes

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        return self._file.length

    def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        """So many of them, from `start`."""
        return self._store.read(self._file, start, length)


class MediaService:
    """Uploads of one database."""

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        files: UploadFiles,
        limits: GroupLimits,
        clock: Clock,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._media = media
        self._files = files
        self._receiver = UploadReceiver(files, limits)
        self._quotas = UploadQuotas(database, media, limits, on_batch=on_batch)
        self._limits = limits
        self._clock = clock
        self._under_way: Counter[UserId] = Counter()
        self._storing: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()
        self.pictures = ImageWorkers(limits)
        self._sweeping: asyncio.Task[None] | None = None

    # --- in -------------------------------------------------------------------------------------------------------

    async def upload(
        self,
        actor: Actor,
        chunks: AsyncIterator[bytes],
        *,
        length: int | None,
        name: str,
        key: str | None = None,
    ) -> Media:
        """Take in one file; until a message uses it, it is kept for `unused_media_seconds`.

        `length` is what the sender says it is, if he does; with a `key`, the same bytes again answer the first upload
        for as long as that is kept. Raises: MediaTooLarge; BadMedia; RateLimited at
        `uploads_per_user`; StorageQuotaReached; InsufficientStorage; IdempotencyConflict; Unavailable, when another
        upload with this key overtook this one.
        """
        most = max(self._limits.image_bytes, self._limits.video_bytes, self._limits.file_bytes)
        if length is not None and length > most:
            raise MediaTooLarge(limit_bytes=most)
        with self._place_of(actor.user_id), self._files.place() as directory:
            await asyncio.to_thread(self._files.check, length or 0)
            await self._quotas.check(actor, length or 1, key)
            source = directory / "source"
            kind, content_type, size_bytes = await self._receiver.receive(chunks, source, length)
            upload_key = None
            if key is not None:
                digest = await asyncio.to_thread(digest_of, source)
                upload_key = UploadKey(key, digest)
                first = await self._repeated(actor, upload_key)
                if first is not None:
                    return first
            media = Media(
                media_id=mint_id(ID_BYTES),
                uploader_id=actor.user_id,
                kind=kind,
                content_type=content_type,
                size_bytes=size_bytes,
                name=_file_name(name),
                created_at=self._clock.now(),
                expires_at=self._clock.now() + timedelta(seconds=self._limits.unused_media_seconds),
            )
            versions = {MediaSize.ORIGINAL: source}
            if kind is MediaKind.IMAGE:
                target = directory / "drawn"
                picture = await self.pictures.draw(actor.user_id, source, content_type, target)
                versions = {MediaSize.ORIGINAL: picture.path, **picture.smaller}
                size = {"width": picture.width, "height": picture.height}
                media = media.model_copy(update={**size, "size_bytes": picture.path.stat().st_size})
            stored_bytes = RECORD_BYTES + sum(path.stat().st_size for path in versions.values())
            media = media.model_copy(update={"stored_bytes": stored_bytes})
            until = self._clock.now() + timedelta(seconds=STORING_SECONDS)
            begun = media.model_copy(update={"expires_at": until})
            await self._quotas.begin(actor, begun, upload_key)
            # A crash from here on leaves a record that nobody sees; the sweep deletes it with what bytes there are.
            try:
                # One of a user at a time: the database has other users' writes to make durable, too.
                async with self._storing.setdefault(actor.user_id, asyncio.Lock()):
                    for version, path in versions.items():
                        await self._media.bytes.put(media.media_id, version, path)
                if not await self._media.finish(media, upload_key):
                    raise Unavailable
            except Exception:
                # Whatever went wrong: the record is taken back, or it would be counted for an hour.
                with suppress(Exception):
                    await self._media.give_up(media.media_id, self._clock.now())
                    # A process that stood still may find its record swept; what it stored since must go too.
                    await self._media.delete_strays(media.media_id)
                raise
        return media

    @contextmanager
    def _place_of(self, user_id: UserId) -> Iterator[None]:
        """One of the places that the user has for uploads under way.

        Raises: RateLimited.
        """
        if self._under_way[user_id] >= self._limits.uploads_per_user:
            raise RateLimited(
                f"At most {self._limits.uploads_per_user} uploads at once", retry_after_seconds=1
            )
        self._under_way[user_id] += 1
        try:
            yield
        finally:
            self._under_way[user_id] -= 1
            if not self._under_way[user_id]:
                del self._under_way[user_id]

    async def _repeated(self, actor: Actor, key: UploadKey) -> Media | None:
        """The upload that had the key before; the key is free when there is none."""
        found = await self._media.find_by_key(actor.user_id, key.key)
        if found is None:
            await self._media.give_up_key(actor.user_id, key.key)
            return None
        media, digest = found
        if digest != key.digest:
            raise IdempotencyConflict
        return media

    # --- out ------------------------------------------------------------------------------------------------------

    async def get(self, media_id: str) -> Media:
        """What is known of an upload.

        Raises: MediaNotFound.
        """
        media = await self._media.find(media_id)
        if media is None:
            raise MediaNotFound
        return media

    async def open(self, media_id: str, size: MediaSize) -> Bytes:
        """The bytes of an upload, or of a smaller version of a picture.

        Raises: MediaNotFound, also for a version that there is not.
        """
        media = await self.get(media_id)
        file = await self._media.bytes.find_file(media_id, size)
        if file is None:
            raise MediaNotFound
        kind = media.content_type if size is MediaSize.ORIGINAL else THUMBNAIL_TYPE
        return Bytes(media, size, kind, file, self._media.bytes)

    # --- background -----------------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Throw away what nobody uses and whose time is over; how many uploads. Several processes may sweep at once."""
        now = self._clock.now()
        gone: list[str] = []
        for media_id in await self._media.list_expired(now, SWEPT_AT_ONCE):
            if await self._media.doom(media_id, now):
                # A crash from here on leaves a record that nobody sees, for the next sweep.
                await self._media.delete(media_id)
                gone.append(media_id)
        if gone:
            await self._database.run(lambda tx: self._media.forget(gone, tx))
        return len(gone)

    async def count_all(self) -> None:
        """Count what every user and the deployment have stored, while nobody uploads; for an older database."""
        await self._media.usage.count_all()

    def start(self) -> None:
        """Sweep now and then, until stopped."""
        self._sweeping = self._sweeping or asyncio.create_task(
            self._sweep_again_and_again(), name="media-sweep"
        )

    async def _sweep_again_and_again(self) -> None:
        await asyncio.to_thread(self._files.sweep)
        await repeat(self._sweep_all, SWEEP_SECONDS)

    async def _sweep_all(self) -> None:
        await asyncio.to_thread(self._files.sweep)
        while await self.sweep() == SWEPT_AT_ONCE:
            pass

    async def stop(self) -> None:
        """Stop sweeping, once what was begun is recorded, and end the workers that draw."""
        await self.pictures.close()
        await self._quotas.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
        self._files.close()


def attached(actor: Actor, content: Content, known: Mapping[str, Media]) -> Content:
    """The content with its uploads described, which must be the author's own and of the right kind.

    Raises: MediaNotFound; WrongMediaKind.
    """
    if not content.media:
        return content
    wanted = KINDS_OF.get(content.kind)
    described: list[Attachment] = []
    for attachment in content.media:
        media = known.get(attachment.media_id)
        if media is None or (media.uploader_id != actor.user_id and not actor.is_app_admin):
            raise MediaNotFound(media_id=attachment.media_id)
        if wanted is not MediaKind.FILE and media.kind is not wanted:
            raise WrongMediaKind(
                f"A message of kind {content.kind.value} cannot carry a {media.kind.value}",
                media_id=media.media_id,
                kind=media.kind.value,
            )
        described.append(media.attachment)
    return content.model_copy(update={"media": tuple(described)})


def kept_as_own(
    actor: Actor, known: Mapping[str, Media], kept: Collection[str]
) -> Mapping[str, Media]:
    """The uploads as `attached` takes them from somebody who changes what uses those in `kept` already."""
    return {
        media_id: media.model_copy(update={"uploader_id": actor.user_id})
        if media_id in kept
        else media
        for media_id, media in known.items()
    }


def media_ids_of(content: Content | None) -> Sequence[str]:
    """The uploads that the content uses, each as often as it does."""
    return [attachment.media_id for attachment in content.media] if content else []


def _file_name(name: str) -> str:
    """The name without path and control characters, at most `MEDIA_NAME_BYTES` long."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in base if character.isprintable()).strip()
    return shown.encode(errors="ignore")[:MEDIA_NAME_BYTES].decode(errors="ignore")
