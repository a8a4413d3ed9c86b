"""The API of a chat group's invite links; a channel has the same calls."""

from dataclasses import dataclass

from groups.errors import (
    ChannelSuspended,
    GroupNotFound,
    InviteLinkEnded,
    InviteLinkLimitReached,
    InviteLinkNotFound,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import BadCursor, IdempotencyConflict, PermissionRefused
from groups.kernel.ids import GroupId, GroupIdText
from groups.kernel.paging import Page
from groups.models import InviteLink
from groups.routes.responses.invite_links import (
    ChangeInviteLink,
    CreateInviteLink,
    InviteCode,
    InviteLinkQuery,
    InviteLinkResponse,
    InviteLinkWithQrResponse,
    LinkAddresses,
    invite_link_fields,
)
from groups.service.invite_links.managing import (
    InviteLinkChanges,
    InviteLinkService,
    NewInviteLink,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteLinkCalls:
    """The part that the calls of chat groups and of channels share."""

    links: InviteLinkService
    addresses: LinkAddresses
    clock: Clock

    async def create(
        self, actor: Actor, group_id: GroupId, body: CreateInviteLink, key: str | None
    ) -> InviteLinkResponse:
        new = NewInviteLink(**body.model_dump())
        return self._response(await self.links.create(actor, group_id, new, key=key))

    async def list_links(
        self, actor: Actor, group_id: GroupId, query: InviteLinkQuery
    ) -> Page[InviteLinkResponse]:
        found, next_cursor = await self.links.list_links(
            actor, group_id, state=query.state, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[self._response(link) for link in found], next_cursor=next_cursor)

    async def get(self, actor: Actor, group_id: GroupId, code: str) -> InviteLinkWithQrResponse:
        link = await self.links.get(actor, group_id, code)
        fields = invite_link_fields(link, self.addresses, self.clock.now())
        return InviteLinkWithQrResponse(**fields, qr_svg=await self.addresses.qr_svg(fields["url"]))

    async def change(
        self, actor: Actor, group_id: GroupId, code: str, body: ChangeInviteLink
    ) -> InviteLinkResponse:
        changes = InviteLinkChanges(**body.model_dump(exclude_unset=True))
        return self._response(await self.links.change(actor, group_id, code, changes))

    async def revoke(self, actor: Actor, group_id: GroupId, code: str) -> None:
        await self.links.revoke(actor, group_id, code)

    def _response(self, link: InviteLink) -> InviteLinkResponse:
        return InviteLinkResponse(**invite_link_fields(link, self.addresses, self.clock.now()))


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteLinkRoutes:
    """The endpoints of a group's invite links."""

    tag = "Invite links"

    calls: InviteLinkCalls

    @post(
        "/v1/groups/{group_id}/invite-links",
        status=201,
        errors=[
            GroupNotFound,
            PermissionRefused,
            UserRestricted,
            ChannelSuspended,
            InviteLinkLimitReached,
            InviteLinkNotFound,
            IdempotencyConflict,
        ],
    )
    async def create_invite_link(
        self, actor: Actor, group_id: GroupIdText, body: CreateInviteLink, key: IdempotencyKey
    ) -> InviteLinkResponse:
        """Make an invite link (owner, admin): everybody who has it may join, whatever `join_option` says."""
        return await self.calls.create(actor, group_id, body, key)

    @get("/v1/groups/{group_id}/invite-links", errors=[GroupNotFound, PermissionRefused, BadCursor])
    async def list_invite_links(
        self, actor: Actor, group_id: GroupIdText, query: InviteLinkQuery
    ) -> Page[InviteLinkResponse]:
        """The invite links, newest first (owner, admin). Ended ones go after 30 days."""
        return await self.calls.list_links(actor, group_id, query)

    @get(
        "/v1/groups/{group_id}/invite-links/{code}",
        errors=[GroupNotFound, PermissionRefused, InviteLinkNotFound],
    )
    async def get_invite_link(
        self, actor: Actor, group_id: GroupIdText, code: InviteCode
    ) -> InviteLinkWithQrResponse:
        """One invite link with its QR code (owner, admin)."""
        return await self.calls.get(actor, group_id, code)

    @patch(
        "/v1/groups/{group_id}/invite-links/{code}",
        errors=[
            GroupNotFound,
            PermissionRefused,
            UserRestricted,
            ChannelSuspended,
            InviteLinkNotFound,
            InviteLinkEnded,
            InviteLinkLimitReached,
        ],
    )
    async def change_invite_link(
        self, actor: Actor, group_id: GroupIdText, code: InviteCode, body: ChangeInviteLink
    ) -> InviteLinkResponse:
        """Change an invite link (owner, admin). One that expired or was used up may open again, a revoked one not."""
        return await self.calls.change(actor, group_id, code, body)

    @delete(
        "/v1/groups/{group_id}/invite-links/{code}",
        status=204,
        errors=[GroupNotFound, PermissionRefused, InviteLinkNotFound],
    )
    async def revoke_invite_link(
        self, actor: Actor, group_id: GroupIdText, code: InviteCode
    ) -> None:
        """Revoke an invite link (owner, admin): nobody joins by it any more. Requests that wait stay."""
        await self.calls.revoke(actor, group_id, code)
