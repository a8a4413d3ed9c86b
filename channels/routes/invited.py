"""Routes for those who have an invite link: where it leads, joining by it, and the join requests that they made."""

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from channels.errors import ChannelNotFound
from channels.models import Channel
from channels.routes.responses import ChannelResponse, channel_response
from channels.service.profiles import ProfileCache
from groups.errors import (
    BusinessAccount,
    GroupsPerUserReached,
    InviteLinkEnded,
    InviteLinkNotFound,
    JoinRequestsPerUserReached,
    MemberLimitReached,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, get, post
from groups.kernel.errors import BadCursor
from groups.kernel.ids import GroupId
from groups.kernel.paging import Page, PageQuery
from groups.limits import GroupLimits
from groups.models import AccessContext, Group
from groups.routes.responses.fields import Instant
from groups.routes.responses.groups import GroupResponse, group_response
from groups.routes.responses.invite_links import InviteCode
from groups.routes.responses.members import JoinGroup
from groups.service.invite_links.joining import InvitedService, InvitePreview
from groups.service.membership.commands import Membership
from groups.service.membership.join_requests import JoinRequestService

InvitedKind = Literal["channel", "group"]


class InvitePreviewResponse(Response):
    """Where an invite link leads: a channel or a chat group, as everybody sees it who has the link.

    `approval`: who comes by it asks to join. `is_member`, `has_requested`: you are in it, or wait for an answer since
    `requested_at`; both are false without a token.
    """

    code: InviteCode
    kind: InvitedKind
    id: GroupId
    name: str
    face_url: str
    introduction: str
    member_count: int
    verified: bool
    approval: bool
    is_member: bool
    has_requested: bool
    requested_at: Instant | None


def invite_preview_response(preview: InvitePreview) -> InvitePreviewResponse:
    """The response for an invite link that somebody opens."""
    group = preview.group
    return InvitePreviewResponse(
        code=preview.link.code,
        kind=_kind_of(group),
        id=group.group_id,
        name=group.name,
        face_url=group.face_url,
        introduction=group.introduction,
        member_count=group.member_count,
        verified=group.verified,
        approval=preview.link.approval,
        is_member=preview.is_member,
        has_requested=preview.request is not None,
        requested_at=preview.request.requested_at if preview.request else None,
    )


class JoinByLink(JoinGroup):
    """A message to those who approve, where the link wants approval."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "I like tea too"}]})


class JoinedByLinkResponse(Response):
    """The outcome: you are in the channel or group, which is shown as you see it now, or you wait for an answer.

    `channel` or `group` is null for the other kind, and both while you wait.
    """

    status: Literal["joined", "requested"]
    kind: InvitedKind
    id: GroupId
    channel: ChannelResponse | None
    group: GroupResponse | None


class OwnJoinRequestResponse(Response):
    """A join request of yours that waits for an answer. It shows nothing else of a private channel or group."""

    kind: InvitedKind
    id: GroupId
    name: str
    face_url: str
    text: str
    requested_at: Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitedRoutes:
    """The endpoints for those who have an invite link."""

    tag = "Invite links"

    invited: InvitedService
    requests: JoinRequestService
    profiles: ProfileCache
    limits: GroupLimits

    @get("/v1/invite-links/{code}", errors=[InviteLinkNotFound, InviteLinkEnded])
    async def preview(self, actor: Actor | None, code: InviteCode) -> InvitePreviewResponse:
        """Where an invite link leads; the token is optional.

        404: there is no such link, it was revoked, or you are banned there. 410: it has expired, or no use is left; a
        member sees where it leads all the same.
        """
        return invite_preview_response(await self.invited.preview(actor, code))

    @post(
        "/v1/invite-links/{code}/join",
        errors=[
            InviteLinkNotFound,
            InviteLinkEnded,
            BusinessAccount,
            MemberLimitReached,
            GroupsPerUserReached,
            JoinRequestsPerUserReached,
        ],
    )
    async def join_by_link(
        self, actor: Actor, code: InviteCode, body: JoinByLink | None
    ) -> JoinedByLinkResponse:
        """Join by an invite link, or ask to join (`requested`) where it wants approval.

        Repeating it changes nothing. Each join is a use of the link: who leaves and comes back by it counts twice.
        """
        _, joined = await self.invited.join(actor, code, text=body.text if body else "")
        group = joined.group
        is_in = joined.member is not None
        return JoinedByLinkResponse(
            status="joined" if is_in else "requested",
            kind=_kind_of(group),
            id=group.group_id,
            channel=await self._channel(joined) if is_in and group.is_channel else None,
            group=self._group(joined) if is_in and not group.is_channel else None,
        )

    @get("/v1/join-requests", errors=[BadCursor])
    async def own_join_requests(
        self, actor: Actor, query: PageQuery
    ) -> Page[OwnJoinRequestResponse]:
        """Your join requests that wait for an answer, by the id of the channel or group.

        Withdraw one with `DELETE /v1/channels/{channel_id}/join-requests/me`, or the same of a group.
        """
        found, next_cursor = await self.requests.list_of_user(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [
            OwnJoinRequestResponse(
                kind=_kind_of(group),
                id=group.group_id,
                name=group.name,
                face_url=group.face_url,
                text=request.text,
                requested_at=request.requested_at,
            )
            for request, group in found
        ]
        return Page(items=items, next_cursor=next_cursor)

    async def _channel(self, joined: Membership) -> ChannelResponse:
        try:
            profile = await self.profiles.get(joined.group.group_id)
        except ChannelNotFound:  # deleted after the join
            raise InviteLinkNotFound from None
        return channel_response(Channel(_access(joined), joined.stream, profile))

    def _group(self, joined: Membership) -> GroupResponse:
        group = joined.group
        return group_response(_access(joined), joined.stream, group.limit_of_members(self.limits))


def _access(joined: Membership) -> AccessContext:
    return AccessContext(
        group=joined.group, member=joined.member, effective_role=joined.effective_role
    )


def _kind_of(group: Group) -> InvitedKind:
    return "channel" if group.is_channel else "group"
