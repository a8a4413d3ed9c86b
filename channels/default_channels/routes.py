"""Endpoints of default channels, for the application's back end."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from channels.default_channels.errors import DefaultChannelLimitReached
from channels.default_channels.models import DefaultChannel, Phase
from channels.default_channels.service.default_channels import DefaultChannels
from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, delete, get, put
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserId
from groups.routes.responses.fields import Instant


class DefaultChannelResponse(Response):
    """A default channel, and how far subscribing the people who are known already is."""

    channel_id: GroupId
    since: Instant
    set_by: UserId
    state: Annotated[
        Literal["running", "full", "done"],
        Field(
            description="`full`: the channel has as many subscribers as it may have, and the rest waits for room."
        ),
    ]
    walked: Annotated[
        int, Field(description="Users looked at so far; most of them are looked at twice.")
    ]
    subscribed: Annotated[int, Field(description="People who were subscribed by it so far.")]
    passed_over: Annotated[
        int,
        Field(
            description="People who were not, and will not be: banned, gone before, blocking the channel, at their own"
            " limit, or business accounts."
        ),
    ]


class DefaultChannelList(Response):
    """The default channels, the oldest first."""

    items: list[DefaultChannelResponse]


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultChannelRoutes:
    """Default channels."""

    tag = "Channels"

    defaults: DefaultChannels

    @get("/v1/default-channels", errors=[PermissionRefused])
    async def default_channels(self, actor: Actor) -> DefaultChannelList:
        """List the default channels, with how far each is (the application's back end)."""
        found = await self.defaults.list_defaults(actor)
        return DefaultChannelList(items=[_response(one) for one in found])

    @put(
        "/v1/channels/{channel_id}/default",
        errors=[ChannelNotFound, PermissionRefused, DefaultChannelLimitReached],
    )
    async def set_default_channel(
        self, actor: Actor, channel_id: ChannelIdText
    ) -> DefaultChannelResponse:
        """Make a channel a default: every person is subscribed once, old and new (the application's back end).

        The people who are known already are subscribed in the background, new ones when they first act. Who is banned,
        left, was removed or blocks the channel is passed over. Repeating the call changes nothing.
        """
        return _response(await self.defaults.set_default(actor, channel_id))

    @delete(
        "/v1/channels/{channel_id}/default",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def unset_default_channel(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Make a channel no default any more (the application's back end). Nobody's subscription ends."""
        await self.defaults.unset_default(actor, channel_id)


def _response(channel: DefaultChannel) -> DefaultChannelResponse:
    progress = channel.progress
    is_done = progress.phase is Phase.DONE
    return DefaultChannelResponse.model_construct(
        channel_id=channel.channel_id,
        since=channel.since,
        set_by=channel.set_by,
        state="done" if is_done else "full" if progress.is_full else "running",
        walked=progress.walked,
        subscribed=progress.subscribed,
        passed_over=progress.passed_over,
    )
