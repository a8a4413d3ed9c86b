"""Pictures of groups and users that were uploaded here: each is held as a message holds its uploads.

`face_url` is another server's address, which is only kept, or `/v1/media/{id}`. The latter counts as one use of the
upload from the transaction that sets it to the one that replaces it or ends the group, so it does not expire meanwhile.
"""

from datetime import datetime

from groups.errors import MediaNotFound, WrongMediaKind
from groups.kernel.actor import Actor
from groups.kernel.mongo import Tx
from groups.models import MediaKind, media_in
from groups.store.media import MediaStore


class Avatars:
    """Uses and releases the uploads that pictures of groups and users are."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    async def replace(self, actor: Actor, old: str, new: str, now: datetime, tx: Tx) -> None:
        """Hold the upload that `new` names, if it names one, and let go of that of `old`.

        Raises: MediaNotFound where it is not there, or not the actor's own; WrongMediaKind where it is no picture.
        """
        before, after = media_in(old), media_in(new)
        if before == after:
            return
        if after is not None:
            media = (await self._media.find_uploads([after], tx)).get(after)
            if media is None or (media.uploader_id != actor.user_id and not actor.is_app_admin):
                raise MediaNotFound(media_id=after)
            if media.kind is not MediaKind.IMAGE:
                raise WrongMediaKind(
                    "face_url takes a picture", media_id=after, kind=media.kind.value
                )
            await self._media.use([after], tx)
        await self.release(old, now, tx)

    async def release(self, face_url: str, now: datetime, tx: Tx) -> None:
        """Let go of the upload that the address names, if it names one."""
        media_id = media_in(face_url)
        if media_id is not None:
            await self._media.release([media_id], now, tx)
