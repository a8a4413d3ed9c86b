"""Uploads and downloads, and the profiles of users."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from typing_extensions import Unpack

from channels.client.models import (
    LinkPreview,
    Media,
    OwnUser,
    Page,
    SetUser,
    UpdateUser,
    User,
    UserMissing,
)
from channels.client.resources.base import Resource, parsed
from channels.client.transport import path_of


class Uploads(Resource):
    """`client.media`."""

    async def upload(
        self, file: bytes | Path, name: str | None = None, *, idempotency_key: str | None = None
    ) -> Media:
        """Upload a file, whole; the server finds out what it is. `name` is what a download is saved as.

        It is held in memory, so that it can be sent again. Use its `media_id` in a post.
        """
        data = file if isinstance(file, bytes) else await asyncio.to_thread(file.read_bytes)
        if name is None and isinstance(file, Path):
            name = file.name
        headers = {"Content-Type": "application/octet-stream"}
        if name is not None:
            headers["X-File-Name"] = quote(name, safe="")
        answered = await self._transport.send(
            "POST",
            path_of("media"),
            data=data,
            headers=headers,
            idempotency_key=idempotency_key,
        )
        return parsed(Media, answered.body)

    async def download(self, media_id: str, *, size: str | None = None) -> bytes:
        """The bytes of an upload; `size="thumb"` is the small picture."""
        query = {"size": size}
        return (await self._transport.send("GET", path_of("media", media_id), query=query)).body

    async def preview_link(self, url: str) -> LinkPreview:
        """The title, description and picture of a page, for the `links` of a post; `image` is an upload of yours."""
        return await self._call("POST", LinkPreview, "link-previews", body={"url": url})


class Users(Resource):
    """`client.users`."""

    async def me(self) -> OwnUser:
        return await self._get(OwnUser, "users", "me")

    async def update_me(self, **changes: Unpack[UpdateUser]) -> OwnUser:
        return await self._call("PATCH", OwnUser, "users", "me", body=changes)

    async def get(self, user_id: str) -> User:
        return await self._get(User, "users", user_id)

    async def find(self, user_ids: Sequence[str]) -> list[User | UserMissing]:
        """Up to 50 users, in this order; one without a profile has an `error`."""
        return (await self._get(Page[User | UserMissing], "users", ids=list(user_ids))).items

    async def set_many(self, users: Sequence[SetUser]) -> list[User | UserMissing]:
        """Set the profiles of users, as a back end."""
        body = {"users": list(users)}
        return (await self._call("POST", Page[User | UserMissing], "users", body=body)).items

    async def revoke_tokens(self, user_id: str = "me") -> None:
        """Refuse all tokens of the user that were issued up to now, and close their sockets."""
        await self._do("DELETE", "users", user_id, "tokens")
