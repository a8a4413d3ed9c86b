"""Uploads: what they are, their versions, and how messages and profiles name them."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final

from groups.kernel.ids import UserId
from groups.models.base import Model


class MediaKind(StrEnum):
    """What an upload is, by its bytes; each has a limit of its own."""

    IMAGE = "image"
    VIDEO = "video"
    FILE = "file"


class MediaSize(StrEnum):
    """The versions of a picture: as it was, or drawn smaller."""

    ORIGINAL = "original"
    LARGE = "large"
    THUMB = "thumb"


RECORD_BYTES: Final = 4_096
"""What the records of an upload count for, or a million empty ones would be free."""


class Attachment(Model):
    """An upload as a message carries it; what describes it is written once, when the message is."""

    media_id: str
    kind: MediaKind
    content_type: str = ""
    size_bytes: int = 0
    width: int | None = None
    height: int | None = None
    name: str = ""


class Media(Model):
    """An upload. Messages `uses` it; unused, it is thrown away after `expires_at`."""

    media_id: str
    uploader_id: UserId
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    name: str = ""
    created_at: datetime
    expires_at: datetime | None
    uses: int = 0
    stored_bytes: int = 0
    """What it takes of the quotas: its bytes, those of its smaller versions, and `RECORD_BYTES`."""

    @property
    def attachment(self) -> Attachment:
        """The upload as a message carries it."""
        return Attachment.model_validate(self.model_dump(include=set(Attachment.model_fields)))


_MEDIA_ADDRESS: Final = re.compile(
    r"/v1/media/([a-z2-7]{1,64})(?:\?size=(?:large|thumb))?", re.ASCII
)


def media_in(face_url: str) -> str | None:
    """The upload that the address of a group's or user's picture names; None where it is another server's."""
    found = _MEDIA_ADDRESS.fullmatch(face_url)
    return found[1] if found else None
