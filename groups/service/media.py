"""The life of an upload: taken in, used by messages, released by them, thrown away.

Promises:
    Streamed: an upload passes through a temporary file, a piece at a time; too large a one is refused by its declared
    length, or as soon as it has passed its limit.
    Known by its bytes: what it is decides its limit, how it is served and which message may carry it.
    Unguessable: whoever knows an id may load it, so that a page can show it; nobody finds one he was not shown.
    No leaks: bytes have a record from before they are stored until after they are deleted; `sweep` deletes what nobody
    uses, and what a crash has left half stored or half deleted.
    Once: an upload repeated with its key answers the first one.

A picture is drawn anew (`pictures`); video and other files are kept as they were sent.
"""

import asyncio
import hashlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import filetype  # type: ignore[import-untyped]  # ships no types

from groups.errors import BadMedia, MediaNotFound, MediaTooLarge, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import IdempotencyConflict, RateLimited, Unavailable
from groups.kernel.ids import UserId, mint_id
from groups.kernel.repeating import repeat
from groups.limits import MEDIA_NAME_BYTES, GroupLimits
from groups.models import Attachment, Content, Kind, Media, MediaKind, MediaSize
from groups.service.pictures import FORMATS, THUMBNAIL_TYPE, redraw
from groups.store import MediaStore
from groups.store.media import UploadKey

ID_BYTES: Final = 20  # 160 random bits: the id is what gives access
SNIFFED_BYTES: Final = 8_192  # of the beginning, by which the kind is known
SWEEP_SECONDS: Final = 60.0
SWEPT_AT_ONCE: Final = 100
STORING_SECONDS: Final = (
    3_600  # after so long an upload's process has ended before all bytes were stored
)
DRAWN_AT_ONCE: Final = 1  # each may unpack to a few hundred MB
_UNKNOWN_TYPE: Final = "application/octet-stream"

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
    size_bytes: int
    _store: MediaStore

    def read(self, start: int, length: int) -> AsyncIterator[bytes]:
        """So many of them, from `start`."""
        return self._store.read(self.media.media_id, self.size, start, length)


class MediaService:
    """Uploads of one database."""

    def __init__(self, media: MediaStore, limits: GroupLimits, clock: Clock) -> None:
        self._media = media
        self._limits = limits
        self._clock = clock
        self._under_way: Counter[UserId] = Counter()
        self._drawing = asyncio.Semaphore(DRAWN_AT_ONCE)
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
        `uploads_per_user`; IdempotencyConflict; Unavailable, when another upload with this key overtook this one.
        """
        most = max(self._limits.image_bytes, self._limits.video_bytes, self._limits.file_bytes)
        if length is not None and length > most:
            raise MediaTooLarge(limit_bytes=most)
        with (
            self._place_of(actor.user_id),
            tempfile.TemporaryDirectory(prefix="channels-upload-") as directory,
        ):
            source = Path(directory) / "source"
            kind, content_type, size_bytes = await self._receive(chunks, source, length)
            upload_key = None
            if key is not None:
                digest = await asyncio.to_thread(_digest_of, source)
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
                target = Path(directory) / "drawn"
                async with self._drawing:
                    picture = await asyncio.to_thread(
                        redraw, source, content_type, target, self._limits
                    )
                versions = {MediaSize.ORIGINAL: picture.path, **picture.smaller}
                size = {"width": picture.width, "height": picture.height}
                media = media.model_copy(update={**size, "size_bytes": picture.path.stat().st_size})
            until = self._clock.now() + timedelta(seconds=STORING_SECONDS)
            if not await self._media.begin(
                media.model_copy(update={"expires_at": until}), upload_key
            ):
                raise Unavailable
            # A crash from here on leaves a record that nobody sees; the sweep deletes it with what bytes there are.
            for version, path in versions.items():
                await self._media.put_bytes(media.media_id, version, path)
            if not await self._media.finish(media, upload_key):
                raise Unavailable
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

    async def _receive(
        self, chunks: AsyncIterator[bytes], target: Path, length: int | None
    ) -> tuple[MediaKind, str, int]:
        """Write the file down as it comes: what it is, and how long.

        Raises: MediaTooLarge; BadMedia.
        """
        head = b""
        size = 0
        known: tuple[MediaKind, str] | None = None
        with target.open("wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                await asyncio.to_thread(file.write, chunk)
                if known is None:
                    head += chunk[: SNIFFED_BYTES - len(head)]
                    if len(head) == SNIFFED_BYTES:
                        known = _kind_of(head)
                        self._check_size(known[0], length or 0)
                if known is not None:
                    self._check_size(known[0], size)
        if not size:
            raise BadMedia("The upload is empty")
        known = known or _kind_of(head)
        self._check_size(known[0], size)
        return *known, size

    def _check_size(self, kind: MediaKind, size_bytes: int) -> None:
        limit = {
            MediaKind.IMAGE: self._limits.image_bytes,
            MediaKind.VIDEO: self._limits.video_bytes,
            MediaKind.FILE: self._limits.file_bytes,
        }[kind]
        if size_bytes > limit:
            raise MediaTooLarge(f"At most {limit} bytes, for {kind.value}s", limit_bytes=limit)

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
        length = await self._media.length_of(media_id, size)
        if length is None:
            raise MediaNotFound
        kind = media.content_type if size is MediaSize.ORIGINAL else THUMBNAIL_TYPE
        return Bytes(media, size, kind, length, self._media)

    # --- background -----------------------------------------------------------------------------------------------

    async def sweep(self) -> int:
        """Throw away what nobody uses and whose time is over; how many uploads. Several processes may sweep at once."""
        now = self._clock.now()
        gone = 0
        for media_id in await self._media.list_expired(now, SWEPT_AT_ONCE):
            if await self._media.doom(media_id, now):
                # A crash here leaves a record that nobody sees, for the next sweep.
                await self._media.delete(media_id)
                gone += 1
        return gone

    def start(self) -> None:
        """Sweep now and then, until stopped."""
        self._sweeping = self._sweeping or asyncio.create_task(
            repeat(self._sweep_all, SWEEP_SECONDS), name="media-sweep"
        )

    async def _sweep_all(self) -> None:
        while await self.sweep() == SWEPT_AT_ONCE:
            pass

    async def stop(self) -> None:
        """Stop sweeping."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping


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


def _kind_of(head: bytes) -> tuple[MediaKind, str]:
    found = filetype.guess(head)
    content_type = found.mime if found is not None else _UNKNOWN_TYPE
    if content_type in FORMATS:
        return MediaKind.IMAGE, content_type
    if content_type.startswith(("video/", "audio/")):
        return MediaKind.VIDEO, content_type
    return MediaKind.FILE, content_type


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_name(name: str) -> str:
    """The name without path and control characters, at most `MEDIA_NAME_BYTES` long."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in base if character.isprintable()).strip()
    return shown.encode(errors="ignore")[:MEDIA_NAME_BYTES].decode(errors="ignore")
