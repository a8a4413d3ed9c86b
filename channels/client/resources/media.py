"""Uploads and downloads, the profiles of users, and their export and deletion."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from typing_extensions import Unpack

from channels.client.models import (
    Deletion,
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
from channels.client.resources.user_export import UserExport
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

    def export(self, user_id: str = "me", *, cursor: str | None = None) -> UserExport:
        """All that is stored of the user, as lines with `type` and `data`, one by one with `async for`.

        Of others it is for the application's back end. A lost connection goes on; `cursor` is where to go on after
        the end of the program. Raises: RateLimited, where another export of the user is longer than the retries.
        """
        return UserExport(self._transport, user_id, cursor)

    async def delete(
        self, user_id: str = "me", *, confirm: str, messages: Literal["keep", "delete"] = "keep"
    ) -> Deletion:
        """Delete the user and all that is stored of them, for good; `confirm` is their id, spelled out.

        The tokens of the user are refused from now on, the rest follows in the background. `messages`: what becomes of
        their posts and group messages. Raises: Conflict (`owns_channels`). Users who delete themselves and lose the
        answer get Unauthenticated from the next attempt: the deletion has begun.
        """
        body = {"confirm": confirm, "messages": messages}
        return await self._call("DELETE", Deletion, "users", user_id, body=body)

    async def deletion(self, user_id: str) -> Deletion:
        """How far the deletion of a user is; for the application's back end."""
        return await self._get(Deletion, "users", user_id, "deletion")
