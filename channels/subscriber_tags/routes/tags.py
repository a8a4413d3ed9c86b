"""Endpoints of tags on subscribers."""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from channels.subscriber_tags.errors import SubscriberTagLimitReached
from channels.subscriber_tags.routes.fields import Tags, check_once
from channels.subscriber_tags.routes.importing import (
    TagImport,
    TagImportProgress,
    TagImportQuery,
    TagLine,
)
from channels.subscriber_tags.service.tags import SubscriberTags
from groups.errors import MemberNotFound
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, NdjsonBody, NdjsonStream, Response, get, post, put
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery


class PutSubscriberTags(Body):
    """All tags of the subscriber, in the order in which they are shown; none takes all away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["customer", "berlin"]}]})

    tags: Tags

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        check_once("tags", self.tags)
        return self


class SubscriberTagsResponse(Response):
    """The tags of a subscriber."""

    channel_id: GroupId
    user_id: UserId
    tags: tuple[str, ...]


class SubscriberTagResponse(Response):
    """A tag that at least one subscriber has."""

    tag: str
    subscribers: Annotated[
        int,
        Field(description="How many have it. Somebody who just left may count for a moment yet."),
    ]


@dataclass(kw_only=True, slots=True)
class SubscriberTagRoutes:
    """Tags on subscribers (owner, admins with the right to manage subscribers, back end)."""

    tag = "Subscribers"

    tags: SubscriberTags

    @put(
        "/v1/channels/{channel_id}/subscribers/{user_id}/tags",
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound, SubscriberTagLimitReached],
    )
    async def put_tags(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: PutSubscriberTags
    ) -> SubscriberTagsResponse:
        """Give a subscriber these tags, in place of those before. The subscriber never sees them.

        They end with the subscription. A tag exists as long as a subscriber has it.
        """
        await self.tags.put(actor, channel_id, user_id, body.tags)
        return SubscriberTagsResponse.model_construct(
            channel_id=channel_id, user_id=user_id, tags=body.tags
        )

    @get(
        "/v1/channels/{channel_id}/subscriber-tags",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_tags(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[SubscriberTagResponse]:
        """The tags in use, in the order of their characters, each with its number of subscribers."""
        found, next_cursor = await self.tags.list_tags(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        items = [SubscriberTagResponse.model_construct(tag=tag, subscribers=n) for tag, n in found]
        return Page(items=items, next_cursor=next_cursor)

    @post("/v1/channels/{channel_id}/subscriber-tags", errors=[ChannelNotFound, PermissionRefused])
    async def change_tags(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        query: TagImportQuery,
        lines: NdjsonBody[TagLine],
    ) -> NdjsonStream[TagImportProgress]:
        """Change the tags of up to millions of subscribers, with a line for each: tags to add and remove, or all tags.

        The server takes the lines in batches and sends a line of progress when it has committed a batch. After a crash
        on either side, send the same lines again: those that were taken are `unchanged`. The last line has `done`, or
        `error` where the request stopped early. Read while you send, or ask for `results=refused`.
        """
        await self.tags.check(actor, channel_id)
        importing = TagImport(lines, query)
        return NdjsonStream(
            importing.progress(lambda changes: self.tags.change(actor, channel_id, changes))
        )
