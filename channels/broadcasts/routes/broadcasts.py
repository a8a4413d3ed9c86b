"""Endpoints of broadcasts, and of opting out of them."""

from dataclasses import dataclass

from channels.broadcasts.errors import (
    BadStartAt,
    BroadcastEnded,
    BroadcastNotFound,
    BroadcastsAtOnceReached,
    BroadcastsPerDayReached,
)
from channels.broadcasts.routes.responses import (
    AudienceResponse,
    BroadcastResponse,
    CountAudience,
    CreateBroadcast,
    NotReachedResponse,
    OptOutResponse,
    broadcast_response,
    not_reached_response,
    opt_out_response,
)
from channels.broadcasts.service.broadcasts import BroadcastService
from channels.broadcasts.service.opt_outs import OptOutService
from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from groups.errors import (
    ChannelSuspended,
    MediaNotFound,
    PollNotAllowed,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, post, put
from groups.kernel.errors import BadCursor, FieldTooLong, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import AnyIdText
from groups.kernel.paging import Page, PageQuery


@dataclass(kw_only=True, slots=True)
class BroadcastRoutes:
    """Broadcasts (owner, admins who may post and may read the inbox, back end)."""

    tag = "Broadcasts"

    broadcasts: BroadcastService

    @post(
        "/v1/channels/{channel_id}/broadcasts",
        status=201,
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            FieldTooLong,
            IdempotencyConflict,
            MediaNotFound,
            WrongMediaKind,
            PollNotAllowed,
            BadStartAt,
            BroadcastNotFound,
            BroadcastsAtOnceReached,
            BroadcastsPerDayReached,
        ],
    )
    async def create(
        self, actor: Actor, channel_id: ChannelIdText, body: CreateBroadcast, key: IdempotencyKey
    ) -> BroadcastResponse:
        """Write to all subscribers of a segment, each in their own thread; in the background, at once or at `start_at`.

        Subscribers who opted out, and those who block the channel or switched it off, get nothing (`not-reached`). It
        is sent by user id; who subscribes while it runs may get it or not. With an `Idempotency-Key`, once.
        """
        created = await self.broadcasts.create(actor, channel_id, body.to_new(key))
        return broadcast_response(created)

    @post(
        "/v1/channels/{channel_id}/broadcasts/audience",
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def count_audience(
        self, actor: Actor, channel_id: ChannelIdText, body: CountAudience
    ) -> AudienceResponse:
        """How many subscribers a broadcast to this segment is for. Large segments are not counted to their end."""
        count, is_exact = await self.broadcasts.count_audience(
            actor, channel_id, body.segment.to_segment()
        )
        return AudienceResponse.model_construct(count=count, is_exact=is_exact)

    @get(
        "/v1/channels/{channel_id}/broadcasts",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_broadcasts(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BroadcastResponse]:
        """The channel's broadcasts, the newest first. They are kept for 90 days after their end."""
        found, next_cursor = await self.broadcasts.list_broadcasts(
            actor, channel_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[broadcast_response(one) for one in found], next_cursor=next_cursor)

    @get(
        "/v1/channels/{channel_id}/broadcasts/{broadcast_id}",
        errors=[ChannelNotFound, PermissionRefused, BroadcastNotFound],
    )
    async def get_broadcast(
        self, actor: Actor, channel_id: ChannelIdText, broadcast_id: AnyIdText
    ) -> BroadcastResponse:
        """One broadcast, with how far it is."""
        return broadcast_response(
            await self.broadcasts.find_broadcast(actor, channel_id, broadcast_id)
        )

    @post(
        "/v1/channels/{channel_id}/broadcasts/{broadcast_id}/stop",
        errors=[ChannelNotFound, PermissionRefused, BroadcastNotFound, BroadcastEnded],
    )
    async def stop(
        self, actor: Actor, channel_id: ChannelIdText, broadcast_id: AnyIdText
    ) -> BroadcastResponse:
        """Stop a broadcast: after the answer nobody gets it any more. Repeating it changes nothing."""
        return broadcast_response(await self.broadcasts.stop(actor, channel_id, broadcast_id))

    @post(
        "/v1/channels/{channel_id}/broadcasts/{broadcast_id}/resume",
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            BroadcastNotFound,
            BroadcastEnded,
            BroadcastsAtOnceReached,
        ],
    )
    async def resume(
        self, actor: Actor, channel_id: ChannelIdText, broadcast_id: AnyIdText
    ) -> BroadcastResponse:
        """Go on with a broadcast that was stopped or failed, with your rights; nobody gets it twice."""
        return broadcast_response(await self.broadcasts.resume(actor, channel_id, broadcast_id))

    @get(
        "/v1/channels/{channel_id}/broadcasts/{broadcast_id}/not-reached",
        errors=[ChannelNotFound, PermissionRefused, BroadcastNotFound, BadCursor],
    )
    async def list_not_reached(
        self, actor: Actor, channel_id: ChannelIdText, broadcast_id: AnyIdText, query: PageQuery
    ) -> Page[NotReachedResponse]:
        """The users of the segment who did not get it, by id, each with the reason. They are kept for 30 days."""
        found, next_cursor = await self.broadcasts.list_not_reached(
            actor, channel_id, broadcast_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[not_reached_response(one) for one in found], next_cursor=next_cursor)


@dataclass(kw_only=True, slots=True)
class OptOutRoutes:
    """Opting out of a channel's broadcasts, for oneself."""

    tag = "Broadcasts"

    opt_outs: OptOutService

    @get("/v1/channels/{channel_id}/broadcast-opt-out", errors=[ChannelNotFound])
    async def get_opt_out(self, actor: Actor, channel_id: ChannelIdText) -> OptOutResponse:
        """Whether you get no broadcasts of the channel."""
        found = await self.opt_outs.find_opt_out(actor, channel_id)
        return opt_out_response(channel_id, found)

    @put("/v1/channels/{channel_id}/broadcast-opt-out", errors=[ChannelNotFound])
    async def opt_out(self, actor: Actor, channel_id: ChannelIdText) -> OptOutResponse:
        """Get no broadcasts of the channel any more; posts and one-to-one messages go on. Nobody else can undo it.

        The message "stop" to the channel does the same, and "start" takes it back. It outlasts the subscription.
        """
        return opt_out_response(channel_id, await self.opt_outs.opt_out(actor, channel_id))

    @delete("/v1/channels/{channel_id}/broadcast-opt-out", status=204, errors=[ChannelNotFound])
    async def opt_in(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Get broadcasts of the channel again."""
        await self.opt_outs.opt_in(actor, channel_id)
