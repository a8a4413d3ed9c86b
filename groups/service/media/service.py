"""The life of an upload: received, used by messages and profiles, released by them, deleted.

Promises:
    Streamed: an upload passes through a temporary file, a piece at a time. Too large an upload is refused by its
    declared length, or as soon as it has passed its limit.
    Known by its bytes: they decide its limit, how it is served and which messages may carry it.
    Unguessable: everyone who knows an id may load the upload, so that a page can show it. Ids cannot be found out.
    No leaks: bytes have a record from before they are stored until after they are deleted; `sweep` deletes what nothing
    uses, and what a crash has left half stored or half deleted.
    Quotas are exact (`upload_quotas`): what a process that dies has counted is given back with its record, by the sweep
    `STORING_SECONDS` later.
    Disks are watched: a disk that is nearly full takes no upload (`upload_files`).
    Once: an upload that is repeated with its key returns the first one.

An image is redrawn (`image_workers`); sounds, videos and other files are kept as they were sent. How long a sound lasts
is read in a worker, too, and of a video also its size and its cover; what cannot be read, they are kept without.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from groups.errors import MediaNotFound, MediaTooLarge, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.background import cancel, repeat
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import IdempotencyConflict, RateLimited, Unavailable
from groups.kernel.ids import UserId, mint_id
from groups.kernel.mongo import Database
from groups.limits import MEDIA_NAME_BYTES, GroupLimits
from groups.models import RECORD_BYTES, Attachment, Content, Kind, Media, MediaKind, MediaSize
from groups.service.media.image_workers import THUMBNAIL_TYPE, ImageWorkers
from groups.service.media.upload_files import UploadFiles, UploadReceiver, digest_of, limits_of
from groups.service.media.upload_quotas import UploadQuotas
from groups.store.media import MediaStore, UploadKey
from groups.store.media_bytes import MediaBytes, StoredFile

ID_BYTES: Final = 20  # 160 random bits: the id is what gives access
SWEEP_SECONDS: Final = 60.0
SWEPT_AT_ONCE: Final = 100
STORING_SECONDS: Final = 3_600
"""How long storing an upload's bytes may take; a longer one was ended by a crash."""

