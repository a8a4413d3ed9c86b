"""Responses of the API of invitations, which channels and chat groups share."""

from typing import Literal

from pydantic import ConfigDict

from groups.kernel.endpoint import Body, Response
from groups.kernel.ids import GroupId, UserId
from groups.models import Grant, Group, Invitation, Role
from groups.routes.responses.fields import Instant

InvitedRole = Literal[Role.ADMIN, Role.MEMBER]


class AnswerToInvitation(Body):
    """Whether you accept or decline."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accept": True}]})

    accept: bool


class InvitationResponse(Response):
    """An open invitation: to be an admin with these grants, or to be a subscriber or member (`role` is `member`).

    One that the user declined to be a member stays here until it expires.
    """

    user_id: UserId
    role: InvitedRole
    grants: list[Grant]
    invited_by: UserId
    invited_at: Instant
    expires_at: Instant


class InvitedResponse(Response):
    """The user is no member yet: they are invited, and accept or decline until `expires_at`."""

    user_id: UserId
    is_invited: Literal[True]
    role: InvitedRole
    invited_at: Instant
    expires_at: Instant


class OwnGroupInvitationResponse(Response):
    """An open invitation to you to join a chat group. It shows nothing else of the group."""

    group_id: GroupId
    group_name: str
    role: InvitedRole
    invited_by: UserId
    invited_at: Instant
    expires_at: Instant


def grants_in_order(grants: frozenset[Grant]) -> list[Grant]:
    """The grants in the order in which answers list them."""
    return [grant for grant in Grant if grant in grants]


def invitation_response(invitation: Invitation) -> InvitationResponse:
    """The invitation as those see it who invited."""
    return InvitationResponse(
        user_id=invitation.user_id,
        role=_role_of(invitation),
        grants=grants_in_order(invitation.grants),
        invited_by=invitation.invited_by,
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


def invited_response(invitation: Invitation) -> InvitedResponse:
    """What an adder gets whose user is asked first."""
    return InvitedResponse(
        user_id=invitation.user_id,
        is_invited=True,
        role=_role_of(invitation),
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


def own_group_invitation_response(
    invitation: Invitation, group: Group
) -> OwnGroupInvitationResponse:
    """The invitation to a chat group as its user sees it."""
    return OwnGroupInvitationResponse(
        group_id=group.group_id,
        group_name=group.name,
        role=_role_of(invitation),
        invited_by=invitation.invited_by,
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


def _role_of(invitation: Invitation) -> InvitedRole:
    return Role.ADMIN if invitation.role is Role.ADMIN else Role.MEMBER
