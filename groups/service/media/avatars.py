"""Avatars of groups and users that were uploaded here.

`face_url` is the address of an image elsewhere, which is only stored, or `/v1/media/{id}`. The latter counts as one use
of the upload, as a message's attachment does, from the transaction that sets it to the one that replaces it or ends the
group. So the upload does not expire meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime

from groups.errors import MediaNotFound, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.mongo import Tx
from groups.models import MediaKind, media_in
from groups.store.media import MediaStore


@dataclass(frozen=True, slots=True)
class Avatars:
    """Counts avatars among the uses of uploads."""

    media: MediaStore

    async def replace(self, actor: Actor, old: str, new: str, now: datetime, tx: Tx) -> None:
        """Use the upload of the address `new`, if it names one, and release the upload of `old`.

        Raises: MediaNotFound also for an upload that is not the actor's own; WrongMediaKind when it is not an image.
        """
        before, after = media_in(old), media_in(new)
        if before == after:
            return
        if after is not None:
            media = (await self.media.find_uploads([after], tx)).get(after)
            if media is None or (media.uploader_id != actor.user_id and not actor.is_app_admin):
                raise MediaNotFound(media_id=after)
            if media.kind is not MediaKind.IMAGE:
                raise WrongMediaKind(
                    "face_url takes an image", media_id=after, kind=media.kind.value
                )
            await self.media.use([after], tx)
        await self.release(old, now, tx)

    async def release(self, face_url: str, now: datetime, tx: Tx) -> None:
        """Release the upload of the address, if it names one."""
        media_id = media_in(face_url)
        if media_id is not None:
            await self.media.release([media_id], now, tx)
