"""Comments on the posts of channels: writing, reading, reactions, and what ends commenting."""

from typing_extensions import Unpack

from channels.client.models import (
    Ban,
    Comment,
    CommentPage,
    NewComment,
    Page,
    Post,
    Tally,
    WriteComment,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, with_kind


class Comments(Resource):
    """`client.comments`. The `kind` of a comment may be left out: it follows from the fields."""

    async def post(
        self,
        channel_id: str,
        post_seq: int,
        *,
        idempotency_key: str | None = None,
        **content: Unpack[NewComment],
    ) -> Comment:
        """Comment on a post: `post("news", 7, text="Well said")`. With `as_channel=True`, the channel is the sender."""
        return await self._call(
            *("POST", Comment, "channels", channel_id, "posts", post_seq, "comments"),
            body=with_kind(content),
            idempotency_key=idempotency_key,
        )

    async def get(self, channel_id: str, post_seq: int, seq: int) -> Comment:
        return await self._get(Comment, "channels", channel_id, "posts", post_seq, "comments", seq)

    def list(
        self,
        channel_id: str,
        post_seq: int,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        changed_since: int | None = None,
        around_seq: int | None = None,
        limit: int | None = None,
    ) -> Paged[Comment, CommentPage]:
        """The comments on a post, newest first. With `after_seq=0` pages lead from the oldest towards the newest."""
        return self._paged(
            *(CommentPage, Comment, "channels", channel_id, "posts", post_seq, "comments"),
            before_seq=before_seq,
            after_seq=after_seq,
            changed_since=changed_since,
            around_seq=around_seq,
            limit=limit,
        )

    async def edit(
        self, channel_id: str, post_seq: int, seq: int, **content: Unpack[WriteComment]
    ) -> Comment:
        """Replace the content."""
        return await self._call(
            *("PATCH", Comment, "channels", channel_id, "posts", post_seq, "comments", seq),
            body=with_kind(content),
        )

    async def delete(self, channel_id: str, post_seq: int, seq: int) -> None:
        """Delete for everyone; the number stays."""
        await self._do("DELETE", "channels", channel_id, "posts", post_seq, "comments", seq)

    async def react(self, channel_id: str, post_seq: int, seq: int, emoji: str) -> Tally:
        path = ("channels", channel_id, "posts", post_seq, "comments", seq, "reactions", emoji)
        return await self._call("PUT", Tally, *path)

    async def unreact(self, channel_id: str, post_seq: int, seq: int, emoji: str) -> Tally:
        path = ("channels", channel_id, "posts", post_seq, "comments", seq, "reactions", emoji)
        return await self._call("DELETE", Tally, *path)

    async def freeze(self, channel_id: str, post_seq: int) -> Post:
        """Stop comments on a post; those that there are stay."""
        return await self._call(
            "PUT", Post, "channels", channel_id, "posts", post_seq, "comments-freeze"
        )

    async def unfreeze(self, channel_id: str, post_seq: int) -> None:
        await self._do("DELETE", "channels", channel_id, "posts", post_seq, "comments-freeze")

    async def ban(self, channel_id: str, user_id: str) -> None:
        """Ban a user from commenting. They may still read, and delete what they wrote."""
        await self._do("PUT", "channels", channel_id, "comment-bans", user_id)

    async def unban(self, channel_id: str, user_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "comment-bans", user_id)

    def bans(self, channel_id: str) -> Paged[Ban, Page[Ban]]:
        """The users who are banned from commenting."""
        return self._list(Page[Ban], "channels", channel_id, "comment-bans")