KINDS_OF: Final[Mapping[Kind, frozenset[MediaKind]]] = {
    Kind.IMAGE: frozenset({MediaKind.IMAGE}),
    Kind.TEXT_AND_IMAGE: frozenset({MediaKind.IMAGE}),
    # Sounds too: there was no kind of their own once, and clients of that time send them as videos.
    Kind.VIDEO: frozenset({MediaKind.VIDEO, MediaKind.AUDIO}),
    Kind.AUDIO: frozenset({MediaKind.AUDIO}),
    Kind.FILE: frozenset(MediaKind),
}
"""The kinds of upload that a message of each kind takes, apart from the poster of a video."""
_PICTURES: Final = frozenset({MediaKind.IMAGE})


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """The bytes of one version of an upload."""

    media: Media
    content_type: str
    _file: StoredFile
    _store: MediaBytes

    @property
    def size_bytes(self) -> int:
        return self._file.length

    def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from `start`, piece by piece."""
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
        self._uploads_of: Counter[UserId] = Counter()
        self._storing: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()
        self.image_workers = ImageWorkers(limits)
        self._sweeping: asyncio.Task[None] | None = None

    async def upload(
        self,
        actor: Actor,
        chunks: AsyncIterator[bytes],
        *,
        length: int | None,
        name: str,
        key: str | None = None,
        is_redrawn: bool = False,
    ) -> Media:
        """Take in one file, which is kept for `unused_media_seconds` until a message uses it.

        `length` is the size in bytes that the sender declares, if any. With a `key`, the same bytes again return the
        first upload for as long as that is kept. `is_redrawn`: another deployment has redrawn the image, so its bytes
        are kept, and only its smaller versions are drawn.

        Raises: RateLimited at `uploads_per_user`; Unavailable, also when another upload with this key overtook this.
        """
        most = max(limits_of(self._limits).values())
        if length is not None and length > most:
            raise MediaTooLarge(limit_bytes=most)
        with self._slot_of(actor.user_id), self._files.directory() as directory:
            await asyncio.to_thread(self._files.check_room, length or 0)
            await self._quotas.check(actor, length or 1, key)
            source = directory / "source"
            kind, content_type, size_bytes = await self._receiver.receive(chunks, source, length)
            upload_key = None
            if key is not None:
                upload_key = UploadKey(key, await asyncio.to_thread(digest_of, source))
                first = await self._find_repeated(actor, upload_key)
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
                image = await self.image_workers.redraw(
                    actor.user_id, source, content_type, directory / "redrawn"
                )
                original = source if is_redrawn else image.path
                versions = {MediaSize.ORIGINAL: original, **image.smaller}
                size = {"width": image.width, "height": image.height}
                media = media.model_copy(update={**size, "size_bytes": original.stat().st_size})
            if kind is MediaKind.AUDIO:
                seconds = await self.image_workers.duration_of(actor.user_id, source, content_type)
                media = media.model_copy(update={"duration_seconds": seconds})
            if kind is MediaKind.VIDEO:
                video = await self.image_workers.video_info(
                    actor.user_id, source, content_type, directory / "cover"
                )
                versions |= video.cover
                media = media.model_copy(
                    update={
                        "width": video.width,
                        "height": video.height,
                        "duration_seconds": video.duration_seconds,
                        "has_cover": bool(video.cover),
                    }
                )
            stored_bytes = RECORD_BYTES + sum(path.stat().st_size for path in versions.values())
            media = media.model_copy(update={"stored_bytes": stored_bytes})
            await self._store(actor, media, upload_key, versions)
        return media

    async def _store(
        self, actor: Actor, media: Media, key: UploadKey | None, versions: Mapping[MediaSize, Path]
    ) -> None:
        until = self._clock.now() + timedelta(seconds=STORING_SECONDS)
        await self._quotas.begin(actor, media.model_copy(update={"expires_at": until}), key)
        # A crash from here on leaves a record that nobody sees; the sweep deletes it with the bytes there are.
        try:
            # One upload of a user at a time, since the database has other users' writes to make durable, too.
            async with self._storing.setdefault(actor.user_id, asyncio.Lock()):
                for version, path in versions.items():
                    await self._media.bytes.put(media.media_id, version, path)
            if not await self._media.mark_stored(media, key):
                raise Unavailable
        # After any error: a record that is not expired would count against the quotas for an hour.
        except Exception:
            with suppress(Exception):
                await self._media.expire_incoming(media.media_id, self._clock.now())
                # A process that stood still may find its record swept; what it stored since must go too.
                await self._media.delete_orphaned_bytes(media.media_id)
            raise

    @contextmanager
    def _slot_of(self, user_id: UserId) -> Iterator[None]:
        """One of the uploads that the user may have under way. Raises: RateLimited."""
        if self._uploads_of[user_id] >= self._limits.uploads_per_user:
            raise RateLimited(
                f"At most {self._limits.uploads_per_user} uploads at once", retry_after_seconds=1
            )
        self._uploads_of[user_id] += 1
        try:
            yield
        finally:
            self._uploads_of[user_id] -= 1
            if not self._uploads_of[user_id]:
                del self._uploads_of[user_id]

    @property
    def uploads_under_way(self) -> int:
        """Uploads that are being received or stored now."""
        return self._uploads_of.total()

    async def _find_repeated(self, actor: Actor, key: UploadKey) -> Media | None:
        """The stored upload that has the key; where there is none, the key is free afterwards."""
        found = await self._media.find_by_key(actor.user_id, key.key)
        if found is None:
            await self._media.free_key(actor.user_id, key.key)
            return None
        media, digest = found
        if digest != key.digest:
            raise IdempotencyConflict
        return media

    async def open(self, media_id: str, size: MediaSize) -> StoredBytes:
        """The bytes of an upload, or of a smaller version of an image. Raises: MediaNotFound for either."""
        media = await self._media.find_upload(media_id)
        file = await self._media.bytes.find_file(media_id, size) if media is not None else None
        if media is None or file is None:
            raise MediaNotFound
        content_type = media.content_type if size is MediaSize.ORIGINAL else THUMBNAIL_TYPE
        return StoredBytes(media, content_type, file, self._media.bytes)

    async def sweep(self) -> int:
        """Delete up to `SWEPT_AT_ONCE` expired uploads; returns how many. Several processes may sweep."""
        now = self._clock.now()
        deleted: list[str] = []
        for media_id in await self._media.list_expired(now, SWEPT_AT_ONCE):
            if await self._media.mark_doomed(media_id, now):
                # A crash from here on leaves a record that nobody sees, for the next sweep.
                await self._media.bytes.delete(media_id)
                deleted.append(media_id)
        if deleted:
            await self._database.run(lambda tx: self._media.delete_records(deleted, tx))
        return len(deleted)

    async def disown(self, media_id: str, old: UserId, new: UserId) -> None:
        """Make an upload that of another uploader, since the first one is deleted. Unused, it is swept soon.

        Repeating it changes nothing.
        """
        now = self._clock.now()
        await self._database.run(
            lambda tx: self._media.rename_uploader(media_id, old, new, now, tx)
        )

    async def recount_usage(self) -> None:
        """Count what every user and the deployment have stored, for an older database; nobody may upload meanwhile."""
        await self._media.usage.recount_all()

    def start(self) -> None:
        """Sweep from time to time, until `stop`."""
        self._sweeping = self._sweeping or asyncio.create_task(
            self._keep_sweeping(), name="media-sweep"
        )

    async def _keep_sweeping(self) -> None:
        await asyncio.to_thread(self._files.sweep)
        await repeat(self._sweep_all, SWEEP_SECONDS)

    async def _sweep_all(self) -> None:
        await asyncio.to_thread(self._files.sweep)
        while await self.sweep() == SWEPT_AT_ONCE:
            pass

    async def stop(self) -> None:
        """End the image workers, wait until begun uploads are recorded, and stop sweeping."""
        await self.image_workers.close()
        await self._quotas.close()
        if self._sweeping is not None:
            await cancel(self._sweeping)
        self._files.close()


def describe_media(actor: Actor, content: Content, known: Mapping[str, Media]) -> Content:
    """The content with its uploads described; they must be the author's own and of the right kind."""
    if not content.media:
        return content
    own_count, of_kind = len(content.own_media), KINDS_OF.get(content.kind, frozenset())
    described: list[Attachment] = []
    for place, attachment in enumerate(content.media):
        is_poster, is_of_link = attachment is content.poster, place >= own_count
        media = known.get(attachment.media_id)
        if media is None or (media.uploader_id != actor.user_id and not actor.is_app_admin):
            raise MediaNotFound(media_id=attachment.media_id)
        if media.kind not in (_PICTURES if is_poster or is_of_link else of_kind):
            if is_of_link:
                raise WrongMediaKind(
                    "The image of a link must be a picture",
                    media_id=media.media_id,
                    kind=media.kind.value,
                )
            what = (
                "The poster of a video" if is_poster else f"A message of kind {content.kind.value}"
            )
            raise WrongMediaKind(
                f"{what} cannot be an upload of kind {media.kind.value}"
                if is_poster
                else f"{what} cannot carry an upload of kind {media.kind.value}",
                media_id=media.media_id,
                kind=media.kind.value,
            )
        described.append(media.attachment)
    return content.model_copy(update={"media": tuple(described)})


def own_kept_media(
    actor: Actor, known: Mapping[str, Media], kept: Collection[str]
) -> Mapping[str, Media]:
    """`known` with the uploads in `kept` made the actor's own, since an edit may keep uploads of any user."""
    return {
        media_id: media.model_copy(update={"uploader_id": actor.user_id})
        if media_id in kept
        else media
        for media_id, media in known.items()
    }


def media_ids_of(content: Content | None) -> Sequence[str]:
    """The ids of the content's uploads, each as often as the content uses it."""
    return [attachment.media_id for attachment in content.media] if content else []


def _file_name(name: str) -> str:
    """The name without path and control characters, at most `MEDIA_NAME_BYTES` long."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in base if character.isprintable()).strip()
    return shown.encode(errors="ignore")[:MEDIA_NAME_BYTES].decode(errors="ignore")
