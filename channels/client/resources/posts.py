"""Posts of channels: writing, reading, pins, reactions, views, clicks and delivery reports."""

from collections.abc import Iterable
from typing import Literal

from typing_extensions import Unpack

from channels.client.models import (
    Acknowledge,
    AcknowledgementPage,
    Asked,
    FeedItem,
    NewMessage,
    Page,
    Poll,
    Post,
    PostClicks,
    PostPage,
    PostReport,
    PostViews,
    Press,
    Reactor,
    Reminder,
    Tally,
    WriteMessage,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, with_kind


class Posts(Resource):
    """`client.posts`. The `kind` of a post may be left out: it follows from the fields."""

    async def publish(
        self, channel_id: str, *, idempotency_key: str | None = None, **content: Unpack[NewMessage]
    ) -> Post:
        """Publish a post: `publish("news", text="Hello")`.

        A key of your own, such as the number of a campaign, makes a job that runs twice post once.
        """
        return await self._call(
            *("POST", Post, "channels", channel_id, "posts"),
            body=with_kind(content),
            idempotency_key=idempotency_key,
        )

    async def preview(self, channel_id: str, **content: Unpack[NewMessage]) -> Post:
        """The post as readers would see it. Nothing is stored."""
        body = with_kind(content)
        return await self._call("POST", Post, "channels", channel_id, "posts", "preview", body=body)

    async def get(self, channel_id: str, seq: int) -> Post:
        return await self._get(Post, "channels", channel_id, "posts", seq)

    def list(
        self,
        channel_id: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        changed_since: int | None = None,
        around_seq: int | None = None,
        around: Literal["unread"] | None = None,
        limit: int | None = None,
    ) -> Paged[Post, PostPage]:
        """The posts, newest first. With `after_seq` and `changed_since` later pages lead towards the newest."""
        return self._paged(
            *(PostPage, Post, "channels", channel_id, "posts"),
            before_seq=before_seq,
            after_seq=after_seq,
            changed_since=changed_since,
            around_seq=around_seq,
            around=around,
            limit=limit,
        )

    def feed(
        self, *, conversation_group: str | None = None, limit: int | None = None
    ) -> Paged[FeedItem, Page[FeedItem]]:
        """The posts of all channels to which the user subscribes, newest first. A page may be empty before the last."""
        return self._list(
            Page[FeedItem], "feed", conversation_group=conversation_group, limit=limit
        )

    async def edit(self, channel_id: str, seq: int, **content: Unpack[WriteMessage]) -> Post:
        """Replace the content."""
        body = with_kind(content)
        return await self._call("PATCH", Post, "channels", channel_id, "posts", seq, body=body)

    async def delete(self, channel_id: str, seq: int) -> None:
        """Delete for everyone; the seq stays."""
        await self._do("DELETE", "channels", channel_id, "posts", seq)

    async def pin(self, channel_id: str, seq: int) -> Post:
        return await self._call("PUT", Post, "channels", channel_id, "posts", seq, "pin")

    async def unpin(self, channel_id: str, seq: int) -> None:
        await self._do("DELETE", "channels", channel_id, "posts", seq, "pin")

    def pins(self, channel_id: str) -> Paged[Post, Page[Post]]:
        return self._list(Page[Post], "channels", channel_id, "pins")

    async def react(self, channel_id: str, seq: int, emoji: str) -> Tally:
        return await self._call(
            "PUT", Tally, "channels", channel_id, "posts", seq, "reactions", emoji
        )

    async def unreact(self, channel_id: str, seq: int, emoji: str) -> Tally:
        return await self._call(
            "DELETE", Tally, "channels", channel_id, "posts", seq, "reactions", emoji
        )

    def reactors(self, channel_id: str, seq: int, emoji: str) -> Paged[Reactor, Page[Reactor]]:
        """The users who reacted with this emoji; for the owner and admins."""
        return self._list(Page[Reactor], "channels", channel_id, "posts", seq, "reactions", emoji)

    async def vote(self, channel_id: str, seq: int, *options: int) -> Poll:
        """Vote in a poll for these options, by their place from 0; they replace an earlier vote."""
        return await self._call(
            *("PUT", Poll, "channels", channel_id, "posts", seq, "vote"), body={"options": options}
        )

    async def take_vote_back(self, channel_id: str, seq: int) -> Poll:
        return await self._call("DELETE", Poll, "channels", channel_id, "posts", seq, "vote")

    async def close_poll(self, channel_id: str, seq: int) -> Poll:
        """Close a poll now; for those who may edit the post."""
        return await self._call("POST", Poll, "channels", channel_id, "posts", seq, "poll", "close")

    async def acknowledge(self, channel_id: str, seq: int) -> Acknowledge:
        """Acknowledge a post that asks for it; it cannot be taken back."""
        return await self._call(
            *("PUT", Acknowledge, "channels", channel_id, "posts", seq, "acknowledgement")
        )

    def acknowledgements(
        self, channel_id: str, seq: int, *, state: Literal["given", "missing"] = "given"
    ) -> Paged[Asked, AcknowledgementPage]:
        """Subscribers who acknowledged the post, or have not, by id, with the counts. For the grant `see_insights`."""
        return self._paged(
            *(AcknowledgementPage, Asked, "channels", channel_id, "posts", seq, "acknowledgements"),
            state=state,
        )

    async def remind(self, channel_id: str, seq: int) -> Reminder:
        """Remind those who have not acknowledged the post, once. For the grant `see_insights`."""
        return await self._call(
            *("POST", Reminder, "channels", channel_id, "posts", seq),
            *("acknowledgements", "reminder"),
        )

    async def press(
        self, channel_id: str, seq: int, button: int, *, text: str | None = None
    ) -> Press:
        """Press a button, by its place from 0 over all rows. It counts once, and a `reply` is sent once.

        `text` is what the user saw on it: where another text stands there now, the press is refused.
        """
        path = ("channels", channel_id, "posts", seq, "buttons", button, "press")
        return await self._call("PUT", Press, *path, query={"text": text})

    async def report_views(self, channel_id: str, seqs: Iterable[int]) -> Page[PostViews]:
        """Say that the user has seen these posts, up to 100; each user counts once."""
        return await self._call(
            *("POST", Page[PostViews], "channels", channel_id, "posts", "views"),
            body={"seqs": [*seqs]},
        )

    async def report_click(self, channel_id: str, seq: int, url: str) -> None:
        """Say that the user opened this link of the post, where the channel counts clicks; each user counts once.

        Report none of a user who does not want to be tracked.
        """
        await self._do(*("POST", "channels", channel_id, "posts", seq, "clicks"), body={"url": url})

    async def clicks(self, channel_id: str, seq: int) -> PostClicks:
        """The links of a post with their clicks; with the grant `see_insights`."""
        return await self._get(PostClicks, "channels", channel_id, "posts", seq, "clicks")

    async def report(self, channel_id: str, seq: int) -> PostReport:
        """The delivery report: subscribers, sockets, notifications and views; with the grant `see_insights`."""
        return await self._get(PostReport, "channels", channel_id, "posts", seq, "report")
