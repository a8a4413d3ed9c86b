"""Endpoints of acknowledgements, for posts of channels and for messages of groups."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from channels.acknowledgements.errors import (
    AcknowledgementNotAsked,
    AlreadyReminded,
    OwnAcknowledgement,
    TooManyToName,
)
from channels.acknowledgements.overview import AcknowledgementOverview
from channels.acknowledgements.service import AcknowledgementService
from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from groups.errors import (
    Banned,
    BusinessAccount,
    ChannelSuspended,
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, Response, get, post, put
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupId, GroupIdText, UserId
from groups.kernel.paging import PageQuery
from groups.models import User
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant
from groups.routes.responses.tallies import AcknowledgeResponse, acknowledge_json
from groups.service.users import UserService

_GIVING_ERRORS: Final = (
    PermissionRefused,
    UserRestricted,
    ChannelSuspended,
    Banned,
    BusinessAccount,
    MessageRecalled,
    AcknowledgementNotAsked,
    OwnAcknowledgement,
)
_READING_ERRORS: Final = (PermissionRefused, Banned, MessageRecalled, AcknowledgementNotAsked)
_REMINDING_ERRORS: Final = (*_READING_ERRORS, UserRestricted, ChannelSuspended, AlreadyReminded)


class AcknowledgementQuery(PageQuery):
    """Whom to list."""

    state: Annotated[
        Literal["given", "missing"],
        Field(description="Those who acknowledged, or those who are asked and have not."),
    ] = "given"


class AskedResponse(Response):
    """A user who is asked to acknowledge the message."""

    user_id: UserId
    name: str
    face_url: str
    acknowledged_at: Annotated[Instant | None, Field(description="null: not yet.")]


class AcknowledgementCounts(Response):
    """How many are asked: `given` and `missing` together.

    Members of now are asked, without the author and business accounts. Those who acknowledged and left count as given.
    Where there are more members than may be named, `missing` does not count for them, and may be too small by so many.
    """

    asked: int
    given: int
    missing: int


class AcknowledgementPage(Response):
    """A page of users by id, and the counts of all."""

    items: list[AskedResponse]
    next_cursor: str | None
    counts: AcknowledgementCounts
    reminded_at: Annotated[
        Instant | None, Field(description="When those who had not were reminded; null: not yet.")
    ]


class ReminderResponse(Response):
    """The reminder is on its way."""

    reminded_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementCalls:
    """The part that the calls on posts and on messages of groups share."""

    acknowledgements: AcknowledgementService
    overview: AcknowledgementOverview
    users: UserService

    async def give(
        self, actor: Actor, group_id: GroupId, seq: int
    ) -> Rendered[AcknowledgeResponse]:
        tally = await self.acknowledgements.acknowledge(actor, group_id, seq)
        return Rendered(acknowledge_json(tally.acknowledged, mine=True))

    async def page(
        self, actor: Actor, group_id: GroupId, seq: int, query: AcknowledgementQuery
    ) -> AcknowledgementPage:
        list_users = (
            self.overview.list_given if query.state == "given" else self.overview.list_missing
        )
        found = await list_users(actor, group_id, seq, limit=query.limit, cursor=query.cursor)
        profiles = await self.users.find_users(each.user_id for each in found.users)
        items: list[AskedResponse] = []
        for each in found.users:
            user = profiles.get(each.user_id) or User(user_id=each.user_id)
            items.append(
                AskedResponse(
                    user_id=user.user_id,
                    name=user.name,
                    face_url=user.face_url,
                    acknowledged_at=each.at,
                )
            )
        return AcknowledgementPage(
            items=items,
            next_cursor=found.next_cursor,
            counts=AcknowledgementCounts(
                asked=found.given + found.missing, given=found.given, missing=found.missing
            ),
            reminded_at=found.reminded_at,
        )

    async def remind(self, actor: Actor, group_id: GroupId, seq: int) -> ReminderResponse:
        return ReminderResponse(reminded_at=await self.overview.remind(actor, group_id, seq))


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementRoutes:
    """Acknowledgements of messages of groups."""

    tag = "Messages"

    calls: AcknowledgementCalls

    @put(
        "/v1/groups/{group_id}/messages/{seq}/acknowledgement",
        errors=[GroupNotFound, MessageNotFound, *_GIVING_ERRORS],
    )
    async def acknowledge(
        self, actor: Actor, group_id: GroupIdText, seq: Seq
    ) -> Rendered[AcknowledgeResponse]:
        """Acknowledge a message that asks for it (members). It cannot be taken back."""
        return await self.calls.give(actor, group_id, seq)

    @get(
        "/v1/groups/{group_id}/messages/{seq}/acknowledgements",
        errors=[GroupNotFound, MessageNotFound, *_READING_ERRORS, TooManyToName, BadCursor],
    )
    async def list_acknowledgements(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, query: AcknowledgementQuery
    ) -> AcknowledgementPage:
        """List who acknowledged a message, or who has not, with the counts (owner, admins).

        Those who have not are named in groups with at most 1,000 members.
        """
        return await self.calls.page(actor, group_id, seq, query)

    @post(
        "/v1/groups/{group_id}/messages/{seq}/acknowledgements/reminder",
        errors=[GroupNotFound, MessageNotFound, *_REMINDING_ERRORS],
    )
    async def remind(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> ReminderResponse:
        """Remind those who have not acknowledged a message, once (owner, admins)."""
        return await self.calls.remind(actor, group_id, seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAcknowledgementRoutes:
    """Acknowledgements of posts."""

    tag = "Posts"

    channel: ChannelGuard
    calls: AcknowledgementCalls

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/acknowledgement",
        errors=[ChannelNotFound, PostNotFound, *_GIVING_ERRORS],
    )
    async def acknowledge(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> Rendered[AcknowledgeResponse]:
        """Acknowledge a post that asks for it (subscribers). It cannot be taken back."""
        async with self.channel(channel_id):
            return await self.calls.give(actor, channel_id, seq)

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/acknowledgements",
        errors=[ChannelNotFound, PostNotFound, *_READING_ERRORS, TooManyToName, BadCursor],
    )
    async def list_acknowledgements(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, query: AcknowledgementQuery
    ) -> AcknowledgementPage:
        """List who acknowledged a post, or who has not, with the counts (owner, admins with `see_insights`).

        Those who have not are named in channels with at most 1,000 members.
        """
        async with self.channel(channel_id):
            return await self.calls.page(actor, channel_id, seq, query)

    @post(
        "/v1/channels/{channel_id}/posts/{seq}/acknowledgements/reminder",
        errors=[ChannelNotFound, PostNotFound, *_REMINDING_ERRORS],
    )
    async def remind(self, actor: Actor, channel_id: ChannelIdText, seq: Seq) -> ReminderResponse:
        """Remind those who have not acknowledged a post, once (owner, admins with `see_insights`)."""
        async with self.channel(channel_id):
            return await self.calls.remind(actor, channel_id, seq)
