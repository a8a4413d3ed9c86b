"""Routes of a channel's invite links and join requests: as those of a chat group, in words of channels."""

from dataclasses import dataclass

from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from groups.errors import (
    ChannelSuspended,
    GroupsPerUserReached,
    InviteLinkEnded,
    InviteLinkLimitReached,
    InviteLinkNotFound,
    JoinRequestNotFound,
    MemberLimitReached,
    NotAPerson,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import BadCursor, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.routes.invite_links import InviteLinkCalls
from groups.routes.join_requests import JoinRequestCalls
from groups.routes.responses.invite_links import (
    AnsweredRequestsResponse,
    AnswerRequest,
    AnswerRequests,
    ChangeInviteLink,
    CreateInviteLink,
    InviteCode,
    InviteLinkQuery,
    InviteLinkResponse,
    InviteLinkWithQrResponse,
    JoinRequestResponse,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelInviteLinkRoutes:
    """The endpoints of a channel's invite links."""

    tag = "Invite links"

    channel: ChannelGuard
    calls: InviteLinkCalls

    @post(
        "/v1/channels/{channel_id}/invite-links",
        status=201,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            UserRestricted,
            ChannelSuspended,
            InviteLinkLimitReached,
            InviteLinkNotFound,
            IdempotencyConflict,
        ],
    )
    async def create_channel_invite_link(
        self, actor: Actor, channel_id: ChannelIdText, body: CreateInviteLink, key: IdempotencyKey
    ) -> InviteLinkResponse:
        """Make an invite link (owner, admin): everybody who has it may subscribe, also to a private channel."""
        async with self.channel(channel_id):
            return await self.calls.create(actor, channel_id, body, key)

    @get(
        "/v1/channels/{channel_id}/invite-links",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def list_channel_invite_links(
        self, actor: Actor, channel_id: ChannelIdText, query: InviteLinkQuery
    ) -> Page[InviteLinkResponse]:
        """The invite links, newest first (owner, admin). Ended ones go after 30 days."""
        async with self.channel(channel_id):
            return await self.calls.list_links(actor, channel_id, query)

    @get(
        "/v1/channels/{channel_id}/invite-links/{code}",
        errors=[ChannelNotFound, PermissionRefused, InviteLinkNotFound],
    )
    async def get_channel_invite_link(
        self, actor: Actor, channel_id: ChannelIdText, code: InviteCode
    ) -> InviteLinkWithQrResponse:
        """One invite link with its QR code (owner, admin)."""
        async with self.channel(channel_id):
            return await self.calls.get(actor, channel_id, code)

    @patch(
        "/v1/channels/{channel_id}/invite-links/{code}",
        errors=[
            ChannelNotFound,
            PermissionRefused,
            UserRestricted,
            ChannelSuspended,
            InviteLinkNotFound,
            InviteLinkEnded,
            InviteLinkLimitReached,
        ],
    )
    async def change_channel_invite_link(
        self, actor: Actor, channel_id: ChannelIdText, code: InviteCode, body: ChangeInviteLink
    ) -> InviteLinkResponse:
        """Change an invite link (owner, admin). One that expired or was used up may open again, a revoked one not."""
        async with self.channel(channel_id):
            return await self.calls.change(actor, channel_id, code, body)

    @delete(
        "/v1/channels/{channel_id}/invite-links/{code}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, InviteLinkNotFound],
    )
    async def revoke_channel_invite_link(
        self, actor: Actor, channel_id: ChannelIdText, code: InviteCode
    ) -> None:
        """Revoke an invite link (owner, admin): nobody subscribes by it any more. Requests that wait stay."""
        async with self.channel(channel_id):
            await self.calls.revoke(actor, channel_id, code)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelJoinRequestRoutes:
    """The endpoints of a channel's join requests."""

    tag = "Subscribers"

    channel: ChannelGuard
    calls: JoinRequestCalls

    @get(
        "/v1/channels/{channel_id}/join-requests",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def join_requests(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[JoinRequestResponse]:
        """The users who ask to subscribe, by id (owner, admin). They ask by an invite link with `approval`."""
        async with self.channel(channel_id):
            return await self.calls.list_requests(actor, channel_id, query)

    @post("/v1/channels/{channel_id}/join-requests", errors=[ChannelNotFound, PermissionRefused])
    async def answer_join_requests(
        self, actor: Actor, channel_id: ChannelIdText, body: AnswerRequests
    ) -> AnsweredRequestsResponse:
        """Approve or refuse up to 100 join requests (owner, admin). Each has a result of its own."""
        async with self.channel(channel_id):
            return await self.calls.answer_many(actor, channel_id, body)

    @post(
        "/v1/channels/{channel_id}/join-requests/{user_id}",
        status=204,
        errors=[
            ChannelNotFound,
            PermissionRefused,
            UserRestricted,
            ChannelSuspended,
            JoinRequestNotFound,
            InviteLinkEnded,
            NotAPerson,
            MemberLimitReached,
            GroupsPerUserReached,
        ],
    )
    async def answer_join_request(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: AnswerRequest
    ) -> None:
        """Approve or refuse a join request (owner, admin). An approved one is a use of the link that it came by."""
        async with self.channel(channel_id):
            await self.calls.requests.answer(actor, channel_id, user_id, approve=body.approve)

    @delete(
        "/v1/channels/{channel_id}/join-requests/me",
        status=204,
        errors=[ChannelNotFound, JoinRequestNotFound],
    )
    async def withdraw_join_request(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Withdraw your own join request. `GET /v1/join-requests` lists yours."""
        async with self.channel(channel_id):
            await self.calls.requests.withdraw(actor, channel_id)
