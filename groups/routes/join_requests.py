"""The API of a chat group's join requests; a channel has the same calls."""

from dataclasses import dataclass

from groups.errors import (
    ChannelSuspended,
    GroupNotFound,
    GroupsPerUserReached,
    InviteLinkEnded,
    JoinRequestNotFound,
    MemberLimitReached,
    NotAPerson,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import delete, get, post
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupId, GroupIdText, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.routes.responses.invite_links import (
    AnsweredRequestsResponse,
    AnswerRequest,
    AnswerRequests,
    JoinRequestResponse,
    answered_response,
    join_request_page,
)
from groups.service.membership.join_requests import JoinRequestService
from groups.service.users import UserService


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequestCalls:
    """The part that the calls of chat groups and of channels share."""

    requests: JoinRequestService
    users: UserService

    async def list_requests(
        self, actor: Actor, group_id: GroupId, query: PageQuery
    ) -> Page[JoinRequestResponse]:
        page = await self.requests.list_of_group(
            actor, group_id, limit=query.limit, cursor=query.cursor
        )
        users = await self.users.find_users(request.user_id for request in page.requests)
        return join_request_page(page, users)

    async def answer_many(
        self, actor: Actor, group_id: GroupId, body: AnswerRequests
    ) -> AnsweredRequestsResponse:
        user_ids = list(dict.fromkeys(body.user_ids))
        refusals = await self.requests.answer_many(actor, group_id, user_ids, approve=body.approve)
        return answered_response(user_ids, refusals)


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequestRoutes:
    """The endpoints of a group's join requests."""

    tag = "Members"

    calls: JoinRequestCalls

    @get(
        "/v1/groups/{group_id}/join-requests", errors=[GroupNotFound, PermissionRefused, BadCursor]
    )
    async def requests(
        self, actor: Actor, group_id: GroupIdText, query: PageQuery
    ) -> Page[JoinRequestResponse]:
        """The join requests that wait for approval, by user id (owner, admin)."""
        return await self.calls.list_requests(actor, group_id, query)

    @post(
        "/v1/groups/{group_id}/join-requests",
        errors=[GroupNotFound, PermissionRefused],
    )
    async def answer_many(
        self, actor: Actor, group_id: GroupIdText, body: AnswerRequests
    ) -> AnsweredRequestsResponse:
        """Approve or refuse up to 100 join requests (owner, admin). Each has a result of its own."""
        return await self.calls.answer_many(actor, group_id, body)

    @post(
        "/v1/groups/{group_id}/join-requests/{user_id}",
        status=204,
        errors=[
            GroupNotFound,
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
    async def answer(
        self, actor: Actor, group_id: GroupIdText, user_id: UserIdText, body: AnswerRequest
    ) -> None:
        """Approve or refuse a join request (owner, admin). An approved one is a use of the link that it came by."""
        await self.calls.requests.answer(actor, group_id, user_id, approve=body.approve)

    @delete(
        "/v1/groups/{group_id}/join-requests/me",
        status=204,
        errors=[GroupNotFound, JoinRequestNotFound],
    )
    async def withdraw(self, actor: Actor, group_id: GroupIdText) -> None:
        """Withdraw your own join request. `GET /v1/join-requests` lists yours."""
        await self.calls.requests.withdraw(actor, group_id)
