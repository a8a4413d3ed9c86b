"""Endpoints of canned replies."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from channels.canned_replies.errors import CannedReplyLimitReached, CannedReplyNotFound
from channels.canned_replies.models import CannedReply
from channels.canned_replies.service import CannedReplyService
from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, delete, get, put
from groups.kernel.errors import BadCursor, FieldTooLong, PermissionRefused
from groups.kernel.ids import AnyIdText, GroupId, UserId
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.bounded import MaxBytes, Text
from groups.limits import MESSAGE_BODY_BYTES
from groups.routes.responses.fields import Instant


class PutCannedReply(Body):
    """The text, which fits into a message."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "We open at nine, except on Sundays."}]}
    )

    text: Annotated[
        Text,
        Field(min_length=1),
        MaxBytes("message_body_bytes", MESSAGE_BODY_BYTES),
    ]


class CannedReplyResponse(Response):
    """A text that all who answer the inbox share."""

    channel_id: GroupId
    name: str
    text: str
    changed_at: Instant
    changed_by: UserId


def _response(reply: CannedReply) -> CannedReplyResponse:
    return CannedReplyResponse.model_validate(reply, from_attributes=True)


@dataclass(kw_only=True, slots=True)
class CannedReplyRoutes:
    """Canned replies (owner, and admins with the right to read the inbox)."""

    tag = "Channel inbox"

    replies: CannedReplyService

    @get(
        "/v1/channels/{channel_id}/canned-replies",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_replies(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[CannedReplyResponse]:
        """List the channel's canned replies, by name."""
        found, next_cursor = await self.replies.list_replies(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[_response(reply) for reply in found], next_cursor=next_cursor)

    @put(
        "/v1/channels/{channel_id}/canned-replies/{name}",
        errors=[ChannelNotFound, PermissionRefused, FieldTooLong, CannedReplyLimitReached],
    )
    async def put(
        self, actor: Actor, channel_id: ChannelIdText, name: AnyIdText, body: PutCannedReply
    ) -> CannedReplyResponse:
        """Store a text under a name, in place of the one before. Nothing is sent: clients insert it into an answer."""
        return _response(await self.replies.put(actor, channel_id, name, body.text))

    @delete(
        "/v1/channels/{channel_id}/canned-replies/{name}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, CannedReplyNotFound],
    )
    async def delete(self, actor: Actor, channel_id: ChannelIdText, name: AnyIdText) -> None:
        """Delete a canned reply."""
        await self.replies.delete(actor, channel_id, name)
