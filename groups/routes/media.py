"""The endpoints of uploads."""

from typing import Annotated

from pydantic import Field

from groups.errors import (
    BadMedia,
    InsufficientStorage,
    MediaNotFound,
    MediaTooLarge,
    StorageQuotaReached,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Download, IdempotencyKey, Query, Upload, get, post
from groups.kernel.errors import IdempotencyConflict
from groups.kernel.ids import AnyIdText
from groups.models import MediaSize
from groups.routes.responses.messages import MediaResponse, media_response
from groups.service.media.image_workers import FORMATS
from groups.service.media.service import MediaService


class SizeQuery(Query):
    """Which version of an image to load."""

    size: Annotated[
        MediaSize,
        Field(
            description="Of an image, or of a video's cover: `thumb`: 320 pixels at most; `large`: 1280; WebP."
        ),
    ] = MediaSize.ORIGINAL


class MediaRoutes:
    """Images, videos, sounds and files."""

    tag = "Media"

    def __init__(self, media: MediaService) -> None:
        self._media = media

    @post(
        "/v1/media",
        status=201,
        errors=[
            BadMedia,
            MediaTooLarge,
            StorageQuotaReached,
            InsufficientStorage,
            IdempotencyConflict,
        ],
    )
    async def upload(self, actor: Actor, upload: Upload, key: IdempotencyKey) -> MediaResponse:
        """Upload a file, as the body or as a part of a form; kept for 24 hours until a message uses it.

        Its bytes decide what kind of file it is. An image is redrawn: upright, and without the place and the camera
        that the file may name. Of a sound or video, `duration_seconds` is read where its file says it
        believably, and of a video also its width and height, and the cover that its file carries (`poster_url`).
        """
        media = await self._media.upload(
            actor, upload.chunks, length=upload.length, name=upload.name, key=key
        )
        return media_response(media.attachment)

    @get("/v1/media/{media_id}", errors=[MediaNotFound])
    async def download(self, media_id: AnyIdText, query: SizeQuery) -> Download:
        """Load an upload, whole or a range; its unguessable id is the permission, so that a page can show it."""
        stored = await self._media.open(media_id, query.size)
        content_type = stored.content_type
        return Download(
            content_type=content_type,
            size_bytes=stored.size_bytes,
            etag=f"{media_id}-{query.size.value}",
            name=stored.media.name,
            is_shown=content_type in FORMATS or content_type.startswith(("video/", "audio/")),
            read=stored.read,
        )
