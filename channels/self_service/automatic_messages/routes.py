"""Endpoints of automatic messages: the greeting, answers to keywords, opening hours."""

from dataclasses import dataclass

from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from channels.self_service.automatic_messages.errors import (
    AutoReplyLimitReached,
    AutoReplyNotFound,
)
from channels.self_service.automatic_messages.models import Rule
from channels.self_service.automatic_messages.responses import (
    AutoReplyResponse,
    GreetingResponse,
    OpeningHoursResponse,
    PutAutoReply,
    PutGreeting,
    PutOpeningHours,
    auto_reply_response,
    greeting_response,
    opening_hours_response,
)
from channels.self_service.automatic_messages.service import AutomaticMessageService
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import delete, get, put
from groups.kernel.errors import BadCursor, FieldTooLong, PermissionRefused
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery

_GREETING = "/v1/channels/{channel_id}/greeting"
_REPLY = "/v1/channels/{channel_id}/auto-replies/{name}"
_HOURS = "/v1/channels/{channel_id}/opening-hours"


@dataclass(kw_only=True, slots=True)
class AutomaticMessageRoutes:
    """Automatic messages (owner, and admins with the right to change the settings)."""

    tag = "Self-service"

    messages: AutomaticMessageService
    clock: Clock

    @get(_GREETING, errors=[ChannelNotFound, PermissionRefused])
    async def get_greeting(self, actor: Actor, channel_id: ChannelIdText) -> GreetingResponse:
        """The greeting that each new subscriber gets; without one, `text` is null."""
        found = await self.messages.get(actor, channel_id, Rule.GREETING)
        return greeting_response(channel_id, found)

    @put(_GREETING, errors=[ChannelNotFound, PermissionRefused, FieldTooLong])
    async def put_greeting(
        self, actor: Actor, channel_id: ChannelIdText, body: PutGreeting
    ) -> GreetingResponse:
        """Greet each person who subscribes from now on, once, with a one-to-one message of the channel.

        Those whom the staff or the application subscribe are not greeted, nor those who come back.
        """
        values = body.to_values()
        stored = await self.messages.put(actor, channel_id, Rule.GREETING, values)
        return greeting_response(channel_id, stored)

    @delete(_GREETING, status=204, errors=[ChannelNotFound, PermissionRefused])
    async def delete_greeting(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Greet nobody any more. Without a greeting, nothing changes."""
        await self.messages.delete(actor, channel_id, Rule.GREETING)

    @get(
        "/v1/channels/{channel_id}/auto-replies",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_auto_replies(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[AutoReplyResponse]:
        """List the channel's automatic answers, by name."""
        found, next_cursor = await self.messages.list_answers(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        items = [auto_reply_response(message) for message in found]
        return Page(items=items, next_cursor=next_cursor)

    @get(_REPLY, errors=[ChannelNotFound, PermissionRefused, AutoReplyNotFound])
    async def get_auto_reply(
        self, actor: Actor, channel_id: ChannelIdText, name: AnyIdText
    ) -> AutoReplyResponse:
        """One automatic answer."""
        found = await self.messages.get(actor, channel_id, Rule.ANSWER, name)
        if found is None:
            raise AutoReplyNotFound
        return auto_reply_response(found)

    @put(_REPLY, errors=[ChannelNotFound, PermissionRefused, FieldTooLong, AutoReplyLimitReached])
    async def put_auto_reply(
        self, actor: Actor, channel_id: ChannelIdText, name: AnyIdText, body: PutAutoReply
    ) -> AutoReplyResponse:
        """Answer one-to-one messages that have a keyword, from now on.

        A message gets one answer: that of the first name whose keyword it has. The channel answers no message of its
        own. The staff's unread messages stay unread.
        """
        values = body.to_values()
        return auto_reply_response(
            await self.messages.put(actor, channel_id, Rule.ANSWER, values, name)
        )

    @delete(_REPLY, status=204, errors=[ChannelNotFound, PermissionRefused, AutoReplyNotFound])
    async def delete_auto_reply(
        self, actor: Actor, channel_id: ChannelIdText, name: AnyIdText
    ) -> None:
        """Delete an automatic answer."""
        await self.messages.delete(actor, channel_id, Rule.ANSWER, name)

    @get(_HOURS, errors=[ChannelNotFound, PermissionRefused])
    async def get_opening_hours(
        self, actor: Actor, channel_id: ChannelIdText
    ) -> OpeningHoursResponse:
        """The opening hours, and what is answered outside of them; without hours, `time_zone` is null."""
        found = await self.messages.get(actor, channel_id, Rule.AWAY)
        return opening_hours_response(channel_id, found, self.clock.now())

    @put(_HOURS, errors=[ChannelNotFound, PermissionRefused, FieldTooLong])
    async def put_opening_hours(
        self, actor: Actor, channel_id: ChannelIdText, body: PutOpeningHours
    ) -> OpeningHoursResponse:
        """Answer one-to-one messages that come while the channel is closed, once each time that it is closed.

        A message with a keyword gets the answer to that instead.
        """
        values = body.to_values()
        stored = await self.messages.put(actor, channel_id, Rule.AWAY, values)
        return opening_hours_response(channel_id, stored, self.clock.now())

    @delete(_HOURS, status=204, errors=[ChannelNotFound, PermissionRefused])
    async def delete_opening_hours(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Forget the opening hours: the channel is never closed. Without hours, nothing changes."""
        await self.messages.delete(actor, channel_id, Rule.AWAY)
