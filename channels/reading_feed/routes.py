"""The endpoint of the feed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from channels.reading_feed.service import FeedPost, ReadingFeedService
from channels.routes.responses import PostResponse, post_response
from conversations.errors import ConversationGroupNotFound
from conversations.limits import CONVERSATION_GROUP_NAME_BYTES
from groups.errors import SearchTooSlow
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import Response, get
from groups.kernel.errors import BadCursor
from groups.kernel.ids import GroupId
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import MaxBytes


class ReadingFeedQuery(PageQuery):
    """Which posts."""

    conversation_group: Annotated[
        Annotated[str, MaxBytes("conversation_group_name_bytes", CONVERSATION_GROUP_NAME_BYTES)]
        | None,
        Field(
            description="Only those of channels in this conversation group; empty: in none of your own."
        ),
    ] = None


class FeedChannel(Response):
    """The channel of a post, as a feed shows it."""

    channel_id: GroupId
    name: str
    face_url: str
    verified: bool


class FeedItemResponse(Response):
    """A post with its channel."""

    channel: FeedChannel
    post: PostResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingFeedRoutes:
    """The feed of all channels."""

    tag = "Posts"

    reading_feed: ReadingFeedService
    clock: Clock

    @get("/v1/feed", errors=[BadCursor, ConversationGroupNotFound, SearchTooSlow])
    async def feed(self, actor: Actor, query: ReadingFeedQuery) -> Page[FeedItemResponse]:
        """The posts of all channels to which you subscribe, newest first, without deleted ones.

        Muted channels are in it, hidden ones are not. Each post is as in its channel. A page may have fewer posts than
        `limit`, or none, and more behind it: go on until `next_cursor` is null.
        """
        page = await self.reading_feed.page(
            actor,
            conversation_group=query.conversation_group,
            limit=query.limit,
            cursor=query.cursor,
        )
        now = self.clock.now()
        return Page(items=[_item(post, now) for post in page.posts], next_cursor=page.next_cursor)


def _item(found: FeedPost, now: datetime) -> FeedItemResponse:
    group = found.access.group
    return FeedItemResponse.model_construct(
        channel=FeedChannel.model_construct(
            channel_id=group.group_id,
            name=group.name,
            face_url=group.face_url,
            verified=group.verified,
        ),
        post=post_response(found.message, found.access, found.tally, now),
    )
